//! What is stored of a sample: frames of a representation, or events.

use liaf::data::Result;

use crate::cmd::cells::{self, Cells};

/// The value of `--repr`.
#[derive(Debug, Clone)]
pub enum Repr {
    /// Frames with these cells.
    Cells(Cells),
    /// Events, of which frames are made when they are used.
    Events,
}

impl Repr {
    /// Parses `events`, or a representation with its parameters.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "events" => Ok(Self::Events),
            _ => Cells::parse(text).map(Self::Cells),
        }
    }
}

const EVENTS: &str =
    "; events = no frames, but the events t, x, y and p of each sample, with offsets";

/// The help of `--repr` in the short help.
pub fn about() -> String {
    cells::about() + EVENTS
}

/// The help of `--repr` with what every representation is.
pub fn about_all() -> String {
    cells::about_all() + EVENTS
}
