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

/// The decoder for a stream of measurements.
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

/// The kind of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Event,
    Trigger,
    Image,
    /// The first word of a reading of the inertial sensors, or another one.
    Imu,
    ImuRest,
}

/// The findings for words that are skipped, by [`Word`].
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

/// Reads the words in order: extends their times, and counts those that are skipped.
#[derive(Debug)]
struct Words {
    layout: Layout,
    clock: Clock,
    /// Number of skipped words of each kind that are not in a report yet, and the offset of the first
    /// one.
    passed: [(u64, u64); 5],
}

impl Words {
    fn new(layout: Layout, resets: ClockReset) -> Self {
        // Where reading events would stop with an error, reading measurements continues.
        let clock = Clock { resets, ..Clock::default() };
        Self { layout, clock, passed: [(0, 0); 5] }
    }

    /// Returns to the state before the first record.
    fn reset(&mut self) {
        *self = Self::new(self.layout, self.clock.resets);
    }

    /// The kind of the record at `offset`, its address and its time in µs.
    fn take(&mut self, record: [u8; 8], offset: u64, report: &mut Report) -> (Word, u32, i64) {
        let (address, time) = (layout::Word::address(&record), layout::Word::time(&record));
        if let Some(finding) = self.clock.advance(time) {
            report.add(finding, 1, offset);
        }
        (Word::of(self.layout, address), address, self.clock.epoch + i64::from(time))
    }

    /// Skips a word.
    fn pass(&mut self, word: Word, offset: u64) -> Account {
        let (count, first) = &mut self.passed[word as usize];
        if *count == 0 {
            *first = offset;
        }
        *count += 1;
        Account::Other
    }

    /// Adds the skipped words to the report.
    fn enter(&mut self, report: &mut Report) {
        for (finding, (count, first)) in FINDINGS.into_iter().zip(std::mem::take(&mut self.passed))
        {
            if let Some(finding) = finding {
                report.add(finding, count, first);
            }
        }
    }
}
