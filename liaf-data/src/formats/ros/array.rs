//! The events of an `EventArray`.
//!
//! An event is a `u16` x, a `u16` y, a time of two 32-bit numbers and a byte for the polarity. ROS 1 has
//! 13 bytes for it. In CDR the first event has the time 4 bytes after its beginning; every later event
//! follows the polarity of the one before it after one byte that aligns x, and has two more bytes before
//! its time.

use super::serial::{Checked, Serial, micros};
use crate::model::{Event, EventBatch, SensorSize};

/// Size of an event in ROS 1.
const PLAIN: usize = 13;
/// Distance from one event to the next in CDR, and the size of an event after the first one.
const STRIDE: usize = 16;
const SIZE: usize = 15;
/// Offset of the second event in CDR.
const SECOND: usize = 14;

/// An `EventArray` whose fields before the events have been read.
#[derive(Debug)]
pub(crate) struct EventArray<'a> {
    pub sensor: Option<SensorSize>,
    pub count: usize,
    events: &'a [u8],
    is_ros1: bool,
    is_big_endian: bool,
    /// Whether bytes follow the events.
    pub has_excess: bool,
}

impl<'a> EventArray<'a> {
    pub fn read(mut fields: Serial<'a>) -> Checked<Self> {
        fields.header()?;
        let sensor = fields.sensor()?;
        let count = fields.length()?;
        let is_ros1 = fields.is_ros1();
        let bytes = match count {
            _ if is_ros1 => count.checked_mul(PLAIN),
            0 => Some(0),
            _ => count.checked_mul(STRIDE).map(|bytes| bytes - STRIDE + PLAIN),
        };
        let bytes = bytes.ok_or("the message has more events than can be")?;
        let events = fields.take(bytes, 1)?;
        Ok(Self {
            sensor,
            count,
            events,
            is_ros1,
            is_big_endian: fields.is_big_endian,
            has_excess: fields.has_excess(),
        })
    }

    /// Appends the events to `batch`.
    pub fn append(&self, batch: &mut EventBatch) {
        batch.reserve(self.count);
        if self.is_ros1 {
            let events = self.events.as_chunks::<PLAIN>().0;
            batch.t.extend(events.iter().map(|e| time::<false>(e, 4, true)));
            batch.x.extend(events.iter().map(|e| u16::from_le_bytes([e[0], e[1]])));
            batch.y.extend(events.iter().map(|e| u16::from_le_bytes([e[2], e[3]])));
            batch.p.extend(events.iter().map(|e| u8::from(e[12] != 0)));
        } else if self.is_big_endian {
            self.aligned::<true>(batch);
        } else {
            self.aligned::<false>(batch);
        }
    }

    fn aligned<const BIG: bool>(&self, batch: &mut EventBatch) {
        let Some(first) = self.events.first_chunk::<PLAIN>() else { return };
        let later = self.events.get(SECOND..).unwrap_or_default();
        let events = later.chunks(STRIDE).filter_map(|event| event.first_chunk::<SIZE>());
        let first = Event {
            t: time::<BIG>(first, 4, false),
            x: short::<BIG>(first, 0),
            y: short::<BIG>(first, 2),
            p: u8::from(first[12] != 0),
        };
        batch.push(first);
        batch.t.extend(events.clone().map(|e| time::<BIG>(e, 6, false)));
        batch.x.extend(events.clone().map(|e| short::<BIG>(e, 0)));
        batch.y.extend(events.clone().map(|e| short::<BIG>(e, 2)));
        batch.p.extend(events.map(|e| u8::from(e[14] != 0)));
    }
}

#[inline(always)]
fn short<const BIG: bool>(event: &[u8], at: usize) -> u16 {
    let bytes = [event[at], event[at + 1]];
    if BIG { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
}

#[inline(always)]
fn word<const BIG: bool>(event: &[u8], at: usize) -> u32 {
    let bytes = [event[at], event[at + 1], event[at + 2], event[at + 3]];
    if BIG { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
}

#[inline(always)]
fn time<const BIG: bool>(event: &[u8], at: usize, is_ros1: bool) -> i64 {
    micros(word::<BIG>(event, at), word::<BIG>(event, at + 4), is_ros1)
}
