//! The selection of events of a recording.

use std::time::Duration;

use serde::Serialize;

use super::background_activity::BACKGROUND_ACTIVITY;
use super::refractory::REFRACTORY;
use super::{Chain, FilterKind, FilterSpec};
use crate::error::Result;
use crate::model::{Crop, Parameters, Polarity, SensorSize, TimePoint};

/// Which events of a recording are kept, and how their coordinates change.
///
/// The stages are applied in the order of the fields: time, rectangle, polarity, filters.
///
/// ```
/// use liaf_data::SensorSize;
/// use liaf_data::filter::{Polarity, Selection};
/// use std::time::Duration;
///
/// let selection = Selection::default()
///     .between(Duration::from_secs(1), Duration::from_secs(2))
///     .crop(100, 50, 64, 48)
///     .polarity(Polarity::On);
/// assert_eq!(selection.check(SensorSize::new(346, 260))?, SensorSize::new(64, 48));
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Selection {
    /// Keep only events at this time or later.
    pub from: Option<TimePoint>,
    /// Keep only events before this time.
    pub to: Option<TimePoint>,
    /// Keep only events in this rectangle, whose upper left pixel becomes (0, 0).
    pub crop: Option<Crop>,
    /// Keep only events of this polarity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polarity: Option<Polarity>,
    /// Filters, in the order in which they are applied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<FilterSpec>,
}

impl Selection {
    /// Keeps only events with `from <= t < to`. A [`Duration`](std::time::Duration) counts from the
    /// first event of the recording.
    #[must_use]
    pub fn between(self, from: impl Into<TimePoint>, to: impl Into<TimePoint>) -> Self {
        Self { from: Some(from.into()), to: Some(to.into()), ..self }
    }

    /// Keeps only events in the rectangle of `w` columns and `h` rows whose upper left pixel is
    /// (`x`, `y`), which becomes (0, 0).
    #[must_use]
    pub fn crop(self, x: u16, y: u16, w: u16, h: u16) -> Self {
        Self { crop: Some(Crop { x, y, w, h }), ..self }
    }

    /// Keeps only events of this polarity.
    #[must_use]
    pub fn polarity(self, polarity: Polarity) -> Self {
        Self { polarity: Some(polarity), ..self }
    }

    /// Applies this filter after the others.
    #[must_use]
    pub fn filter(mut self, filter: FilterSpec) -> Self {
        self.filters.push(filter);
        self
    }

    /// Drops the events of a pixel that follow a kept one within this period: the filter `refractory`.
    #[must_use]
    pub fn refractory(self, period: Duration) -> Self {
        self.with_period(&REFRACTORY, period)
    }

    /// Drops events without another event at one of the 8 neighbouring pixels within this period before:
    /// the filter `background-activity`.
    #[must_use]
    pub fn background_activity(self, period: Duration) -> Self {
        self.with_period(&BACKGROUND_ACTIVITY, period)
    }

    fn with_period(self, kind: &'static FilterKind, period: Duration) -> Self {
        let period = format!("{}us", period.as_micros());
        self.filter(FilterSpec::new(kind, Parameters::new().with("period", period)))
    }

    /// The size of the sensor after all stages, which may change coordinates.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the crop is not within the sensor, if the
    /// interval of time ends before it begins, or if a filter has parameters that are not valid.
    pub fn check(&self, sensor: SensorSize) -> Result<SensorSize> {
        Ok(Chain::new(self, sensor)?.sensor())
    }
}
