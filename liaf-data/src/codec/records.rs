//! Records of 8 bytes with a time of 32 bits to events, whatever else is in them.

use std::fmt::Debug;

use super::record_buffer::RecordBuffer;
use super::{Checkpoint, ClockReset, Decoder, EventSink, ReadOptions};
use crate::error::Result;
use crate::io::{in_order, places_per_pool};
use crate::model::{EventBatch, Finding, Report};

pub(crate) const RECORD: usize = 8;
/// Records that are looked at together; their bytes and columns stay in the first-level cache.
pub(crate) const BLOCK: usize = 1024;
/// Records between two calls of the sink.
const BATCH: usize = 8 * BLOCK;
/// Records that one thread takes at a time.
const SEGMENT: usize = 16 * BLOCK;

/// How records become events; the same for every record of a file.
pub(crate) trait Rule: Copy + Debug + Send + Sync {
    /// The time of a record.
    fn time(record: &[u8; RECORD]) -> u32;

    /// Appends the events of `records`, which begin at `offset`.
    fn decode(
        self,
        records: &[[u8; RECORD]],
        offset: u64,
        clock: &mut Clock,
        batch: &mut EventBatch,
        report: &mut Report,
    );
}

/// The 32-bit time of the records, unrolled.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    pub last: Option<u32>,
    /// What wraps have added so far, in µs.
    pub epoch: i64,
    /// What is done where the clock begins anew.
    pub resets: ClockReset,
}

/// A time below this, in µs, that is earlier than the one before by more than this, is of a clock that began anew.
const RESET: u32 = 1_000_000;

/// Whether the clock began anew between these times, which are no wrap.
#[inline]
pub(crate) fn is_reset(last: u32, next: u32) -> bool {
    next < RESET && last > next && last - next > RESET
}

impl Clock {
    /// Takes the next time, and says what is to be counted of it: that it wrapped or, unless that is
    /// kept as it is, that the clock began anew.
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

    /// As the state of a checkpoint: -1 before the first time.
    pub fn state(&self) -> Vec<i64> {
        vec![self.last.map_or(-1, i64::from), self.epoch]
    }

    /// The clock of a checkpoint.
    ///
    /// # Errors
    /// If the checkpoint is not of such a clock.
    pub fn of(checkpoint: &Checkpoint) -> Result<Self> {
        let [last, epoch] = checkpoint.state()?;
        Ok(Self { last: u32::try_from(last).ok(), epoch, resets: ClockReset::Keep })
    }
}

/// A step back by more than half the range is a wrap, a smaller one is a step back.
#[inline]
pub(crate) fn is_wrap(last: u32, next: u32) -> bool {
    last > next && last - next > 1 << 31
}

/// Decodes records; a header is behind it.
#[derive(Debug)]
pub(crate) struct RecordDecoder<R> {
    rule: R,
    clock: Clock,
    strict: bool,
    parallel: bool,
    /// [`SEGMENT`] outside of tests.
    segment: usize,
    whole: RecordBuffer<RECORD>,
    offset: u64,
    batch: EventBatch,
    places: Vec<Segment>,
    report: Report,
}

impl<R: Rule> RecordDecoder<R> {
    /// A decoder for the data that begins at byte `start`; `report` has what stands before it.
    pub fn new(rule: R, start: u64, report: Report, options: &ReadOptions) -> Self {
        let parallel = options.parallel && !options.strict;
        let mut places = Vec::new();
        places.resize_with(if parallel { places_per_pool() } else { 0 }, Segment::default);
        Self {
            rule,
            clock: Clock::default(),
            strict: options.strict,
            parallel,
            segment: SEGMENT,
            whole: RecordBuffer::default(),
            offset: start,
            batch: EventBatch::new(),
            places,
            report,
        }
    }

    /// The same with segments of any size, to test every cut.
    #[cfg(test)]
    pub fn with_segments(self, segment: usize) -> Self {
        Self { segment, ..self }
    }

    fn records(&mut self, records: &[[u8; RECORD]], sink: &mut dyn EventSink) -> Result<()> {
        if self.parallel && records.len() > self.segment {
            return self.segments(records, sink);
        }
        // In strict mode one record at a time, so that the sink's errors have its offset.
        for records in records.chunks(if self.strict { 1 } else { BATCH }) {
            self.batch.clear();
            let (rule, report) = (self.rule, &mut self.report);
            rule.decode(records, self.offset, &mut self.clock, &mut self.batch, report);
            let at = self.offset;
            self.offset += size_of_val(records) as u64;
            if !self.batch.is_empty() {
                sink.events(&mut self.batch, at)?;
            }
        }
        Ok(())
    }

    /// As the serial path, cut in segments. Each takes the time before it from the record before
    /// it; wraps inside earlier segments are added afterwards.
    fn segments(&mut self, records: &[[u8; RECORD]], sink: &mut dyn EventSink) -> Result<()> {
        let parts: Vec<_> = records.chunks(self.segment).collect();
        let (rule, clock, offset, size) = (self.rule, self.clock, self.offset, self.segment);
        let work = |i: usize, part: &&[[u8; RECORD]], segment: &mut Segment| {
            let first = i * size;
            segment.offset = offset + (first * RECORD) as u64;
            segment.clock = clock;
            if let Some(before) = first.checked_sub(1).and_then(|before| records.get(before)) {
                segment.clock.last = Some(R::time(before));
            }
            segment.batch.clear();
            segment.report = Report::default();
            let Segment { offset, clock, batch, report } = segment;
            rule.decode(part, *offset, clock, batch, report);
        };
        let mut wraps = 0;
        let give = |_, part: &&[[u8; RECORD]], segment: &mut Segment| {
            if wraps != 0 {
                segment.batch.t.iter_mut().for_each(|t| *t += wraps);
            }
            wraps += segment.clock.epoch - clock.epoch;
            self.clock = Clock { last: segment.clock.last, epoch: clock.epoch + wraps, ..clock };
            self.offset += size_of_val(*part) as u64;
            self.report.merge(&segment.report);
            if segment.batch.is_empty() {
                return Ok(());
            }
            sink.events(&mut segment.batch, segment.offset)
        };
        in_order(&parts, &mut self.places, work, give)
    }
}

impl<R: Rule> Decoder for RecordDecoder<R> {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        let mut whole = std::mem::take(&mut self.whole);
        let result = whole.push(bytes, |records| self.records(records, sink));
        self.whole = whole;
        result
    }

    fn finish(&mut self, _sink: &mut dyn EventSink) -> Result<()> {
        self.whole.finish("record", self.offset, self.strict, &mut self.report)
    }

    fn report(&self) -> &Report {
        &self.report
    }

    fn checkpoint(&self) -> Option<Checkpoint> {
        Some(Checkpoint { offset: self.offset, state: self.clock.state() })
    }

    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.clock = Clock::of(checkpoint)?;
        self.offset = checkpoint.offset;
        self.whole.clear();
        Ok(())
    }
}

/// What one thread works on.
#[derive(Debug, Default)]
struct Segment {
    offset: u64,
    clock: Clock,
    batch: EventBatch,
    report: Report,
}
