//! Windows by time: events go to the windows that cover them, even if they come out of order.

use std::ops::Range;

use super::grid::Grid;
use super::open::{OpenFrames, TOO_MANY_ADVICE};
use super::select::Kept;
use super::{Edge, FrameOptions, FrameShape, FrameSink, Span, Window, WindowRule};
use crate::Result;

/// Bins events by time into frames that stay open for a while.
#[derive(Debug)]
pub(super) struct TimeWindows {
    rule: Rule,
    /// Chosen start and end of the kept stretch.
    from: Option<i64>,
    to: Option<i64>,
    /// How far behind the latest time frames stay open, in µs, and what was asked for.
    slack: u64,
    wanted_slack: u64,
    max_open: u64,
    /// Known from the first kept event on.
    line: Option<Line>,
    /// The stretch of time that the last event was in, and where its events go.
    low: i64,
    high: i64,
    target: Target,
}

/// The windows on the recording's clock.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// Start of window 0 in µs.
    t0: i64,
    grid: Grid,
    /// Latest time seen, in µs after `t0`.
    latest: u64,
    /// Whether an event was seen, or only `t0` chosen.
    started: bool,
    /// The widest step forward in time: from and to, in µs after `t0`.
    gap: (u64, u64),
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    /// Even windows; `full`: only those that end at or before the last event are written.
    Even { width: u64, stride: u64, full: bool },
    /// Windows that fit the span of the recording.
    Fitted { windows: WindowRule, edge: Edge, t_max: i64 },
}

/// Where the events of a stretch of time go.
#[derive(Debug, Clone)]
enum Target {
    /// To these frames.
    Windows(Range<u64>),
    /// To these frames, but they miss some that are closed.
    LateWindows(Range<u64>),
    /// To the oldest open frame.
    Late,
    /// To none.
    None,
}

impl TimeWindows {
    pub fn new(options: &FrameOptions, shape: FrameShape, span: Option<Span>) -> Self {
        let max_open = options.max_open(shape);
        let wanted_slack = options.slack.max(0) as u64;
        let t_max = span.map_or(i64::MAX, |span| span.t_max);
        let mut slack = wanted_slack;
        let rule = match (options.windows, options.edge) {
            (WindowRule::Time { us, overlap }, Edge::All | Edge::Tonic | Edge::SpikingJelly) => {
                let (width, stride) = (us as u64, (us - overlap) as u64);
                slack = slack.min(stride.saturating_mul(max_open).saturating_sub(width));
                Rule::Even { width, stride, full: options.edge == Edge::Tonic }
            }
            (windows, edge) => Rule::Fitted { windows, edge, t_max },
        };
        Self {
            rule,
            from: None,
            to: None,
            slack,
            wanted_slack,
            max_open,
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
        kept: Kept<'_>,
        open: &mut OpenFrames,
        sink: &mut dyn FrameSink,
    ) -> Result<()> {
        let Kept { mut t, mut place } = kept;
        while let Some(&next) = t.first() {
            if next < self.low || next > self.high {
                self.enter(next, open, sink)?;
            }
            let (n, max) = run(t, self.low, self.high);
            let (here, behind) = place.split_at(n.min(place.len()));
            self.add(here, open);
            if let Some(line) = &mut self.line
                && max > line.t0
            {
                line.latest = line.latest.max(max.abs_diff(line.t0));
            }
            t = &t[n..];
            place = behind;
        }
        Ok(())
    }

    /// Opens and closes frames for an event at `t`, and sets the stretch of time around it.
    fn enter(&mut self, t: i64, open: &mut OpenFrames, sink: &mut dyn FrameSink) -> Result<()> {
        let mut line = match self.line {
            Some(line) => line,
            None => {
                let t0 = self.from.unwrap_or(t);
                Line { t0, grid: self.rule.grid(t0), latest: 0, started: false, gap: (0, 0) }
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

    fn add(&self, places: &[u32], open: &mut OpenFrames) {
        let n = places.len() as u64;
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
            open.add(k, places, kept, late);
        }
    }

    /// Closes what ended `slack` before the latest time, and what is more than may be open.
    fn close_old(
        &self,
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
            open.close(self.window(line, k), sink)?;
        }
        Ok(())
    }

    /// Window `k` on the recording's clock.
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

    /// Refuses to fill the time up to `offset` with more frames than may be written.
    fn check_frames(&self, line: &Line, offset: u64, open: &OpenFrames) -> Result<()> {
        let asked = self.rule.frames_until(&line.grid, offset);
        if asked <= open.max_frames() {
            return Ok(());
        }
        let at = |offset: u64| after(line.t0, offset.into());
        let (mut before, mut behind) = line.gap;
        if behind - before < offset / 2 {
            (before, behind) = (0, offset);
        }
        let (before, mut behind) = (at(before), at(behind));
        if let Rule::Fitted { t_max, .. } = self.rule {
            behind = t_max;
        }
        let step = if before == line.t0 && self.from.is_some() {
            "from the chosen start at"
        } else {
            "from an event at"
        };
        Err(open
            .too_many()
            .found(format!(
                "{asked}: {step} {before} µs to an event at {behind} µs it is {} µs",
                behind.abs_diff(before)
            ))
            .advice(TOO_MANY_ADVICE))
    }

    /// Closes what is open, and opens and closes what is still to be written.
    pub fn finish(&mut self, open: &mut OpenFrames, sink: &mut dyn FrameSink) -> Result<()> {
        let Some(line) = self.line else { return Ok(()) };
        let total = match (line.grid.count(), self.rule) {
            (Some(n), _) => n,
            (None, Rule::Even { full: true, .. }) => {
                self.rule.frames_until(&line.grid, line.latest)
            }
            (None, _) => open.next(),
        };
        while open.next() > total && open.len() > 0 {
            open.drop_last();
        }
        while open.first() < total {
            if open.len() == 0 {
                open.open();
            }
            open.close(self.window(&line, open.first()), sink)?;
        }
        if self.slack < self.wanted_slack && open.report.late > 0 {
            open.report.notes.push(format!(
                "late events were waited for {} µs, not {} µs: more frames may not be open",
                self.slack, self.wanted_slack
            ));
        }
        Ok(())
    }
}

impl Rule {
    fn grid(&self, t0: i64) -> Grid {
        match *self {
            Self::Even { width, stride, .. } => Grid::even(width, stride),
            Self::Fitted { windows, edge, t_max } => {
                let length = t_max.max(t0).abs_diff(t0);
                match (windows, edge) {
                    (WindowRule::Time { us, .. }, _) => {
                        Grid::even_last(us as u64, length.div_ceil(us as u64).max(1))
                    }
                    (WindowRule::Bins { n }, Edge::Tonic) => Grid::even_drop(length / n, n),
                    (WindowRule::Bins { n }, Edge::SpikingJelly | Edge::SpikingJelly2) => {
                        Grid::even_last(length / n, n)
                    }
                    (WindowRule::Bins { n }, Edge::All) => Grid::split(u128::from(length) + 1, n),
                    (WindowRule::Count { .. } | WindowRule::EventBins { .. }, _) => {
                        Grid::even_last(u64::MAX, 1)
                    }
                }
            }
        }
    }

    /// Frames to write if the last event is at `offset`.
    fn frames_until(&self, grid: &Grid, offset: u64) -> u64 {
        match (grid.count(), *self) {
            (Some(n), _) => n,
            (None, Self::Even { width, stride, full: true }) => {
                offset.checked_sub(width).map_or(1, |past| (past / stride).saturating_add(1))
            }
            (None, Self::Even { stride, .. }) => (offset / stride).saturating_add(1),
            (None, Self::Fitted { .. }) => 1,
        }
    }
}

/// `offset` µs after `t0`, or the last µs there is.
fn after(t0: i64, offset: u128) -> i64 {
    i128::from(t0).checked_add_unsigned(offset).map_or(i64::MAX, |t| t.min(i64::MAX.into()) as i64)
}

/// How many of the first events lie in `low..=high`, and the largest of their times.
fn run(t: &[i64], low: i64, high: i64) -> (usize, i64) {
    // Modulo 2^64, `low..=high` is `0..=high - low` after `low`, whatever the signs.
    let width = high.wrapping_sub(low) as u64;
    let mut latest = 0;
    let mut n = 0;
    for &t in t {
        let after = t.wrapping_sub(low) as u64;
        if after > width {
            break;
        }
        latest = latest.max(after);
        n += 1;
    }
    (n, low.wrapping_add(latest as i64))
}
