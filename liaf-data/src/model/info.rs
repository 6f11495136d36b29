//! What the header of a recording says, before its events are read.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Note, SensorSize};
use crate::names::names;

/// What a stream contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StreamKind {
    /// Events of the camera's pixels.
    Events,
    /// Images that the camera took.
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
    /// The number of the stream in the file.
    pub id: i32,
    /// What the stream contains.
    pub kind: StreamKind,
    /// The name of the stream in the file.
    pub name: String,
    /// Size of the sensor of the stream, if the file states it.
    pub sensor: Option<SensorSize>,
    /// The device that recorded the stream, if the file states it.
    pub source: Option<String>,
    /// The format allows this stream, but it is not known yet whether the file has any of it.
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

    /// A stream that the file may lack. Its name is that of its kind.
    pub(crate) fn possible(id: i32, kind: StreamKind, sensor: Option<SensorSize>) -> Self {
        Self { is_possible: true, ..Self::new(id, kind, kind.name(), sensor) }
    }
}

/// Where the size of the sensor comes from.
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
    /// It is that of the device that the data was taken for, because the file names none that is known.
    Assumed,
    /// It is the bounding box of all events, or the smallest known chip that contains that box.
    BoundingBox,
    /// It is not known.
    Unknown,
}

impl SensorSource {
    /// The size that the caller stated, otherwise `found`; and where that size comes from.
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

/// What the header of a recording says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordingInfo {
    /// Name of the format, as in `AEDAT 4.0`.
    pub format: &'static str,
    /// Size of the file in bytes; `None` for a pipe.
    pub bytes: Option<u64>,
    /// Size of the sensor of the chosen stream, if it is known.
    pub sensor: Option<SensorSize>,
    /// Where the size of the sensor comes from.
    pub sensor_source: SensorSource,
    /// All streams.
    pub streams: Vec<StreamInfo>,
    /// The id of the stream that is read: the chosen one, or the only stream of events. `None` if there
    /// is no stream of events, or if there are several and none was chosen.
    pub stream: Option<i32>,
    /// Further contents of the header: device, compression, date and so on.
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

    /// Whether the stream that is read is a stream of events.
    pub fn reads_events(&self) -> bool {
        self.chosen().is_some_and(|stream| stream.kind == StreamKind::Events)
    }
}
