//! Buffering of bytes for formats of packets, until a packet is complete.

use super::EventSink;
use crate::error::Result;
use crate::model::{Finding, Report};

/// Bytes that are kept from one push to the next. The first `done` of them have been decoded already.
#[derive(Debug, Default)]
pub(crate) struct PacketBuffer {
    bytes: Vec<u8>,
    done: usize,
}

impl PacketBuffer {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.done..]
    }

    /// Discards all kept bytes.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.done = 0;
    }
}

/// Counts bytes that were examined for packets that turned out not to exist. The allowance grows with
/// the part of the file that is decoded. Without a limit, a file of nested packets, or of headers with
/// wrong sizes, would take a time that grows with the square of its size.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Waste(u64);

impl Waste {
    const ALLOWED: u64 = 128 << 20;
    const ALLOWED_PER_BYTE: u64 = 4;

    /// Adds bytes that were examined in vain.
    pub fn add(&mut self, bytes: usize) {
        self.0 += bytes as u64;
    }

    /// Whether the allowance at byte `offset` of the file is used up.
    pub fn is_too_much(self, offset: u64) -> bool {
        self.0 > Self::ALLOWED + Self::ALLOWED_PER_BYTE * offset
    }
}

/// Whether a decoder is inside damaged data, and the account of what is skipped there.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Damage {
    since: Option<u64>,
}

impl Damage {
    /// Whether the next packet is still to be found.
    pub fn is_open(self) -> bool {
        self.since.is_some()
    }

    /// Marks the `skip` bytes at `offset` as damaged; the search for a packet continues after them.
    /// Returns `skip`.
    pub fn start(&mut self, skip: usize, offset: u64, report: &mut Report) -> usize {
        report.add(Finding::DamagedPackets, 1, offset);
        report.bytes.skipped += skip as u64;
        self.since = Some(offset);
        skip
    }

    /// Skips to the packet that was `found` in the next `len` bytes or, if there is none, all of them
    /// but the last `keep`, in which one may start. Returns how many bytes were skipped, and whether a
    /// packet was found.
    pub fn skip(
        &mut self,
        found: Option<usize>,
        len: usize,
        keep: usize,
        report: &mut Report,
    ) -> (usize, bool) {
        let passed = found.unwrap_or(len.saturating_sub(keep));
        report.bytes.skipped += passed as u64;
        if found.is_some()
            && let Some(since) = self.since.take()
        {
            report.add(Finding::Resyncs, 1, since);
        }
        (passed, found.is_some())
    }
}

/// A decoder of packets that can say how many bytes it needs to continue.
pub(crate) trait Packets {
    /// The bytes that are kept.
    fn carry(&mut self) -> &mut PacketBuffer;

    /// How many bytes are needed to continue, counted from the first byte of `carried`; `None` if any
    /// number helps.
    fn need(&self, carried: &[u8]) -> Option<usize>;

    /// Decodes the complete packets in `bytes`, which reach to the end of the file if `last`. Returns
    /// how many of the bytes have been decoded.
    fn process(&mut self, bytes: &[u8], last: bool, sink: &mut dyn EventSink) -> Result<usize>;
}

/// [`Decoder::push`](crate::decode::Decoder::push) for such a decoder.
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
        // Complete the packet that is kept, then continue in `bytes` itself.
        let need = packets.need(carry.rest()).unwrap_or(before + bytes.len());
        let add = need.saturating_sub(before).min(bytes.len());
        carry.bytes.extend_from_slice(&bytes[..add]);
        let done = packets.process(carry.rest(), false, sink)?;
        if done > before {
            // The kept bytes that are left over came from `bytes`.
            bytes = &bytes[done - before..];
            carry.done = carry.bytes.len();
        } else {
            bytes = &bytes[add..];
            carry.done += done;
        }
        // The decoded bytes are removed only when they are many, as the rest may be large and has to be
        // moved.
        if carry.done >= carry.bytes.len() / 4 {
            carry.bytes.drain(..carry.done);
            carry.done = 0;
        }
        *packets.carry() = carry;
    }
    Ok(())
}

/// Decodes the kept bytes at the end of the file.
pub(crate) fn finish(packets: &mut impl Packets, sink: &mut dyn EventSink) -> Result<()> {
    let carry = std::mem::take(packets.carry());
    packets.process(carry.rest(), true, sink).map(|_| ())
}
