//! Decoding of records to events and measurements.

use std::collections::BTreeMap;
use std::ops::Range;

use super::channels::Channels;
use super::job::{Context, DecodedJob, Item, Piece, What};
use super::layout::{Found, Kind, Layout, RecordHead, look};
use super::words::Words;
use crate::codec::packets::{self, Damage, PacketBuffer, Packets, Waste};
use crate::codec::per_stream::PerStream;
use crate::codec::{Checkpoint, Decoder, EventSink, Evt21Order, ReadOptions};
use crate::error::{Error, Result};
use crate::formats::prophesee::{Met, violation};
use crate::io::{in_order, places_per_pool};
use crate::model::{EventBatch, Finding, Report};

/// Records that are not in chunks are decoded together until they have this many bytes.
const GROUP: usize = 256 << 10;

/// Decodes the records of a recording of ROS, which follow its first bytes.
#[derive(Debug)]
pub(crate) struct BagDecoder<L> {
    layout: L,
    /// The channels that are known at the start, and those that are known by now.
    first_channels: Channels,
    channels: Channels,
    wanted: Vec<i32>,
    /// The reports of the wanted streams, if there are several.
    streams: Option<PerStream>,
    strict: bool,
    order: Evt21Order,
    cap: usize,
    group_cap: usize,
    /// Offset of the first record, and the report of everything before it.
    start: u64,
    header: Report,
    carry: PacketBuffer,
    offset: u64,
    damage: Damage,
    waste: Waste,
    pieces: Vec<Piece>,
    jobs: Vec<Range<usize>>,
    slots: Vec<DecodedJob>,
    alone: DecodedJob,
    parallel: bool,
    /// The state of encodings whose words depend on earlier ones, by stream.
    words: BTreeMap<i32, Words>,
    part: EventBatch,
    saw_end: bool,
    resumed: bool,
    report: Report,
}

impl<L: Layout> BagDecoder<L> {
    pub fn new(
        layout: L,
        channels: Channels,
        wanted: Vec<i32>,
        start: u64,
        header: Report,
        options: &ReadOptions,
    ) -> Self {
        let parallel = options.parallel && !options.strict;
        let group = if parallel { places_per_pool() } else { 0 };
        let mut slots = Vec::new();
        slots.resize_with(group, DecodedJob::default);
        let limits = options.limits;
        Self {
            layout,
            first_channels: channels.clone(),
            channels,
            streams: (wanted.len() > 1).then(|| PerStream::new(wanted.iter().copied())),
            wanted,
            strict: options.strict,
            order: options.evt.order.unwrap_or(Evt21Order::Little),
            cap: limits.packet_bytes,
            group_cap: limits.packet_bytes.min(limits.in_flight_bytes / group.max(1)),
            start,
            report: header.clone(),
            header,
            carry: PacketBuffer::default(),
            offset: start,
            damage: Damage::default(),
            waste: Waste::default(),
            pieces: Vec::new(),
            jobs: Vec::new(),
            slots,
            alone: DecodedJob::default(),
            parallel,
            words: BTreeMap::new(),
            part: EventBatch::new(),
            saw_end: false,
            resumed: false,
        }
    }

    /// Searches for the next record after damage. Returns how many bytes were skipped, and whether a
    /// record was found.
    fn search(&mut self, rest: &[u8], last: bool) -> (usize, bool) {
        let keep = if last { 0 } else { MARGIN };
        // Near the end of the bytes, a record may be followed by one that can be recognised already.
        let found = self.layout.find(rest, &self.channels);
        let found = found.filter(|at| at + keep <= rest.len());
        self.damage.skip(found, rest.len(), keep, &mut self.report)
    }

    /// Marks the next `skip` bytes as damaged; the search for a record continues after them.
    fn lose(&mut self, skip: usize, shown: &[u8]) -> Result<usize> {
        if self.strict {
            let shown = &shown[..shown.len().min(16)];
            return Err(Error::malformed("no record starts here")
                .at(self.offset)
                .expected("a record with consistent values")
                .found(format!("{shown:02x?}")));
        }
        Ok(self.damage.start(skip, self.offset, &mut self.report))
    }

    /// Takes the record that `bytes[range]` are. Returns the offset in `bytes` at which to continue.
    fn record(
        &mut self,
        bytes: &[u8],
        head: RecordHead,
        range: Range<usize>,
        sure: bool,
        sink: &mut dyn EventSink,
    ) -> Result<usize> {
        let (start, end) = (range.start, range.end);
        let piece = Piece { offset: self.offset, head, range };
        if sure {
            self.saw_end |= head.kind == Kind::End;
            self.add(piece);
            return Ok(end);
        }
        // There is no record after this one. Either the damage starts there, or the size of this
        // record is wrong.
        self.run_jobs(bytes, sink)?;
        let may_be = matches!(head.kind, Kind::Chunk { .. } | Kind::Message { .. });
        if may_be && !self.waste.is_too_much(self.offset) {
            let mut alone = std::mem::take(&mut self.alone);
            alone.run(std::slice::from_ref(&piece), bytes, &self.context(self.cap, true));
            self.waste.add(alone.work().max(end - start));
            let is_chunk = matches!(head.kind, Kind::Chunk { .. });
            let is_sound = !alone.is_damaged && (is_chunk || !alone.items.is_empty());
            let given = if is_sound { self.give(&mut alone, sink) } else { Ok(()) };
            self.alone = alone;
            given?;
            if is_sound {
                return Ok(end);
            }
        }
        let skip = head.data.min(end - start);
        self.lose(skip, &bytes[start..]).map(|skip| start + skip)
    }

    /// Adds a record to the last job, or to a new one.
    fn add(&mut self, piece: Piece) {
        let i = self.pieces.len();
        let is_chunk = |piece: &Piece| matches!(piece.head.kind, Kind::Chunk { .. });
        let goes_with_last = !self.strict
            && !is_chunk(&piece)
            && self.jobs.last().is_some_and(|job| {
                let pieces = &self.pieces[job.clone()];
                let bytes = pieces.first().map_or(0, |first| piece.range.start - first.range.start);
                bytes < GROUP && !pieces.first().is_some_and(is_chunk)
            });
        match self.jobs.last_mut().filter(|_| goes_with_last) {
            Some(job) => job.end = i + 1,
            None => self.jobs.push(i..i + 1),
        }
        self.pieces.push(piece);
    }

    fn context(&self, cap: usize, is_final: bool) -> Context<'_, L> {
        Context {
            layout: &self.layout,
            channels: &self.channels,
            wanted: &self.wanted,
            strict: self.strict,
            cap,
            is_final,
        }
    }

    /// Decodes the waiting records, and passes what they contain to the sink in order.
    fn run_jobs(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        if self.jobs.is_empty() {
            return Ok(());
        }
        let (jobs, pieces) = (std::mem::take(&mut self.jobs), std::mem::take(&mut self.pieces));
        let mut alone = std::mem::take(&mut self.alone);
        let result = if self.parallel && jobs.len() > 1 {
            let mut slots = std::mem::take(&mut self.slots);
            let (layout, channels) = (self.layout.clone(), self.channels.clone());
            let (wanted, cap) = (self.wanted.clone(), self.group_cap);
            let (layout, channels, wanted) = (&layout, &channels, &wanted[..]);
            let work = |_, job: &Range<usize>, slot: &mut DecodedJob| {
                let is_final = false;
                let context = Context { layout, channels, wanted, strict: false, cap, is_final };
                slot.run(&pieces[job.clone()], bytes, &context);
            };
            let give = |_, job: &Range<usize>, slot: &mut DecodedJob| {
                // A job that is too large to be one of many, or that was decoded before channels
                // were defined which it may need, is decoded once more.
                if slot.is_too_large || slot.version != self.channels.version() {
                    alone.run(&pieces[job.clone()], bytes, &self.context(self.cap, true));
                    self.give(&mut alone, sink)
                } else {
                    self.give(slot, sink)
                }
            };
            let result = in_order(&jobs, &mut slots, work, give);
            self.slots = slots;
            result
        } else {
            jobs.iter().try_for_each(|job| {
                alone.run(&pieces[job.clone()], bytes, &self.context(self.cap, true));
                self.give(&mut alone, sink)
            })
        };
        (self.alone, self.jobs, self.pieces) = (alone, jobs, pieces);
        self.jobs.clear();
        self.pieces.clear();
        result
    }

    /// Passes the contents of a slot to the sink.
    fn give(&mut self, slot: &mut DecodedJob, sink: &mut dyn EventSink) -> Result<()> {
        slot.definitions.drain(..).for_each(|definition| self.channels.add(&definition));
        self.report.merge(&slot.report);
        for (&stream, share) in &slot.shares {
            if let (Some(streams), Some(first)) = (&mut self.streams, share.first) {
                streams.count(stream, share.events, first);
            }
            self.report_of(stream).bytes.events += share.bytes;
        }
        let (mut events, mut words) = (0, 0);
        for Item { offset, stream, what } in std::mem::take(&mut slot.items) {
            match what {
                What::Events { end } => {
                    if self.streams.is_some() {
                        sink.stream(stream);
                    }
                    if (events, end) == (0, slot.batch.len()) {
                        sink.events(&mut slot.batch, offset)?;
                    } else {
                        self.part.clear();
                        self.part.extend_from(&slot.batch[events..end]);
                        sink.events(&mut self.part, offset)?;
                    }
                    events = end;
                }
                What::Words { encoding, end } => {
                    let bytes = &slot.words[words..end];
                    self.words(stream, Words::new(encoding, self.order), bytes, offset, sink)?;
                    words = end;
                }
                What::Measurement(measurement) => sink.measurement(*measurement, offset)?,
            }
        }
        slot.violation.take().map_or(Ok(()), Err)
    }

    /// Decodes the words of a packet of `stream` that is at `offset`; `fresh` is their state before
    /// the first one.
    fn words(
        &mut self,
        stream: i32,
        fresh: Option<Words>,
        bytes: &[u8],
        offset: u64,
        sink: &mut dyn EventSink,
    ) -> Result<()> {
        let is_wanted = self.wanted.contains(&stream);
        if is_wanted && self.streams.is_some() {
            sink.stream(stream);
        }
        let Some(fresh) = fresh else { return Ok(()) };
        let known = self.words.remove(&stream).filter(|known| known.pack()[0] == fresh.pack()[0]);
        let mut words = known.unwrap_or(fresh);
        let (mut met, mut count) = (Met::default(), 0);
        let mut part = std::mem::take(&mut self.part);
        let left_over = words.decode(bytes, offset, &mut part, &mut met, |events| {
            count += events.len() as u64;
            if is_wanted { sink.events(events, offset) } else { Ok(()) }
        });
        self.part = part;
        let name = words.name();
        self.words.insert(stream, words);
        let left_over = left_over?;
        if !is_wanted {
            self.report.add(Finding::OtherStreamEvents, count, offset);
            return Ok(());
        }
        if let Some(streams) = &mut self.streams {
            streams.count(stream, count, offset);
        }
        let mut found = Report::default();
        met.tell(&mut found);
        found.add(Finding::BadParts, u64::from(left_over > 0), offset);
        self.report_of(stream).merge(&found);
        if !self.strict {
            return Ok(());
        }
        if let Some((what, expected)) = violation(&found, name) {
            return Err(Error::malformed(what).at(offset).expected(expected));
        }
        match left_over {
            0 => Ok(()),
            _ => Err(Error::malformed("a packet ends inside a word").at(offset)),
        }
    }

    fn report_of(&mut self, stream: i32) -> &mut Report {
        match &mut self.streams {
            Some(streams) => streams.report(stream),
            None => &mut self.report,
        }
    }

    /// Handles a record that ends after the end of the file, either because the file is truncated or
    /// because its size is wrong. Returns how many bytes were processed.
    fn cut(&mut self, rest: &[u8], head: Option<RecordHead>) -> Result<usize> {
        if self.strict {
            let size = head
                .map_or(rest.len() as u64 + 1, |head| head.size.saturating_add(head.data as u64));
            return Err(Error::truncated("the last record is incomplete")
                .at(self.offset)
                .expected(format!("{size} bytes"))
                .found(format!("{} bytes", rest.len())));
        }
        if let Some(head) = head.filter(RecordHead::is_stored_chunk) {
            self.truncated();
            self.report.bytes.header += head.data as u64;
            return Ok(head.data);
        }
        let skip = head.map_or(0, |head| head.data.min(rest.len()));
        let after = rest.get(skip.max(1)..).unwrap_or_default();
        if self.layout.find(after, &self.channels).is_some() {
            return self.lose(skip.max(1), rest);
        }
        self.truncated();
        self.report.bytes.skipped += rest.len() as u64;
        Ok(rest.len())
    }

    fn is_closed(&self) -> bool {
        self.layout.is_closed(self.offset, self.saw_end, self.channels.is_empty())
    }

    /// Counts the end of a truncated file, once.
    fn truncated(&mut self) {
        let count = u64::from(self.report.count(Finding::TruncatedTails) == 0);
        self.report.add(Finding::TruncatedTails, count, self.offset);
    }
}

/// Number of bytes in which a record can be recognised after damage.
const MARGIN: usize = 4096;

impl<L: Layout> Packets for BagDecoder<L> {
    fn carry(&mut self) -> &mut PacketBuffer {
        &mut self.carry
    }

    fn need(&self, carried: &[u8]) -> Option<usize> {
        match look(&self.layout, carried, false, self.cap) {
            Found::Need(need) if !self.damage.is_open() => Some(need),
            _ => None,
        }
    }

    fn process(&mut self, bytes: &[u8], last: bool, sink: &mut dyn EventSink) -> Result<usize> {
        let base = self.offset;
        let mut at = 0;
        while at < bytes.len() {
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
            at = match look(&self.layout, rest, last, self.cap) {
                Found::Record { head, end, sure } => {
                    self.record(bytes, head, at..at + end, sure, sink)?
                }
                Found::Large { head } => {
                    self.report.bytes.header += head.data as u64;
                    at + head.data
                }
                Found::Need(_) => break,
                Found::Cut { head } => {
                    self.run_jobs(bytes, sink)?;
                    at + self.cut(rest, head)?
                }
                Found::Nothing => {
                    self.run_jobs(bytes, sink)?;
                    // A record that is too large may be found again at its first byte.
                    at + self.lose(1, rest)?
                }
            };
        }
        self.run_jobs(bytes, sink)?;
        self.offset = base + at as u64;
        Ok(at)
    }
}

impl<L: Layout> Decoder for BagDecoder<L> {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        packets::push(self, bytes, sink)
    }

    fn finish(&mut self, sink: &mut dyn EventSink) -> Result<()> {
        packets::finish(self, sink)?;
        let is_cut = self.report.count(Finding::TruncatedTails) > 0;
        if self.resumed || is_cut || self.is_closed() {
            return Ok(());
        }
        let what = "the index at the end is missing: the recording was not closed, or it is cut";
        if self.strict {
            return Err(Error::truncated(what).at(self.offset));
        }
        self.report.add(Finding::BadDataTables, 1, self.offset);
        self.report.note(what);
        Ok(())
    }

    fn report(&self) -> &Report {
        &self.report
    }

    fn stream_report(&self, stream: i32) -> Option<Report> {
        let streams = self.streams.as_ref().filter(|_| self.wanted.contains(&stream));
        streams.map(|streams| streams.alone(stream, &self.report))
    }

    /// A checkpoint is at the start of a record. Inside damaged data there is none, nor after channels
    /// were defined that were not known at the start, nor where several streams have registers.
    fn checkpoint(&self) -> Option<Checkpoint> {
        let state = match self.words.len() {
            0 => Vec::new(),
            1 if self.wanted.len() == 1 => self.words.get(&self.wanted[0])?.pack(),
            _ => return None,
        };
        let is_known = self.channels.version() == self.first_channels.version();
        (is_known && !self.damage.is_open()).then(|| Checkpoint::new(self.offset, state))
    }

    fn reset(&mut self) {
        self.offset = self.start;
        self.carry.clear();
        (self.damage, self.waste) = (Damage::default(), Waste::default());
        self.jobs.clear();
        self.pieces.clear();
        self.words.clear();
        self.channels.clone_from(&self.first_channels);
        (self.saw_end, self.resumed) = (false, false);
        self.report.clone_from(&self.header);
        self.streams.iter_mut().for_each(PerStream::reset);
    }

    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let words = Words::unpack(checkpoint, self.order)?;
        self.reset();
        let streams = self.wanted.first().copied();
        self.words.extend(streams.zip(words));
        (self.offset, self.resumed) = (checkpoint.offset, true);
        Ok(())
    }
}
