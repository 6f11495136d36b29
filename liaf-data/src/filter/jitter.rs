//! Filters that move events a little, at random.

use super::random::Random;
use super::{Filter, FilterKind};
use crate::error::{Error, Result};
use crate::model::{EventBatch, Parameters, SensorSize};

/// Moves events in space and time.
pub(super) static JITTER: FilterKind = FilterKind {
    name: "jitter",
    moves: true,
    about: "moves events at random, by normal distributions of these standard deviations in pixels and time; those that leave the sensor are dropped [space=1,time=0us,seed=0]",
    parameters: &["space", "time", "seed"],
    make,
};

fn make(parameters: &Parameters, sensor: SensorSize) -> Result<Box<dyn Filter>> {
    let space = parameters.number::<f64>("space")?.unwrap_or(1.0);
    if !(space.is_finite() && space >= 0.0) {
        let error = Error::caller("the deviation in space is not valid");
        return Err(error.expected("a number of pixels, 0 or more").found(space));
    }
    let time = parameters.duration("time")?.unwrap_or(0) as f64;
    Ok(Box::new(Jitter { space, time, random: Random::of(parameters, 4)?, sensor, seen: 0 }))
}

/// Adds numbers of a normal distribution, rounded to whole pixels and µs. The order of the events does not
/// change, so that times may step back.
#[derive(Debug)]
struct Jitter {
    /// In pixels.
    space: f64,
    /// In µs.
    time: f64,
    random: Random,
    sensor: SensorSize,
    seen: u64,
}

impl Filter for Jitter {
    fn apply(&mut self, events: &mut EventBatch) {
        let Self { space, time, random, sensor, seen } = self;
        let first = *seen;
        *seen += events.len() as u64;
        let numbers = first..;
        let moved = |value: u16, by: f64| {
            let value = f64::from(value) + (by * *space).round();
            // Outside of every sensor.
            if (0.0..65_535.0).contains(&value) { value as u16 } else { u16::MAX }
        };
        let columns = events.x.iter_mut().zip(&mut events.y).zip(&mut events.t);
        for (n, ((x, y), t)) in numbers.zip(columns) {
            if *space > 0.0 {
                let (dx, dy) = random.normal(n, 0);
                (*x, *y) = (moved(*x, dx), moved(*y, dy));
            }
            if *time > 0.0 {
                *t = t.saturating_add((random.normal(n, 2).0 * *time).round() as i64);
            }
        }
        if *space > 0.0 {
            events.retain(|event| event.x < sensor.width && event.y < sensor.height);
        }
    }
}
