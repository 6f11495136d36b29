//! Iterators over the events of a batch.

use std::iter::FusedIterator;
use std::ops::Range;

use super::{Event, EventBatch};

/// Iterates over the events of a borrowed batch, in order; made by [`EventBatch::iter`] and
/// [`EventSlice::iter`](super::EventSlice::iter).
#[derive(Debug, Clone)]
pub struct EventIter<'a> {
    batch: &'a EventBatch,
    left: Range<usize>,
}

impl<'a> EventIter<'a> {
    /// Iterates over the events with an index in `left`, which must exist.
    pub(super) fn new(batch: &'a EventBatch, left: Range<usize>) -> Self {
        Self { batch, left }
    }
}

/// Iterates over the events of a batch, in order; made by `into_iter`.
#[derive(Debug, Clone)]
pub struct IntoEvents {
    batch: EventBatch,
    left: Range<usize>,
}

impl<'a> IntoIterator for &'a EventBatch {
    type Item = Event;
    type IntoIter = EventIter<'a>;

    fn into_iter(self) -> EventIter<'a> {
        self.iter()
    }
}

impl IntoIterator for EventBatch {
    type Item = Event;
    type IntoIter = IntoEvents;

    fn into_iter(self) -> IntoEvents {
        IntoEvents { left: 0..self.len(), batch: self }
    }
}

macro_rules! iterate {
    ($($iterator:ty),*) => {$(
        impl Iterator for $iterator {
            type Item = Event;

            #[inline]
            fn next(&mut self) -> Option<Event> {
                self.left.next().map(|i| self.batch.at(i))
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.left.size_hint()
            }

            fn nth(&mut self, n: usize) -> Option<Event> {
                self.left.nth(n).map(|i| self.batch.at(i))
            }
        }

        impl DoubleEndedIterator for $iterator {
            fn next_back(&mut self) -> Option<Event> {
                self.left.next_back().map(|i| self.batch.at(i))
            }
        }

        impl ExactSizeIterator for $iterator {}

        impl FusedIterator for $iterator {}
    )*};
}

iterate!(EventIter<'_>, IntoEvents);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_from_both_ends() {
        let event = |t: i64| Event { t, x: t as u16, y: 2, p: 1 };
        let batch: EventBatch = (0..5).map(event).collect();
        let mut times = Vec::new();
        for event in &batch {
            times.push(event.t);
        }
        assert_eq!(times, [0, 1, 2, 3, 4]);
        assert_eq!(batch.iter().rev().map(|event| event.t).collect::<Vec<_>>(), [4, 3, 2, 1, 0]);
        assert_eq!((batch.iter().len(), batch.iter().nth(3)), (5, Some(event(3))));
        assert_eq!(batch.into_iter().skip(1).step_by(2).map(|event| event.x).sum::<u16>(), 4);
    }
}
