//! Changes of times that make it possible to store events in a file.

use serde::Serialize;

use super::EventsReport;
use crate::model::{EventBatch, EventStats};

/// What happens to events that are earlier than the event before them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Order {
    /// They are left as they are.
    #[default]
    Keep,
    /// All events are sorted by time; events with equal times keep their order.
    Sort,
    /// They get the time of the latest event before them.
    Clamp,
}

/// What may be done to times. By default nothing is changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TimePolicy {
    /// Time starts at 0: the earliest kept time is subtracted from all times.
    pub zero_time: bool,
    /// What happens to events that are earlier than the event before them.
    pub order: Order,
    /// Times that the target cannot store are stored modulo its range.
    pub wrap: bool,
}

impl TimePolicy {
    /// The statistics of the events after these changes.
    pub(super) fn stats(&self, stats: EventStats) -> EventStats {
        let stats = stats.earlier(if self.zero_time { self.start(&stats) } else { 0 });
        match self.order {
            Order::Keep => stats,
            Order::Sort => stats.in_order(),
            // The first event keeps its time, so that later events that are earlier get its time.
            Order::Clamp => EventStats { t_min: stats.t_first, ..stats }.in_order(),
        }
    }

    /// What is subtracted from all times; `None` if it is known only at the first event.
    pub(super) fn offset(&self, stats: Option<&EventStats>) -> Option<i64> {
        if self.zero_time { stats.map(|stats| self.start(stats)) } else { Some(0) }
    }

    /// The earliest time after the order has been changed.
    fn start(&self, stats: &EventStats) -> i64 {
        if self.order == Order::Clamp { stats.t_first } else { stats.t_min }
    }
}

/// Applies a [`TimePolicy`] to events that are sorted already, if they are to be.
pub(super) struct TimeAdjuster {
    time_policy: TimePolicy,
    start: Option<i64>,
    latest: i64,
}

impl TimeAdjuster {
    /// `stats` are those of a first pass over the same events, if there was one.
    pub(super) fn new(time_policy: TimePolicy, stats: Option<&EventStats>) -> Self {
        let start = stats.map(|stats| time_policy.start(stats));
        Self { time_policy, start, latest: i64::MIN }
    }

    /// Changes the times of the next events.
    pub(super) fn adjust(&mut self, events: &mut EventBatch, report: &mut EventsReport) {
        if self.time_policy.zero_time
            && let Some(&first) = events.t.first()
        {
            let start = *self.start.get_or_insert(first);
            events.t.iter_mut().for_each(|t| *t = t.saturating_sub(start));
        }
        if self.time_policy.order == Order::Clamp {
            for t in &mut events.t {
                report.moved += u64::from(*t < self.latest);
                self.latest = self.latest.max(*t);
                *t = self.latest;
            }
        }
    }
}
