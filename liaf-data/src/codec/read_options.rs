//! Options for reading a recording.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    Aedat2Reading, AedatOptions, AtisOptions, AtisOverflow, ClockReset, ColumnMap, ColumnOptions,
    Evt21Order, EvtOptions, Format, ImuRanges, PolarityValues, TimeShift, TimeUnit,
};
use crate::error::Error;
use crate::io::MapChoice;
use crate::limits::Limits;
use crate::model::SensorSize;
use crate::names::names;

/// Which coordinates, polarities and events a reader returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Coords {
    /// x counts from the left and y from the top, p = 1 means ON, and only events on the sensor are
    /// returned.
    #[default]
    Canonical,
    /// Everything as stored: no axis is flipped, the polarity bit is kept as it is, and events
    /// outside the sensor are kept.
    Raw,
}

names!(Coords, "unknown coordinates", Canonical = "canonical", Raw = "raw");

/// The choice of a stream in a recording that has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StreamChoice {
    /// The stream with this number.
    Id(i32),
    /// The stream with this name.
    Name(String),
    /// All streams of events in one pass, if the format can do that; otherwise as if no stream was
    /// chosen. See [`Recording::all_events`](crate::Recording::all_events).
    AllEvents,
}

impl FromStr for StreamChoice {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.into())
    }
}

impl fmt::Display for StreamChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => name.fmt(f),
            Self::AllEvents => f.write_str("all events"),
        }
    }
}

impl From<i32> for StreamChoice {
    fn from(id: i32) -> Self {
        Self::Id(id)
    }
}

/// The number or the name of a stream, as it is parsed.
impl From<&str> for StreamChoice {
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Id)
    }
}

/// Options for reading a recording. The default is safe for any file from any source.
///
/// ```
/// use liaf_data::ReadOptions;
/// let options = ReadOptions::new().sensor(346, 260).strict(true);
/// assert_eq!(options, ReadOptions { strict: true, ..ReadOptions::new().sensor(346, 260) });
/// ```
///
/// Options can be kept in a file of settings. What is missing there has its default; a name that
/// does not exist is an error. [`map`](Self::map) is not kept: it is the business of the program that
/// reads, not of its settings.
///
/// ```
/// use liaf_data::ReadOptions;
/// use liaf_data::options::Aedat2Reading;
/// let text = r#"{"sensor": [346, 260], "aedat": {"reading": "tonic"}}"#;
/// let options: ReadOptions = serde_json::from_str(text)?;
/// assert_eq!(options, ReadOptions::new().sensor(346, 260).aedat_reading(Aedat2Reading::Tonic));
/// assert!(serde_json::from_str::<ReadOptions>(r#"{"sensors": [346, 260]}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadOptions {
    /// The format. It is needed only where nothing in the file tells it: for a recording without a
    /// header that comes from a pipe or has an unusual name.
    pub format: Option<&'static Format>,
    /// The stream to read. It is needed only if there are several streams of events, or to read a
    /// stream of something other than events.
    pub stream: Option<StreamChoice>,
    /// Whether coordinates are canonical or as stored.
    pub coords: Coords,
    /// Stop at the first violation of the format, instead of keeping every event that is complete.
    pub strict: bool,
    /// Size of the sensor; takes precedence over the size in the file.
    pub sensor: Option<SensorSize>,
    /// Limits on what a file may ask for.
    pub limits: Limits,
    /// Whether to decode on the threads of the current rayon pool. The result does not depend on
    /// it.
    pub parallel: bool,
    /// Whether files are memory-mapped.
    #[serde(skip)]
    pub map: MapChoice,
    /// Offset at which the data starts, for a file with a misleading header.
    pub data_offset: Option<u64>,
    /// Options for AEDAT files.
    pub aedat: AedatOptions,
    /// Options for EVT files.
    pub evt: EvtOptions,
    /// Options for ATIS `.bin` files.
    pub atis: AtisOptions,
    /// Options for formats that do not define their columns themselves.
    pub columns: ColumnOptions,
    /// Number of bytes of the file that are decoded at a time. The result does not depend on it;
    /// the default is chosen to suit the format.
    pub step: Option<NonZeroUsize>,
}

/// Each option by a method of its name, to be chained.
impl ReadOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// States the format.
    #[must_use]
    pub fn format(mut self, format: &'static Format) -> Self {
        self.format = Some(format);
        self
    }

    /// Chooses a stream by its number or name, as in `.stream(1)` or `.stream("imu")`.
    #[must_use]
    pub fn stream(mut self, stream: impl Into<StreamChoice>) -> Self {
        self.stream = Some(stream.into());
        self
    }

    /// Chooses canonical coordinates or those that are stored.
    #[must_use]
    pub fn coords(mut self, coords: Coords) -> Self {
        self.coords = coords;
        self
    }

    /// Whether to stop at the first violation of the format.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// States the size of the sensor.
    #[must_use]
    pub fn sensor(mut self, width: u16, height: u16) -> Self {
        self.sensor = Some(SensorSize::new(width, height));
        self
    }

    /// Sets the limits on what a file may ask for.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether to decode on the threads of the current rayon pool.
    #[must_use]
    pub fn parallel(mut self, parallel: bool) -> Self {
        self.parallel = parallel;
        self
    }

    /// Whether files are memory-mapped.
    #[must_use]
    pub fn map(mut self, map: MapChoice) -> Self {
        self.map = map;
        self
    }

    /// Sets the offset at which the data starts.
    #[must_use]
    pub fn data_offset(mut self, offset: u64) -> Self {
        self.data_offset = Some(offset);
        self
    }

    /// Chooses whose interpretation of AEDAT 1.0 and 2.0 addresses to follow.
    #[must_use]
    pub fn aedat_reading(mut self, reading: Aedat2Reading) -> Self {
        self.aedat.reading = reading;
        self
    }

    /// Chooses what to do if the clock of an AEDAT 1.0 or 2.0 file restarts.
    #[must_use]
    pub fn clock_reset(mut self, answer: ClockReset) -> Self {
        self.aedat.clock_reset = answer;
        self
    }

    /// States the ranges of the inertial sensors of an AEDAT 2.0 file, in g and °/s.
    #[must_use]
    pub fn imu_ranges(mut self, acceleration: f32, rotation: f32) -> Self {
        self.aedat.imu_ranges = Some(ImuRanges { acceleration, rotation });
        self
    }

    /// Whether to keep the events that AEDAT 3 marks as invalid.
    #[must_use]
    pub fn keep_invalid(mut self, keep: bool) -> Self {
        self.aedat.keep_invalid = keep;
        self
    }

    /// States the order of the halves of a word in EVT 2.1 files.
    #[must_use]
    pub fn evt21_order(mut self, order: Evt21Order) -> Self {
        self.evt.order = Some(order);
        self
    }

    /// Chooses what is subtracted from the times of EVT files.
    #[must_use]
    pub fn time_shift(mut self, shift: TimeShift) -> Self {
        self.evt.time_shift = shift;
        self
    }

    /// Chooses what an event at y = 240 means in ATIS `.bin` files.
    #[must_use]
    pub fn atis_overflow(mut self, meaning: AtisOverflow) -> Self {
        self.atis.overflow = meaning;
        self
    }

    /// States which columns or arrays hold t, x, y and p.
    #[must_use]
    pub fn column_map(mut self, map: ColumnMap) -> Self {
        self.columns.map = Some(map);
        self
    }

    /// States the unit of times in a file that does not say it.
    #[must_use]
    pub fn time_unit(mut self, unit: TimeUnit) -> Self {
        self.columns.time_unit = Some(unit);
        self
    }

    /// Whether to add the `t_offset` of an HDF5 file to its times.
    #[must_use]
    pub fn t_offset(mut self, add: bool) -> Self {
        self.columns.t_offset = add;
        self
    }

    /// States the numbers that mean OFF and ON.
    #[must_use]
    pub fn polarity_values(mut self, off: i64, on: i64) -> Self {
        self.columns.polarity = Some(PolarityValues { off, on });
        self
    }

    /// Whether to round x and y to the nearest pixel.
    #[must_use]
    pub fn round(mut self, round: bool) -> Self {
        self.columns.round = round;
        self
    }

    /// Multiplies x and y by a factor before they are rounded to the nearest pixel.
    #[must_use]
    pub fn scale(mut self, factor: f64) -> Self {
        self.columns.scale = Some(factor);
        self
    }

    /// Sets the number of bytes of the file that are decoded at a time.
    #[must_use]
    pub fn step(mut self, bytes: NonZeroUsize) -> Self {
        self.step = Some(bytes);
        self
    }
}
