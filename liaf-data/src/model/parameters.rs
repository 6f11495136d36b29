//! The parameters of filters and representations, as users write them and as files store them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::parse_duration;
use crate::error::{Error, Result};
use crate::names::one_of;

/// The parameters of a filter or a representation: values by name, which stay text until the filter
/// or representation reads them.
///
/// ```
/// use liaf_data::filter::Parameters;
/// let parameters: Parameters = "period=1ms,strength=3".parse()?;
/// assert_eq!(parameters.duration("period")?, Some(1_000));
/// assert_eq!(parameters.number::<u32>("strength")?, Some(3));
/// assert_eq!(parameters.number::<u32>("other")?, None);
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// No parameters: every value is the default.
    pub fn new() -> Self {
        Self::default()
    }

    /// These parameters and one more; a value that the name had before is replaced.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.0.insert(name.into(), value.to_string());
        self
    }

    /// Parses `name` or `name:parameter=value,parameter=value`, as users choose a filter or a
    /// representation: the name, and its parameters.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if what follows the name are not parameters.
    pub fn after_name(text: &str) -> Result<(&str, Self)> {
        let (name, parameters) = text.split_once(':').unwrap_or((text, ""));
        Ok((name, parameters.parse()?))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of this name as it was written.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of this name as a number.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if it is not a number of this type.
    pub fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>> {
        let read = |text: &str| {
            text.parse().map_err(|_| {
                let what = format!("the parameter {name} is not a valid number");
                Error::caller(what).found(text)
            })
        };
        self.get(name).map(read).transpose()
    }

    /// The value of this name as a duration in µs, written as in `500us`, `10ms` or `1.5s`.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if it is not a duration.
    pub fn duration(&self, name: &str) -> Result<Option<i64>> {
        self.get(name).map(parse_duration).transpose()
    }

    /// Refuses every name that is not in `known`. `of` is what has these parameters.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) with the names that are known.
    pub fn check_names(&self, of: &str, known: &[&str]) -> Result<()> {
        let Some(unknown) = self.0.keys().find(|name| !known.contains(&name.as_str())) else {
            return Ok(());
        };
        let expected = if known.is_empty() { "none".into() } else { one_of(known) };
        let what = format!("{of} has no parameter with this name");
        Err(Error::caller(what).expected(expected).found(unknown))
    }
}

impl FromStr for Parameters {
    type Err = Error;

    /// Parses `name=value,name=value`.
    fn from_str(text: &str) -> Result<Self> {
        let mut parameters = Self::new();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let pair = part.split_once('=').filter(|(name, _)| !name.trim().is_empty());
            let Some((name, value)) = pair else {
                return Err(Error::caller("invalid parameter").expected("name=value").found(part));
            };
            if parameters.get(name.trim()).is_some() {
                return Err(Error::caller("a parameter is given twice").found(name.trim()));
            }
            parameters = parameters.with(name.trim(), value.trim());
        }
        Ok(parameters)
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.0.iter().enumerate() {
            write!(f, "{}{name}={value}", if i > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_read_what_they_print() {
        for text in ["", "a=1", "a=1,b=2ms", "norm=b-1,tau=30ms"] {
            assert_eq!(text.parse::<Parameters>().unwrap().to_string(), text);
        }
        for bad in ["a", "=1", "a=1,a=2", "a=1,b"] {
            assert!(bad.parse::<Parameters>().is_err(), "{bad}");
        }
    }

    #[test]
    fn values_and_names_are_checked() {
        let parameters: Parameters = "period=1, n=x".parse().unwrap();
        assert!(parameters.duration("period").is_err());
        assert_eq!(
            parameters.number::<u8>("n").unwrap_err().to_string(),
            "the parameter n is not a valid number: found x"
        );
        assert_eq!(
            parameters.check_names("the filter a", &["period"]).unwrap_err().to_string(),
            "the filter a has no parameter with this name: expected period, found n"
        );
        assert!(parameters.check_names("the filter a", &["n", "period"]).is_ok());
    }
}
