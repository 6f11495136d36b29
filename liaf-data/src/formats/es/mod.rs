//! Event Stream (`.es`) 2.x: a short header, then events whose times are relative to the event before.
//!
//! | at | |
//! |---|---|
//! | 0 | `Event Stream` |
//! | 12 | three bytes of version; the first must be 2 |
//! | 15 | type: 0 generic, 1 DVS, 2 ATIS, 3 asynchronous display, 4 colour |
//! | 16 | types 1, 2 and 4: `u16` width, `u16` height, little-endian |
//!
//! | type | byte of time | then |
//! |---|---|---|
//! | DVS | `FF`: 127 µs pass; `FE`: ignored; otherwise bits 7–1 are µs, bit 0 is p | `u16` x, `u16` y |
//! | ATIS | `FC`–`FF`: 63 µs for each of bits 1–0; otherwise bits 7–2 are µs, bit 1 is p, bit 0 a threshold crossing | `u16` x, `u16` y |
//! | colour | `FF`: 254 µs pass; `FE`: ignored; otherwise µs | `u16` x, `u16` y, r, g, b |
//! | display | as colour | x, y, stage |
//! | generic | as colour | length in bytes of 7 bits, the lowest first, bit 0 set if another follows; data |
//!
//! Times start at 0 and never step back; y counts from the bottom. An event can be decoded only after
//! all events before it, so that several threads cannot share the work. Source: the tables above
//! combine the description of the format with what event_stream and faery read.

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
