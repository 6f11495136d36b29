//! Which events of a recording are wanted: from when to when, and where.

use serde::{Deserialize, Serialize};

use super::SensorSize;
use crate::error::{Error, Result};

/// A rectangle of the sensor, in canonical coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crop {
    /// First column.
    pub x: u16,
    /// First row, from the top.
    pub y: u16,
    /// Columns.
    pub w: u16,
    /// Rows.
    pub h: u16,
}

/// A point in the time of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimePoint {
    /// µs after the first event of the recording, whether that event is kept or not.
    Relative(i64),
    /// µs on the recording's own clock.
    Absolute(i64),
}

impl TimePoint {
    /// In µs on the recording's own clock, whose first event is at `first`.
    pub fn on_clock(self, first: i64) -> i64 {
        match self {
            Self::Relative(us) => first.saturating_add(us),
            Self::Absolute(us) => us,
        }
    }
}

/// Refuses a stretch of time that ends before it begins.
pub(crate) fn check_stretch(from: Option<TimePoint>, to: Option<TimePoint>) -> Result<()> {
    let ordered = match (from, to) {
        (Some(TimePoint::Relative(from)), Some(TimePoint::Relative(to)))
        | (Some(TimePoint::Absolute(from)), Some(TimePoint::Absolute(to))) => from < to,
        _ => true,
    };
    if !ordered {
        return Err(Error::caller("the stretch of time ends before it begins")
            .expected("from < to")
            .found(format!("from {from:?} to {to:?}")));
    }
    Ok(())
}

/// Refuses a crop that does not lie on the sensor.
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

/// Times in µs that are kept: first and last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub first: i64,
    pub last: i64,
}

impl Times {
    /// Those with `from <= t < to`, where `first` is the time of the recording's first event.
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
