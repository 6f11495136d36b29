//! The data table at the end of a file, with an entry for each packet. It is only used as a hint.

use std::collections::BTreeMap;

use super::decode::WantedStreams;
use super::flatbuf::{OutOfBounds, Table, bytes_at};
use super::inflate::{Compression, Inflater};
use crate::container::unpack::BodyFault;

/// A summary of packets: of those that were found, or of those that the table lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TableSum {
    /// Number of packets.
    pub packets: u64,
    /// The sum of a hash of stream, size and offset over all packets.
    pub places: u64,
}

impl TableSum {
    /// Adds a packet whose body, or whose header (jAER), is at `offset`.
    pub(crate) fn add(&mut self, stream: i32, size: u64, offset: u64) {
        let key = offset ^ size.rotate_left(40) ^ (stream as u64).rotate_left(20);
        self.packets += 1;
        self.places = self.places.wrapping_add((key | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ key);
    }
}

/// A summary of the entries of a table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TableSums {
    pub packets: TableSum,
    /// Number of events or measurements of each of the wanted streams.
    pub elements: BTreeMap<i32, u64>,
}

/// Summarises the entries of a table. The table is compressed like the packets, or not compressed
/// (jAER).
pub(crate) fn sums(
    bytes: &[u8],
    compression: Compression,
    wanted: &WantedStreams,
    cap: usize,
) -> Result<TableSums, &'static str> {
    let mut sums = TableSums::default();
    read(bytes, compression, cap, |entry| {
        sums.packets.add(entry.stream, entry.size, entry.offset);
        if wanted.contains_key(&entry.stream) {
            let elements = sums.elements.entry(entry.stream).or_default();
            *elements = elements.saturating_add(entry.elements);
        }
    })?;
    Ok(sums)
}

/// Calls `take` with stream, offset and first time of every packet that the table lists.
pub(crate) fn each(
    bytes: &[u8],
    compression: Compression,
    cap: usize,
    mut take: impl FnMut(i32, u64, i64),
) -> Result<(), &'static str> {
    read(bytes, compression, cap, |entry| take(entry.stream, entry.offset, entry.start))
}

/// The entry of a packet.
struct Entry {
    stream: i32,
    size: u64,
    offset: u64,
    elements: u64,
    /// Time of its first element in µs.
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
        Err(BodyFault::Damaged(what)) => return Err(what),
        Err(BodyFault::TooLarge) => return Err("it is too large after decompression"),
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
            offset: entry.i64(0, 0)? as u64,
            elements: u64::try_from(entry.i64(2, 0)?).unwrap_or(0),
            start: entry.i64(3, 0)?,
        });
    }
    Ok(())
}
