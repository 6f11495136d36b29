//! The seam between bytes and events: a [`Decoder`] takes bytes, a [`EventSink`] takes events.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{EventBatch, EventStats, Fingerprint, Measurement, Report, TimeSpan};

/// Takes what a [`Decoder`] finds.
pub trait EventSink {
    /// The next events of the recording, in file order.
    ///
    /// `offset` is the byte in the file from which the first of them came. The sink may take the
    /// columns (`std::mem::take`, `swap`); the decoder clears what is left.
    ///
    /// # Errors
    /// Whatever the sink returns stops the decoder and reaches the caller. Where the error names an
    /// event of the batch, the decoder adds the byte from which that one came, and its report ends
    /// there.
    fn events(&mut self, events: &mut EventBatch, offset: u64) -> Result<()>;

    /// The events from here on are of the stream of this number. Only a pass over several streams
    /// says so, before the first events and wherever the stream changes.
    fn stream(&mut self, _stream: i32) {}

    /// The next measurement of the chosen stream, where that is not one of events; it stands at byte
    /// `offset`, or in the packet there. Unless a sink takes measurements, they are let go.
    ///
    /// # Errors
    /// As [`events`](Self::events).
    fn measurement(&mut self, _sample: Measurement, _offset: u64) -> Result<()> {
        Ok(())
    }
}

/// Appending to a batch is the simplest sink.
impl EventSink for EventBatch {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        if self.is_empty() && self.t.capacity() == 0 {
            std::mem::swap(self, events);
        } else {
            self.extend_from(events, 0..events.len());
        }
        Ok(())
    }
}

impl EventSink for TimeSpan {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.extend(&events.t);
        Ok(())
    }
}

impl EventSink for EventStats {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.add(events);
        Ok(())
    }
}

impl EventSink for Fingerprint {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.add(events);
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
    fn push(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<()>;

    /// Says that no more bytes follow; a record that is not whole is reported as a truncated tail.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    fn finish(&mut self, sink: &mut dyn EventSink) -> Result<()>;

    /// What was met so far.
    fn report(&self) -> &Report;

    /// In a pass over several streams, what a pass over `stream` alone would have met so far; `None` in
    /// any other pass.
    fn stream_report(&self, _stream: i32) -> Option<Report> {
        None
    }

    /// Goes back to the state in which the decoder was made: the next bytes are the first of the data,
    /// and the report is that of the header again. Memory that was allocated is kept for what follows.
    ///
    /// Needed to decode a recording once more, or another one with the same header, without opening
    /// it again.
    fn reset(&mut self);

    /// The place behind what is decoded, from which [`resume`](Self::resume) can go on; `None` where
    /// there is none at this moment, or the format has none.
    fn checkpoint(&self) -> Option<Checkpoint> {
        None
    }

    /// Goes on at `checkpoint`, as if all before it had been decoded: a [`reset`](Self::reset), after
    /// which the next bytes are those from [`Checkpoint::offset`] on. The checkpoint is one of the same
    /// recording; what the decoder has decoded so far does not matter.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if the format has no such places,
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) if the checkpoint is not of this format; the
    /// decoder is as it was then.
    fn resume(&mut self, _mark: &Checkpoint) -> Result<()> {
        Err(Error::unsupported("this format can only be read from its beginning"))
    }
}

/// A place in a recording from which its decoder can go on without the bytes before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Byte offset in the file of the first byte that is not decoded.
    pub offset: u64,
    /// What earlier bytes have set: registers, rounds of a clock. The format's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state: Vec<i64>,
}

impl Checkpoint {
    /// The row of a checkpoint in a container.
    ///
    /// # Errors
    /// If the checkpoint is not of one.
    pub(crate) fn row(&self) -> Result<u64> {
        let [row] = self.state()?;
        Ok(u64::try_from(row).unwrap_or(0))
    }

    /// A checkpoint whose state has `N` numbers, as its decoder left them.
    pub(crate) fn state<const N: usize>(&self) -> Result<[i64; N]> {
        let state = <[i64; N]>::try_from(self.state.as_slice()).ok();
        // Room above, so that adding times to them never overflows.
        let sane = |number: &i64| number.unsigned_abs() < 1 << 62;
        state.filter(|state| state.iter().all(sane)).ok_or_else(|| {
            Error::malformed("an index that is not of this format")
                .at(self.offset)
                .expected(format!("{N} numbers below 2^62"))
                .found(format!("{:?}", self.state))
        })
    }
}
