//! Recognition of packets by what they look like.
//!
//! A packet is an `i32` stream, an `i32` size, and a body of that size. A compressed body starts
//! with the magic number of its codec; an uncompressed one starts with its own size, an offset, and
//! an identifier. A packet can therefore be recognised without its neighbours, and after damage the
//! next packet can be found.

use std::collections::BTreeMap;

use super::content::{identifier_of, kind_of};
use super::flatbuf::bytes_at;
use super::inflate::Compression;
use crate::model::StreamKind;

/// Size of a packet header in bytes.
pub(crate) const HEADER: usize = 8;
/// Number of bytes that are needed to recognise a packet: its header, and the identifier of an
/// uncompressed body.
pub(crate) const LOOK: usize = HEADER + 12;

/// The smallest body: a compressed one has its magic number and a few more bytes, an uncompressed
/// one has its identifier.
const SMALLEST: usize = 8;

/// What the packets of a file look like.
#[derive(Debug, Clone)]
pub(crate) struct Framing {
    pub compression: Compression,
    /// The streams that the header lists.
    pub streams: BTreeMap<i32, StreamKind>,
    /// Offset of the data table, if the header has it.
    pub table: Option<u64>,
    /// The largest size that a packet may have.
    pub limit: usize,
}

/// What was found at an offset of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A packet. `sure` means that what follows it looks right as well.
    Packet { stream: i32, size: usize, sure: bool },
    /// Something that looks like the data table. It is the table if no packet follows.
    Table,
    /// More bytes are needed to decide: this many from this offset on.
    Need(usize),
    /// The file ends inside a packet of this size.
    Cut { size: usize },
    /// Neither a packet nor a table.
    Nothing,
}

impl Framing {
    /// What is at the beginning of `bytes`, which start at `offset` in the file and extend to its
    /// end if `last`.
    pub(crate) fn look(&self, bytes: &[u8], offset: u64, last: bool) -> Found {
        if bytes.len() < LOOK && !last {
            return Found::Need(LOOK);
        }
        if self.is_table(bytes) {
            return Found::Table;
        }
        let Some((stream, size)) = self.packet(bytes) else {
            // There is not enough left for a packet: the file ends inside a header.
            return if bytes.len() < LOOK { Found::Cut { size: LOOK } } else { Found::Nothing };
        };
        let end = HEADER + size;
        let at_table = self.table == Some(offset + end as u64);
        match bytes.get(end..) {
            None if last => Found::Cut { size: end },
            None => Found::Need(end + LOOK),
            Some(next) if next.len() < LOOK && !last => Found::Need(end + LOOK),
            Some(next) => {
                let sure = at_table || next.is_empty() || self.packet(next).is_some();
                Found::Packet { stream, size, sure }
            }
        }
    }

    /// Offset in `bytes` of the next packet of a stream that the header lists.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<usize> {
        (0..bytes.len().saturating_sub(LOOK - 1))
            .find(|&at| self.packet(&bytes[at..]).is_some_and(|(stream, _)| self.lists(stream)))
    }

    /// Offset in `bytes` of the data table, if it is where the header says. `bytes` start at
    /// `offset` in the file.
    pub(crate) fn find_table(&self, bytes: &[u8], offset: u64, last: bool) -> Option<usize> {
        let at = usize::try_from(self.table?.checked_sub(offset)?).ok()?;
        let seen = bytes.get(at..).filter(|seen| seen.len() >= LOOK || last)?;
        self.is_table(seen).then_some(at)
    }

    fn lists(&self, stream: i32) -> bool {
        self.streams.is_empty() || self.streams.contains_key(&stream)
    }

    /// The numbers of the first streams that the header lists.
    pub(crate) fn names(&self) -> String {
        let mut names: Vec<_> = self.streams.keys().take(9).map(i32::to_string).collect();
        if names.len() < self.streams.len() {
            names.truncate(8);
            names.push("…".to_owned());
        }
        names.join(", ")
    }

    /// The kind of a stream; `None` if the header does not list it.
    pub(crate) fn kind(&self, stream: i32) -> Option<StreamKind> {
        self.streams.get(&stream).copied()
    }

    /// The stream and the size, if a packet starts here.
    pub(crate) fn packet(&self, bytes: &[u8]) -> Option<(i32, usize)> {
        let stream = i32::from_le_bytes(bytes_at(bytes, 0)?);
        let size = usize::try_from(i32::from_le_bytes(bytes_at(bytes, 4)?)).ok()?;
        let body = &bytes[HEADER..];
        let looks_right = match self.compression.magic() {
            Some(magic) => body.starts_with(&magic),
            None => {
                let own_size = u32::from_le_bytes(bytes_at(body, 0)?) as usize;
                let kind = kind_of(identifier_of(body)?);
                own_size + 4 == size
                    && match self.kind(stream) {
                        None => kind != StreamKind::Other,
                        Some(StreamKind::Other) => true,
                        Some(listed) => listed == kind,
                    }
            }
        };
        let possible = SMALLEST <= size && size <= self.limit;
        (looks_right && stream >= 0 && possible).then_some((stream, size))
    }

    /// Whether the data table starts here: uncompressed (`FTAB`), or compressed, in which case its
    /// magic number is where a packet has its stream number. The body of a packet whose header was
    /// lost looks the same.
    pub(crate) fn is_table(&self, bytes: &[u8]) -> bool {
        bytes.get(8..12) == Some(b"FTAB")
            || self.compression.magic().is_some_and(|magic| bytes.starts_with(&magic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(compression: Compression) -> Framing {
        let streams = BTreeMap::from([(0, StreamKind::Events)]);
        Framing { compression, streams, table: None, limit: 1 << 20 }
    }

    fn packet(stream: i32, body: &[u8]) -> Vec<u8> {
        [&stream.to_le_bytes(), &(body.len() as i32).to_le_bytes(), body].concat()
    }

    const LZ4_BODY: &[u8] = &[0x04, 0x22, 0x4d, 0x18, 1, 2, 3, 4, 5, 6, 7, 8, 9];

    #[test]
    fn a_packet_is_sure_when_the_next_one_is_there() {
        let framing = framing(Compression::Lz4);
        let one = packet(0, LZ4_BODY);
        let two = [&one[..], &one].concat();
        let sure = |sure| Found::Packet { stream: 0, size: LZ4_BODY.len(), sure };
        assert_eq!(framing.look(&two, 0, true), sure(true));
        assert_eq!(framing.look(&one, 0, true), sure(true));
        assert_eq!(framing.look(&[&one[..], &[9; 30]].concat(), 0, true), sure(false));
        assert_eq!(framing.look(&one, 0, false), Found::Need(one.len() + LOOK));
        assert_eq!(framing.look(&one[..20], 0, true), Found::Cut { size: one.len() });
    }

    #[test]
    fn the_next_packet_is_found_after_damage() {
        let framing = framing(Compression::Lz4);
        let damaged = [&[7; 33][..], &packet(0, LZ4_BODY)].concat();
        assert_eq!(framing.look(&damaged, 0, true), Found::Nothing);
        assert_eq!(framing.find(&damaged), Some(33));
        assert_eq!(framing.find(&[&[7; 33][..], &packet(5, LZ4_BODY)].concat()), None);
    }
}
