//! Events in memory, as four columns that are reused from read to read.

use multiversion::multiversion;

use super::{EventIter, EventSlice};
use crate::io::prefer_huge_pages;

/// One event of one pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Event {
    /// Time in µs, on the recording's own clock.
    pub t: i64,
    /// Column from the left.
    pub x: u16,
    /// Row from the top.
    pub y: u16,
    /// Polarity: 1 = ON (brighter), 0 = OFF.
    pub p: u8,
}

/// Events as four columns of equal length, in file order.
///
/// ```
/// use liaf_data::{Event, EventBatch};
/// let mut batch = EventBatch::new();
/// batch.push(Event { t: 10, x: 3, y: 4, p: 1 });
/// batch.push(Event { t: 12, x: 3, y: 5, p: 0 });
/// assert_eq!(batch.get(0), Some(Event { t: 10, x: 3, y: 4, p: 1 }));
/// assert_eq!(batch.t().iter().max(), Some(&12));
/// assert_eq!(batch[1..].y(), [5]);
/// ```
///
/// The columns are plain `Vec`s, which can be taken and given back without copying:
///
/// ```
/// # fn main() -> liaf_data::Result<()> {
/// use liaf_data::EventBatch;
/// use liaf_data::model::EventColumns;
/// let batch = EventBatch::from_columns(vec![10, 12], vec![3, 3], vec![4, 5], vec![1, 0])?;
/// let EventColumns { t, x, y, p } = batch.into_columns();
/// assert_eq!((t, p), (vec![10, 12], vec![1, 0]));
/// assert!(EventBatch::from_columns(vec![10], x, y, vec![1]).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventBatch {
    pub(crate) t: Vec<i64>,
    pub(crate) x: Vec<u16>,
    pub(crate) y: Vec<u16>,
    pub(crate) p: Vec<u8>,
}

impl EventBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty batch with capacity for `n` events.
    pub fn with_capacity(n: usize) -> Self {
        let mut batch = Self::new();
        batch.reserve(n);
        batch
    }

    /// Reserves capacity for `n` more events.
    pub fn reserve(&mut self, n: usize) {
        self.t.reserve(n);
        self.x.reserve(n);
        self.y.reserve(n);
        self.p.reserve(n);
        prefer_huge_pages(self.t.spare_capacity_mut());
        prefer_huge_pages(self.x.spare_capacity_mut());
        prefer_huge_pages(self.y.spare_capacity_mut());
        prefer_huge_pages(self.p.spare_capacity_mut());
    }

    /// Reserves capacity for `n` more events if there is enough memory. `n` may be a guess that is
    /// far too high.
    pub(crate) fn reserve_if_possible(&mut self, n: usize) {
        let reserved = self.t.try_reserve_exact(n).is_ok()
            && self.x.try_reserve_exact(n).is_ok()
            && self.y.try_reserve_exact(n).is_ok()
            && self.p.try_reserve_exact(n).is_ok();
        if reserved {
            self.reserve(n);
        } else {
            self.shrink_to_fit();
        }
    }

    fn shrink_to_fit(&mut self) {
        self.t.shrink_to_fit();
        self.x.shrink_to_fit();
        self.y.shrink_to_fit();
        self.p.shrink_to_fit();
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.t.len()
    }

    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.t.is_empty()
    }

    /// Removes all events and keeps the memory.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Keeps only the first `n` events.
    pub fn truncate(&mut self, n: usize) {
        self.t.truncate(n);
        self.x.truncate(n);
        self.y.truncate(n);
        self.p.truncate(n);
    }

    /// Appends an event.
    pub fn push(&mut self, event: Event) {
        self.t.push(event.t);
        self.x.push(event.x);
        self.y.push(event.y);
        self.p.push(event.p);
    }

    /// Appends copies of events, as in `batch.extend_from(&other[..100])`.
    pub fn extend_from(&mut self, events: &EventSlice) {
        self.t.extend_from_slice(events.t());
        self.x.extend_from_slice(events.x());
        self.y.extend_from_slice(events.y());
        self.p.extend_from_slice(events.p());
    }

    /// Moves all events of `other` to the end of this batch.
    pub fn append(&mut self, other: &mut Self) {
        if self.is_empty() && self.t.capacity() == 0 {
            std::mem::swap(self, other);
            return;
        }
        self.t.append(&mut other.t);
        self.x.append(&mut other.x);
        self.y.append(&mut other.y);
        self.p.append(&mut other.p);
    }

    /// Event number `i`, or `None` past the end.
    pub fn get(&self, i: usize) -> Option<Event> {
        Some(Event {
            t: *self.t.get(i)?,
            x: *self.x.get(i)?,
            y: *self.y.get(i)?,
            p: *self.p.get(i)?,
        })
    }

    /// Iterates over all events in order.
    pub fn iter(&self) -> EventIter<'_> {
        EventIter::new(self, 0..self.len())
    }

    /// Event number `i`, which must exist.
    #[inline(always)]
    pub(super) fn at(&self, i: usize) -> Event {
        Event { t: self.t[i], x: self.x[i], y: self.y[i], p: self.p[i] }
    }

    /// The largest x and the largest y; 0 if there are no events.
    pub fn extent(&self) -> (u16, u16) {
        (largest(&self.x), largest(&self.y))
    }

    /// Number of events that are earlier than the one before them.
    pub fn steps_back(&self) -> u64 {
        steps_back(&self.t)
    }

    /// Keeps only the events for which `keep` returns true, in order.
    pub fn retain(&mut self, mut keep: impl FnMut(Event) -> bool) {
        let n = self.len();
        let (t, x) = (&mut self.t[..n], &mut self.x[..n]);
        let (y, p) = (&mut self.y[..n], &mut self.p[..n]);
        let mut kept = 0;
        for i in 0..n {
            let event = Event { t: t[i], x: x[i], y: y[i], p: p[i] };
            // Every event is written to slot `kept`, which only advances past events that are kept:
            // this avoids a branch that would often be mispredicted.
            (t[kept], x[kept], y[kept], p[kept]) = (event.t, event.x, event.y, event.p);
            kept += usize::from(keep(event));
        }
        self.truncate(kept);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn largest(column: &[u16]) -> u16 {
    column.iter().fold(0, |max, &value| max.max(value))
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn steps_back(times: &[i64]) -> u64 {
    times.windows(2).map(|pair| u64::from(pair[1] < pair[0])).sum()
}

impl Extend<Event> for EventBatch {
    fn extend<I: IntoIterator<Item = Event>>(&mut self, events: I) {
        for event in events {
            self.push(event);
        }
    }
}

impl FromIterator<Event> for EventBatch {
    fn from_iter<I: IntoIterator<Item = Event>>(events: I) -> Self {
        let mut batch = Self::new();
        batch.extend(events);
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(t: i64) -> Event {
        Event { t, x: t as u16, y: 2 * t as u16, p: (t % 2) as u8 }
    }

    #[test]
    fn retain_keeps_columns_together() {
        let mut batch: EventBatch = (0..10).map(event).collect();
        batch.retain(|e| e.t % 3 == 0);
        assert_eq!(batch.iter().collect::<Vec<_>>(), [0, 3, 6, 9].map(event));
    }
}
