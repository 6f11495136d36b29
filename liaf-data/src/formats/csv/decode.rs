//! Decoding of lines to events.

use super::line::{self, Columns, Fault, Line};
use super::segment::LineSegment;
use super::tail::{self, LastTime};
use crate::codec::columns::Wraps;
use crate::codec::{Checkpoint, Decoder, EventSink, Field, ReadOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::hint::Hint;
use crate::io::{in_order, places_per_pool};
use crate::model::{Finding, Report};

/// Number of events between two calls of the sink.
const BATCH: usize = 8192;
/// Approximate number of bytes that a thread decodes at a time.
const SEGMENT: usize = 256 << 10;

/// Decodes the lines of a text. The line with the names of the columns must already have been
/// consumed.
#[derive(Debug)]
pub struct CsvDecoder {
    columns: Columns,
    strict: bool,
    parallel: bool,
    line_bytes: usize,
    /// Offset in the file at which the data starts, and the number of the first line of data.
    start: (u64, u64),
    /// The report of everything before the data.
    header: Report,
    offset: u64,
    /// Number of the next line, counted from 1, or from a seek point whose line number is not
    /// known.
    line: u64,
    line_is_known: bool,
    /// The bytes of a line that is not complete yet.
    carry: Vec<u8>,
    /// How many bytes of the current line were dropped because the line is longer than allowed.
    too_long: u64,
    /// The time in the last complete line, if times are the last column.
    last_time: Option<LastTime>,
    wraps: Wraps,
    segments: Vec<LineSegment>,
    report: Report,
}

impl CsvDecoder {
    /// A decoder for the lines from byte `start` on, which has line number `line`; `report` covers
    /// everything before it.
    pub(crate) fn new(
        columns: Columns,
        start: u64,
        line: u64,
        report: Report,
        options: &ReadOptions,
    ) -> Self {
        let parallel = options.parallel && !options.strict;
        let mut segments = Vec::new();
        segments.resize_with(if parallel { places_per_pool() } else { 1 }, LineSegment::default);
        Self {
            columns,
            strict: options.strict,
            parallel,
            line_bytes: options.limits.line_bytes,
            start: (start, line),
            header: report.clone(),
            offset: start,
            line,
            line_is_known: true,
            carry: Vec::new(),
            too_long: 0,
            last_time: None,
            wraps: Wraps::new(None, columns.unit, 0),
            segments,
            report,
        }
    }

    /// Decodes complete lines.
    fn lines(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        if self.parallel && bytes.len() > SEGMENT {
            return self.segments(bytes, sink);
        }
        let mut segment = self.segments.pop().unwrap_or_default();
        let mut rest = bytes;
        let mut result = Ok(());
        while !rest.is_empty() && result.is_ok() {
            segment.begin(self.offset, self.line);
            let after =
                segment.decode(rest, &self.columns, BATCH, self.line_bytes, self.strict, true);
            result = self.take(rest, &mut segment, sink);
            rest = after;
        }
        self.segments.push(segment);
        result
    }

    fn segments(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        let mut parts = Vec::with_capacity(bytes.len() / SEGMENT + 1);
        let (mut rest, mut offset) = (bytes, self.offset);
        let line_end = self.columns.line_end;
        while !rest.is_empty() {
            let from = rest.len().min(SEGMENT);
            let end = rest[from..].iter().position(|&byte| byte == line_end);
            let (part, after) = rest.split_at(end.map_or(rest.len(), |end| from + end + 1));
            parts.push((part, offset));
            offset += part.len() as u64;
            rest = after;
        }
        let (columns, longest) = (self.columns, self.line_bytes);
        let mut segments = std::mem::take(&mut self.segments);
        let work = |_, &(part, offset): &(&[u8], u64), segment: &mut LineSegment| {
            segment.begin(offset, 0);
            segment.decode(part, &columns, usize::MAX, longest, false, true);
        };
        let give = |_, &(part, _): &(&[u8], u64), segment: &mut LineSegment| {
            segment.add_lines(self.line);
            self.take(part, segment, sink)
        };
        let result = in_order(&parts, &mut segments, work, give);
        self.segments = segments;
        result
    }

    /// Keeps the time in the last of these complete lines, if it may be needed to judge a last line
    /// without an end.
    fn remember(&mut self, lines: &[u8]) {
        if !lines.is_empty() {
            self.last_time = LastTime::of_last(lines, &self.columns, self.line_bytes);
        }
    }

    /// Takes over the result of a segment, which was decoded from the beginning of `bytes`.
    fn take(
        &mut self,
        bytes: &[u8],
        segment: &mut LineSegment,
        sink: &mut dyn EventSink,
    ) -> Result<()> {
        let mut given = Ok(());
        let (wraps, index) = self.wraps.unroll(&mut segment.batch.t);
        if wraps > 0 {
            self.report.add(Finding::TimeWraps, wraps, self.offset_of(bytes, index));
        }
        if !segment.batch.is_empty() {
            given = sink
                .events(&mut segment.batch, segment.first)
                .map_err(|error| error.place_event(|event| self.offset_of(bytes, event)));
        }
        self.report.merge(&segment.report);
        if let Some((fault, offset, line)) = segment.first_bad.take()
            && self.report.first_loss.is_none()
        {
            let error = self.error(fault, offset, line);
            self.report.lose(&error);
        }
        (self.offset, self.line) = (segment.offset, segment.line);
        given?;
        match segment.fault.take() {
            Some((fault, offset, line)) => Err(self.error(fault, offset, line)),
            None => Ok(()),
        }
    }

    /// Offset of the line of an event, by its index among those of `bytes`.
    fn offset_of(&self, bytes: &[u8], event: usize) -> u64 {
        let mut segment = LineSegment::default();
        segment.begin(self.offset, self.line);
        let (most, longest) = (event + 1, self.line_bytes);
        segment.decode(bytes, &self.columns, most, longest, self.strict, false);
        segment.last
    }

    /// What a line is called in messages: its number, if that is known.
    fn line(&self, line: u64) -> String {
        if self.line_is_known { format!("line {line}") } else { "the line here".to_owned() }
    }

    fn error(&self, fault: Fault, offset: u64, line: u64) -> Error {
        let line = self.line(line);
        let error = match fault {
            Fault::Columns(found) => {
                Error::malformed(format!("{line} does not contain an event")).found(found)
            }
            Fault::Field(field) => Error::malformed(format!("{field} of {line} is invalid")),
            Fault::Word => Error::malformed(format!("{} of {line} is invalid", Field::P)),
            Fault::Fraction(field) => Error::malformed(format!("{field} of {line} has a fraction"))
                .hint(Hint::RoundPixels),
            Fault::Outside => Error::malformed(format!("the pixel of {line} is outside")),
            Fault::Contradiction(value) => {
                return self.columns.polarity.contradiction(&line, value).at(offset);
            }
            Fault::TooLong => {
                let error = Error::new(ErrorKind::Limit, format!("{line} is too long"));
                return error.at(offset).expected(format!("at most {} bytes", self.line_bytes));
            }
        };
        error.at(offset).expected(fault.expected(&self.columns))
    }

    /// Ends a line of which more bytes than allowed have already been dropped.
    fn end_of_long_line(&mut self, sink: &mut dyn EventSink) -> Result<()> {
        let mut segment = self.segments.pop().unwrap_or_default();
        segment.begin(self.offset, self.line);
        segment.bad(Fault::TooLong, std::mem::take(&mut self.too_long), self.strict);
        self.last_time = None;
        let result = self.take(&[], &mut segment, sink);
        self.segments.push(segment);
        result
    }
}

impl Decoder for CsvDecoder {
    fn push(&mut self, mut bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        let line_end = self.columns.line_end;
        if !self.carry.is_empty() || self.too_long > 0 {
            let end = bytes.iter().position(|&byte| byte == line_end).map(|end| end + 1);
            let (line, after) = bytes.split_at(end.unwrap_or(bytes.len()));
            bytes = after;
            if self.too_long > 0 || self.carry.len() + line.len() > self.line_bytes + 1 {
                self.too_long += (self.carry.len() + line.len()) as u64;
                self.carry.clear();
                if end.is_some() {
                    self.end_of_long_line(sink)?;
                }
            } else {
                self.carry.extend_from_slice(line);
                if end.is_some() {
                    let line = std::mem::take(&mut self.carry);
                    self.remember(&line);
                    let result = self.lines(&line, sink);
                    self.carry = line;
                    self.carry.clear();
                    result?;
                }
            }
        }
        let whole = bytes.iter().rposition(|&byte| byte == line_end).map_or(0, |end| end + 1);
        let (whole, rest) = bytes.split_at(whole);
        self.remember(whole);
        self.lines(whole, sink)?;
        if rest.len() > self.line_bytes + 1 {
            self.too_long = rest.len() as u64;
        } else {
            self.carry.extend_from_slice(rest);
        }
        Ok(())
    }

    fn finish(&mut self, sink: &mut dyn EventSink) -> Result<()> {
        if self.too_long > 0 {
            return self.end_of_long_line(sink);
        }
        let tail = std::mem::take(&mut self.carry);
        if tail.is_empty() {
            return Ok(());
        }
        let is_whole = match line::parse(&tail, &self.columns) {
            Line::Nothing => true,
            Line::Event(_) => tail::is_whole(&tail, &self.columns, self.last_time),
            Line::Bad(_) => false,
        };
        if is_whole {
            return self.lines(&tail, sink);
        }
        self.report.bytes.skipped += tail.len() as u64;
        self.report.add(Finding::TruncatedTails, 1, self.offset);
        if self.strict {
            return Err(Error::truncated(format!("{} is incomplete", self.line(self.line)))
                .at(self.offset)
                .expected("a line end, or a last number that is surely complete")
                .advice("if nothing is missing, add a line end"));
        }
        Ok(())
    }

    fn report(&self) -> &Report {
        &self.report
    }

    /// A checkpoint is at the beginning of a line, whose number may not be known.
    fn checkpoint(&self) -> Option<Checkpoint> {
        let line = if self.line_is_known { self.line as i64 } else { -1 };
        let mut state = vec![line];
        state.extend(self.last_time.iter().flat_map(|last| last.to_state()));
        state.extend(self.wraps.state().into_iter().flatten());
        (self.too_long == 0).then_some(Checkpoint { offset: self.offset, state })
    }

    fn reset(&mut self) {
        (self.offset, self.line) = self.start;
        self.line_is_known = true;
        self.carry.clear();
        self.too_long = 0;
        self.last_time = None;
        self.wraps.resume(&[]);
        self.report.clone_from(&self.header);
    }

    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let ([line], rest) = checkpoint.first()?;
        // Of the two states either may be missing; they differ in length.
        let (time, wraps) = match rest.split_first_chunk::<{ tail::STATE }>() {
            Some((time, wraps)) if rest.len() != Wraps::STATE => (Some(*time), wraps),
            _ => (None, rest),
        };
        self.reset();
        self.last_time = time.map(LastTime::from_state);
        self.wraps.resume(wraps);
        self.line_is_known = line >= 0;
        (self.line, self.offset) = (u64::try_from(line).unwrap_or(0), checkpoint.offset);
        Ok(())
    }
}
