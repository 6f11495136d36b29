//! The account of everything a reader met: nothing is dropped without being counted.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Note;
use crate::error::Error;
use crate::names::names;

/// Something that a reader met other than an ordinary event of the chosen stream.
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
    /// Packets of a known stream of another kind.
    OtherPackets,
    /// Threshold crossings of an ATIS, which measure exposure.
    ThresholdCrossings,
    /// Events that the file itself marks as invalid. They are dropped unless they are asked for.
    InvalidEvents,
    /// Events whose time is negative in the file. They are dropped.
    NegativeTimes,
    /// The camera set its clock to 0.
    TimestampResets,
    /// The time counter wrapped, and the times after it were corrected.
    TimeWraps,
    /// Events that are earlier than the event before them. They are kept.
    BackwardTimes,
    /// Events outside the sensor. They are dropped.
    OutOfSensor,
    /// Events that were decoded before or after the requested slice of time. They are not returned.
    OutOfSlice,
    /// Events before the first complete time. They are dropped.
    EventsBeforeTime,
    /// Words of a type that the format reserves.
    ReservedWords,
    /// Filler words of a camera's vendor.
    PaddingWords,
    /// Vendor words (`OTHERS`, `IMU`, `CONTINUED`) that carry no event.
    VendorWords,
    /// Vector words without a base column before them. They are dropped.
    VectorsWithoutBase,
    /// Event words without a row before them. They are dropped.
    EventsWithoutRow,
    /// Packets that could not be decompressed or whose contents are not valid. They are dropped.
    DamagedPackets,
    /// Packets of a stream that the header does not list. They are dropped.
    UnknownStreams,
    /// How often the reader lost synchronisation and found the next valid packet.
    Resyncs,
    /// Index tables that are missing, misplaced or wrong. They are not needed, so that nothing is
    /// lost.
    BadDataTables,
    /// A last record that was incomplete. It is dropped.
    TruncatedTails,
    /// Lines of a text that are not events. They are dropped.
    BadLines,
    /// Rows of arrays that are not events, because a number, pixel or polarity is not valid. They
    /// are dropped.
    BadValues,
    /// Parts of a container that are not what the container says: checksums, sizes, bytes after the
    /// data.
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
    /// Whether this is a violation of the format, at which a strict reader stops.
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

/// How often a [`Finding`] was met, and where it was met first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FindingCount {
    /// How often.
    pub count: u64,
    /// Byte offset in the file of the first one; `None` for findings about events rather than
    /// bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_offset: Option<u64>,
    /// Number of the first event concerned, counted from 0 in file order; `None` for findings about
    /// bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_event: Option<u64>,
}

impl FindingCount {
    /// A count of which the first is at byte `offset`.
    pub fn at_byte(count: u64, offset: u64) -> Self {
        Self { count, first_offset: Some(offset), first_event: None }
    }

    /// A count of which the first is event number `event`.
    pub fn at_event(count: u64, event: u64) -> Self {
        Self { count, first_offset: None, first_event: Some(event) }
    }
}

/// Number and times of the measurements of a stream that has no events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MeasurementCount {
    /// How many.
    pub count: u64,
    /// Time of the first in µs.
    pub t_first: i64,
    /// Time of the last in µs.
    pub t_last: i64,
}

/// Where the bytes of a file went. After reading, the sum is the size of the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ByteAccount {
    /// Headers and index tables.
    pub header: u64,
    /// The chosen stream: events, with their packet headers and control words, or other measurements.
    pub events: u64,
    /// Valid content other than events of the chosen stream: images, IMU readings, triggers, other
    /// streams.
    pub other: u64,
    /// Bytes that could not be used: damage, unknown streams, incomplete tails.
    pub skipped: u64,
    /// Bytes that were not read, because they contain nothing of the requested interval of time.
    #[serde(skip_serializing_if = "is_zero")]
    pub passed_over: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl ByteAccount {
    /// The sum of all parts.
    pub fn total(&self) -> u64 {
        self.header + self.events + self.other + self.skipped + self.passed_over
    }
}

/// Everything a reader met in addition to the events that it returned.
///
/// The size of the file is header + events + other + skipped + passed over ([`ByteAccount`]). The
/// number of decoded events is returned events (`events`) + out of sensor + out of slice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Number of events returned to the caller.
    pub events: u64,
    /// Where the bytes went.
    pub bytes: ByteAccount,
    /// What else was met.
    #[serde(rename = "oddities", serialize_with = "by_name")]
    pub findings: BTreeMap<Finding, FindingCount>,
    /// What a recording without events contains instead, by the name of the stream.
    #[serde(rename = "samples", skip_serializing_if = "BTreeMap::is_empty")]
    pub measurements: BTreeMap<&'static str, MeasurementCount>,
    /// What is wrong with the first event, row or line that was lost, in words, if that is known.
    #[serde(skip)]
    pub first_loss: Option<Note>,
    /// Remarks in words, in the order in which they came up; at most [`Report::MAX_NOTES`].
    pub notes: Vec<Note>,
}

impl Report {
    /// The largest number of notes that are kept.
    pub const MAX_NOTES: usize = 32;

    /// The report of a recording of which only a header of this many bytes was read.
    pub(crate) fn of_header(bytes: u64) -> Self {
        let mut report = Self::default();
        report.bytes.header = bytes;
        report
    }

    /// Adds `count` to `finding`; the first of them is at byte `offset`.
    pub fn add(&mut self, finding: Finding, count: u64, offset: u64) {
        self.enter(finding, FindingCount::at_byte(count, offset));
    }

    /// Adds `count` to `finding`; the first of them is event number `event`.
    pub fn add_event(&mut self, finding: Finding, count: u64, event: u64) {
        self.enter(finding, FindingCount::at_event(count, event));
    }

    fn enter(&mut self, finding: Finding, added: FindingCount) {
        let first = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
        if added.count > 0 {
            self.findings
                .entry(finding)
                .and_modify(|known| {
                    known.count += added.count;
                    known.first_offset = first(known.first_offset, added.first_offset);
                    known.first_event = first(known.first_event, added.first_event);
                })
                .or_insert(added);
        }
    }

    /// Adds `measurements` to the count of the stream `name`.
    pub fn add_measurements(&mut self, name: &'static str, measurements: MeasurementCount) {
        if measurements.count > 0 {
            let first = MeasurementCount { count: 0, ..measurements };
            let known = self.measurements.entry(name).or_insert(first);
            known.count += measurements.count;
            known.t_last = measurements.t_last;
        }
    }

    /// How often `finding` was met.
    pub fn count(&self, finding: Finding) -> u64 {
        self.findings.get(&finding).map_or(0, |added| added.count)
    }

    /// Adds a note, unless it is already there.
    pub fn note(&mut self, note: impl Into<Note>) {
        let note = note.into();
        if self.notes.len() < Self::MAX_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Keeps what is wrong with an event, row or line that is lost, unless one was lost before.
    pub fn lose(&mut self, error: &Error) {
        self.first_loss.get_or_insert_with(|| Note::from(error));
    }

    /// Number of events, rows and lines that are certainly lost.
    pub fn losses(&self) -> u64 {
        let lost =
            [Finding::BadValues, Finding::BadLines, Finding::OutOfSensor, Finding::NegativeTimes];
        lost.into_iter().map(|finding| self.count(finding)).sum()
    }

    /// A note if a large part of all events is lost: its share, and what is wrong with the first.
    pub(crate) fn note_losses(&mut self) {
        /// One event lost of this many is a large part.
        const LARGE: u64 = 10;
        let lost = self.losses();
        let all = self.events + self.count(Finding::OutOfSlice) + lost;
        if lost == 0 || lost.saturating_mul(LARGE) < all {
            return;
        }
        let share = 100.0 * lost as f64 / all as f64;
        let mut note = Note::new(format!("{lost} of {all} events are lost ({share:.0} %)"));
        if let Some(first) = &self.first_loss {
            note = Note { text: format!("{}: {}", note.text, first.text), ..first.clone() };
        }
        self.note(note);
    }

    /// Adds the report of another part of the same recording.
    pub fn merge(&mut self, other: &Self) {
        self.events += other.events;
        self.bytes.header += other.bytes.header;
        self.bytes.events += other.bytes.events;
        self.bytes.other += other.bytes.other;
        self.bytes.skipped += other.bytes.skipped;
        self.bytes.passed_over += other.bytes.passed_over;
        for (&finding, &added) in &other.findings {
            self.enter(finding, added);
        }
        for (&name, &measurements) in &other.measurements {
            self.add_measurements(name, measurements);
        }
        if self.first_loss.is_none() {
            self.first_loss.clone_from(&other.first_loss);
        }
        for note in &other.notes {
            self.note(note.clone());
        }
    }

    /// Whether the recording is valid: nothing was skipped, and nothing in it violates its format.
    pub fn is_sound(&self) -> bool {
        self.bytes.skipped == 0 && !self.findings.keys().any(|finding| finding.is_violation())
    }
}

fn by_name<S: serde::Serializer>(
    findings: &BTreeMap<Finding, FindingCount>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(findings.iter().map(|(finding, added)| (finding.name(), added)))
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
    fn a_large_loss_is_noted_with_its_share_and_its_cause() {
        let mut report = Report { events: 28, ..Report::default() };
        report.add_event(Finding::OutOfSensor, 3, 1);
        report.note_losses();
        assert_eq!(report.notes, [], "3 of 31 are not many");
        report.add_event(Finding::OutOfSensor, 9, 5);
        report.lose(&Error::malformed("event 1 lies outside").hint(crate::Hint::StateSensor));
        report.lose(&Error::malformed("event 2 as well"));
        report.note_losses();
        assert_eq!(report.notes[0].text, "12 of 40 events are lost (30 %): event 1 lies outside");
        assert_eq!(report.notes[0].hint, Some(crate::Hint::StateSensor));
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
