//! The background activity filter: events that no event nearby supports are noise.

use super::{Filter, FilterKind};
use crate::error::{Error, Result};
use crate::model::{EventBatch, Parameters, SensorSize};

/// The row of [`FILTERS`](super::FILTERS).
pub(super) static BACKGROUND_ACTIVITY: FilterKind = FilterKind {
    name: "background-activity",
    moves: false,
    about: "drops events without another event at one of the 8 (or 4) neighbouring pixels within the period before [period=2ms,neighbours=8]",
    parameters: &["period", "neighbours"],
    make,
};

fn make(parameters: &Parameters, sensor: SensorSize) -> Result<Box<dyn Filter>> {
    let period = parameters.duration("period")?.unwrap_or(2_000);
    if period < 1 {
        return Err(Error::caller("the period of support must be above 0")
            .expected("1 µs or more")
            .found(format!("{period} µs")));
    }
    let neighbours = parameters.number::<u8>("neighbours")?.unwrap_or(8);
    if neighbours != 4 && neighbours != 8 {
        let error = Error::caller("the number of neighbours is not valid");
        return Err(error.expected("4 or 8").found(neighbours));
    }
    // A border of one pixel on each side, which never has events.
    let (width, height) = (usize::from(sensor.width) + 2, usize::from(sensor.height) + 2);
    Ok(Box::new(BackgroundActivity {
        period,
        diagonal: neighbours == 8,
        width,
        height,
        supported: vec![i64::MIN; width * height],
    }))
}

/// Keeps an event if a neighbouring pixel, of either polarity, had an event less than `period` before it
/// (Delbruck, 2008). Events that are dropped support others all the same. Pixels outside the sensor are
/// not filtered.
#[derive(Debug)]
struct BackgroundActivity {
    /// In µs.
    period: i64,
    diagonal: bool,
    width: usize,
    height: usize,
    /// For each pixel, the time in µs before which its last event supports others.
    supported: Vec<i64>,
}

impl Filter for BackgroundActivity {
    fn apply(&mut self, events: &mut EventBatch) {
        let Self { period, diagonal, width, height, supported } = self;
        let (width, reach) = (*width, usize::from(*diagonal));
        events.retain(|event| {
            let (x, y) = (usize::from(event.x) + 1, usize::from(event.y) + 1);
            if x + 1 >= width || y + 1 >= *height {
                return true;
            }
            let at = y * width + x;
            supported[at] = event.t.saturating_add(*period);
            let above = &supported[at - width - reach..=at - width + reach];
            let below = &supported[at + width - reach..=at + width + reach];
            let beside = [supported[at - 1], supported[at + 1]];
            let latest = above.iter().chain(below).chain(&beside).fold(i64::MIN, |a, &b| a.max(b));
            event.t < latest
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::filter::FilterSpec;
    use crate::model::{Event, EventBatch, SensorSize};

    #[test]
    fn an_event_is_kept_if_a_neighbour_was_active() {
        let event = |t, x, y| Event { t, x, y, p: 1 };
        let events = [
            event(0, 1, 1),  // nothing before it
            event(5, 2, 2),  // diagonal
            event(9, 2, 2),  // itself is no support, but the one at (1, 1) still is
            event(10, 1, 1), // supported by (2, 2)
            event(19, 3, 0), // two rows from (2, 2)
            event(20, 3, 1), // above: (3, 0)
            event(20, 9, 9), // outside
            event(30, 3, 0), // 10 after (3, 1): too late
        ];
        for (text, kept) in [
            ("background-activity:period=10us", vec![5, 9, 10, 20, 20]),
            ("background-activity:period=10us,neighbours=4", vec![20, 20]),
        ] {
            let spec: FilterSpec = text.parse().unwrap();
            for cut in 1..=events.len() {
                let mut filter = spec.make(SensorSize::new(4, 3)).unwrap();
                let mut found = Vec::new();
                for part in events.chunks(cut) {
                    let mut batch: EventBatch = part.iter().copied().collect();
                    filter.apply(&mut batch);
                    found.extend(batch.iter().map(|event| event.t));
                }
                assert_eq!(found, kept, "{text}, {cut} a batch");
            }
        }
        assert!("background-activity:neighbours=5".parse::<FilterSpec>().is_err());
    }
}
