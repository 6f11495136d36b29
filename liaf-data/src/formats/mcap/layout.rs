//! The records of MCAP: a byte that says what a record is, a `u64` length, and data.

use crate::formats::ros::{
    Channels, Definition, Head, Kind, Layout, Packing, RecordHead, Schema, Serialisation,
};

/// The first and the last bytes of a file.
pub(crate) const MAGIC: &[u8] = b"\x89MCAP0\r\n";
/// Size of the footer and the bytes at the end.
pub(crate) const FOOTER: usize = START + 20 + MAGIC.len();

/// Size of what precedes the data of a record.
const START: usize = 9;
/// Size of the fields of a message before its payload: channel, sequence and two times.
const MESSAGE: usize = 2 + 4 + 8 + 8;
/// Size of the fields of a chunk before the name of its compression: two times, size, checksum and the
/// length of the name.
const CHUNK: usize = 8 + 8 + 8 + 4 + 4;
/// The longest name of a compression.
const LONGEST: usize = 16;

/// The types of records.
mod op {
    pub const HEADER: u8 = 1;
    pub const FOOTER: u8 = 2;
    pub const SCHEMA: u8 = 3;
    pub const CHANNEL: u8 = 4;
    pub const MESSAGE: u8 = 5;
    pub const CHUNK: u8 = 6;
    pub const ATTACHMENT: u8 = 9;
    pub const METADATA: u8 = 12;
    pub const DATA_END: u8 = 15;
    /// Types from this one on are private ones of programs.
    pub const PRIVATE: u8 = 128;
}

/// The records of a file.
#[derive(Debug, Clone)]
pub(crate) struct McapLayout;

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    number(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    number(bytes, at).map(u64::from_le_bytes)
}

/// A text after its `u32` length, and the offset after it.
fn text(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let length = usize::try_from(u32_at(bytes, at)?).ok()?;
    let text = bytes.get(at + 4..)?.get(..length)?;
    Some((text, at + 4 + length))
}

/// Offset of the summary, from the last bytes of a file.
pub(crate) fn summary(last: &[u8]) -> Option<u64> {
    let is_footer = last.first() == Some(&op::FOOTER) && last.ends_with(MAGIC);
    u64_at(last, START).filter(|&at| is_footer && at > 0)
}

impl McapLayout {
    fn chunk(bytes: &[u8], size: u64) -> Head {
        let Some(name) = u32_at(bytes, START + CHUNK - 4) else {
            return Head::Need(START + CHUNK);
        };
        let name = name as usize;
        if name > LONGEST {
            return Head::Nothing;
        }
        let data = START + CHUNK + name + 8;
        let compression = bytes.get(START + CHUNK..START + CHUNK + name);
        let (Some(compression), Some(stored)) = (compression, u64_at(bytes, data - 8)) else {
            return Head::Need(data);
        };
        let packing = match compression {
            b"" => Packing::None,
            b"lz4" => Packing::Lz4,
            b"zstd" => Packing::Zstd,
            b"bz2" => Packing::Bzip2,
            _ => Packing::Unknown,
        };
        let (unpacked, crc) = (u64_at(bytes, START + 16), u32_at(bytes, START + 24));
        if size.checked_sub((data - START) as u64) != Some(stored) {
            return Head::Nothing;
        }
        let kind = Kind::Chunk { packing, size: unpacked.unwrap_or(0), crc };
        Head::Record(RecordHead { kind, data, size: stored })
    }

    /// Whether a record after damage is certain: its parts have exactly the size that it says, or its
    /// payload begins as a serialised message does.
    fn is_certain(bytes: &[u8], head: &RecordHead, channels: &Channels) -> bool {
        match head.kind {
            Kind::Chunk { packing, .. } => packing != Packing::Unknown && head.size > 0,
            Kind::Message { channel } => {
                let is_known = channels.is_empty() || channels.get(channel).is_some();
                let begins = number::<4>(bytes, head.data);
                is_known && matches!(begins, Some([0, 0 | 1, 0, 0..=3]))
            }
            _ => false,
        }
    }
}

impl Layout for McapLayout {
    fn head(&self, bytes: &[u8]) -> Head {
        let marks = bytes.len().min(MAGIC.len());
        if bytes[..marks] == MAGIC[..marks] {
            let end = RecordHead { kind: Kind::End, data: MAGIC.len(), size: 0 };
            return if marks < MAGIC.len() { Head::Need(MAGIC.len()) } else { Head::Record(end) };
        }
        let is_known = matches!(bytes[0], op::HEADER..=op::DATA_END | op::PRIVATE..);
        if !is_known {
            return Head::Nothing;
        }
        let Some(size) = u64_at(bytes, 1) else { return Head::Need(START) };
        let kind = match bytes[0] {
            op::CHUNK => return Self::chunk(bytes, size),
            op::MESSAGE => {
                let Some(size) = size.checked_sub(MESSAGE as u64) else { return Head::Nothing };
                let channel = number(bytes, START).filter(|_| bytes.len() >= START + MESSAGE);
                let Some(channel) = channel else { return Head::Need(START + MESSAGE) };
                let channel = u16::from_le_bytes(channel).into();
                let kind = Kind::Message { channel };
                return Head::Record(RecordHead { kind, data: START + MESSAGE, size });
            }
            op::SCHEMA | op::CHANNEL => Kind::Definition,
            op::ATTACHMENT | op::METADATA | op::PRIVATE.. => Kind::Other,
            _ => Kind::Index,
        };
        Head::Record(RecordHead { kind, data: START, size })
    }

    fn find(&self, bytes: &[u8], channels: &Channels) -> Option<usize> {
        (0..bytes.len().saturating_sub(START + MESSAGE)).find(|&at| {
            // Most offsets are ruled out by these bytes: records are shorter than 4 GiB.
            matches!(bytes[at], op::MESSAGE | op::CHUNK)
                && bytes[at + 5..at + 9] == [0; 4]
                && match self.head(&bytes[at..]) {
                    Head::Record(head) => Self::is_certain(&bytes[at..], &head, channels),
                    _ => false,
                }
        })
    }

    /// A schema is a number, a name, an encoding and a definition; a channel is a number, the number
    /// of its schema, a topic, an encoding, and metadata.
    fn definition(&self, record: &[u8], _: &RecordHead) -> Option<Definition> {
        let data = record.get(START..)?;
        let short = |at| number(data, at).map(u16::from_le_bytes).map(u32::from);
        let string = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        let id = short(0)?;
        if record.first() == Some(&op::SCHEMA) {
            let (name, _) = text(data, 2)?;
            return Some(Definition::Schema { id, name: string(name) });
        }
        let (topic, after) = text(data, 4)?;
        let (encoding, _) = text(data, after)?;
        let serialisation = match encoding {
            b"cdr" => Some(Serialisation::Cdr),
            b"ros1" => Some(Serialisation::Ros1),
            _ => None,
        };
        let (topic, schema) = (string(topic), Schema::Numbered(short(2)?));
        Some(Definition::Channel { id, topic, schema, serialisation })
    }

    fn is_closed(&self, _: u64, saw_end: bool, _: bool) -> bool {
        saw_end
    }
}
