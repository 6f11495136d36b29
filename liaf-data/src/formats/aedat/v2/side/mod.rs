//! What the words of AEDAT 2.0 hold besides events: images, readings of the inertial sensors, and triggers.
//! The page of the format lists the bits. Sources: as for the events; jAER for the scales of the sensors.

mod frames;
mod imu;
#[cfg(test)]
mod tests;
mod triggers;

use super::chips::{CameraField, EYES};
use super::layout::{self, Layout};
use crate::codec::records::Clock;
use crate::codec::side::{Account, SideDecoder};
use crate::codec::{Body, ClockReset, ReadOptions};
use crate::model::{Finding, Report, SensorSize, StreamInfo, StreamKind};
use frames::FrameRule;
use imu::ImuRule;
use triggers::TriggerRule;

/// The streams of a file of this layout, with the events of these cameras.
///
/// The streams of several cameras have the numbers of the cameras, and the other streams have numbers
/// above these.
pub(crate) fn streams(
    layout: Layout,
    sensor: Option<SensorSize>,
    cameras: &[(u32, String)],
) -> Vec<StreamInfo> {
    let above = if cameras.len() > 1 { 16 } else { 0 };
    let mut streams: Vec<_> = match cameras {
        [_, _, ..] => cameras
            .iter()
            .map(|(id, name)| StreamInfo::new(*id as i32, StreamKind::Events, &**name, sensor))
            .collect(),
        _ => vec![StreamInfo::new(0, StreamKind::Events, "events", sensor)],
    };
    if layout.is_davis() {
        streams.push(StreamInfo::possible(1 << above, StreamKind::Frames, sensor));
        streams.push(StreamInfo::possible(2 << above, StreamKind::Imu, None));
    }
    if layout.is_davis() || layout == Layout::Dvs128 {
        streams.push(StreamInfo::possible(3 << above, StreamKind::Triggers, None));
    }
    streams
}

/// The decoder for a stream of measurements.
pub(crate) fn body(
    kind: StreamKind,
    kinds: Kinds,
    sensor: Option<SensorSize>,
    start: u64,
    report: Report,
    options: &ReadOptions,
) -> Body {
    let resets = options.aedat.clock_reset;
    match kind {
        StreamKind::Frames => {
            let rule = FrameRule::new(kinds, sensor, options.coords, resets);
            Body::stream(SideDecoder::new(rule, start, report, options))
        }
        StreamKind::Imu => {
            let rule = ImuRule::new(kinds, options.aedat.imu_ranges, resets);
            Body::stream(SideDecoder::new(rule, start, report, options))
        }
        _ => {
            let rule = TriggerRule::new(kinds, resets);
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

/// What tells the kinds of words apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kinds {
    pub layout: Layout,
    /// Whether bit 15 of a DVS128 is the camera, and not an external event.
    pub eyes: bool,
}

impl Kinds {
    pub fn new(layout: Layout, field: Option<CameraField>) -> Self {
        Self { layout, eyes: field == Some(EYES) }
    }

    fn of(self, address: u32) -> Word {
        let Self { layout, eyes } = self;
        match (layout.is_davis(), address >> 31, address >> 10 & 3) {
            (true, 0, 0 | 2) => Word::Event,
            (true, 0, _) => Word::Trigger,
            (true, _, 3) if address >> 28 & 7 == 0 => Word::Imu,
            (true, _, 3) => Word::ImuRest,
            (true, ..) => Word::Image,
            (false, ..) if layout != Layout::Dvs128 => Word::Event,
            (false, 1, _) => Word::Trigger,
            _ if address >> 15 & 1 == 1 && !eyes => Word::Trigger,
            _ => Word::Event,
        }
    }
}

/// Reads the words in order: extends their times, and counts those that are skipped.
#[derive(Debug)]
struct Words {
    kinds: Kinds,
    clock: Clock,
    /// Number of skipped words of each kind that are not in a report yet, and the offset of the first
    /// one.
    passed: [(u64, u64); 5],
}

impl Words {
    fn new(kinds: Kinds, resets: ClockReset) -> Self {
        // Where reading events would stop with an error, reading measurements continues.
        let clock = Clock { resets, ..Clock::default() };
        Self { kinds, clock, passed: [(0, 0); 5] }
    }

    /// Returns to the state before the first record.
    fn reset(&mut self) {
        *self = Self::new(self.kinds, self.clock.resets);
    }

    /// The kind of the record at `offset`, its address and its time in µs.
    fn take(&mut self, record: [u8; 8], offset: u64, report: &mut Report) -> (Word, u32, i64) {
        let (address, time) = (layout::Word::address(&record), layout::Word::time(&record));
        if let Some(finding) = self.clock.advance(time) {
            report.add(finding, 1, offset);
        }
        (self.kinds.of(address), address, self.clock.epoch + i64::from(time))
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
