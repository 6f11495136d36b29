//! Reading the rows of one dataset, or of four parallel datasets, as events.

mod reader;

use std::ops::Range;

use liaf_hdf5::Buffers;

use super::STORE_AGAIN;
use super::block::{self, Block, Piece};
use super::layout::{Shape, Three};
use super::ms_table::MsTable;
use super::table::{Column, MOST_DAMAGED, Table, given_up};
use crate::codec::columns::{DECIDING_ROWS, Kind, Number, Rows, Unusable, Wraps, constant};
use crate::codec::{EventSink, ReadOptions};
use crate::container::hdf5::{self, Shared};
use crate::error::{Error, Result};
use crate::io::places_per_pool;
use crate::limits::Limits;
use crate::model::{EventBatch, Finding, Report};

/// Number of rows of a block, if chunks are smaller.
const BLOCK: u64 = 16 << 10;
/// Number of blocks that are read before the position is updated.
const BLOCKS: usize = 32;

/// Reads the rows of one or four datasets as events.
pub(crate) struct RowReader {
    tables: Vec<Table>,
    /// The table, and what in it, are t, x, y and p.
    columns: [(usize, Column); 4],
    pub(super) rows: Rows,
    wraps: Wraps,
    row: u64,
    end: u64,
    /// Number of all rows, and of rows that are skipped.
    total: u64,
    passed: u64,
    /// The table from ms to rows.
    pub table: Option<MsTable>,
    shared: Shared,
    file_bytes: u64,
    limits: Limits,
    strict: bool,
    parallel: bool,
    /// Number of blocks that are read at a time.
    steps: usize,
    blocks: Vec<Block>,
    /// The chunk of times that was looked at last: the rows, and their bytes.
    looked: Option<(Range<u64>, Vec<u8>)>,
    /// Number of rows that could not be read, and of damaged chunks directly before the next row.
    lost: u64,
    damaged: u32,
    batch: EventBatch,
    report: Report,
    /// What the file has beside the events.
    beside: Report,
    flaw: Option<Error>,
    /// Number of bytes that are missing at the end of the file.
    missing: Option<u64>,
    ended: bool,
}

impl RowReader {
    /// A reader of a stream.
    pub fn new(shape: Shape, rows: Rows, shared: Shared, options: &ReadOptions) -> Result<Self> {
        let at = |i, number, offset| (i, Column { number, offset });
        let (tables, columns) = match shape {
            Shape::Records(dataset, members) => (
                vec![Table::new(dataset, 1)],
                members.map(|(number, offset)| at(0, number, offset)),
            ),
            Shape::Table(dataset, number, width) => (
                vec![Table::new(dataset, width)],
                [0, 1, 2, 3].map(|i| at(0, number, i * number.bytes())),
            ),
            Shape::Turned(dataset, number, width) => (
                (0..width as u64).map(|line| Table::line(dataset.clone(), line)).collect(),
                [0, 1, 2, 3].map(|i| at(i, number, 0)),
            ),
            Shape::Columns(sets) => {
                let [t, x, y, p] = &*sets;
                let columns = [at(0, t.1, 0), at(1, x.1, 0), at(2, y.1, 0), at(3, p.1, 0)];
                (sets.into_iter().map(|(set, _)| Table::new(set, 1)).collect(), columns)
            }
            Shape::Pairs(sets) => {
                let [(t, t_number), (xy, number), (p, p_number)] = *sets;
                let y = at(1, number, number.bytes());
                let columns = [at(0, t_number, 0), at(1, number, 0), y, at(2, p_number, 0)];
                (vec![Table::new(t, 1), Table::new(xy, 2), Table::new(p, 1)], columns)
            }
            Shape::Half(three, is_on) => {
                let p = at(block::ALL_OFF + usize::from(is_on), Number::little(Kind::U8), 0);
                match *three {
                    Three::Columns(sets) => {
                        let [t, x, y] = &*sets;
                        let columns = [at(0, t.1, 0), at(1, x.1, 0), at(2, y.1, 0), p];
                        (sets.into_iter().map(|(set, _)| Table::new(set, 1)).collect(), columns)
                    }
                    Three::Records(dataset, members) => {
                        let [t, x, y] = members.map(|(number, offset)| at(0, number, offset));
                        (vec![Table::new(dataset, 1)], [t, x, y, p])
                    }
                    Three::Table(dataset, number) => {
                        let [t, x, y] = [0, 1, 2].map(|i| at(0, number, i * number.bytes()));
                        (vec![Table::new(dataset, 3)], [t, x, y, p])
                    }
                }
            }
            // Each half has a reader of its own.
            Shape::Halves(_) => {
                return Err(Error::unsupported("two lists of events in one reader"));
            }
        };
        let tables = tables.into_iter().collect::<liaf_hdf5::Result<Vec<_>>>();
        let tables = tables.map_err(hdf5::error)?;
        let bytes = tables.iter().map(|table| table.chunk_bytes).fold(0, u64::saturating_add);
        // The rows of one chunk are in memory together.
        let names: Vec<_> = tables.iter().map(|table| table.dataset.name()).collect();
        let what = format!("a chunk of {}", names.join(", "));
        Limits::check(&what, bytes, options.limits.packet_bytes)
            .map_err(|error| error.advice(STORE_AGAIN))?;
        Ok(Self::of(
            (tables, columns, rows),
            shared,
            (options.limits, options.strict, options.parallel),
        ))
    }

    /// A reader of these tables.
    fn of(
        (tables, columns, rows): (Vec<Table>, [(usize, Column); 4], Rows),
        shared: Shared,
        (limits, strict, parallel): (Limits, bool, bool),
    ) -> Self {
        let total = tables.iter().map(|table| table.rows).min().unwrap_or(0);
        let mut reader = Self {
            tables,
            columns,
            rows,
            wraps: Wraps::new(Some(columns[0].1.number.kind), rows.unit, rows.offset),
            row: 0,
            end: total,
            total,
            passed: 0,
            table: None,
            file_bytes: liaf_hdf5::Source::size(&shared),
            shared,
            limits,
            strict,
            parallel,
            steps: BLOCKS,
            blocks: Vec::new(),
            looked: None,
            lost: 0,
            damaged: 0,
            batch: EventBatch::new(),
            report: Report::default(),
            beside: Report::default(),
            flaw: None,
            missing: None,
            ended: false,
        };
        reader.check_lengths();
        reader
    }

    fn check_lengths(&mut self) {
        if self.tables.iter().all(|table| table.rows == self.total) {
            return;
        }
        let length = |table: &Table| format!("{} of {}", table.rows, table.dataset.name());
        let lengths: Vec<_> = self.tables.iter().map(length).collect();
        let error = Error::malformed("the datasets are not of one length")
            .expected(format!("{} rows", self.total))
            .found(lengths.join(", "));
        self.report.add_event(Finding::BadParts, 1, self.total);
        self.report.note(&error);
        self.flaw = Some(error);
    }

    /// Sets how numbers become events.
    pub fn set_rows(&mut self, rows: Rows) {
        self.rows = rows;
        self.wraps = Wraps::new(Some(self.columns[0].1.number.kind), rows.unit, rows.offset);
    }

    /// Notes that the file ends `missing` bytes too early.
    pub fn is_cut(&mut self, missing: u64) {
        self.missing = Some(missing);
        let error = cut(self.file_bytes, missing);
        self.report.add(Finding::TruncatedTails, 1, self.file_bytes);
        self.report.note(&error);
    }

    /// Adds what the file has beside the events.
    pub fn beside(&mut self, tell: impl Fn(&mut Report)) {
        tell(&mut self.report);
        let mut beside = Report::default();
        tell(&mut beside);
        self.beside = beside;
    }

    /// Sets which columns of a table, or rows of a turned one, are t, x, y and p.
    pub fn set_order(&mut self, order: [usize; 4]) {
        let number = self.columns[0].1.number;
        let p = self.columns[3];
        if self.tables.len() == 1 {
            self.columns = order.map(|i| (0, Column { number, offset: i * number.bytes() }));
        } else {
            self.columns = order.map(|i| (i, Column { number, offset: 0 }));
        }
        // Polarities that are stored nowhere are in no column.
        if p.0 >= block::ALL_OFF {
            self.columns[3] = p;
        }
    }

    /// Reads the first numbers of t, x, y and p without consuming them. Chunks that cannot be read are
    /// passed over, as they are by reading.
    ///
    /// # Errors
    /// If not a single chunk at the start can be read.
    pub fn sample(&mut self) -> Result<[Vec<f64>; 4]> {
        let mut values = [const { Vec::new() }; 4];
        let mut buffers: Vec<_> = self.tables.iter().map(|_| Buffers::default()).collect();
        let (mut row, mut damaged, mut fault) = (0, 0, None);
        while row < self.total && values[0].len() < DECIDING_ROWS && damaged < MOST_DAMAGED {
            let most = row + (DECIDING_ROWS - values[0].len()) as u64;
            let end = self.tables.iter().map(|table| table.next_chunk(row)).fold(most, u64::min);
            let mut bytes = vec![Vec::new(); self.tables.len()];
            let mut is_read = true;
            for (i, table) in self.tables.iter_mut().enumerate() {
                if let Err(error) = table.read(row..end, &mut buffers[i], &mut bytes[i]) {
                    fault = fault.or_else(|| Some(unreadable(table, row, error)));
                    is_read = false;
                    break;
                }
            }
            damaged = if is_read { 0 } else { damaged + 1 };
            for (values, (i, column)) in values.iter_mut().zip(self.columns) {
                let rows = if is_read { (end - row) as usize } else { 0 };
                let view = match (self.tables.get(i), bytes.get(i)) {
                    (Some(table), Some(bytes)) => table.view(column, bytes),
                    _ => constant(i != block::ALL_OFF, rows),
                };
                values.extend(view.floats(rows));
            }
            row = end;
        }
        match fault {
            Some(error) if values[0].is_empty() => Err(error),
            _ => Ok(values),
        }
    }

    /// Number of rows of a block.
    fn block_rows(&self) -> u64 {
        let chunk = self.largest_chunk();
        let rows = chunk.saturating_mul((BLOCK / chunk).max(1));
        // Where chunks of one dataset are long and values of another are large, a whole chunk would be
        // too much.
        let row_bytes: usize = self.tables.iter().map(|table| table.row_bytes).sum();
        rows.min((self.limits.packet_bytes / row_bytes.max(1)).max(1) as u64)
    }

    /// Number of rows of the longest chunk.
    fn largest_chunk(&self) -> u64 {
        self.tables.iter().map(|table| table.chunk).max().unwrap_or(1)
    }

    /// The next blocks, cut where chunks of the largest kind end.
    fn next_blocks(&self) -> Vec<Range<u64>> {
        let step = self.block_rows();
        let mut blocks = Vec::new();
        let mut row = self.row;
        while row < self.end && blocks.len() < self.steps {
            let end = (row / step + 1).saturating_mul(step).min(self.end);
            blocks.push(row..end);
            row = end;
        }
        blocks
    }

    /// Number of blocks that may be in memory at a time.
    fn most_blocks(&self) -> usize {
        if self.block_rows() < self.largest_chunk() {
            // One thread has to unpack the chunk once, and not each of them.
            return 1;
        }
        let rows = self.block_rows().min(self.total.max(1));
        let row_bytes: usize = self.tables.iter().map(|table| table.row_bytes).sum();
        // The rows, and while they are unpacked their packed bytes and those between two filters.
        let bytes = rows.saturating_mul(2 * row_bytes as u64).max(1);
        let most = self.limits.in_flight_bytes as u64 / bytes;
        most.clamp(1, places_per_pool() as u64) as usize
    }

    /// Uses what became of the rows of a block. Returns whether reading goes on.
    fn take(&mut self, block: &mut Block, sink: &mut dyn EventSink) -> Result<bool> {
        let mut pieces = std::mem::take(&mut block.pieces);
        for piece in &mut pieces {
            match piece {
                // A damaged chunk before may have more rows than the block in which it was found.
                Piece::Read { rows, .. } if rows.end <= self.row => {}
                Piece::Read { rows, first, events: Some((batch, unusable)) }
                    if rows.start >= self.row =>
                {
                    let _ = first;
                    self.give(rows.clone(), batch, *unusable, sink)?;
                }
                Piece::Read { rows, first, .. } => {
                    let mut from = rows.start.max(self.row);
                    while from < rows.end {
                        let to = (from + block::ROWS).min(rows.end);
                        let mut batch = std::mem::take(&mut self.batch);
                        batch.clear();
                        let unusable = block.convert(
                            from..to,
                            rows,
                            first,
                            &self.columns,
                            self.rows,
                            &mut batch,
                        );
                        let given = self.give(from..to, &mut batch, unusable, sink);
                        self.batch = batch;
                        given?;
                        from = to;
                    }
                }
                Piece::Damaged { rows, .. } if rows.end <= self.row => {}
                Piece::Damaged { table, rows, error } => {
                    let table = &mut self.tables[*table];
                    let row = rows.start.max(self.row);
                    let error = std::mem::replace(error, liaf_hdf5::Error::malformed(""));
                    let error = unreadable(table, row, error);
                    if !self.pass_over(error, row, rows.end) {
                        return Ok(false);
                    }
                }
                Piece::Failed(error) => {
                    let error = std::mem::replace(error, liaf_hdf5::Error::malformed(""));
                    return Err(hdf5::error(error));
                }
            }
        }
        block.pieces = pieces;
        Ok(true)
    }

    /// Passes the events of some rows on.
    fn give(
        &mut self,
        rows: Range<u64>,
        batch: &mut EventBatch,
        unusable: Unusable,
        sink: &mut dyn EventSink,
    ) -> Result<()> {
        self.damaged = 0;
        self.row = rows.end;
        unusable.count_in(&mut self.report, rows.start);
        let stop = unusable.stop(self.strict, self.rows.polarity, rows.start);
        if let (Some((row, _)), true) = (&stop, self.strict) {
            batch.truncate((row - rows.start) as usize);
        }
        let (wraps, index) = self.wraps.unroll(&mut batch.t);
        self.report.add_event(Finding::TimeWraps, wraps, rows.start + index as u64);
        if !batch.is_empty() {
            sink.events(batch, 0)?;
        }
        match stop {
            Some((_, error)) => {
                Err(error.advice(format!("the rows are those of {}", self.names())))
            }
            None => Ok(()),
        }
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.tables.iter().map(|table| table.dataset.name()).collect();
        names.join(", ")
    }

    /// Goes on at row `next`, after a chunk that cannot be read. The rows of the other datasets up to
    /// there are useless without it. Returns whether reading goes on.
    fn pass_over(&mut self, error: Error, row: u64, next: u64) -> bool {
        self.report.add_event(Finding::DamagedPackets, 1, row);
        if self.strict {
            self.end = row;
            self.row = row;
            self.flaw = Some(error);
            return false;
        }
        if self.lost == 0 {
            self.report.note(&error);
        }
        self.damaged += 1;
        let next = next.min(self.end);
        self.lost += next - row;
        self.row = next;
        if self.damaged >= MOST_DAMAGED && self.row < self.end {
            let left = self.end - self.row;
            self.report.note(given_up(left, &self.names()));
            self.lost += left;
            self.row = self.end;
            return false;
        }
        true
    }

    fn finish(&mut self) -> Result<()> {
        self.ended = true;
        for note in self.shared.notes() {
            self.report.note(note);
        }
        let stored = self.tables.iter().map(Table::stored_bytes);
        // Datasets of a damaged file may claim the same bytes.
        let rest = self.file_bytes.saturating_sub(self.report.bytes.other);
        let stored = stored.fold(0, u64::saturating_add).min(rest);
        let bytes = &mut self.report.bytes;
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

/// The error for rows that cannot be read.
fn unreadable(table: &mut Table, row: u64, error: liaf_hdf5::Error) -> Error {
    let name = table.dataset.name().to_owned();
    let what = Error::malformed(format!("{name} cannot be read from row {row} on"));
    let what = match table.offset(row).or(error.offset()) {
        Some(offset) => what.at(offset),
        None => what,
    };
    what.found(error.what().trim_start_matches(&format!("{name}: ")))
}

/// The error for a file that ends too early.
pub(super) fn cut(file_bytes: u64, missing: u64) -> Error {
    Error::truncated("this HDF5 file was left by an interrupted writer or copy")
        .at(file_bytes)
        .found(format!("{missing} bytes are missing"))
        .advice("HDF5 has no journal: write or copy it again")
}
