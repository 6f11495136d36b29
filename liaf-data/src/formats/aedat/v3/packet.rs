//! Recognition of packets by their headers.

use std::collections::BTreeSet;

/// Size of a packet header in bytes.
pub(crate) const HEADER: usize = 28;

/// The largest overflow of a time that is accepted: Unix µs until 2112.
const LATEST: i32 = 1 << 21;

/// The types of packets that are decoded or counted by name.
pub(crate) const SPECIAL: i16 = 0;
pub(crate) const POLARITY: i16 = 1;
pub(crate) const FRAME: i16 = 2;
pub(crate) const IMU6: i16 = 3;
pub(crate) const IMU9: i16 = 4;

/// The header of a packet, with consistent values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PacketHeader {
    pub kind: i16,
    pub source: i16,
    /// Size of an event in bytes.
    pub size: usize,
    /// Offset of the time in an event.
    pub time_at: usize,
    /// The bits above the 31 bits of the times.
    pub overflow: i32,
    /// How many events the packet has room for, how many there are, and how many are valid.
    pub capacity: usize,
    pub number: usize,
    pub valid: usize,
}

impl PacketHeader {
    /// Parses the header at the beginning of `bytes`, if its values can be those of a packet of at
    /// most `limit` bytes.
    pub(crate) fn read(bytes: &[u8], limit: usize) -> Option<Self> {
        let bytes: &[u8; HEADER] = bytes.first_chunk()?;
        let (pairs, words) = bytes.split_at(4);
        let short = |at: usize| i16::from_le_bytes([pairs[at], pairs[at + 1]]);
        let word = |i: usize| words.as_chunks::<4>().0.get(i).map(|word| i32::from_le_bytes(*word));
        let count = |i: usize| word(i).and_then(|word| usize::try_from(word).ok());
        let header = Self {
            kind: short(0),
            source: short(2),
            size: count(0)?,
            time_at: count(1)?,
            overflow: word(2).filter(|&overflow| overflow >= 0)?,
            capacity: count(3)?,
            number: count(4)?,
            valid: count(5)?,
        };
        let fits = match header.kind {
            SPECIAL | POLARITY => header.size == 8 && header.time_at == 4,
            FRAME => header.size >= 36,
            IMU6 => header.size == 36,
            IMU9 => header.size == 48,
            kind => kind > 0,
        } && header.size >= header.time_at.checked_add(4)?;
        let counts = header.valid <= header.number && header.number <= header.capacity;
        let payload = header.capacity.checked_mul(header.size)?;
        (fits && counts && header.source >= 0 && payload <= limit).then_some(header)
    }

    /// Number of bytes after the header.
    pub fn payload(&self) -> usize {
        self.capacity * self.size
    }

    /// Whether the events in `payload` are as the header says: the number of valid events is right,
    /// and no time is negative.
    pub fn describes(&self, payload: &[u8]) -> bool {
        let mut valid = 0;
        for event in payload.chunks_exact(self.size).take(self.number) {
            valid += usize::from(event[0] & 1);
            if event.get(self.time_at + 3).is_none_or(|&highest| highest > 0x7f) {
                return false;
            }
        }
        valid == self.valid
    }
}

/// What the packets of a file look like.
#[derive(Debug, Clone)]
pub(crate) struct Framing {
    /// The sources that the header of the file lists.
    pub sources: BTreeSet<i16>,
    /// The largest payload that a packet may have.
    pub limit: usize,
}

/// What was found at an offset of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A packet that ends `end` bytes after this offset. `sure` means that what follows it looks
    /// right as well.
    Packet { header: PacketHeader, end: usize, sure: bool },
    /// More bytes are needed to decide: this many from this offset on.
    Need(usize),
    /// The file ends inside a packet, or inside a packet header.
    Cut { header: Option<PacketHeader> },
    /// There is no packet.
    Nothing,
}

impl Framing {
    /// What is at the beginning of `bytes`, which extend to the end of the file if `last`.
    pub fn look(&self, bytes: &[u8], last: bool) -> Found {
        if bytes.len() < HEADER {
            return if last { Found::Cut { header: None } } else { Found::Need(HEADER) };
        }
        let Some(header) = PacketHeader::read(bytes, self.limit) else { return Found::Nothing };
        let end = HEADER + header.payload();
        match bytes.get(end..) {
            None if last => Found::Cut { header: Some(header) },
            None => Found::Need(end + HEADER),
            Some(next) if next.len() < HEADER && !last => Found::Need(end + HEADER),
            Some(next) => {
                let sure = next.is_empty() || PacketHeader::read(next, self.limit).is_some();
                Found::Packet { header, end, sure }
            }
        }
    }

    /// Offset in `bytes` of the next header that is certain: its type has events of a
    /// characteristic size, there are events, and the header of the file lists its source.
    pub fn find(&self, bytes: &[u8]) -> Option<usize> {
        (0..bytes.len().saturating_sub(HEADER - 1)).find(|&at| {
            // Most offsets are ruled out by these two bytes.
            matches!(bytes[at..at + 2], [0..=4, 0])
                && PacketHeader::read(&bytes[at..], self.limit).is_some_and(|header| {
                    let listed = self.sources.is_empty() || self.sources.contains(&header.source);
                    header.number > 0 && header.overflow <= LATEST && listed
                })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: i16, size: i32, number: i32) -> Vec<u8> {
        let mut bytes = [kind.to_le_bytes(), 1_i16.to_le_bytes()].concat();
        for word in [size, 4, 0, number, number, number] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.resize(HEADER + (size.max(0) * number.max(0)) as usize, 1);
        bytes
    }

    fn framing() -> Framing {
        Framing { sources: BTreeSet::from([1]), limit: 1 << 20 }
    }

    #[test]
    fn numbers_that_do_not_fit_are_no_packet() {
        for (kind, size, number) in
            [(1, 12, 1), (1, -8, 1), (1, 8, -1), (1, 8, 1 << 20), (3, 8, 1), (-1, 8, 1), (9, 4, 1)]
        {
            let mut bytes = packet(kind, size, number.min(4));
            bytes[16..20].copy_from_slice(&i32::to_le_bytes(number));
            assert_eq!(framing().look(&bytes, true), Found::Nothing, "{kind} {size} {number}");
        }
    }

    #[test]
    fn the_next_packet_is_found_after_damage() {
        let damaged = [&[7; 33][..], &packet(1, 8, 3)].concat();
        assert_eq!(framing().look(&damaged, true), Found::Nothing);
        assert_eq!(framing().find(&damaged), Some(33));
        let unknown = [&[7; 33][..], &packet(77, 8, 3)].concat();
        assert_eq!(framing().find(&unknown), None);
    }
}
