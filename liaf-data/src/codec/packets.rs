//! Bytes of a format of packets that are not a whole packet yet.

use super::EventSink;
use crate::error::Result;

/// What is carried from one push to the next, behind bytes that are done with.
#[derive(Debug, Default)]
pub(crate) struct PacketBuffer {
    bytes: Vec<u8>,
    done: usize,
}

impl PacketBuffer {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.done..]
    }

    /// Forgets what is carried.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.done = 0;
    }
}

/// How many bytes were looked at for packets that turned out not to be there. What may be wasted grows
/// with the part of the file that is decoded: otherwise a file of packets within packets, or of headers
/// whose sizes lie, takes a time that grows with its square.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Waste(u64);

impl Waste {
    const ALLOWED: u64 = 128 << 20;
    const ALLOWED_PER_BYTE: u64 = 4;

    /// Adds bytes that were looked at in vain.
    pub fn add(&mut self, bytes: usize) {
        self.0 += bytes as u64;
    }

    /// Whether no more may be wasted at byte `offset` of the file.
    pub fn is_too_much(self, offset: u64) -> bool {
        self.0 > Self::ALLOWED + Self::ALLOWED_PER_BYTE * offset
    }
}

/// A decoder of packets that can say how many bytes it needs to go on.
pub(crate) trait Packets {
    /// What it carries.
    fn carry(&mut self) -> &mut PacketBuffer;

    /// How many bytes must be at hand, counted from the first of `carried`; `None` if any help.
    fn need(&self, carried: &[u8]) -> Option<usize>;

    /// Decodes what is whole in `bytes`, which reach to the end of the file if `last`; returns how
    /// many of them are done with.
    fn process(&mut self, bytes: &[u8], last: bool, sink: &mut dyn EventSink) -> Result<usize>;
}

/// [`Decoder::push`](crate::decode::Decoder::push) of such a decoder.
pub(crate) fn push(
    packets: &mut impl Packets,
    mut bytes: &[u8],
    sink: &mut dyn EventSink,
) -> Result<()> {
    while !bytes.is_empty() {
        let mut carry = std::mem::take(packets.carry());
        let before = carry.rest().len();
        if before == 0 {
            let done = packets.process(bytes, false, sink)?;
            carry.bytes.clear();
            carry.done = 0;
            carry.bytes.extend_from_slice(&bytes[done..]);
            *packets.carry() = carry;
            return Ok(());
        }
        // Complete the one packet that is carried, then go on in the bytes themselves.
        let need = packets.need(carry.rest()).unwrap_or(before + bytes.len());
        let add = need.saturating_sub(before).min(bytes.len());
        carry.bytes.extend_from_slice(&bytes[..add]);
        let done = packets.process(carry.rest(), false, sink)?;
        if done > before {
            // What is left of the carried bytes came from `bytes`.
            bytes = &bytes[done - before..];
            carry.done = carry.bytes.len();
        } else {
            bytes = &bytes[add..];
            carry.done += done;
        }
        // Not each time: what is carried may be large, and the steps through it small.
        if carry.done >= carry.bytes.len() / 4 {
            carry.bytes.drain(..carry.done);
            carry.done = 0;
        }
        *packets.carry() = carry;
    }
    Ok(())
}

/// Decodes what is carried at the end of the file.
pub(crate) fn finish(packets: &mut impl Packets, sink: &mut dyn EventSink) -> Result<()> {
    let carry = std::mem::take(packets.carry());
    packets.process(carry.rest(), true, sink).map(|_| ())
}
