//! Lines that are decoded together.

use super::digits::DIGITS;
use super::fast::{self, Pattern, Reading, Scratch};
use super::line::{self, Columns, Fault, Line};
use crate::model::{Event, EventBatch, Finding, Report};

/// If fewer consecutive lines than this fit a pattern, this many of the following lines are decoded
/// one by one.
const FEW: usize = 16;
const ONE_BY_ONE: usize = 64;

/// Lines that are decoded together.
#[derive(Debug, Default)]
pub(super) struct LineSegment {
    /// Offset of the line of the first event; also that of the last event, if lines were decoded
    /// one by one.
    pub first: u64,
    pub last: u64,
    /// Offset of the next line.
    pub offset: u64,
    /// Number of the next line.
    pub line: u64,
    pub batch: EventBatch,
    pub report: Report,
    /// The fault at which reading ends, with its position.
    pub fault: Option<(Fault, u64, u64)>,
    /// The first line that is not an event, with its position.
    pub first_bad: Option<(Fault, u64, u64)>,
    scratch: Scratch,
}

impl LineSegment {
    pub fn begin(&mut self, offset: u64, line: u64) {
        (self.first, self.offset, self.line) = (offset, offset, line);
        self.batch.clear();
        self.report = Report::default();
        (self.fault, self.first_bad) = (None, None);
    }

    /// Adds to all numbers of lines, which began at 0.
    pub fn add_lines(&mut self, lines: u64) {
        self.line += lines;
        for (_, _, line) in self.fault.iter_mut().chain(&mut self.first_bad) {
            *line += lines;
        }
    }

    /// Decodes lines until there are `most` events, or in strict mode until there is a fault.
    /// Returns the remaining bytes. If `many` lines may be decoded together, there may be slightly
    /// more events.
    pub fn decode<'a>(
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
            let used = columns.line_len(rest);
            match line::parse(&rest[..used], columns) {
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

    pub fn bad(&mut self, fault: Fault, used: u64, strict: bool) {
        if fault == Fault::Outside {
            self.report.bytes.events += used;
            self.report.add(Finding::OutOfSensor, 1, self.offset);
        } else {
            self.report.bytes.skipped += used;
            self.report.add(Finding::BadLines, 1, self.offset);
        }
        let here = Some((fault, self.offset, self.line));
        self.first_bad = self.first_bad.or(here);
        if strict || fault.is_end() {
            self.fault = here;
        }
        self.end_line(used);
    }

    #[inline(always)]
    fn end_line(&mut self, used: u64) {
        self.offset += used;
        self.line += 1;
    }
}
