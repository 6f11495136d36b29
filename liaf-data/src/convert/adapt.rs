//! What may be done to times so that an event file can hold them.

use serde::Serialize;

use super::EventsReport;
use super::reorder::Reorder;
use crate::write::Facts;
use crate::{EventBatch, Limits, Result};

/// What becomes of events that are earlier than the one before them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// They stay where they are.
    #[default]
    Keep,
    /// All events are brought in the order of time; those of one time keep their order.
    Sort,
    /// They get the time of the latest event before them.
    Clamp,
}

/// What is done to times, where the caller takes it. By default nothing is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Adapt {
    /// Time begins at 0: the earliest kept time is taken from all.
    pub zero_time: bool,
    /// What becomes of events that are earlier than the one before them.
    pub order: Order,
    /// Times that the target cannot hold are kept modulo what it can.
    pub wrap: bool,
}

impl Adapt {
    /// What is known of events after this.
    pub(super) fn facts(&self, facts: Facts) -> Facts {
        let facts = facts.earlier(if self.zero_time { self.start(&facts) } else { 0 });
        match self.order {
            Order::Keep => facts,
            Order::Sort => facts.in_order(),
            // The first event stays, so that earlier ones behind it come to its time.
            Order::Clamp => Facts { t_min: facts.t_first, ..facts }.in_order(),
        }
    }

    /// What is taken from all times; `None` if only the first event will tell.
    pub(super) fn offset(&self, facts: Option<&Facts>) -> Option<i64> {
        if self.zero_time { facts.map(|facts| self.start(facts)) } else { Some(0) }
    }

    /// The earliest time there will be.
    fn start(&self, facts: &Facts) -> i64 {
        if self.order == Order::Clamp { facts.t_first } else { facts.t_min }
    }
}

/// Does to events what [`Adapt`] says.
pub(super) struct Adapter {
    adapt: Adapt,
    start: Option<i64>,
    latest: i64,
    reorder: Option<Reorder>,
}

impl Adapter {
    /// With the facts of a first pass over the same events, if there was one. To sort needs them.
    pub(super) fn new(adapt: Adapt, facts: Option<&Facts>, limits: &Limits) -> Self {
        let lateness = facts.map_or(u64::MAX, |facts| facts.lateness);
        Self {
            adapt,
            start: facts.map(|facts| adapt.start(facts)),
            latest: i64::MIN,
            reorder: (adapt.order == Order::Sort && lateness > 0)
                .then(|| Reorder::new(lateness, limits.reorder_bytes)),
        }
    }

    /// Changes `events`, and gives back those that may be written now.
    pub(super) fn push<'a>(
        &'a mut self,
        events: &'a mut EventBatch,
        report: &mut EventsReport,
    ) -> Result<&'a EventBatch> {
        if self.adapt.zero_time
            && let Some(&first) = events.t.first()
        {
            let start = *self.start.get_or_insert(first);
            events.t.iter_mut().for_each(|t| *t = t.saturating_sub(start));
        }
        match &mut self.reorder {
            Some(reorder) => {
                report.moved += reorder.count_late(events);
                reorder.push(events)
            }
            None => {
                if self.adapt.order == Order::Clamp {
                    for t in &mut events.t {
                        report.moved += u64::from(*t < self.latest);
                        self.latest = self.latest.max(*t);
                        *t = self.latest;
                    }
                }
                Ok(events)
            }
        }
    }

    /// The events that were held back.
    pub(super) fn finish(&mut self) -> Option<&EventBatch> {
        self.reorder.as_mut().map(Reorder::finish)
    }
}
