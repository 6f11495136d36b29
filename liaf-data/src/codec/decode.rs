//! The interface between bytes and events: a [`Decoder`] consumes bytes and passes events to an
//! [`EventSink`].

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{EventBatch, EventStats, Fingerprint, Measurement, Report, TimeSpan};

/// Receives the events and measurements that a [`Decoder`] finds.
pub trait EventSink {
    /// Receives the next events of the recording, in file order.
    ///
    /// `offset` is the offset in the file of the first of them. The sink may take the columns
    /// (`std::mem::take`, `swap`); the decoder clears whatever is left.
    ///
    /// # Errors
    /// An error that the sink returns stops the decoder and is passed on to the caller. If the
    /// error names an event of the batch, the decoder adds the offset of that event in the file,
    /// and the decoder's report ends at that event.
    fn events(&mut self, events: &mut EventBatch, offset: u64) -> Result<()>;

    /// Announces that the following events belong to the stream with this number. This is called
    /// only in a pass over several streams: before the first events and whenever the stream
    /// changes.
    fn stream(&mut self, _stream: i32) {}

    /// Receives the next measurement, where the chosen stream is not a stream of events. `offset`
    /// is the offset in the file of the measurement or of the packet that contains it. The default
    /// implementation ignores measurements.
    ///
    /// # Errors
    /// As [`events`](Self::events).
    fn measurement(&mut self, _measurement: Measurement, _offset: u64) -> Result<()> {
        Ok(())
    }
}

/// The simplest sink: the events are appended to the batch.
impl EventSink for EventBatch {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        if self.is_empty() && self.t.capacity() == 0 {
            std::mem::swap(self, events);
        } else {
            self.extend_from(&events[..]);
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

/// A decoder of one format, as a state machine that needs no file and no path and never waits.
///
/// The bytes may be passed in pieces of any size, cut anywhere: a decoder keeps the bytes of an
/// incomplete record until the rest arrives. The same decoder can therefore be used for a mapped
/// file, a pipe and a socket. A sequence of bytes gives the same events, the same [`Report`] and
/// the same error no matter how it is cut and on how many threads it is decoded.
pub trait Decoder: Send {
    /// Decodes the next bytes of the recording and passes what they contain to `sink`.
    ///
    /// # Errors
    /// In strict mode, the first violation of the format, with its byte offset. In lenient mode,
    /// only an error after which decoding cannot continue. Errors of the sink are passed on.
    fn push(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<()>;

    /// Ends decoding: no more bytes follow. A record that is incomplete is reported as a truncated
    /// tail.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    fn finish(&mut self, sink: &mut dyn EventSink) -> Result<()>;

    /// The report of everything that was met so far.
    fn report(&self) -> &Report;

    /// In a pass over several streams, the report that a pass over `stream` alone would have at
    /// this point; `None` in any other pass.
    fn stream_report(&self, _stream: i32) -> Option<Report> {
        None
    }

    /// Returns to the state after construction: the next bytes are the first ones of the data, and
    /// the report is that of the header again. Allocated memory is kept for reuse.
    ///
    /// This is needed to decode a recording again, or another one with the same header, without
    /// opening it again.
    fn reset(&mut self);

    /// A checkpoint after everything that is decoded so far, from which [`resume`](Self::resume)
    /// can continue. `None` if there is none at this point, or if the format has no checkpoints.
    fn checkpoint(&self) -> Option<Checkpoint> {
        None
    }

    /// Continues at `checkpoint` as if everything before it had been decoded. This acts as a
    /// [`reset`](Self::reset), after which the next bytes must be those from [`Checkpoint::offset`]
    /// on. The checkpoint must be one of the same recording; it does not matter what this decoder
    /// has decoded so far.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if the format has no checkpoints,
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) if the checkpoint is not one of this
    /// format. In both cases the decoder is left unchanged.
    fn resume(&mut self, _checkpoint: &Checkpoint) -> Result<()> {
        Err(Error::unsupported("this format can only be read from its beginning"))
    }
}

/// A position in a recording at which decoding can resume without the bytes before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Checkpoint {
    /// Byte offset in the file of the first byte that is not yet decoded.
    pub offset: u64,
    /// The state that the earlier bytes have left, such as registers or the number of wraps of a
    /// clock. Its meaning depends on the format.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state: Vec<i64>,
}

impl Checkpoint {
    /// A position at byte `offset`, with the state that the bytes before it have left.
    pub fn new(offset: u64, state: Vec<i64>) -> Self {
        Self { offset, state }
    }

    /// The row at which reading resumes, for a checkpoint of a container.
    ///
    /// # Errors
    /// If the checkpoint is not one of a container.
    pub(crate) fn row(&self) -> Result<u64> {
        let ([row], _) = self.first()?;
        Ok(u64::try_from(row).unwrap_or(0))
    }

    /// The state of a checkpoint of a format whose state has `N` numbers.
    pub(crate) fn state<const N: usize>(&self) -> Result<[i64; N]> {
        match self.first()? {
            (state, []) => Ok(state),
            _ => Err(self.foreign(N)),
        }
    }

    /// The first `N` numbers of the state, and the others.
    pub(crate) fn first<const N: usize>(&self) -> Result<([i64; N], &[i64])> {
        let split = self.state.split_first_chunk::<N>();
        // The limit leaves headroom, so that adding times to these numbers cannot overflow.
        let is_sane = self.state.iter().all(|number| number.unsigned_abs() < 1 << 62);
        let (first, rest) = split.filter(|_| is_sane).ok_or_else(|| self.foreign(N))?;
        Ok((*first, rest))
    }

    fn foreign(&self, numbers: usize) -> Error {
        Error::malformed("the index does not belong to this format")
            .at(self.offset)
            .expected(format!("{numbers} numbers below 2^62"))
            .found(format!("{:?}", self.state))
    }
}
