//! AEDAT 3.0 and 3.1: packets of events of one type and source each.
//!
#![doc = include_str!("../../../../docs/formats/aedat3.md")]

mod decode;
mod encode;
mod events;
mod measurements;
mod packet;
mod seek_scan;

pub(crate) use decode::Aedat3Decoder;

use std::collections::{BTreeMap, BTreeSet};

use super::{TextHeader, v2};
use crate::codec::{Body, Coords, Detection, Format, Opened, ReadOptions, StreamChoice, choose};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::model::{Finding, Note, RecordingInfo, Report, SensorSource, StreamInfo, StreamKind};
use decode::Wanted;
use events::PolarityFields;
use packet::{Found, Framing, POLARITY};
use seek_scan::HeaderScan;

pub(crate) static FORMAT: Format = Format {
    name: "AEDAT 3",
    extensions: &["aedat", "aedat3"],
    detect: |head| Detection::magic(head.starts_with(b"#!AER-DAT3.")),
    open,
    write: &[encode::TARGET],
};

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    let header = TextHeader::read(source, options, None)?;
    if let Some(packing) = header.value("Format").filter(|&format| format != "RAW") {
        return Err(Error::unsupported("the packets of this AEDAT 3 file are compressed")
            .at(0)
            .expected("#Format: RAW")
            .found(packing));
    }
    let start = header.end + header.cut;
    let listed = sources(&header);
    let framing =
        Framing { sources: listed.keys().copied().collect(), limit: options.limits.packet_bytes };
    let streams = streams(&listed, &framing, &header.data);
    let stream = choose(streams.iter(), options.stream.as_ref())?;
    let chosen = streams.iter().find(|info| Some(info.id) == stream);
    let events = streams.iter().filter(|info| info.kind == StreamKind::Events);
    let sources: Vec<_> = events.map(|info| info.id as i16).collect();
    let several = sources.len() > 1;
    let is_3_0 = header.version == "3.0";
    // Rows of version 3.0 are flipped by the height of the sensor, which must be the same for all
    // streams.
    let apart = options.stream == Some(StreamChoice::AllEvents) && several && !is_3_0;
    let wanted = match chosen {
        Some(info) => {
            let source = several.then_some(info.id as i16);
            Some(Wanted { kind: info.kind, source, apart: false })
        }
        None => apart.then_some(Wanted { kind: StreamKind::Events, source: None, apart }),
    };
    let device = chosen.and_then(|info| info.sensor);
    let (sensor, sensor_source) = SensorSource::Device.unless_stated(options.sensor, device);
    let flips = is_3_0 && options.coords == Coords::Canonical;
    let flip_y = sensor.filter(|_| flips).map(|sensor| sensor.height);
    let mut report = Report::default();
    report.bytes.header = header.end;
    report.bytes.skipped = header.cut;
    report.add(Finding::TruncatedTails, u64::from(header.cut > 0), header.end);
    let rule = PolarityFields::new(is_3_0, flip_y, options);
    let seek_scan = HeaderScan { start, limit: framing.limit, wanted };
    let decoder = Aedat3Decoder::new(framing, wanted, &sources, rule, start, report, options);
    let mut details = BTreeMap::from([("version", header.version.clone())]);
    details.extend(header.value("Start-Time").map(|time| ("created", time.to_owned())));
    details.extend(chosen.and_then(|info| info.source.clone()).map(|device| ("device", device)));
    let info = RecordingInfo {
        format: FORMAT.name,
        bytes: source.len(),
        sensor,
        sensor_source,
        streams,
        stream,
        details,
        notes: header.notes.into_iter().map(Note::from).collect(),
    };
    let body = Body::stream(decoder).with_seek_scan(seek_scan);
    Ok(Opened {
        bytes_per_event: 8.0,
        needs_sensor: flips && sensor.is_none(),
        ..Opened::new(info, body, start, options)
    })
}

/// The devices in the `#Source` lines, by their numbers. `#-Source` lines are ignored: they name the
/// original sources of events that were processed since.
fn sources(header: &TextHeader) -> BTreeMap<i16, String> {
    let number = |key: &str| key.strip_prefix("Source ")?.trim().parse().ok();
    header.lines().filter_map(|(key, value)| Some((number(key)?, value.to_owned()))).collect()
}

/// A stream for each source of polarity events, and for each other kind that a source may have sent.
/// The sources are those of the first packets, if the header lists several sources or none.
fn streams(listed: &BTreeMap<i16, String>, framing: &Framing, data: &[u8]) -> Vec<StreamInfo> {
    let mut ids: BTreeSet<i16> = listed.keys().copied().collect();
    if ids.len() != 1 {
        let found = found_sources(framing, data);
        ids = if ids.is_empty() || !found.is_empty() { found } else { ids };
    }
    if ids.is_empty() {
        ids.insert(0);
    }
    let several = ids.len() > 1;
    let stream = |id: i16| {
        let device = listed.get(&id);
        let chip = device.and_then(|device| v2::chip(device));
        let sensor = chip.map(|chip| chip.sensor);
        let name = if several { format!("source {id}") } else { "events".to_owned() };
        let mut info = StreamInfo::new(id.into(), StreamKind::Events, name, sensor);
        info.source = device.cloned();
        info
    };
    // The ids of the other kinds of streams have the source in the lower 16 bits.
    let beside = |(number, kind): (i32, StreamKind)| {
        ids.iter().map(move |&id| {
            let info = StreamInfo::possible(number << 16 | i32::from(id), kind, None);
            let name = if several { format!("{} of source {id}", info.name) } else { info.name };
            StreamInfo { name, ..info }
        })
    };
    let kinds = [(2, StreamKind::Frames), (3, StreamKind::Imu), (4, StreamKind::Triggers)];
    ids.iter().copied().map(stream).chain(kinds.into_iter().flat_map(beside)).collect()
}

/// The sources of the polarity packets at the beginning of the data.
fn found_sources(framing: &Framing, data: &[u8]) -> BTreeSet<i16> {
    let mut found = BTreeSet::new();
    let mut at = 0;
    while let Found::Packet { header, end, .. } =
        framing.look(data.get(at..).unwrap_or_default(), true)
    {
        if header.kind == POLARITY {
            found.insert(header.source);
        }
        at += end;
    }
    found
}
