//! What a user can do about an error or a note, without the words of any interface.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What the user can do about an [`Error`](crate::Error) or a [`Note`](crate::model::Note).
///
/// A hint names the setting that helps, but not how an interface spells it. [`Display`](fmt::Display)
/// words it for users of this library; a program, a Python module or a window words it in its own
/// terms, as the program `liaf` does with its options:
///
/// ```
/// use liaf_data::{Error, Hint};
/// fn as_option(hint: &Hint) -> Option<String> {
///     Some(match hint {
///         Hint::StateSensor => "state it with --sensor WxH".into(),
///         other => other.to_string(),
///     })
/// }
/// let error = Error::caller("the size of the sensor is not known").hint(Hint::StateSensor);
/// assert_eq!(
///     error.to_string(),
///     "the size of the sensor is not known (state the sensor's size in the read options)"
/// );
/// assert_eq!(
///     error.message(as_option),
///     "the size of the sensor is not known (state it with --sensor WxH)"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hint {
    /// Advice in words, if no setting helps.
    Text(String),
    /// State the format of the recording, which can be any of these.
    StateFormat {
        /// Names of formats.
        names: Vec<String>,
    },
    /// State the size of the sensor.
    StateSensor,
    /// Choose one of these streams.
    ChooseStream {
        /// Names or numbers of streams.
        names: Vec<String>,
    },
    /// Write the measurements of the stream, instead of reading the stream as events.
    WriteMeasurements,
    /// State which column or array holds what.
    NameColumns {
        /// A column map that can be parsed, with placeholders in capitals.
        example: String,
    },
    /// State which numbers mean OFF and ON.
    StatePolarity,
    /// State the unit of times.
    StateTimeUnit,
    /// Round pixels with a fraction to the nearest pixel.
    RoundPixels,
    /// Follow this tool's interpretation of AEDAT 1.0 and 2.0 addresses.
    ChooseReading {
        /// The tool.
        name: String,
    },
    /// State what to do where the clock of the camera restarts, so that reading continues there.
    KeepReadingAtClockReset,
    /// State the ranges of the inertial sensors.
    StateImuRanges,
    /// State the order of the halves of a word of EVT 2.1.
    StateWordOrder,
    /// Read coordinates as they are stored.
    RawCoords,
    /// Build an index of the recording.
    BuildIndex,
    /// Replace the output that exists.
    Overwrite,
    /// Continue the training run that is in the folder.
    ContinueRun,
    /// Subtract the earliest time, so that time begins at 0.
    ZeroTime,
    /// Keep times modulo the range that the kind of file can store.
    WrapTimes {
        /// The modulus in µs.
        modulus: u64,
    },
    /// Choose a shorter interval of time.
    ShorterStretch,
    /// Choose a part of the sensor.
    Crop,
    /// Order events by time.
    Sort,
    /// Choose longer windows for frames.
    LongerWindows,
    /// Choose shorter windows.
    ShorterWindows,
    /// Make smaller frames: choose a smaller size, a part of the sensor, or a smaller cell type.
    SmallerFrames,
    /// Choose a smaller overlap of windows.
    SmallerOverlap,
    /// State times on the clock of the recording, not relative to its first event.
    ClockTimes,
    /// Raise one of the [`Limits`](crate::Limits).
    RaiseLimit {
        /// Name of the field.
        limit: String,
        /// A value that is certain to be enough, if one is known.
        to: Option<u64>,
    },
    /// Give each event that is earlier than the event before it the time of that event.
    ClampTimes,
    /// Build the crate with this feature.
    EnableFeature {
        /// Name of the feature.
        name: String,
    },
}

impl Hint {
    /// The hint to raise the field `limit` of [`Limits`](crate::Limits), to a value that is enough if one is known.
    pub(crate) fn raise(limit: &str, to: impl Into<Option<u64>>) -> Self {
        Self::RaiseLimit { limit: limit.into(), to: to.into() }
    }

    /// One hint of each kind, for the tests of a program that words hints itself.
    pub fn examples() -> Vec<Self> {
        let mut hints = vec![Self::Text("name a file".into())];
        while let Some(next) = hints.last().and_then(Self::next_example) {
            hints.push(next);
        }
        hints
    }

    /// An example of the kind after this one. The match is complete, so that a new kind must be added
    /// here.
    fn next_example(&self) -> Option<Self> {
        let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
        Some(match self {
            Self::Text(_) => Self::StateFormat { names: names(["AEDAT 1.0", "ATIS bin"]) },
            Self::StateFormat { .. } => Self::StateSensor,
            Self::StateSensor => Self::ChooseStream { names: names(["0", "1"]) },
            Self::ChooseStream { .. } => Self::WriteMeasurements,
            Self::WriteMeasurements => Self::NameColumns { example: "t,x,y,p".into() },
            Self::NameColumns { .. } => Self::StatePolarity,
            Self::StatePolarity => Self::StateTimeUnit,
            Self::StateTimeUnit => Self::RoundPixels,
            Self::RoundPixels => Self::ChooseReading { name: "jaer".into() },
            Self::ChooseReading { .. } => Self::KeepReadingAtClockReset,
            Self::KeepReadingAtClockReset => Self::StateImuRanges,
            Self::StateImuRanges => Self::StateWordOrder,
            Self::StateWordOrder => Self::RawCoords,
            Self::RawCoords => Self::BuildIndex,
            Self::BuildIndex => Self::Overwrite,
            Self::Overwrite => Self::ContinueRun,
            Self::ContinueRun => Self::ZeroTime,
            Self::ZeroTime => Self::WrapTimes { modulus: 1 << 24 },
            Self::WrapTimes { .. } => Self::ShorterStretch,
            Self::ShorterStretch => Self::Crop,
            Self::Crop => Self::Sort,
            Self::Sort => Self::LongerWindows,
            Self::LongerWindows => Self::ShorterWindows,
            Self::ShorterWindows => Self::SmallerFrames,
            Self::SmallerFrames => Self::SmallerOverlap,
            Self::SmallerOverlap => Self::ClockTimes,
            Self::ClockTimes => Self::raise("frames", 2_000_000),
            Self::RaiseLimit { .. } => Self::ClampTimes,
            Self::ClampTimes => Self::EnableFeature { name: "hdf5".into() },
            Self::EnableFeature { .. } => return None,
        })
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::StateFormat { names } => {
                write!(f, "state the format in the read options: {}", names.join(" or "))
            }
            Self::StateSensor => f.write_str("state the sensor's size in the read options"),
            Self::ChooseStream { names } if names.is_empty() => {
                f.write_str("choose another stream in the read options")
            }
            Self::ChooseStream { names } => {
                write!(f, "choose the stream in the read options: {}", names.join(" or "))
            }
            Self::WriteMeasurements => {
                f.write_str("read its measurements, or write them as .csv or images")
            }
            Self::NameColumns { example } => {
                write!(f, "name the columns in the read options, as in {example}")?;
                f.write_str(skip_of(example))
            }
            Self::StatePolarity => {
                f.write_str("state the values of OFF and ON in the read options")
            }
            Self::StateTimeUnit => f.write_str("state the unit of times in the read options"),
            Self::RoundPixels => f.write_str("round pixels in the read options"),
            Self::ChooseReading { name } => write!(f, "choose the reading {name}"),
            Self::KeepReadingAtClockReset => f.write_str(
                "choose the clock reset keep or rebase in the read options to continue reading",
            ),
            Self::StateImuRanges => {
                f.write_str("state the ranges of the inertial sensors in the read options")
            }
            Self::StateWordOrder => {
                f.write_str("state the order little or legacy in the read options")
            }
            Self::RawCoords => f.write_str("read raw coordinates"),
            Self::BuildIndex => {
                f.write_str("build an index of the recording, which finds all of them")
            }
            Self::Overwrite => {
                f.write_str("allow overwriting with `overwrite` in the write options")
            }
            Self::ContinueRun => f.write_str("resume the run"),
            Self::ZeroTime => f.write_str("let time begin at 0 with the time policy"),
            Self::WrapTimes { modulus } => {
                write!(f, "keep times modulo {modulus} µs with the time policy")
            }
            Self::ShorterStretch => f.write_str("choose a shorter interval of time"),
            Self::Crop => f.write_str("choose a part of the sensor"),
            Self::Sort => f.write_str("sort the events with the time policy or the frame options"),
            Self::LongerWindows => f.write_str("choose longer windows"),
            Self::ShorterWindows => f.write_str("choose shorter windows"),
            Self::SmallerFrames => {
                f.write_str("choose a smaller size, a crop or a smaller cell type")
            }
            Self::SmallerOverlap => f.write_str("choose a smaller overlap"),
            Self::ClockTimes => {
                f.write_str("use times of the recording's clock (`TimePoint::Absolute`)")
            }
            Self::RaiseLimit { limit, to: Some(to) } => {
                write!(f, "raise the limit `{limit}` to {to}")
            }
            Self::RaiseLimit { limit, to: None } => write!(f, "raise the limit `{limit}`"),
            Self::ClampTimes => {
                f.write_str("give late events the time of the event before with the time policy")
            }
            Self::EnableFeature { name } => write!(f, "build it with the feature `{name}`"),
        }
    }
}

/// An explanation to add to an example that lists columns by their order.
fn skip_of(example: &str) -> &'static str {
    if example.contains('=') { "" } else { ", where _ is a column to skip" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hint_has_words_of_its_own_and_survives_a_process() {
        let hints = Hint::examples();
        assert!(hints.len() >= 27);
        let mut texts: Vec<_> = hints.iter().map(Hint::to_string).collect();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), hints.len());
        for hint in hints {
            let json = serde_json::to_string(&hint).unwrap();
            assert_eq!(serde_json::from_str::<Hint>(&json).unwrap(), hint);
        }
    }
}
