//! What the words of AEDAT 2.0 hold besides events: images, readings of the inertial sensors, and triggers.
//! The page of the format lists the bits. Sources: as for the events; jAER for the scales of the sensors.

mod frames;
mod imu;
#[cfg(test)]
mod tests;
mod triggers;

use super::layout::{self, Layout};
use crate::codec::records::Clock;
use crate::codec::side::{Account, SideDecoder};
use crate::codec::{Body, ClockReset, ReadOptions};
use crate::model::{Finding, Report, SensorSize, StreamInfo, StreamKind};
use frames::FrameRule;
use imu::ImuRule;
use triggers::TriggerRule;

/// The streams of a file of this layout.
pub(crate) fn streams(layout: Layout, sensor: Option<SensorSize>) -> Vec<StreamInfo> {
    let mut streams = vec![StreamInfo::new(0, StreamKind::Events, "events", sensor)];
    if layout == Layout::Davis {
        streams.push(StreamInfo::possible(1, StreamKind::Frames, sensor));
        streams.push(StreamInfo::possible(2, StreamKind::Imu, None));
    }
    if layout != Layout::Dvs640 {
        streams.push(StreamInfo::possible(3, StreamKind::Triggers, None));
    }
    streams
}

/// What decodes the measurements of a stream that is not of events.
pub(crate) fn body(
    kind: StreamKind,
    layout: Layout,
    sensor: Option<SensorSize>,
    start: u64,
    report: Report,
    options: &ReadOptions,
) -> Body {
    let resets = options.aedat.clock_reset;
    match kind {
        StreamKind::Frames => {
            let rule = FrameRule::new(sensor, options.coords, resets);
            Body::stream(SideDecoder::new(rule, start, report, options))
        }
        StreamKind::Imu => {
            let rule = ImuRule::new(options.aedat.imu_ranges, resets);
            Body::stream(SideDecoder::new(rule, start, report, options))
        }
        _ => {
            let rule = TriggerRule::new(layout, resets);
            Body::stream(SideDecoder::new(rule, start, report, options))
        }
    }
}

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Event,
    Trigger,
    Image,
    /// Of a measurement of the inertial sensors, the first of its words or another one.
    Imu,
    ImuRest,
}

/// What is counted of words that are passed over, by [`Word`].
const FINDINGS: [Option<Finding>; 5] = [
    Some(Finding::OtherStreamEvents),
    Some(Finding::ExternalWords),
    Some(Finding::ApsWords),
    Some(Finding::ImuSamples),
    None,
];

impl Word {
    fn of(layout: Layout, address: u32) -> Self {
        match (layout, address >> 31, address >> 10 & 3) {
            (Layout::Davis, 0, 0 | 2) => Self::Event,
            (Layout::Davis, 0, _) => Self::Trigger,
            (Layout::Davis, _, 3) if address >> 28 & 7 == 0 => Self::Imu,
            (Layout::Davis, _, 3) => Self::ImuRest,
            (Layout::Davis, ..) => Self::Image,
            (Layout::Dvs128, high, _) if high == 1 || address >> 15 & 1 == 1 => Self::Trigger,
            _ => Self::Event,
        }
    }
}

/// The words in their order: their times, and those that are passed over.
#[derive(Debug)]
struct Words {
    layout: Layout,
    clock: Clock,
    /// How many of each kind were passed over since that was entered in a report, and where the first is.
    passed: [(u64, u64); 5],
}

impl Words {
    fn new(layout: Layout, resets: ClockReset) -> Self {
        // Reading goes on: it is the events that end there.
        let clock = Clock { resets, ..Clock::default() };
        Self { layout, clock, passed: [(0, 0); 5] }
    }

    /// Goes back to the state before the first record.
    fn reset(&mut self) {
        *self = Self::new(self.layout, self.clock.resets);
    }

    /// What a record at `offset` is, its address and its time in µs.
    fn take(&mut self, record: [u8; 8], offset: u64, report: &mut Report) -> (Word, u32, i64) {
        let (address, time) = (layout::Word::address(&record), layout::Word::time(&record));
        if let Some(finding) = self.clock.advance(time) {
            report.add(finding, 1, offset);
        }
        (Word::of(self.layout, address), address, self.clock.epoch + i64::from(time))
    }

    /// Passes over a word.
    fn pass(&mut self, word: Word, offset: u64) -> Account {
        let (count, first) = &mut self.passed[word as usize];
        if *count == 0 {
            *first = offset;
        }
        *count += 1;
        Account::Other
    }

    /// Enters what was passed over.
    fn enter(&mut self, report: &mut Report) {
        for (finding, (count, first)) in FINDINGS.into_iter().zip(std::mem::take(&mut self.passed))
        {
            if let Some(finding) = finding {
                report.add(finding, count, first);
            }
        }
    }
}
