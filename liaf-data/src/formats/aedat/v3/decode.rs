//! Decoding of packets to events and measurements.

use std::ops::Range;

use super::events::{self, EVENT, PolarityFields};
use super::measurements::MeasurementRule;
use super::packet::{FRAME, Found, Framing, HEADER, IMU6, IMU9, POLARITY, PacketHeader, SPECIAL};
use crate::codec::packets::{self, Damage, PacketBuffer, Packets, Waste};
use crate::codec::per_stream::PerStream;
use crate::codec::{Checkpoint, Decoder, EventSink, ReadOptions};
use crate::error::{Error, Result};
use crate::io::{in_order, places_per_pool};
use crate::model::{EventBatch, Finding, Measurement, Report, StreamKind};

/// Number of events between two calls of the sink, and number of events that a thread decodes at a
/// time.
const BATCH: usize = 8192;

/// The sources and the type of the packets that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub kind: StreamKind,
    /// The source that is wanted; `None` for all sources.
    pub source: Option<i16>,
    /// Whether each source is a stream with a report of its own, and all of them are read.
    pub apart: bool,
}

/// Decodes the packets of an AEDAT 3 file, which follow its header.
#[derive(Debug)]
pub struct Aedat3Decoder {
    framing: Framing,
    wanted: Option<Wanted>,
    /// The reports of the wanted streams, if each of them has one.
    streams: Option<PerStream>,
    rule: PolarityFields,
    keep_invalid: bool,
    strict: bool,
    /// Offset of the first packet, and the report of everything before it.
    start: u64,
    header: Report,
    /// The bytes of a packet that is incomplete, or that is complete but not known to be valid until
    /// the next one is seen. `offset` is their offset in the file.
    carry: PacketBuffer,
    offset: u64,
    damage: Damage,
    waste: Waste,
    /// The pieces that wait to be decoded, in file order, and the jobs into which they are divided.
    pieces: Vec<Piece>,
    jobs: Vec<Job>,
    slots: Vec<DecodedJob>,
    alone: DecodedJob,
    parallel: bool,
    report: Report,
}

/// Some events of one packet.
#[derive(Debug, Clone)]
struct Piece {
    /// Offset of the packet in the file.
    offset: u64,
    header: PacketHeader,
    is_wanted: bool,
    /// Range of the events in the current bytes, and their offset in the file.
    body: Range<usize>,
    at: u64,
}

/// Pieces that are decoded together, and the number of their events.
#[derive(Debug)]
struct Job {
    pieces: Range<usize>,
    events: usize,
}

/// The results of one job.
#[derive(Debug, Default)]
struct DecodedJob {
    batch: EventBatch,
    /// Number of events and of measurements up to the end of each piece.
    ends: Vec<(usize, usize)>,
    measurements: Vec<Measurement>,
    report: Report,
}

impl DecodedJob {
    fn run(&mut self, pieces: &[Piece], bytes: &[u8], rule: PolarityFields, keep_invalid: bool) {
        self.batch.clear();
        self.ends.clear();
        self.measurements.clear();
        self.report = Report::default();
        for piece in pieces {
            let body = &bytes[piece.body.clone()];
            let Self { batch, ends, measurements, report } = self;
            let account = &mut report.bytes;
            let part = if piece.is_wanted { &mut account.events } else { &mut account.other };
            *part += body.len() as u64;
            let PacketHeader { kind, size, time_at, .. } = piece.header;
            let epoch = i64::from(piece.header.overflow) << 31;
            if kind == SPECIAL {
                events::specials(body, piece.at, report);
            }
            if kind == POLARITY {
                events::polarity(body, piece.at, epoch, rule, batch, report);
            } else if piece.is_wanted {
                let measured = MeasurementRule { kind, size, time_at, epoch, keep_invalid };
                measured.append(body, piece.at, measurements, report);
            }
            ends.push((batch.len(), measurements.len()));
            if rule.stops_at(report) {
                return;
            }
        }
    }
}

impl Aedat3Decoder {
    /// A decoder for packets that start at byte `start`; `report` covers everything before it.
    pub(crate) fn new(
        framing: Framing,
        wanted: Option<Wanted>,
        sources: &[i16],
        rule: PolarityFields,
        start: u64,
        report: Report,
        options: &ReadOptions,
    ) -> Self {
        let parallel = options.parallel && !options.strict;
        let mut slots = Vec::new();
        slots.resize_with(if parallel { places_per_pool() } else { 0 }, DecodedJob::default);
        Self {
            streams: wanted
                .filter(|wanted| wanted.apart)
                .map(|_| PerStream::new(sources.iter().map(|&source| source.into()))),
            framing,
            wanted,
            rule,
            keep_invalid: options.aedat.keep_invalid,
            strict: options.strict,
            start,
            header: report.clone(),
            carry: PacketBuffer::default(),
            offset: start,
            damage: Damage::default(),
            waste: Waste::default(),
            pieces: Vec::new(),
            jobs: Vec::new(),
            slots,
            alone: DecodedJob::default(),
            parallel,
            report,
        }
    }

    /// Searches for the next packet after damage. Returns how many bytes were skipped, and whether a
    /// packet was found.
    fn search(&mut self, rest: &[u8], last: bool) -> (usize, bool) {
        let keep = if last { 0 } else { HEADER - 1 };
        self.damage.skip(self.framing.find(rest), rest.len(), keep, &mut self.report)
    }

    /// Marks the next `skip` bytes as damaged; the search for a packet continues after them.
    fn lose(&mut self, skip: usize, shown: &[u8]) -> Result<usize> {
        if self.strict {
            let shown = &shown[..shown.len().min(HEADER)];
            return Err(Error::malformed("no packet starts here")
                .at(self.offset)
                .expected("a packet header with consistent values")
                .found(format!("{shown:02x?}")));
        }
        Ok(self.damage.start(skip, self.offset, &mut self.report))
    }

    /// Processes the packet with the payload `body`; returns the offset at which to continue.
    fn packet(
        &mut self,
        bytes: &[u8],
        header: &PacketHeader,
        body: Range<usize>,
        sure: bool,
    ) -> Result<usize> {
        let start = body.start;
        if !sure {
            // There is no packet after this one. Either the damage starts there, or the size of this
            // packet is wrong.
            if self.waste.is_too_much(self.offset) || !header.describes(&bytes[body.clone()]) {
                self.waste.add(body.len());
                let here = start - HEADER;
                return self.lose(HEADER, &bytes[here..]).map(|skip| here + skip);
            }
        }
        let room = body.end;
        let used = start..start + header.number * header.size;
        self.take(header, used);
        let unused = (header.capacity - header.number) * header.size;
        *self.account_of(header) += (HEADER + unused) as u64;
        Ok(room)
    }

    /// The part of the byte account to which a packet belongs.
    fn account_of(&mut self, header: &PacketHeader) -> &mut u64 {
        let report = match &mut self.streams {
            Some(streams) if Wanted::has(self.wanted, header) => {
                streams.report(header.source.into())
            }
            _ => &mut self.report,
        };
        let bytes = &mut report.bytes;
        if Wanted::has(self.wanted, header) { &mut bytes.events } else { &mut bytes.other }
    }

    /// Takes the events in the range `used`.
    fn take(&mut self, header: &PacketHeader, used: Range<usize>) {
        let at = self.offset + HEADER as u64;
        let is_wanted = Wanted::has(self.wanted, header);
        if let Some(streams) = self.streams.as_mut().filter(|_| is_wanted) {
            streams.count(header.source.into(), header.number as u64, self.offset);
        }
        if header.kind == SPECIAL || is_wanted {
            let step = (BATCH * EVENT / header.size).max(1) * header.size;
            for begin in used.clone().step_by(step) {
                let body = begin..used.end.min(begin + step);
                let at = at + (begin - used.start) as u64;
                self.add(Piece { offset: self.offset, header: *header, is_wanted, body, at });
            }
            return;
        }
        self.report.bytes.other += used.len() as u64;
        let number = header.number as u64;
        let (finding, count) = match header.kind {
            POLARITY => (Finding::OtherStreamEvents, number),
            FRAME => (Finding::Frames, number),
            IMU6 | IMU9 => (Finding::ImuSamples, number),
            _ => (Finding::OtherPackets, 1),
        };
        self.report.add(finding, count, self.offset);
    }

    /// Adds a piece to the last job, or to a new one if that is full.
    fn add(&mut self, piece: Piece) {
        let (i, events) = (self.pieces.len(), piece.body.len() / EVENT);
        // All events of a batch must belong to the same stream.
        let is_of = |other: &Piece| {
            (other.is_wanted, other.header.source) == (piece.is_wanted, piece.header.source)
        };
        let goes_with_last = self.streams.is_none() || self.pieces.last().is_some_and(is_of);
        match self.jobs.last_mut() {
            Some(job) if job.events < BATCH / 2 && goes_with_last => {
                job.pieces.end = i + 1;
                job.events += events;
            }
            _ => self.jobs.push(Job { pieces: i..i + 1, events }),
        }
        self.pieces.push(piece);
    }

    /// Decodes the waiting pieces, and passes their events to the sink in order.
    fn run_jobs(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        if self.jobs.is_empty() {
            return Ok(());
        }
        let (jobs, pieces) = (std::mem::take(&mut self.jobs), std::mem::take(&mut self.pieces));
        let (rule, strict, keep_invalid) = (self.rule, self.strict, self.keep_invalid);
        let (report, streams) = (&mut self.report, &mut self.streams);
        let run = |job: &Job, slot: &mut DecodedJob| {
            slot.run(&pieces[job.pieces.clone()], bytes, rule, keep_invalid);
        };
        let mut give = |job: &Job, slot: &mut DecodedJob| {
            let pieces = &pieces[job.pieces.clone()];
            let first = pieces.first();
            let offset = first.map_or(0, |piece| piece.offset);
            let report = match (&mut *streams, first.filter(|piece| piece.is_wanted)) {
                (Some(streams), Some(piece)) => {
                    sink.stream(piece.header.source.into());
                    streams.report(piece.header.source.into())
                }
                _ => &mut *report,
            };
            let mut given = Ok(());
            if !slot.batch.is_empty() {
                given = sink.events(&mut slot.batch, offset).map_err(|error| {
                    error.place_event(|event| {
                        let before = slot.ends.partition_point(|&(end, _)| end <= event);
                        let pieces = &pieces[..pieces.len().min(before + 1)];
                        slot.run(pieces, bytes, rule, keep_invalid);
                        pieces.last().map_or(offset, |piece| piece.offset)
                    })
                });
            }
            report.merge(&slot.report);
            given?;
            let mut measurements = slot.measurements.drain(..).enumerate().peekable();
            for (piece, &(_, end)) in pieces.iter().zip(&slot.ends) {
                while let Some((_, measurement)) = measurements.next_if(|&(i, _)| i < end) {
                    sink.measurement(measurement, piece.offset)?;
                }
            }
            drop(measurements);
            match slot.report.findings.get(&Finding::NegativeTimes) {
                Some(tally) if strict => Err(Error::malformed("the time of an event is negative")
                    .at(tally.first_offset.unwrap_or(offset))
                    .expected("0 or more µs")),
                _ => Ok(()),
            }
        };
        let result = if self.parallel && jobs.len() > 1 {
            let work = |_, job: &Job, slot: &mut DecodedJob| run(job, slot);
            in_order(&jobs, &mut self.slots, work, |_, job, slot| give(job, slot))
        } else {
            jobs.iter().try_for_each(|job| {
                run(job, &mut self.alone);
                give(job, &mut self.alone)
            })
        };
        if report.count(Finding::TimestampResets) > 0 {
            report.note(
                "the camera set its clock to 0 during the recording, so that times restart there",
            );
        }
        (self.jobs, self.pieces) = (jobs, pieces);
        self.jobs.clear();
        self.pieces.clear();
        result
    }

    /// Handles a packet that ends after the end of the file, either because the file is truncated or
    /// because the size of the packet is wrong. Returns how many bytes were processed.
    fn cut(&mut self, rest: &[u8], at: usize, header: Option<PacketHeader>) -> Result<usize> {
        if self.strict {
            let size = header.map_or(HEADER, |header| HEADER + header.payload());
            return Err(Error::truncated("the last packet is incomplete")
                .at(self.offset)
                .expected(format!("{size} bytes"))
                .found(format!("{} bytes", rest.len())));
        }
        let body = rest.get(HEADER..).unwrap_or_default();
        if self.framing.find(body).is_some() {
            return self.lose(HEADER, rest);
        }
        self.report.add(Finding::TruncatedTails, 1, self.offset);
        let mut tail = rest.len();
        if let Some(header) = header.filter(|header| Wanted::has(self.wanted, header)) {
            let whole = header.number.min(body.len() / header.size);
            let used = whole * header.size;
            if whole > 0 {
                self.take(&header, at + HEADER..at + HEADER + used);
                *self.account_of(&header) += HEADER as u64;
                tail -= HEADER + used;
            }
        }
        self.report.bytes.skipped += tail as u64;
        Ok(rest.len())
    }
}

impl Wanted {
    /// Whether the events of a packet are wanted.
    pub(crate) fn has(wanted: Option<Self>, header: &PacketHeader) -> bool {
        let kind = match header.kind {
            POLARITY => StreamKind::Events,
            FRAME => StreamKind::Frames,
            IMU6 | IMU9 => StreamKind::Imu,
            SPECIAL => StreamKind::Triggers,
            _ => StreamKind::Other,
        };
        wanted.is_some_and(|wanted| {
            wanted.kind == kind && wanted.source.is_none_or(|source| source == header.source)
        })
    }
}

impl Packets for Aedat3Decoder {
    fn carry(&mut self) -> &mut PacketBuffer {
        &mut self.carry
    }

    fn need(&self, carried: &[u8]) -> Option<usize> {
        match self.framing.look(carried, false) {
            Found::Need(need) if !self.damage.is_open() => Some(need),
            _ => None,
        }
    }

    fn process(&mut self, bytes: &[u8], last: bool, sink: &mut dyn EventSink) -> Result<usize> {
        let base = self.offset;
        let mut at = 0;
        let mut result = Ok(());
        while at < bytes.len() && result.is_ok() {
            self.offset = base + at as u64;
            let rest = &bytes[at..];
            if self.damage.is_open() {
                let (passed, found) = self.search(rest, last);
                at += passed;
                if !found {
                    break;
                }
                continue;
            }
            let next = match self.framing.look(rest, last) {
                Found::Packet { header, end, sure } => {
                    self.packet(bytes, &header, at + HEADER..at + end, sure)
                }
                Found::Need(_) => break,
                Found::Cut { header } => self.cut(rest, at, header).map(|done| at + done),
                Found::Nothing => self.lose(0, rest).map(|done| at + done),
            };
            match next {
                Ok(next) => at = next,
                Err(error) => result = Err(error),
            }
        }
        // The events before an error are passed on before the error is returned.
        self.run_jobs(bytes, sink)?;
        self.offset = base + at as u64;
        result.map(|()| at)
    }
}

impl Decoder for Aedat3Decoder {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        packets::push(self, bytes, sink)
    }

    fn finish(&mut self, sink: &mut dyn EventSink) -> Result<()> {
        packets::finish(self, sink)
    }

    fn report(&self) -> &Report {
        &self.report
    }

    fn stream_report(&self, stream: i32) -> Option<Report> {
        self.streams.as_ref().map(|streams| streams.alone(stream, &self.report))
    }

    /// A checkpoint is at the start of a packet. Inside damaged data there is none.
    fn checkpoint(&self) -> Option<Checkpoint> {
        (!self.damage.is_open()).then(|| Checkpoint { offset: self.offset, state: Vec::new() })
    }

    fn reset(&mut self) {
        self.offset = self.start;
        self.carry.clear();
        (self.damage, self.waste) = (Damage::default(), Waste::default());
        self.report.clone_from(&self.header);
        self.streams.iter_mut().for_each(PerStream::reset);
    }

    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        checkpoint.state::<0>()?;
        self.reset();
        self.offset = checkpoint.offset;
        Ok(())
    }
}
