//! The data table at the end of a file: one entry a packet. It is a hint and nothing more.

use std::collections::BTreeMap;

use super::decode::WantedStreams;
use super::flatbuf::{OutOfBounds, Table, bytes_at};
use super::inflate::{Compression, Failure, Inflater};

/// Packets in sum: as many as were found, or as many as the table lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TableSum {
    /// Number of packets.
    pub packets: u64,
    /// A sum over all packets of a hash of stream, size and place.
    pub places: u64,
}

impl TableSum {
    /// Adds a packet whose body, or whose header (jAER), is at `place`.
    pub(crate) fn add(&mut self, stream: i32, size: u64, place: u64) {
        let key = place ^ size.rotate_left(40) ^ (stream as u64).rotate_left(20);
        self.packets += 1;
        self.places = self.places.wrapping_add((key | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ key);
    }
}

/// What a table lists in sum.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TableSums {
    pub packets: TableSum,
    /// Events or measurements of each of the wanted streams.
    pub elements: BTreeMap<i32, u64>,
}

/// Adds up the entries of a table, which is compressed as the packets are, or not (jAER).
pub(crate) fn sums(
    bytes: &[u8],
    compression: Compression,
    wanted: &WantedStreams,
    cap: usize,
) -> Result<TableSums, &'static str> {
    let mut sums = TableSums::default();
    read(bytes, compression, cap, |entry| {
        sums.packets.add(entry.stream, entry.size, entry.place);
        if wanted.contains_key(&entry.stream) {
            let elements = sums.elements.entry(entry.stream).or_default();
            *elements = elements.saturating_add(entry.elements);
        }
    })?;
    Ok(sums)
}

/// Calls `take` with stream, place and first time of every packet that the table lists.
pub(crate) fn each(
    bytes: &[u8],
    compression: Compression,
    cap: usize,
    mut take: impl FnMut(i32, u64, i64),
) -> Result<(), &'static str> {
    read(bytes, compression, cap, |entry| take(entry.stream, entry.place, entry.start))
}

/// What a table says of a packet.
struct Entry {
    stream: i32,
    size: u64,
    place: u64,
    elements: u64,
    /// Time of its first sample in µs.
    start: i64,
}

/// Calls `take` with every entry.
fn read(
    bytes: &[u8],
    compression: Compression,
    cap: usize,
    take: impl FnMut(Entry),
) -> Result<(), &'static str> {
    let mut inflater = Inflater::default();
    let bare = bytes.get(8..12) == Some(b"FTAB");
    let compression = if bare { Compression::None } else { compression };
    let content = match inflater.inflate(compression, bytes, cap) {
        Ok(content) => content,
        Err(Failure::Damaged(what)) => return Err(what),
        Err(Failure::TooLarge) => return Err("it is too large"),
    };
    if content.get(8..12) != Some(b"FTAB") {
        return Err("it has another identifier");
    }
    entries(content, take).map_err(|out| out.what)
}

fn entries(content: &[u8], mut take: impl FnMut(Entry)) -> Result<(), OutOfBounds> {
    for entry in Table::root(content, 4)?.tables(0)? {
        let entry = entry?;
        let packet = entry.structure::<8>(1)?.unwrap_or_default();
        take(Entry {
            stream: bytes_at(&packet, 0).map(i32::from_le_bytes).unwrap_or_default(),
            size: bytes_at(&packet, 4).map(u32::from_le_bytes).unwrap_or_default().into(),
            place: entry.i64(0, 0)? as u64,
            elements: u64::try_from(entry.i64(2, 0)?).unwrap_or(0),
            start: entry.i64(3, 0)?,
        });
    }
    Ok(())
}
