//! Seek points from the headers of packets, each of which gives the offset of the next one.

use super::decode::Wanted;
use super::events::{EVENT, is_reset};
use super::packet::{HEADER, PacketHeader, SPECIAL};
use crate::codec::Checkpoint;
use crate::codec::seek::{Order, SampledPoint, ScanResult, SeekScan, stride};
use crate::error::Result;
use crate::io::ByteSource;

/// Goes from header to header, and reads the first time of each packet.
#[derive(Debug)]
pub(crate) struct HeaderScan {
    pub start: u64,
    /// The largest payload that a packet may have.
    pub limit: usize,
    pub wanted: Option<Wanted>,
}

impl SeekScan for HeaderScan {
    fn look(&mut self, source: &mut ByteSource) -> Result<Option<ScanResult>> {
        let Some(len) = source.len() else { return Ok(None) };
        let stride = stride(len.saturating_sub(self.start));
        let (mut at, mut next, mut points) = (self.start, self.start, Vec::new());
        let mut order = Order::default();
        while at < len {
            let bytes = source.read_at(at, HEADER + EVENT)?;
            if bytes.len() < HEADER {
                break;
            }
            let Some(header) = PacketHeader::read(&bytes, self.limit) else { return Ok(None) };
            if header.kind == SPECIAL && self.resets(source, at, &header)? {
                return Ok(None);
            }
            if header.number > 0 && Wanted::has(self.wanted, &header) {
                let time = bytes.get(HEADER + header.time_at..).and_then(|b| b.first_chunk());
                // The last packet may be incomplete.
                let Some(time) = time else { break };
                let Ok(time) = u32::try_from(i32::from_le_bytes(*time)) else { return Ok(None) };
                let time = i64::from(header.overflow) << 31 | i64::from(time);
                if !order.holds(time) {
                    return Ok(None);
                }
                if at >= next {
                    points.push(SampledPoint {
                        checkpoint: Checkpoint { offset: at, state: Vec::new() },
                        time,
                    });
                    next = at + stride;
                }
            }
            at += (HEADER + header.payload()) as u64;
        }
        Ok(Some(ScanResult::Sampled(points)))
    }
}

impl HeaderScan {
    /// Whether the camera set its clock to 0 in a packet of special events.
    fn resets(&self, source: &mut ByteSource, at: u64, header: &PacketHeader) -> Result<bool> {
        let events = source.read_at(at + HEADER as u64, header.payload())?;
        Ok(events.as_chunks::<EVENT>().0.iter().any(is_reset))
    }
}
