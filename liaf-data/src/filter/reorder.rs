//! Sorting events by time, with as few of them held back as their lateness allows.

use super::ordered::Lateness;
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::model::EventBatch;

/// Memory for each event that is held back, in bytes.
const BYTES: usize = 32;
/// Number of events for which a round of sorting is worth its cost.
const ROUND: usize = 64 << 10;

/// Sorts events by time. Events with equal times keep their order.
#[derive(Debug)]
pub(super) struct Reorder {
    lateness: Lateness,
    /// Largest number of events that may be held back.
    most: usize,
    latest: i64,
    /// Number of events that were earlier than some event before them.
    moved: u64,
    held: EventBatch,
    /// Number of events in `held` after the last round.
    left: usize,
    order: Vec<u32>,
}

impl Reorder {
    pub(super) fn new(lateness: Lateness) -> Self {
        Self {
            lateness,
            most: (lateness.memory / BYTES).min(u32::MAX as usize),
            latest: i64::MIN,
            moved: 0,
            held: EventBatch::new(),
            left: 0,
            order: Vec::new(),
        }
    }

    /// Number of events so far that were earlier than some event before them.
    pub(super) fn moved(&self) -> u64 {
        self.moved
    }

    /// Replaces `events` by the events that no later event can precede.
    pub(super) fn push(&mut self, events: &mut EventBatch) -> Result<()> {
        for &t in &events.t {
            if t < self.latest {
                self.moved += 1;
                self.check_lateness(t)?;
            }
            self.latest = self.latest.max(t);
        }
        self.held.extend_from(&events[..]);
        events.clear();
        if self.held.len() > self.most {
            return Err(self.too_many());
        }
        // The size of a round grows with the number of events held back, so that each event is
        // sorted only a few times.
        if self.held.len() >= 2 * self.left + ROUND {
            self.round(self.latest.saturating_sub_unsigned(self.lateness.us), events);
        }
        Ok(())
    }

    /// Returns an error if it is too late for an event at `t` to be put in its place.
    fn check_lateness(&self, t: i64) -> Result<()> {
        let late = self.latest.abs_diff(t);
        if late <= self.lateness.us {
            return Ok(());
        }
        Err(Error::caller("the events are not those of the first pass")
            .expected(format!("events up to {} µs late", self.lateness.us))
            .found(format!("one that is {late} µs late")))
    }

    fn too_many(&self) -> Error {
        let Lateness { us, events, memory } = self.lateness;
        // A multiple that is certain to be enough: that of all events.
        let enough = events.saturating_mul(BYTES as u64);
        Error::limit("too many events would be held back to sort them by time")
            .expected(format!("at most {} of them in {memory} bytes", self.most))
            .found(format!("{events} events, which are up to {us} µs late"))
            .hint(Hint::ShorterStretch)
            .hint(Hint::Crop)
            .hint(Hint::raise("reorder_bytes", enough))
    }

    /// Appends the events that are still held back to `events`.
    pub(super) fn finish(&mut self, events: &mut EventBatch) {
        self.round(i64::MAX, events);
    }

    /// Moves the events that are not later than `until` to `sorted`, in order.
    fn round(&mut self, until: i64, sorted: &mut EventBatch) {
        let times = &self.held.t;
        self.order.clear();
        self.order.extend(0..times.len() as u32);
        self.order.sort_by_key(|&i| times[i as usize]);
        let ready = self.order.partition_point(|&i| times[i as usize] <= until);
        let mut left = EventBatch::with_capacity(self.order.len() - ready);
        for (n, &i) in self.order.iter().enumerate() {
            if let Some(event) = self.held.get(i as usize) {
                if n < ready { sorted.push(event) } else { left.push(event) }
            }
        }
        self.left = left.len();
        self.held = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::model::Event;

    fn event(i: usize, lateness: u64) -> Event {
        let jitter = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        Event { t: i as i64 / 3 - (jitter % (lateness + 1)) as i64, x: i as u16, y: 0, p: 1 }
    }

    #[test]
    fn order_is_that_of_a_stable_sort_of_all() {
        for (n, us, cut) in [(0, 5, 1), (10, 3, 3), (300_000, 50, 1000), (200_000, 90_000, 7000)] {
            let events: Vec<_> = (0..n).map(|i| event(i, us)).collect();
            let mut expected = events.clone();
            expected.sort_by_key(|event| event.t);
            let lateness = Lateness { us: us + 1, events: n as u64, memory: 1 << 30 };
            let mut reorder = Reorder::new(lateness);
            let mut found = Vec::new();
            let mut moved = 0;
            let mut latest = i64::MIN;
            for piece in events.chunks(cut) {
                for event in piece {
                    moved += u64::from(event.t < latest);
                    latest = latest.max(event.t);
                }
                let mut batch = piece.iter().copied().collect();
                reorder.push(&mut batch).unwrap();
                found.extend(batch);
            }
            let mut held = EventBatch::new();
            reorder.finish(&mut held);
            found.extend(held);
            assert!(found == expected, "{n} events up to {us} late");
            assert_eq!(reorder.moved(), moved);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let lateness = Lateness { us: u64::MAX, events: 1200, memory: 1000 * BYTES };
        let mut reorder = Reorder::new(lateness);
        let batch = || (0..600).map(|i| event(i, 0)).collect();
        assert!(reorder.push(&mut batch()).is_ok());
        let error = reorder.push(&mut batch()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        let enough = Hint::raise("reorder_bytes", 1200 * 32);
        assert!(error.hints().contains(&enough), "{error}");
        assert!(error.to_string().contains("found 1200 events"), "{error}");
    }
}
