//! Datasets of any other kind: read through the library, a chunk's worth at a time.

use std::ops::Range;

use hdf5::types::TypeDescriptor;
use hdf5::{Dataset, H5Type};

use super::layout::Shape;
use super::ms_table::MsTable;
use super::record::Record;
use crate::formats::columns::{Kind, Number, Rows, View};
use crate::formats::{BlockReader, seek};
use crate::reader::ReadOptions;
use crate::source::ByteSource;
use crate::{Error, EventBatch, Limits, Mark, Oddity, Report, Result, Sink};

/// Rows of a dataset without chunks that are read at one time.
const ROWS: usize = 64 << 10;
/// Rows that become events at one time.
const BLOCK: usize = 8192;

/// Reads the rows of a dataset one slab after the other.
#[derive(Debug)]
struct Slab {
    dataset: Dataset,
    /// What the library makes of the numbers.
    number: Number,
    /// Numbers of a row; records have as many as they have members.
    columns: usize,
    is_record: bool,
    /// Rows of a slab: those of a chunk, as a part of one costs as much as all of it.
    rows: usize,
    total: u64,
    next: u64,
    bytes: Vec<u8>,
    taken: usize,
}

impl Slab {
    fn new(dataset: Dataset, number: Number, columns: usize, limits: &Limits) -> Result<Self> {
        let is_record = matches!(
            dataset.dtype().and_then(|dtype| dtype.to_descriptor()),
            Ok(TypeDescriptor::Compound(_))
        );
        let shape = dataset.shape();
        let total = shape.first().map_or(0, |&rows| rows as u64);
        let stored = dataset.dtype().map_or(8, |dtype| dtype.size()) as u64;
        let mut rows = ROWS;
        if let Some(chunk) = dataset.chunk() {
            let cells = chunk.iter().fold(1u64, |n, &side| n.saturating_mul(side as u64));
            Limits::check("a chunk", cells.saturating_mul(stored), limits.packet_bytes)?;
            rows = chunk.first().copied().unwrap_or(1).max(1);
            // Small chunks by the dozen.
            rows *= (BLOCK / rows).max(1);
        }
        let row = columns * number.bytes();
        Limits::check("a chunk", (rows as u64).saturating_mul(row as u64), limits.packet_bytes)?;
        Ok(Self {
            dataset,
            number,
            columns,
            is_record,
            rows,
            total,
            next: 0,
            bytes: Vec::new(),
            taken: 0,
        })
    }

    fn row_bytes(&self) -> usize {
        self.columns * self.number.bytes()
    }

    /// Rows that are read and not taken; reads more if there are none.
    fn ready(&mut self) -> hdf5::Result<usize> {
        if self.taken == self.bytes.len() && self.next < self.total {
            let from = self.next as usize;
            let rows = (self.total - self.next).min(self.rows as u64) as usize;
            self.bytes.clear();
            self.taken = 0;
            self.read(from..from + rows)?;
            self.next += rows as u64;
        }
        Ok((self.bytes.len() - self.taken) / self.row_bytes().max(1))
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
            // A boolean of h5py is an enumeration; whatever is stored must not become a bool.
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
        if self.columns == 1 {
            for &value in &self.dataset.read_slice_1d::<T, _>(rows)? {
                self.bytes.extend_from_slice(&bytes(value));
            }
        } else {
            for &value in &self.dataset.read_slice_2d::<T, _>((rows, ..))? {
                self.bytes.extend_from_slice(&bytes(value));
            }
        }
        Ok(())
    }

    /// Goes on at row `row` and ends in front of row `end`.
    fn keep(&mut self, row: u64, end: u64) {
        // What is read already may be of use.
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

    /// The number in column `column` of a row.
    fn one(&mut self, row: u64, column: usize) -> hdf5::Result<Vec<u8>> {
        let held = (std::mem::take(&mut self.bytes), self.taken);
        let result = self.read(row as usize..row as usize + 1);
        let size = self.number.bytes();
        let one = self.bytes.get(column * size..(column + 1) * size).unwrap_or_default().to_vec();
        (self.bytes, self.taken) = held;
        result.map(|()| one)
    }

    /// The rows that are ready, from column `column` on.
    fn view(&self, column: usize) -> View<'_> {
        let from = self.taken + column * self.number.bytes();
        let bytes = self.bytes.get(from..).unwrap_or_default();
        View { bytes, stride: self.row_bytes(), number: self.number }
    }
}

/// Gives the rows of one or four datasets as events.
#[derive(Debug)]
pub(super) struct SlabReader {
    slabs: Vec<Slab>,
    /// Slab and column of t, x, y and p.
    columns: [(usize, usize); 4],
    pub rows: Rows,
    row: u64,
    left: u64,
    /// All rows, and those that are passed over.
    total: u64,
    passed: u64,
    /// Leads from ms to rows.
    pub table: Option<MsTable>,
    stored: u64,
    file_bytes: u64,
    strict: bool,
    batch: EventBatch,
    report: Report,
    flaw: Option<Error>,
    ended: bool,
}

impl SlabReader {
    pub fn new(shape: Shape, rows: Rows, file_bytes: u64, options: &ReadOptions) -> Result<Self> {
        let i64 = Number::little(Kind::I64);
        let (sets, columns) = match shape {
            Shape::Records(dataset) => (vec![(dataset, i64, 4)], [(0, 0), (0, 1), (0, 2), (0, 3)]),
            Shape::Table(dataset, number, width) => {
                (vec![(dataset, number, width)], [(0, 0), (0, 1), (0, 2), (0, 3)])
            }
            Shape::Columns(sets) => (
                sets.into_iter().map(|(set, number)| (set, number, 1)).collect(),
                [(0, 0), (1, 0), (2, 0), (3, 0)],
            ),
        };
        let slabs = sets
            .into_iter()
            .map(|(set, number, width)| Slab::new(set, number, width, &options.limits));
        let slabs = slabs.collect::<Result<Vec<_>>>()?;
        let left = slabs.iter().map(|slab| slab.total).min().unwrap_or(0);
        let stored =
            slabs.iter().map(|slab| slab.dataset.storage_size()).fold(0, u64::saturating_add);
        let (mut report, mut flaw) = (Report::default(), None);
        if slabs.iter().any(|slab| slab.total != left) {
            let lengths: Vec<_> = slabs.iter().map(|slab| slab.total.to_string()).collect();
            let error = Error::malformed("the datasets are not of one length")
                .at(0)
                .expected(format!("{left} rows"))
                .found(lengths.join(", "));
            report.add(Oddity::BadParts, 1, 0);
            report.note(error.to_string());
            flaw = Some(error);
        }
        let strict = options.strict;
        let batch = EventBatch::new();
        Ok(Self {
            slabs,
            columns,
            rows,
            row: 0,
            left,
            total: left,
            passed: 0,
            table: None,
            stored,
            file_bytes,
            strict,
            batch,
            report,
            flaw,
            ended: false,
        })
    }

    /// Which columns of a table are t, x, y and p.
    pub fn set_order(&mut self, order: [usize; 4]) {
        self.columns = order.map(|column| (0, column));
    }

    /// The first numbers of t, x, y and p; they stay to be read.
    pub fn sample(&mut self) -> Result<[Vec<f64>; 4]> {
        for slab in &mut self.slabs {
            slab.ready().map_err(|error| unreadable(&error, 0))?;
        }
        let slabs = &self.slabs;
        Ok(self.columns.map(|(slab, column)| {
            slabs.get(slab).map_or(Vec::new(), |slab| slab.view(column).floats(BLOCK))
        }))
    }

    fn end(&mut self) -> Result<()> {
        self.ended = true;
        let bytes = &mut self.report.bytes;
        let stored = self.stored.min(self.file_bytes);
        let all = u128::from(self.total).max(1);
        let passed = u128::from(stored) * u128::from(self.passed) / all;
        bytes.passed_over = (passed as u64).min(stored.saturating_sub(bytes.skipped));
        bytes.events = stored.saturating_sub(bytes.skipped + bytes.passed_over);
        bytes.header += self.file_bytes.saturating_sub(bytes.total());
        match self.flaw.take() {
            Some(flaw) if self.strict => Err(flaw),
            _ => Ok(()),
        }
    }
}

fn unreadable(error: &hdf5::Error, row: u64) -> Error {
    Error::malformed(format!("the data cannot be read from row {row} on")).at(0).found(error)
}

impl seek::Rows for SlabReader {
    fn rows(&self) -> Range<u64> {
        self.row..self.row + self.left
    }

    fn time(&mut self, _source: &mut ByteSource, row: u64) -> Result<Option<i64>> {
        let (slab, column) = self.columns[0];
        let Some(slab) = self.slabs.get_mut(slab) else { return Ok(None) };
        let Ok(bytes) = slab.one(row, column) else { return Ok(None) };
        let (stride, number) = (slab.number.bytes(), slab.number);
        Ok(self.rows.first_time(View { bytes: &bytes, stride, number }))
    }

    fn grain(&self) -> u64 {
        self.slabs.get(self.columns[0].0).map_or(1, |slab| slab.rows as u64)
    }

    fn keep(&mut self, _source: &mut ByteSource, rows: Range<u64>) -> Result<()> {
        for slab in &mut self.slabs {
            slab.keep(rows.start, rows.end);
        }
        let kept = rows.end - rows.start;
        self.passed += self.left - kept;
        (self.row, self.left) = (rows.start, kept);
        Ok(())
    }
}

impl BlockReader for SlabReader {
    fn pump(&mut self, _source: &mut ByteSource, sink: &mut dyn Sink) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let mut rows = self.left.min(BLOCK as u64) as usize;
        for slab in &mut self.slabs {
            match slab.ready() {
                Ok(ready) => rows = rows.min(ready),
                Err(error) => {
                    let error = unreadable(&error, self.row);
                    self.report.add_event(Oddity::DamagedPackets, 1, self.row);
                    self.report.note(error.to_string());
                    // Some of what is stored was of use, unless the first of it cannot be read.
                    let lost = self.stored.min(self.file_bytes);
                    self.report.bytes.skipped = if self.row == 0 { lost } else { lost.min(1) };
                    self.flaw.get_or_insert(error);
                    return self.end().map(|()| false);
                }
            }
        }
        if rows == 0 {
            return self.end().map(|()| false);
        }
        self.batch.clear();
        let nothing = View { bytes: &[], stride: 1, number: Number::little(Kind::U8) };
        let slabs = &self.slabs;
        let views =
            self.columns.map(|(slab, column)| slabs.get(slab).map_or(nothing, |s| s.view(column)));
        let unusable = self.rows.append(views, rows, &mut self.batch);
        for slab in &mut self.slabs {
            slab.taken += rows * slab.row_bytes();
        }
        let first = self.row;
        self.row += rows as u64;
        self.left -= rows as u64;
        if unusable.count > 0 {
            let row = first + unusable.first as u64;
            self.report.add_event(Oddity::BadValues, unusable.count as u64, row);
            if self.strict {
                self.batch.truncate(unusable.first);
                sink.events(&mut self.batch, 0)?;
                return Err(Error::malformed(format!("row {row} is not an event"))
                    .at(0)
                    .expected("a time, whole x and y from 0 to 65535, and p 0, 1 or -1"));
            }
        }
        if !self.batch.is_empty() {
            sink.events(&mut self.batch, 0)?;
        }
        Ok(true)
    }

    fn report(&self) -> &Report {
        &self.report
    }

    fn position(&self) -> u64 {
        let all = self.total.max(1);
        (self.file_bytes as f64 * (self.row as f64 / all as f64)) as u64
    }

    fn mark(&self) -> Option<Mark> {
        Some(Mark { offset: self.position(), state: vec![self.row as i64] })
    }

    fn resume(&mut self, source: &mut ByteSource, mark: &Mark) -> Result<()> {
        seek::resume(self, source, mark)
    }

    fn stop(&mut self, source: &mut ByteSource, mark: &Mark) -> Result<()> {
        seek::stop(self, source, mark)
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
        self.left.min(self.file_bytes.saturating_mul(64)) as usize
    }
}
