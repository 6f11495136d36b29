//! A reader of events whose fields are stored in arrays anywhere in a file.

use std::ops::Range;

use super::feed::Feed;
use super::number::{Number, View, constant};
use super::polarity::DECIDING_ROWS;
use super::rows::{Rows, Unusable};
use super::wraps::Wraps;
use crate::codec::{BlockReader, Checkpoint, EventSink, seek};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::model::{EventBatch, Finding, Report};

/// Number of rows that are converted at a time.
const BLOCK: usize = 8192;

/// A stream of records.
#[derive(Debug)]
pub(crate) struct Source {
    pub feed: Feed,
    /// Size of a record in bytes.
    pub stride: usize,
    /// The file that has the records, if it is not the one that was opened.
    pub file: Option<ByteSource>,
}

impl Source {
    /// A cursor of its own over the file that has the records, if it is not the one that was opened.
    fn again(&self) -> Result<Option<ByteSource>> {
        self.file.as_ref().map(ByteSource::again).transpose()
    }
}

/// Where the values of t, x, y or p are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Array {
    /// Index of the source.
    pub source: usize,
    /// Offset of the value in a record.
    pub start: usize,
    pub number: Number,
}

/// A checksum over the bytes of several consecutive sources.
#[derive(Debug)]
pub(crate) struct Checksum {
    pub name: String,
    /// Offset in the file of the part that the checksum belongs to.
    pub at: u64,
    pub sources: Vec<usize>,
    /// The checksum of the bytes before the first source.
    pub before: crate::io::Crc32,
    /// Number of bytes of all the sources.
    pub bytes: u64,
    pub crc: u32,
}

/// Reads the rows of four arrays as events.
#[derive(Debug)]
pub(crate) struct ColumnReader {
    pub sources: Vec<Source>,
    /// The arrays of t, x, y and p.
    pub arrays: [Array; 4],
    pub rows: Rows,
    /// Number of rows that are still to be read.
    pub left: u64,
    pub checksums: Vec<Checksum>,
    /// Number of bytes of the file that hold the arrays.
    pub event_bytes: u64,
    pub file_bytes: u64,
    pub strict: bool,
    pub report: Report,
    /// An error that concerns the file as a whole and is reported after the events.
    pub flaw: Option<Error>,
    wraps: Wraps,
    row: u64,
    /// If not all rows are wanted: how many are skipped, and how many there are.
    passed: Option<(u64, u64)>,
    /// Offset at which the first array that is too short ends.
    short: Option<u64>,
    buffers: Vec<Vec<u8>>,
    batch: EventBatch,
    ended: bool,
}

impl Array {
    /// Polarities that are stored nowhere, because all are the same.
    pub const ALL_OFF: Self =
        Self { source: usize::MAX - 1, start: 0, number: Number::little(super::Kind::U8) };
    pub const ALL_ON: Self = Self { source: usize::MAX, ..Self::ALL_OFF };
}

impl ColumnReader {
    /// Makes a reader that converts rows as `rows` says.
    pub fn new(parts: Parts, rows: Rows) -> Self {
        let Parts {
            sources,
            arrays,
            left,
            checksums,
            event_bytes,
            file_bytes,
            strict,
            report,
            flaw,
        } = parts;
        let mut buffers = Vec::new();
        buffers.resize_with(sources.len(), Vec::new);
        Self {
            sources,
            arrays,
            rows,
            left,
            checksums,
            event_bytes,
            file_bytes,
            strict,
            report,
            flaw,
            wraps: Wraps::new(Some(arrays[0].number.kind), rows.unit, rows.offset),
            row: 0,
            passed: None,
            short: None,
            buffers,
            batch: EventBatch::new(),
            ended: false,
        }
    }

    /// Offset of a row in the file. It is exact only if the times are not compressed; otherwise it
    /// is the offset of their array.
    fn row_offset(&self, row: u64) -> u64 {
        let array = self.arrays[0];
        self.sources.get(array.source).map_or(0, |source| match source.feed.is_stored() {
            true => {
                let ahead = (self.row - row) * source.stride as u64;
                source.feed.at().saturating_sub(ahead)
            }
            false => source.feed.start(),
        })
    }

    /// Fills the buffers with the next rows. Returns the number of rows that are complete in every
    /// column.
    fn fill(&mut self, source: &mut ByteSource) -> Result<usize> {
        let wanted = self.left.min(BLOCK as u64) as usize;
        let mut rows = wanted;
        for (one, buffer) in self.sources.iter_mut().zip(&mut self.buffers) {
            buffer.clear();
            let file = one.file.as_mut().unwrap_or(&mut *source);
            one.feed.read(file, wanted * one.stride, buffer)?;
            rows = rows.min(buffer.len() / one.stride.max(1));
            if buffer.len() < wanted * one.stride && self.short.is_none() {
                let part = if one.feed.is_stored() { buffer.len() % one.stride.max(1) } else { 0 };
                self.short = Some(one.feed.at().saturating_sub(part as u64));
            }
        }
        Ok(rows)
    }

    fn give(&mut self, first: u64, unusable: Unusable, sink: &mut dyn EventSink) -> Result<()> {
        unusable.count_in(&mut self.report, first);
        let stop = unusable.stop(self.strict, self.rows.polarity, first);
        if let (Some((row, _)), true) = (&stop, self.strict) {
            self.batch.truncate((row - first) as usize);
        }
        let (wraps, index) = self.wraps.unroll(&mut self.batch.t);
        self.report.add_event(Finding::TimeWraps, wraps, first + index as u64);
        if !self.batch.is_empty() {
            let offset = self.row_offset(first);
            sink.events(&mut self.batch, offset).map_err(|error| {
                error.place_event(|event| self.row_offset(first + event as u64))
            })?;
        }
        match stop {
            Some((row, error)) => Err(error.at(self.row_offset(row))),
            None => Ok(()),
        }
    }

    /// Ends reading: verifies the checksums and completes the byte account.
    fn end(&mut self) -> Result<()> {
        self.ended = true;
        let mut error = None;
        if self.left > 0 {
            let fault = self.sources.iter_mut().find_map(|source| source.feed.fault());
            let end = self.sources.iter().map(|source| source.feed.at()).min().unwrap_or(0);
            let at = self.short.unwrap_or(end);
            let finding = match &fault {
                Some(_) => Finding::DamagedPackets,
                None => Finding::TruncatedTails,
            };
            self.report.add(finding, 1, at);
            let unread: u64 = self.sources.iter().map(|s| s.feed.unread()).sum();
            self.report.bytes.skipped += unread.min(self.event_bytes);
            self.event_bytes -= unread.min(self.event_bytes);
            let missing = Error::truncated("the array ends too early")
                .at(at)
                .expected(format!("{} more rows", self.left));
            error = error.or(Some(fault.unwrap_or(missing)));
        }
        for sum in &self.checksums {
            let (mut crc, mut bytes) = (sum.before.clone(), 0);
            for (part, n) in
                sum.sources.iter().filter_map(|&i| self.sources.get(i)).map(|s| s.feed.sum())
            {
                crc.combine(&part);
                bytes += n;
            }
            if bytes == sum.bytes && crc.finalize() != sum.crc {
                self.report.add(Finding::BadParts, 1, sum.at);
                self.report.note(format!(
                    "the checksum of {} is wrong: its events may be wrong too",
                    sum.name
                ));
                let wrong = Error::malformed(format!("the checksum of {} is wrong", sum.name));
                error = error.or(Some(wrong.at(sum.at)));
            }
        }
        let error = self.flaw.take().or(error);
        let bytes = &mut self.report.bytes;
        if let Some((passed, all)) = self.passed {
            let share = u128::from(self.event_bytes) * u128::from(passed) / u128::from(all.max(1));
            bytes.passed_over = share.min(self.event_bytes.into()) as u64;
            self.event_bytes -= bytes.passed_over;
        }
        // In a damaged container two arrays may claim the same bytes, which must be counted once.
        bytes.passed_over = bytes.passed_over.min(self.file_bytes);
        let rest = self.file_bytes - bytes.passed_over;
        bytes.skipped = bytes.skipped.min(rest);
        bytes.events = self.event_bytes.min(rest - bytes.skipped);
        bytes.header = rest - bytes.skipped - bytes.events;
        match error {
            Some(error) if self.strict => Err(error),
            _ => Ok(()),
        }
    }
}

/// The parameters of [`ColumnReader::new`].
#[derive(Debug)]
pub(crate) struct Parts {
    pub sources: Vec<Source>,
    pub arrays: [Array; 4],
    pub left: u64,
    pub checksums: Vec<Checksum>,
    pub event_bytes: u64,
    pub file_bytes: u64,
    pub strict: bool,
    pub report: Report,
    pub flaw: Option<Error>,
}

impl Parts {
    /// The first numbers of each column, by which the order, the units and the polarities of the
    /// columns are decided. The feeds themselves are not advanced.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn sample(&self, source: &mut ByteSource, ahead: &[u64]) -> Result<[Vec<f64>; 4]> {
        let mut feeds = Vec::new();
        for (one, &ahead) in self.sources.iter().zip(ahead) {
            let (mut feed, mut file) = (one.feed.again(), one.again()?);
            feed.skip(file.as_mut().unwrap_or(&mut *source), ahead)?;
            feeds.push((feed, file));
        }
        let mut sample = [const { Vec::new() }; 4];
        let mut buffers = vec![Vec::new(); feeds.len()];
        let mut left = self.left.min(DECIDING_ROWS as u64) as usize;
        while left > 0 {
            let rows = left.min(BLOCK);
            for ((feed, one), buffer) in feeds.iter_mut().zip(&self.sources).zip(&mut buffers) {
                let (feed, file) = feed;
                buffer.clear();
                feed.read(file.as_mut().unwrap_or(&mut *source), rows * one.stride, buffer)?;
            }
            for (values, array) in sample.iter_mut().zip(self.arrays) {
                let view = view(array, &self.sources, &buffers);
                values.extend(view.map_or(Vec::new(), |view| view.floats(rows)));
            }
            left -= rows;
            if buffers.iter().any(Vec::is_empty) {
                break;
            }
        }
        Ok(sample)
    }
}

fn view<'a>(array: Array, sources: &[Source], buffers: &'a [Vec<u8>]) -> Option<View<'a>> {
    if array == Array::ALL_OFF || array == Array::ALL_ON {
        return Some(constant(array == Array::ALL_ON, BLOCK));
    }
    let bytes = buffers.get(array.source)?.get(array.start..)?;
    Some(View { bytes, stride: sources.get(array.source)?.stride, number: array.number })
}

impl seek::Rows for ColumnReader {
    fn rows(&self) -> Range<u64> {
        self.row..self.row.saturating_add(self.left)
    }

    fn time(&mut self, source: &mut ByteSource, row: u64) -> Result<Option<i64>> {
        let t = self.arrays[0];
        let Some(one) = self.sources.get_mut(t.source) else { return Ok(None) };
        let ahead = (row - self.row).saturating_mul(one.stride as u64);
        let at = one.feed.at().saturating_add(ahead).saturating_add(t.start as u64);
        let bytes = one.file.as_mut().unwrap_or(source).read_at(at, t.number.bytes())?;
        let view = View { bytes: &bytes, stride: t.number.bytes(), number: t.number };
        Ok(self.rows.first_time(view))
    }

    fn grain(&self) -> u64 {
        BLOCK as u64 / 8
    }

    fn keep(&mut self, source: &mut ByteSource, rows: Range<u64>) -> Result<()> {
        let before = rows.start - self.row;
        for one in &mut self.sources {
            let file = one.file.as_mut().unwrap_or(&mut *source);
            one.feed.skip(file, before.saturating_mul(one.stride as u64))?;
        }
        let kept = rows.end - rows.start;
        let (passed, all) = self.passed.unwrap_or((0, self.row + self.left));
        self.passed = Some((passed + self.left - kept, all));
        (self.row, self.left) = (rows.start, kept);
        Ok(())
    }
}

impl BlockReader for ColumnReader {
    fn pump(&mut self, source: &mut ByteSource, sink: &mut dyn EventSink) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let rows = if self.left > 0 { self.fill(source)? } else { 0 };
        if rows == 0 {
            return self.end().map(|()| false);
        }
        let first = self.row;
        self.row += self.left.min(BLOCK as u64);
        self.batch.clear();
        let empty = View { bytes: &[], stride: 1, number: self.arrays[0].number };
        let views =
            self.arrays.map(|array| view(array, &self.sources, &self.buffers).unwrap_or(empty));
        let unusable = self.rows.append(views, rows, &mut self.batch);
        self.left -= rows as u64;
        self.give(first, unusable, sink)?;
        if (rows as u64) < self.row - first {
            return self.end().map(|()| false);
        }
        Ok(true)
    }

    fn report(&self) -> &Report {
        &self.report
    }

    fn position(&self) -> u64 {
        let read: u64 =
            self.sources.iter().map(|source| source.feed.at() - source.feed.start()).sum();
        read.min(self.file_bytes)
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
        // A row of compressed data can be reached only by decompressing everything before it.
        let is_stored = self.sources.iter().all(|source| source.feed.is_stored());
        if is_stored { seek::narrow(self, source, time) } else { Ok(false) }
    }

    fn expected_events(&self) -> usize {
        // A header may claim any number of rows, so that the estimate is limited to what the bytes of
        // the file can hold.
        self.left.min(32 * self.file_bytes) as usize
    }
}
