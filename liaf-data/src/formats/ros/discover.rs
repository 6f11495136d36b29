//! Finding the channels of a recording, the sizes of their sensors, and how its chunks are compressed,
//! from its index and from its first records.

use std::collections::BTreeMap;

use super::channels::{Channel, Channels};
use super::layout::{Found, Kind, Layout, Packing, RecordHead, look};
use super::message::EventMessage;
use super::unpack::Unpacker;
use crate::codec::ReadOptions;
use crate::error::Result;
use crate::io::ByteSource;
use crate::model::SensorSize;

/// Number of bytes at the beginning of a recording that are searched for channels.
const FIRST: usize = 8 << 20;
/// Number of bytes of the index that are searched for channels.
const INDEX: usize = 4 << 20;

/// What the messages of a channel say about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub sensor: Option<SensorSize>,
    /// The encoding of the events, and whether it is one that is read.
    pub encoding: Option<(String, bool)>,
}

/// What the first records and the index say.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    pub channels: Channels,
    pub facts: BTreeMap<u32, Facts>,
    /// The compression of the first chunk.
    pub packing: Option<Packing>,
}

/// Finds the channels of a recording whose records start at byte `start` and whose index starts at byte
/// `index`, if it has one.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn discover(
    source: &mut ByteSource,
    layout: &impl Layout,
    start: u64,
    index: Option<u64>,
    options: &ReadOptions,
) -> Result<Discovery> {
    let mut found = Discovery::default();
    let cap = options.limits.packet_bytes;
    let start = start as usize;
    let mut size = FIRST.min(cap);
    loop {
        let head = source.head(start.saturating_add(size))?;
        let is_whole = head.len() < start.saturating_add(size);
        found.walk(layout, head.get(start..).unwrap_or_default(), cap);
        // The first chunk may be larger than the bytes that were looked at.
        if !found.channels.is_empty() || is_whole || size >= cap {
            break;
        }
        size = cap;
    }
    if let (Some(index), Some(len)) = (index, source.len()) {
        let size = usize::try_from(len.saturating_sub(index)).unwrap_or(INDEX).min(INDEX);
        let bytes = source.read_at(index, size)?;
        found.walk(layout, &bytes, cap);
    }
    found.channels.assign();
    Ok(found)
}

impl Discovery {
    /// Goes through the records of the file.
    fn walk(&mut self, layout: &impl Layout, bytes: &[u8], cap: usize) {
        let mut unpacker = Unpacker::default();
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match look(layout, rest, true, cap) {
                Found::Record { head, end, .. } => {
                    let data = &rest[head.data..end];
                    if let Kind::Chunk { packing, .. } = head.kind {
                        self.packing.get_or_insert(packing);
                        if let Ok(content) = unpacker.content(packing, data, cap) {
                            self.contents(layout, content);
                        }
                    } else {
                        self.record(layout, &rest[..end], &head);
                    }
                    at += end;
                }
                // The beginning of a chunk that is stored as it is has records as well.
                Found::Cut { head: Some(head) } | Found::Large { head }
                    if head.is_stored_chunk() =>
                {
                    self.packing.get_or_insert(Packing::None);
                    at += head.data;
                }
                Found::Cut { head: Some(head) } => {
                    if let Kind::Chunk { packing, .. } = head.kind {
                        self.packing.get_or_insert(packing);
                    }
                    return;
                }
                _ => match layout.find(&rest[1..], &self.channels) {
                    Some(next) => at += 1 + next,
                    None => return,
                },
            }
        }
    }

    /// Goes through the records of a chunk.
    fn contents(&mut self, layout: &impl Layout, content: &[u8]) {
        let mut at = 0;
        while let Some(rest) = content.get(at..).filter(|rest| !rest.is_empty()) {
            let Found::Record { head, end, .. } = look(layout, rest, true, rest.len()) else {
                return;
            };
            self.record(layout, &rest[..end], &head);
            at += end;
        }
    }

    fn record(&mut self, layout: &impl Layout, record: &[u8], head: &RecordHead) {
        match head.kind {
            Kind::Definition => {
                if let Some(definition) = layout.definition(record, head) {
                    self.channels.add(&definition);
                }
            }
            Kind::Message { channel } if !self.facts.contains_key(&channel) => {
                let Some(known) = self.channels.get(channel) else { return };
                if let Some(facts) = facts(&record[head.data..], known) {
                    self.facts.insert(channel, facts);
                }
            }
            _ => {}
        }
    }
}

/// What a message with events says about its channel.
fn facts(payload: &[u8], channel: &Channel) -> Option<Facts> {
    match EventMessage::read(payload, channel.content, channel.serialisation).ok()?? {
        EventMessage::Array(array) => Some(Facts { sensor: array.sensor, encoding: None }),
        EventMessage::Packet(packet) => {
            let name = String::from_utf8_lossy(packet.encoding).into_owned();
            let encoding = Some((name, packet.readable().is_some()));
            Some(Facts { sensor: packet.sensor, encoding })
        }
    }
}
