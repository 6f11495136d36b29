//! The names of the options of frames, and windows in words.

use std::fmt;

use super::{Edge, PolarityChannels, WindowRule};
use crate::error::Error;
use crate::names::names;

impl fmt::Display for WindowRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time { us, overlap: 0 } => write!(f, "{us} µs"),
            Self::Time { us, overlap } => write!(f, "{us} µs with {overlap} µs overlap"),
            Self::Count { events, overlap: 0 } => write!(f, "{events} events"),
            Self::Count { events, overlap } => {
                write!(f, "{events} events with {overlap} events overlap")
            }
            Self::Bins { n } => write!(f, "{n} bins of equal time"),
            Self::EventBins { n } => write!(f, "{n} bins of equal event count"),
        }
    }
}

names!(
    Edge,
    "unknown edge rule",
    All = "all",
    Tonic = "tonic",
    SpikingJelly = "spikingjelly",
    SpikingJelly2 = "spikingjelly2",
);
names!(PolarityChannels, "unknown choice of polarity channels", Split = "split", Merged = "merged",);
