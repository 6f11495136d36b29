//! Filters that keep a part of the events of each pixel, or change times.

use super::{Filter, FilterKind};
use crate::error::Error;
use crate::model::{EventBatch, SensorSize};

/// Keeps every n-th event of a pixel.
pub(super) static DECIMATE: FilterKind = FilterKind {
    name: "decimate",
    moves: false,
    about: "keeps every n-th event of each pixel [n=2]",
    parameters: &["n"],
    make: |parameters, sensor| {
        let n = parameters.number::<u32>("n")?.unwrap_or(2);
        if n == 0 {
            return Err(Error::caller("n must be above 0").expected("1 or more").found(0));
        }
        Ok(Box::new(Decimate::new(n, sensor)))
    },
};

/// Stretches time.
pub(super) static SCALE_TIME: FilterKind = FilterKind {
    name: "scale-time",
    moves: true,
    about: "multiplies the time since the first event by a factor, and adds an offset [factor=1,offset=0us]",
    parameters: &["factor", "offset"],
    make: |parameters, _| {
        let factor = parameters.number::<f64>("factor")?.unwrap_or(1.0);
        if !(factor.is_finite() && factor > 0.0) {
            let error = Error::caller("the factor of times must be above 0");
            return Err(error.expected("a number above 0").found(factor));
        }
        let offset = parameters.duration("offset")?.unwrap_or(0);
        Ok(Box::new(ScaleTime { factor, offset, first: None }))
    },
};

#[derive(Debug)]
struct Decimate {
    n: u32,
    width: usize,
    /// Number of events of each pixel since the last one that was kept.
    seen: Vec<u32>,
}

impl Decimate {
    fn new(n: u32, sensor: SensorSize) -> Self {
        Self { n, width: sensor.width.into(), seen: vec![0; sensor.pixels()] }
    }
}

impl Filter for Decimate {
    fn apply(&mut self, events: &mut EventBatch) {
        let Self { n, width, seen } = self;
        events.retain(|event| {
            let x = usize::from(event.x);
            let pixel = usize::from(event.y) * *width + x;
            let Some(seen) = seen.get_mut(pixel).filter(|_| x < *width) else { return true };
            *seen += 1;
            let is_nth = *seen >= *n;
            if is_nth {
                *seen = 0;
            }
            is_nth
        });
    }
}

/// `t' = t₀ + ⌊(t − t₀) · factor⌋ + offset`, where t₀ is the time of the first event.
#[derive(Debug)]
struct ScaleTime {
    factor: f64,
    /// In µs.
    offset: i64,
    first: Option<i64>,
}

impl Filter for ScaleTime {
    fn apply(&mut self, events: &mut EventBatch) {
        let Some(&first) = events.t.first() else { return };
        let first = *self.first.get_or_insert(first);
        let start = first.saturating_add(self.offset);
        for t in &mut events.t {
            let after = (t.saturating_sub(first) as f64 * self.factor).floor();
            *t = start.saturating_add(after as i64);
        }
    }
}
