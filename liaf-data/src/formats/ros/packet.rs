//! An `EventPacket`, in which the events are encoded as the camera sends them.

use super::serial::{Checked, Serial};
use crate::model::{Event, EventBatch, SensorSize};

/// How the events of a packet are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Evt3,
    Evt21,
    /// 64 bits for an event: time in ns since the base of the packet, x, y and polarity.
    Mono,
    /// 64 bits for an event, as in the packets of AEDAT 3.1: polarity, y and x, and 31 bits of time in µs.
    Libcaer,
}

impl Encoding {
    pub fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"evt3" => Some(Self::Evt3),
            b"evt21" => Some(Self::Evt21),
            b"mono" => Some(Self::Mono),
            b"libcaer" => Some(Self::Libcaer),
            _ => None,
        }
    }
}

/// An `EventPacket`.
#[derive(Debug)]
pub(crate) struct EventPacket<'a> {
    pub sensor: Option<SensorSize>,
    pub time_base: u64,
    /// The name of the encoding.
    pub encoding: &'a [u8],
    pub is_big_endian: bool,
    pub events: &'a [u8],
    /// Whether bytes follow the events.
    pub has_excess: bool,
}

impl<'a> EventPacket<'a> {
    pub fn read(mut fields: Serial<'a>) -> Checked<Self> {
        fields.header()?;
        let sensor = fields.sensor()?;
        fields.u64()?;
        let time_base = fields.u64()?;
        let encoding = fields.text()?;
        let is_big_endian = fields.u8()? != 0;
        let length = fields.length()?;
        let events = fields.take(length, 1)?;
        let has_excess = fields.has_excess();
        Ok(Self { sensor, time_base, encoding, is_big_endian, events, has_excess })
    }

    /// The encoding, if it is one that is read.
    pub fn readable(&self) -> Option<Encoding> {
        Encoding::named(self.encoding).filter(|_| !self.is_big_endian)
    }
}

/// Appends the events of a packet in an encoding that has 8 bytes for each.
pub(crate) fn records(encoding: Encoding, packet: &EventPacket<'_>, batch: &mut EventBatch) {
    match encoding {
        Encoding::Mono => mono(packet, batch),
        Encoding::Libcaer => libcaer(packet, batch),
        Encoding::Evt3 | Encoding::Evt21 => {}
    }
}

/// The events of a packet of libcaer. The base of the packet, in ns, includes the rounds of the camera's clock
/// of 31 bits; a lower time within the packet begins the next round.
fn libcaer(packet: &EventPacket<'_>, batch: &mut EventBatch) {
    let (mut round, mut last) = (0_u64, 0);
    batch.extend(packet.events.as_chunks::<8>().0.iter().map(|&[a, b, c, d, time @ ..]| {
        let data = u32::from_le_bytes([a, b, c, d]);
        let time = u32::from_le_bytes(time) & 0x7fff_ffff;
        round += u64::from(time < last) << 31;
        last = time;
        let ns = packet.time_base.wrapping_add((round + u64::from(time)).wrapping_mul(1000));
        Event {
            t: (ns / 1000) as i64,
            x: (data >> 17) as u16,
            y: (data >> 2) as u16 & 0x7fff,
            p: (data >> 1) as u8 & 1,
        }
    }));
}

/// Appends the events of a packet in the encoding `mono`.
fn mono(packet: &EventPacket<'_>, batch: &mut EventBatch) {
    let words = packet.events.as_chunks::<8>().0;
    batch.extend(words.iter().map(|&word| {
        let word = u64::from_le_bytes(word);
        let ns = packet.time_base.wrapping_add(word & 0xffff_ffff);
        Event {
            t: (ns / 1000) as i64,
            x: (word >> 32) as u16,
            y: (word >> 48) as u16 & 0x7fff,
            p: (word >> 63) as u8,
        }
    }));
}
