//! What a recording says of itself before its events are read.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Note, SensorSize};
use crate::names::names;

/// What the measurements of a stream are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StreamKind {
    /// Events of a camera.
    Events,
    /// Frames.
    Frames,
    /// Inertial measurements.
    Imu,
    /// Triggers.
    Triggers,
    /// Something else.
    Other,
}

names!(
    StreamKind,
    Events = "events",
    Frames = "frames",
    Imu = "imu",
    Triggers = "triggers",
    Other = "other",
);

/// One stream of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StreamInfo {
    /// Its number in the file.
    pub id: i32,
    /// What its measurements are.
    pub kind: StreamKind,
    /// Its name in the file.
    pub name: String,
    /// Size of its sensor, if the file says.
    pub sensor: Option<SensorSize>,
    /// The device it came from, if the file says.
    pub source: Option<String>,
    /// The format has a place for it, and nothing that was read so far says whether the file has any.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_possible: bool,
}

impl StreamInfo {
    pub(crate) fn new(
        id: i32,
        kind: StreamKind,
        name: impl Into<String>,
        sensor: Option<SensorSize>,
    ) -> Self {
        Self { id, kind, name: name.into(), sensor, source: None, is_possible: false }
    }

    /// A stream of which the file need not have any measurement; it is named after its kind.
    pub(crate) fn possible(id: i32, kind: StreamKind, sensor: Option<SensorSize>) -> Self {
        Self { is_possible: true, ..Self::new(id, kind, kind.name(), sensor) }
    }
}

/// How the size of the sensor is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SensorSource {
    /// The caller stated it.
    Stated,
    /// The file's header gives it.
    Header,
    /// It follows from the device that the header names.
    Device,
    /// It is the box around all events, or the smallest known chip around that box.
    BoundingBox,
    /// It is not known.
    Unknown,
}

impl SensorSource {
    /// The size that the caller stated; else the one that was found, which is known in this way. And
    /// how it is known.
    pub(crate) fn unless_stated(
        self,
        stated: Option<SensorSize>,
        found: Option<SensorSize>,
    ) -> (Option<SensorSize>, Self) {
        match (stated, found) {
            (Some(_), _) => (stated, Self::Stated),
            (None, Some(_)) => (found, self),
            (None, None) => (None, Self::Unknown),
        }
    }
}

/// What a recording says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordingInfo {
    /// Name of the format, as in `AEDAT 4.0`.
    pub format: &'static str,
    /// Bytes of the file; `None` for a pipe.
    pub bytes: Option<u64>,
    /// Size of the sensor of the chosen stream.
    pub sensor: Option<SensorSize>,
    /// How that size is known.
    pub sensor_source: SensorSource,
    /// All streams.
    pub streams: Vec<StreamInfo>,
    /// The stream that is read: the chosen one, or the only one of events; `None` if there is none, or
    /// several and none was chosen.
    pub stream: Option<i32>,
    /// What else the header says: device, compression, date, …
    pub details: BTreeMap<&'static str, String>,
    /// Remarks on the header.
    pub notes: Vec<Note>,
}

impl RecordingInfo {
    /// The streams that hold events.
    pub fn event_streams(&self) -> impl Iterator<Item = &StreamInfo> {
        self.streams.iter().filter(|stream| stream.kind == StreamKind::Events)
    }

    /// The stream that is read.
    pub fn chosen(&self) -> Option<&StreamInfo> {
        self.streams.iter().find(|stream| Some(stream.id) == self.stream)
    }

    /// Whether what is read are events.
    pub fn reads_events(&self) -> bool {
        self.chosen().is_some_and(|stream| stream.kind == StreamKind::Events)
    }
}
