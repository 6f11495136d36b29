//! The seam between events and bytes: an [`Encoder`] takes events, an [`Output`] takes bytes.

use std::path::Path;

use crate::error::{Error, Result};
use crate::io::AtomicFile;
use crate::limits::Limits;
use crate::model::{EventBatch, EventStats, SensorSize};

/// Takes the bytes of an [`Encoder`].
pub trait Output {
    /// The next bytes of the file.
    ///
    /// # Errors
    /// If they cannot be taken; that ends the encoding.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;

    /// Other bytes in the place of those from `offset` on, which have been appended before.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<()>;
}

/// Memory is the simplest output.
impl Output for Vec<u8> {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        let range = usize::try_from(offset)
            .ok()
            .and_then(|start| Some(start..start.checked_add(bytes.len())?));
        let place = range.and_then(|range| self.get_mut(range));
        let place = place.ok_or_else(|| Error::caller("a patch of what was not written yet"))?;
        place.copy_from_slice(bytes);
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

/// A state machine from events to the bytes of one format: no file, no path, no waiting.
///
/// [`start`](Self::start) comes first and once, then any number of [`push`](Self::push), then
/// [`finish`](Self::finish) once. Events may come in batches of any size, empty ones too: the same
/// events give the same bytes however they are cut, and on any number of threads. Events that the
/// target does not [hold](super::Capabilities) do not come.
pub trait Encoder: Send {
    /// Writes what stands in front of the events.
    ///
    /// # Errors
    /// Errors of the output.
    fn start(&mut self, out: &mut dyn Output) -> Result<()>;

    /// Encodes the next events. Their bytes may come later.
    ///
    /// # Errors
    /// Errors of the output.
    fn push(&mut self, events: &EventBatch, out: &mut dyn Output) -> Result<()>;

    /// Says that no more events follow: writes what is left, and patches what only now is known.
    ///
    /// # Errors
    /// Errors of the output.
    fn finish(&mut self, out: &mut dyn Output) -> Result<()>;

    /// What a reader of the file should know, in words.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What an event file is going to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSpec {
    /// Size of the sensor; every event lies on it.
    pub sensor: SensorSize,
    /// The device that the events came from, if that is known.
    pub source: Option<String>,
    /// One JSON text that says what made the file, for formats with a place for it; or empty.
    pub provenance: String,
    /// What was taken from all times, in µs, for formats with a place for it; `None`: not known.
    pub t_offset: Option<i64>,
    /// What is known of all events before the first one is written.
    pub stats: Option<EventStats>,
}

impl EventSpec {
    /// Events of a sensor of which nothing else is known.
    pub fn new(sensor: SensorSize) -> Self {
        Self { sensor, source: None, provenance: String::new(), t_offset: None, stats: None }
    }
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Number of events.
    pub events: u64,
    /// Bytes of the whole file.
    pub bytes: u64,
    /// What a reader of the file should know, in words.
    pub notes: Vec<String>,
}

/// Writes events into a file that appears whole under its name or not at all.
///
/// Dropping a writer without [`finish`](Self::finish) leaves nothing behind. The bytes of the file
/// do not depend on how the events are cut into batches, nor on the number of threads.
pub trait EventWriter: Send {
    /// Adds the next events.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) if they cannot be written,
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the file cannot hold one of them.
    fn write(&mut self, events: &EventBatch) -> Result<()>;

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// As [`write`](Self::write); the file of that name, if there was one, is then as it was.
    fn finish(self: Box<Self>) -> Result<Written>;
}

/// Refuses a file of `bytes` bytes that is larger than the limits allow.
pub(crate) fn check_size(bytes: u64, limits: &Limits, path: &Path) -> Result<()> {
    if bytes <= limits.output_bytes {
        return Ok(());
    }
    Err(Error::limit("the file becomes too large")
        .expected(format!("at most {} bytes", limits.output_bytes))
        .in_file(path))
}

/// The bytes of a file of these events.
#[cfg(test)]
pub(crate) fn bytes_of(mut encoder: impl Encoder, events: &EventBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    encoder.start(&mut bytes).unwrap();
    encoder.push(events, &mut bytes).unwrap();
    encoder.finish(&mut bytes).unwrap();
    bytes
}
