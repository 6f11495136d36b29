//! The interface between events and bytes: an [`Encoder`] consumes events and writes bytes to an
//! [`Output`].

use std::path::Path;

use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::{AtomicFile, Destination};
use crate::limits::Limits;
use crate::model::{EventBatch, EventStats, SensorSize};

/// Receives the bytes that an [`Encoder`] writes.
pub trait Output {
    /// Appends the next bytes of the file.
    ///
    /// # Errors
    /// If the bytes cannot be written. Encoding ends then.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;

    /// Overwrites the bytes from `offset` on, which have been appended before.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<()>;
}

/// The simplest output: the bytes are kept in memory.
impl Output for Vec<u8> {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        let range = usize::try_from(offset)
            .ok()
            .and_then(|start| Some(start..start.checked_add(bytes.len())?));
        let target = range.and_then(|range| self.get_mut(range));
        let target = target
            .ok_or_else(|| Error::caller("only bytes that have been written can be overwritten"))?;
        target.copy_from_slice(bytes);
        Ok(())
    }
}

impl Output for AtomicFile {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        Self::append(self, bytes)
    }

    fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        Self::patch(self, offset, bytes)
    }
}

impl Output for Destination {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        Self::append(self, bytes)
    }

    fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        Self::patch(self, offset, bytes)
    }
}

/// An encoder of one format, as a state machine that needs no file and no path and never waits.
///
/// [`start`](Self::start) is called first and once, then [`push`](Self::push) any number of times,
/// then [`finish`](Self::finish) once. The events may be passed in batches of any size, including
/// empty ones: the same events give the same bytes no matter how they are cut and on how many
/// threads they are encoded. The caller passes only events that the target [can
/// store](super::Capabilities).
pub trait Encoder: Send {
    /// Writes what precedes the events in the file.
    ///
    /// # Errors
    /// Errors of the output.
    fn start(&mut self, out: &mut dyn Output) -> Result<()>;

    /// Encodes the next events. Their bytes may be written later.
    ///
    /// # Errors
    /// Errors of the output.
    fn push(&mut self, events: &EventBatch, out: &mut dyn Output) -> Result<()>;

    /// Ends encoding: writes what is left, and patches the values that are known only now.
    ///
    /// # Errors
    /// Errors of the output.
    fn finish(&mut self, out: &mut dyn Output) -> Result<()>;

    /// What [`finish`](Self::finish) patches, in words, so that the bytes cannot be sent before the end
    /// is known; `None` if bytes are only appended.
    fn patched(&self) -> Option<&'static str> {
        None
    }

    /// Remarks for the user about the file, in words.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A description of the event file that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSpec {
    /// Size of the sensor. Every event is within it.
    pub sensor: SensorSize,
    /// The device that recorded the events, if it is known.
    pub source: Option<String>,
    /// A JSON text that says how the file was made, for formats that can store it; may be empty.
    pub provenance: String,
    /// What was subtracted from all times, in µs, for formats that can store it; `None` if it is
    /// not known.
    pub t_offset: Option<i64>,
    /// Statistics of all events, if they are known before the first event is written.
    pub stats: Option<EventStats>,
}

impl EventSpec {
    /// A description of events of which only the sensor is known.
    pub fn new(sensor: SensorSize) -> Self {
        Self { sensor, source: None, provenance: String::new(), t_offset: None, stats: None }
    }
}

/// A summary of a file that was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Number of events.
    pub events: u64,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Remarks for the user about the file, in words.
    pub notes: Vec<String>,
}

impl Written {
    /// A file of `bytes` bytes with `events` events, and without remarks.
    pub fn new(events: u64, bytes: u64) -> Self {
        Self { events, bytes, notes: Vec::new() }
    }
}

/// Writes events into a file. The file appears under its name when it is complete, or not at all.
///
/// If a writer is dropped without [`finish`](Self::finish), no file remains. The bytes of the file
/// do not depend on how the events are cut into batches, nor on the number of threads.
pub trait EventWriter: Send {
    /// Writes the next events.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) if they cannot be written,
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the file cannot store one of them.
    fn write(&mut self, events: &EventBatch) -> Result<()>;

    /// Completes the file and moves it to its final name.
    ///
    /// # Errors
    /// As [`write`](Self::write); a file that had this name before is left unchanged.
    fn finish(self: Box<Self>) -> Result<Written>;
}

/// Returns an error if a file of `bytes` bytes is larger than the limits allow.
pub(crate) fn check_size(bytes: u64, limits: &Limits, path: &Path) -> Result<()> {
    if bytes <= limits.output_bytes {
        return Ok(());
    }
    Err(Error::limit("the file would be too large")
        .expected(format!("at most {} bytes", limits.output_bytes))
        .hint(Hint::raise("output_bytes", None))
        .in_file(path))
}

/// Encodes these events and returns the bytes of the file.
#[cfg(test)]
pub(crate) fn bytes_of(mut encoder: impl Encoder, events: &EventBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    encoder.start(&mut bytes).unwrap();
    encoder.push(events, &mut bytes).unwrap();
    encoder.finish(&mut bytes).unwrap();
    bytes
}
