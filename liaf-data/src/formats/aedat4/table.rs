//! The data table at the end of a file: one entry a packet. It is a hint and nothing more.

use super::flatbuf::{OutOfBounds, Table, bytes_at};
use super::inflate::{Compression, Failure, Inflater};

/// What the table says in sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TableSum {
    /// Number of packets listed.
    pub packets: u64,
    /// Number of samples listed of the chosen stream.
    pub elements: u64,
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
    let mut sum = TableSum { packets: 0, elements: 0 };
    for entry in Table::root(content, 4)?.tables(0)? {
        let entry = entry?;
        let packet = entry.structure::<8>(1)?.unwrap_or_default();
        sum.packets += 1;
        if bytes_at(&packet, 0).map(i32::from_le_bytes) == stream {
            let elements = u64::try_from(entry.i64(2, 0)?).unwrap_or(0);
            sum.elements = sum.elements.saturating_add(elements);
        }
    }
    Ok(sum)
}
