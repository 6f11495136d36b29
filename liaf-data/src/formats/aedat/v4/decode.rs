//! Decoding of packets to events and measurements.

mod check_table;

use std::collections::BTreeMap;
use std::ops::Range;

use super::flatbuf::OutOfBounds;
use super::inflate::{Compression, Inflater};
use super::packet::{Found, Framing, HEADER, LOOK};
use super::table::TableSum;
use super::{content, measurements};
use crate::codec::packets::{self, PacketBuffer, Packets, Waste};
use crate::codec::per_stream::PerStream;
use crate::codec::{Checkpoint, Decoder, EventSink, ReadOptions};
use crate::container::unpack::BodyFault;
use crate::error::{Error, Result};
use crate::io::{in_order, places_per_pool};
use crate::model::{EventBatch, Finding, Measurement, Report, StreamKind};

/// Decodes the packets of an AEDAT 4.0 file, which follow its header.
#[derive(Debug)]
pub struct Aedat4Decoder {
    framing: Framing,
    wanted: WantedStreams,
    /// The reports of the wanted streams, if there are several.
    streams: Option<PerStream>,
    strict: bool,
    /// The largest decompressed size of a packet, and that of a packet in a group.
    cap: usize,
    group_cap: usize,
    /// Offset of the first packet.
    start: u64,
    /// The bytes of a packet that is incomplete, or that is complete but not known to be valid until
    /// the next one is seen. `offset` is their offset in the file.
    carry: PacketBuffer,
    offset: u64,
    place: Place,
    /// Packets that are decompressed together.
    jobs: Vec<Job>,
    slots: Vec<DecodedPacket>,
    /// Memory for a single packet, which may be larger than one of a group.
    alone: DecodedPacket,
    waste: Waste,
    parallel: bool,
    /// Summaries of the packets that were found, with the offsets of their bodies and with those of
    /// their headers.
    bodies: TableSum,
    headers: TableSum,
    /// Number of events or measurements in the packets of each wanted stream.
    elements: BTreeMap<i32, u64>,
    /// Whether packets were skipped, so that the table cannot be compared with what was found.
    resumed: bool,
    report: Report,
}

/// Number of events that are converted together at most.
const BATCH: usize = 64 << 10;

/// The streams that are wanted. If a stream has a number, its rows are stored from the bottom of a
/// sensor of that height.
pub(crate) type WantedStreams = BTreeMap<i32, Option<u16>>;

/// The part of the file in which the decoder is.
#[derive(Debug)]
enum Place {
    /// At the start of a packet.
    Packets,
    /// Inside damaged data, which started at this offset.
    Lost { since: u64 },
    /// In the data table, or in what looks like it as long as no packet follows: it started at this
    /// offset, and has these bytes so far.
    Table { start: u64, seen: Vec<u8> },
}

/// A packet to be decompressed, with the range of its body in the current bytes.
#[derive(Debug, Clone)]
struct Job {
    offset: u64,
    body: Range<usize>,
    stream: i32,
    kind: StreamKind,
}

/// The decompressed and decoded contents of one packet.
#[derive(Debug, Default)]
struct DecodedPacket {
    inflater: Inflater,
    batch: EventBatch,
    /// Whether the packet has too many events for one batch: they are converted when they are passed
    /// on, so that they are in memory only once.
    is_long: bool,
    measurements: Vec<Measurement>,
    outcome: Option<std::result::Result<u64, Trouble>>,
}

/// Why a packet could not be decoded.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Inflate(BodyFault),
    Content(OutOfBounds),
}

impl Aedat4Decoder {
    pub(crate) fn new(
        framing: Framing,
        wanted: WantedStreams,
        header: u64,
        options: &ReadOptions,
    ) -> Self {
        let parallel = options.parallel && !options.strict;
        let group = if parallel { places_per_pool() } else { 0 };
        let mut slots = Vec::new();
        slots.resize_with(group, DecodedPacket::default);
        let limits = options.limits;
        Self {
            framing,
            streams: (wanted.len() > 1).then(|| PerStream::new(wanted.keys().copied())),
            wanted,
            strict: options.strict,
            cap: limits.packet_bytes,
            group_cap: limits.packet_bytes.min(limits.in_flight_bytes / group.max(1)),
            start: header,
            carry: PacketBuffer::default(),
            offset: header,
            place: Place::Packets,
            jobs: Vec::new(),
            slots,
            alone: DecodedPacket::default(),
            waste: Waste::default(),
            parallel,
            bodies: TableSum::default(),
            headers: TableSum::default(),
            elements: BTreeMap::new(),
            resumed: false,
            report: Report::of_header(header),
        }
    }

    /// Searches for the next packet, or for the data table, after damage or in what may be the table.
    /// Returns how many bytes were skipped, and whether something was found.
    fn search(&mut self, rest: &[u8], last: bool) -> Result<(usize, bool)> {
        let packet = self.framing.find(rest);
        let keep = if last { 0 } else { LOOK - 1 };
        let all = rest.len().saturating_sub(keep);
        match &mut self.place {
            Place::Packets => Ok((0, true)),
            Place::Lost { since } => {
                let since = *since;
                let table = self.framing.find_table(rest, self.offset, last);
                let found = packet.into_iter().chain(table).min();
                let passed = found.unwrap_or(all);
                self.skip(passed as u64);
                if found.is_some() {
                    self.report.add(Finding::Resyncs, 1, since);
                    self.place = Place::Packets;
                }
                Ok((passed, found.is_some()))
            }
            Place::Table { start, seen } => {
                let Some(skip) = packet else {
                    self.report.bytes.header += all as u64;
                    if seen.len() + all <= self.cap {
                        seen.extend_from_slice(&rest[..all]);
                    }
                    return Ok((all, false));
                };
                // This was not the table, but a packet without its header.
                let start = *start;
                let passed = self.offset - start;
                self.report.bytes.header -= passed;
                self.skip(passed + skip as u64);
                self.place = Place::Packets;
                if self.strict {
                    return Err(Error::malformed("no packet starts here")
                        .at(start)
                        .expected("a packet, or the data table and nothing after it"));
                }
                self.report.add(Finding::DamagedPackets, 1, start);
                self.report.add(Finding::Resyncs, 1, start);
                Ok((skip, true))
            }
        }
    }

    fn skip(&mut self, bytes: u64) {
        self.report.bytes.skipped += bytes;
    }

    /// Marks the next `skip` bytes as damaged; the search for a packet continues after them.
    fn lose(&mut self, skip: usize, since: u64) -> usize {
        self.skip(skip as u64);
        self.place = Place::Lost { since };
        skip
    }

    /// The file ends inside a packet. This may be the last packet, or one whose size is wrong.
    fn cut(&mut self, rest: &[u8], size: usize) -> Result<()> {
        if self.strict {
            return Err(Error::truncated("the last packet is incomplete")
                .at(self.offset)
                .expected(format!("{size} bytes"))
                .found(format!("{} bytes", rest.len())));
        }
        let lies = rest.get(HEADER..).is_some_and(|rest| self.framing.find(rest).is_some())
            || self.framing.find_table(rest, self.offset, true).is_some();
        let finding = if lies { Finding::DamagedPackets } else { Finding::TruncatedTails };
        self.report.add(finding, 1, self.offset);
        Ok(())
    }

    /// Reports that there is no packet where one should start.
    fn nothing(&mut self, rest: &[u8]) -> Result<()> {
        if self.strict {
            let shown = &rest[..rest.len().min(LOOK)];
            return Err(Error::malformed("no packet starts here")
                .at(self.offset)
                .expected(
                    "stream, size, and a body that begins with the compression's magic number",
                )
                .found(format!("{shown:02x?}")));
        }
        self.report.add(Finding::DamagedPackets, 1, self.offset);
        Ok(())
    }

    /// Processes the packet with the body `body`; returns the offset at which to continue.
    fn packet(
        &mut self,
        bytes: &[u8],
        stream: i32,
        body: Range<usize>,
        sure: bool,
        sink: &mut dyn EventSink,
    ) -> Result<usize> {
        let (offset, end) = (self.offset, body.end);
        let kind = match self.framing.kind(stream) {
            Some(kind) => kind,
            None if !sure => {
                self.run_jobs(bytes, sink)?;
                self.nothing(&bytes[body.start - HEADER..])?;
                return Ok(body.start - HEADER + self.lose(HEADER, offset));
            }
            None => {
                if self.strict {
                    return Err(Error::malformed(
                        "a packet belongs to a stream that the header does not list",
                    )
                    .at(offset)
                    .expected(format!("one of {}", self.framing.names()))
                    .found(stream));
                }
                self.report.add(Finding::UnknownStreams, 1, offset);
                self.skip((HEADER + body.len()) as u64);
                return Ok(end);
            }
        };
        if !sure && self.waste.is_too_much(offset) {
            self.run_jobs(bytes, sink)?;
            self.nothing(&bytes[body.start - HEADER..])?;
            return Ok(body.start - HEADER + self.lose(HEADER, offset));
        }
        self.bodies.add(stream, body.len() as u64, offset + HEADER as u64);
        self.headers.add(stream, body.len() as u64, offset);
        let job = Job { offset, body, stream, kind };
        let is_single = matches!(kind, StreamKind::Frames | StreamKind::Other);
        if sure && is_single && !self.wanted.contains_key(&stream) {
            self.count(&job, 1);
            return Ok(end);
        }
        if sure {
            self.jobs.push(job);
            if !self.parallel {
                self.run_jobs(bytes, sink)?;
            }
            return Ok(end);
        }
        // There is no packet after this one. Either the damage starts there, or the size of this packet
        // is wrong.
        self.run_jobs(bytes, sink)?;
        let start = job.body.start;
        self.jobs.push(job);
        if self.run_jobs(bytes, sink)? {
            return Ok(end);
        }
        self.waste.add(self.alone.inflater.work());
        self.report.bytes.skipped -= (end - start) as u64;
        self.place = Place::Lost { since: offset };
        Ok(start)
    }

    /// Decompresses the waiting packets, and passes their events to the sink in order. Returns whether
    /// all of them were valid.
    fn run_jobs(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<bool> {
        if self.jobs.is_empty() {
            return Ok(true);
        }
        let jobs = std::mem::take(&mut self.jobs);
        let mut slots = std::mem::take(&mut self.slots);
        let (compression, wanted) = (self.framing.compression, std::mem::take(&mut self.wanted));
        let run = |job: &Job, slot: &mut DecodedPacket, cap| {
            slot.run(job, &bytes[job.body.clone()], compression, wanted.get(&job.stream), cap);
        };
        let (cap, group_cap) = (self.cap, self.group_cap);
        let mut sound = true;
        let mut alone = std::mem::take(&mut self.alone);
        let result = if let [job] = &jobs[..] {
            run(job, &mut alone, cap);
            self.give(&mut alone, job, bytes, &wanted, sink).map(|one| sound = one)
        } else {
            let work = |_, job: &Job, slot: &mut DecodedPacket| run(job, slot, group_cap);
            let give = |_, job: &Job, slot: &mut DecodedPacket| {
                let slot = if slot.is_too_large() && group_cap < cap {
                    // The packet is too large to be one of many: decompress it once more on its own.
                    run(job, &mut alone, cap);
                    &mut alone
                } else {
                    slot
                };
                sound &= self.give(slot, job, bytes, &wanted, sink)?;
                Ok(())
            };
            in_order(&jobs, &mut slots, work, give)
        };
        self.slots = slots;
        self.alone = alone;
        self.wanted = wanted;
        self.jobs = jobs;
        self.jobs.clear();
        result.map(|()| sound)
    }

    /// Passes the contents of a slot to the sink. Returns whether the packet was valid.
    fn give(
        &mut self,
        slot: &mut DecodedPacket,
        job: &Job,
        bytes: &[u8],
        wanted: &WantedStreams,
        sink: &mut dyn EventSink,
    ) -> Result<bool> {
        match slot.outcome.take() {
            Some(Ok(count)) if wanted.contains_key(&job.stream) => {
                *self.elements.entry(job.stream).or_default() += count;
                let report = match &mut self.streams {
                    Some(streams) => {
                        sink.stream(job.stream);
                        streams.count(job.stream, count, job.offset);
                        streams.report(job.stream)
                    }
                    None => &mut self.report,
                };
                report.bytes.events += (HEADER + job.body.len()) as u64;
                if slot.is_long {
                    let DecodedPacket { inflater, batch, .. } = &mut *slot;
                    let body = &bytes[job.body.clone()];
                    let content = inflater.content(self.framing.compression, body);
                    let flip_y = wanted.get(&job.stream).copied().flatten();
                    content::event_batches(content, flip_y, BATCH, batch, |batch| {
                        sink.events(batch, job.offset)
                    })?;
                } else if !slot.batch.is_empty() {
                    sink.events(&mut slot.batch, job.offset)?;
                }
                if slot.measurements.is_empty() && job.kind == StreamKind::Frames {
                    report.add(Finding::OtherPackets, 1, job.offset);
                    report.note(
                        "only frames with pixels of 8 or 16 bits are read: others are counted",
                    );
                }
                slot.measurements
                    .drain(..)
                    .try_for_each(|measurement| sink.measurement(measurement, job.offset))?;
            }
            Some(Ok(count)) => self.count(job, count),
            Some(Err(trouble)) => {
                self.damaged(job, trouble)?;
                return Ok(false);
            }
            None => {}
        }
        Ok(true)
    }

    /// Counts the measurements of a packet of a stream that was not chosen.
    fn count(&mut self, job: &Job, count: u64) {
        self.report.bytes.other += (HEADER + job.body.len()) as u64;
        let finding = match job.kind {
            StreamKind::Events => Finding::OtherStreamEvents,
            StreamKind::Frames => Finding::Frames,
            StreamKind::Imu => Finding::ImuSamples,
            StreamKind::Triggers => Finding::Triggers,
            StreamKind::Other => Finding::OtherPackets,
        };
        self.report.add(finding, count, job.offset);
    }

    fn damaged(&mut self, job: &Job, trouble: Trouble) -> Result<()> {
        let error = match trouble {
            Trouble::Content(out) => out.into_error(job.offset),
            Trouble::Inflate(BodyFault::Damaged(what)) => Error::malformed(what),
            Trouble::Inflate(BodyFault::TooLarge) => {
                Error::limit("a packet is too large after decompression")
                    .expected(format!("at most {} bytes", self.cap))
            }
        };
        let error = error.at(job.offset);
        if self.strict {
            return Err(error);
        }
        self.report.note(format!("skipped a packet: {error}"));
        self.report.add(Finding::DamagedPackets, 1, job.offset);
        self.skip((HEADER + job.body.len()) as u64);
        Ok(())
    }
}

impl DecodedPacket {
    fn is_too_large(&self) -> bool {
        matches!(self.outcome, Some(Err(Trouble::Inflate(BodyFault::TooLarge))))
    }

    fn run(
        &mut self,
        job: &Job,
        body: &[u8],
        compression: Compression,
        wanted: Option<&Option<u16>>,
        cap: usize,
    ) {
        self.batch.clear();
        self.is_long = false;
        self.measurements.clear();
        let result = self.inflater.inflate(compression, body, cap).map_err(Trouble::Inflate);
        self.outcome = Some(result.and_then(|content| {
            let Some(&flip_y) = wanted else {
                return content::count(content, job.kind).map_err(Trouble::Content);
            };
            if job.kind == StreamKind::Events {
                content::count(content, job.kind).and_then(|count| {
                    self.is_long = count > BATCH as u64;
                    match self.is_long {
                        true => Ok(count),
                        false => content::events(content, flip_y, &mut self.batch).map(|()| count),
                    }
                })
            } else {
                measurements::measurements(content, job.kind, flip_y, &mut self.measurements)
                    .and_then(|()| content::count(content, job.kind))
            }
            .map_err(Trouble::Content)
        }));
    }
}

impl Packets for Aedat4Decoder {
    fn carry(&mut self) -> &mut PacketBuffer {
        &mut self.carry
    }

    fn need(&self, carried: &[u8]) -> Option<usize> {
        match self.framing.look(carried, self.offset, false) {
            Found::Need(need) if matches!(self.place, Place::Packets) => Some(need),
            _ => None,
        }
    }

    fn process(&mut self, bytes: &[u8], last: bool, sink: &mut dyn EventSink) -> Result<usize> {
        let base = self.offset;
        let mut at = 0;
        while at < bytes.len() {
            self.offset = base + at as u64;
            if !matches!(self.place, Place::Packets) {
                let (passed, found) = self.search(&bytes[at..], last)?;
                at += passed;
                if found {
                    continue;
                }
                break;
            }
            match self.framing.look(&bytes[at..], self.offset, last) {
                Found::Packet { stream, size, sure } => {
                    let body = at + HEADER..at + HEADER + size;
                    at = self.packet(bytes, stream, body, sure, sink)?;
                }
                Found::Table => {
                    self.run_jobs(bytes, sink)?;
                    self.place = Place::Table { start: self.offset, seen: Vec::new() };
                }
                Found::Need(_) => break,
                Found::Cut { size } => {
                    self.run_jobs(bytes, sink)?;
                    self.cut(&bytes[at..], size)?;
                    at += self.lose(HEADER.min(bytes.len() - at), self.offset);
                }
                Found::Nothing => {
                    self.run_jobs(bytes, sink)?;
                    self.nothing(&bytes[at..])?;
                    at += self.lose(0, self.offset);
                }
            }
        }
        self.run_jobs(bytes, sink)?;
        self.offset = base + at as u64;
        Ok(at)
    }
}

impl Decoder for Aedat4Decoder {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        packets::push(self, bytes, sink)
    }

    fn finish(&mut self, sink: &mut dyn EventSink) -> Result<()> {
        packets::finish(self, sink)?;
        if self.resumed { Ok(()) } else { self.check_table() }
    }

    fn report(&self) -> &Report {
        &self.report
    }

    fn stream_report(&self, stream: i32) -> Option<Report> {
        let streams = self.streams.as_ref().filter(|_| self.wanted.contains_key(&stream));
        streams.map(|streams| streams.alone(stream, &self.report))
    }

    /// A checkpoint is at the start of a packet. Inside damaged data there is none.
    fn checkpoint(&self) -> Option<Checkpoint> {
        let at_packet = matches!(self.place, Place::Packets);
        at_packet.then(|| Checkpoint { offset: self.offset, state: Vec::new() })
    }

    fn reset(&mut self) {
        self.offset = self.start;
        self.carry.clear();
        self.place = Place::Packets;
        self.jobs.clear();
        self.waste = Waste::default();
        (self.bodies, self.headers) = (TableSum::default(), TableSum::default());
        self.elements.clear();
        self.resumed = false;
        self.report = Report::of_header(self.start);
        self.streams.iter_mut().for_each(PerStream::reset);
    }

    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        checkpoint.state::<0>()?;
        self.reset();
        (self.offset, self.resumed) = (checkpoint.offset, true);
        Ok(())
    }
}
