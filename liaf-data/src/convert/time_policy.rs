//! What may be done to times so that an event file can hold them.

use serde::Serialize;

use super::EventsReport;
use super::reorder::Reorder;
use crate::error::Result;
use crate::limits::Limits;
use crate::model::{EventBatch, EventStats};

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
pub struct TimePolicy {
    /// Time begins at 0: the earliest kept time is taken from all.
    pub zero_time: bool,
    /// What becomes of events that are earlier than the one before them.
    pub order: Order,
    /// Times that the target cannot hold are kept modulo what it can.
    pub wrap: bool,
}

impl TimePolicy {
    /// What is known of events after this.
    pub(super) fn stats(&self, stats: EventStats) -> EventStats {
        let stats = stats.earlier(if self.zero_time { self.start(&stats) } else { 0 });
        match self.order {
            Order::Keep => stats,
            Order::Sort => stats.in_order(),
            // The first event stays, so that earlier ones behind it come to its time.
            Order::Clamp => EventStats { t_min: stats.t_first, ..stats }.in_order(),
        }
    }

    /// What is taken from all times; `None` if only the first event will tell.
    pub(super) fn offset(&self, stats: Option<&EventStats>) -> Option<i64> {
        if self.zero_time { stats.map(|stats| self.start(stats)) } else { Some(0) }
    }

    /// The earliest time there will be.
    fn start(&self, stats: &EventStats) -> i64 {
        if self.order == Order::Clamp { stats.t_first } else { stats.t_min }
    }
}

/// Does to events what [`TimePolicy`] says.
pub(super) struct TimeAdjuster {
    time_policy: TimePolicy,
    start: Option<i64>,
    latest: i64,
    reorder: Option<Reorder>,
}

impl TimeAdjuster {
    /// With the stats of a first pass over the same events, if there was one. To sort needs them.
    pub(super) fn new(
        time_policy: TimePolicy,
        stats: Option<&EventStats>,
        limits: &Limits,
    ) -> Self {
        let lateness = stats.map_or(u64::MAX, |stats| stats.lateness);
        Self {
            time_policy,
            start: stats.map(|stats| time_policy.start(stats)),
            latest: i64::MIN,
            reorder: (time_policy.order == Order::Sort && lateness > 0)
                .then(|| Reorder::new(lateness, limits.reorder_bytes)),
        }
    }

    /// Changes `events`, and gives back those that may be written now.
    pub(super) fn push<'a>(
        &'a mut self,
        events: &'a mut EventBatch,
        report: &mut EventsReport,
    ) -> Result<&'a EventBatch> {
        if self.time_policy.zero_time
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
                if self.time_policy.order == Order::Clamp {
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
