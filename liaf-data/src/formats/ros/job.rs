//! Decoding of a chunk, or of some records that are not in chunks, without what came before them.

use std::collections::BTreeMap;
use std::ops::Range;

use super::channels::{Channel, Channels, Definition};
use super::layout::{Found, Kind, Layout, Packing, RecordHead, look};
use super::message::{self, Content, EventMessage};
use super::packet::{self, Encoding};
use super::serial::Reason;
use super::unpack::Unpacker;
use crate::container::unpack::BodyFault;
use crate::error::Error;
use crate::io::Crc32;
use crate::model::{EventBatch, Finding, Measurement, Report, StreamKind};

/// A record of the file, with its range in the current bytes.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub offset: u64,
    pub head: RecordHead,
    pub range: Range<usize>,
}

/// What is known when a job is decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a, L> {
    pub layout: &'a L,
    pub channels: &'a Channels,
    /// The streams that are wanted, in order.
    pub wanted: &'a [i32],
    pub strict: bool,
    /// The largest size of a chunk after decompression, and whether a larger one is an error.
    pub cap: usize,
    pub is_final: bool,
}

/// What a job found, in file order.
#[derive(Debug)]
pub(crate) struct Item {
    /// Offset in the file of the record or of its chunk.
    pub offset: u64,
    pub stream: i32,
    pub what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    /// The events of the batch up to this index.
    Events {
        end: usize,
    },
    /// The bytes of `words` up to this index, whose meaning depends on earlier words.
    Words {
        encoding: Encoding,
        end: usize,
    },
    Measurement(Box<Measurement>),
}

/// What belongs to one stream.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Share {
    pub bytes: u64,
    /// Number of events that need no earlier words, and the offset of the first message with any.
    pub events: u64,
    pub first: Option<u64>,
}

/// The results of one job. Its memory is reused.
#[derive(Debug, Default)]
pub(crate) struct DecodedJob {
    unpacker: Unpacker,
    pub batch: EventBatch,
    pub words: Vec<u8>,
    pub items: Vec<Item>,
    pub shares: BTreeMap<i32, Share>,
    /// The report of everything that belongs to no wanted stream.
    pub report: Report,
    /// The definitions that are new, and the state of the channels that they were compared with.
    pub definitions: Vec<Definition>,
    pub version: u64,
    channels: Option<Channels>,
    pub is_too_large: bool,
    pub is_damaged: bool,
    pub violation: Option<Error>,
}

/// Divides the bytes of a chunk among its records, in proportion to their sizes after decompression.
struct Division {
    stored: u64,
    size: u64,
    done: u64,
}

impl Division {
    /// The bytes of the record that ends at byte `end` of the contents.
    fn up_to(&mut self, end: usize) -> u64 {
        let all = u128::from(self.stored) * end as u128 / u128::from(self.size.max(1));
        let all = u64::try_from(all).unwrap_or(self.stored);
        all - std::mem::replace(&mut self.done, all)
    }
}

impl DecodedJob {
    /// About how many bytes were examined for the last job.
    pub fn work(&self) -> usize {
        self.unpacker.work()
    }

    pub fn run<L: Layout>(&mut self, pieces: &[Piece], bytes: &[u8], context: &Context<'_, L>) {
        self.batch.clear();
        self.words.clear();
        self.items.clear();
        self.shares.clear();
        self.report = Report::default();
        self.definitions.clear();
        self.channels = None;
        self.version = context.channels.version();
        (self.is_damaged, self.violation) = (false, None);
        let total: usize = pieces.iter().map(|piece| piece.range.len()).sum();
        self.is_too_large = !context.is_final && total > context.cap;
        for piece in pieces {
            if self.is_too_large || self.violation.is_some() {
                return;
            }
            let record = &bytes[piece.range.clone()];
            if let Kind::Chunk { packing, size, crc } = piece.head.kind {
                let mut unpacker = std::mem::take(&mut self.unpacker);
                self.chunk(record, piece, packing, (size, crc), &mut unpacker, context);
                self.unpacker = unpacker;
            } else {
                self.record(record, &piece.head, piece.offset, record.len() as u64, context);
            }
        }
    }

    fn chunk<L: Layout>(
        &mut self,
        record: &[u8],
        piece: &Piece,
        packing: Packing,
        (size, crc): (u64, Option<u32>),
        unpacker: &mut Unpacker,
        context: &Context<'_, L>,
    ) {
        let (offset, data) = (piece.offset, &record[piece.head.data..]);
        let content = match unpacker.content(packing, data, context.cap) {
            Ok(content) => content,
            Err(BodyFault::TooLarge) if !context.is_final => {
                self.is_too_large = true;
                return;
            }
            Err(failure) => {
                let error = match failure {
                    BodyFault::Damaged(what) => Error::malformed(what),
                    BodyFault::TooLarge => Error::limit("a chunk is too large after decompression")
                        .expected(format!("at most {} bytes", context.cap)),
                };
                let bytes = record.len() as u64;
                return self.damaged(error.at(offset), offset, bytes, context.strict);
            }
        };
        self.report.bytes.header += piece.head.data as u64;
        if content.len() as u64 != size {
            self.bad_part("a chunk has another size than it says", offset, context.strict);
        }
        if crc.is_some_and(|crc| crc != 0 && cfg!(feature = "zip") && crc32(content) != crc) {
            self.bad_part("the checksum of a chunk is wrong", offset, context.strict);
        }
        let (stored, size) = (data.len() as u64, content.len() as u64);
        if content.is_empty() {
            self.report.bytes.header += stored;
        }
        let mut division = Division { stored, size, done: 0 };
        let mut at = 0;
        while at < content.len() && self.violation.is_none() {
            let rest = &content[at..];
            if let Some((head, end)) = self.next(rest, context) {
                at += end;
                self.record(&rest[..end], &head, offset, division.up_to(at), context);
                continue;
            }
            let found = context.layout.find(&rest[1..], context.channels);
            at += found.map_or(rest.len(), |next| next + 1);
            let bytes = division.up_to(at);
            let error = Error::malformed("a chunk has bytes that are no record").at(offset);
            self.report.add(Finding::Resyncs, found.is_some().into(), offset);
            self.damaged(error, offset, bytes, context.strict);
        }
    }

    /// The record at the beginning of `rest`, which is the rest of the contents of a chunk.
    fn next<L: Layout>(
        &self,
        rest: &[u8],
        context: &Context<'_, L>,
    ) -> Option<(RecordHead, usize)> {
        match look(context.layout, rest, true, rest.len()) {
            Found::Record { head, end, sure } => {
                let may_be_inside = matches!(head.kind, Kind::Definition | Kind::Message { .. });
                let is_certain = || self.is_certain(&rest[head.data..end], &head, context);
                (may_be_inside && (sure || is_certain())).then_some((head, end))
            }
            _ => None,
        }
    }

    fn channel<'a, L>(&'a self, id: u32, context: &'a Context<'_, L>) -> Option<&'a Channel> {
        self.channels.as_ref().unwrap_or(context.channels).get(id)
    }

    /// Whether the payload of a message is one of its channel.
    fn is_certain<L>(&self, payload: &[u8], head: &RecordHead, context: &Context<'_, L>) -> bool {
        let Kind::Message { channel } = head.kind else { return false };
        let Some(channel) = self.channel(channel, context) else { return false };
        match EventMessage::read(payload, channel.content, channel.serialisation) {
            Ok(Some(EventMessage::Array(array))) => !array.has_excess,
            Ok(Some(EventMessage::Packet(packet))) => !packet.has_excess,
            Ok(None) if matches!(channel.content, Content::Imu | Content::Image) => {
                message::measurement(payload, channel.content, channel.serialisation).is_ok()
            }
            Ok(None) | Err(_) => false,
        }
    }

    /// Takes a record of `bytes` bytes of the file.
    fn record<L: Layout>(
        &mut self,
        record: &[u8],
        head: &RecordHead,
        offset: u64,
        bytes: u64,
        context: &Context<'_, L>,
    ) {
        match head.kind {
            Kind::Message { channel } => {
                self.message(&record[head.data..], channel, offset, bytes, context);
            }
            Kind::Definition => match context.layout.definition(record, head) {
                Some(definition) => {
                    self.report.bytes.header += bytes;
                    let known = self.channels.as_ref().unwrap_or(context.channels);
                    if let Some(topic) = known.contradicts(&definition) {
                        self.report.note(format!(
                            "the number of the topic {topic} is given to another topic: the messages \
                             of both are taken for those of {topic}"
                        ));
                        let what = "a number of a topic is given to another topic";
                        self.bad_part(what, offset, context.strict);
                    } else if known.lacks(&definition) {
                        let channels = &mut self.channels;
                        channels.get_or_insert_with(|| context.channels.clone()).add(&definition);
                        self.definitions.push(definition);
                    }
                }
                None => {
                    let error = Error::malformed("the definition of a channel is incomplete");
                    self.damaged(error.at(offset), offset, bytes, context.strict);
                }
            },
            Kind::Index | Kind::End => self.report.bytes.header += bytes,
            Kind::Other | Kind::Chunk { .. } => {
                self.report.bytes.other += bytes;
                self.report.add(Finding::OtherPackets, 1, offset);
            }
        }
    }

    fn message<L: Layout>(
        &mut self,
        payload: &[u8],
        id: u32,
        offset: u64,
        bytes: u64,
        context: &Context<'_, L>,
    ) {
        let Some(channel) = self.channel(id, context) else {
            self.report.add(Finding::UnknownStreams, 1, offset);
            self.report.bytes.skipped += bytes;
            if context.strict {
                let error = Error::malformed("a message belongs to a channel that is not defined");
                self.violation = Some(error.at(offset).found(id));
            }
            return;
        };
        let (content, serialisation) = (channel.content, channel.serialisation);
        let Some(stream) = channel.stream else {
            let note = format!(
                "the topic {} begins late in a file without an index: it is not read",
                channel.topic
            );
            self.report.note(note);
            return self.other(Finding::OtherPackets, 1, offset, bytes);
        };
        let is_wanted = context.wanted.contains(&stream);
        let message = EventMessage::read(payload, content, serialisation);
        let events = match message {
            Ok(events) => events,
            Err(reason) => return self.malformed(reason, offset, bytes, context.strict),
        };
        match events {
            Some(EventMessage::Array(array)) => {
                self.excess(array.has_excess, offset, context.strict);
                if is_wanted {
                    array.append(&mut self.batch);
                }
                self.events(stream, is_wanted, array.count as u64, offset, bytes);
            }
            Some(EventMessage::Packet(packet)) => {
                let Some(encoding) = packet.readable() else {
                    let encoding = String::from_utf8_lossy(packet.encoding);
                    let order = if packet.is_big_endian { ", big-endian" } else { "" };
                    let note = format!("events in the encoding {encoding}{order} are not read");
                    self.report.note(note);
                    return self.other(Finding::OtherPackets, 1, offset, bytes);
                };
                self.excess(packet.has_excess, offset, context.strict);
                if matches!(encoding, Encoding::Mono | Encoding::Libcaer) {
                    let (events, rest) = packet.events.as_chunks::<8>();
                    self.excess(!rest.is_empty(), offset, context.strict);
                    if is_wanted {
                        packet::records(encoding, &packet, &mut self.batch);
                    }
                    self.events(stream, is_wanted, events.len() as u64, offset, bytes);
                } else {
                    self.words.extend_from_slice(packet.events);
                    let what = What::Words { encoding, end: self.words.len() };
                    self.items.push(Item { offset, stream, what });
                    self.account(stream, is_wanted, bytes);
                }
            }
            None if is_wanted => match message::measurement(payload, content, serialisation) {
                Ok(Some(measurement)) => {
                    let what = What::Measurement(Box::new(measurement));
                    self.items.push(Item { offset, stream, what });
                    self.account(stream, true, bytes);
                }
                Ok(None) => {
                    self.report.note("images in this encoding of pixels are not read");
                    self.other(Finding::OtherPackets, 1, offset, bytes);
                }
                Err(reason) => self.malformed(reason, offset, bytes, context.strict),
            },
            None => {
                let finding = match content.stream() {
                    StreamKind::Frames => Finding::Frames,
                    StreamKind::Imu => Finding::ImuSamples,
                    _ => Finding::OtherPackets,
                };
                self.other(finding, 1, offset, bytes);
            }
        }
    }

    /// Enters the events that a message has added to the batch, or those of a stream that is not
    /// wanted.
    fn events(&mut self, stream: i32, is_wanted: bool, count: u64, offset: u64, bytes: u64) {
        self.account(stream, is_wanted, bytes);
        if !is_wanted {
            self.report.add(Finding::OtherStreamEvents, count, offset);
            return;
        }
        let share = self.shares.entry(stream).or_default();
        share.events += count;
        if count == 0 {
            return;
        }
        share.first.get_or_insert(offset);
        let all = self.batch.len();
        match self.items.last_mut() {
            Some(Item { offset: at, stream: of, what: What::Events { end } })
                if (*at, *of) == (offset, stream) =>
            {
                *end = all;
            }
            _ => self.items.push(Item { offset, stream, what: What::Events { end: all } }),
        }
    }

    fn account(&mut self, stream: i32, is_wanted: bool, bytes: u64) {
        if is_wanted {
            self.shares.entry(stream).or_default().bytes += bytes;
        } else {
            self.report.bytes.other += bytes;
        }
    }

    fn other(&mut self, finding: Finding, count: u64, offset: u64, bytes: u64) {
        self.report.bytes.other += bytes;
        self.report.add(finding, count, offset);
    }

    fn malformed(&mut self, reason: Reason, offset: u64, bytes: u64, strict: bool) {
        self.damaged(Error::malformed(reason).at(offset), offset, bytes, strict);
    }

    fn damaged(&mut self, error: Error, offset: u64, bytes: u64, strict: bool) {
        self.is_damaged = true;
        self.report.bytes.skipped += bytes;
        self.report.add(Finding::DamagedPackets, 1, offset);
        if strict {
            self.violation.get_or_insert(error);
        } else {
            self.report.note(format!("skipped a part of the recording: {error}"));
        }
    }

    fn excess(&mut self, has_excess: bool, offset: u64, strict: bool) {
        if has_excess {
            self.bad_part("a message is longer than its fields", offset, strict);
        }
    }

    fn bad_part(&mut self, what: &'static str, offset: u64, strict: bool) {
        self.report.add(Finding::BadParts, 1, offset);
        if strict {
            self.violation.get_or_insert(Error::malformed(what).at(offset));
        }
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc32::new();
    crc.update(bytes);
    crc.finalize()
}
