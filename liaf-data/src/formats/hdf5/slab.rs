//! Reading the numbers of a dataset in slabs of rows.

use std::ops::Range;

use hdf5::types::TypeDescriptor;
use hdf5::{Dataset, H5Type};

use super::chunk::{Chunk, chunk_of};
use super::record::Record;
use crate::codec::columns::{Kind, Number, View};
use crate::error::{Error, Result};
use crate::limits::Limits;

/// Number of rows that are read at a time from a dataset without chunks.
const ROWS: usize = 64 << 10;
/// Approximate number of rows that are read at a time if chunks are small.
const BLOCK: usize = 8192;

/// Reads the rows of a dataset, one slab after another.
#[derive(Debug)]
pub(crate) struct Slab {
    pub dataset: Dataset,
    /// Offset of the HDF5 data in the file.
    base: u64,
    /// The type to which the library converts the numbers.
    pub number: Number,
    /// Number of values in a row; for records this is the number of members.
    columns: usize,
    is_record: bool,
    /// Whether rows are along the second dimension, as in columns from MATLAB.
    is_lying: bool,
    is_chunked: bool,
    /// Number of rows of a chunk.
    chunk: usize,
    /// Number of rows of a slab. A slab has whole chunks, because reading a part of a chunk costs
    /// as much as reading all of it.
    pub rows: usize,
    pub total: u64,
    next: u64,
    bytes: Vec<u8>,
    pub taken: usize,
}

impl Slab {
    /// A reader for a dataset of an HDF5 file whose data starts at byte `base`.
    pub fn new(
        (dataset, number): (Dataset, Number),
        columns: usize,
        base: u64,
        limits: &Limits,
    ) -> Result<Self> {
        let is_record = matches!(
            dataset.dtype().and_then(|dtype| dtype.to_descriptor()),
            Ok(TypeDescriptor::Compound(_))
        );
        let shape = dataset.shape();
        let is_lying = columns == 1 && matches!(shape[..], [1, _]);
        let along = usize::from(is_lying);
        let total = shape.get(along).map_or(0, |&rows| rows as u64);
        let stored = dataset.dtype().map_or(8, |dtype| dtype.size()) as u64;
        let (mut chunk, mut rows) = (ROWS, ROWS);
        let sides = dataset.chunk();
        let is_chunked = sides.is_some();
        if let Some(sides) = sides {
            let cells = sides.iter().fold(1u64, |n, &side| n.saturating_mul(side as u64));
            Limits::check("a chunk", cells.saturating_mul(stored), limits.packet_bytes)?;
            chunk = sides.get(along).copied().unwrap_or(1).max(1);
            // Read many small chunks together.
            rows = chunk * (BLOCK / chunk).max(1);
        }
        let row = columns * number.bytes();
        Limits::check("a chunk", (rows as u64).saturating_mul(row as u64), limits.packet_bytes)?;
        Ok(Self {
            dataset,
            base,
            number,
            columns,
            is_record,
            is_lying,
            is_chunked,
            chunk,
            rows,
            total,
            next: 0,
            bytes: Vec::new(),
            taken: 0,
        })
    }

    pub fn row_bytes(&self) -> usize {
        self.columns * self.number.bytes()
    }

    /// Number of rows that have been read and not consumed; reads more rows if there are none.
    ///
    /// # Errors
    /// If the next chunk cannot be read; [`behind`](Self::behind) is the first row after it.
    pub fn ready(&mut self) -> hdf5::Result<usize> {
        if self.taken == self.bytes.len() && self.next < self.total {
            // If one of several chunks is damaged, the first one may still be readable.
            match self.fill(self.rows) {
                Err(_) if self.rows > self.chunk => self.fill(self.chunk)?,
                other => other?,
            }
        }
        Ok((self.bytes.len() - self.taken) / self.row_bytes().max(1))
    }

    /// Reads the next rows up to a multiple of `step`.
    fn fill(&mut self, step: usize) -> hdf5::Result<()> {
        let end = self.end_of(step);
        self.bytes.clear();
        self.taken = 0;
        self.check_written(self.next..end)?;
        self.read(self.next as usize..end as usize)?;
        self.next = end;
        Ok(())
    }

    fn chunk_of(&self, row: u64) -> hdf5::Result<Chunk> {
        match (self.dataset.ndim(), self.is_lying) {
            (1, _) => chunk_of(&self.dataset, &[row]),
            (_, true) => chunk_of(&self.dataset, &[0, row]),
            (_, false) => chunk_of(&self.dataset, &[row, 0]),
        }
    }

    /// Checks that the rows were written. For rows that were not, the library would return fill
    /// values.
    fn check_written(&self, rows: Range<u64>) -> hdf5::Result<()> {
        let is_written = if self.is_chunked {
            let mut is_written = true;
            for row in rows.step_by(self.chunk) {
                is_written &= self.chunk_of(row)?.address.is_some();
            }
            is_written
        } else {
            self.dataset.storage_size() > 0
        };
        if is_written { Ok(()) } else { Err("they were never written".into()) }
    }

    fn end_of(&self, step: usize) -> u64 {
        let step = step as u64;
        (self.next / step + 1).saturating_mul(step).min(self.total)
    }

    /// The first row after the next chunk.
    pub fn behind(&self) -> u64 {
        self.end_of(self.chunk)
    }

    fn read(&mut self, rows: Range<usize>) -> hdf5::Result<()> {
        if self.is_record {
            for record in &self.dataset.read_slice_1d::<Record, _>(rows)? {
                for value in [record.t, record.x, record.y, record.p] {
                    self.bytes.extend_from_slice(&value.to_le_bytes());
                }
            }
            return Ok(());
        }
        match self.number.kind {
            // A boolean of h5py is an enumeration. It is read as `u8`, because an invalid value
            // must not become a `bool`.
            Kind::Bool | Kind::U8 => self.numbers(rows, u8::to_le_bytes),
            Kind::I8 => self.numbers(rows, i8::to_le_bytes),
            Kind::I16 => self.numbers(rows, i16::to_le_bytes),
            Kind::I32 => self.numbers(rows, i32::to_le_bytes),
            Kind::I64 => self.numbers(rows, i64::to_le_bytes),
            Kind::U16 => self.numbers(rows, u16::to_le_bytes),
            Kind::U32 => self.numbers(rows, u32::to_le_bytes),
            Kind::U64 => self.numbers(rows, u64::to_le_bytes),
            Kind::F32 => self.numbers(rows, f32::to_le_bytes),
            Kind::F64 => self.numbers(rows, f64::to_le_bytes),
        }
    }

    fn numbers<T: H5Type + Copy, const N: usize>(
        &mut self,
        rows: Range<usize>,
        bytes: impl Fn(T) -> [u8; N],
    ) -> hdf5::Result<()> {
        let mut add = |&value: &T| self.bytes.extend_from_slice(&bytes(value));
        match (self.dataset.ndim(), self.is_lying) {
            (1, _) => self.dataset.read_slice_1d::<T, _>(rows)?.iter().for_each(add),
            (_, true) => self.dataset.read_slice_2d::<T, _>((.., rows))?.iter().for_each(&mut add),
            (_, false) => self.dataset.read_slice_2d::<T, _>((rows, ..))?.iter().for_each(&mut add),
        }
        Ok(())
    }

    /// The error for the next rows if they cannot be read.
    pub fn unreadable(&self, error: &hdf5::Error) -> Error {
        let (row, name) = (self.next, self.dataset.name());
        let what = Error::malformed(format!("{name} cannot be read from row {row} on"));
        let chunk = self.chunk_of(row).ok().and_then(|chunk| chunk.address);
        match chunk.or_else(|| self.dataset.offset()) {
            Some(address) => what.at(self.base.saturating_add(address)),
            None => what,
        }
        .found(error)
    }

    /// Continues at row `row` and ends before row `end`.
    pub fn keep(&mut self, row: u64, end: u64) {
        // Rows that have already been read may be needed.
        let ready = (self.bytes.len() - self.taken) as u64 / self.row_bytes().max(1) as u64;
        let first = self.next - ready;
        if row >= first && row - first < ready {
            self.taken += (row - first) as usize * self.row_bytes();
        } else {
            self.bytes.clear();
            self.taken = 0;
            self.next = row;
        }
        self.total = self.total.min(end);
    }

    /// Reads the value in column `column` of a row.
    pub fn one(&mut self, row: u64, column: usize) -> hdf5::Result<Vec<u8>> {
        let held = (std::mem::take(&mut self.bytes), self.taken);
        let result = self.read(row as usize..row as usize + 1);
        let size = self.number.bytes();
        let one = self.bytes.get(column * size..(column + 1) * size).unwrap_or_default().to_vec();
        (self.bytes, self.taken) = held;
        result.map(|()| one)
    }

    /// The rows that have been read, from column `column` on.
    pub fn view(&self, column: usize) -> View<'_> {
        let from = self.taken + column * self.number.bytes();
        let bytes = self.bytes.get(from..).unwrap_or_default();
        View { bytes, stride: self.row_bytes(), number: self.number }
    }
}
