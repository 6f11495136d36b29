//! The refractory filter: after an event, its pixel is ignored for a period of time.

use super::{Filter, FilterKind};
use crate::error::{Error, Result};
use crate::model::{EventBatch, Parameters, SensorSize};

/// The row of [`FILTERS`](super::FILTERS).
pub(super) static REFRACTORY: FilterKind = FilterKind {
    name: "refractory",
    moves: false,
    about: "drops the events of a pixel that follow a kept one within the period [period=1ms]",
    parameters: &["period"],
    make,
};

fn make(parameters: &Parameters, sensor: SensorSize) -> Result<Box<dyn Filter>> {
    let period = parameters.duration("period")?.unwrap_or(1_000);
    if period < 1 {
        return Err(Error::caller("the refractory period must be above 0")
            .expected("1 µs or more")
            .found(format!("{period} µs")));
    }
    Ok(Box::new(Refractory {
        period,
        width: sensor.width.into(),
        ready: vec![i64::MIN; sensor.pixels()],
    }))
}

/// Keeps an event if its pixel kept none in the `period` before it: `t >= t_kept + period`. An event
/// that is earlier than the last kept one of its pixel is dropped as well. Pixels outside the sensor
/// are not filtered.
#[derive(Debug)]
struct Refractory {
    /// In µs.
    period: i64,
    width: usize,
    /// For each pixel, the time in µs from which its events are kept.
    ready: Vec<i64>,
}

impl Filter for Refractory {
    fn apply(&mut self, events: &mut EventBatch) {
        let Self { period, width, ready } = self;
        events.retain(|event| {
            let x = usize::from(event.x);
            let pixel = usize::from(event.y) * *width + x;
            match ready.get_mut(pixel).filter(|_| x < *width) {
                Some(ready) if event.t < *ready => false,
                Some(ready) => {
                    *ready = event.t.saturating_add(*period);
                    true
                }
                None => true,
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::FilterSpec;
    use crate::model::Event;

    #[test]
    fn a_pixel_is_quiet_for_the_period_after_a_kept_event() {
        let sensor = SensorSize::new(3, 2);
        let spec: FilterSpec = "refractory:period=10us".parse().unwrap();
        let times = [(0, 0), (5, 0), (5, 1), (9, 0), (10, 0), (12, 1), (19, 0), (25, 1), (20, 0)];
        let events: Vec<_> = times.map(|(t, x)| Event { t, x, y: 1, p: 1 }).into();
        for cut in 1..=events.len() {
            let mut filter = spec.make(sensor).unwrap();
            let mut kept = Vec::new();
            for part in events.chunks(cut) {
                let mut batch: EventBatch = part.iter().copied().collect();
                filter.apply(&mut batch);
                kept.extend(batch.iter().map(|event| (event.t, event.x)));
            }
            assert_eq!(kept, [(0, 0), (5, 1), (10, 0), (25, 1), (20, 0)], "{cut} a batch");
        }
        assert!("refractory:period=0us".parse::<FilterSpec>().is_err());
    }
}
