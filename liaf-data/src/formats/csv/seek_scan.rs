//! Seek points among lines: from any byte on, the next line starts after the next line end.

use super::line::{self, Columns, Line};
use crate::codec::Checkpoint;
use crate::codec::seek::{SampledPoint, ScanResult, SeekScan, stride};
use crate::error::Result;
use crate::io::ByteSource;

/// Number of bytes in which a complete line is searched.
const LOOK: usize = 4096;

#[derive(Debug)]
pub(crate) struct LineScan {
    pub start: u64,
    pub columns: Columns,
}

impl SeekScan for LineScan {
    fn look(&mut self, source: &mut ByteSource) -> Result<Option<ScanResult>> {
        let Some(len) = source.len() else { return Ok(None) };
        let step = stride(len.saturating_sub(self.start)).max(LOOK as u64);
        let mut points = Vec::new();
        // No seek point is needed at the start of the data.
        for at in (self.start..len).step_by(step as usize).skip(1) {
            let bytes = source.read_at(at, LOOK)?;
            let ahead = self.columns.line_len(&bytes);
            let mut offset = at + ahead as u64;
            let end = self.columns.line_end;
            let lines = bytes.get(ahead..).unwrap_or_default().split_inclusive(|&b| b == end);
            for line in lines.filter(|line| line.ends_with(&[end])) {
                if let Line::Event(event) = line::parse(line, &self.columns) {
                    let checkpoint = Checkpoint { offset, state: vec![-1] };
                    points.push(SampledPoint { checkpoint, time: event.t });
                    break;
                }
                offset += line.len() as u64;
            }
        }
        Ok(Some(ScanResult::Sampled(points)))
    }
}
