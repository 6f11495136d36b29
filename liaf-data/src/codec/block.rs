//! The seam between a container and events: a [`BlockReader`] takes what it needs from the file.

use std::ops::Range;

use super::{Checkpoint, EventSink};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::model::{Report, SensorSize};

/// Gives the events of a container whose parts lie anywhere in the file, stretch by stretch.
///
/// What [`Decoder`] promises holds here as well: the same events, [`Report`] and errors on any
/// number of threads, and no allocation that a number in the file sizes.
pub(crate) trait BlockReader: Send {
    /// Reads the next stretch of `source` into `sink`. Returns whether there may be more; once
    /// there is not, the byte account adds up to the file.
    ///
    /// # Errors
    /// As [`Decoder::push`] and [`Decoder::finish`].
    fn pump(&mut self, source: &mut ByteSource, sink: &mut dyn EventSink) -> Result<bool>;

    /// What was met so far.
    fn report(&self) -> &Report;

    /// About how many bytes of the file are behind the reader.
    fn position(&self) -> u64;

    /// About how many events are to come.
    fn expected_events(&self) -> usize;

    /// As [`Decoder::checkpoint`].
    fn checkpoint(&self) -> Option<Checkpoint> {
        None
    }

    /// As [`Decoder::resume`].
    fn resume(&mut self, _source: &mut ByteSource, _mark: &Checkpoint) -> Result<()> {
        Err(Error::unsupported("this format can only be read from its beginning"))
    }

    /// Ends in front of `checkpoint`, which is not behind the reader.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    fn stop(&mut self, _source: &mut ByteSource, _mark: &Checkpoint) -> Result<()> {
        Err(Error::unsupported("this format can only be read to its end"))
    }

    /// Of a fresh reader: passes over what is certainly not of `time`, by a look at little of the file.
    /// `false` if that cannot be told: then nothing is passed over.
    ///
    /// # Errors
    /// If the file cannot be read.
    fn narrow(&mut self, _source: &mut ByteSource, _time: &Range<i64>) -> Result<bool> {
        Ok(false)
    }
}

/// Finds the largest stored x and y in the data of a recording.
pub(crate) trait BoundsFinder: Send {
    /// Looks at the next bytes.
    fn push(&mut self, bytes: &[u8]);

    /// The box from pixel (0, 0) around all events so far; `None` without events.
    fn bounds(&self) -> Option<SensorSize>;
}
