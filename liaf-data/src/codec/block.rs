//! The interface between a container format and its events: a [`BlockReader`] reads the parts
//! of the file that it needs itself.

use std::ops::Range;

use super::{Checkpoint, EventSink};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::model::{Report, SensorSize};

/// Decodes the events of a container format, in which the data of the events may be anywhere in the
/// file.
///
/// A reader of this kind is needed where a [`Decoder`](super::Decoder), which is given the bytes in
/// file order, would have to keep most of the file in memory. The guarantees of `Decoder` hold here
/// as well: the events, the [`Report`] and the errors are the same on any number of threads, and no
/// allocation has a size that is taken from the file unchecked.
pub(crate) trait BlockReader: Send {
    /// Decodes the next block of `source` and passes its events to `sink`. Returns whether there
    /// may be more; once there is no more, the byte account of the report adds up to the size of
    /// the file.
    ///
    /// # Errors
    /// As [`Decoder::push`](super::Decoder::push) and [`Decoder::finish`](super::Decoder::finish).
    fn pump(&mut self, source: &mut ByteSource, sink: &mut dyn EventSink) -> Result<bool>;

    /// The report of everything that was met so far.
    fn report(&self) -> &Report;

    /// Another reader of the same events, from the first of them on, if this one has read nothing yet and
    /// making it takes less than opening the file again.
    fn again(&self) -> Option<Box<dyn BlockReader>> {
        None
    }

    /// Makes each [`pump`](Self::pump) decode as little as it can, so that there are many
    /// [checkpoints](Self::checkpoint). Reading may then take longer.
    fn take_small_steps(&mut self) {}

    /// About how many bytes of the file have been decoded.
    fn position(&self) -> u64;

    /// About how many events are still to come.
    fn expected_events(&self) -> usize;

    /// See [`Decoder::checkpoint`](super::Decoder::checkpoint).
    fn checkpoint(&self) -> Option<Checkpoint> {
        None
    }

    /// See [`Decoder::resume`](super::Decoder::resume).
    fn resume(&mut self, _source: &mut ByteSource, _checkpoint: &Checkpoint) -> Result<()> {
        Err(Error::unsupported("this format can only be read from its beginning"))
    }

    /// Makes reading end just before `checkpoint`, which must not be before the current position.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    fn stop(&mut self, _source: &mut ByteSource, _checkpoint: &Checkpoint) -> Result<()> {
        Err(Error::unsupported("this format can only be read to its end"))
    }

    /// Narrows a reader that has read nothing yet to a range of times: parts of the file that
    /// certainly have no event within `time` are skipped. Only a small part of the file is read for
    /// this. Returns `false` if the range cannot be narrowed; nothing is skipped then.
    ///
    /// # Errors
    /// If the file cannot be read.
    fn narrow(&mut self, _source: &mut ByteSource, _time: &Range<i64>) -> Result<bool> {
        Ok(false)
    }
}

/// Finds the largest stored x and y in the data of a recording.
pub(crate) trait BoundsFinder: Send {
    /// Takes the next bytes of the data into account.
    fn push(&mut self, bytes: &[u8]);

    /// The smallest sensor, from pixel (0, 0), that contains all events seen so far; `None` if
    /// there was no event.
    fn bounds(&self) -> Option<SensorSize>;
}
