//! The samples of one recording as events, of which frames are made when they are used.

use super::part::{PartWriter, Row};
use super::{EventCounts, SampleRule, Split};
use crate::codec::EventSink;
use crate::convert::{Part, check_something_read};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::{Chain, Selection};
use crate::limits::Limits;
use crate::model::{EventBatch, Finding, TimePoint};
use crate::read::Recording;

/// How events become samples.
pub(super) struct EventRule {
    pub class: i64,
    pub split: Option<Split>,
    pub samples: SampleRule,
    /// Length of a window in µs.
    pub window: i64,
    pub limits: Limits,
}

impl EventRule {
    /// Writes the samples of the selected events, in one pass.
    ///
    /// # Errors
    /// If the recording cannot be read or a part cannot be written; [`ErrorKind::Cancelled`] if `go_on`
    /// says so.
    pub fn make(
        self,
        recording: &mut Recording,
        selection: &Selection,
        part: &mut PartWriter<'_>,
        go_on: &dyn Fn() -> bool,
    ) -> Result<()> {
        let sensor = recording.find_sensor()?;
        let chosen = Part::find(recording, selection)?;
        let clock = |point: Option<TimePoint>| match point {
            Some(TimePoint::Absolute(us)) => Some(us),
            _ => None,
        };
        let (from, to) = (clock(chosen.selection.from), clock(chosen.selection.to));
        let length = self
            .samples
            .steps()
            .map(|steps| self.window.saturating_mul(i64::try_from(steps).unwrap_or(i64::MAX)));
        let mut collect = Collect {
            chain: Chain::new(&chosen.selection, sensor)?,
            rule: self,
            length,
            first: from,
            to,
            latest: i64::MIN,
            part,
            open: None,
            bytes: Vec::new(),
            counts: EventCounts::default(),
            late: 0,
            is_done: false,
        };
        let mut reader = chosen.reader(recording)?;
        let mut has_rest = false;
        while !has_rest && reader.pump(&mut collect)? {
            if !go_on() {
                return Err(Error::new(ErrorKind::Cancelled, "stopped"));
            }
            has_rest = collect.is_done && !reader.is_all_read();
        }
        let report = reader.report();
        check_something_read(recording.path(), &report)?;
        let mut held = EventBatch::new();
        collect.chain.finish(&mut held)?;
        collect.put(&held)?;
        let removed = collect.chain.removed();
        let filtered: u64 = removed.filtered.iter().map(|stage| stage.events).sum();
        let left_out = removed.out_of_crop + filtered + report.count(Finding::OutOfSensor);
        collect.end()?;
        let (counts, late) = (EventCounts { left_out, ..collect.counts }, collect.late);
        let head = &mut part.head;
        head.events += counts;
        head.has_rest |= has_rest;
        if late > 0 {
            head.note("events are earlier than the sample that was open, and are left out");
        }
        for note in report.notes.iter().chain(&reader.info().notes) {
            head.note(&note.to_string());
        }
        Ok(())
    }
}

struct Collect<'a, 's> {
    chain: Chain,
    rule: EventRule,
    /// Length of a sample in µs; `None` for one of all events.
    length: Option<i64>,
    /// Start of the first sample, and the end that was chosen.
    first: Option<i64>,
    to: Option<i64>,
    latest: i64,
    part: &'a mut PartWriter<'s>,
    open: Option<Row>,
    bytes: Vec<u8>,
    counts: EventCounts,
    /// Number of events before the open sample.
    late: u64,
    is_done: bool,
}

impl Collect<'_, '_> {
    fn cuts(&self) -> bool {
        matches!(self.rule.samples, SampleRule::Cut { .. })
    }

    /// The end of a sample that starts at `start`, or the latest time.
    fn end_of(&self, start: i64) -> i64 {
        self.length.map_or(i64::MAX, |length| start.saturating_add(length))
    }

    fn begin(&mut self, start: i64) {
        let EventRule { class, split, .. } = self.rule;
        let row = Row { class, split, start, frames: 0, items: 0, duration: 0, dropped: false };
        self.open = Some(row);
    }

    /// Completes the open sample, which has all of its time or not.
    fn close(&mut self, is_whole: bool) {
        let Some(mut row) = self.open.take() else { return };
        let last = match self.to {
            Some(to) => to,
            None => self.latest.saturating_add(1),
        };
        let length = last.saturating_sub(row.start).max(0);
        row.duration = self.length.map_or(length, |most| length.min(most));
        row.frames = (row.duration.max(1) as u64).div_ceil(self.rule.window.max(1) as u64);
        let keeps_partial =
            !matches!(self.rule.samples, SampleRule::Cut { keep_partial: false, .. });
        row.dropped = !is_whole && !keeps_partial;
        match row.dropped {
            true => self.counts.in_no_sample += row.items,
            false => self.counts.kept += row.items,
        }
        self.part.head.rows.push(row);
    }

    /// Completes the last samples: up to a chosen end there are some, with events or without.
    fn end(&mut self) -> Result<()> {
        loop {
            let Some(row) = &self.open else { return Ok(()) };
            let end = self.end_of(row.start);
            match self.to {
                Some(to) if end < to && self.cuts() => self.next(end)?,
                Some(to) => self.close(end <= to),
                None => self.close(end <= self.latest.saturating_add(1)),
            }
        }
    }

    /// Completes the open sample, which ends at `end`, and begins the next.
    fn next(&mut self, end: i64) -> Result<()> {
        self.close(true);
        let most = self.rule.limits.frames;
        if self.part.head.rows.len() as u64 >= most {
            return Err(Error::limit("the recording would have too many samples")
                .expected(format!("at most {most}"))
                .found(format!("one from {end} µs on, and later ones")));
        }
        self.begin(end);
        Ok(())
    }

    /// Opens the sample to which an event at `t` belongs. Whether there is one.
    fn open_for(&mut self, t: i64) -> Result<bool> {
        let first = *self.first.get_or_insert(t);
        if self.open.is_none() {
            self.begin(first);
        }
        loop {
            let start = self.open.as_ref().map_or(first, |row| row.start);
            if t < start {
                self.late += 1;
                return Ok(false);
            }
            let end = self.end_of(start);
            if t < end {
                return Ok(true);
            }
            self.latest = self.latest.max(t);
            if !self.cuts() {
                self.close(true);
                self.is_done = true;
                return Ok(false);
            }
            self.next(end)?;
        }
    }
}

impl EventSink for Collect<'_, '_> {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.chain.apply(events);
        self.put(events)
    }
}

impl Collect<'_, '_> {
    /// Takes events that the filters have left.
    fn put(&mut self, events: &EventBatch) -> Result<()> {
        self.bytes.clear();
        for event in events.iter() {
            if self.is_done || !self.open_for(event.t)? {
                self.counts.in_no_sample += 1;
                continue;
            }
            self.latest = self.latest.max(event.t);
            self.bytes.extend_from_slice(&event.t.to_le_bytes());
            self.bytes.extend_from_slice(&event.x.to_le_bytes());
            self.bytes.extend_from_slice(&event.y.to_le_bytes());
            self.bytes.push(event.p);
            if let Some(row) = &mut self.open {
                row.items += 1;
            }
        }
        self.part.append(&self.bytes)
    }
}
