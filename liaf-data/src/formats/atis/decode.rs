//! Records of 5 bytes to events.

use crate::codec::record_buffer::RecordBuffer;
use crate::codec::{AtisOverflow, Checkpoint, Decoder, EventSink, ReadOptions};
use crate::error::Result;
use crate::io::{in_order, places_per_pool};
use crate::model::{EventBatch, Finding, Report};

pub(crate) const RECORD: usize = 5;
/// Records between two calls of the sink, and that one thread takes at a time.
const BATCH: usize = 8192;
/// This y marks an overflow.
pub(crate) const OVERFLOW_Y: u8 = 240;
/// What an overflow adds, in µs.
pub(crate) const OVERFLOW: i64 = 1 << 13;

/// Decodes ATIS events of 5 bytes, which have no header.
#[derive(Debug)]
pub struct AtisBinDecoder {
    overflow: AtisOverflow,
    /// What overflows have added so far, in µs.
    epoch: i64,
    strict: bool,
    parallel: bool,
    whole: RecordBuffer<RECORD>,
    offset: u64,
    batch: EventBatch,
    places: Vec<Segment>,
    report: Report,
}

/// What one thread works on.
#[derive(Debug, Default)]
struct Segment {
    epoch: i64,
    batch: EventBatch,
    report: Report,
}

/// The time of a record, as stored.
pub(crate) fn time(record: &[u8; RECORD]) -> u32 {
    u32::from_be_bytes([0, record[2] & 0x7f, record[3], record[4]])
}

/// Whether a record marks an overflow, where that is the rule.
pub(crate) fn is_marker(record: &[u8; RECORD]) -> bool {
    record[1] == OVERFLOW_Y
}

impl AtisBinDecoder {
    /// A decoder for the data that begins at byte `start`.
    pub(crate) fn new(start: u64, options: &ReadOptions) -> Self {
        let parallel = options.parallel && !options.strict;
        let mut places = Vec::new();
        places.resize_with(if parallel { places_per_pool() } else { 0 }, Segment::default);
        let mut report = Report::default();
        report.bytes.header = start;
        Self {
            overflow: options.atis_overflow,
            epoch: 0,
            strict: options.strict,
            parallel,
            whole: RecordBuffer::default(),
            offset: start,
            batch: EventBatch::new(),
            places,
            report,
        }
    }

    fn records(&mut self, records: &[[u8; RECORD]], sink: &mut dyn EventSink) -> Result<()> {
        if self.parallel && records.len() > BATCH {
            return self.segments(records, sink);
        }
        // In strict mode one record at a time, so that the sink's errors have its offset.
        for records in records.chunks(if self.strict { 1 } else { BATCH }) {
            self.batch.clear();
            let at = self.offset;
            decode(records, at, self.overflow, &mut self.epoch, &mut self.batch, &mut self.report);
            self.offset += size_of_val(records) as u64;
            if !self.batch.is_empty() {
                sink.events(&mut self.batch, at)?;
            }
        }
        Ok(())
    }

    /// As the serial path, cut in segments; overflows of earlier segments are added afterwards.
    fn segments(&mut self, records: &[[u8; RECORD]], sink: &mut dyn EventSink) -> Result<()> {
        let parts: Vec<_> = records.chunks(BATCH).collect();
        let (overflow, offset) = (self.overflow, self.offset);
        let place = |i: usize| offset + (i * BATCH * RECORD) as u64;
        let work = |i: usize, part: &&[[u8; RECORD]], segment: &mut Segment| {
            let Segment { epoch, batch, report } = segment;
            *epoch = 0;
            batch.clear();
            *report = Report::default();
            decode(part, place(i), overflow, epoch, batch, report);
        };
        let give = |i: usize, _: &&[[u8; RECORD]], segment: &mut Segment| {
            if self.epoch != 0 {
                segment.batch.t.iter_mut().for_each(|t| *t += self.epoch);
            }
            self.epoch += segment.epoch;
            self.report.merge(&segment.report);
            if segment.batch.is_empty() {
                return Ok(());
            }
            sink.events(&mut segment.batch, place(i))
        };
        in_order(&parts, &mut self.places, work, give)?;
        self.offset = offset + size_of_val(records) as u64;
        Ok(())
    }
}

/// Appends the events of `records`, which begin at `offset`.
fn decode(
    records: &[[u8; RECORD]],
    offset: u64,
    overflow: AtisOverflow,
    epoch: &mut i64,
    batch: &mut EventBatch,
    report: &mut Report,
) {
    report.bytes.events += size_of_val(records) as u64;
    if overflow == AtisOverflow::Ignore || !records.iter().fold(false, |any, r| any | is_marker(r))
    {
        return append(records, *epoch, batch);
    }
    let mut rest = records;
    let mut at = offset;
    while let Some(plain) = rest.iter().position(is_marker) {
        append(&rest[..plain], *epoch, batch);
        report.add(Finding::TimeWraps, 1, at + (plain * RECORD) as u64);
        *epoch += OVERFLOW;
        at += ((plain + 1) * RECORD) as u64;
        rest = &rest[plain + 1..];
    }
    append(rest, *epoch, batch);
}

/// Appends an event for each record.
fn append(records: &[[u8; RECORD]], epoch: i64, batch: &mut EventBatch) {
    batch.t.extend(records.iter().map(|record| epoch + i64::from(time(record))));
    batch.x.extend(records.iter().map(|record| u16::from(record[0])));
    batch.y.extend(records.iter().map(|record| u16::from(record[1])));
    batch.p.extend(records.iter().map(|record| record[2] >> 7));
}

impl Decoder for AtisBinDecoder {
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
        Some(Checkpoint { offset: self.offset, state: vec![self.epoch] })
    }

    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let [epoch] = checkpoint.state()?;
        (self.epoch, self.offset) = (epoch, checkpoint.offset);
        self.whole.clear();
        Ok(())
    }
}
