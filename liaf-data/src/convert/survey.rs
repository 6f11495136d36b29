//! The first passes of a conversion to an event file: what its events are, before any is written.

use super::events::EventsReport;
use super::pass::{Part, Pass};
use crate::codec::EventSink;
use crate::error::Result;
use crate::filter::{Lateness, OrderedChain, Sorting};
use crate::model::{EventBatch, EventStats, Report, SensorSize};
use crate::read::Recording;

/// What was found out about the events of a recording.
#[derive(Debug)]
pub(super) struct Survey {
    /// Of the kept events, as they are passed on if they are sorted.
    pub stats: EventStats,
    /// Where the events go.
    pub events: EventsReport,
    /// What was met in the recording.
    pub report: Report,
    /// How the events are sorted in the next pass, or that they are not.
    pub sorting: Sorting,
}

impl Survey {
    /// Passes over the kept events. If they are to be sorted in at most `memory` bytes, and some are
    /// late, a second pass finds out which of them pass the filters in the order of time.
    pub fn make(
        recording: &mut Recording,
        part: &Part,
        sensor: SensorSize,
        memory: Option<usize>,
        pass: &mut Pass<'_, '_>,
    ) -> Result<Self> {
        let Some(memory) = memory else {
            return Ok(Self::pass(recording, part, sensor, Sorting::Keep, pass)?.0);
        };
        let (found, chain) = Self::pass(recording, part, sensor, Sorting::Survey, pass)?;
        let chosen = chain.surveyed().unwrap_or_default();
        let lateness = Lateness { us: chosen.lateness, events: chosen.events, memory };
        let sorting = Sorting::Sort(lateness);
        if lateness.us == 0 || part.selection.filters.is_empty() {
            return Ok(Self { sorting, ..found });
        }
        pass.passes += 1;
        Ok(Self::pass(recording, part, sensor, sorting, pass)?.0)
    }

    fn pass(
        recording: &mut Recording,
        part: &Part,
        sensor: SensorSize,
        sorting: Sorting,
        pass: &mut Pass<'_, '_>,
    ) -> Result<(Self, OrderedChain)> {
        let mut reader = part.reader(recording)?;
        let chain = OrderedChain::new(&part.selection, sensor, sorting)?;
        let mut look = Look { chain, stats: EventStats::default() };
        pass.number += 1;
        let mut read = 0;
        while reader.pump(&mut look)? {
            pass.tell(&reader, read, 0)?;
            read = reader.report().events;
        }
        let Look { mut chain, mut stats } = look;
        let mut held = EventBatch::new();
        chain.finish(&mut held)?;
        stats.add(&held);
        let events =
            EventsReport { kept: stats.events, moved: chain.moved(), ..EventsReport::default() };
        let events = events.removed(chain.removed());
        Ok((Self { stats, events, report: reader.report(), sorting }, chain))
    }
}

/// Adds the kept events to their statistics.
struct Look {
    chain: OrderedChain,
    stats: EventStats,
}

impl EventSink for Look {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.chain.apply(events)?;
        self.stats.add(events);
        Ok(())
    }
}
