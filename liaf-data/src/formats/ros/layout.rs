//! What the records of a container look like.

use std::fmt::Debug;

use super::channels::{Channels, Definition};

/// How the records of a chunk are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    None,
    Lz4,
    Zstd,
    Bzip2,
    Unknown,
}

impl Packing {
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Lz4 => "LZ4",
            Self::Zstd => "ZSTD",
            Self::Bzip2 => "bzip2",
            Self::Unknown => "unknown",
        }
    }
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A message of a channel. Its payload is the data of the record.
    Message { channel: u32 },
    /// Records that are stored together, of this size after decompression, with the checksum of all
    /// of them if there is one.
    Chunk { packing: Packing, size: u64, crc: Option<u32> },
    /// The definition of a channel or of a type of messages.
    Definition,
    /// A header, or a part of the index.
    Index,
    /// Something else that is valid, such as an attached file.
    Other,
    /// The mark at the end of the file.
    End,
}

/// A record whose beginning has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHead {
    pub kind: Kind,
    /// Where its data begin, counted from its first byte.
    pub data: usize,
    /// The size of its data in bytes.
    pub size: u64,
}

impl RecordHead {
    /// Where it ends, counted from its first byte, if its data have at most `limit` bytes.
    pub fn end(&self, limit: usize) -> Option<usize> {
        let size = usize::try_from(self.size).ok().filter(|&size| size <= limit)?;
        Some(self.data + size)
    }

    /// Whether it is a chunk whose records are stored as they are.
    pub fn is_stored_chunk(&self) -> bool {
        matches!(self.kind, Kind::Chunk { packing: Packing::None, .. })
    }
}

/// What some bytes begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// The beginning of a record, with consistent values.
    Record(RecordHead),
    /// More bytes are needed to decide: this many from the first one on.
    Need(usize),
    /// No record.
    Nothing,
}

/// The records of a container.
pub(crate) trait Layout: Clone + Debug + Send + Sync + 'static {
    /// What `bytes` begin with.
    fn head(&self, bytes: &[u8]) -> Head;

    /// Offset in `bytes` of the next record that is certain.
    fn find(&self, bytes: &[u8], channels: &Channels) -> Option<usize>;

    /// The definition in a record.
    fn definition(&self, record: &[u8], head: &RecordHead) -> Option<Definition>;

    /// Whether the file is complete: it ends at byte `end`, and there was a mark at its end, or no
    /// channel.
    fn is_closed(&self, end: u64, saw_end: bool, is_empty: bool) -> bool;
}

/// What was found at an offset of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A record that ends `end` bytes after this offset. `sure` means that what follows it looks
    /// right as well.
    Record { head: RecordHead, end: usize, sure: bool },
    /// A chunk that is larger than the limit, and whose records are stored as they are.
    Large { head: RecordHead },
    /// More bytes are needed to decide: this many from this offset on.
    Need(usize),
    /// The file ends inside a record.
    Cut { head: Option<RecordHead> },
    /// There is no record.
    Nothing,
}

/// What is at the beginning of `bytes`, which extend to the end of the file if `last`. Records have
/// data of at most `limit` bytes.
pub(crate) fn look(layout: &impl Layout, bytes: &[u8], last: bool, limit: usize) -> Found {
    let head = match layout.head(bytes) {
        Head::Record(head) => head,
        Head::Need(_) if last => return Found::Cut { head: None },
        Head::Need(need) => return Found::Need(need),
        Head::Nothing => return Found::Nothing,
    };
    let Some(end) = head.end(limit) else {
        return if head.is_stored_chunk() { Found::Large { head } } else { Found::Nothing };
    };
    match bytes.get(end..) {
        None if last => Found::Cut { head: Some(head) },
        None => Found::Need(end + 1),
        Some([]) if !last => Found::Need(end + 1),
        Some([]) => Found::Record { head, end, sure: true },
        Some(next) => match layout.head(next) {
            Head::Need(need) if !last => Found::Need(end + need),
            next => Found::Record { head, end, sure: next != Head::Nothing },
        },
    }
}
