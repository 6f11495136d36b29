//! Records to events.

use multiversion::multiversion;

use super::layout::{Axis, Layout, Reading, Word};
use crate::codec::record_buffer::RecordBuffer;
use crate::codec::records::{Clock, is_reset, is_wrap};
use crate::codec::{Checkpoint, ClockReset, Decoder, EventSink, ReadOptions};
use crate::error::{Error, Result};
use crate::io::{in_order, places_per_pool};
use crate::model::{EventBatch, Finding, Report, SensorSize};

/// Records that are looked at together; their bytes and columns stay in the first-level cache.
const BLOCK: usize = 1024;
/// Records between two calls of the sink.
const BATCH: usize = 8 * BLOCK;
/// Records that one thread takes at a time.
const SEGMENT: usize = 16 * BLOCK;

/// Decodes the records of an AEDAT 2.0 file; the header is behind it.
pub type Aedat2Decoder = WordDecoder<8>;

/// Decodes the records of an AEDAT 1.0 file; the header is behind it.
pub type Aedat1Decoder = WordDecoder<6>;

/// Decodes records of an address and a time; the header is behind it.
#[derive(Debug)]
pub struct WordDecoder<const N: usize> {
    rule: Rule,
    clock: Clock,
    strict: bool,
    parallel: bool,
    whole: RecordBuffer<N>,
    offset: u64,
    batch: EventBatch,
    places: Vec<Segment>,
    report: Report,
}

impl<const N: usize> WordDecoder<N>
where
    [u8; N]: Word,
{
    /// A decoder for the data that begins at byte `start`; `report` has what stands before it.
    pub(crate) fn new(
        layout: Layout,
        reading: Reading,
        sensor: Option<SensorSize>,
        start: u64,
        report: Report,
        options: &ReadOptions,
    ) -> Self {
        let is_careful = options.strict || options.clock_reset == ClockReset::Error;
        let parallel = options.parallel && !is_careful;
        let mut places = Vec::new();
        places.resize_with(if parallel { places_per_pool() } else { 0 }, Segment::default);
        Self {
            rule: Rule { layout, reading, sensor },
            clock: Clock { resets: options.clock_reset, ..Clock::default() },
            strict: options.strict,
            parallel,
            whole: RecordBuffer::default(),
            offset: start,
            batch: EventBatch::new(),
            places,
            report,
        }
    }

    fn records(&mut self, records: &[[u8; N]], sink: &mut dyn EventSink) -> Result<()> {
        if self.parallel && records.len() > SEGMENT {
            return self.segments(records, sink);
        }
        // In strict mode one record at a time, so that the sink's errors have its offset; and where what
        // is in front of an error is to be given.
        let ends_at_resets = self.clock.resets == ClockReset::Error;
        for records in records.chunks(if self.strict || ends_at_resets { 1 } else { BATCH }) {
            self.batch.clear();
            let (rule, report) = (self.rule, &mut self.report);
            rule.decode(records, self.offset, &mut self.clock, &mut self.batch, report);
            let at = self.offset;
            self.offset += size_of_val(records) as u64;
            if ends_at_resets && self.report.count(Finding::TimestampResets) > 0 {
                return Err(Error::malformed("the clock begins anew")
                    .at(at)
                    .expected("times that go on")
                    .advice("--clock-reset keep or rebase reads on"));
            }
            if !self.batch.is_empty() {
                sink.events(&mut self.batch, at)?;
            }
        }
        Ok(())
    }

    /// As the serial path, cut in segments. Each takes the time before it from the record before
    /// it; wraps inside earlier segments are added afterwards.
    fn segments(&mut self, records: &[[u8; N]], sink: &mut dyn EventSink) -> Result<()> {
        let parts: Vec<_> = records.chunks(SEGMENT).collect();
        let (rule, clock, offset) = (self.rule, self.clock, self.offset);
        let work = |i: usize, part: &&[[u8; N]], segment: &mut Segment| {
            let first = i * SEGMENT;
            segment.offset = offset + (first * N) as u64;
            segment.clock = clock;
            if let Some(before) = first.checked_sub(1).and_then(|before| records.get(before)) {
                segment.clock.last = Some(before.time());
            }
            segment.batch.clear();
            segment.report = Report::default();
            let Segment { offset, clock, batch, report } = segment;
            rule.decode(part, *offset, clock, batch, report);
        };
        let mut wraps = 0;
        let give = |_, _: &&[[u8; N]], segment: &mut Segment| {
            if wraps != 0 {
                segment.batch.t.iter_mut().for_each(|t| *t += wraps);
            }
            wraps += segment.clock.epoch - clock.epoch;
            self.clock = Clock { last: segment.clock.last, epoch: clock.epoch + wraps, ..clock };
            self.report.merge(&segment.report);
            if segment.batch.is_empty() {
                return Ok(());
            }
            sink.events(&mut segment.batch, segment.offset)
        };
        in_order(&parts, &mut self.places, work, give)?;
        self.offset = offset + size_of_val(records) as u64;
        Ok(())
    }
}

impl<const N: usize> Decoder for WordDecoder<N>
where
    [u8; N]: Word,
{
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
        self.clock = Clock { resets: self.clock.resets, ..Clock::of(checkpoint)? };
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

/// How records become events; the same for every record of a file.
#[derive(Debug, Clone, Copy)]
struct Rule {
    layout: Layout,
    reading: Reading,
    sensor: Option<SensorSize>,
}

impl Rule {
    /// Appends the events of `records`, which begin at `offset`.
    fn decode<W: Word>(
        self,
        records: &[W],
        mut offset: u64,
        clock: &mut Clock,
        batch: &mut EventBatch,
        report: &mut Report,
    ) {
        let convert = self.converter();
        for block in records.chunks(BLOCK) {
            let resets = clock.resets != ClockReset::Keep && has_reset(block, clock.last);
            if !resets && is_plain(block, self.reading.special, clock.last) {
                append(block, convert, clock.epoch, batch);
                clock.last = block.last().map(W::time);
                report.bytes.events += size_of_val(block) as u64;
            } else {
                self.one_by_one(block, offset, clock, batch, report);
            }
            offset += size_of_val(block) as u64;
        }
    }

    /// The block as it is when some words are not pixels or the time wraps.
    fn one_by_one<W: Word>(
        self,
        block: &[W],
        offset: u64,
        clock: &mut Clock,
        batch: &mut EventBatch,
        report: &mut Report,
    ) {
        let convert = self.converter();
        let mut others = [(0, 0); 4];
        for (record, at) in block.iter().zip((offset..).step_by(size_of::<W>())) {
            let address = record.address();
            if let Some(finding) = clock.advance(record.time()) {
                report.add(finding, 1, at);
            }
            if address & self.reading.special == 0 {
                batch.t.push(clock.epoch + i64::from(record.time()));
                batch.x.push(convert.x(address));
                batch.y.push(convert.y(address));
                batch.p.push(convert.p(address));
            } else {
                let (count, first) = &mut others[self.kind_of(address)];
                if *count == 0 {
                    *first = at;
                }
                *count += 1;
            }
        }
        let [external, aps, imu, imu_rest] = others;
        report.add(Finding::ExternalWords, external.0, external.1);
        report.add(Finding::ApsWords, aps.0, aps.1);
        report.add(Finding::ImuSamples, imu.0, imu.1);
        let other_bytes = (external.0 + aps.0 + imu.0 + imu_rest.0) * size_of::<W>() as u64;
        report.bytes.other += other_bytes;
        report.bytes.events += size_of_val(block) as u64 - other_bytes;
    }

    /// Index of a word that is not a pixel: 0 external, 1 APS, 2 first of the seven words of an IMU
    /// sample, 3 another of them.
    fn kind_of(self, address: u32) -> usize {
        match (self.layout, address >> 31, address >> 10 & 3, address >> 28 & 7) {
            (Layout::Davis, 1, 3, 0) => 2,
            (Layout::Davis, 1, 3, _) => 3,
            (Layout::Davis, 1, ..) => 1,
            _ => 0,
        }
    }

    fn converter(self) -> Converter {
        let size = self.sensor.unwrap_or(SensorSize::new(0, 0));
        Converter {
            x: Coordinate::new(self.reading.x, size.width),
            y: Coordinate::new(self.reading.y, size.height),
            p_shift: self.reading.p_shift,
            p_invert: self.reading.p_invert,
        }
    }
}

/// Whether every word of the block is a pixel and the time does not wrap in it.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn is_plain<W: Word>(block: &[W], special: u32, before: Option<u32>) -> bool {
    let first = block.first().map_or(0, W::time);
    let bits = block.iter().fold(0, |bits, record| bits | record.address());
    let wraps =
        block.windows(2).fold(false, |any, pair| any | is_wrap(pair[0].time(), pair[1].time()));
    bits & special == 0 && !wraps && !is_wrap(before.unwrap_or(first), first)
}

/// Whether the clock begins anew in the block.
fn has_reset<W: Word>(block: &[W], before: Option<u32>) -> bool {
    let first = block.first().map_or(0, W::time);
    let mut pairs = block.windows(2);
    is_reset(before.unwrap_or(first), first)
        || pairs.any(|pair| is_reset(pair[0].time(), pair[1].time()))
}

/// Appends an event for each word of a plain block.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn append<W: Word>(block: &[W], convert: Converter, epoch: i64, batch: &mut EventBatch) {
    batch.t.extend(block.iter().map(|record| epoch + i64::from(record.time())));
    batch.x.extend(block.iter().map(|record| convert.x(record.address())));
    batch.y.extend(block.iter().map(|record| convert.y(record.address())));
    batch.p.extend(block.iter().map(|record| convert.p(record.address())));
}

/// Address to x, y and polarity.
#[derive(Clone, Copy)]
struct Converter {
    x: Coordinate,
    y: Coordinate,
    p_shift: u32,
    p_invert: u8,
}

impl Converter {
    fn x(&self, address: u32) -> u16 {
        self.x.of(address)
    }

    fn y(&self, address: u32) -> u16 {
        self.y.of(address)
    }

    fn p(&self, address: u32) -> u8 {
        (address >> self.p_shift) as u8 & 1 ^ self.p_invert
    }
}

/// `flip ^ -field + last`: with `flip` all ones this is `last - field`, else `field`.
#[derive(Clone, Copy)]
struct Coordinate {
    shift: u32,
    mask: u16,
    flip: u16,
    add: u16,
}

impl Coordinate {
    fn new(axis: Axis, size: u16) -> Self {
        let (flip, add) = if axis.mirrored { (u16::MAX, size) } else { (0, 0) };
        Self { shift: axis.shift, mask: axis.mask as u16, flip, add }
    }

    /// The coordinate; a mirrored one beyond the sensor wraps to a large number, which is outside.
    fn of(self, address: u32) -> u16 {
        // Two's complement: !field = -field - 1, so !field + size = size - 1 - field.
        (((address >> self.shift) as u16 & self.mask) ^ self.flip).wrapping_add(self.add)
    }
}
