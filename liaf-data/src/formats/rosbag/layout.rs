//! The records of a bag: a header of named fields, then data, each after its length.

use crate::formats::ros::{
    Channels, Definition, Head, Kind, Layout, Packing, RecordHead, Schema, Serialisation,
};

/// The largest header of a record in bytes. Real ones have about a hundred.
const LONGEST: usize = 4000;
/// The smallest header: one field of an operation.
const SHORTEST: usize = 4 + 4;

/// The operations of records.
mod op {
    pub const MESSAGE: u8 = 2;
    pub const BAG: u8 = 3;
    pub const INDEX: u8 = 4;
    pub const CHUNK: u8 = 5;
    pub const CHUNK_INFO: u8 = 6;
    pub const CONNECTION: u8 = 7;
}

/// The records of a bag whose index starts at a byte, if it has one.
#[derive(Debug, Clone)]
pub(crate) struct BagLayout {
    pub index: Option<u64>,
}

fn length(bytes: &[u8]) -> Option<usize> {
    let word = bytes.first_chunk().copied().map(u32::from_le_bytes)?;
    usize::try_from(word).ok()
}

/// The fields of the header at the beginning of `bytes`: names and values. What is not a field ends
/// them.
pub(crate) fn fields(bytes: &[u8]) -> Vec<(&[u8], &[u8])> {
    let header = length(bytes).and_then(|size| bytes.get(4..)?.get(..size));
    header.map_or_else(Vec::new, |header| Fields(header).collect())
}

/// Reads fields: each is a length, a name, `=`, and a value.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.0.get(4..)?.get(..length(self.0)?)?;
        let equals = field.iter().position(|&byte| byte == b'=')?;
        self.0 = &self.0[4 + field.len()..];
        Some((&field[..equals], &field[equals + 1..]))
    }
}

/// The fields of a header that say what a record is.
#[derive(Debug, Default)]
struct Known<'a> {
    op: Option<u8>,
    channel: Option<u32>,
    size: Option<u32>,
    time: bool,
    compression: Option<&'a [u8]>,
    topic: Option<&'a [u8]>,
}

impl<'a> Known<'a> {
    /// Reads the header; `None` if it is not all fields.
    fn read(header: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(header);
        let mut known = Self::default();
        let word = |value: &[u8]| value.try_into().ok().map(u32::from_le_bytes);
        for (name, value) in fields.by_ref() {
            match name {
                b"op" => known.op = <[u8; 1]>::try_from(value).ok().map(|[op]| op),
                b"conn" => known.channel = word(value),
                b"size" => known.size = word(value),
                b"time" => known.time = value.len() == 8,
                b"compression" => known.compression = Some(value),
                b"topic" => known.topic = Some(value),
                _ => {}
            }
        }
        fields.0.is_empty().then_some(known)
    }

    fn kind(&self) -> Option<Kind> {
        Some(match self.op? {
            op::MESSAGE if self.time => Kind::Message { channel: self.channel? },
            op::BAG | op::INDEX | op::CHUNK_INFO => Kind::Index,
            op::CONNECTION => {
                self.channel.and(self.topic)?;
                Kind::Definition
            }
            op::CHUNK => {
                let packing = match self.compression? {
                    b"none" => Packing::None,
                    b"lz4" => Packing::Lz4,
                    b"bz2" => Packing::Bzip2,
                    _ => Packing::Unknown,
                };
                Kind::Chunk { packing, size: self.size?.into(), crc: None }
            }
            _ => return None,
        })
    }
}

impl Layout for BagLayout {
    fn head(&self, bytes: &[u8]) -> Head {
        let Some(size) = length(bytes) else { return Head::Need(4) };
        if !(SHORTEST..=LONGEST).contains(&size) {
            return Head::Nothing;
        }
        let data = 4 + size + 4;
        // A first field that does not fit shows without the rest of the header that this is none.
        if length(&bytes[4..]).is_some_and(|field| field < 3 || field > size - 4) {
            return Head::Nothing;
        }
        let Some(header) = bytes.get(4..4 + size) else { return Head::Need(data) };
        let Some(kind) = Known::read(header).and_then(|known| known.kind()) else {
            return Head::Nothing;
        };
        match length(&bytes[4 + size..]) {
            Some(length) => Head::Record(RecordHead { kind, data, size: length as u64 }),
            None => Head::Need(data),
        }
    }

    fn find(&self, bytes: &[u8], _: &Channels) -> Option<usize> {
        let last = bytes.len().saturating_sub(SHORTEST + 8);
        (0..last).find(|&at| {
            // Most offsets are ruled out by these bytes: both lengths are short.
            bytes[at + 2..at + 4] == [0, 0]
                && bytes[at + 6..at + 8] == [0, 0]
                && matches!(self.head(&bytes[at..]), Head::Record(_))
        })
    }

    /// The data of a connection are fields as well, of which `topic` is the name under which the
    /// messages were sent, and `type` is that of the messages.
    fn definition(&self, record: &[u8], head: &RecordHead) -> Option<Definition> {
        let known = Known::read(record.get(4..head.data - 4)?)?;
        let mut data = Fields(record.get(head.data..)?);
        let (_, kind) = data.find(|(name, _)| *name == b"type")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(Definition::Channel {
            id: known.channel?,
            topic: text(known.topic?),
            schema: Schema::Named(text(kind)),
            serialisation: Some(Serialisation::Ros1),
        })
    }

    /// The index lists the connections, so that it is not empty if there are any.
    fn is_closed(&self, end: u64, _: bool, is_empty: bool) -> bool {
        self.index.is_some_and(|index| index < end || is_empty && index == end)
    }
}
