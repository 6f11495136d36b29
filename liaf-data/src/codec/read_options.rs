//! How a recording is to be read.

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

/// Which coordinates, polarities and events a reader gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Coords {
    /// x from the left, y from the top, p 1 = ON, only pixels of the sensor.
    #[default]
    Canonical,
    /// As stored: nothing flipped, polarity bit as it is, nothing left out for its place.
    Raw,
}

names!(Coords, "unknown coordinates", Canonical = "canonical", Raw = "raw");

/// Whose reading of AEDAT 1.0 and 2.0 addresses canonical events follow. The tools disagree for DVS128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aedat2Reading {
    /// jAER, which wrote the files: x mirrored, ON is bit 0 = 0, words with bit 15 are not pixels.
    #[default]
    Jaer,
    /// tonic: x and y exchanged, nothing mirrored, ON is bit 0 = 1, every word is a pixel.
    Tonic,
    /// SpikingJelly: x and y exchanged and both mirrored, ON is bit 0 = 0, every word is a pixel.
    SpikingJelly,
}

names!(
    Aedat2Reading,
    "unknown reading of AEDAT 2.0",
    Jaer = "jaer",
    Tonic = "tonic",
    SpikingJelly = "spikingjelly",
);

/// How the halves of a word lie in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Evt21Order {
    /// One little-endian word of 64 bits: the mask first.
    #[default]
    Little,
    /// Two little-endian halves: kind, time, column and row first, then the mask.
    Legacy,
}

names!(Evt21Order, "unknown order of the words of EVT 2.1", Little = "little", Legacy = "legacy",);

/// What an event at y = 240 means in ATIS files of 5 bytes an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AtisOverflow {
    /// As tonic reads it: no event; it adds 2¹³ µs to its time and all later ones.
    #[default]
    Tonic,
    /// An event like others, as the first readers of N-MNIST took it.
    Ignore,
}

names!(AtisOverflow, "unknown meaning of an ATIS overflow", Tonic = "tonic", Ignore = "ignore",);

/// What is taken from the times of EVT files. The tools disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeShift {
    /// Nothing: times as the camera gave them, as faery, expelliarmus and evt3 have them.
    #[default]
    None,
    /// The first `TIME_HIGH` (EVT 3.0: the one before it), as OpenEB does unless told otherwise: times
    /// begin close to 0.
    OpenEb,
}

names!(TimeShift, "unknown shift of times", None = "none", OpenEb = "openeb");

/// What is done where the clock of AEDAT 1.0 and 2.0 begins anew: where a time below 1 s follows one that
/// is more than 1 s later, and that is no wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClockReset {
    /// Nothing: times step back, and are counted.
    #[default]
    Keep,
    /// Time goes on from the one before.
    Rebase,
    /// Reading ends with an error there.
    Error,
}

names!(
    ClockReset,
    "unknown answer to a clock that begins anew",
    Keep = "keep",
    Rebase = "rebase",
    Error = "error",
);

/// The ranges that inertial sensors were set to, which AEDAT 2.0 files do not say.
///
/// The default are those of jAER: ±4 g and ±500 °/s.
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

/// One of several streams of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamChoice {
    /// By its number.
    Id(i32),
    /// By its name.
    Name(String),
    /// Every stream of events in one pass, where the format can; else as if none was chosen. See
    /// [`Recording::all_events`](crate::Recording::all_events).
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

/// How a recording is to be read. The default reads any file of any origin safely.
///
/// ```
/// use liaf_data::ReadOptions;
/// let options = ReadOptions { strict: true, ..ReadOptions::default() };
/// ```
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The format, where nothing in the file tells it: a recording without any header that comes
    /// from a pipe or has an unusual name.
    pub format: Option<&'static Format>,
    /// The stream to read; needed only where there are several event streams, or for one that is not of
    /// events.
    pub stream: Option<StreamChoice>,
    /// Canonical coordinates, or as stored.
    pub coords: Coords,
    /// Stop at the first violation of the format instead of keeping every event that is whole.
    pub strict: bool,
    /// Size of the sensor; wins over what the file says.
    pub sensor: Option<SensorSize>,
    /// What a file may ask for.
    pub limits: Limits,
    /// Decode on the threads of the current rayon pool. The result is the same either way.
    pub parallel: bool,
    /// Whether files are mapped.
    pub map: MapChoice,
    /// Where the data begins, if a header misleads.
    pub data_offset: Option<u64>,
    /// Whose reading of AEDAT 1.0 and 2.0 addresses to follow.
    pub aedat2: Aedat2Reading,
    /// How the halves of a word lie in EVT 2.1 files; `None`: as the header says, else as the camera
    /// that it names has them.
    pub evt21_order: Option<Evt21Order>,
    /// What an event at y = 240 means in ATIS files of 5 bytes an event.
    pub atis_overflow: AtisOverflow,
    /// What is taken from the times of EVT files; of files, not of decoders of bytes.
    pub time_shift: TimeShift,
    /// What is done where the clock of AEDAT 1.0 and 2.0 begins anew.
    pub clock_reset: ClockReset,
    /// The ranges of the inertial sensors of an AEDAT 2.0 file.
    pub imu_ranges: Option<ImuRanges>,
    /// Keep the events that AEDAT 3 marks as invalid, as filters do with noise.
    pub keep_invalid: bool,
    /// Which columns or arrays hold t, x, y and p, where a format leaves it open.
    pub columns: Option<ColumnMap>,
    /// The unit of times that do not say it; else it is guessed, and the guess is reported.
    pub time_unit: Option<TimeUnit>,
    /// Add the `t_offset` of an HDF5 file to its times, which puts them on the clock of the images.
    pub t_offset: bool,
    /// A program that reads HDF5 files in a process of its own, started as `PROGRAM read-hdf5 OPTIONS
    /// FILE` (see `hdf5_worker`): a crash of the HDF5 library is an error then. Without it they are read
    /// in this process, which only files that can be trusted should be.
    pub hdf5_program: Option<PathBuf>,
    /// Bytes of the file that are decoded at one time. The result is the same whatever it is; the
    /// default is what suits the format.
    pub step: Option<NonZeroUsize>,
}
