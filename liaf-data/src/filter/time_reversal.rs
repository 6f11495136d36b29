//! Time reversal: the recording runs backwards.

use super::{Filter, FilterKind};
use crate::error::{Error, ErrorKind, Result};
use crate::model::EventBatch;

/// The row of [`FILTERS`](super::FILTERS).
pub(super) static TIME_REVERSAL: FilterKind = FilterKind {
    name: "time-reversal",
    moves: true,
    about: "turns time around, within the span of the events, and exchanges ON and OFF (or not: keep); all events are held in memory, at most so many [polarity=flip|keep,events=10000000]",
    parameters: &["polarity", "events"],
    make: |parameters, _| {
        let most = parameters.number::<usize>("events")?.unwrap_or(10_000_000);
        let flips = match parameters.get("polarity") {
            None | Some("flip") => true,
            Some("keep") => false,
            Some(other) => {
                let error = Error::caller("what to do with polarities is not valid");
                return Err(error.expected("flip or keep").found(other));
            }
        };
        Ok(Box::new(TimeReversal { held: EventBatch::new(), flips, most, is_full: false }))
    },
};

/// `t' = t_min + t_max − t`, in reversed order, so that times rise as before. What became brighter becomes
/// darker, so that ON becomes OFF. tonic's `RandomTimeReversal` does the same, but begins at 0.
#[derive(Debug)]
struct TimeReversal {
    held: EventBatch,
    flips: bool,
    /// Number of events that may be held back.
    most: usize,
    is_full: bool,
}

impl Filter for TimeReversal {
    fn apply(&mut self, events: &mut EventBatch) {
        self.is_full |= events.len() > self.most - self.held.len();
        if self.is_full {
            self.held = EventBatch::new();
            events.clear();
        } else {
            self.held.append(events);
        }
    }

    fn finish(&mut self, events: &mut EventBatch) -> Result<()> {
        if self.is_full {
            let error = Error::new(ErrorKind::Limit, "there are too many events to reverse time");
            return Err(error
                .expected(format!("at most {}, which are held in memory", self.most))
                .advice("choose a part of the recording, or raise the parameter `events`"));
        }
        let mut held = std::mem::take(&mut self.held);
        let ends = held.t.iter().min().copied().zip(held.t.iter().max().copied());
        if let Some((first, last)) = ends {
            // The result is between `first` and `last`, so that it does not matter if the difference of
            // the two overflows.
            let turned = |t: i64| last.wrapping_sub(t.wrapping_sub(first));
            held.t.iter_mut().for_each(|t| *t = turned(*t));
        }
        if self.flips {
            held.p.iter_mut().for_each(|p| *p = u8::from(*p == 0));
        }
        held.t.reverse();
        held.x.reverse();
        held.y.reverse();
        held.p.reverse();
        events.append(&mut held);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::filter::{Chain, Selection};
    use crate::model::{Event, EventBatch, SensorSize};

    fn run(filters: &[&str], times: &[i64], cut: usize) -> Result<Vec<(i64, u16)>, String> {
        let parse = |text: &&str| text.parse().unwrap();
        let filters = filters.iter().map(parse).collect();
        let selection = Selection { filters, ..Selection::default() };
        let mut chain = Chain::new(&selection, SensorSize::new(64, 1)).unwrap();
        let events: Vec<_> =
            times.iter().zip(0..).map(|(&t, x)| Event { t, x, y: 0, p: 1 }).collect();
        let mut kept = EventBatch::new();
        for part in events.chunks(cut) {
            let mut batch: EventBatch = part.iter().copied().collect();
            chain.apply(&mut batch);
            kept.append(&mut batch);
        }
        let mut last = EventBatch::new();
        chain.finish(&mut last).map_err(|error| error.to_string())?;
        kept.append(&mut last);
        assert_eq!(chain.removed().total() as usize + kept.len(), events.len());
        Ok(kept.iter().map(|event| (event.t, event.x)).collect())
    }

    #[test]
    fn the_last_event_comes_first_and_filters_after_it_see_them_so() {
        for cut in 1..5 {
            let turned = run(&["time-reversal"], &[10, 12, 11, 20], cut).unwrap();
            assert_eq!(turned, [(10, 3), (19, 2), (18, 1), (20, 0)]);
            let twice = run(&["time-reversal", "time-reversal"], &[10, 12, 20], cut).unwrap();
            assert_eq!(twice, [(10, 0), (12, 1), (20, 2)]);
            let later = run(&["time-reversal", "scale-time:offset=5us"], &[1, 4], cut).unwrap();
            assert_eq!(later, [(6, 1), (9, 0)]);
        }
        assert_eq!(run(&["time-reversal"], &[], 1).unwrap(), []);
        let ends = [i64::MIN, 3, i64::MAX];
        let turned = run(&["time-reversal"], &ends, 2).unwrap();
        assert_eq!(turned, [(i64::MIN, 2), (-4, 1), (i64::MAX, 0)]);
    }

    #[test]
    fn more_events_than_allowed_are_an_error() {
        assert!(run(&["time-reversal:events=3"], &[1, 2, 3], 2).is_ok());
        let error = run(&["time-reversal:events=3"], &[1, 2, 3, 4], 2).unwrap_err();
        assert!(error.contains("at most 3"), "{error}");
    }
}
