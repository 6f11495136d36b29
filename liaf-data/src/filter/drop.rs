//! Filters that drop events at random: single ones, those of a rectangle, those of intervals of time.

use super::random::{Random, fraction};
use super::{Filter, FilterKind};
use crate::error::{Error, Result};
use crate::model::{EventBatch, Parameters, SensorSize};

/// Drops single events.
pub(super) static DROP: FilterKind = FilterKind {
    name: "drop",
    moves: false,
    about: "drops events at random, each with the same probability [fraction=0.1,seed=0]",
    parameters: &["fraction", "seed"],
    make: |parameters, _| {
        let (fraction, random) = (fraction(parameters, 0.1)?, Random::of(parameters, 1)?);
        Ok(Box::new(Drop { fraction, random, seen: 0 }))
    },
};

/// Drops the events of a rectangle.
pub(super) static DROP_AREA: FilterKind = FilterKind {
    name: "drop-area",
    moves: false,
    about: "drops the events of a rectangle at a random place, of the shape of the sensor and this part of its area [fraction=0.1,seed=0]",
    parameters: &["fraction", "seed"],
    make: make_area,
};

/// Drops the events of intervals of time.
pub(super) static DROP_TIME: FilterKind = FilterKind {
    name: "drop-time",
    moves: false,
    about: "drops the events of an interval at a random place within each period of time [fraction=0.1,period=1s,seed=0]",
    parameters: &["fraction", "period", "seed"],
    make: |parameters, _| {
        let period = parameters.duration("period")?.unwrap_or(1_000_000);
        if period < 1 {
            let error = Error::caller("the period must be above 0").expected("1 µs or more");
            return Err(error.found(format!("{period} µs")));
        }
        let (fraction, random) = (fraction(parameters, 0.1)?, Random::of(parameters, 3)?);
        Ok(Box::new(DropTime { fraction, period, random, first: None }))
    },
};

#[derive(Debug)]
struct Drop {
    fraction: f64,
    random: Random,
    seen: u64,
}

impl Filter for Drop {
    fn apply(&mut self, events: &mut EventBatch) {
        events.retain(|_| {
            self.seen += 1;
            self.random.unit(self.seen, 0) >= self.fraction
        });
    }
}

fn make_area(parameters: &Parameters, sensor: SensorSize) -> Result<Box<dyn Filter>> {
    let (fraction, random) = (fraction(parameters, 0.1)?, Random::of(parameters, 2)?);
    let length = |of: u16| (f64::from(of) * fraction.sqrt()).round();
    let place = |of: u16, k| {
        let room = f64::from(of) - length(of);
        (random.unit(0, k) * (room + 1.0)).floor().min(room) as u32
    };
    let span = |of: u16, k| place(of, k)..place(of, k) + length(of) as u32;
    Ok(Box::new(DropArea { x: span(sensor.width, 0), y: span(sensor.height, 1) }))
}

#[derive(Debug)]
struct DropArea {
    x: std::ops::Range<u32>,
    y: std::ops::Range<u32>,
}

impl Filter for DropArea {
    fn apply(&mut self, events: &mut EventBatch) {
        events.retain(|event| {
            !(self.x.contains(&event.x.into()) && self.y.contains(&event.y.into()))
        });
    }
}

#[derive(Debug)]
struct DropTime {
    fraction: f64,
    /// In µs.
    period: i64,
    random: Random,
    first: Option<i64>,
}

impl Filter for DropTime {
    fn apply(&mut self, events: &mut EventBatch) {
        let Some(&first) = events.t.first() else { return };
        let first = *self.first.get_or_insert(first);
        let period = self.period as f64;
        events.retain(|event| {
            let after = event.t.saturating_sub(first);
            let (number, place) = (after.div_euclid(self.period), after.rem_euclid(self.period));
            let room = (1.0 - self.fraction) * period;
            let start = self.random.unit(number as u64, 0) * room;
            let place = place as f64;
            place < start || place >= start + self.fraction * period
        });
    }
}
