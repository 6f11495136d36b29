//! The contents of a decompressed packet: a size-prefixed flatbuffer with an identifier of four
//! letters.

use super::flatbuf::{OutOfBounds, Table, bytes_at};
use crate::model::{EventBatch, StreamKind};

/// Size of an event in bytes: i64 time, i16 x, i16 y, u8 polarity, 3 bytes of padding.
const EVENT: usize = 16;
/// Number of events that are converted together, so that the four passes over them read from the
/// cache.
const BLOCK: usize = 256;

/// The identifier of a kind of packet.
pub(crate) fn identifier(kind: StreamKind) -> Option<[u8; 4]> {
    match kind {
        StreamKind::Events => Some(*b"EVTS"),
        StreamKind::Frames => Some(*b"FRME"),
        StreamKind::Imu => Some(*b"IMUS"),
        StreamKind::Triggers => Some(*b"TRIG"),
        StreamKind::Other => None,
    }
}

/// The kind of packet that has this identifier.
pub(crate) fn kind_of(identifier: [u8; 4]) -> StreamKind {
    match &identifier {
        b"EVTS" => StreamKind::Events,
        b"FRME" => StreamKind::Frames,
        b"IMUS" => StreamKind::Imu,
        b"TRIG" => StreamKind::Triggers,
        _ => StreamKind::Other,
    }
}

/// The identifier of a decompressed packet.
pub(crate) fn identifier_of(content: &[u8]) -> Option<[u8; 4]> {
    bytes_at(content, 8)
}

/// The root table, if the identifier is that of `kind`.
pub(crate) fn root(content: &[u8], kind: StreamKind) -> Result<Table<'_>, OutOfBounds> {
    let out = |what, at| OutOfBounds { what, at };
    let size = bytes_at(content, 0).map(u32::from_le_bytes).ok_or(out("packet size", 0))? as usize;
    let end = size.checked_add(4).filter(|&end| end <= content.len());
    let content = &content[..end.ok_or(out("packet size", 0))?];
    if identifier(kind).is_some_and(|expected| identifier_of(content) != Some(expected)) {
        return Err(out("packet identifier", 8));
    }
    Table::root(content, 4)
}

/// Appends the events of a packet. With `flip_y`, rows are counted from the other end
/// (`flip_y - 1 - y`).
pub(crate) fn events(
    content: &[u8],
    flip_y: Option<u16>,
    batch: &mut EventBatch,
) -> Result<(), OutOfBounds> {
    let elements = root(content, StreamKind::Events)?.vector(0, EVENT)?;
    append_all(elements.as_chunks().0, flip_y, batch);
    Ok(())
}

fn append_all(events: &[[u8; EVENT]], flip_y: Option<u16>, batch: &mut EventBatch) {
    batch.reserve(events.len());
    events.chunks(BLOCK).for_each(|block| append(block, batch));
    if let Some(height) = flip_y {
        let first = batch.y.len() - events.len();
        batch.y[first..].iter_mut().for_each(|y| *y = (height.wrapping_sub(1)).wrapping_sub(*y));
    }
}

/// Passes the events of a packet, whose contents are known to be valid, to `take` in batches of at
/// most `most` events.
pub(crate) fn event_batches<E>(
    content: &[u8],
    flip_y: Option<u16>,
    most: usize,
    batch: &mut EventBatch,
    mut take: impl FnMut(&mut EventBatch) -> Result<(), E>,
) -> Result<(), E> {
    let elements = root(content, StreamKind::Events).and_then(|root| root.vector(0, EVENT));
    let events = elements.unwrap_or_default().as_chunks::<EVENT>().0;
    for events in events.chunks(most.max(1)) {
        batch.clear();
        append_all(events, flip_y, batch);
        take(batch)?;
    }
    Ok(())
}

fn append(block: &[[u8; EVENT]], batch: &mut EventBatch) {
    batch.t.extend(block.iter().map(time));
    batch.x.extend(block.iter().map(|event| u16::from_le_bytes([event[8], event[9]])));
    batch.y.extend(block.iter().map(|event| u16::from_le_bytes([event[10], event[11]])));
    batch.p.extend(block.iter().map(|event| u8::from(event[12] != 0)));
}

fn time(event: &[u8; EVENT]) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = *event;
    i64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Number of elements in a packet that is not decoded: events, IMU readings, triggers, or one
/// frame.
pub(crate) fn count(content: &[u8], kind: StreamKind) -> Result<u64, OutOfBounds> {
    if kind == StreamKind::Other {
        return Ok(1);
    }
    let table = root(content, kind)?;
    Ok(match kind {
        StreamKind::Events => (table.vector(0, EVENT)?.len() / EVENT) as u64,
        StreamKind::Imu | StreamKind::Triggers => table.tables(0)?.len() as u64,
        StreamKind::Frames | StreamKind::Other => 1,
    })
}
