//! The polarity of an event, where it is a choice and not a number in a column.

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

names!(Polarity, "not a polarity", Off = "off", On = "on");

impl From<Polarity> for u8 {
    fn from(polarity: Polarity) -> Self {
        match polarity {
            Polarity::Off => 0,
            Polarity::On => 1,
        }
    }
}
