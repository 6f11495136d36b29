//! Decoding of records to events.

use multiversion::multiversion;

use super::layout::{Axis, Layout, Reading, Word};
use crate::codec::records::{BLOCK, Clock, RecordDecoder, RecordFormat, is_reset, is_wrap};
use crate::codec::{Checkpoint, ClockReset, ReadOptions};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::model::{EventBatch, Finding, Report, SensorSize};

/// Index of the words of other cameras among those that are not events.
const OTHER_CAMERA: usize = 4;

/// Decodes the records of an AEDAT 2.0 file, which follow its header.
pub type Aedat2Decoder = RecordDecoder<AddressRecords, 8>;

/// Decodes the records of an AEDAT 1.0 file, which follow its header.
pub type Aedat1Decoder = RecordDecoder<AddressRecords, 6>;

impl<const N: usize> RecordDecoder<AddressRecords, N>
where
    [u8; N]: Word,
{
    /// A decoder for data that starts at byte `start`; `report` covers everything before it.
    pub(crate) fn new(
        layout: Layout,
        reading: Reading,
        sensor: Option<SensorSize>,
        start: u64,
        report: Report,
        options: &ReadOptions,
    ) -> Self {
        let records = AddressRecords { layout, reading, sensor, resets: options.aedat.clock_reset };
        Self::with_format(records, start, report, options)
    }
}

/// The format of records that consist of an address and a time.
#[derive(Debug, Clone, Copy)]
pub struct AddressRecords {
    layout: Layout,
    reading: Reading,
    sensor: Option<SensorSize>,
    resets: ClockReset,
}

impl<const N: usize> RecordFormat<N> for AddressRecords
where
    [u8; N]: Word,
{
    type State = Clock;
    /// The last time.
    type Trail = Option<u32>;
    type Scratch = ();

    fn start(self) -> Clock {
        Clock { resets: self.resets, ..Clock::default() }
    }

    fn decode(
        self,
        records: &[[u8; N]],
        mut offset: u64,
        clock: &mut Clock,
        batch: &mut EventBatch,
        report: &mut Report,
        (): &mut (),
    ) {
        let convert = self.converter();
        let Reading { special, camera, wanted, .. } = self.reading;
        let not_event = special | camera;
        for block in records.chunks(BLOCK) {
            let resets = clock.resets != ClockReset::Keep && has_reset(block, clock.last);
            if !resets && is_plain(block, not_event, wanted, clock.last) {
                append(block, convert, clock.epoch, batch);
                clock.last = block.last().map(Word::time);
                report.bytes.events += size_of_val(block) as u64;
            } else {
                self.one_by_one(block, offset, clock, batch, report);
            }
            offset += size_of_val(block) as u64;
        }
    }

    fn trail(self, records: &[[u8; N]]) -> Option<u32> {
        records.last().map(Word::time)
    }

    fn follow(self, clock: &mut Clock, &last: &Option<u32>) {
        clock.last = last.or(clock.last);
    }

    fn unpack(self, checkpoint: &Checkpoint) -> Result<Clock> {
        Ok(Clock { resets: self.resets, ..Clock::of(checkpoint)? })
    }

    fn is_violated(self, report: &Report, _strict: bool) -> bool {
        self.resets == ClockReset::Error && report.count(Finding::TimestampResets) > 0
    }

    fn violation(self, _record: &[u8; N], _report: &Report) -> Error {
        Error::malformed("the clock restarts")
            .expected("times that continue")
            .hint(Hint::KeepReadingAtClockReset)
    }
}

impl AddressRecords {
    /// Decodes a block in which some words are not pixels or the time wraps.
    fn one_by_one<W: Word>(
        self,
        block: &[W],
        offset: u64,
        clock: &mut Clock,
        batch: &mut EventBatch,
        report: &mut Report,
    ) {
        let convert = self.converter();
        let Reading { special, camera, wanted, .. } = self.reading;
        let mut others = [(0, 0); 5];
        for (record, at) in block.iter().zip((offset..).step_by(size_of::<W>())) {
            let address = record.address();
            if let Some(finding) = clock.advance(record.time()) {
                report.add(finding, 1, at);
            }
            if address & (special | camera) == wanted {
                batch.t.push(clock.epoch + i64::from(record.time()));
                batch.x.push(convert.x(address));
                batch.y.push(convert.y(address));
                batch.p.push(convert.p(address));
            } else {
                let kind =
                    if address & special == 0 { OTHER_CAMERA } else { self.kind_of(address) };
                let (count, first) = &mut others[kind];
                if *count == 0 {
                    *first = at;
                }
                *count += 1;
            }
        }
        let [external, aps, imu, imu_rest, cameras] = others;
        report.add(Finding::ExternalWords, external.0, external.1);
        report.add(Finding::ApsWords, aps.0, aps.1);
        report.add(Finding::ImuSamples, imu.0, imu.1);
        report.add(Finding::OtherStreamEvents, cameras.0, cameras.1);
        let other_words = external.0 + aps.0 + imu.0 + imu_rest.0 + cameras.0;
        let other_bytes = other_words * size_of::<W>() as u64;
        report.bytes.other += other_bytes;
        report.bytes.events += size_of_val(block) as u64 - other_bytes;
    }

    /// Index of the kind of a word that is not a pixel: 0 external, 1 APS, 2 the first of the seven
    /// words of an IMU reading, 3 another of these words.
    fn kind_of(self, address: u32) -> usize {
        match (self.layout.is_davis(), address >> 31, address >> 10 & 3, address >> 28 & 7) {
            (true, 1, 3, 0) => 2,
            (true, 1, 3, _) => 3,
            (true, 1, ..) => 1,
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

/// Whether every word of the block is an event of the wanted camera and the time does not wrap in it.
/// `not_event` has the bits of which such a word has only those of `wanted`.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn is_plain<W: Word>(block: &[W], not_event: u32, wanted: u32, before: Option<u32>) -> bool {
    let first = block.first().map_or(0, W::time);
    let bits = block.iter().fold(0, |bits, record| bits | (record.address() ^ wanted));
    let wraps =
        block.windows(2).fold(false, |any, pair| any | is_wrap(pair[0].time(), pair[1].time()));
    bits & not_event == 0 && !wraps && !is_wrap(before.unwrap_or(first), first)
}

/// Whether the clock restarts in the block.
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

/// Converts an address to x, y and polarity.
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

/// Computes `flip ^ -field + last`: if all bits of `flip` are set this is `last - field`, otherwise
/// `field`.
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

    /// The coordinate. A mirrored coordinate beyond the sensor wraps to a large number, which is
    /// outside the sensor as well.
    fn of(self, address: u32) -> u16 {
        // In two's complement !field = -field - 1, so that !field + size = size - 1 - field.
        (((address >> self.shift) as u16 & self.mask) ^ self.flip).wrapping_add(self.add)
    }
}
