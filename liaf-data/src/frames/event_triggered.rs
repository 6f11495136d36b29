//! Windows that start at an event, as in SpikingJelly up to 0.0.0.0.14.

use super::open::OpenFrames;
use super::{FrameSink, Placed, Window};
use crate::error::Result;

/// Bins events into windows that start at an event and contain all events up to and including `us`
/// later. This is meant for events in order of time; an event out of order is added to the open
/// window.
#[derive(Debug)]
pub(super) struct EventTriggeredWindows {
    us: i64,
    /// First and last µs of the open window.
    window: Option<(i64, i64)>,
    /// The latest time so far.
    latest: i64,
}

impl EventTriggeredWindows {
    pub fn new(us: i64) -> Self {
        Self { us, window: None, latest: i64::MIN }
    }

    pub fn push(
        &mut self,
        events: Placed<'_>,
        open: &mut OpenFrames,
        sink: &mut dyn FrameSink,
    ) -> Result<()> {
        let Placed { mut t, mut index } = events;
        while let Some(&next) = t.first() {
            let (start, last) = match self.window {
                Some(window) if next <= window.1 => window,
                _ => {
                    self.latest = next;
                    self.finish(open, sink)?;
                    open.open();
                    (next, next.saturating_add(self.us))
                }
            };
            self.window = Some((start, last));
            let n = t.iter().position(|&t| t > last).unwrap_or(t.len());
            let (here, rest) = index.split_at(n.min(index.len()));
            let here = Placed { t: &t[..n], index: here };
            self.latest = here.t.iter().fold(self.latest, |latest, &t| latest.max(t));
            let late = t[..n].iter().filter(|&&t| t < start).count();
            open.add(open.first(), here, n as u64, late as u64);
            t = &t[n..];
            index = rest;
        }
        Ok(())
    }

    pub fn finish(&mut self, open: &mut OpenFrames, sink: &mut dyn FrameSink) -> Result<()> {
        match self.window.take() {
            Some((start, last)) => {
                let window = Window { start, end: last.saturating_add(1) };
                open.close(window, self.latest >= last, sink)
            }
            None => Ok(()),
        }
    }
}
