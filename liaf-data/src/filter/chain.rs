//! The chain of stages through which events pass.

use std::ops::Range;

use serde::Serialize;

use super::polarity::OfPolarity;
use super::{Filter, Selection};
use crate::error::Result;
use crate::model::{Crop, EventBatch, SensorSize, TimePoint, Times, check_crop, check_stretch};

/// The events that the stages of a [`Chain`] removed, by stage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Removed {
    /// Events outside the interval of time.
    pub out_of_window: u64,
    /// Events outside the rectangle.
    pub out_of_crop: u64,
    /// Events that later stages removed: a row for the polarity, if one was chosen, and one for each
    /// filter, in order.
    pub filtered: Vec<Filtered>,
}

/// The events that one filter removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Filtered {
    /// The filter and its parameters, as in `refractory:period=1ms`.
    pub filter: String,
    /// Number of events that it removed.
    pub events: u64,
}

impl Removed {
    /// Number of all events that were removed.
    pub fn total(&self) -> u64 {
        let filtered: u64 = self.filtered.iter().map(|filtered| filtered.events).sum();
        self.out_of_window + self.out_of_crop + filtered
    }
}

/// The stages of a [`Selection`], which are applied to the events of one recording in order.
///
/// Times that count from the first event of the recording are resolved here, at the first event.
#[derive(Debug)]
pub struct Chain {
    from: Option<TimePoint>,
    to: Option<TimePoint>,
    /// Known from the first event on.
    times: Option<Times>,
    crop: Option<Crop>,
    /// The choice of a polarity, if there is one, and the filters; `removed` has a row for each.
    stages: Vec<Box<dyn Filter>>,
    /// Number of the stages that are choices.
    choices: usize,
    sensor: SensorSize,
    removed: Removed,
}

impl Chain {
    /// The chain for the events of a recording of this sensor.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the selection does not fit the sensor or
    /// is not valid.
    pub fn new(selection: &Selection, sensor: SensorSize) -> Result<Self> {
        let Selection { from, to, crop, polarity, filters } = selection;
        check_stretch(*from, *to)?;
        let mut sensor = sensor;
        if let Some(crop) = *crop {
            check_crop(crop, sensor)?;
            sensor = SensorSize::new(crop.w, crop.h);
        }
        let mut removed = Removed::default();
        let mut stages: Vec<Box<dyn Filter>> = Vec::new();
        if let Some(polarity) = *polarity {
            removed.filtered.push(Filtered { filter: format!("polarity:{polarity}"), events: 0 });
            stages.push(Box::new(OfPolarity(polarity)));
        }
        let choices = stages.len();
        for spec in filters {
            let filter = spec.make(sensor)?;
            sensor = filter.sensor(sensor);
            removed.filtered.push(Filtered { filter: spec.to_string(), events: 0 });
            stages.push(filter);
        }
        let (from, to, crop) = (*from, *to, *crop);
        Ok(Self { from, to, times: None, crop, stages, choices, sensor, removed })
    }

    /// The size of the sensor after all stages, which may change coordinates.
    pub fn sensor(&self) -> SensorSize {
        self.sensor
    }

    /// The events that were removed so far.
    pub fn removed(&self) -> &Removed {
        &self.removed
    }

    /// Whether the chain has no stages, so that it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.from.is_none() && self.to.is_none() && self.crop.is_none() && self.stages.is_empty()
    }

    /// The first and the last µs that are kept: `None` if they were not chosen, or before the first
    /// event.
    pub(crate) fn chosen_times(&self) -> (Option<i64>, Option<i64>) {
        let times = self.times;
        let first = times.filter(|_| self.from.is_some()).map(|times| times.first);
        (first, times.filter(|_| self.to.is_some()).map(|times| times.last))
    }

    /// Removes the events that are not kept from the next events of the recording, in file order.
    pub fn apply(&mut self, events: &mut EventBatch) {
        self.choose(events);
        self.filter(events);
    }

    /// The part of [`apply`](Self::apply) that does not depend on the order of the events: time,
    /// rectangle and polarity.
    pub(super) fn choose(&mut self, events: &mut EventBatch) {
        let Some(&first) = events.t.first() else { return };
        if self.from.is_some() || self.to.is_some() {
            let (from, to) = (self.from, self.to);
            let times = self.times.get_or_insert_with(|| Times::new(from, to, first));
            self.removed.out_of_window += times.choose(events);
        }
        if let Some(crop) = self.crop {
            self.removed.out_of_crop += cut_out(events, crop);
        }
        self.pass(0..self.choices, events);
    }

    /// The rest of [`apply`](Self::apply): the filters.
    pub(super) fn filter(&mut self, events: &mut EventBatch) {
        self.pass(self.choices..self.stages.len(), events);
    }

    /// Passes `events`, the last ones after those of [`apply`](Self::apply), through the filters, and with
    /// them what each filter has held back.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if a filter would have had to hold back more events
    /// than it may.
    pub fn finish(&mut self, events: &mut EventBatch) -> Result<()> {
        let removed = &mut self.removed.filtered[self.choices..];
        for (stage, removed) in self.stages[self.choices..].iter_mut().zip(removed) {
            let before = events.len() as u64;
            stage.apply(events);
            stage.finish(events)?;
            // What was held back has been counted as removed.
            removed.events = (removed.events + before).saturating_sub(events.len() as u64);
        }
        Ok(())
    }

    fn pass(&mut self, stages: Range<usize>, events: &mut EventBatch) {
        let removed = &mut self.removed.filtered[stages.clone()];
        for (stage, removed) in self.stages[stages].iter_mut().zip(removed) {
            let before = events.len();
            stage.apply(events);
            removed.events += before.saturating_sub(events.len()) as u64;
        }
    }
}

/// Keeps the events in the rectangle, moves its upper left pixel to (0, 0), and returns the number
/// of the others.
fn cut_out(events: &mut EventBatch, Crop { x, y, w, h }: Crop) -> u64 {
    let before = events.len();
    events.x.iter_mut().for_each(|column| *column = column.wrapping_sub(x));
    events.y.iter_mut().for_each(|row| *row = row.wrapping_sub(y));
    events.retain(|event| event.x < w && event.y < h);
    (before - events.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, Polarity};

    const SENSOR: SensorSize = SensorSize::new(8, 8);

    fn events() -> impl Iterator<Item = Event> {
        (0..100).map(|t| Event {
            t,
            x: (t % 8) as u16,
            y: (t / 8 % 8) as u16,
            p: u8::from(t % 5 != 0),
        })
    }

    #[test]
    fn every_stage_counts_what_it_removed() {
        let selection = Selection {
            from: Some(TimePoint::Relative(10)),
            to: Some(TimePoint::Absolute(90)),
            ..Selection::default()
        }
        .crop(2, 1, 4, 6)
        .polarity(Polarity::On)
        .filter("refractory:period=70us".parse().unwrap());
        for cut in [1, 7, 100] {
            let mut chain = Chain::new(&selection, SENSOR).unwrap();
            let (mut kept, mut rest) = (Vec::new(), events().peekable());
            while rest.peek().is_some() {
                let mut batch: EventBatch = rest.by_ref().take(cut).collect();
                chain.apply(&mut batch);
                kept.extend(batch);
            }
            // The same, as the documentation says it.
            let in_time: Vec<_> = events().filter(|e| (10..90).contains(&e.t)).collect();
            let in_crop = in_time.iter().filter(|e| (2..6).contains(&e.x) && (1..7).contains(&e.y));
            let in_crop: Vec<_> = in_crop.map(|e| Event { x: e.x - 2, y: e.y - 1, ..*e }).collect();
            let on: Vec<_> = in_crop.iter().copied().filter(|e| e.p == 1).collect();
            let mut expected = Vec::<Event>::new();
            for event in &on {
                let same = |e: &&Event| (e.x, e.y) == (event.x, event.y);
                let before = expected.iter().rev().find(same);
                if before.is_none_or(|before| event.t >= before.t + 70) {
                    expected.push(*event);
                }
            }
            assert_eq!(kept, expected);
            let removed = chain.removed();
            assert_eq!(removed.out_of_window, (100 - in_time.len()) as u64);
            assert_eq!(removed.out_of_crop, (in_time.len() - in_crop.len()) as u64);
            assert_eq!(
                removed.filtered,
                [
                    Filtered {
                        filter: "polarity:on".into(),
                        events: (in_crop.len() - on.len()) as u64
                    },
                    Filtered {
                        filter: "refractory:period=70us".into(),
                        events: (on.len() - expected.len()) as u64
                    },
                ]
            );
            assert!(removed.filtered.iter().all(|filtered| filtered.events > 0));
            assert_eq!(removed.total() + kept.len() as u64, 100);
        }
    }

    #[test]
    fn a_selection_of_everything_changes_nothing() {
        let mut chain = Chain::new(&Selection::default(), SENSOR).unwrap();
        let mut batch: EventBatch = events().collect();
        chain.apply(&mut batch);
        assert!(chain.is_empty() && chain.removed().total() == 0);
        assert!(batch.iter().eq(events()));
        let all = Selection::default().between(TimePoint::Absolute(0), TimePoint::Absolute(100));
        let mut chain = Chain::new(&all, SENSOR).unwrap();
        chain.apply(&mut batch);
        assert_eq!((batch.len(), chain.chosen_times()), (100, (Some(0), Some(99))));
    }
}
