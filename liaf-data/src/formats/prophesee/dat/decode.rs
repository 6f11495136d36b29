//! Decoding of records to events.

use multiversion::multiversion;

use super::DatVersion;
use crate::codec::records::{BLOCK, Clock, RecordDecoder, RecordFormat, is_wrap};
use crate::codec::{Checkpoint, ReadOptions};
use crate::error::Result;
use crate::model::{EventBatch, Finding, Report};

/// Size of a record in bytes.
pub(crate) const RECORD: usize = 8;

/// Decodes the records of a DAT file, which follow its header.
pub type DatDecoder = RecordDecoder<DatRecords, RECORD>;

impl DatDecoder {
    /// A decoder for events that start `header` bytes after the beginning of the file; 0 without a
    /// header.
    ///
    /// ```
    /// use liaf_data::formats::{DatDecoder, DatVersion};
    /// use liaf_data::{Event, EventBatch, ReadOptions};
    /// use liaf_data::decode::Decoder;
    ///
    /// # fn main() -> liaf_data::Result<()> {
    /// // The time, then polarity, row and column.
    /// let words = [69_u32, 1 << 28 | 4 << 14 | 3];
    /// let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    /// let mut decoder = DatDecoder::new(0, DatVersion::Two, &ReadOptions::new());
    /// let mut events = EventBatch::new();
    /// for piece in bytes.chunks(3) {
    ///     decoder.push(piece, &mut events)?;
    /// }
    /// decoder.finish(&mut events)?;
    /// assert_eq!(events.get(0), Some(Event { t: 69, x: 3, y: 4, p: 1 }));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(header: u64, version: DatVersion, options: &ReadOptions) -> Self {
        let report = Report::of_header(header);
        Self::with_format(DatRecords::events(version), header, report, options)
    }
}

/// The format of the records of a DAT file.
#[derive(Debug, Clone, Copy)]
pub struct DatRecords(Option<Fields>);

/// Where an event stores its row and polarity, and the width of its coordinates.
#[derive(Debug, Clone, Copy)]
struct Fields {
    x_mask: u16,
    y_shift: u32,
    y_mask: u16,
    p_shift: u32,
}

impl DatRecords {
    /// The format of triggers, which are only counted.
    pub(crate) const TRIGGERS: Self = Self(None);

    /// The format of events in this version.
    pub(crate) fn events(version: DatVersion) -> Self {
        Self(Some(match version {
            DatVersion::One => Fields { x_mask: 0x1ff, y_shift: 9, y_mask: 0xff, p_shift: 17 },
            DatVersion::Two => Fields { x_mask: 0x3fff, y_shift: 14, y_mask: 0x3fff, p_shift: 28 },
        }))
    }
}

impl RecordFormat<RECORD> for DatRecords {
    type State = Clock;
    /// The last time.
    type Trail = Option<u32>;
    type Scratch = ();

    fn start(self) -> Clock {
        Clock::default()
    }

    fn decode(
        self,
        records: &[[u8; RECORD]],
        mut offset: u64,
        clock: &mut Clock,
        batch: &mut EventBatch,
        report: &mut Report,
        (): &mut (),
    ) {
        let bytes = size_of_val(records) as u64;
        let Self(Some(fields)) = self else {
            report.add(Finding::Triggers, records.len() as u64, offset);
            report.bytes.other += bytes;
            return;
        };
        report.bytes.events += bytes;
        for block in records.chunks(BLOCK) {
            if wraps(block, clock.last) {
                for (record, at) in block.iter().zip((offset..).step_by(RECORD)) {
                    if let Some(finding) = clock.advance(time(record)) {
                        report.add(finding, 1, at);
                    }
                    append(std::slice::from_ref(record), fields, clock.epoch, batch);
                }
            } else {
                append(block, fields, clock.epoch, batch);
                clock.last = block.last().map(time);
            }
            offset += size_of_val(block) as u64;
        }
    }

    fn trail(self, records: &[[u8; RECORD]]) -> Option<u32> {
        records.last().map(time)
    }

    fn follow(self, clock: &mut Clock, &last: &Option<u32>) {
        clock.last = last.or(clock.last);
    }

    fn unpack(self, checkpoint: &Checkpoint) -> Result<Clock> {
        Clock::of(checkpoint)
    }
}

/// The time of a record; `None` if the record is incomplete.
pub(crate) fn time_of(record: &[u8]) -> Option<u32> {
    record.first_chunk().map(time)
}

#[inline(always)]
pub(crate) fn time(record: &[u8; RECORD]) -> u32 {
    u64::from_le_bytes(*record) as u32
}

#[inline(always)]
pub(crate) fn data(record: &[u8; RECORD]) -> u32 {
    (u64::from_le_bytes(*record) >> 32) as u32
}

/// Whether the time wraps in the block, or between `before` and the block.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn wraps(block: &[[u8; RECORD]], before: Option<u32>) -> bool {
    let first = block.first().map_or(0, time);
    let inside =
        block.windows(2).fold(false, |any, pair| any | is_wrap(time(&pair[0]), time(&pair[1])));
    inside || is_wrap(before.unwrap_or(first), first)
}

/// Appends an event for each record of a block without wraps.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn append(block: &[[u8; RECORD]], fields: Fields, epoch: i64, batch: &mut EventBatch) {
    let Fields { x_mask, y_shift, y_mask, p_shift } = fields;
    batch.t.extend(block.iter().map(|record| epoch + i64::from(time(record))));
    batch.x.extend(block.iter().map(|record| data(record) as u16 & x_mask));
    batch.y.extend(block.iter().map(|record| (data(record) >> y_shift) as u16 & y_mask));
    batch.p.extend(block.iter().map(|record| (data(record) >> p_shift) as u8 & 1));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Decoder;
    use crate::model::{Event, FindingCount};

    fn bytes(records: &[(u32, u32)]) -> Vec<u8> {
        records
            .iter()
            .flat_map(|(t, data)| [t.to_le_bytes(), data.to_le_bytes()].concat())
            .collect()
    }

    fn run(bytes: &[u8], chunk: usize, mut decoder: impl Decoder) -> (EventBatch, Report) {
        let mut events = EventBatch::new();
        bytes.chunks(chunk).try_for_each(|part| decoder.push(part, &mut events)).unwrap();
        decoder.finish(&mut events).unwrap();
        (events, decoder.report().clone())
    }

    fn decoder(format: DatRecords, parallel: bool) -> DatDecoder {
        let options = ReadOptions { parallel, ..ReadOptions::default() };
        DatDecoder::with_format(format, 100, Report::default(), &options)
    }

    #[test]
    fn both_versions_worked_by_hand() {
        let two = [(5, 1 << 28 | 719 << 14 | 1279), (4, 0xe << 28 | 0x3fff << 14 | 0x3fff)];
        let (events, report) =
            run(&bytes(&two), 99, decoder(DatRecords::events(DatVersion::Two), false));
        let expected = [(5, 1279, 719, 1), (4, 0x3fff, 0x3fff, 0)];
        assert!(events.iter().eq(expected.map(|(t, x, y, p)| Event { t, x, y, p })));
        assert_eq!((report.bytes.events, report.findings.len()), (16, 0));
        let one = [(5, 1 << 17 | 239 << 9 | 303), (6, 0xff << 9 | 0x1ff | 0x1fff << 18)];
        let (events, _) =
            run(&bytes(&one), 99, decoder(DatRecords::events(DatVersion::One), false));
        let expected = [(5, 303, 239, 1), (6, 0x1ff, 0xff, 0)];
        assert!(events.iter().eq(expected.map(|(t, x, y, p)| Event { t, x, y, p })));
    }

    #[test]
    fn a_fall_by_more_than_half_the_range_is_a_wrap() {
        let half = 1 << 31;
        let records = [(u32::MAX, 0), (half, 0), (0, 0), (half + 1, 0), (0, 0)];
        let (events, report) =
            run(&bytes(&records), 99, decoder(DatRecords::events(DatVersion::Two), false));
        let half = i64::from(half);
        assert_eq!(events.t, [2 * half - 1, half, 0, half + 1, 2 * half]);
        assert_eq!(report.findings[&Finding::TimeWraps], FindingCount::at_byte(1, 132));
    }

    #[test]
    fn triggers_are_counted() {
        let (events, report) =
            run(&bytes(&[(1, 2), (3, 4)]), 5, decoder(DatRecords::TRIGGERS, false));
        assert!(events.is_empty());
        assert_eq!(report.findings[&Finding::Triggers].count, 2);
        assert_eq!((report.bytes.events, report.bytes.other), (0, 16));
    }

    #[test]
    fn any_cut_on_any_number_of_threads_gives_the_same() {
        let mut state = 1u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 32) as u32
        };
        for steps in [1000, u32::MAX / 3, u32::MAX] {
            let mut t = 0u32;
            let records: Vec<_> = (0..5000)
                .map(|_| {
                    t = t.wrapping_add(random() % steps);
                    (t, random())
                })
                .collect();
            let bytes = [bytes(&records), vec![1; 3]].concat();
            let whole =
                run(&bytes, usize::MAX, decoder(DatRecords::events(DatVersion::Two), false));
            assert_eq!(whole.0.len(), records.len());
            // One by one, as the clock has it.
            let mut clock = Clock::default();
            let times = records.iter().map(|&(t, _)| {
                clock.advance(t);
                clock.epoch + i64::from(t)
            });
            assert!(times.eq(whole.0.t.iter().copied()));
            let strict = ReadOptions { strict: true, ..ReadOptions::default() };
            let mut strict = DatDecoder::new(100, DatVersion::Two, &strict);
            let mut events = EventBatch::new();
            strict.push(&bytes, &mut events).unwrap();
            assert!(events == whole.0);
            assert_eq!(strict.finish(&mut events).unwrap_err().offset(), Some(100 + 40_000));
            for (segment, chunk) in [(1, usize::MAX), (3, 1000), (64, 4097), (1024, 7), (99, 1)] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
                let parallel = || {
                    let decoder = decoder(DatRecords::events(DatVersion::Two), true);
                    run(&bytes, chunk, decoder.with_batches(segment))
                };
                assert!(pool.install(parallel) == whole, "in segments of {segment}");
            }
        }
    }
}
