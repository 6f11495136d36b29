//! Opening a recording: its streams, and the decoder of those that are wanted.

use std::collections::BTreeMap;

use super::decode::BagDecoder;
use super::discover::{Facts, discover};
use super::layout::{Layout, Packing};
use crate::codec::{Body, Opened, ReadOptions, StreamChoice, choose};
use crate::error::{Error, Result};
use crate::feature;
use crate::io::ByteSource;
use crate::model::{Note, RecordingInfo, Report, SensorSource, StreamInfo, StreamKind};

/// Number of bytes that a decoder is given at a time: a few chunks, or enough of them to keep several
/// threads busy.
const STEP: usize = 4 << 20;
const PARALLEL_STEP: usize = 16 << 20;

/// A container whose first bytes have been read.
#[derive(Debug)]
pub(crate) struct Container<L> {
    pub format: &'static str,
    pub layout: L,
    /// Offset of the first record.
    pub start: u64,
    /// Offset of the index, if there is one.
    pub index: Option<u64>,
}

/// Opens a recording.
///
/// # Errors
/// If it cannot be read, or if its chunks are compressed in a way that is not read.
pub(crate) fn open<L: Layout>(
    source: &mut ByteSource,
    container: Container<L>,
    options: &ReadOptions,
) -> Result<Opened> {
    let Container { format, layout, start, index } = container;
    let found = discover(source, &layout, start, index, options)?;
    match found.packing {
        Some(Packing::Bzip2) => feature::BZIP2.needed_to("decompress bzip2")?,
        Some(Packing::Zstd) => feature::ZSTD.needed_to("decompress ZSTD")?,
        _ => {}
    }
    let mut streams: BTreeMap<i32, StreamInfo> = BTreeMap::new();
    let mut facts: BTreeMap<i32, Facts> = BTreeMap::new();
    let mut kinds = BTreeMap::new();
    for (id, channel) in found.channels.iter() {
        let Some(stream) = channel.stream else { continue };
        if let Some(known) = found.facts.get(&id) {
            facts.entry(stream).or_insert_with(|| known.clone());
        }
        let sensor = facts.get(&stream).and_then(|facts| facts.sensor);
        let kind = channel.content.stream();
        kinds.insert(stream, channel.kind.clone());
        streams
            .entry(stream)
            .and_modify(|info| info.sensor = info.sensor.or(sensor))
            .or_insert_with(|| StreamInfo::new(stream, kind, channel.topic.clone(), sensor));
    }
    let stream = choose(streams.values(), options.stream.as_ref())?;
    let chosen = stream.and_then(|id| streams.get(&id));
    let known = stream.and_then(|id| facts.get(&id));
    if let Some((encoding, false)) = known.and_then(|facts| facts.encoding.as_ref()) {
        return Err(Error::unsupported("the events are encoded in a way that is not read")
            .at(start)
            .expected("evt3, evt21, mono or libcaer")
            .found(encoding));
    }
    let device = chosen.and_then(|info| info.sensor);
    let (sensor, sensor_source) = SensorSource::Header.unless_stated(options.sensor, device);
    let events = streams.values().filter(|info| info.kind == StreamKind::Events);
    let wanted = match stream {
        Some(id) => vec![id],
        None if options.stream == Some(StreamChoice::AllEvents) => {
            events.map(|info| info.id).collect()
        }
        None => Vec::new(),
    };
    let mut details = BTreeMap::new();
    details.extend(found.packing.map(|packing| ("compression", packing.name().to_owned())));
    details.extend(stream.and_then(|id| kinds.get(&id).cloned()).map(|kind| ("message", kind)));
    let encoding = known.and_then(|facts| facts.encoding.clone());
    details.extend(encoding.map(|(encoding, _)| ("encoding", encoding)));
    let mut notes = Vec::new();
    if streams.is_empty() {
        notes.push(Note::new("no topic was found: the recording has no messages, or is damaged"));
    }
    let is_packed = !matches!(found.packing, None | Some(Packing::None));
    let is_dense = known.is_some_and(|facts| facts.encoding.is_some());
    let bytes_per_event = match (is_dense, is_packed) {
        (true, _) => 2.0,
        (false, true) => 3.0,
        (false, false) => 13.0,
    };
    let header = Report::of_header(start);
    let decoder = BagDecoder::new(layout, found.channels, wanted, start, header, options);
    let info = RecordingInfo {
        format,
        bytes: source.len(),
        sensor,
        sensor_source,
        streams: streams.into_values().collect(),
        stream,
        details,
        notes,
    };
    let body = Body::stream(decoder);
    Ok(Opened {
        step: if options.parallel { PARALLEL_STEP } else { STEP },
        bytes_per_event,
        ..Opened::new(info, body, start, options)
    })
}
