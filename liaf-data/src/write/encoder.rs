//! The seam between events and bytes: an [`Encoder`] takes events, an [`Output`] takes bytes.

use std::path::Path;

use super::{EventWriter, WriteOptions, Written, check_size};
use crate::file::AtomicFile;
use crate::{Error, EventBatch, Limits, Result};

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
/// target does not [hold](super::Holds) do not come.
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

/// The bytes of a file of these events.
#[cfg(test)]
pub(crate) fn bytes_of(mut encoder: impl Encoder, events: &EventBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    encoder.start(&mut bytes).unwrap();
    encoder.push(events, &mut bytes).unwrap();
    encoder.finish(&mut bytes).unwrap();
    bytes
}

/// An encoder over a file that appears whole or not at all.
pub(super) struct EncodedFile {
    encoder: Box<dyn Encoder>,
    file: AtomicFile,
    events: u64,
    limits: Limits,
}

impl EncodedFile {
    pub(super) fn create(
        path: &Path,
        mut encoder: Box<dyn Encoder>,
        options: &WriteOptions,
    ) -> Result<Self> {
        let mut file = AtomicFile::create(path, options.overwrite, options.sync)?;
        encoder.start(&mut file)?;
        Ok(Self { encoder, file, events: 0, limits: options.limits })
    }
}

impl EventWriter for EncodedFile {
    fn write(&mut self, events: &EventBatch) -> Result<()> {
        self.encoder.push(events, &mut self.file)?;
        self.events += events.len() as u64;
        check_size(self.file.length(), &self.limits, self.file.target())
    }

    fn finish(mut self: Box<Self>) -> Result<Written> {
        self.encoder.finish(&mut self.file)?;
        let notes = self.encoder.notes();
        Ok(Written { events: self.events, bytes: self.file.finish()?, notes })
    }
}
