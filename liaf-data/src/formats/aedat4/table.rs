//! The data table at the end of a file: one entry a packet. It is a hint and nothing more.

use super::flatbuf::{OutOfBounds, Table, bytes_at};
use super::inflate::{Compression, Failure, Inflater};

/// Packets in sum: as many as were found, or as many as the table lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TableSum {
    /// Number of packets.
    pub packets: u64,
    /// Number of samples of the chosen stream.
    pub elements: u64,
    /// A sum over all packets of a hash of stream, size and place.
    pub places: u64,
}

impl TableSum {
    /// Adds a packet whose body, or whose header (jAER), is at `place`.
    pub(super) fn add(&mut self, stream: i32, size: u64, place: u64) {
        let key = place ^ size.rotate_left(40) ^ (stream as u64).rotate_left(20);
        self.packets += 1;
        self.places = self.places.wrapping_add((key | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ key);
    }
}

/// Adds up the entries of a table, which is compressed as the packets are, or not (jAER).
pub(super) fn sum(
    bytes: &[u8],
    compression: Compression,
    stream: Option<i32>,
    cap: usize,
) -> Result<TableSum, &'static str> {
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
    entries(content, stream).map_err(|out| out.what)
}

fn entries(content: &[u8], stream: Option<i32>) -> Result<TableSum, OutOfBounds> {
    let mut sum = TableSum::default();
    for entry in Table::root(content, 4)?.tables(0)? {
        let entry = entry?;
        let packet = entry.structure::<8>(1)?.unwrap_or_default();
        let id = bytes_at(&packet, 0).map(i32::from_le_bytes).unwrap_or_default();
        let size = bytes_at(&packet, 4).map(u32::from_le_bytes).unwrap_or_default();
        sum.add(id, size.into(), entry.i64(0, 0)? as u64);
        if Some(id) == stream {
            let elements = u64::try_from(entry.i64(2, 0)?).unwrap_or(0);
            sum.elements = sum.elements.saturating_add(elements);
        }
    }
    Ok(sum)
}
