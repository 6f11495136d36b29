//! The selection of events of a recording by time and by position on the sensor.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{EventBatch, SensorSize, parse_duration};
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

impl From<Duration> for TimePoint {
    /// This long after the first event of the recording, rounded down to whole µs.
    fn from(after: Duration) -> Self {
        Self::Relative(i64::try_from(after.as_micros()).unwrap_or(i64::MAX))
    }
}

impl FromStr for TimePoint {
    type Err = Error;

    /// Parses a duration after the first event (`1.5s`), or a time in µs after `@`.
    fn from_str(text: &str) -> Result<Self> {
        match text.trim().strip_prefix('@') {
            Some(us) => us.trim().parse().map(Self::Absolute).map_err(|_| {
                Error::caller("invalid time")
                    .expected("µs after @, as in @1589163147368868")
                    .found(text)
            }),
            None => parse_duration(text).map(Self::Relative),
        }
    }
}

impl fmt::Display for TimePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relative(us) => write!(f, "{us}us"),
            Self::Absolute(us) => write!(f, "@{us}"),
        }
    }
}

impl FromStr for Crop {
    type Err = Error;

    /// Parses `x,y,w,h`.
    fn from_str(text: &str) -> Result<Self> {
        let numbers: Option<Vec<u16>> = text.split(',').map(|n| n.trim().parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[x, y, w, h]) if w > 0 && h > 0 => Ok(Self { x, y, w, h }),
            _ => Err(Error::caller("invalid rectangle")
                .expected("x,y,w,h, as in 10,20,128,128")
                .found(format!("{text:?}"))),
        }
    }
}

impl fmt::Display for Crop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.x, self.y, self.w, self.h)
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
        return Err(Error::caller("the crop is not within the sensor")
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

impl From<Range<i64>> for Times {
    fn from(Range { start, end }: Range<i64>) -> Self {
        Self::new(Some(TimePoint::Absolute(start)), Some(TimePoint::Absolute(end)), start)
    }
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

    /// Whether an event of this time is kept.
    pub fn contain(&self, t: i64) -> bool {
        t >= self.first && t <= self.last
    }

    /// Removes the events of other times, and returns their number.
    pub fn choose(&self, events: &mut EventBatch) -> u64 {
        let before = events.len();
        let kept = events.t.iter().map(|&t| usize::from(self.contain(t))).sum::<usize>();
        if kept == 0 {
            events.clear();
        } else if kept < before {
            events.retain(|event| self.contain(event.t));
        }
        (before - kept) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_crops_read_what_they_print() {
        for point in [TimePoint::Relative(1_500_000), TimePoint::Absolute(-7)] {
            assert_eq!(point.to_string().parse::<TimePoint>().unwrap(), point);
        }
        assert_eq!("1.5s".parse::<TimePoint>().unwrap(), TimePoint::Relative(1_500_000));
        for bad in ["@", "@1.5", "@1s", "5", "s"] {
            assert!(bad.parse::<TimePoint>().is_err(), "{bad}");
        }
        let crop = Crop { x: 1, y: 2, w: 3, h: 4 };
        assert_eq!(crop.to_string().parse::<Crop>().unwrap(), crop);
        for bad in ["", "1,2,3", "1,2,0,4", "1,2,3,4,5", "-1,2,3,4", "1,2,3,70000"] {
            assert!(bad.parse::<Crop>().is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_count_from_the_first_event() {
        assert_eq!(TimePoint::from(Duration::from_millis(20)), TimePoint::Relative(20_000));
        assert_eq!(TimePoint::from(Duration::MAX), TimePoint::Relative(i64::MAX));
    }
}
