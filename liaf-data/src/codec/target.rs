//! The kinds of event files that can be written. Each format lists its targets in a table.

use std::path::Path;

use super::{Capabilities, Compression, Encoder, Violation, WriteOptions};
use crate::codec::{EventSpec, EventWriter};
use crate::error::{Error, Result};
use crate::model::EventStats;

/// A kind of event file that can be written.
#[derive(Debug)]
pub struct Target {
    /// The short name, as in `aedat4`.
    pub name: &'static str,
    /// The full name, as in `AEDAT 4.0`.
    pub title: &'static str,
    /// The usual file extension, without the dot.
    pub extension: &'static str,
    /// Extensions that select this target if no target is named.
    pub claims: &'static [&'static str],
    /// The compressions of which one can be chosen, the default first; empty if there is none. A
    /// level of deflate stands for all levels.
    pub compressions: &'static [Compression],
    /// What the target can store.
    pub capabilities: Capabilities,
    /// How a file is written.
    pub(crate) make: Make,
}

/// How a file of a target is written. The options contain a compression that the target has.
#[derive(Debug)]
pub(crate) enum Make {
    /// As bytes in order, by an encoder.
    Encoder(fn(&EventSpec, &WriteOptions) -> Result<Box<dyn Encoder>>),
    /// By a writer that creates the file itself.
    Writer(fn(&Path, &EventSpec, &WriteOptions) -> Result<Box<dyn EventWriter>>),
}

impl Target {
    /// The compression that `choice` selects.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the target has no such compression.
    pub fn compression(&self, choice: Option<Compression>) -> Result<Compression> {
        let usual = self.compressions.first().copied().unwrap_or(Compression::None);
        let choice = choice.unwrap_or(usual);
        let none_at_all = self.compressions.is_empty() && choice == Compression::None;
        if none_at_all || self.compressions.iter().any(|compression| compression.is_like(choice)) {
            return Ok(choice);
        }
        let names: Vec<_> = self.compressions.iter().map(Compression::to_string).collect();
        Err(Error::caller(format!("{} does not support this compression", self.title))
            .expected(if names.is_empty() { "none".into() } else { names.join(", ") })
            .found(choice))
    }

    /// Returns an error if events cannot be stored in this target; with `wrap`, their times may be
    /// out of range.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) that says what would be lost and what would
    /// help.
    pub fn check(&self, stats: &EventStats, wrap: bool) -> Result<()> {
        let violations = self.capabilities.violations(stats, wrap);
        if violations.is_empty() {
            return Ok(());
        }
        let join = |part: fn(&Violation) -> &str| {
            violations.iter().map(part).collect::<Vec<_>>().join("; ")
        };
        let error = Error::caller(format!("{} cannot store these events", self.title))
            .expected(join(|loss| &loss.holds))
            .found(join(|loss| &loss.found));
        let hints = violations.into_iter().flat_map(|violation| violation.hints);
        Err(hints.fold(error, Error::hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packings_are_those_of_the_row() {
        let row = Target {
            name: "x",
            title: "X",
            extension: "x",
            claims: &[],
            compressions: &[Compression::Lz4, Compression::Deflate(6)],
            capabilities: Capabilities::ANYTHING,
            make: Make::Writer(|_, _, _| Err(Error::caller("not written"))),
        };
        assert_eq!(row.compression(None).unwrap(), Compression::Lz4);
        assert_eq!(
            row.compression(Some(Compression::Deflate(9))).unwrap(),
            Compression::Deflate(9)
        );
        assert!(row.compression(Some(Compression::None)).is_err());
        let plain = Target { compressions: &[], ..row };
        assert_eq!(plain.compression(None).unwrap(), Compression::None);
        assert!(plain.compression(Some(Compression::Lz4)).is_err());
    }
}
