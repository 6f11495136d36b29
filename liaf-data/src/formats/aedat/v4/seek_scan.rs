//! Seek points from the headers of packets. Their times come from the data table, or else from
//! decompressing some of the packets. The table is used only if it lists exactly the packets that
//! are in the file, and if its times agree with those of sampled packets.

use std::collections::BTreeMap;

use super::content;
use super::decode::WantedStreams;
use super::inflate::Inflater;
use super::packet::{Framing, HEADER, LOOK};
use super::table::{self, TableSum};
use crate::codec::Checkpoint;
use crate::codec::seek::{Order, SLACK, SampledPoint, ScanResult, SeekScan, stride};
use crate::error::Result;
use crate::io::ByteSource;
use crate::model::EventBatch;

/// Number of packets that are decompressed to check the times of the table.
const CHECKED: usize = 8;

/// Goes from header to header.
#[derive(Debug)]
pub(crate) struct PacketScout {
    pub framing: Framing,
    pub start: u64,
    /// The stream whose events are wanted.
    pub stream: Option<i32>,
    /// The largest decompressed size of a packet or of the table, in bytes.
    pub cap: usize,
}

/// A sampled packet of the wanted stream.
#[derive(Debug, Clone, Copy)]
struct Packet {
    at: u64,
    size: usize,
}

/// The packets of a file.
struct Packets {
    some: Vec<Packet>,
    /// Checksums of all packets, with the offsets of their bodies and with the offsets of their
    /// headers.
    bodies: TableSum,
    headers: TableSum,
    /// Offset at which the packets end.
    end: u64,
}

/// What the data table says.
struct Times {
    /// The times of the sampled packets, by their offsets.
    some: BTreeMap<u64, i64>,
    /// Whether the times of all packets of the stream are in order.
    are_in_order: bool,
}

impl SeekScan for PacketScout {
    fn look(&mut self, source: &mut ByteSource) -> Result<Option<ScanResult>> {
        let Some(packets) = self.hop(source)? else { return Ok(None) };
        if self.goes_on(source, packets.end)? {
            return Ok(None);
        }
        if let Some(times) = self.by_table(source, &packets)?
            && self.are_true(source, &packets.some, &times.some)?
        {
            let time = |packet: &Packet| Some(glimpse(packet.at, *times.some.get(&packet.at)?));
            let points: Option<_> = packets.some.iter().map(time).collect();
            return Ok(points.filter(|_| times.are_in_order).map(ScanResult::Sampled));
        }
        let mut points = Vec::with_capacity(packets.some.len());
        for packet in &packets.some {
            match self.first_time(source, packet)? {
                Some(Some(time)) => points.push(glimpse(packet.at, time)),
                // A packet without events is not a seek point.
                Some(None) => {}
                None => return Ok(None),
            }
        }
        Ok(Some(ScanResult::Sampled(points)))
    }
}

fn glimpse(at: u64, time: i64) -> SampledPoint {
    SampledPoint { checkpoint: Checkpoint { offset: at, state: Vec::new() }, time }
}

impl PacketScout {
    /// Visits all packets. Returns `None` if there is anything else between them.
    fn hop(&self, source: &mut ByteSource) -> Result<Option<Packets>> {
        let Some(len) = source.len() else { return Ok(None) };
        let stride = stride(len.saturating_sub(self.start));
        let (mut at, mut next) = (self.start, self.start);
        let (mut bodies, mut headers) = (TableSum::default(), TableSum::default());
        let mut some = Vec::new();
        while at < len {
            let bytes = source.read_at(at, LOOK)?;
            let is_end = bytes.len() < LOOK || self.framing.is_table(&bytes);
            if is_end {
                break;
            }
            let Some((stream, size)) = self.framing.packet(&bytes) else { return Ok(None) };
            if at + (HEADER + size) as u64 > len {
                break;
            }
            bodies.add(stream, size as u64, at + HEADER as u64);
            headers.add(stream, size as u64, at);
            if Some(stream) == self.stream && at >= next {
                some.push(Packet { at, size });
                next = at + stride;
            }
            at += (HEADER + size) as u64;
        }
        Ok(Some(Packets { some, bodies, headers, end: at }))
    }

    /// Whether more packets follow what should be the data table or the last, incomplete packet.
    fn goes_on(&self, source: &mut ByteSource, end: u64) -> Result<bool> {
        let mut at = end + HEADER as u64;
        loop {
            let bytes = source.read_at(at, 1 << 20)?;
            if self.framing.find(&bytes).is_some() {
                return Ok(true);
            }
            if bytes.len() <= LOOK {
                return Ok(false);
            }
            at += (bytes.len() - LOOK) as u64;
        }
    }

    /// The times of the sampled packets from the table, if it lists exactly the packets that are in
    /// the file.
    fn by_table(&self, source: &mut ByteSource, packets: &Packets) -> Result<Option<Times>> {
        if self.framing.table != Some(packets.end) {
            return Ok(None);
        }
        let left = source.len().map_or(0, |len| len.saturating_sub(packets.end));
        let Some(size) = usize::try_from(left).ok().filter(|&size| size <= self.cap) else {
            return Ok(None);
        };
        let bytes = source.read_at(packets.end, size)?;
        let compression = self.framing.compression;
        let Ok(sum) = table::sums(&bytes, compression, &WantedStreams::new(), self.cap) else {
            return Ok(None);
        };
        let is_of = |found: &TableSum| sum.packets == *found;
        let ahead = match (is_of(&packets.bodies), is_of(&packets.headers)) {
            (true, _) => HEADER as u64,
            (_, true) => 0,
            _ => return Ok(None),
        };
        let mut times: BTreeMap<_, _> = packets.some.iter().map(|one| (one.at, None)).collect();
        let (mut order, mut are_in_order) = (Order::default(), true);
        let enter = |stream: i32, offset: u64, start: i64| {
            if Some(stream) == self.stream {
                are_in_order &= order.holds(start);
            }
            let time = offset.checked_sub(ahead).and_then(|at| times.get_mut(&at));
            if let Some(time) = time {
                *time = Some(start);
            }
        };
        if table::each(&bytes, compression, self.cap, enter).is_err() {
            return Ok(None);
        }
        let some: Option<_> = times.into_iter().map(|(at, time)| Some((at, time?))).collect();
        Ok(some.map(|some| Times { some, are_in_order }))
    }

    /// Whether the times are those of some of the packets.
    fn are_true(
        &self,
        source: &mut ByteSource,
        packets: &[Packet],
        times: &BTreeMap<u64, i64>,
    ) -> Result<bool> {
        for packet in packets.iter().step_by(packets.len().div_ceil(CHECKED).max(1)) {
            let stated = times.get(&packet.at).copied().unwrap_or(i64::MIN);
            match self.first_time(source, packet)? {
                Some(Some(time)) if time.abs_diff(stated) <= SLACK as u64 => {}
                Some(None) => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The earliest time in a packet, `Some(None)` if it has no events. Returns `None` if it is
    /// damaged.
    fn first_time(&self, source: &mut ByteSource, packet: &Packet) -> Result<Option<Option<i64>>> {
        let body = source.read_at(packet.at + HEADER as u64, packet.size)?;
        let mut inflater = Inflater::default();
        let content = inflater.inflate(self.framing.compression, &body, self.cap);
        let mut batch = EventBatch::new();
        let events = content.ok().and_then(|c| content::events(c, None, &mut batch).ok());
        Ok(events.map(|()| batch.t.iter().min().copied()))
    }
}
