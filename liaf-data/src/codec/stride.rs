//! Seek points among records of one size that have a time of 32 bits, found by arithmetic.

use super::Checkpoint;
use super::records::{Clock, RecordState};
use super::seek::{SampledPoint, ScanResult, SeekScan, stride};
use crate::error::Result;
use crate::io::ByteSource;

/// Samples records at regular distances. The record before each of them is read as well, because
/// two consecutive times show whether the counter wrapped.
#[derive(Debug)]
pub(crate) struct StrideScan {
    /// Offset of the first record.
    pub start: u64,
    /// Size of a record in bytes.
    pub record: usize,
    /// Reads the time of a record.
    pub time: fn(&[u8]) -> Option<u32>,
}

impl SeekScan for StrideScan {
    fn look(&mut self, source: &mut ByteSource) -> Result<Option<ScanResult>> {
        let Some(len) = source.len() else { return Ok(None) };
        let (data, record) = (len.saturating_sub(self.start), self.record as u64);
        let records = data / record;
        let step = (stride(data) / record).max(1);
        let mut clock = Clock::default();
        let mut points = Vec::new();
        for k in (0..records).step_by(usize::try_from(step).unwrap_or(usize::MAX)) {
            let before = k.saturating_sub(1);
            let bytes = source.read_at(self.start + before * record, 2 * self.record)?;
            let (first, second) = bytes.split_at(self.record.min(bytes.len()));
            let (Some(first), second) = ((self.time)(first), (self.time)(second)) else {
                return Ok(None);
            };
            let here = if k > 0 {
                clock.advance(first);
                second
            } else {
                Some(first)
            };
            let Some(here) = here else { return Ok(None) };
            let checkpoint = Checkpoint { offset: self.start + k * record, state: clock.pack() };
            clock.advance(here);
            points.push(SampledPoint { checkpoint, time: clock.epoch + i64::from(here) });
        }
        Ok(Some(ScanResult::Sampled(points)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_unrolled_from_place_to_place() {
        let time = |i: u64| (i * 3_000_000 + 4_000_000_000) as u32;
        let bytes: Vec<u8> =
            (0..8000).flat_map(|i| [time(i).to_le_bytes(), [0; 4]].concat()).collect();
        let mut seek_scan = StrideScan {
            start: 8,
            record: 8,
            time: |record| record.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)),
        };
        let seen = seek_scan.look(&mut ByteSource::from_bytes(bytes)).unwrap().unwrap();
        let ScanResult::Sampled(points) = seen else { panic!("{seen:?}") };
        assert_eq!(points.len(), 16);
        for point in &points {
            let i = point.checkpoint.offset / 8;
            assert_eq!(point.time, i as i64 * 3_000_000 + 4_000_000_000, "record {i}");
        }
        assert_eq!(points[0].checkpoint.state, [-1, 0]);
    }
}
