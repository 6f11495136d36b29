//! The decoder that all formats of fixed-size records or words share.

use std::fmt::Debug;

use rayon::prelude::*;

use super::record_buffer::RecordBuffer;
use super::{Checkpoint, ClockReset, Decoder, EventSink, ReadOptions};
use crate::error::{Error, Result};
use crate::io::{in_order, places_per_pool};
use crate::model::{EventBatch, Finding, Report};

/// Number of records that are processed together: their bytes and columns fit into the first-level
/// cache.
pub(crate) const BLOCK: usize = 1024;

/// How records of `N` bytes become events. The value is the same for all records of a file.
pub trait RecordFormat<const N: usize>: Copy + Debug + Send + Sync {
    /// The state that records leave for the records after them.
    type State: RecordState;
    /// What a run of records does to the state, apart from the epoch. It can be computed without
    /// decoding the records, so that the following runs can be decoded on other threads at the same
    /// time.
    type Trail: Send;
    /// Working memory, which is kept from batch to batch.
    type Scratch: Debug + Default + Send;

    /// What a record is called in error messages.
    const NAME: &'static str = "record";
    /// Number of records between two calls of the sink, when decoding on one thread.
    const BATCH: usize = 8 * BLOCK;
    /// Number of records that a thread decodes at a time, and between two calls of the sink, when
    /// decoding on several threads.
    const SEGMENT: usize = 16 * BLOCK;

    /// The state before the first record.
    fn start(self) -> Self::State;

    /// Decodes `records`, which start at byte `offset`: appends their events to `batch`, and adds
    /// everything else that they contain to `report`.
    fn decode(
        self,
        records: &[[u8; N]],
        offset: u64,
        state: &mut Self::State,
        batch: &mut EventBatch,
        report: &mut Report,
        scratch: &mut Self::Scratch,
    );

    /// Computes what `records` do to the state.
    fn trail(self, records: &[[u8; N]]) -> Self::Trail;

    /// Advances `state` past the records of a trail. The epoch is left unchanged.
    fn follow(self, state: &mut Self::State, trail: &Self::Trail);

    /// Restores the state that was stored with [`RecordState::pack`].
    ///
    /// # Errors
    /// If the checkpoint cannot be one of this format.
    fn unpack(self, checkpoint: &Checkpoint) -> Result<Self::State>;

    /// Whether decoding must end at one of the records that `report` is about.
    fn is_violated(self, _report: &Report, _strict: bool) -> bool {
        false
    }

    /// The error for `record`, at which decoding ends; `report` says what is wrong with it.
    fn violation(self, record: &[u8; N], _report: &Report) -> Error {
        let bytes: Vec<_> = record.iter().map(|byte| format!("{byte:02x}")).collect();
        Error::malformed("a record is invalid in this format").found(bytes.join(" "))
    }

    /// Called after the last record.
    ///
    /// # Errors
    /// If something is wrong with the records as a whole.
    fn finish(self, _state: &Self::State, _report: &mut Report, _strict: bool) -> Result<()> {
        Ok(())
    }
}

/// The state that records leave for the records after them.
pub trait RecordState: Copy + Debug + Send + Sync {
    /// What the wraps of the clock have added to the times so far, in µs. A segment may be decoded
    /// before the wraps of the earlier segments are known; their sum is then added to its times
    /// afterwards.
    fn epoch(&mut self) -> &mut i64;

    /// The state as numbers, for a [`Checkpoint`].
    fn pack(&self) -> Vec<i64>;
}

/// A clock that extends the 32-bit times of records.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    pub last: Option<u32>,
    /// What the wraps have added so far, in µs.
    pub epoch: i64,
    /// What to do if the clock restarts.
    pub resets: ClockReset,
}

/// If a time is below this value and is earlier than the one before by more than this value, the
/// clock has restarted. In µs.
const RESET: u32 = 1_000_000;

/// Whether the clock restarted between these two times, if the step between them is not a wrap.
#[inline]
pub(crate) fn is_reset(last: u32, next: u32) -> bool {
    next < RESET && last > next && last - next > RESET
}

impl Clock {
    /// Takes the next time, and returns what must be counted: a wrap or, unless restarts are
    /// ignored, a restart of the clock.
    pub fn advance(&mut self, time: u32) -> Option<Finding> {
        let last = self.last.replace(time).unwrap_or(time);
        if is_wrap(last, time) {
            self.epoch += 1 << 32;
            return Some(Finding::TimeWraps);
        }
        if self.resets == ClockReset::Keep || !is_reset(last, time) {
            return None;
        }
        if self.resets == ClockReset::Rebase {
            self.epoch += i64::from(last) - i64::from(time);
        }
        Some(Finding::TimestampResets)
    }

    /// Restores the clock of a checkpoint.
    ///
    /// # Errors
    /// If the checkpoint is not one of a format with such a clock.
    pub fn of(checkpoint: &Checkpoint) -> Result<Self> {
        let [last, epoch] = checkpoint.state()?;
        Ok(Self { last: u32::try_from(last).ok(), epoch, resets: ClockReset::Keep })
    }
}

impl RecordState for Clock {
    fn epoch(&mut self) -> &mut i64 {
        &mut self.epoch
    }

    /// The last time is stored as -1 if there was none yet.
    fn pack(&self) -> Vec<i64> {
        vec![self.last.map_or(-1, i64::from), self.epoch]
    }
}

/// A step back by more than half the range of the counter is a wrap; a smaller one is a real step
/// back.
#[inline]
pub(crate) fn is_wrap(last: u32, next: u32) -> bool {
    last > next && last - next > 1 << 31
}

/// Decodes records of `N` bytes that follow a header.
#[derive(Debug)]
pub struct RecordDecoder<F: RecordFormat<N>, const N: usize> {
    format: F,
    strict: bool,
    parallel: bool,
    /// [`RecordFormat::BATCH`] and [`RecordFormat::SEGMENT`], except in tests.
    batch: usize,
    segment: usize,
    /// Offset of the first record, and the report of everything before it.
    start: u64,
    header: Report,
    buffer: RecordBuffer<N>,
    offset: u64,
    state: F::State,
    /// One buffer for each batch that may be decoded at the same time.
    decoded: Vec<DecodedRecords<F, N>>,
    report: Report,
}

impl<F: RecordFormat<N>, const N: usize> RecordDecoder<F, N> {
    /// A decoder for data that starts at byte `start`; `report` covers everything before it.
    pub(crate) fn with_format(
        format: F,
        start: u64,
        report: Report,
        options: &ReadOptions,
    ) -> Self {
        let mut decoded = Vec::new();
        let buffers = if options.parallel { places_per_pool() } else { 1 };
        decoded.resize_with(buffers, || DecodedRecords::new(format));
        Self {
            format,
            strict: options.strict,
            parallel: options.parallel,
            batch: F::BATCH,
            segment: F::SEGMENT,
            start,
            header: report.clone(),
            buffer: RecordBuffer::default(),
            offset: start,
            state: format.start(),
            decoded,
            report,
        }
    }

    /// The same decoder with batches and segments of any size, for tests of all boundaries.
    #[cfg(test)]
    pub(crate) fn with_batches(self, records: usize) -> Self {
        Self { batch: records, segment: records, ..self }
    }

    /// Decodes complete records.
    fn records(&mut self, records: &[[u8; N]], sink: &mut dyn EventSink) -> Result<()> {
        if self.parallel && records.len() > self.segment {
            return self.segments(records, sink);
        }
        let mut decoded = self.decoded.pop().unwrap_or_else(|| DecodedRecords::new(self.format));
        let result = records.chunks(self.batch).try_for_each(|records| {
            decoded.decode(self.format, &self.next(records));
            self.take_over(records, &mut decoded, sink)
        });
        self.decoded.push(decoded);
        result
    }

    /// Like [`records`](Self::records), but the segments are decoded on the threads of the pool.
    /// The state at the start of each segment follows from the trails of the segments before it.
    fn segments(&mut self, records: &[[u8; N]], sink: &mut dyn EventSink) -> Result<()> {
        let format = self.format;
        let trails: Vec<_> =
            records.par_chunks(self.segment).map(|records| format.trail(records)).collect();
        let mut start = self.next(records);
        let mut starts = Vec::with_capacity(trails.len());
        for (records, trail) in records.chunks(self.segment).zip(&trails) {
            starts.push(Start { records, ..start });
            format.follow(&mut start.state, trail);
            start.offset += size_of_val(records) as u64;
        }
        let mut decoded = std::mem::take(&mut self.decoded);
        let work = |_, start: &Start<'_, F, N>, decoded: &mut DecodedRecords<F, N>| {
            decoded.decode(format, start);
        };
        let give = |_, start: &Start<'_, F, N>, decoded: &mut DecodedRecords<F, N>| {
            self.take_over(start.records, decoded, sink)
        };
        let result = in_order(&starts, &mut decoded, work, give);
        self.decoded = decoded;
        result
    }

    /// The position of the next records to decode.
    fn next<'a>(&self, records: &'a [[u8; N]]) -> Start<'a, F, N> {
        Start { records, offset: self.offset, state: self.state }
    }

    /// Passes on the result of decoding `records`. If they violate the format, this decodes them
    /// again to find the record at which decoding ends, and passes on only what comes before it.
    fn take_over(
        &mut self,
        records: &[[u8; N]],
        decoded: &mut DecodedRecords<F, N>,
        sink: &mut dyn EventSink,
    ) -> Result<()> {
        let (format, strict) = (self.format, self.strict);
        if !format.is_violated(&decoded.report, strict) {
            return self.give(records, decoded, sink);
        }
        let is_last = |one: &DecodedRecords<F, N>| format.is_violated(&one.report, strict);
        let (before, after) = records.split_at(self.count_before(records, decoded, is_last));
        decoded.decode(format, &self.next(before));
        self.give(before, decoded, sink)?;
        let Some(record) = after.first() else { return Ok(()) };
        decoded.decode(format, &self.next(std::slice::from_ref(record)));
        let error = format.violation(record, &decoded.report).at(self.offset);
        decoded.batch.clear();
        self.give(std::slice::from_ref(record), decoded, sink)?;
        Err(error)
    }

    /// Passes the events that were decoded from `records` to the sink and advances past the
    /// records: past all of them, or up to the event that the sink refuses.
    fn give(
        &mut self,
        records: &[[u8; N]],
        decoded: &mut DecodedRecords<F, N>,
        sink: &mut dyn EventSink,
    ) -> Result<()> {
        // The thread that decoded the segment did not know the wraps in the segments before it.
        let epoch = *self.state.epoch();
        let wraps = epoch - decoded.epoch;
        if wraps != 0 {
            decoded.batch.t.iter_mut().for_each(|t| *t += wraps);
        }
        let (mut given, mut end) = (Ok(()), records.len());
        if !decoded.batch.is_empty() {
            let result = sink.events(&mut decoded.batch, self.offset);
            given = result.map_err(|error| {
                error.place_event(|index| {
                    let mut events = 0;
                    let before = self.count_before(records, decoded, |one| {
                        events += one.batch.len();
                        events > index
                    });
                    end = records.len().min(before + 1);
                    decoded.decode(self.format, &self.next(&records[..end]));
                    self.offset + (before * N) as u64
                })
            });
        }
        self.state = decoded.state;
        *self.state.epoch() += epoch - decoded.epoch;
        self.offset += (end * N) as u64;
        self.report.merge(&decoded.report);
        given
    }

    /// The number of records before the first one for which `is_it` holds. Each record is decoded
    /// on its own into `one`.
    fn count_before(
        &self,
        records: &[[u8; N]],
        one: &mut DecodedRecords<F, N>,
        mut is_it: impl FnMut(&DecodedRecords<F, N>) -> bool,
    ) -> usize {
        let mut start = self.next(records);
        let found = records.iter().position(|record| {
            one.decode(self.format, &Start { records: std::slice::from_ref(record), ..start });
            (start.state, start.offset) = (one.state, start.offset + N as u64);
            is_it(one)
        });
        found.unwrap_or(records.len())
    }
}

impl<F: RecordFormat<N>, const N: usize> Decoder for RecordDecoder<F, N> {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = buffer.push(bytes, |records| self.records(records, sink));
        self.buffer = buffer;
        result
    }

    fn finish(&mut self, _sink: &mut dyn EventSink) -> Result<()> {
        self.format.finish(&self.state, &mut self.report, self.strict)?;
        self.buffer.finish(F::NAME, self.offset, self.strict, &mut self.report)
    }

    fn report(&self) -> &Report {
        &self.report
    }

    fn checkpoint(&self) -> Option<Checkpoint> {
        Some(Checkpoint::new(self.offset, self.state.pack()))
    }

    fn reset(&mut self) {
        (self.state, self.offset) = (self.format.start(), self.start);
        self.report.clone_from(&self.header);
        self.buffer.clear();
    }

    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let state = self.format.unpack(checkpoint)?;
        self.reset();
        (self.state, self.offset) = (state, checkpoint.offset);
        Ok(())
    }
}

/// Records with their offset and the state before them.
struct Start<'a, F: RecordFormat<N>, const N: usize> {
    records: &'a [[u8; N]],
    offset: u64,
    state: F::State,
}

/// The result of decoding some records.
#[derive(Debug)]
struct DecodedRecords<F: RecordFormat<N>, const N: usize> {
    /// The epoch before the records, as far as it was known when they were decoded.
    epoch: i64,
    /// The state after the records.
    state: F::State,
    batch: EventBatch,
    report: Report,
    scratch: Box<F::Scratch>,
}

impl<F: RecordFormat<N>, const N: usize> DecodedRecords<F, N> {
    fn new(format: F) -> Self {
        Self {
            epoch: 0,
            state: format.start(),
            batch: EventBatch::new(),
            report: Report::default(),
            scratch: Box::default(),
        }
    }

    fn decode(&mut self, format: F, start: &Start<'_, F, N>) {
        self.state = start.state;
        self.epoch = *self.state.epoch();
        self.batch.clear();
        self.report = Report::default();
        let Self { state, batch, report, scratch, .. } = self;
        format.decode(start.records, start.offset, state, batch, report, scratch);
    }
}
