//! The polarity of an event as a type, for options that choose one.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::names::names;

/// The polarity of an event: the direction in which the brightness of its pixel changed.
///
/// In columns of events it is the number 1 for ON and 0 for OFF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Polarity {
    /// The pixel became darker.
    Off,
    /// The pixel became brighter.
    On,
}

names!(Polarity, "unknown polarity", Off = "off", On = "on");

impl From<Polarity> for u8 {
    fn from(polarity: Polarity) -> Self {
        match polarity {
            Polarity::Off => 0,
            Polarity::On => 1,
        }
    }
}
