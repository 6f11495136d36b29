//! The stretch of time of a window over which a representation spreads its values, and the parameters
//! that several representations share.

use crate::error::{Error, Result};
use crate::frames::{Placed, Window};
use crate::model::Parameters;

/// Between which times a window is divided: the parameter `span`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// From the start of the window to its end.
    Window,
    /// From its first event to its last.
    Events,
}

impl Span {
    /// The value of the parameter `span`.
    pub fn of(parameters: &Parameters, usual: Self) -> Result<Self> {
        match parameters.get("span") {
            None => Ok(usual),
            Some("window") => Ok(Self::Window),
            Some("events") => Ok(Self::Events),
            Some(other) => Err(Error::caller("the parameter span is not valid")
                .expected("window or events")
                .found(other)),
        }
    }

    /// The first time, and the length in µs, which is 0 if all times are equal.
    pub fn measure(self, window: Window, events: Placed<'_>) -> (i64, u64) {
        let (first, last) = match self {
            Self::Window => (window.start, window.end),
            Self::Events => events
                .t
                .iter()
                .fold((i64::MAX, i64::MIN), |(min, max), &t| (min.min(t), max.max(t))),
        };
        (first, if last > first { last.abs_diff(first) } else { 0 })
    }
}

/// The value of a parameter that is a whole number.
pub(super) fn whole(
    parameters: &Parameters,
    name: &str,
    usual: usize,
    range: std::ops::RangeInclusive<usize>,
) -> Result<usize> {
    let value = parameters.number::<usize>(name)?.unwrap_or(usual);
    if range.contains(&value) {
        return Ok(value);
    }
    Err(Error::caller(format!("the parameter {name} is out of range"))
        .expected(format!("{} to {}", range.start(), range.end()))
        .found(value))
}

/// The value of a parameter that is a duration above 0, in µs.
pub(super) fn duration(parameters: &Parameters, name: &str, usual: i64) -> Result<i64> {
    let value = parameters.duration(name)?.unwrap_or(usual);
    if value > 0 {
        return Ok(value);
    }
    Err(Error::caller(format!("the parameter {name} must be longer than 0"))
        .expected("a duration such as 10ms")
        .found(format!("{value} µs")))
}

/// Most bins into which a window is divided.
pub(super) const MOST_BINS: usize = 1024;

/// Which of `bins` even parts of a stretch an event is in: `⌊bins · (t − first) / length⌋`, at most the
/// last. Times before the first are in the first bin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bins {
    bins: u64,
    first: i64,
    length: u64,
}

impl Bins {
    pub fn new(bins: usize, (first, length): (i64, u64)) -> Self {
        Self { bins: bins as u64, first, length }
    }

    pub fn of(self, t: i64) -> usize {
        let offset = if t > self.first { t.abs_diff(self.first) } else { 0 };
        if offset >= self.length {
            return if self.length == 0 { 0 } else { self.bins as usize - 1 };
        }
        let bin = match offset.checked_mul(self.bins) {
            Some(product) => product / self.length,
            None => (u128::from(offset) * u128::from(self.bins) / u128::from(self.length)) as u64,
        };
        bin as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_divide_a_stretch_evenly() {
        let bins = Bins::new(4, (100, 10));
        let of: Vec<_> = [90, 100, 102, 103, 105, 107, 108, 110, 999].map(|t| bins.of(t)).into();
        assert_eq!(of, [0, 0, 0, 1, 2, 2, 3, 3, 3]);
        assert_eq!(Bins::new(4, (100, 0)).of(100), 0);
        assert_eq!(Bins::new(1024, (i64::MIN, u64::MAX)).of(0), 512);
    }
}
