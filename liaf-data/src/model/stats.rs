//! Statistics of events, computed in one pass: their number, times, order and extents.

use std::fmt;
use std::hash::Hasher;

use multiversion::multiversion;
use serde::Serialize;
use twox_hash::XxHash64;

use super::{EventBatch, SensorSize};

/// Number and times of some events. All times are in µs, and 0 if there are no events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeSpan {
    /// Number of events.
    pub events: u64,
    /// Time of the first one in the order of the recording.
    pub t_first: i64,
    /// Time of the last one in the order of the recording.
    pub t_last: i64,
    /// Earliest time.
    pub t_min: i64,
    /// Latest time.
    pub t_max: i64,
    /// The largest difference between the time of an event and the latest time before it.
    pub lateness: u64,
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} events within {} to {} µs, the first at {} and the last at {} µs",
            self.events, self.t_min, self.t_max, self.t_first, self.t_last
        )
    }
}

impl TimeSpan {
    /// Adds the times of the next events.
    pub fn extend(&mut self, t: &[i64]) {
        let (Some(&first), Some(&last)) = (t.first(), t.last()) else { return };
        if self.events == 0 {
            let (t_first, t_last, t_min, t_max) = (first, first, first, first);
            *self = Self { events: 0, t_first, t_last, t_min, t_max, lateness: 0 };
        }
        self.events += t.len() as u64;
        self.t_last = last;
        if first >= self.t_max && t.is_sorted() {
            self.t_max = last;
            return;
        }
        for &t in t {
            self.t_min = self.t_min.min(t);
            self.t_max = self.t_max.max(t);
            self.lateness = self.lateness.max(self.t_max.abs_diff(t));
        }
    }

    /// Adds the events of `next`, which come after those counted so far.
    pub fn add(&mut self, next: &Self) {
        if self.events == 0 {
            *self = *next;
        } else if next.events > 0 {
            if self.t_max > next.t_min {
                self.lateness = self.lateness.max(self.t_max.abs_diff(next.t_min));
            }
            self.lateness = self.lateness.max(next.lateness);
            self.events += next.events;
            self.t_last = next.t_last;
            self.t_min = self.t_min.min(next.t_min);
            self.t_max = self.t_max.max(next.t_max);
        }
    }

    /// The span of the same events if they were sorted by time.
    #[must_use]
    pub fn in_order(self) -> Self {
        Self { t_first: self.t_min, t_last: self.t_max, lateness: 0, ..self }
    }
}

/// Counts, extents and order of events.
///
/// These decide whether an event file can store the events
/// ([`Capabilities`](crate::write::Capabilities)). Times and coordinates are 0 if there are no
/// events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EventStats {
    /// Number of events.
    pub events: u64,
    /// Number of events with p = 1.
    pub on: u64,
    /// Number of events with p = 0.
    pub off: u64,
    /// Time of the first event in µs.
    pub t_first: i64,
    /// Time of the last event in µs.
    pub t_last: i64,
    /// Earliest time in µs. This and the following fields about the order of events are not
    /// serialised, because the report has that information.
    #[serde(skip)]
    pub t_min: i64,
    /// Latest time in µs.
    #[serde(skip)]
    pub t_max: i64,
    /// Number of events that are earlier than the one before them.
    #[serde(skip)]
    pub steps_back: u64,
    /// The largest of these steps, in µs.
    #[serde(skip)]
    pub longest_step_back: u64,
    /// The largest difference between the time of an event and the latest time before it, in µs.
    #[serde(skip)]
    pub lateness: u64,
    /// Smallest x.
    pub x_min: u16,
    /// Largest x.
    pub x_max: u16,
    /// Smallest y.
    pub y_min: u16,
    /// Largest y.
    pub y_max: u16,
    /// Sum of all x.
    pub sum_x: u64,
    /// Sum of all y.
    pub sum_y: u64,
}

impl EventStats {
    /// Adds the next events.
    pub fn add(&mut self, events: &EventBatch) {
        let (Some(&first), Some(&last)) = (events.t.first(), events.t.last()) else { return };
        if self.events == 0 {
            (self.t_first, self.t_last) = (first, first);
            (self.t_min, self.t_max) = (first, first);
            (self.x_min, self.y_min) = (u16::MAX, u16::MAX);
        }
        add_columns(self, events);
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

    /// The smallest sensor, from pixel (0, 0), that contains all events; `None` if there are no
    /// events.
    pub fn bounds(&self) -> Option<SensorSize> {
        let side = |largest: u16| largest.saturating_add(1);
        let size = SensorSize::new(side(self.x_max), side(self.y_max));
        (self.events > 0).then_some(size)
    }

    /// The statistics of the same events if all of them were `us` earlier.
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

    /// The statistics of the same events if they were sorted by time. The time of the first event
    /// is then the earliest time.
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

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn add_columns(stats: &mut EventStats, events: &EventBatch) {
    let on = events.p.chunks(SUMMED).map(|part| sum(part.iter().map(|&p| p.into()))).sum::<u64>();
    let (x, y) = (Extent::of(&events.x), Extent::of(&events.y));
    stats.events += events.len() as u64;
    stats.on += on;
    stats.off += events.len() as u64 - on;
    (stats.x_min, stats.x_max) = (stats.x_min.min(x.min), stats.x_max.max(x.max));
    (stats.y_min, stats.y_max) = (stats.y_min.min(y.min), stats.y_max.max(y.max));
    stats.sum_x += x.sum;
    stats.sum_y += y.sum;
}

/// Number of 16-bit values whose sum is certain to fit in 32 bits.
const SUMMED: usize = 1 << 15;

#[inline(always)]
fn sum(numbers: impl Iterator<Item = u32>) -> u64 {
    numbers.sum::<u32>().into()
}

/// Smallest value, largest value and sum of a column.
struct Extent {
    min: u16,
    max: u16,
    sum: u64,
}

impl Extent {
    #[inline(always)]
    fn of(column: &[u16]) -> Self {
        let mut extent = Self { min: u16::MAX, max: 0, sum: 0 };
        for part in column.chunks(SUMMED) {
            extent.min = part.iter().fold(extent.min, |min, &value| min.min(value));
            extent.max = part.iter().fold(extent.max, |max, &value| max.max(value));
            extent.sum += sum(part.iter().map(|&value| value.into()));
        }
        extent
    }
}

/// The statistics and the xxHash64 (seed 0) of all events in file order, each packed little-endian
/// into 13 bytes: u64 t, u16 x, u16 y, u8 p. Two recordings with equal fingerprints contain the
/// same events.
#[derive(Debug)]
pub struct Fingerprint {
    /// Counts and extents of the hashed events.
    pub stats: EventStats,
    hash: XxHash64,
    packed: Vec<u8>,
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self { stats: EventStats::default(), hash: XxHash64::with_seed(0), packed: Vec::new() }
    }
}

impl Fingerprint {
    /// Adds the next events.
    pub fn add(&mut self, events: &EventBatch) {
        self.stats.add(events);
        self.packed.clear();
        for event in events.iter() {
            self.packed.extend_from_slice(&event.t.to_le_bytes());
            self.packed.extend_from_slice(&event.x.to_le_bytes());
            self.packed.extend_from_slice(&event.y.to_le_bytes());
            self.packed.push(event.p);
        }
        self.hash.write(&self.packed);
    }

    /// The hash of all events so far.
    pub fn xxh64(&self) -> u64 {
        self.hash.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Event;

    fn stats(times: &[i64], cut: usize) -> EventStats {
        let mut stats = EventStats::default();
        for piece in times.chunks(cut) {
            stats.add(&piece.iter().map(|&t| Event { t, x: 3, y: 9, p: 1 }).collect());
        }
        stats
    }

    #[test]
    fn steps_and_lateness_are_those_of_all_events_however_cut() {
        let times = [5, 10, 8, 9, 7, 7, 20, 19, 21, -3, 30];
        for cut in 1..=times.len() {
            let expected = EventStats {
                events: 11,
                t_first: 5,
                t_last: 30,
                t_min: -3,
                t_max: 30,
                steps_back: 4,
                longest_step_back: 24,
                lateness: 24,
                on: 11,
                off: 0,
                x_min: 3,
                x_max: 3,
                y_min: 9,
                y_max: 9,
                sum_x: 33,
                sum_y: 99,
            };
            assert_eq!(stats(&times, cut), expected, "{cut} at a time");
        }
        assert_eq!(stats(&[1, 1, 2], 2).steps_back, 0);
        assert_eq!(stats(&[], 1), EventStats::default());
    }

    #[test]
    fn spans_are_those_of_all_events_however_cut_or_added() {
        let times = [5, 10, 8, 9, 7, 7, 20, 19, 21, -3, 30];
        for cut in 1..=times.len() {
            let (mut span, mut sum) = (TimeSpan::default(), TimeSpan::default());
            for part in times.chunks(cut) {
                let mut own = TimeSpan::default();
                own.extend(part);
                sum.add(&own);
                span.extend(part);
            }
            let (t_first, t_last, t_min, t_max) = (5, 30, -3, 30);
            let expected = TimeSpan { events: 11, t_first, t_last, t_min, t_max, lateness: 24 };
            assert_eq!((span, sum), (expected, expected), "{cut} at a time");
        }
    }

    #[test]
    fn sums_of_long_columns_do_not_overflow() {
        let events: EventBatch =
            (0..100_000).map(|t| Event { t, x: u16::MAX, y: 1, p: (t % 2) as u8 }).collect();
        let mut stats = EventStats::default();
        stats.add(&events);
        assert_eq!((stats.sum_x, stats.sum_y), (100_000 * 65_535, 100_000));
        assert_eq!((stats.on, stats.off), (50_000, 50_000));
    }
}
