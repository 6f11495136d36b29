//! One dataset of a stream as a table of rows: its geometry, and the reading of rows.

use std::ops::Range;

use liaf_hdf5::{Buffers, Chunks, Dataset, Error, ErrorKind, Result};

use crate::codec::columns::{Number, View};

/// Number of rows that are taken to belong together in a dataset without chunks.
const ROWS: u64 = 8 << 10;
/// After this many consecutive chunks that cannot be read, the rest is not tried: a few bytes can
/// claim any number of chunks.
pub(super) const MOST_DAMAGED: u32 = 64;

/// The message about the rest of a dataset that is not tried.
pub(super) fn given_up(rows: u64, name: &str) -> String {
    format!(
        "{MOST_DAMAGED} chunks in a row cannot be read: {rows} rows of {name} after them are not tried"
    )
}

/// A column of the table: the type of its numbers, and where in a row they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub number: Number,
    pub offset: usize,
}

/// A dataset of which each row is an event, or a part of one.
#[derive(Clone)]
pub(super) struct Table {
    pub dataset: Dataset,
    chunks: Option<Chunks>,
    /// Whether rows are along the second dimension, as in columns from MATLAB.
    is_lying: bool,
    /// The row of the dataset, if the table is only one row of several.
    line: u64,
    /// Size of a row in bytes.
    pub row_bytes: usize,
    /// Number of rows of a chunk; they are readable or damaged together.
    pub chunk: u64,
    /// Size of all values that a chunk has, in bytes.
    pub chunk_bytes: u64,
    /// Number of rows.
    pub rows: u64,
}

impl Table {
    /// The table of a dataset with rows of `columns` values.
    pub fn new(dataset: Dataset, columns: usize) -> Result<Self> {
        let chunks = dataset.chunks()?;
        let shape = dataset.shape();
        let is_lying = columns == 1 && matches!(shape, [1, _]);
        let along = usize::from(is_lying);
        let rows = shape.get(along).copied().unwrap_or(0);
        let row_bytes = columns * dataset.datatype().size();
        let (mut chunk, mut chunk_bytes) = (ROWS, ROWS * row_bytes as u64);
        if let Some(chunks) = &chunks {
            chunk = chunks.sides().get(along).copied().unwrap_or(1).max(1);
            chunk_bytes = chunks.size() as u64;
        }
        Ok(Self { dataset, chunks, is_lying, line: 0, row_bytes, chunk, chunk_bytes, rows })
    }

    /// The table of one row of a dataset, of which each value belongs to an event.
    pub fn line(dataset: Dataset, line: u64) -> Result<Self> {
        let chunks = dataset.chunks()?;
        let rows = dataset.shape().last().copied().unwrap_or(0);
        let row_bytes = dataset.datatype().size();
        let (mut chunk, mut chunk_bytes) = (ROWS, ROWS * row_bytes as u64);
        if let Some(chunks) = &chunks {
            chunk = chunks.sides().last().copied().unwrap_or(1).max(1);
            chunk_bytes = chunks.size() as u64;
        }
        Ok(Self { dataset, chunks, is_lying: true, line, row_bytes, chunk, chunk_bytes, rows })
    }

    /// Number of bytes of the file that the table has, of which those of a dataset count once.
    pub fn stored_bytes(&self) -> u64 {
        if self.line == 0 { self.dataset.stored_bytes().unwrap_or(0) } else { 0 }
    }

    /// The first row after the chunk in which `row` is.
    pub fn next_chunk(&self, row: u64) -> u64 {
        (row / self.chunk + 1).saturating_mul(self.chunk).min(self.rows)
    }

    /// Reads rows of one chunk, and appends their bytes to `bytes`.
    ///
    /// # Errors
    /// If the chunk is damaged or was never written.
    pub fn read(
        &mut self,
        rows: Range<u64>,
        buffers: &mut Buffers,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        let mut ranges: Vec<Range<u64>> =
            self.dataset.shape().iter().map(|&length| 0..length).collect();
        let count = (rows.end - rows.start) as usize;
        if let Some(range) = ranges.get_mut(usize::from(self.is_lying)) {
            *range = rows;
        }
        if let (true, Some(range)) = (self.is_lying, ranges.first_mut()) {
            *range = self.line..self.line + 1;
        }
        let unwritten = || Error::malformed("they were never written");
        let Some(chunks) = &mut self.chunks else {
            if !self.dataset.is_written() {
                return Err(unwritten());
            }
            let mut run = Vec::new();
            self.dataset.read_slab(&ranges, &mut run)?;
            bytes.append(&mut run);
            return Ok(());
        };
        let from = bytes.len();
        let size = count * self.row_bytes;
        bytes.try_reserve(size).map_err(|_| Error::limit("there is no memory for a chunk"))?;
        bytes.resize(from + size, 0);
        let read = chunks.read_slab(&ranges, buffers, &mut bytes[from..]);
        let read = read.and_then(|missing| if missing == 0 { Ok(()) } else { Err(unwritten()) });
        if read.is_err() {
            bytes.truncate(from);
        }
        read
    }

    /// Where in the file the chunk of a row begins, if that is known.
    pub fn offset(&mut self, row: u64) -> Option<u64> {
        let place = row / self.chunk;
        match (&mut self.chunks, self.dataset.shape().len(), self.is_lying) {
            (None, ..) => self.dataset.contiguous().map(|(offset, _)| offset),
            (Some(chunks), 1, _) => chunks.find(&[place]).ok().flatten().map(|chunk| chunk.offset),
            (Some(chunks), _, true) => {
                let line = self.line / chunks.sides().first().copied().unwrap_or(1).max(1);
                chunks.find(&[line, place]).ok().flatten().map(|chunk| chunk.offset)
            }
            (Some(chunks), _, false) => {
                chunks.find(&[place, 0]).ok().flatten().map(|chunk| chunk.offset)
            }
        }
    }

    /// The numbers of a column, where `bytes` are those of some rows.
    pub fn view<'a>(&self, column: Column, bytes: &'a [u8]) -> View<'a> {
        let bytes = bytes.get(column.offset..).unwrap_or_default();
        View { bytes, stride: self.row_bytes, number: column.number }
    }
}

/// Whether reading cannot go on after an error: the file shrank, or the system refuses. Other errors
/// are damage.
pub(super) fn is_final(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Shrank | ErrorKind::System)
}
