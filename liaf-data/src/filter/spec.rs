//! The trait of filters, the table of all filters, and a filter with its parameters.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::background_activity::BACKGROUND_ACTIVITY;
use super::decimate::{DECIMATE, SCALE_TIME};
use super::drop::{DROP, DROP_AREA, DROP_TIME};
use super::geometry::{DOWNSAMPLE, FLIP_POLARITY, FLIP_X, FLIP_Y, TRANSPOSE};
use super::jitter::JITTER;
use super::mask::MASK;
use super::refractory::REFRACTORY;
use super::time_reversal::TIME_REVERSAL;
use super::undistort::UNDISTORT;
use crate::error::{Error, Result};
use crate::model::{EventBatch, Parameters, SensorSize};
use crate::names::one_of;

/// All filters, by name.
pub static FILTERS: &[&FilterKind] = &[
    &REFRACTORY,
    &BACKGROUND_ACTIVITY,
    &MASK,
    &DECIMATE,
    &DOWNSAMPLE,
    &SCALE_TIME,
    &TIME_REVERSAL,
    &FLIP_X,
    &FLIP_Y,
    &FLIP_POLARITY,
    &TRANSPOSE,
    &UNDISTORT,
    &DROP,
    &DROP_AREA,
    &DROP_TIME,
    &JITTER,
];

/// The sensor with which parameters are checked: small, and of no camera.
pub(super) const CHECKED: SensorSize = SensorSize::new(u16::MAX, 1);

/// Removes events of a recording, or changes them.
pub trait Filter: fmt::Debug + Send {
    /// Removes events from the next events of the recording, which arrive in file order, or changes
    /// them. The result must not depend on how the events are cut into batches.
    fn apply(&mut self, events: &mut EventBatch);

    /// Appends the events to `events` that the filter has held back, once the recording has ended.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if it would have had to hold back more of them than
    /// it may.
    fn finish(&mut self, _events: &mut EventBatch) -> Result<()> {
        Ok(())
    }

    /// The size of the sensor as later stages see it, for filters that change coordinates.
    fn sensor(&self, before: SensorSize) -> SensorSize {
        before
    }
}

/// The parameters that are paths of files.
const FILE_PARAMETERS: [&str; 2] = ["file", "map"];

/// A kind of filter: a row of [`FILTERS`].
pub struct FilterKind {
    /// The name by which users choose it.
    pub name: &'static str,
    /// Whether it moves events to other pixels or times, so that what is known about places and times, such as
    /// boxes around objects, no longer applies.
    pub moves: bool,
    /// What the filter does, in one line.
    pub about: &'static str,
    /// The names of the parameters.
    pub parameters: &'static [&'static str],
    /// Makes a filter with these parameters for events of a sensor of this size. The names of the
    /// parameters have already been checked.
    pub make: fn(&Parameters, SensorSize) -> Result<Box<dyn Filter>>,
}

impl FilterKind {
    /// The filter with this name in [`FILTERS`].
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller), with all names, if there is no such filter.
    pub fn named(name: &str) -> Result<&'static Self> {
        FILTERS.iter().copied().find(|kind| kind.name == name).ok_or_else(|| {
            let names: Vec<_> = FILTERS.iter().map(|kind| kind.name).collect();
            Error::caller("unknown filter").expected(one_of(&names)).found(name)
        })
    }
}

impl fmt::Debug for FilterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A filter and its parameters: an item of a [`Selection`](super::Selection).
///
/// ```
/// use liaf_data::filter::FilterSpec;
/// let filter: FilterSpec = "refractory:period=1ms".parse()?;
/// assert_eq!(filter.to_string(), "refractory:period=1ms");
/// assert!("refractory:colour=red".parse::<FilterSpec>().is_err());
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct FilterSpec {
    kind: &'static FilterKind,
    parameters: Parameters,
}

impl FilterSpec {
    /// A filter of this kind. Its parameters are checked by [`make`](Self::make).
    pub fn new(kind: &'static FilterKind, parameters: Parameters) -> Self {
        Self { kind, parameters }
    }

    /// The name of the filter.
    pub fn name(&self) -> &'static str {
        self.kind.name
    }

    /// Whether it moves events to other pixels or times.
    pub fn moves(&self) -> bool {
        self.kind.moves
    }

    /// Its parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The files that it reads.
    pub fn files(&self) -> impl Iterator<Item = PathBuf> + '_ {
        FILE_PARAMETERS.iter().filter_map(|name| self.parameters.get(name)).map(PathBuf::from)
    }

    /// Makes the filter for events of a sensor of this size.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the parameters are not valid.
    pub fn make(&self, sensor: SensorSize) -> Result<Box<dyn Filter>> {
        let of = format!("the filter {}", self.kind.name);
        self.parameters.check_names(&of, self.kind.parameters)?;
        (self.kind.make)(&self.parameters, sensor)
    }
}

impl PartialEq for FilterSpec {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.parameters == other.parameters
    }
}

impl FromStr for FilterSpec {
    type Err = Error;

    /// Parses `name` or `name:parameter=value,parameter=value`.
    fn from_str(text: &str) -> Result<Self> {
        let (name, parameters) = Parameters::after_name(text)?;
        let spec = Self::new(FilterKind::named(name.trim())?, parameters);
        spec.make(CHECKED)?;
        Ok(spec)
    }
}

impl fmt::Display for FilterSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.parameters.is_empty() { "" } else { ":" };
        write!(f, "{}{separator}{}", self.name(), self.parameters)
    }
}

/// A filter as files store it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    name: String,
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    parameters: Parameters,
}

impl From<FilterSpec> for Stored {
    fn from(spec: FilterSpec) -> Self {
        Self { name: spec.name().into(), parameters: spec.parameters }
    }
}

impl TryFrom<Stored> for FilterSpec {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self> {
        let kind = FilterKind::named(&stored.name)?;
        Ok(Self { kind, parameters: stored.parameters })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_read_what_they_store() {
        let spec: FilterSpec = "refractory:period=2ms".parse().unwrap();
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(text, r#"{"name":"refractory","parameters":{"period":"2ms"}}"#);
        assert_eq!(serde_json::from_str::<FilterSpec>(&text).unwrap(), spec);
        assert!(serde_json::from_str::<FilterSpec>(r#"{"name":"other"}"#).is_err());
    }

    #[test]
    fn unknown_filters_and_parameters_are_refused_by_name() {
        let error = "other".parse::<FilterSpec>().unwrap_err().to_string();
        assert!(error.starts_with("unknown filter: expected refractory"), "{error}");
        assert_eq!(
            "refractory:span=1ms".parse::<FilterSpec>().unwrap_err().to_string(),
            "the filter refractory has no parameter with this name: expected period, found span"
        );
    }
}
