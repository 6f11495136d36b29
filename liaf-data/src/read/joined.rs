//! Reading of the pieces of a recording, one after the other.

use std::ops::Range;
use std::sync::Arc;

use super::join::Pieces;
use super::recording::Recording;
use crate::codec::seek::SLACK;
use crate::codec::{BlockReader, Body, EventSink, ReadOptions};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::model::{EventBatch, Finding, FindingCount, Measurement, Report};

/// The longest pause between two pieces whose clock started again, in µs. After a longer one it is more
/// likely that they are no pieces of one recording.
const PAUSE: i64 = 60_000_000;

/// Reads all pieces, or a range of them.
pub(super) struct JoinedReader {
    pieces: Arc<Pieces>,
    options: ReadOptions,
    /// The pieces that have not been opened yet.
    ahead: Range<usize>,
    open: Option<Open>,
    clock: Clock,
    /// Number of bytes of the pieces before the current one.
    base: u64,
    /// The report of the pieces before the current one.
    before: Report,
    report: Report,
}

/// The piece that is being read.
struct Open {
    index: usize,
    source: ByteSource,
    body: Body,
    step: usize,
}

impl JoinedReader {
    pub fn new(pieces: Arc<Pieces>, options: ReadOptions, before: Report) -> Self {
        let ahead = 0..pieces.list.len();
        let clock = Clock { period: pieces.period, ..Clock::default() };
        let report = before.clone();
        Self { pieces, options, ahead, open: None, clock, base: 0, before, report }
    }

    fn open(&mut self) -> Result<Option<Open>> {
        let Some(index) = self.ahead.next() else { return Ok(None) };
        let piece = &self.pieces.list[index];
        let fresh = Recording::open(&piece.path, self.options.clone())?.into_fresh();
        let Some((mut source, opened)) = fresh else {
            return Err(Error::caller("a piece cannot be read twice").in_file(&piece.path));
        };
        source.seek(opened.data_offset)?;
        self.clock.begin();
        let step = self.options.step.map_or(opened.step, std::num::NonZeroUsize::get);
        Ok(Some(Open { index, source, body: opened.body, step }))
    }

    /// The report of a piece, with offsets from the beginning of the first piece.
    fn of_piece(&self, open: &Open) -> Report {
        let mut report = open.body.report().clone();
        for count in report.findings.values_mut() {
            count.first_offset = count.first_offset.map(|offset| offset + self.base);
        }
        let path = self.pieces.list[open.index].path.display();
        if let Some(damage) = open.source.damage() {
            let count = FindingCount::at_byte(1, self.base + damage.unpacked);
            report.add(Finding::BadParts, count.count, count.first_offset.unwrap_or(0));
            report.note(format!("{path}: {}", damage.note()));
        }
        open.source.notes().iter().for_each(|note| report.note(format!("{path}: {note}")));
        report
    }
}

impl BlockReader for JoinedReader {
    fn pump(&mut self, _source: &mut ByteSource, sink: &mut dyn EventSink) -> Result<bool> {
        if self.open.is_none() {
            self.open = self.open()?;
        }
        let Some(mut open) = self.open.take() else { return Ok(false) };
        let mut sink = Continued { clock: &mut self.clock, sink };
        let more = open.body.pump(&mut open.source, open.step, self.options.strict, &mut sink);
        let path = &self.pieces.list[open.index].path;
        let more = more.map_err(|error| error.in_file(path));
        let report = self.of_piece(&open);
        self.report = self.before.clone();
        self.report.merge(&report);
        if self.clock.is_continued {
            self.report.note(
                "the clock starts again between pieces: the times of the later pieces are continued",
            );
        }
        if more? {
            self.open = Some(open);
            return Ok(true);
        }
        self.base += report.bytes.total();
        self.before = self.report.clone();
        Ok(!self.ahead.is_empty())
    }

    fn report(&self) -> &Report {
        &self.report
    }

    fn position(&self) -> u64 {
        self.base + self.open.as_ref().map_or(0, |open| open.source.position())
    }

    fn expected_events(&self) -> usize {
        0
    }

    /// Leaves out the pieces that are before and after `time` by their first events.
    fn narrow(&mut self, _source: &mut ByteSource, time: &Range<i64>) -> Result<bool> {
        if self.pieces.period.is_some() {
            return Ok(false);
        }
        let list = &self.pieces.list;
        let is_early = |index: usize| {
            let next = list.get(index + 1).and_then(|piece| piece.first);
            next.is_some_and(|first| first.saturating_add(SLACK) < time.start)
        };
        let is_late = |index: usize| {
            list[index].first.is_some_and(|first| first.saturating_sub(SLACK) >= time.end)
        };
        let start = (0..list.len()).find(|&index| !is_early(index)).unwrap_or(list.len());
        let end = (start..list.len()).find(|&index| is_late(index)).unwrap_or(list.len());
        let left_out = list[..start].iter().chain(&list[end..]);
        self.before.bytes.passed_over = left_out.filter_map(|piece| piece.bytes).sum();
        self.report = self.before.clone();
        self.ahead = start..end;
        Ok(true)
    }
}

/// The times of the pieces that were read, and how those of the current piece continue them.
#[derive(Debug, Default)]
struct Clock {
    period: Option<i64>,
    /// The latest time so far; `None` before the first event.
    latest: Option<i64>,
    /// The longest step back in time within a piece.
    disorder: i64,
    /// No event of the current piece may be earlier than this.
    earliest: Option<i64>,
    /// What is added to the times of the current piece, once its first time is known.
    shift: Option<i64>,
    is_continued: bool,
}

impl Clock {
    fn begin(&mut self) {
        self.earliest = self.latest.map(|latest| latest.saturating_sub(self.disorder));
        self.shift = None;
    }

    /// What is added to the times of the piece with this first time.
    fn shift(&mut self, first: i64) -> i64 {
        if let Some(shift) = self.shift {
            return shift;
        }
        let shift = match (self.period, self.latest) {
            (Some(period), Some(latest)) => {
                let missing = latest.saturating_sub(SLACK).saturating_sub(first);
                let restarts = missing.max(0).saturating_add(period - 1) / period;
                let shift = restarts.saturating_mul(period);
                let pause = first.saturating_add(shift).saturating_sub(latest);
                if pause <= PAUSE { shift } else { 0 }
            }
            _ => 0,
        };
        self.is_continued |= shift > 0;
        self.shift = Some(shift);
        shift
    }

    /// Continues the times of a batch.
    fn take(&mut self, times: &mut [i64]) -> Result<()> {
        let Some(&first) = times.first() else { return Ok(()) };
        let shift = self.shift(first);
        if shift != 0 {
            times.iter_mut().for_each(|t| *t = t.saturating_add(shift));
        }
        let (mut latest, mut disorder) = (self.latest.unwrap_or(i64::MIN), self.disorder);
        if let Some(earliest) = self.earliest
            && let Some(t) = times.iter().find(|&&t| t < earliest)
        {
            return Err(Error::caller("the pieces overlap in time, so that they cannot be joined")
                .expected(format!("events from {latest} µs on, where the pieces before it end"))
                .found(format!("an event at {t} µs")));
        }
        for &t in &*times {
            latest = latest.max(t);
            disorder = disorder.max(latest.saturating_sub(t));
        }
        (self.latest, self.disorder) = (Some(latest), disorder);
        Ok(())
    }
}

/// Passes events on with continued times.
struct Continued<'a> {
    clock: &'a mut Clock,
    sink: &'a mut dyn EventSink,
}

impl EventSink for Continued<'_> {
    fn events(&mut self, events: &mut EventBatch, offset: u64) -> Result<()> {
        self.clock.take(&mut events.t)?;
        self.sink.events(events, offset)
    }

    fn stream(&mut self, stream: i32) {
        self.sink.stream(stream);
    }

    fn measurement(&mut self, mut measurement: Measurement, offset: u64) -> Result<()> {
        let shift = self.clock.shift(measurement.t());
        measurement.add_time(shift);
        self.clock.latest = self.clock.latest.max(Some(measurement.t()));
        self.sink.measurement(measurement, offset)
    }
}
