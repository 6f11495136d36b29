//! Reading the rows of one dataset, or of four parallel datasets, as events.

use std::ops::Range;

use super::chunk::{MOST_DAMAGED, given_up};
use super::layout::Shape;
use super::ms_table::MsTable;
use super::slab::Slab;
use crate::codec::columns::{Kind, Number, Rows, View};
use crate::codec::{BlockReader, Checkpoint, EventSink, ReadOptions, seek};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::model::{EventBatch, Finding, Report};

/// Number of rows that are converted at a time.
const BLOCK: usize = 8192;

/// Reads the rows of one or four datasets as events.
#[derive(Debug)]
pub(crate) struct RowReader {
    slabs: Vec<Slab>,
    /// Indices of slab and column for t, x, y and p.
    columns: [(usize, usize); 4],
    pub rows: Rows,
    row: u64,
    left: u64,
    /// Number of all rows, and of rows that are skipped.
    total: u64,
    passed: u64,
    /// The table from ms to rows.
    pub table: Option<MsTable>,
    stored: u64,
    file_bytes: u64,
    strict: bool,
    /// Number of rows that could not be read, and of damaged chunks directly before the next row.
    lost: u64,
    damaged: u32,
    batch: EventBatch,
    report: Report,
    flaw: Option<Error>,
    ended: bool,
}

impl RowReader {
    /// A reader of an HDF5 file whose data starts at byte `base`.
    pub fn new(
        shape: Shape,
        rows: Rows,
        base: u64,
        file_bytes: u64,
        options: &ReadOptions,
    ) -> Result<Self> {
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
            .map(|(set, number, width)| Slab::new((set, number), width, base, &options.limits));
        let slabs = slabs.collect::<Result<Vec<_>>>()?;
        let left = slabs.iter().map(|slab| slab.total).min().unwrap_or(0);
        let stored =
            slabs.iter().map(|slab| slab.dataset.storage_size()).fold(0, u64::saturating_add);
        let (mut report, mut flaw) = (Report::default(), None);
        if slabs.iter().any(|slab| slab.total != left) {
            let length = |slab: &Slab| format!("{} of {}", slab.total, slab.dataset.name());
            let lengths: Vec<_> = slabs.iter().map(length).collect();
            let error = Error::malformed("the datasets are not of one length")
                .expected(format!("{left} rows"))
                .found(lengths.join(", "));
            report.add_event(Finding::BadParts, 1, left);
            report.note(&error);
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
            lost: 0,
            damaged: 0,
            batch,
            report,
            flaw,
            ended: false,
        })
    }

    /// Sets which columns of a table are t, x, y and p.
    pub fn set_order(&mut self, order: [usize; 4]) {
        self.columns = order.map(|column| (0, column));
    }

    /// Reads the first numbers of t, x, y and p without consuming them.
    pub fn sample(&mut self) -> Result<[Vec<f64>; 4]> {
        for slab in &mut self.slabs {
            slab.ready().map_err(|error| slab.unreadable(&error))?;
        }
        let slabs = &self.slabs;
        Ok(self.columns.map(|(slab, column)| {
            slabs.get(slab).map_or(Vec::new(), |slab| slab.view(column).floats(BLOCK))
        }))
    }

    /// Continues at row `next`, after a chunk that cannot be read. The rows of the other datasets
    /// up to there are useless without it.
    fn pass_over(&mut self, error: Error, next: u64) -> Result<()> {
        self.report.add_event(Finding::DamagedPackets, 1, self.row);
        if self.strict {
            self.left = 0;
            self.flaw = Some(error);
            return Ok(());
        }
        if self.lost == 0 {
            self.report.note(&error);
        }
        self.damaged += 1;
        let mut lost = (next - self.row).min(self.left);
        if self.damaged >= MOST_DAMAGED && lost < self.left {
            let names: Vec<_> = self.slabs.iter().map(|slab| slab.dataset.name()).collect();
            self.report.note(given_up(self.left - lost, &names.join(", ")));
            lost = self.left;
        }
        self.lost += lost;
        self.left -= lost;
        self.row += lost;
        for slab in &mut self.slabs {
            slab.keep(self.row, u64::MAX);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.ended = true;
        let bytes = &mut self.report.bytes;
        let stored = self.stored.min(self.file_bytes);
        let share = |rows: u64| {
            (u128::from(stored) * u128::from(rows) / u128::from(self.total).max(1)) as u64
        };
        bytes.skipped = share(self.lost).max(u64::from(self.lost > 0)).min(stored);
        bytes.passed_over = share(self.passed).min(stored - bytes.skipped);
        bytes.events = stored.saturating_sub(bytes.skipped + bytes.passed_over);
        bytes.header += self.file_bytes.saturating_sub(bytes.total());
        match self.flaw.take() {
            Some(flaw) if self.strict => Err(flaw),
            _ => Ok(()),
        }
    }
}

impl seek::Rows for RowReader {
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

impl BlockReader for RowReader {
    fn pump(&mut self, _source: &mut ByteSource, sink: &mut dyn EventSink) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let mut rows = self.left.min(BLOCK as u64) as usize;
        if rows == 0 {
            return self.end().map(|()| false);
        }
        for slab in &mut self.slabs {
            match slab.ready() {
                Ok(ready) => rows = rows.min(ready),
                Err(error) => {
                    let (error, next) = (slab.unreadable(&error), slab.behind());
                    return self.pass_over(error, next).map(|()| true);
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
        self.damaged = 0;
        let first = self.row;
        self.row += rows as u64;
        self.left -= rows as u64;
        if unusable.count > 0 {
            let row = first + unusable.first as u64;
            self.report.add_event(Finding::BadValues, unusable.count as u64, row);
            if self.strict {
                self.batch.truncate(unusable.first);
                sink.events(&mut self.batch, 0)?;
                let names: Vec<_> = self.slabs.iter().map(|slab| slab.dataset.name()).collect();
                let what = format!("row {row} of {} is not an event", names.join(", "));
                return Err(Error::malformed(what)
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

    fn checkpoint(&self) -> Option<Checkpoint> {
        Some(Checkpoint { offset: self.position(), state: vec![self.row as i64] })
    }

    fn resume(&mut self, source: &mut ByteSource, checkpoint: &Checkpoint) -> Result<()> {
        seek::resume(self, source, checkpoint)
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
        self.left.min(self.file_bytes.saturating_mul(64)) as usize
    }
}
