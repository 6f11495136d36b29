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
}

impl Encoding {
    pub fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"evt3" => Some(Self::Evt3),
            b"evt21" => Some(Self::Evt21),
            b"mono" => Some(Self::Mono),
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

/// Appends the events of a packet in the encoding `mono`.
pub(crate) fn mono(packet: &EventPacket<'_>, batch: &mut EventBatch) {
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
