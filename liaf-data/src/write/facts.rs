//! What is to be known of all events before a file of them is begun.

use crate::{EventBatch, Result, Sink};

/// Extents and order of events, as what an event file can hold depends on them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// Number of events.
    pub events: u64,
    /// Time of the first event in µs, 0 without events.
    pub t_first: i64,
    /// Time of the last event in µs.
    pub t_last: i64,
    /// Earliest time in µs.
    pub t_min: i64,
    /// Latest time in µs.
    pub t_max: i64,
    /// Number of events that are earlier than the one before them.
    pub steps_back: u64,
    /// The largest of these steps, in µs.
    pub longest_step_back: u64,
    /// How far an event lies behind the latest one before it, at most, in µs.
    pub lateness: u64,
    /// Largest x.
    pub x_max: u16,
    /// Largest y.
    pub y_max: u16,
}

impl Facts {
    /// Adds the next events.
    pub fn add(&mut self, events: &EventBatch) {
        let (Some(&first), Some(&last)) = (events.t.first(), events.t.last()) else { return };
        let (x, y) = events.extent();
        self.x_max = self.x_max.max(x);
        self.y_max = self.y_max.max(y);
        if self.events == 0 {
            (self.t_first, self.t_min, self.t_max) = (first, first, first);
            self.t_last = first;
        }
        self.events += events.len() as u64;
        if events.steps_back() == 0 && first >= self.t_last && self.t_last == self.t_max {
            self.t_max = last;
        } else {
            self.add_disorder(&events.t);
        }
        self.t_last = last;
    }

    fn add_disorder(&mut self, times: &[i64]) {
        let mut before = self.t_last;
        for &t in times {
            if t < before {
                self.steps_back += 1;
                self.longest_step_back = self.longest_step_back.max(t.abs_diff(before));
            }
            self.t_min = self.t_min.min(t);
            self.t_max = self.t_max.max(t);
            self.lateness = self.lateness.max(t.abs_diff(self.t_max));
            before = t;
        }
    }

    /// The same events `us` earlier.
    #[must_use]
    pub fn earlier(self, us: i64) -> Self {
        Self {
            t_first: self.t_first.saturating_sub(us),
            t_last: self.t_last.saturating_sub(us),
            t_min: self.t_min.saturating_sub(us),
            t_max: self.t_max.saturating_sub(us),
            ..self
        }
    }

    /// The same events in the order of time. The time of the first one is then the earliest.
    #[must_use]
    pub fn in_order(self) -> Self {
        Self {
            t_first: self.t_min,
            t_last: self.t_max,
            steps_back: 0,
            longest_step_back: 0,
            lateness: 0,
            ..self
        }
    }
}

impl Sink for Facts {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.add(events);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    fn facts(times: &[i64], cut: usize) -> Facts {
        let mut facts = Facts::default();
        for piece in times.chunks(cut) {
            facts.add(&piece.iter().map(|&t| Event { t, x: 3, y: 9, p: 1 }).collect());
        }
        facts
    }

    #[test]
    fn steps_and_lateness_are_those_of_all_events_however_cut() {
        let times = [5, 10, 8, 9, 7, 7, 20, 19, 21, -3, 30];
        for cut in 1..=times.len() {
            let expected = Facts {
                events: 11,
                t_first: 5,
                t_last: 30,
                t_min: -3,
                t_max: 30,
                steps_back: 4,
                longest_step_back: 24,
                lateness: 24,
                x_max: 3,
                y_max: 9,
            };
            assert_eq!(facts(&times, cut), expected, "{cut} at a time");
        }
        assert_eq!(facts(&[1, 1, 2], 2).steps_back, 0);
        assert_eq!(facts(&[], 1), Facts::default());
    }
}
