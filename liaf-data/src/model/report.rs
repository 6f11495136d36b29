//! The account of everything a reader met: nothing is dropped unsaid.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::names::names;

/// What a reader met that was not an ordinary event of the chosen stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Finding {
    /// Frames (APS or other images).
    Frames,
    /// Inertial measurements.
    ImuSamples,
    /// External and internal trigger events.
    Triggers,
    /// Words that carry one measurement of an APS image.
    ApsWords,
    /// External-input and special words of AEDAT 2.
    ExternalWords,
    /// Events of an event stream that was not chosen.
    OtherStreamEvents,
    /// Packets of a known stream of some other kind.
    OtherPackets,
    /// Threshold crossings of an ATIS, which measure exposure.
    ThresholdCrossings,
    /// Events that the file itself marks as invalid. Dropped, unless they are asked for.
    InvalidEvents,
    /// Events whose time is negative in the file. Dropped.
    NegativeTimes,
    /// The camera set its clock to 0.
    TimestampResets,
    /// The time counter wrapped and was unrolled.
    TimeWraps,
    /// The time of an event lies before the time of the event in front of it. The event is kept.
    BackwardTimes,
    /// Events outside the sensor. Dropped.
    OutOfSensor,
    /// Events that were decoded on the way to a slice of time, or behind it. Not given.
    OutOfSlice,
    /// Events before the first complete time. Dropped.
    EventsBeforeTime,
    /// Words of a type the format reserves.
    ReservedWords,
    /// Filler words of a camera's vendor.
    PaddingWords,
    /// Vendor words (`OTHERS`, `IMU`, `CONTINUED`) that carry no event.
    VendorWords,
    /// Vector words with no base column before them. Dropped.
    VectorsWithoutBase,
    /// Event words with no row before them. Dropped.
    EventsWithoutRow,
    /// Packets that could not be inflated or hold no sound content. Dropped.
    DamagedPackets,
    /// Packets of a stream that the header does not list. Dropped.
    UnknownStreams,
    /// Times the reader lost its place and found the next sound packet.
    Resyncs,
    /// Index tables that are missing, misplaced or wrong. Not needed, so nothing is lost.
    BadDataTables,
    /// A last record that was not whole. Dropped.
    TruncatedTails,
    /// Lines of a text that are no event. Dropped.
    BadLines,
    /// Rows of arrays that are no event: no number, no pixel, no polarity. Dropped.
    BadValues,
    /// Parts of a container that are not as they say: checksums, sizes, what follows the data.
    BadParts,
}

names!(
    Finding,
    Frames = "frames",
    ImuSamples = "imu_samples",
    Triggers = "triggers",
    ApsWords = "aps_words",
    ExternalWords = "external_words",
    OtherStreamEvents = "other_stream_events",
    OtherPackets = "other_packets",
    ThresholdCrossings = "threshold_crossings",
    InvalidEvents = "invalid_events",
    NegativeTimes = "negative_times",
    TimestampResets = "timestamp_resets",
    TimeWraps = "time_wraps",
    BackwardTimes = "backward_times",
    OutOfSensor = "out_of_sensor",
    OutOfSlice = "out_of_slice",
    EventsBeforeTime = "events_before_time",
    ReservedWords = "reserved_words",
    PaddingWords = "padding_words",
    VendorWords = "vendor_words",
    VectorsWithoutBase = "vectors_without_base",
    EventsWithoutRow = "events_without_row",
    DamagedPackets = "damaged_packets",
    UnknownStreams = "unknown_streams",
    Resyncs = "resyncs",
    BadDataTables = "bad_data_tables",
    TruncatedTails = "truncated_tails",
    BadLines = "bad_lines",
    BadValues = "bad_values",
    BadParts = "bad_parts",
);

impl Finding {
    /// Whether this breaks the format, so that a strict reader stops here.
    pub fn is_violation(self) -> bool {
        matches!(
            self,
            Self::OutOfSensor
                | Self::NegativeTimes
                | Self::ReservedWords
                | Self::PaddingWords
                | Self::VectorsWithoutBase
                | Self::EventsWithoutRow
                | Self::DamagedPackets
                | Self::UnknownStreams
                | Self::Resyncs
                | Self::BadDataTables
                | Self::TruncatedTails
                | Self::BadLines
                | Self::BadValues
                | Self::BadParts
        )
    }
}

/// How often an [`Finding`] was met, and where first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FindingCount {
    /// How often.
    pub count: u64,
    /// Byte offset in the file of the first one; `None` for what is told of events, not of bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_offset: Option<u64>,
    /// Number of the event, from 0 in file order, that was the first one; `None` for what is told
    /// of bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_event: Option<u64>,
}

impl FindingCount {
    /// `count` of which the first stands at byte `offset`.
    pub fn at_byte(count: u64, offset: u64) -> Self {
        Self { count, first_offset: Some(offset), first_event: None }
    }

    /// `count` of which the first is event number `event`.
    pub fn at_event(count: u64, event: u64) -> Self {
        Self { count, first_offset: None, first_event: Some(event) }
    }
}

/// The measurements of a stream that are no events of a camera: how many, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MeasurementCount {
    /// How many.
    pub count: u64,
    /// Time of the first in µs.
    pub t_first: i64,
    /// Time of the last in µs.
    pub t_last: i64,
}

/// Where the bytes of a file went. Their sum is the number of bytes of the file, once it was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ByteAccount {
    /// Headers and index tables.
    pub header: u64,
    /// The chosen stream: events, with their packet headers and control words, or other measurements.
    pub events: u64,
    /// Sound content that is not an event of the chosen stream: frames, IMU, triggers, other streams.
    pub other: u64,
    /// What could not be used: damage, unknown streams, tails that are not whole.
    pub skipped: u64,
    /// What was not read, as nothing of the wanted stretch of time is in it.
    #[serde(skip_serializing_if = "is_zero")]
    pub passed_over: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl ByteAccount {
    /// All bytes.
    pub fn total(&self) -> u64 {
        self.header + self.events + self.other + self.skipped + self.passed_over
    }
}

/// Everything a reader met, beside the events it gave.
///
/// Bytes of the file = header + events + other + skipped + passed over ([`ByteAccount`]); events decoded =
/// events given (`events`) + out of sensor + out of slice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Events given to the caller.
    pub events: u64,
    /// Where the bytes went.
    pub bytes: ByteAccount,
    /// What else was met.
    #[serde(rename = "oddities", serialize_with = "by_name")]
    pub findings: BTreeMap<Finding, FindingCount>,
    /// What a recording without events holds in their place, by the name of the stream.
    #[serde(rename = "samples", skip_serializing_if = "BTreeMap::is_empty")]
    pub measurements: BTreeMap<&'static str, MeasurementCount>,
    /// Remarks in words, in the order they came up; at most [`Report::MAX_NOTES`].
    pub notes: Vec<String>,
}

impl Report {
    /// More notes than these are not kept.
    pub const MAX_NOTES: usize = 32;

    /// The report of a recording of which only a header of this many bytes was read.
    pub(crate) fn of_header(bytes: u64) -> Self {
        let mut report = Self::default();
        report.bytes.header = bytes;
        report
    }

    /// Counts `count` of `finding`, the first of them at byte `offset`.
    pub fn add(&mut self, finding: Finding, count: u64, offset: u64) {
        self.enter(finding, FindingCount::at_byte(count, offset));
    }

    /// Counts `count` of `finding`, the first of them event number `event`.
    pub fn add_event(&mut self, finding: Finding, count: u64, event: u64) {
        self.enter(finding, FindingCount::at_event(count, event));
    }

    fn enter(&mut self, finding: Finding, tally: FindingCount) {
        let first = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
        if tally.count > 0 {
            self.findings
                .entry(finding)
                .and_modify(|known| {
                    known.count += tally.count;
                    known.first_offset = first(known.first_offset, tally.first_offset);
                    known.first_event = first(known.first_event, tally.first_event);
                })
                .or_insert(tally);
        }
    }

    /// Counts `count` measurements of the stream `name`, from `t_first` to `t_last`.
    pub fn add_measurements(&mut self, name: &'static str, measurements: MeasurementCount) {
        if measurements.count > 0 {
            let first = MeasurementCount { count: 0, ..measurements };
            let known = self.measurements.entry(name).or_insert(first);
            known.count += measurements.count;
            known.t_last = measurements.t_last;
        }
    }

    /// How many of `finding` were met.
    pub fn count(&self, finding: Finding) -> u64 {
        self.findings.get(&finding).map_or(0, |tally| tally.count)
    }

    /// Adds a remark, once.
    pub fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if self.notes.len() < Self::MAX_NOTES && !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// Adds what another part of the same recording met.
    pub fn merge(&mut self, other: &Self) {
        self.events += other.events;
        self.bytes.header += other.bytes.header;
        self.bytes.events += other.bytes.events;
        self.bytes.other += other.bytes.other;
        self.bytes.skipped += other.bytes.skipped;
        self.bytes.passed_over += other.bytes.passed_over;
        for (&finding, &tally) in &other.findings {
            self.enter(finding, tally);
        }
        for (&name, &measurements) in &other.measurements {
            self.add_measurements(name, measurements);
        }
        for note in &other.notes {
            self.note(note.clone());
        }
    }

    /// Whether the recording was sound: nothing in it breaks its format.
    pub fn is_sound(&self) -> bool {
        self.bytes.skipped == 0 && !self.findings.keys().any(|finding| finding.is_violation())
    }
}

fn by_name<S: serde::Serializer>(
    findings: &BTreeMap<Finding, FindingCount>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(findings.iter().map(|(finding, tally)| (finding.name(), tally)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_adds_counts_and_keeps_the_first_offset() {
        let mut a = Report { events: 5, ..Report::default() };
        a.add(Finding::Triggers, 2, 100);
        let mut b = Report { events: 1, ..Report::default() };
        b.add(Finding::Triggers, 3, 50);
        b.add(Finding::Frames, 0, 1);
        a.merge(&b);
        assert_eq!(a.events, 6);
        assert_eq!(a.findings[&Finding::Triggers], FindingCount::at_byte(5, 50));
        assert!(!a.findings.contains_key(&Finding::Frames));
        assert!(a.is_sound());
    }

    #[test]
    fn notes_are_bounded_and_said_once() {
        let mut report = Report::default();
        for i in 0..2 * Report::MAX_NOTES {
            report.note(format!("note {}", i / 2));
        }
        assert_eq!(report.notes.len(), Report::MAX_NOTES);
    }
}
