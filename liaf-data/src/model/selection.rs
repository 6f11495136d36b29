//! The selection of events of a recording by time and by position on the sensor.

use serde::{Deserialize, Serialize};

use super::SensorSize;
use crate::error::{Error, Result};

/// A rectangle on the sensor, in canonical coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crop {
    /// The first column.
    pub x: u16,
    /// The first row, from the top.
    pub y: u16,
    /// Number of columns.
    pub w: u16,
    /// Number of rows.
    pub h: u16,
}

/// A point in time of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimePoint {
    /// In µs after the first event of the recording, whether that event is kept or not.
    Relative(i64),
    /// In µs on the recording's own clock.
    Absolute(i64),
}

impl TimePoint {
    /// The time in µs on the recording's own clock, if the first event is at `first`.
    pub fn on_clock(self, first: i64) -> i64 {
        match self {
            Self::Relative(us) => first.saturating_add(us),
            Self::Absolute(us) => us,
        }
    }
}

/// Returns an error if the interval of time ends before it begins.
pub(crate) fn check_stretch(from: Option<TimePoint>, to: Option<TimePoint>) -> Result<()> {
    let ordered = match (from, to) {
        (Some(TimePoint::Relative(from)), Some(TimePoint::Relative(to)))
        | (Some(TimePoint::Absolute(from)), Some(TimePoint::Absolute(to))) => from < to,
        _ => true,
    };
    match (from, to) {
        (Some(from), Some(to)) if !ordered => {
            Err(Error::caller("the interval of time ends before it starts")
                .expected("from < to")
                .found(format!("from {from} to {to}")))
        }
        _ => Ok(()),
    }
}

/// Returns an error if the crop is not within the sensor.
pub(crate) fn check_crop(crop: Crop, sensor: SensorSize) -> Result<()> {
    if sensor.pixels() == 0 {
        return Err(Error::caller("the sensor has no pixels")
            .expected("a width and height above 0")
            .found(sensor));
    }
    let inside =
        |first: u16, n: u16, of: u16| n > 0 && u32::from(first) + u32::from(n) <= of.into();
    if !inside(crop.x, crop.w, sensor.width) || !inside(crop.y, crop.h, sensor.height) {
        return Err(Error::caller("the crop does not lie on the sensor")
            .expected(format!("a rectangle within {sensor}"))
            .found(crop));
    }
    Ok(())
}

/// The times in µs that are kept: the first and the last, inclusive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub first: i64,
    pub last: i64,
}

impl Times {
    /// The times with `from <= t < to`, where `first` is the time of the recording's first event.
    pub fn new(from: Option<TimePoint>, to: Option<TimePoint>, first: i64) -> Self {
        let absolute = |point: TimePoint| point.on_clock(first);
        let from = from.map_or(i64::MIN, absolute);
        match to.map(absolute) {
            None => Self { first: from, last: i64::MAX },
            Some(i64::MIN) => Self { first: i64::MAX, last: i64::MIN },
            Some(to) => Self { first: from, last: to - 1 },
        }
    }
}
