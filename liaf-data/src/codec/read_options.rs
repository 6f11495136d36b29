//! Options for reading a recording.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{ColumnMap, Format, TimeUnit};
use crate::error::Error;
use crate::io::MapChoice;
use crate::limits::Limits;
use crate::model::SensorSize;
use crate::names::names;

/// Which coordinates, polarities and events a reader returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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

/// Whose interpretation of AEDAT 1.0 and 2.0 addresses the canonical coordinates follow. The tools
/// disagree about the DVS128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aedat2Reading {
    /// As jAER, which wrote the files: x is mirrored, bit 0 = 0 means ON, and words with bit 15 set
    /// are not pixels.
    #[default]
    Jaer,
    /// As tonic: x and y are exchanged, nothing is mirrored, bit 0 = 1 means ON, and every word is
    /// a pixel.
    Tonic,
    /// As SpikingJelly: x and y are exchanged and both mirrored, bit 0 = 0 means ON, and every word
    /// is a pixel.
    SpikingJelly,
}

names!(
    Aedat2Reading,
    "unknown reading of AEDAT 2.0",
    Jaer = "jaer",
    Tonic = "tonic",
    SpikingJelly = "spikingjelly",
);

/// The order of the two 32-bit halves of an EVT 2.1 word in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Evt21Order {
    /// One little-endian word of 64 bits, so that the mask comes first.
    #[default]
    Little,
    /// Two little-endian halves: first the type, time, column and row, then the mask.
    Legacy,
}

names!(Evt21Order, "unknown order of the words of EVT 2.1", Little = "little", Legacy = "legacy",);

/// What an event at y = 240 means in ATIS files that use 5 bytes per event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AtisOverflow {
    /// As tonic reads it: it is not an event, but adds 2¹³ µs to its own time and to all later
    /// ones.
    #[default]
    Tonic,
    /// As the first readers of N-MNIST read it: an ordinary event.
    Ignore,
}

names!(AtisOverflow, "unknown meaning of an ATIS overflow", Tonic = "tonic", Ignore = "ignore",);

/// What is subtracted from the times of EVT files. The tools disagree about this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeShift {
    /// Nothing: the times are those of the camera, as in faery, expelliarmus and evt3.
    #[default]
    None,
    /// The first `TIME_HIGH` (in EVT 3.0, the value before it), so that times start close to 0.
    /// This is what OpenEB does unless told otherwise.
    OpenEb,
}

names!(TimeShift, "unknown shift of times", None = "none", OpenEb = "openeb");

/// What to do if the clock of an AEDAT 1.0 or 2.0 file restarts. The clock counts as restarted
/// where a time below 1 s follows one that is more than 1 s later, and the step is not a wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClockReset {
    /// Nothing: times step back, and the steps are counted.
    #[default]
    Keep,
    /// Time continues from the time of the event before.
    Rebase,
    /// Reading ends with an error.
    Error,
}

names!(
    ClockReset,
    "unknown choice for a clock that restarts",
    Keep = "keep",
    Rebase = "rebase",
    Error = "error",
);

/// The measurement ranges that the inertial sensors were set to. AEDAT 2.0 files do not store them.
///
/// The defaults are those of jAER: ±4 g and ±500 °/s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImuRanges {
    /// The largest acceleration in g.
    pub acceleration: f32,
    /// The largest rate of rotation in °/s.
    pub rotation: f32,
}

impl Default for ImuRanges {
    fn default() -> Self {
        Self { acceleration: 4.0, rotation: 500.0 }
    }
}

impl FromStr for ImuRanges {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let number = |part: &str| part.trim().parse().ok().filter(|&range: &f32| range > 0.0);
        let ranges = text.split_once(',').and_then(|(g, dps)| number(g).zip(number(dps)));
        let ranges = ranges.filter(|(g, dps)| g.is_finite() && dps.is_finite());
        ranges.map(|(acceleration, rotation)| Self { acceleration, rotation }).ok_or_else(|| {
            Error::caller("not the ranges of inertial sensors")
                .expected("g and °/s, as in 8,1000")
                .found(text)
        })
    }
}

impl fmt::Display for ImuRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "±{} g and ±{} °/s", self.acceleration, self.rotation)
    }
}

/// The choice of a stream in a recording that has several.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        Ok(text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Id))
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

/// Options for reading a recording. The default is safe for any file from any source.
///
/// ```
/// use liaf_data::ReadOptions;
/// let options = ReadOptions { strict: true, ..ReadOptions::default() };
/// ```
#[derive(Debug, Clone, Default)]
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
    pub map: MapChoice,
    /// Offset at which the data starts, for a file with a misleading header.
    pub data_offset: Option<u64>,
    /// Whose interpretation of AEDAT 1.0 and 2.0 addresses to follow.
    pub aedat2: Aedat2Reading,
    /// The order of the halves of a word in EVT 2.1 files. `None` takes the order that the header
    /// names, or else the order that the camera named in the header uses.
    pub evt21_order: Option<Evt21Order>,
    /// What an event at y = 240 means in ATIS files that use 5 bytes per event.
    pub atis_overflow: AtisOverflow,
    /// What is subtracted from the times of EVT files. Decoders that are given bytes instead of a
    /// file ignore it.
    pub time_shift: TimeShift,
    /// What to do if the clock of an AEDAT 1.0 or 2.0 file restarts.
    pub clock_reset: ClockReset,
    /// The measurement ranges of the inertial sensors of an AEDAT 2.0 file.
    pub imu_ranges: Option<ImuRanges>,
    /// Keep the events that AEDAT 3 marks as invalid. Filters mark noise in this way.
    pub keep_invalid: bool,
    /// Which columns or arrays hold t, x, y and p, for formats that do not define this themselves.
    pub columns: Option<ColumnMap>,
    /// The unit of times in a file that does not say it. Without this option the unit is guessed,
    /// and the guess is reported.
    pub time_unit: Option<TimeUnit>,
    /// Add the `t_offset` of an HDF5 file to its times. The result is on the clock of the images.
    pub t_offset: bool,
    /// A program that reads HDF5 files in a process of its own, started as
    /// `PROGRAM read-hdf5 OPTIONS FILE` (see `hdf5_worker`). A crash of the HDF5 library is then
    /// reported as an error. Without this option the files are read in this process, which should
    /// be done only with files that can be trusted.
    pub hdf5_program: Option<PathBuf>,
    /// Number of bytes of the file that are decoded at a time. The result does not depend on it;
    /// the default is chosen to suit the format.
    pub step: Option<NonZeroUsize>,
}
