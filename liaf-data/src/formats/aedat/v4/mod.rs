//! AEDAT 4.0: packets of several streams. Each packet is a flatbuffer that is compressed on its own.
//!
#![doc = include_str!("../../../../docs/formats/aedat4.md")]

mod build;
mod content;
mod decode;
mod encode;
mod flatbuf;
mod header;
pub(crate) mod inflate;
mod lz4;
mod lz4_records;
mod measurements;
mod pack;
mod packet;
mod seek_scan;
mod table;
#[cfg_attr(not(feature = "xml"), path = "xml_absent.rs")]
mod xml;
#[cfg_attr(feature = "zstd", path = "zstd_codec.rs")]
#[cfg_attr(not(feature = "zstd"), path = "zstd_absent.rs")]
mod zstd;

pub(crate) use decode::Aedat4Decoder;

use std::collections::{BTreeMap, BTreeSet};

use crate::codec::{Body, Coords, Detection, Format, Opened, ReadOptions, StreamChoice, choose};
use crate::error::Result;
use crate::io::ByteSource;
use crate::model::{Note, RecordingInfo, SensorSource, StreamInfo, StreamKind};
use content::{identifier_of, kind_of};
use decode::WantedStreams;
use header::{Header, MAGIC, Stream};
use inflate::Inflater;
use packet::{Found, Framing, HEADER};
use seek_scan::PacketScout;

pub(crate) static FORMAT: Format = Format {
    name: "AEDAT 4.0",
    extensions: &["aedat4"],
    detect: |head| Detection::magic(head.starts_with(MAGIC)),
    open,
    write: &[encode::TARGET],
};

/// Number of bytes that a decoder is given at a time: dozens of packets, which keep several threads
/// busy.
const STEP: usize = 4 << 20;
const PARALLEL_STEP: usize = 16 << 20;
/// Number of bytes in which streams are identified by their packets, if the header does not list them.
const DISCOVER: usize = 1 << 20;

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    let mut header = Header::read(source, options)?;
    if header.streams.is_empty() {
        header.streams = discover(source, &header, options)?;
    }
    let stream = choose(header.streams.iter().map(|stream| &stream.info), options.stream.as_ref())?;
    let chosen = stream.and_then(|id| header.streams.iter().find(|s| s.info.id == id));
    let named = chosen.and_then(|stream| stream.info.sensor);
    let (sensor, sensor_source) = SensorSource::Header.unless_stated(options.sensor, named);
    let is_events = chosen.is_some_and(|stream| stream.info.kind == StreamKind::Events);
    let flips = chosen.is_some_and(|stream| stream.flips(options));
    let flip_y = match sensor {
        None if is_events => None,
        sensor => flips.then(|| sensor.map_or(0, |sensor| sensor.height)),
    };
    let wanted = match stream {
        Some(id) => WantedStreams::from([(id, flip_y)]),
        None if options.stream == Some(StreamChoice::AllEvents) => all_events(&header, options),
        None => WantedStreams::new(),
    };
    let mut details = BTreeMap::from([("compression", header.compression.name().to_owned())]);
    if let Some(chosen) = chosen {
        details.extend(chosen.details.clone());
        details.extend(chosen.module.clone().map(|module| ("module", module)));
    }
    let bytes_per_event = header.compression.bytes_per_event();
    let framing = framing(&header, options);
    let cap = options.limits.packet_bytes;
    let seek_scan = PacketScout { framing: framing.clone(), start: header.end, stream, cap };
    let decoder = Aedat4Decoder::new(framing, wanted, header.end, options);
    let info = RecordingInfo {
        format: FORMAT.name,
        bytes: source.len(),
        sensor,
        sensor_source,
        streams: header.streams.into_iter().map(|stream| stream.info).collect(),
        stream,
        details,
        notes: header.notes.into_iter().map(Note::from).collect(),
    };
    let body = Body::stream(decoder).with_seek_scan(seek_scan);
    Ok(Opened {
        step: if options.parallel { PARALLEL_STEP } else { STEP },
        bytes_per_event,
        needs_sensor: flips && is_events && sensor.is_none(),
        ..Opened::new(info, body, header.end, options)
    })
}

impl Stream {
    /// Whether rows are stored from the bottom, as jAER does, and must be flipped.
    fn flips(&self, options: &ReadOptions) -> bool {
        self.module.as_deref() == Some("jAER") && options.coords == Coords::Canonical
    }
}

/// All streams of events; empty if the size of a sensor must be found first to flip its rows.
fn all_events(header: &Header, options: &ReadOptions) -> WantedStreams {
    let events = header.streams.iter().filter(|stream| stream.info.kind == StreamKind::Events);
    let flip_y = |stream: &Stream| {
        let sensor = options.sensor.or(stream.info.sensor);
        match (stream.flips(options), sensor) {
            (false, _) => Some((stream.info.id, None)),
            (true, Some(sensor)) => Some((stream.info.id, Some(sensor.height))),
            (true, None) => None,
        }
    };
    // If two streams have the same number, the first one counts.
    events.rev().map(flip_y).collect::<Option<_>>().unwrap_or_default()
}

fn framing(header: &Header, options: &ReadOptions) -> Framing {
    Framing {
        compression: header.compression,
        // If two streams have the same number, the first one counts.
        streams: header.streams.iter().rev().map(|s| (s.info.id, s.info.kind)).collect(),
        table: header.table,
        limit: options.limits.packet_bytes,
    }
}

/// The streams of the first packets, for a header that lists none.
fn discover(
    source: &mut ByteSource,
    header: &Header,
    options: &ReadOptions,
) -> Result<Vec<Stream>> {
    let head = source.head(header.end as usize + DISCOVER)?;
    let framing = framing(header, options);
    let mut inflater = Inflater::default();
    let (mut streams, mut known) = (Vec::new(), BTreeSet::new());
    let mut at = header.end as usize;
    while let Found::Packet { stream, size, .. } =
        framing.look(head.get(at..).unwrap_or_default(), at as u64, true)
    {
        let body = &head[at + HEADER..at + HEADER + size];
        at += HEADER + size;
        if known.contains(&stream) {
            continue;
        }
        let cap = options.limits.packet_bytes;
        let Ok(content) = inflater.inflate(header.compression, body, cap) else { continue };
        let kind = identifier_of(content).map_or(StreamKind::Other, kind_of);
        let info = StreamInfo::new(stream, kind, stream.to_string(), None);
        known.insert(stream);
        streams.push(Stream { info, module: None, details: BTreeMap::new() });
    }
    Ok(streams)
}
