//! Sorting events by time, with as few of them held back as their lateness allows.

use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::model::EventBatch;

/// Memory for each event that is held back, in bytes.
const BYTES: usize = 32;
/// Number of events for which a round of sorting is worth its cost.
const ROUND: usize = 64 << 10;

/// Sorts events by time. Events with equal times keep their order.
pub(super) struct Reorder {
    /// How much earlier than the latest event before it an event may be, in µs.
    lateness: u64,
    /// Largest number of events that may be held back.
    most: usize,
    latest: i64,
    held: EventBatch,
    /// Number of events in `held` after the last round.
    left: usize,
    sorted: EventBatch,
    order: Vec<u32>,
}

impl Reorder {
    pub(super) fn new(lateness: u64, bytes: usize) -> Self {
        Self {
            lateness,
            most: (bytes / BYTES).min(u32::MAX as usize),
            latest: i64::MIN,
            held: EventBatch::new(),
            left: 0,
            sorted: EventBatch::new(),
            order: Vec::new(),
        }
    }

    /// Number of `events` that are earlier than some event before them.
    pub(super) fn count_late(&self, events: &EventBatch) -> u64 {
        let mut latest = self.latest;
        events
            .t
            .iter()
            .map(|&t| {
                let late = t < latest;
                latest = latest.max(t);
                u64::from(late)
            })
            .sum()
    }

    /// Takes `events`, and returns the events that no later event can precede.
    pub(super) fn push(&mut self, events: &EventBatch) -> Result<&EventBatch> {
        self.sorted.clear();
        self.latest = events.t.iter().fold(self.latest, |latest, &t| latest.max(t));
        self.held.extend_from(&events[..]);
        if self.held.len() > self.most {
            return Err(Error::limit("too many events would be held back to sort them by time")
                .expected(format!("at most {}", self.most))
                .found(format!("events up to {} µs late", self.lateness))
                .hint(Hint::ClampTimes));
        }
        // The size of a round grows with the number of events held back, so that each event is
        // sorted only a few times.
        if self.held.len() >= 2 * self.left + ROUND {
            self.round(self.latest.saturating_sub_unsigned(self.lateness));
        }
        Ok(&self.sorted)
    }

    /// The events that are still held back.
    pub(super) fn finish(&mut self) -> &EventBatch {
        self.sorted.clear();
        self.round(i64::MAX);
        &self.sorted
    }

    /// Moves the events that are not later than `until` to `sorted`, in order.
    fn round(&mut self, until: i64) {
        let times = &self.held.t;
        self.order.clear();
        self.order.extend(0..times.len() as u32);
        self.order.sort_by_key(|&i| times[i as usize]);
        let ready = self.order.partition_point(|&i| times[i as usize] <= until);
        let mut left = EventBatch::with_capacity(self.order.len() - ready);
        for (n, &i) in self.order.iter().enumerate() {
            if let Some(event) = self.held.get(i as usize) {
                if n < ready { self.sorted.push(event) } else { left.push(event) }
            }
        }
        self.left = left.len();
        self.held = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Event;

    fn event(i: usize, lateness: u64) -> Event {
        let jitter = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        Event { t: i as i64 / 3 - (jitter % (lateness + 1)) as i64, x: i as u16, y: 0, p: 1 }
    }

    #[test]
    fn order_is_that_of_a_stable_sort_of_all() {
        for (n, lateness, cut) in
            [(0, 5, 1), (10, 3, 3), (300_000, 50, 1000), (200_000, 90_000, 7000)]
        {
            let events: Vec<_> = (0..n).map(|i| event(i, lateness)).collect();
            let mut expected = events.clone();
            expected.sort_by_key(|event| event.t);
            let mut reorder = Reorder::new(lateness + 1, 1 << 30);
            let mut found = Vec::new();
            for piece in events.chunks(cut) {
                found.extend(reorder.push(&piece.iter().copied().collect()).unwrap().iter());
            }
            found.extend(reorder.finish().iter());
            assert!(found == expected, "{n} events up to {lateness} late");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut reorder = Reorder::new(u64::MAX, 1000 * BYTES);
        let batch: EventBatch = (0..600).map(|i| event(i, 0)).collect();
        assert!(reorder.push(&batch).is_ok());
        assert!(reorder.push(&batch).is_err());
    }
}
