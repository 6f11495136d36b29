//! Windows of a number of events.

use super::grid::Grid;
use super::open::OpenFrames;
use super::{Edge, FrameOptions, FrameSink, Placed, Window, WindowRule};
use crate::error::Result;
use crate::model::TimeSpan;

/// Bins events by their number among the kept events. The window of a frame starts at the smallest
/// time of its events and ends 1 µs after the largest.
#[derive(Debug)]
pub(super) struct CountWindows {
    grid: Grid,
    /// Number of events of a full frame, if only full frames are written.
    full: Option<u64>,
    /// Number of events so far.
    seen: u64,
    /// End of the last frame that had events, or the time of the first event.
    time: i64,
}

impl CountWindows {
    pub fn new(options: &FrameOptions, span: Option<TimeSpan>) -> Self {
        let total = span.map_or(0, |span| span.events);
        let (grid, full) = match (options.windows, options.edge) {
            (WindowRule::EventBins { n }, Edge::All) => (Grid::split(total.into(), n), None),
            (WindowRule::EventBins { n }, Edge::Tonic) => (Grid::even_drop(total / n, n), None),
            (WindowRule::EventBins { n }, Edge::SpikingJelly | Edge::SpikingJelly2) => {
                (Grid::even_last(total / n, n), None)
            }
            (WindowRule::Count { events, overlap }, edge) => {
                let full = (edge == Edge::Tonic).then_some(events);
                (Grid::even(events, events - overlap), full)
            }
            (WindowRule::Time { .. } | WindowRule::Bins { .. }, _) => {
                (Grid::even_last(u64::MAX, 1), None)
            }
        };
        Self { grid, full, seen: 0, time: 0 }
    }

    pub fn push(
        &mut self,
        events: Placed<'_>,
        open: &mut OpenFrames,
        sink: &mut dyn FrameSink,
    ) -> Result<()> {
        let Placed { mut t, mut index } = events;
        while let Some(&next) = t.first() {
            if self.seen == 0 {
                self.time = next;
            }
            let cover = self.grid.cover(self.seen);
            let room = usize::try_from(cover.high - self.seen).unwrap_or(usize::MAX);
            let n = room.saturating_add(1).min(t.len());
            let (here, rest) = index.split_at(n.min(index.len()));
            let here = Placed { t: &t[..n], index: here };
            let (min, max) = min_max(&t[..n]);
            while open.next() < cover.windows.end {
                open.open();
                self.close_full(open, sink)?;
            }
            if cover.windows.is_empty() {
                open.report.out_of_window += n as u64;
            }
            let first = cover.windows.start;
            for k in cover.windows {
                if let Some(slot) = open.add(k, here, if k == first { n as u64 } else { 0 }, 0) {
                    let (low, high) = slot.times.unwrap_or((min, max));
                    slot.times = Some((low.min(min), high.max(max)));
                }
            }
            self.seen += n as u64;
            self.close_full(open, sink)?;
            t = &t[n..];
            index = rest;
        }
        Ok(())
    }

    fn close_full(&mut self, open: &mut OpenFrames, sink: &mut dyn FrameSink) -> Result<()> {
        while open.len() > 0
            && !self.grid.takes_rest(open.first())
            && self.grid.end(open.first()) <= self.seen.into()
        {
            self.close(true, open, sink)?;
        }
        Ok(())
    }

    fn close(&mut self, full: bool, open: &mut OpenFrames, sink: &mut dyn FrameSink) -> Result<()> {
        let window = match open.first_times() {
            Some((min, max)) => Window { start: min, end: max.saturating_add(1) },
            None => Window { start: self.time, end: self.time },
        };
        self.time = window.end;
        open.close(window, full, sink)
    }

    pub fn finish(&mut self, open: &mut OpenFrames, sink: &mut dyn FrameSink) -> Result<()> {
        if self.seen == 0 {
            return Ok(());
        }
        let total = match (self.grid.count(), self.full) {
            (Some(n), _) => n,
            (None, Some(full)) if self.seen < full => 1,
            (None, Some(_)) => open.first(),
            (None, None) => open.next(),
        };
        while open.next() > total && open.len() > 0 {
            open.drop_last();
        }
        while open.first() < total {
            if open.len() == 0 {
                open.open();
            }
            // Windows of all events have as many as there are.
            let of_all = self.grid.count().is_some();
            let full = of_all || self.grid.end(open.first()) <= self.seen.into();
            self.close(full, open, sink)?;
        }
        Ok(())
    }
}

/// The smallest and the largest of these times. They are almost always in order, in which case
/// these are the first and the last.
fn min_max(t: &[i64]) -> (i64, i64) {
    match (t.first(), t.last()) {
        (Some(&first), Some(&last)) if t.is_sorted() => (first, last),
        _ => t.iter().fold((i64::MAX, i64::MIN), |(min, max), &t| (min.min(t), max.max(t))),
    }
}
