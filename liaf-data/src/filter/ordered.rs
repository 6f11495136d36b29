//! A chain that may put the events in the order of time before they pass its filters.

use super::reorder::Reorder;
use super::{Chain, Removed, Selection};
use crate::error::Result;
use crate::model::{EventBatch, SensorSize, TimeSpan};

/// What is done about events that are out of order in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sorting {
    /// They stay as they are.
    Keep,
    /// They stay as they are, and it is found out how late they come: the first pass before one that
    /// sorts.
    Survey,
    /// All are sorted by time; those with equal times keep their order.
    Sort(Lateness),
}

/// What a first pass found out about the chosen events, and how much memory sorting may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lateness {
    /// The largest difference between the time of an event and the latest time before it, in µs.
    pub us: u64,
    /// Number of the events.
    pub events: u64,
    /// Largest amount of memory for events that are held back, in bytes.
    pub memory: usize,
}

/// A [`Chain`] between whose choices (time, rectangle, polarity) and filters events are sorted, so that
/// filters see the events in the order in which they are passed on.
#[derive(Debug)]
pub(crate) struct OrderedChain {
    chain: Chain,
    order: Order,
}

#[derive(Debug)]
enum Order {
    Keep,
    /// The chosen events, and how many of them sorting would move.
    Survey(TimeSpan, u64),
    Sort(Reorder),
}

impl OrderedChain {
    /// The chain for the events of a recording of this sensor.
    ///
    /// # Errors
    /// As [`Chain::new`].
    pub fn new(selection: &Selection, sensor: SensorSize, sorting: Sorting) -> Result<Self> {
        let order = match sorting {
            Sorting::Keep => Order::Keep,
            Sorting::Survey => Order::Survey(TimeSpan::default(), 0),
            // Nothing would be moved.
            Sorting::Sort(Lateness { us: 0, .. }) => Order::Keep,
            Sorting::Sort(lateness) => Order::Sort(Reorder::new(lateness)),
        };
        Ok(Self { chain: Chain::new(selection, sensor)?, order })
    }

    /// The chain itself.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The events that were removed so far.
    pub fn removed(&self) -> &Removed {
        self.chain.removed()
    }

    /// Whether all events pass at once and without change.
    pub fn is_empty(&self) -> bool {
        self.chain.is_empty() && matches!(self.order, Order::Keep)
    }

    /// The chosen events so far, before the filters, if they are surveyed.
    pub fn surveyed(&self) -> Option<TimeSpan> {
        match self.order {
            Order::Survey(span, _) => Some(span),
            _ => None,
        }
    }

    /// Number of chosen events so far that were earlier than an event before them, and so were moved, or
    /// would be.
    pub fn moved(&self) -> u64 {
        match &self.order {
            Order::Survey(_, moved) => *moved,
            Order::Sort(reorder) => reorder.moved(),
            _ => 0,
        }
    }

    /// Takes the next events of the recording, in file order, and puts those in their place that can be
    /// passed on now.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if more events than allowed would be held back;
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if one comes later than the first pass found.
    pub fn apply(&mut self, events: &mut EventBatch) -> Result<()> {
        self.chain.choose(events);
        match &mut self.order {
            Order::Keep => {}
            Order::Survey(span, moved) => {
                *moved += late(&events.t, span);
                span.extend(&events.t);
            }
            Order::Sort(reorder) => reorder.push(events)?,
        }
        self.chain.filter(events);
        Ok(())
    }

    /// Appends the events to `events`, which is empty, that were held back.
    ///
    /// # Errors
    /// As [`Chain::finish`].
    pub fn finish(&mut self, events: &mut EventBatch) -> Result<()> {
        if let Order::Sort(reorder) = &mut self.order {
            reorder.finish(events);
        }
        self.chain.finish(events)
    }
}

/// How many of these times are earlier than one before them, or than one of those in `before`.
fn late(times: &[i64], before: &TimeSpan) -> u64 {
    let latest = if before.events == 0 { i64::MIN } else { before.t_max };
    if times.is_sorted() && times.first().is_none_or(|&first| first >= latest) {
        return 0;
    }
    let mut latest = latest;
    let mut late = 0;
    for &t in times {
        late += u64::from(t < latest);
        latest = latest.max(t);
    }
    late
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Event;

    const SENSOR: SensorSize = SensorSize::new(4, 4);

    fn event(t: i64, x: u16) -> Event {
        Event { t, x, y: 0, p: 1 }
    }

    #[test]
    fn events_are_sorted_after_the_choices_and_before_the_filters() {
        let selection = Selection::default().crop(0, 0, 2, 2);
        let selection = selection.filter("refractory:period=10us".parse().unwrap());
        // The event at 100 is outside the rectangle, and all would be late after it.
        let events = [event(100, 3), event(30, 0), event(12, 0), event(9, 0), event(20, 1)];
        for cut in 1..=events.len() {
            let mut survey = OrderedChain::new(&selection, SENSOR, Sorting::Survey).unwrap();
            let batches = || events.chunks(cut).map(|part| part.iter().copied().collect());
            batches().for_each(|mut batch| survey.apply(&mut batch).unwrap());
            let span = survey.surveyed().unwrap();
            assert_eq!((span.lateness, span.events), (21, 4));
            let lateness = Lateness { us: span.lateness, events: 4, memory: 1 << 20 };
            let sorting = Sorting::Sort(lateness);
            let mut chain = OrderedChain::new(&selection, SENSOR, sorting).unwrap();
            let mut found = Vec::new();
            batches().for_each(|mut batch: EventBatch| {
                chain.apply(&mut batch).unwrap();
                found.extend(batch);
            });
            let mut held = EventBatch::new();
            chain.finish(&mut held).unwrap();
            found.extend(held);
            // At pixel 0 the events come at 9, 12 and 30: the second one is within the period.
            assert_eq!(found, [event(9, 0), event(20, 1), event(30, 0)]);
            assert_eq!((chain.moved(), chain.removed().total()), (3, 2));
        }
    }

    #[test]
    fn events_in_order_are_passed_on_at_once() {
        let sorting = Sorting::Sort(Lateness { us: 0, events: 2, memory: 0 });
        let chain = OrderedChain::new(&Selection::default(), SENSOR, sorting).unwrap();
        assert!(chain.is_empty() && chain.moved() == 0);
    }

    #[test]
    fn an_event_that_is_later_than_the_first_pass_found_is_an_error() {
        let sorting = Sorting::Sort(Lateness { us: 5, events: 3, memory: 1 << 20 });
        let mut chain = OrderedChain::new(&Selection::default(), SENSOR, sorting).unwrap();
        chain.apply(&mut [event(10, 0), event(5, 0)].into_iter().collect()).unwrap();
        let error = chain.apply(&mut [event(4, 0)].into_iter().collect()).unwrap_err();
        assert!(error.to_string().contains("up to 5 µs late"), "{error}");
    }
}
