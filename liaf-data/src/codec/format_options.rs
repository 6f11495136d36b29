//! Options for reading recordings of single formats.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{ColumnMap, PolarityValues, TimeUnit};
use crate::error::Error;
use crate::names::names;

/// Options for reading AEDAT files.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AedatOptions {
    /// Whose interpretation of AEDAT 1.0 and 2.0 addresses to follow.
    pub reading: Aedat2Reading,
    /// What to do if the clock of an AEDAT 1.0 or 2.0 file restarts.
    pub clock_reset: ClockReset,
    /// The measurement ranges of the inertial sensors of an AEDAT 2.0 file.
    pub imu_ranges: Option<ImuRanges>,
    /// Keep the events that AEDAT 3 marks as invalid. Filters mark noise in this way.
    pub keep_invalid: bool,
}

/// Options for reading EVT files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvtOptions {
    /// The order of the halves of a word in EVT 2.1 files. `None` takes the order that the header
    /// names, or else the order that the camera named in the header uses.
    pub order: Option<Evt21Order>,
    /// What is subtracted from the times of EVT files. Decoders that are given bytes instead of a
    /// file ignore it.
    pub time_shift: TimeShift,
}

/// Options for reading ATIS `.bin` files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AtisOptions {
    /// What an event at y = 240 means in files that use 5 bytes per event.
    pub overflow: AtisOverflow,
}

/// Options for reading formats that do not define their columns themselves: text tables, NumPy and
/// MATLAB arrays, HDF5.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnOptions {
    /// Which columns or arrays hold t, x, y and p.
    pub map: Option<ColumnMap>,
    /// The unit of times in a file that does not say it. Without this option the unit is guessed,
    /// and the guess is reported.
    pub time_unit: Option<TimeUnit>,
    /// Add the `t_offset` of an HDF5 file to its times. The result is on the clock of the images.
    pub t_offset: bool,
    /// The numbers that mean OFF and ON. Without this option they are decided by the set of the values
    /// in the first 65,536 rows, and what was decided is reported; a row with any other number is an
    /// error there. With it, rows with other numbers are dropped and counted.
    pub polarity: Option<PolarityValues>,
    /// Round x and y to the nearest pixel, as rectified events need it. An event that is rounded to a
    /// place outside the sensor is dropped and counted. Without this option a fraction is not a pixel.
    pub round: bool,
    /// Multiply x and y by this before they are rounded to the nearest pixel, and the size of the
    /// sensor that the file states as well.
    pub scale: Option<f64>,
}

/// Whose interpretation of AEDAT 1.0 and 2.0 addresses the canonical coordinates follow. The tools
/// disagree about the DVS128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
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
    "unknown interpretation of AEDAT 2.0",
    Jaer = "jaer",
    Tonic = "tonic",
    SpikingJelly = "spikingjelly",
);

/// The order of the two 32-bit halves of an EVT 2.1 word in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evt21Order {
    /// One little-endian word of 64 bits, so that the mask comes first.
    #[default]
    Little,
    /// Two little-endian halves: first the type, time, column and row, then the mask.
    Legacy,
}

names!(
    Evt21Order,
    "unknown order of the halves of EVT 2.1 words",
    Little = "little",
    Legacy = "legacy",
);

/// What an event at y = 240 means in ATIS files that use 5 bytes per event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AtisOverflow {
    /// As `Tonic` in a `.bin` file, and as `Ignore` in a `.bs2` file: SLAYER, whose files these are,
    /// has no overflows.
    #[default]
    Auto,
    /// As tonic reads it: it is not an event, but adds 2¹³ µs to its own time and to all later
    /// ones.
    Tonic,
    /// As the first readers of N-MNIST read it: an ordinary event.
    Ignore,
}

names!(
    AtisOverflow,
    "unknown meaning of an ATIS overflow",
    Auto = "auto",
    Tonic = "tonic",
    Ignore = "ignore",
);

/// What is subtracted from the times of EVT files. The tools disagree about this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
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
    "unknown handling of clock restarts",
    Keep = "keep",
    Rebase = "rebase",
    Error = "error",
);

/// The measurement ranges that the inertial sensors were set to. AEDAT 2.0 files do not store them.
///
/// The defaults are those of jAER: ±4 g and ±500 °/s.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
            Error::caller("invalid ranges of the inertial sensors")
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
