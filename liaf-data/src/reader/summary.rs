//! A recording in a few numbers, and in a hash.

use std::hash::Hasher;

use multiversion::multiversion;
use serde::Serialize;
use twox_hash::XxHash64;

use crate::{EventBatch, Result, SensorSize, Sink};

/// Counts and extents of all events of a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Number of events.
    pub events: u64,
    /// Events with p = 1.
    pub on: u64,
    /// Events with p = 0.
    pub off: u64,
    /// Time of the first event in µs, 0 if there is none.
    pub t_first: i64,
    /// Time of the last event in µs, 0 if there is none.
    pub t_last: i64,
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

impl Summary {
    /// Adds the next events.
    pub fn add(&mut self, events: &EventBatch) {
        add(self, events);
    }

    #[inline(always)]
    fn add_columns(&mut self, events: &EventBatch) {
        let (Some(&first), Some(&last)) = (events.t.first(), events.t.last()) else { return };
        if self.events == 0 {
            self.t_first = first;
            (self.x_min, self.y_min) = (u16::MAX, u16::MAX);
        }
        self.t_last = last;
        let on = sum(&events.p);
        let (x, y) = (range(&events.x), range(&events.y));
        self.events += events.len() as u64;
        self.on += on;
        self.off += events.len() as u64 - on;
        (self.x_min, self.x_max) = (self.x_min.min(x.0), self.x_max.max(x.1));
        (self.y_min, self.y_max) = (self.y_min.min(y.0), self.y_max.max(y.1));
        self.sum_x += sum(&events.x);
        self.sum_y += sum(&events.y);
    }

    /// The box from pixel (0, 0) around all events; `None` without events.
    pub fn bounds(&self) -> Option<SensorSize> {
        let side = |largest: u16| largest.saturating_add(1);
        let size = SensorSize::new(side(self.x_max), side(self.y_max));
        (self.events > 0).then_some(size)
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn add(summary: &mut Summary, events: &EventBatch) {
    summary.add_columns(events);
}

#[inline(always)]
fn sum<N: Copy + Into<u64>>(column: &[N]) -> u64 {
    column.iter().map(|&value| value.into()).sum()
}

#[inline(always)]
fn range(column: &[u16]) -> (u16, u16) {
    column.iter().fold((u16::MAX, 0), |(min, max), &value| (min.min(value), max.max(value)))
}

impl Sink for Summary {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.add(events);
        Ok(())
    }
}

/// A summary and the xxHash64 (seed 0) of all events in file order, each packed little-endian into
/// 13 bytes: u64 t, u16 x, u16 y, u8 p. Two recordings with equal fingerprints hold the same events.
#[derive(Debug)]
pub struct Fingerprint {
    /// Counts and extents.
    pub summary: Summary,
    hash: XxHash64,
    packed: Vec<u8>,
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self { summary: Summary::default(), hash: XxHash64::with_seed(0), packed: Vec::new() }
    }
}

impl Fingerprint {
    /// The hash of all events so far.
    pub fn xxh64(&self) -> u64 {
        self.hash.finish()
    }
}

impl Sink for Fingerprint {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.summary.add(events);
        self.packed.clear();
        for event in events.iter() {
            self.packed.extend_from_slice(&event.t.to_le_bytes());
            self.packed.extend_from_slice(&event.x.to_le_bytes());
            self.packed.extend_from_slice(&event.y.to_le_bytes());
            self.packed.push(event.p);
        }
        self.hash.write(&self.packed);
        Ok(())
    }
}
