//! Decoding of lines to events.

use super::digits::DIGITS;
use super::fast::{self, Pattern, Reading, Scratch};
use super::line::{self, Columns, Fault, Line};
use crate::codec::{Checkpoint, Decoder, EventSink, ReadOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::io::{in_order, places_per_pool};
use crate::model::{Event, EventBatch, Finding, Report};

/// Number of events between two calls of the sink.
const BATCH: usize = 8192;
/// Approximate number of bytes that a thread decodes at a time.
const SEGMENT: usize = 256 << 10;
/// If fewer consecutive lines than this fit a pattern, this many of the following lines are decoded
/// one by one.
const FEW: usize = 16;
const ONE_BY_ONE: usize = 64;

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
        while !rest.is_empty() {
            let from = rest.len().min(SEGMENT);
            let end = rest[from..].iter().position(|&byte| byte == b'\n');
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
            segment.line += self.line;
            self.take(part, segment, sink)
        };
        let result = in_order(&parts, &mut segments, work, give);
        self.segments = segments;
        result
    }

    /// Takes over the result of a segment, which was decoded from the beginning of `bytes`.
    fn take(
        &mut self,
        bytes: &[u8],
        segment: &mut LineSegment,
        sink: &mut dyn EventSink,
    ) -> Result<()> {
        let mut given = Ok(());
        if !segment.batch.is_empty() {
            given = sink.events(&mut segment.batch, segment.first).map_err(|error| {
                error.place_event(|event| {
                    segment.begin(self.offset, self.line);
                    let (most, longest) = (event + 1, self.line_bytes);
                    segment.decode(bytes, &self.columns, most, longest, self.strict, false);
                    segment.last
                })
            });
        }
        self.report.merge(&segment.report);
        (self.offset, self.line) = (segment.offset, segment.line);
        given?;
        match segment.fault.take() {
            Some((fault, offset, line)) => Err(self.error(fault, offset, line)),
            None => Ok(()),
        }
    }

    /// What a line is called in messages: its number, if that is known.
    fn line(&self, line: u64) -> String {
        if self.line_is_known { format!("line {line}") } else { "the line here".to_owned() }
    }

    fn error(&self, fault: Fault, offset: u64, line: u64) -> Error {
        let line = self.line(line);
        let at = |error: Error| error.at(offset);
        match fault {
            Fault::Columns(found) => {
                at(Error::malformed(format!("{line} does not contain an event")))
                    .expected(format!("{} columns", self.columns.count))
                    .found(found)
            }
            Fault::Field(field) => at(Error::malformed(format!("{field} of {line} is invalid")))
                .expected(match field.index() {
                    0 => "a time",
                    3 => "0, 1, -1, True or False",
                    _ => "a whole number from 0 to 65535",
                }),
            Fault::TooLong => at(Error::new(ErrorKind::Limit, format!("{line} is too long")))
                .expected(format!("at most {} bytes", self.line_bytes)),
        }
    }

    /// Ends a line of which more bytes than allowed have already been dropped.
    fn end_of_long_line(&mut self, sink: &mut dyn EventSink) -> Result<()> {
        let mut segment = self.segments.pop().unwrap_or_default();
        segment.begin(self.offset, self.line);
        segment.bad(Fault::TooLong, std::mem::take(&mut self.too_long), self.strict);
        let result = self.take(&[], &mut segment, sink);
        self.segments.push(segment);
        result
    }
}

impl Decoder for CsvDecoder {
    fn push(&mut self, mut bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        if !self.carry.is_empty() || self.too_long > 0 {
            let end = bytes.iter().position(|&byte| byte == b'\n').map(|end| end + 1);
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
                    let result = self.lines(&line, sink);
                    self.carry = line;
                    self.carry.clear();
                    result?;
                }
            }
        }
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let (whole, rest) = bytes.split_at(whole);
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
        // Without a line end only a polarity is certain to be complete; any other number may
        // continue.
        let p_is_last = self.columns.at[3] + 1 == self.columns.count;
        match line::any(&tail, &self.columns) {
            Line::Nothing => return self.lines(&tail, sink),
            Line::Event(_) if p_is_last && !tail.ends_with(b"\r") => {
                return self.lines(&tail, sink);
            }
            Line::Event(_) if tail.ends_with(b"\r") => return self.lines(&tail, sink),
            Line::Event(_) | Line::Bad(_) => {}
        }
        self.report.bytes.skipped += tail.len() as u64;
        self.report.add(Finding::TruncatedTails, 1, self.offset);
        if self.strict {
            return Err(Error::truncated(format!("{} is incomplete", self.line(self.line)))
                .at(self.offset)
                .expected("a line end, or the polarity as last column")
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
        (self.too_long == 0).then(|| Checkpoint { offset: self.offset, state: vec![line] })
    }

    fn reset(&mut self) {
        (self.offset, self.line) = self.start;
        self.line_is_known = true;
        self.carry.clear();
        self.too_long = 0;
        self.report.clone_from(&self.header);
    }

    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let [line] = checkpoint.state()?;
        self.reset();
        self.line_is_known = line >= 0;
        (self.line, self.offset) = (u64::try_from(line).unwrap_or(0), checkpoint.offset);
        Ok(())
    }
}

/// Lines that are decoded together.
#[derive(Debug, Default)]
struct LineSegment {
    /// Offset of the line of the first event; also that of the last event, if lines were decoded
    /// one by one.
    first: u64,
    last: u64,
    /// Offset of the next line.
    offset: u64,
    /// Number of the next line.
    line: u64,
    batch: EventBatch,
    report: Report,
    /// The fault at which reading ends, with its position.
    fault: Option<(Fault, u64, u64)>,
    scratch: Scratch,
}

impl LineSegment {
    fn begin(&mut self, offset: u64, line: u64) {
        (self.first, self.offset, self.line) = (offset, offset, line);
        self.batch.clear();
        self.report = Report::default();
        self.fault = None;
    }

    /// Decodes lines until there are `most` events, or in strict mode until there is a fault.
    /// Returns the remaining bytes. If `many` lines may be decoded together, there may be slightly
    /// more events.
    fn decode<'a>(
        &mut self,
        bytes: &'a [u8],
        columns: &Columns,
        most: usize,
        longest: usize,
        strict: bool,
        many: bool,
    ) -> &'a [u8] {
        let mut at = 0;
        let (mut pattern, mut one_by_one) = (None, 0);
        while at < bytes.len() && self.batch.len() < most && self.fault.is_none() {
            let rest = &bytes[at..];
            if one_by_one > 0 {
                one_by_one -= 1;
            } else if many && at >= DIGITS {
                pattern = pattern.or_else(|| Pattern::of(rest, columns));
                let lines = match &pattern {
                    Some(pattern) => {
                        let reading = Reading { columns, pattern, longest };
                        self.lines(bytes, &mut at, reading)
                    }
                    None => 0,
                };
                if lines < FEW {
                    (pattern, one_by_one) = (None, ONE_BY_ONE);
                }
                continue;
            }
            if let Some((event, used)) = line::plain(rest, columns)
                && used <= longest
            {
                self.event(event, used);
                at += used;
                continue;
            }
            let used =
                rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |end| end + 1);
            match line::any(&rest[..used], columns) {
                _ if used > longest + 1 => self.bad(Fault::TooLong, used as u64, strict),
                Line::Event(event) => self.event(event, used),
                Line::Nothing => {
                    self.report.bytes.header += used as u64;
                    self.end_line(used as u64);
                }
                Line::Bad(fault) => self.bad(fault, used as u64, strict),
            }
            at += used;
        }
        &bytes[at..]
    }

    /// Decodes lines of a pattern at `bytes[at..]`; returns their number.
    fn lines(&mut self, bytes: &[u8], at: &mut usize, reading: Reading<'_>) -> usize {
        let is_first = self.batch.is_empty();
        let (end, n) = fast::lines(bytes, *at, reading, &mut self.scratch, &mut self.batch);
        if is_first && n > 0 {
            self.first = self.offset;
        }
        let used = (end - *at) as u64;
        self.report.bytes.events += used;
        self.offset += used;
        self.line += n as u64;
        *at = end;
        n
    }

    #[inline(always)]
    fn event(&mut self, event: Event, used: usize) {
        if self.batch.is_empty() {
            self.first = self.offset;
        }
        self.last = self.offset;
        self.batch.push(event);
        self.report.bytes.events += used as u64;
        self.end_line(used as u64);
    }

    fn bad(&mut self, fault: Fault, used: u64, strict: bool) {
        self.report.bytes.skipped += used;
        self.report.add(Finding::BadLines, 1, self.offset);
        if strict {
            self.fault = Some((fault, self.offset, self.line));
        }
        self.end_line(used);
    }

    #[inline(always)]
    fn end_line(&mut self, used: u64) {
        self.offset += used;
        self.line += 1;
    }
}
