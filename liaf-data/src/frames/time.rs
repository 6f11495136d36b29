//! Windows of time. Events are added to the windows that contain them, even if they are out of
//! order.

use std::ops::Range;

use multiversion::multiversion;

use super::grid::Grid;
use super::open::OpenFrames;
use super::rule::{Rule, after};
use super::{FrameOptions, FrameSink, Placed, Window};
use crate::error::Result;
use crate::model::TimeSpan;

/// Number of times that are compared with an interval together.
const BLOCK: usize = 32;

/// Bins events by time into frames that stay open for a while.
#[derive(Debug)]
pub(super) struct TimeWindows {
    rule: Rule,
    /// Start and end of the interval of time that the caller chose.
    from: Option<i64>,
    to: Option<i64>,
    /// How long frames stay open after their end, in µs of the latest time.
    slack: u64,
    /// How many frames may be open at the same time, and whether one had to be closed early because
    /// of that.
    max_open: u64,
    closed_early: bool,
    /// Known from the first kept event on.
    line: Option<Line>,
    /// The interval of time around the last event, whose events all go to `target`.
    low: i64,
    high: i64,
    target: Target,
}

/// The windows on the clock of the recording.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// Start of window 0 in µs.
    t0: i64,
    grid: Grid,
    /// Latest time so far, in µs after `t0`.
    latest: u64,
    /// Whether an event has been seen; otherwise only `t0` was chosen.
    started: bool,
    /// The largest step forward in time so far: its start and end, in µs after `t0`.
    gap: (u64, u64),
}

/// Where the events of an interval of time go.
#[derive(Debug, Clone)]
enum Target {
    /// To these frames.
    Windows(Range<u64>),
    /// To these frames; other frames that should have contained them are closed already.
    LateWindows(Range<u64>),
    /// To the oldest open frame.
    Late,
    /// To no frame.
    None,
}

impl TimeWindows {
    pub fn new(options: &FrameOptions, max_open: u64, span: Option<TimeSpan>) -> Self {
        Self {
            rule: Rule::new(options, span),
            from: None,
            to: None,
            slack: options.slack.max(0) as u64,
            max_open,
            closed_early: false,
            line: None,
            low: 0,
            high: -1,
            target: Target::None,
        }
    }

    /// Sets the start and end that the caller chose.
    pub fn limit_to(&mut self, from: Option<i64>, to: Option<i64>) {
        (self.from, self.to) = (from, to);
    }

    pub fn push(
        &mut self,
        events: Placed<'_>,
        open: &mut OpenFrames,
        sink: &mut dyn FrameSink,
    ) -> Result<()> {
        let Placed { mut t, mut index } = events;
        while let Some(&next) = t.first() {
            if next < self.low || next > self.high {
                self.enter(next, open, sink)?;
            }
            let (n, max) = run(t, self.low, self.high);
            let (here, rest) = index.split_at(n.min(index.len()));
            let here = Placed { t: &t[..n], index: here };
            self.add(here, open);
            if let Some(line) = &mut self.line
                && max > line.t0
            {
                line.latest = line.latest.max(max.abs_diff(line.t0));
            }
            t = &t[n..];
            index = rest;
        }
        Ok(())
    }

    /// Opens and closes frames as needed for an event at `t`, and finds the interval around it.
    fn enter(&mut self, t: i64, open: &mut OpenFrames, sink: &mut dyn FrameSink) -> Result<()> {
        let mut line = match self.line {
            Some(line) => line,
            None => {
                let t0 = self.from.unwrap_or(t);
                let grid = self.rule.grid(t0);
                let line = Line { t0, grid, latest: 0, started: false, gap: (0, 0) };
                self.check_end(&line, open)?;
                line
            }
        };
        if t < line.t0 {
            self.close_old(&line, open, sink)?;
            (self.low, self.high, self.target) = (i64::MIN, line.t0 - 1, Target::Late);
            return Ok(());
        }
        let offset = t.abs_diff(line.t0);
        let cover = line.grid.cover(offset);
        if offset > line.latest || !line.started {
            if offset - line.latest > line.gap.1 - line.gap.0 {
                line.gap = (line.latest, offset);
            }
            self.check_frames(&line, offset, open)?;
            (line.latest, line.started) = (offset, true);
            while open.next() < cover.windows.end {
                open.open();
                self.close_old(&line, open, sink)?;
            }
        }
        self.close_old(&line, open, sink)?;
        self.low = after(line.t0, cover.low.into());
        self.high = after(line.t0, cover.high.into());
        let open_ones = cover.windows.start.max(open.first())..cover.windows.end;
        self.target = if cover.windows.is_empty() {
            Target::None
        } else if open_ones.is_empty() {
            Target::Late
        } else if open_ones == cover.windows {
            Target::Windows(open_ones)
        } else {
            Target::LateWindows(open_ones)
        };
        self.line = Some(line);
        Ok(())
    }

    fn add(&self, events: Placed<'_>, open: &mut OpenFrames) {
        let n = events.index.len() as u64;
        let (windows, late) = match &self.target {
            Target::Windows(windows) => (windows.clone(), 0),
            Target::LateWindows(windows) => (windows.clone(), n),
            Target::Late => (open.first()..open.next().min(open.first() + 1), n),
            Target::None => (0..0, 0),
        };
        if windows.is_empty() {
            open.report.out_of_window += n;
            return;
        }
        let first = windows.start;
        for k in windows {
            let (kept, late) = if k == first { (n, late) } else { (0, 0) };
            open.add(k, events, kept, late);
        }
    }

    /// Closes the frames that ended `slack` before the latest time, and the oldest ones if more are
    /// open than allowed.
    fn close_old(
        &mut self,
        line: &Line,
        open: &mut OpenFrames,
        sink: &mut dyn FrameSink,
    ) -> Result<()> {
        while open.len() > 0 {
            let k = open.first();
            let too_old = !line.grid.takes_rest(k)
                && line
                    .latest
                    .checked_sub(self.slack)
                    .is_some_and(|t| line.grid.end(k) <= t.into());
            if !too_old && open.len() <= self.max_open {
                break;
            }
            self.closed_early |= !too_old;
            // Something came after the end of this window.
            open.close(self.window(line, k), true, sink)?;
        }
        Ok(())
    }

    /// Window `k` on the clock of the recording.
    fn window(&self, line: &Line, k: u64) -> Window {
        let mut end = after(line.t0, line.grid.end(k));
        if let Rule::Fitted { t_max, .. } = self.rule
            && line.grid.takes_rest(k)
        {
            end = end.max(t_max.saturating_add(1));
        }
        let start = after(line.t0, line.grid.start(k));
        Window { start, end: self.to.map_or(end, |to| end.min(to.max(start))) }
    }

    /// Whether window `k` is full at the end of the events.
    fn is_full(&self, line: &Line, k: u64) -> bool {
        let end = line.grid.end(k);
        match self.to {
            Some(to) => i128::from(line.t0).saturating_add_unsigned(end) <= to.into(),
            None => end <= u128::from(line.latest) + 1,
        }
    }

    /// Returns an error if more frames than allowed were needed to reach `offset`.
    fn check_frames(&self, line: &Line, offset: u64, open: &OpenFrames) -> Result<()> {
        let asked = self.rule.frames_until(&line.grid, offset);
        if asked <= open.max_frames() {
            return Ok(());
        }
        let at = |offset: u64| after(line.t0, offset.into());
        let (mut before, mut next) = line.gap;
        if next - before < offset / 2 {
            (before, next) = (0, offset);
        }
        let (before, mut next) = (at(before), at(next));
        if let Rule::Fitted { t_max, .. } = self.rule {
            next = t_max;
        }
        let step = if before == line.t0 && self.from.is_some() {
            "from the chosen start at"
        } else {
            "from an event at"
        };
        Err(open.too_many(asked).found(format!(
            "{asked}: {step} {before} µs to an event at {next} µs it is {} µs",
            next.abs_diff(before)
        )))
    }

    /// Number of frames that are needed to reach the end that the caller chose, if frames go on to it.
    fn frames_to_end(&self, line: &Line) -> u64 {
        match (self.rule, self.to) {
            (Rule::Even { full: false, .. }, Some(to)) if to > line.t0 => {
                self.rule.frames_until(&line.grid, (to - 1).abs_diff(line.t0))
            }
            _ => 0,
        }
    }

    /// Returns an error if more frames than allowed were needed to reach the end that the caller chose.
    fn check_end(&self, line: &Line, open: &OpenFrames) -> Result<()> {
        let asked = self.frames_to_end(line);
        if asked <= open.max_frames() {
            return Ok(());
        }
        let (t0, to) = (line.t0, self.to.unwrap_or(i64::MAX));
        Err(open.too_many(asked).found(format!(
            "{asked}: from {t0} µs to the chosen end at {to} µs it is {} µs",
            to.abs_diff(t0)
        )))
    }

    /// Closes the open frames, and writes the frames after them that are still missing.
    pub fn finish(&mut self, open: &mut OpenFrames, sink: &mut dyn FrameSink) -> Result<()> {
        let Some(line) = self.line else { return Ok(()) };
        let total = match (line.grid.count(), self.rule) {
            (Some(n), _) => n,
            (None, Rule::Even { full: true, .. }) => {
                self.rule.frames_until(&line.grid, line.latest)
            }
            (None, _) => open.next().max(self.frames_to_end(&line)),
        };
        while open.next() > total && open.len() > 0 {
            open.drop_last();
        }
        while open.first() < total {
            if open.len() == 0 {
                open.open();
            }
            let k = open.first();
            open.close(self.window(&line, k), self.is_full(&line, k), sink)?;
        }
        self.note_late(&line, open);
        Ok(())
    }

    fn note_late(&self, line: &Line, open: &mut OpenFrames) {
        let report = &mut open.report;
        if report.late > 0 && self.closed_early {
            report.notes.push(format!(
                "frames were closed before the slack of {} µs had passed, because at most {} \
                 frames may be open",
                self.slack, self.max_open
            ));
        }
        if report.late > report.kept / 10 {
            let at = |offset: u64| after(line.t0, offset.into());
            report.notes.push(format!(
                "{} of {} events came late: windows begin at {} µs, the latest event is at {} µs, and \
                 the widest step forward is from {} µs to {} µs; one of these times may be wrong",
                report.late,
                report.kept,
                line.t0,
                at(line.latest),
                at(line.gap.0),
                at(line.gap.1)
            ));
        }
    }
}

/// How many of the first times are in `low..=high`, and the largest of these.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn run(t: &[i64], low: i64, high: i64) -> (usize, i64) {
    // In arithmetic modulo 2^64, `low..=high` is the range `0..=high - low` after subtracting
    // `low`, whatever the signs. One comparison is enough.
    let width = high.wrapping_sub(low) as u64;
    let after = |t: i64| t.wrapping_sub(low) as u64;
    let (mut latest, mut n) = (0, 0);
    // A block without a branch is compiled to vector instructions.
    for block in t.chunks(BLOCK) {
        let largest = block.iter().fold(0, |largest, &t| after(t).max(largest));
        if largest > width {
            let inside = block.iter().map(|&t| after(t)).take_while(|&after| after <= width);
            for after in inside {
                latest = latest.max(after);
                n += 1;
            }
            break;
        }
        latest = latest.max(largest);
        n += block.len();
    }
    (n, low.wrapping_add(latest as i64))
}
