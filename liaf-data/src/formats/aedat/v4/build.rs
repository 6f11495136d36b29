//! The flatbuffers of a file, built by hand. Each starts with its size, and every number is aligned
//! to its own size relative to that start.

use super::header::MAGIC;

/// Offset of the first event in a packet.
pub(crate) const EVENTS_AT: usize = 32;
/// Size of an event in bytes.
pub(crate) const EVENT: usize = 16;
/// Offset in the file of the field that has the position of the data table.
pub(crate) const TABLE_POSITION_AT: u64 = MAGIC.len() as u64 + 32;

/// The entry of a packet in the data table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Offset of the body of the packet, which follows the packet header.
    pub body: u64,
    /// Size of the body in bytes.
    pub size: i32,
    /// Number of events in the packet.
    pub events: u64,
    /// Its earliest time in µs.
    pub t_min: i64,
    /// Its latest time in µs.
    pub t_max: i64,
}

/// A buffer with space for its size, which `end` fills in.
struct Buffer(Vec<u8>);

impl Buffer {
    fn new(root: u32, identifier: &[u8; 4]) -> Self {
        let mut buffer = Self(vec![0; 4]);
        // Offsets in a flatbuffer are relative to their own position.
        buffer.u32(root - 4);
        buffer.0.extend(identifier);
        buffer
    }

    fn u16s(&mut self, values: &[u16]) {
        self.0.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    fn u32(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    fn i32(&mut self, value: i32) {
        self.0.extend(value.to_le_bytes());
    }

    fn i64(&mut self, value: i64) {
        self.0.extend(value.to_le_bytes());
    }

    fn end(mut self) -> Vec<u8> {
        let size = self.0.len() as u32 - 4;
        self.0[..4].copy_from_slice(&size.to_le_bytes());
        self.0
    }
}

/// The `IOHeader`: compression, position of the data table (not known yet), `infoNode`.
pub(crate) fn io_header(compression: i32, info: &str) -> Vec<u8> {
    let mut buffer = Buffer::new(28, b"IOHE");
    // The vtable, at 12: its size, the size of the table, and the offset of each field in the
    // table.
    buffer.u16s(&[10, 20, 12, 4, 16, 0, 0, 0]);
    // The table, at 28.
    buffer.i32(28 - 12);
    buffer.i64(-1);
    buffer.i32(compression);
    buffer.u32(4);
    // The text, at 48, followed by a zero byte.
    buffer.u32(info.len() as u32);
    buffer.0.extend(info.as_bytes());
    buffer.0.resize((buffer.0.len() + 1).next_multiple_of(4), 0);
    buffer.end()
}

/// The part of an `EventPacket` before its `n` events.
pub(crate) fn packet_head(n: u32) -> [u8; EVENTS_AT] {
    let mut buffer = Buffer::new(20, b"EVTS");
    buffer.u16s(&[6, 8, 4, 0]);
    // The table is at 20, the vector at 28.
    buffer.i32(20 - 12);
    buffer.u32(4);
    buffer.u32(n);
    let mut head = [0; EVENTS_AT];
    head.copy_from_slice(&buffer.0);
    let size = (EVENTS_AT - 4 + EVENT * n as usize) as u32;
    head[..4].copy_from_slice(&size.to_le_bytes());
    head
}

/// The `FileDataTable`, with an entry for each packet. All entries share one vtable.
pub(crate) fn data_table(stream: i32, entries: &[Entry]) -> Vec<u8> {
    const VTABLE: usize = 20;
    const VECTOR: usize = 44;
    const BYTES: usize = 48;
    let mut buffer = Buffer::new(36, b"FTAB");
    buffer.u16s(&[6, 8, 4, 0]);
    // Position, stream and size, number, start, end. The 64-bit numbers come first.
    buffer.u16s(&[14, 44, 4, 36, 12, 20, 28, 0]);
    // The root table, at 36.
    buffer.i32(36 - 12);
    buffer.u32(4);
    buffer.u32(entries.len() as u32);
    let offsets = VECTOR + 4;
    let first = (offsets + 4 * entries.len()).next_multiple_of(8) + 4;
    for i in 0..entries.len() {
        buffer.u32((first + BYTES * i - (offsets + 4 * i)) as u32);
    }
    for (i, entry) in entries.iter().enumerate() {
        let at = first + BYTES * i;
        buffer.0.resize(at, 0);
        buffer.i32((at - VTABLE) as i32);
        buffer.i64(entry.body as i64);
        buffer.i64(entry.events as i64);
        buffer.i64(entry.t_min);
        buffer.i64(entry.t_max);
        buffer.i32(stream);
        buffer.i32(entry.size);
    }
    buffer.end()
}

#[cfg(test)]
mod tests {
    use super::super::flatbuf::Table;
    use super::*;

    #[test]
    fn headers_hold_what_they_were_made_of() {
        for text in ["", "a", "abc", "<dv/>\n"] {
            let buffer = io_header(3, text);
            assert_eq!(buffer[..4], (buffer.len() as u32 - 4).to_le_bytes());
            let root = Table::root(&buffer, 4).unwrap();
            assert_eq!(root.i32(0, 0), Ok(3));
            assert_eq!(root.i64(1, 7), Ok(-1));
            assert_eq!(root.vector(2, 1), Ok(text.as_bytes()));
            let at = TABLE_POSITION_AT as usize - MAGIC.len();
            assert_eq!(buffer[at..at + 8], (-1_i64).to_le_bytes());
        }
    }

    #[test]
    fn tables_list_every_packet() {
        for n in 0..4 {
            let entry = |i: u64| Entry { body: 100 + i, size: 7, events: i, t_min: -1, t_max: 5 };
            let entries: Vec<_> = (0..n).map(entry).collect();
            let buffer = data_table(9, &entries);
            let root = Table::root(&buffer, 4).unwrap();
            let found: Vec<_> = root.tables(0).unwrap().map(|table| table.unwrap()).collect();
            assert_eq!(found.len() as u64, n);
            for (table, entry) in found.iter().zip(&entries) {
                assert_eq!(table.i64(0, 0), Ok(entry.body as i64));
                assert_eq!(table.structure(1), Ok(Some([9, 0, 0, 0, 7, 0, 0, 0])));
                assert_eq!(table.i64(2, 9), Ok(entry.events as i64));
                assert_eq!((table.i64(3, 0), table.i64(4, 0)), (Ok(-1), Ok(5)));
            }
        }
    }
}
