//! Rows as a reader of blocks: in order, in part, and from a checkpoint on.

use std::ops::Range;

use liaf_hdf5::Buffers;

use super::RowReader;
use crate::codec::columns::View;
use crate::codec::{BlockReader, Checkpoint, EventSink, seek};
use crate::error::Result;
use crate::formats::hdf5::block::Block;
use crate::io::{ByteSource, in_order};
use crate::model::Report;

impl seek::Rows for RowReader {
    fn rows(&self) -> Range<u64> {
        self.row..self.end
    }

    fn time(&mut self, _source: &mut ByteSource, row: u64) -> Result<Option<i64>> {
        let (i, column) = self.columns[0];
        let Some(table) = self.tables.get_mut(i) else { return Ok(None) };
        if self.looked.as_ref().is_none_or(|(rows, _)| !rows.contains(&row)) {
            let first = row / table.chunk * table.chunk;
            let most = (self.limits.packet_bytes / table.row_bytes.max(1)).max(1) as u64;
            let first = first.max(row.saturating_sub(most / 2));
            let rows = first..table.next_chunk(row).min(first.saturating_add(most));
            let mut bytes = Vec::new();
            if table.read(rows.clone(), &mut Buffers::default(), &mut bytes).is_err() {
                return Ok(None);
            }
            self.looked = Some((rows, bytes));
        }
        let Some((rows, bytes)) = &self.looked else { return Ok(None) };
        let from = (row - rows.start) as usize * table.row_bytes;
        let view: View<'_> = table.view(column, bytes.get(from..).unwrap_or_default());
        Ok(self.rows.first_time(view))
    }

    fn grain(&self) -> u64 {
        self.tables.get(self.columns[0].0).map_or(1, |table| table.chunk)
    }

    fn keep(&mut self, _source: &mut ByteSource, rows: Range<u64>) -> Result<()> {
        self.looked = None;
        self.passed += (self.end - self.row) - (rows.end - rows.start);
        (self.row, self.end) = (rows.start, rows.end);
        Ok(())
    }
}

impl BlockReader for RowReader {
    fn again(&self) -> Option<Box<dyn BlockReader>> {
        let is_unread = self.row == 0 && self.passed == 0 && !self.ended;
        let mut again = Self::of(
            (self.tables.clone(), self.columns, self.rows),
            self.shared.clone(),
            (self.limits, self.strict, self.parallel),
        );
        again.table = self.table.clone();
        if let Some(missing) = self.missing {
            again.is_cut(missing);
        }
        again.report.merge(&self.beside);
        again.beside.clone_from(&self.beside);
        is_unread.then(|| Box::new(again) as Box<dyn BlockReader>)
    }

    fn pump(&mut self, _source: &mut ByteSource, sink: &mut dyn EventSink) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let wanted = self.next_blocks();
        if wanted.is_empty() {
            return self.finish().map(|()| false);
        }
        let many = if self.parallel { self.most_blocks() } else { 1 };
        let mut blocks = std::mem::take(&mut self.blocks);
        blocks.truncate(many);
        while blocks.len() < many {
            blocks.push(Block::new(self.tables.clone()));
        }
        let (columns, how) = (self.columns, self.rows);
        let mut goes_on = true;
        let result = if many > 1 {
            let work =
                |_, rows: &Range<u64>, block: &mut Block| block.read(rows.clone(), &columns, how);
            in_order(&wanted, &mut blocks, work, |_, _, block| {
                goes_on = goes_on && self.take(block, sink)?;
                Ok(())
            })
        } else {
            let mut all = wanted.iter();
            loop {
                let (Some(rows), true) = (all.next(), goes_on) else { break Ok(()) };
                let start = rows.start.max(self.row);
                if start < rows.end {
                    blocks[0].read(start..rows.end, &columns, how);
                    match self.take(&mut blocks[0], sink) {
                        Ok(more) => goes_on = more,
                        Err(error) => break Err(error),
                    }
                }
            }
        };
        self.blocks = blocks;
        result.map(|()| true)
    }

    fn take_small_steps(&mut self) {
        self.steps = 1;
    }

    fn report(&self) -> &Report {
        &self.report
    }

    fn position(&self) -> u64 {
        let all = self.total.max(1);
        (self.file_bytes as f64 * (self.row as f64 / all as f64)) as u64
    }

    fn checkpoint(&self) -> Option<Checkpoint> {
        Some(self.wraps.checkpoint(self.row, self.position()))
    }

    fn resume(&mut self, source: &mut ByteSource, checkpoint: &Checkpoint) -> Result<()> {
        seek::resume(self, source, checkpoint)?;
        self.wraps.resume_at(checkpoint)
    }

    fn stop(&mut self, source: &mut ByteSource, checkpoint: &Checkpoint) -> Result<()> {
        seek::stop(self, source, checkpoint)
    }

    fn narrow(&mut self, source: &mut ByteSource, time: &Range<i64>) -> Result<bool> {
        if let Some(table) = self.table.take()
            && let Some(rows) = table.rows(self, source, time)?
        {
            seek::Rows::keep(self, source, rows)?;
            return Ok(true);
        }
        seek::narrow(self, source, time)
    }

    fn expected_events(&self) -> usize {
        (self.end - self.row).min(self.file_bytes.saturating_mul(64)) as usize
    }
}
