//! The seam between bytes and events: a [`Decoder`] takes bytes, a [`Sink`] takes events.

use crate::{EventBatch, Report, Result};

/// Takes what a [`Decoder`] finds.
pub trait Sink {
    /// The next events of the recording, in file order.
    ///
    /// `offset` is the byte in the file from which the first of them came. The sink may take the
    /// columns (`std::mem::take`, `swap`); the decoder clears what is left.
    ///
    /// # Errors
    /// Whatever the sink returns stops the decoder and reaches the caller.
    fn events(&mut self, events: &mut EventBatch, offset: u64) -> Result<()>;
}

/// Appending to a batch is the simplest sink.
impl Sink for EventBatch {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        if self.is_empty() && self.t.capacity() == 0 {
            std::mem::swap(self, events);
        } else {
            self.extend_from(events, 0..events.len());
        }
        Ok(())
    }
}

/// A state machine over the bytes of one format: no file, no path, no waiting.
///
/// Bytes may come in pieces of any size, cut anywhere: a decoder keeps what is not yet whole. So
/// the same decoder stands behind a mapped file, a pipe and a socket. A byte sequence gives the
/// same events, the same [`Report`] and the same error however it is cut, and on any number of
/// threads.
pub trait Decoder: Send {
    /// Decodes the next bytes of the recording into `sink`.
    ///
    /// # Errors
    /// In strict mode the first violation of the format, with its byte offset; in lenient mode only
    /// what makes going on pointless. Errors of the sink pass through.
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) -> Result<()>;

    /// Says that no more bytes follow; a record that is not whole is reported as a truncated tail.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    fn finish(&mut self, sink: &mut dyn Sink) -> Result<()>;

    /// What was met so far.
    fn report(&self) -> &Report;
}
