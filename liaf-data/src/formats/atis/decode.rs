//! Decoding of records of 5 bytes to events.

use crate::codec::records::{RecordDecoder, RecordFormat, RecordState};
use crate::codec::{AtisOverflow, Checkpoint, ReadOptions};
use crate::error::Result;
use crate::model::{EventBatch, Finding, Report};

pub(crate) const RECORD: usize = 5;
/// This y marks an overflow.
pub(crate) const OVERFLOW_Y: u8 = 240;
/// How much an overflow adds to the time, in µs.
pub(crate) const OVERFLOW: i64 = 1 << 13;

/// Decodes ATIS events of 5 bytes, which have no header.
pub type AtisBinDecoder = RecordDecoder<AtisRecords, RECORD>;

impl AtisBinDecoder {
    /// A decoder for data that starts at byte `start`.
    ///
    /// ```
    /// use liaf_data::formats::AtisBinDecoder;
    /// use liaf_data::{Event, EventBatch, ReadOptions};
    /// use liaf_data::decode::Decoder;
    ///
    /// # fn main() -> liaf_data::Result<()> {
    /// // Column 3, row 4, ON, and 9 µs.
    /// let bytes = [3, 4, 0x80, 0, 9];
    /// let mut decoder = AtisBinDecoder::new(0, &ReadOptions::new());
    /// let mut events = EventBatch::new();
    /// for piece in bytes.chunks(3) {
    ///     decoder.push(piece, &mut events)?;
    /// }
    /// decoder.finish(&mut events)?;
    /// assert_eq!(events.get(0), Some(Event { t: 9, x: 3, y: 4, p: 1 }));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(start: u64, options: &ReadOptions) -> Self {
        let records = AtisRecords { overflow: options.atis.overflow };
        Self::with_format(records, start, Report::of_header(start), options)
    }
}

/// The format of the records of an ATIS file.
#[derive(Debug, Clone, Copy)]
pub struct AtisRecords {
    overflow: AtisOverflow,
}

/// What overflows have added to the times so far, in µs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Overflows(i64);

impl RecordState for Overflows {
    fn epoch(&mut self) -> &mut i64 {
        &mut self.0
    }

    fn pack(&self) -> Vec<i64> {
        vec![self.0]
    }
}

/// The time of a record, as stored.
pub(crate) fn time(record: &[u8; RECORD]) -> u32 {
    u32::from_be_bytes([0, record[2] & 0x7f, record[3], record[4]])
}

/// Whether a record marks an overflow, if overflows are in use.
pub(crate) fn is_marker(record: &[u8; RECORD]) -> bool {
    record[1] == OVERFLOW_Y
}

impl RecordFormat<RECORD> for AtisRecords {
    type State = Overflows;
    /// Earlier records affect only the epoch.
    type Trail = ();
    type Scratch = ();
    const SEGMENT: usize = Self::BATCH;

    fn start(self) -> Overflows {
        Overflows::default()
    }

    fn decode(
        self,
        records: &[[u8; RECORD]],
        offset: u64,
        Overflows(epoch): &mut Overflows,
        batch: &mut EventBatch,
        report: &mut Report,
        (): &mut (),
    ) {
        report.bytes.events += size_of_val(records) as u64;
        if self.overflow == AtisOverflow::Ignore
            || !records.iter().fold(false, |any, r| any | is_marker(r))
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

    fn trail(self, _records: &[[u8; RECORD]]) {}

    fn follow(self, _state: &mut Overflows, (): &()) {}

    fn unpack(self, checkpoint: &Checkpoint) -> Result<Overflows> {
        checkpoint.state().map(|[epoch]| Overflows(epoch))
    }
}

/// Appends an event for each record.
fn append(records: &[[u8; RECORD]], epoch: i64, batch: &mut EventBatch) {
    batch.t.extend(records.iter().map(|record| epoch + i64::from(time(record))));
    batch.x.extend(records.iter().map(|record| u16::from(record[0])));
    batch.y.extend(records.iter().map(|record| u16::from(record[1])));
    batch.p.extend(records.iter().map(|record| record[2] >> 7));
}
