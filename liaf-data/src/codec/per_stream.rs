//! Separate reports for the streams of events that are read in one pass.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::model::{Finding, Report};

/// The reports of the streams of one pass.
///
/// The report of the whole pass counts what belongs to no stream, or to a stream that is not read.
/// In addition, each stream has a report of its own. From both follows the report of a pass over
/// one stream alone, in which the events of the other streams are only counted.
#[derive(Debug, Default, Clone)]
pub(crate) struct PerStream {
    parts: BTreeMap<i32, Part>,
    /// The sums over all streams, until one of them changes: without them, the reports of many
    /// streams would take a time that grows with the square of their number.
    sums: OnceLock<Sums>,
}

/// What all streams have together.
#[derive(Debug, Default, Clone)]
struct Sums {
    bytes: u64,
    events: u64,
    /// The offsets of the first packets of the two streams that begin first, and these streams.
    first: [Option<(u64, i32)>; 2],
}

/// What belongs to one stream.
#[derive(Debug, Default, Clone)]
struct Part {
    report: Report,
    /// Number of events in its packets, which a pass over another stream counts, and the offset of
    /// its first packet.
    events: u64,
    first: Option<u64>,
}

impl PerStream {
    /// Empty reports for these streams.
    pub fn new(streams: impl IntoIterator<Item = i32>) -> Self {
        let parts = streams.into_iter().map(|stream| (stream, Part::default())).collect();
        Self { parts, sums: OnceLock::new() }
    }

    /// Forgets everything that was met.
    pub fn reset(&mut self) {
        self.sums.take();
        self.parts.values_mut().for_each(|part| *part = Part::default());
    }

    /// The report of what belongs to `stream` alone.
    pub fn report(&mut self, stream: i32) -> &mut Report {
        self.sums.take();
        &mut self.parts.entry(stream).or_default().report
    }

    /// Counts events of a packet of `stream` that starts at byte `offset`.
    pub fn count(&mut self, stream: i32, events: u64, offset: u64) {
        self.sums.take();
        let part = self.parts.entry(stream).or_default();
        part.events += events;
        part.first = part.first.into_iter().chain((events > 0).then_some(offset)).min();
    }

    /// The report that a pass over `stream` alone would have; `common` is the report of what
    /// belongs to no stream.
    pub fn alone(&self, stream: i32, common: &Report) -> Report {
        let sums = self.sums.get_or_init(|| self.sums());
        let mut report = common.clone();
        let (mut bytes, mut events) = (sums.bytes, sums.events);
        if let Some(part) = self.parts.get(&stream) {
            report.merge(&part.report);
            bytes -= part.report.bytes.events;
            events -= part.events;
        }
        report.bytes.other += bytes;
        if let Some((first, _)) = sums.first.iter().flatten().find(|(_, id)| *id != stream) {
            report.add(Finding::OtherStreamEvents, events, *first);
        }
        report
    }

    fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for (&id, part) in &self.parts {
            sums.bytes += part.report.bytes.events;
            sums.events += part.events;
            let here = part.first.map(|first| (first, id));
            let mut all: Vec<_> = sums.first.into_iter().chain([here]).flatten().collect();
            all.sort_unstable();
            sums.first = [all.first().copied(), all.get(1).copied()];
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_of_others_are_counted_as_such() {
        let mut streams = PerStream::new([1, 2, 3]);
        for (stream, events, offset) in [(1, 5, 100), (2, 7, 40), (2, 1, 300), (3, 0, 10)] {
            streams.count(stream, events, offset);
            streams.report(stream).bytes.events += 10 * events + 8;
        }
        streams.report(2).add(Finding::NegativeTimes, 1, 44);
        let mut common = Report::default();
        common.bytes.header = 10;
        let first = streams.alone(1, &common);
        assert_eq!((first.bytes.events, first.bytes.other), (58, 96 + 8));
        assert_eq!(first.count(Finding::OtherStreamEvents), 8);
        assert_eq!(first.findings[&Finding::OtherStreamEvents].first_offset, Some(40));
        assert_eq!(first.count(Finding::NegativeTimes), 0);
        let second = streams.alone(2, &common);
        assert_eq!((second.bytes.events, second.count(Finding::NegativeTimes)), (96, 1));
        assert_eq!(second.findings[&Finding::OtherStreamEvents].first_offset, Some(100));
        assert_eq!(second.bytes.total(), first.bytes.total());
    }
}
