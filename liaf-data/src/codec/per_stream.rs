//! Separate reports for the streams of events that are read in one pass.

use std::collections::BTreeMap;

use crate::model::{Finding, Report};

/// The reports of the streams of one pass.
///
/// The report of the whole pass counts what belongs to no stream, or to a stream that is not read.
/// In addition, each stream has a report of its own. From both follows the report of a pass over
/// one stream alone, in which the events of the other streams are only counted.
#[derive(Debug, Default, Clone)]
pub(crate) struct PerStream(BTreeMap<i32, Part>);

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
        Self(streams.into_iter().map(|stream| (stream, Part::default())).collect())
    }

    /// Forgets everything that was met.
    pub fn reset(&mut self) {
        self.0.values_mut().for_each(|part| *part = Part::default());
    }

    /// The report of what belongs to `stream` alone.
    pub fn report(&mut self, stream: i32) -> &mut Report {
        &mut self.0.entry(stream).or_default().report
    }

    /// Counts events of a packet of `stream` that starts at byte `offset`.
    pub fn count(&mut self, stream: i32, events: u64, offset: u64) {
        let part = self.0.entry(stream).or_default();
        part.events += events;
        part.first = part.first.into_iter().chain((events > 0).then_some(offset)).min();
    }

    /// The report that a pass over `stream` alone would have; `common` is the report of what
    /// belongs to no stream.
    pub fn alone(&self, stream: i32, common: &Report) -> Report {
        let mut report = common.clone();
        let (mut events, mut first) = (0, None);
        for (&id, part) in &self.0 {
            if id == stream {
                report.merge(&part.report);
            } else {
                report.bytes.other += part.report.bytes.events;
                events += part.events;
                first = part.first.into_iter().chain(first).min();
            }
        }
        if let Some(first) = first {
            report.add(Finding::OtherStreamEvents, events, first);
        }
        report
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
