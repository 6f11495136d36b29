//! A block of rows of all datasets of a stream, which one thread reads, unpacks and converts.

use std::ops::Range;

use liaf_hdf5::{Buffers, Error};

use super::table::{Column, Table, is_final};
use crate::codec::columns::{Rows, Unusable, constant};
use crate::model::EventBatch;

/// Most rows that are converted at a time. Blocks of more are converted where they are used, so
/// that their events are never in memory all at once.
pub(super) const ROWS: u64 = 64 << 10;

/// In the place of the index of a table: polarities that all are OFF, or with the number after it ON, are
/// in none.
pub(super) const ALL_OFF: usize = usize::MAX - 1;

/// Reads blocks of rows. Each thread has one.
pub(super) struct Block {
    tables: Vec<Table>,
    /// Those of each table, which keep the chunk that was unpacked last: its rows may be needed in
    /// parts, because chunks of other tables end within it.
    buffers: Vec<Buffers>,
    /// The bytes of the rows of each table; rows that cannot be read are left out.
    bytes: Vec<Vec<u8>>,
    /// What became of the rows, in order.
    pub pieces: Vec<Piece>,
    /// Batches that can be filled again.
    spare: Vec<EventBatch>,
}

/// What became of some rows.
pub(super) enum Piece {
    /// They were read. `first` is the place of the first of them in the bytes of each table.
    Read { rows: Range<u64>, first: Vec<usize>, events: Option<(EventBatch, Unusable)> },
    /// A chunk of this table cannot be read.
    Damaged { table: usize, rows: Range<u64>, error: Error },
    /// Reading cannot go on.
    Failed(Error),
}

impl Block {
    pub fn new(tables: Vec<Table>) -> Self {
        let bytes = tables.iter().map(|_| Vec::new()).collect();
        let buffers = tables.iter().map(|_| Buffers::default()).collect();
        Self { tables, buffers, bytes, pieces: Vec::new(), spare: Vec::new() }
    }

    /// Reads these rows of all tables. Blocks of few rows are converted as well.
    pub fn read(&mut self, rows: Range<u64>, columns: &[(usize, Column); 4], how: Rows) {
        for piece in self.pieces.drain(..) {
            if let Piece::Read { events: Some((batch, _)), .. } = piece {
                self.spare.push(batch);
            }
        }
        self.bytes.iter_mut().for_each(Vec::clear);
        let mut row = rows.start;
        while row < rows.end {
            match self.chunks(row, rows.end) {
                Ok(end) => row = end,
                Err(end) => match end {
                    Some(end) => row = end,
                    None => return,
                },
            }
        }
        let is_short = rows.end - rows.start <= ROWS;
        for i in 0..if is_short { self.pieces.len() } else { 0 } {
            let mut batch = self.spare.pop().unwrap_or_default();
            batch.clear();
            if let Some(Piece::Read { rows, first, .. }) = self.pieces.get(i) {
                let unusable = self.convert(rows.clone(), rows, first, columns, how, &mut batch);
                if let Some(Piece::Read { events, .. }) = self.pieces.get_mut(i) {
                    *events = Some((batch, unusable));
                }
            }
        }
    }

    /// Reads the chunks in which `row` is, of all tables, up to where the first of them ends. Returns
    /// the row after them; if a chunk is damaged, the row after that one, or nothing if reading
    /// cannot go on.
    fn chunks(&mut self, row: u64, end: u64) -> Result<u64, Option<u64>> {
        let end = self.tables.iter().map(|table| table.next_chunk(row)).fold(end, u64::min);
        let first: Vec<usize> = self.bytes.iter().map(Vec::len).collect();
        for i in 0..self.tables.len() {
            let (table, bytes) = (&mut self.tables[i], &mut self.bytes[i]);
            let Err(error) = table.read(row..end, &mut self.buffers[i], bytes) else { continue };
            for (bytes, &first) in self.bytes.iter_mut().zip(&first) {
                bytes.truncate(first);
            }
            if is_final(&error) {
                self.pieces.push(Piece::Failed(error));
                return Err(None);
            }
            let next = self.tables[i].next_chunk(row);
            self.pieces.push(Piece::Damaged { table: i, rows: row..next, error });
            return Err(Some(next));
        }
        // Rows that follow those before them become one piece.
        match self.pieces.last_mut() {
            Some(Piece::Read { rows, .. }) if rows.end == row => rows.end = end,
            _ => self.pieces.push(Piece::Read { rows: row..end, first, events: None }),
        }
        Ok(end)
    }

    /// Appends the events of some rows of a piece to `batch`.
    pub fn convert(
        &self,
        rows: Range<u64>,
        piece: &Range<u64>,
        first: &[usize],
        columns: &[(usize, Column); 4],
        how: Rows,
        batch: &mut EventBatch,
    ) -> Unusable {
        let views = columns.each_ref().map(|(i, column)| {
            let Some(((table, bytes), first)) =
                self.tables.get(*i).zip(self.bytes.get(*i)).zip(first.get(*i))
            else {
                return constant(*i != ALL_OFF, (rows.end - rows.start) as usize);
            };
            let from = first + (rows.start - piece.start) as usize * table.row_bytes;
            table.view(*column, bytes.get(from..).unwrap_or_default())
        });
        how.append(views, (rows.end - rows.start) as usize, batch)
    }
}
