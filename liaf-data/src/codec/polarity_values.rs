//! The numbers that mean OFF and ON in a file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The two numbers by which a column of polarities says OFF and ON. It is needed only where the numbers
/// of the column are no known pair, such as 0 and 1, -1 and 1, or 1 and 2.
///
/// ```
/// use liaf_data::options::PolarityValues;
/// let values: PolarityValues = "3,7".parse()?;
/// assert_eq!(values, PolarityValues { off: 3, on: 7 });
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolarityValues {
    /// The number that means OFF.
    pub off: i64,
    /// The number that means ON.
    pub on: i64,
}

impl FromStr for PolarityValues {
    type Err = Error;

    /// Parses `OFF,ON`, as in `1,2`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let pair = text.split_once(',').and_then(|(off, on)| {
            Some(Self { off: off.trim().parse().ok()?, on: on.trim().parse().ok()? })
        });
        pair.filter(|values| values.off != values.on).ok_or_else(|| {
            Error::caller("these are not the values of OFF and ON")
                .expected("two different whole numbers, as in 1,2")
                .found(format!("{text:?}"))
        })
    }
}

impl fmt::Display for PolarityValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.off, self.on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_different_numbers_are_expected() {
        assert_eq!("-1, 1".parse::<PolarityValues>().unwrap(), PolarityValues { off: -1, on: 1 });
        for text in ["", "1", "1,1", "1,x", "0,1,2"] {
            assert!(text.parse::<PolarityValues>().is_err(), "{text}");
        }
    }
}
