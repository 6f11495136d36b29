//! Seek points among records whose times depend on the number of overflows before them. The
//! overflows are counted, and most records are not processed any further.

use super::decode::{OVERFLOW, RECORD, is_marker, time};
use crate::codec::seek::{SampledPoint, ScanResult, SeekScan, stride};
use crate::codec::{AtisOverflow, Checkpoint};
use crate::error::Result;
use crate::io::ByteSource;

#[derive(Debug)]
pub(crate) struct MarkerScout {
    pub start: u64,
    pub overflow: AtisOverflow,
}

impl SeekScan for MarkerScout {
    fn look(&mut self, source: &mut ByteSource) -> Result<Option<ScanResult>> {
        let Some(len) = source.len() else { return Ok(None) };
        let step = stride(len.saturating_sub(self.start)) as usize / RECORD * RECORD;
        let (mut epoch, mut points) = (0, Vec::new());
        let mut at = self.start;
        while at + RECORD as u64 <= len {
            // Without overflows, the first record has all that is needed.
            let counts = self.overflow != AtisOverflow::Ignore;
            let bytes = source.read_at(at, if counts { step } else { RECORD })?;
            let records = bytes.as_chunks::<RECORD>().0;
            let Some(first) = records.first() else { break };
            let here = epoch + i64::from(counts && is_marker(first)) * OVERFLOW;
            let checkpoint = Checkpoint { offset: at, state: vec![epoch] };
            points.push(SampledPoint { checkpoint, time: here + i64::from(time(first)) });
            if counts {
                epoch += records.iter().map(|r| i64::from(is_marker(r))).sum::<i64>() * OVERFLOW;
            }
            at += step as u64;
        }
        Ok(Some(ScanResult::Sampled(points)))
    }
}
