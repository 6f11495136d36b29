//! Events in memory, as four columns that are reused from read to read.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use multiversion::multiversion;

use super::EventIter;
use crate::error::Error;
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
/// The columns are plain `Vec`s, which can be taken without copying.
///
/// ```
/// use liaf_data::{Event, EventBatch};
/// let mut batch = EventBatch::new();
/// batch.push(Event { t: 10, x: 3, y: 4, p: 1 });
/// assert_eq!(batch.get(0), Some(Event { t: 10, x: 3, y: 4, p: 1 }));
/// assert_eq!(batch.t.iter().max(), Some(&10));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventBatch {
    /// Times in µs.
    pub t: Vec<i64>,
    /// Columns from the left.
    pub x: Vec<u16>,
    /// Rows from the top.
    pub y: Vec<u16>,
    /// Polarities, 1 = ON.
    pub p: Vec<u8>,
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

    /// Appends the events of `other` with an index in `range`.
    ///
    /// # Panics
    /// If `range` reaches past the end of `other`.
    pub fn extend_from(&mut self, other: &Self, range: Range<usize>) {
        self.t.extend_from_slice(&other.t[range.clone()]);
        self.x.extend_from_slice(&other.x[range.clone()]);
        self.y.extend_from_slice(&other.y[range.clone()]);
        self.p.extend_from_slice(&other.p[range]);
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
        EventIter::new(self)
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

/// Width and height of a sensor in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(into = "[u16; 2]", from = "[u16; 2]")]
pub struct SensorSize {
    /// Number of columns.
    pub width: u16,
    /// Number of rows.
    pub height: u16,
}

impl SensorSize {
    /// A sensor of `width` columns and `height` rows.
    pub const fn new(width: u16, height: u16) -> Self {
        Self { width, height }
    }

    /// Number of pixels.
    pub const fn pixels(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Whether the pixel is on the sensor.
    pub const fn contains(self, x: u16, y: u16) -> bool {
        x < self.width && y < self.height
    }
}

impl From<SensorSize> for [u16; 2] {
    fn from(size: SensorSize) -> Self {
        [size.width, size.height]
    }
}

impl From<[u16; 2]> for SensorSize {
    fn from([width, height]: [u16; 2]) -> Self {
        Self { width, height }
    }
}

impl fmt::Display for SensorSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for SensorSize {
    type Err = Error;

    /// Parses `WxH`, as in `346x260`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let size = text
            .split_once(['x', 'X', '×'])
            .and_then(|(w, h)| Some(Self::new(w.trim().parse().ok()?, h.trim().parse().ok()?)));
        size.filter(|size| size.pixels() > 0).ok_or_else(|| {
            Error::caller("not a sensor size")
                .expected("WxH, as in 346x260")
                .found(format!("{text:?}"))
        })
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

    #[test]
    fn sensor_size_reads_what_it_prints() {
        let size = SensorSize::new(346, 260);
        assert_eq!(size.to_string().parse::<SensorSize>().unwrap(), size);
        for bad in ["", "346", "0x260", "346x", "346x260x2", "70000x1"] {
            assert!(bad.parse::<SensorSize>().is_err(), "{bad}");
        }
    }
}
