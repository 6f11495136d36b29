//! Event Stream (`.es`) 2.x: events that each say how much later they are.
//!
#![doc = include_str!("../../../docs/formats/event_stream.md")]

mod decode;
mod encode;
mod header;

pub(crate) use decode::EventStreamDecoder;

use std::collections::BTreeMap;

use crate::codec::{Body, Coords, Detection, Format, Opened, ReadOptions};
use crate::error::Result;
use crate::io::ByteSource;
use crate::model::{Note, RecordingInfo, SensorSize, SensorSource, StreamInfo, StreamKind};
use header::{Header, MAGIC, Type};

pub(crate) static FORMAT: Format = Format {
    name: "Event Stream",
    extensions: &["es"],
    detect: |head| Detection::magic(head.starts_with(MAGIC)),
    open,
    write: &[encode::TARGET],
};

/// Number of bytes that a decoder is given at a time: as many as fit in the cache.
const STEP: usize = 256 << 10;

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    let header = Header::read(source)?;
    let has_events = matches!(header.kind, Type::Dvs | Type::Atis);
    let (sensor, sensor_source) = SensorSource::Header.unless_stated(options.sensor, header.sensor);
    let canonical = options.coords == Coords::Canonical;
    let flip_y = sensor.filter(|_| canonical).map(|sensor: SensorSize| sensor.height);
    let kind = if has_events { StreamKind::Events } else { StreamKind::Other };
    let name = if has_events { "events" } else { header.kind.name() };
    let mut streams = vec![StreamInfo::new(0, kind, name, header.sensor)];
    let mut notes = Vec::new();
    if header.kind == Type::Atis {
        streams.push(StreamInfo::new(1, StreamKind::Other, "threshold crossings", header.sensor));
    }
    if !has_events {
        notes
            .push(Note::new(format!("{}: the file has no events of a camera", header.kind.name())));
    }
    let info = RecordingInfo {
        format: FORMAT.name,
        bytes: source.len(),
        sensor,
        sensor_source,
        streams,
        stream: has_events.then_some(0),
        details: BTreeMap::from([
            ("type", header.kind.name().to_owned()),
            ("version", header.version),
        ]),
        notes,
    };
    let body = Body::stream(EventStreamDecoder::new(header.kind, flip_y, header.end, options));
    Ok(Opened {
        step: STEP,
        bytes_per_event: 5.0,
        needs_sensor: has_events && canonical && sensor.is_none(),
        ..Opened::new(info, body, header.end, options)
    })
}
