//! Cuts bytes that arrive in pieces of any size into records.

use crate::error::{Error, Result};
use crate::model::{Finding, Report};

/// Cuts bytes into records of `N` bytes, and keeps an incomplete record until its rest arrives.
#[derive(Debug, Default)]
pub(crate) struct RecordBuffer<const N: usize> {
    carry: Vec<u8>,
}

impl<const N: usize> RecordBuffer<N> {
    /// Calls `take` with the complete records of the kept bytes followed by `bytes`.
    ///
    /// # Errors
    /// Those of `take`.
    pub fn push(
        &mut self,
        mut bytes: &[u8],
        mut take: impl FnMut(&[[u8; N]]) -> Result<()>,
    ) -> Result<()> {
        if !self.carry.is_empty() {
            let missing = (N - self.carry.len()).min(bytes.len());
            self.carry.extend_from_slice(&bytes[..missing]);
            bytes = &bytes[missing..];
            let Ok(record) = <[u8; N]>::try_from(&self.carry[..]) else { return Ok(()) };
            self.carry.clear();
            take(&[record])?;
        }
        let (records, rest) = bytes.as_chunks::<N>();
        self.carry.extend_from_slice(rest);
        take(records)
    }

    /// Ends the input. If an incomplete record is left, it starts at `offset`; `what` is what a
    /// record is called in the error.
    ///
    /// # Errors
    /// If an incomplete record is left and the reader is `strict`.
    pub fn finish(
        &mut self,
        what: &str,
        offset: u64,
        strict: bool,
        report: &mut Report,
    ) -> Result<()> {
        let tail = std::mem::take(&mut self.carry).len() as u64;
        if tail == 0 {
            return Ok(());
        }
        report.bytes.skipped += tail;
        report.add(Finding::TruncatedTails, 1, offset);
        if strict {
            let found = if tail == 1 { "1 byte".to_owned() } else { format!("{tail} bytes") };
            return Err(Error::truncated(format!("the last {what} is incomplete"))
                .at(offset)
                .expected(format!("{N} bytes"))
                .found(found));
        }
        Ok(())
    }

    /// Drops the bytes of an incomplete record.
    pub fn clear(&mut self) {
        self.carry.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_the_same_however_bytes_are_cut() {
        let bytes: Vec<u8> = (0..50).collect();
        for size in 1..=50 {
            let mut whole = RecordBuffer::<7>::default();
            let mut taken = Vec::new();
            for piece in bytes.chunks(size) {
                let take = |records: &[[u8; 7]]| {
                    taken.extend(records.concat());
                    Ok(())
                };
                whole.push(piece, take).unwrap();
            }
            assert_eq!(taken, bytes[..49]);
            let mut report = Report::default();
            let error = whole.finish("record", 49, true, &mut report).unwrap_err();
            assert_eq!((error.offset(), report.bytes.skipped), (Some(49), 1));
        }
    }
}
