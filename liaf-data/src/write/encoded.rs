//! An event file whose bytes are made by an [`Encoder`].

use std::path::Path;

use crate::codec::{Encoder, EventWriter, WriteOptions, Written, check_size};
use crate::error::Result;
use crate::io::Destination;
use crate::limits::Limits;
use crate::model::EventBatch;

/// An encoder and its file, which appears when it is complete, or not at all; or standard output.
pub(super) struct EncodedFile {
    encoder: Box<dyn Encoder>,
    file: Destination,
    events: u64,
    limits: Limits,
}

impl EncodedFile {
    pub(super) fn create(
        path: &Path,
        mut encoder: Box<dyn Encoder>,
        options: &WriteOptions,
    ) -> Result<Self> {
        let mut file = Destination::create(path, options.overwrite, options.sync)?;
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
