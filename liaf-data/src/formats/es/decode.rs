//! Decoding of events with relative times.

use super::header::Type;
use crate::codec::{Checkpoint, Decoder, EventSink, ReadOptions};
use crate::error::{Error, Result};
use crate::model::{EventBatch, Finding, MeasurementCount, Report};

/// Number of events between two calls of the sink.
const BATCH: usize = 8192;
/// Size of an event of a DVS or an ATIS in bytes: time, x, y.
const EVENT: usize = 5;

/// Decodes the events of an Event Stream file, whose header must already have been consumed.
#[derive(Debug)]
pub struct EventStreamDecoder {
    kind: Type,
    /// Offset of the first event.
    start: u64,
    /// If set, rows are counted from the other end of a sensor of this height.
    flip_y: Option<u16>,
    strict: bool,
    /// The largest generic event that is accepted, in bytes.
    limit: u64,
    /// Time of the last event, in µs.
    t: i64,
    /// The bytes of an event that is not complete yet.
    carry: Vec<u8>,
    /// The rest of a generic event whose length is known.
    generic: Option<Generic>,
    /// Whether the rest of the file cannot be decoded.
    lost: bool,
    offset: u64,
    batch: EventBatch,
    report: Report,
}

/// A generic event of which the end has not arrived yet.
#[derive(Debug, Clone, Copy)]
struct Generic {
    offset: u64,
    left: u64,
    bytes: u64,
}

/// The result of examining some bytes.
enum Found {
    /// This many bytes are processed.
    Done(usize),
    /// A complete event needs this many bytes, counted from its first one.
    Need(usize),
}

impl EventStreamDecoder {
    /// A decoder for events that start at byte `start`.
    pub(crate) fn new(kind: Type, flip_y: Option<u16>, start: u64, options: &ReadOptions) -> Self {
        Self {
            kind,
            start,
            flip_y,
            strict: options.strict,
            limit: options.limits.packet_bytes as u64,
            t: 0,
            carry: Vec::new(),
            generic: None,
            lost: false,
            offset: start,
            batch: EventBatch::new(),
            report: Report::of_header(start),
        }
    }

    /// Decodes the complete events in `bytes`. Returns how many bytes were processed, and how many
    /// bytes from there on the next event needs to be complete.
    fn process(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<(usize, usize)> {
        let base = self.offset;
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            self.offset = base + at as u64;
            let found = match self.kind {
                Type::Dvs => self.batch_of(rest, sink, dvs)?,
                Type::Atis => self.batch_of(rest, sink, atis)?,
                Type::Colour => self.samples(rest, 7),
                Type::Display => self.samples(rest, 3),
                Type::Generic => self.generic(rest)?,
            };
            match found {
                Found::Done(done) => at += done,
                Found::Need(need) => return Ok((at, need)),
            }
        }
        self.offset = base + at as u64;
        Ok((at, 0))
    }

    /// Passes the next events, at most [`BATCH`], to the sink.
    fn batch_of(
        &mut self,
        bytes: &[u8],
        sink: &mut dyn EventSink,
        decode: DecodeEvents,
    ) -> Result<Found> {
        let most = (bytes.len() / EVENT).min(BATCH);
        if most == 0 && !is_idle(self.kind, bytes[0]) {
            return Ok(Found::Need(EVENT));
        }
        let t = self.t;
        let mut decoded = self.events(bytes, most, decode);
        let mut given = Ok(());
        if !self.batch.is_empty() {
            let first = self.offset + decoded.first_event as u64;
            given = sink.events(&mut self.batch, first).map_err(|error| {
                error.place_event(|event| {
                    self.t = t;
                    let before = self.events(bytes, event, decode).bytes;
                    let rest = bytes.get(before..).unwrap_or_default();
                    let at = before + self.events(rest, 1, decode).first_event;
                    self.t = t;
                    decoded = self.events(bytes, event + 1, decode);
                    self.offset + at as u64
                })
            });
        }
        self.report.bytes.events += (decoded.bytes - EVENT * decoded.others) as u64;
        self.report.bytes.other += (EVENT * decoded.others) as u64;
        let first = self.offset + decoded.first_other as u64;
        self.report.add(Finding::ThresholdCrossings, decoded.others as u64, first);
        given?;
        Ok(if decoded.bytes == 0 { Found::Need(EVENT) } else { Found::Done(decoded.bytes) })
    }

    /// Decodes at most `most` events from the beginning of `bytes` into the batch.
    fn events(&mut self, bytes: &[u8], most: usize, decode: DecodeEvents) -> Decoded {
        let batch = &mut self.batch;
        batch.t.resize(most, 0);
        batch.x.resize(most, 0);
        batch.y.resize(most, 0);
        batch.p.resize(most, 0);
        let mut columns =
            Columns { t: &mut batch.t, x: &mut batch.x, y: &mut batch.y, p: &mut batch.p };
        let decoded = decode(bytes, &mut self.t, &mut columns);
        batch.truncate(decoded.events);
        if let Some(height) = self.flip_y {
            let last = height.wrapping_sub(1);
            batch.y.iter_mut().for_each(|y| *y = last.wrapping_sub(*y));
        }
        decoded
    }

    /// Counts events of `size` bytes, and the time bytes between them, without decoding the events.
    fn samples(&mut self, bytes: &[u8], size: usize) -> Found {
        let mut at = 0;
        let (mut count, mut first) = (0, None);
        while let Some(&byte) = bytes.get(at) {
            at += match byte {
                0xff => {
                    self.t += 254;
                    1
                }
                0xfe => 1,
                _ if bytes.len() - at <= size => break,
                _ => {
                    self.t += i64::from(byte);
                    first.get_or_insert(self.t);
                    count += 1;
                    size + 1
                }
            };
        }
        self.report.bytes.other += at as u64;
        self.count(count, first);
        if at == 0 { Found::Need(size + 1) } else { Found::Done(at) }
    }

    fn count(&mut self, count: u64, t_first: Option<i64>) {
        if let Some(t_first) = t_first {
            let samples = MeasurementCount { count, t_first, t_last: self.t };
            self.report.add_measurements(self.kind.name(), samples);
        }
    }

    /// Processes one byte of time and one event of any length, of which only the length is
    /// examined.
    fn generic(&mut self, bytes: &[u8]) -> Result<Found> {
        let all = bytes.len() as u64;
        if self.lost {
            self.report.bytes.skipped += all;
            return Ok(Found::Done(bytes.len()));
        }
        if let Some(Generic { left, offset, bytes: whole }) = self.generic {
            let passed = left.min(all);
            let left = left - passed;
            self.generic = (left > 0).then_some(Generic { offset, left, bytes: whole });
            if left == 0 {
                self.report.bytes.other += whole;
                self.count(1, Some(self.t));
            }
            return Ok(Found::Done(passed as usize));
        }
        let delta = match bytes[0] {
            byte @ (0xfe | 0xff) => {
                self.t += if byte == 0xff { 254 } else { 0 };
                self.report.bytes.other += 1;
                return Ok(Found::Done(1));
            }
            byte => i64::from(byte),
        };
        let mut length = 0_u64;
        for (i, &byte) in bytes[1..].iter().enumerate() {
            length |= u64::from(byte >> 1) << (7 * i);
            if length > self.limit || i == 7 {
                return self.lose(length, bytes.len());
            }
            if byte & 1 == 0 {
                let head = i as u64 + 2;
                self.t += delta;
                self.generic =
                    Some(Generic { offset: self.offset, left: length, bytes: head + length });
                if length == 0 {
                    self.generic = None;
                    self.report.bytes.other += head;
                    self.count(1, Some(self.t));
                }
                return Ok(Found::Done(head as usize));
            }
        }
        Ok(Found::Need(bytes.len() + 1))
    }

    /// Gives up after a length that no event can have: it is unknown where the next event starts.
    fn lose(&mut self, length: u64, bytes: usize) -> Result<Found> {
        if self.strict {
            return Err(Error::malformed("a generic event is too long")
                .at(self.offset)
                .expected(format!("at most {} bytes", self.limit))
                .found(format!("{length} bytes or more")));
        }
        self.report.add(Finding::DamagedPackets, 1, self.offset);
        self.report.note(
            "the length of a generic event is invalid, so that no event after it can be found",
        );
        self.report.bytes.skipped += bytes as u64;
        self.lost = true;
        Ok(Found::Done(bytes))
    }
}

fn is_idle(kind: Type, byte: u8) -> bool {
    byte >= if kind == Type::Atis { 0xfc } else { 0xfe }
}

/// The columns to fill, all of the same length.
struct Columns<'a> {
    t: &'a mut [i64],
    x: &'a mut [u16],
    y: &'a mut [u16],
    p: &'a mut [u8],
}

/// Decodes events into the columns, starting at this time.
type DecodeEvents = fn(&[u8], &mut i64, &mut Columns<'_>) -> Decoded;

/// What was decoded from some bytes.
#[derive(Debug, Default)]
struct Decoded {
    /// Number of bytes that were processed.
    bytes: usize,
    events: usize,
    /// Offset of the first event.
    first_event: usize,
    /// Number of threshold crossings.
    others: usize,
    /// Offset of the first of them.
    first_other: usize,
}

/// Decodes events until the columns are full or less than an event is left.
fn dvs(bytes: &[u8], t: &mut i64, columns: &mut Columns<'_>) -> Decoded {
    let Columns { t: times, x: xs, y: ys, p: ps } = columns;
    let slots = times.iter_mut().zip(xs.iter_mut()).zip(ys.iter_mut().zip(ps.iter_mut()));
    let mut decoded = Decoded::default();
    let (mut rest, mut now) = (bytes, *t);
    for ((time, x), (y, p)) in slots {
        while let Some((&byte, after)) = rest.split_first()
            && byte >= 0xfe
        {
            now += if byte == 0xff { 127 } else { 0 };
            rest = after;
        }
        let Some((event, after)) = rest.split_first_chunk::<EVENT>() else { break };
        if decoded.events == 0 {
            decoded.first_event = bytes.len() - rest.len();
        }
        let [delta, x0, x1, y0, y1] = *event;
        now += i64::from(delta >> 1);
        *time = now;
        *x = u16::from_le_bytes([x0, x1]);
        *y = u16::from_le_bytes([y0, y1]);
        *p = delta & 1;
        decoded.events += 1;
        rest = after;
    }
    if columns.t.is_empty() {
        while let Some((&byte, after)) = rest.split_first()
            && byte >= 0xfe
        {
            now += if byte == 0xff { 127 } else { 0 };
            rest = after;
        }
    }
    *t = now;
    decoded.bytes = bytes.len() - rest.len();
    decoded
}

/// Like [`dvs`]; threshold crossings are counted.
fn atis(bytes: &[u8], t: &mut i64, columns: &mut Columns<'_>) -> Decoded {
    let mut decoded = Decoded::default();
    let (mut rest, mut now) = (bytes, *t);
    loop {
        while let Some((&byte, after)) = rest.split_first()
            && byte >= 0xfc
        {
            now += 63 * i64::from(byte & 3);
            rest = after;
        }
        let n = decoded.events;
        let Some((event, after)) = rest.split_first_chunk::<EVENT>() else { break };
        let [delta, x0, x1, y0, y1] = *event;
        if delta & 1 == 1 {
            if decoded.others == 0 {
                decoded.first_other = bytes.len() - rest.len();
            }
            decoded.others += 1;
        } else {
            let slot = columns.t.get_mut(n).zip(columns.x.get_mut(n));
            let slot = slot.zip(columns.y.get_mut(n).zip(columns.p.get_mut(n)));
            let Some(((time, x), (y, p))) = slot else { break };
            if n == 0 {
                decoded.first_event = bytes.len() - rest.len();
            }
            *time = now + i64::from(delta >> 2);
            *x = u16::from_le_bytes([x0, x1]);
            *y = u16::from_le_bytes([y0, y1]);
            *p = delta >> 1 & 1;
            decoded.events += 1;
        }
        now += i64::from(delta >> 2);
        rest = after;
    }
    *t = now;
    decoded.bytes = bytes.len() - rest.len();
    decoded
}

impl Decoder for EventStreamDecoder {
    fn push(&mut self, mut bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        while !self.carry.is_empty() && !bytes.is_empty() {
            // Complete the one event of which bytes were kept, then continue with the new bytes.
            let mut carry = std::mem::take(&mut self.carry);
            let (_, need) = self.process(&carry, sink)?;
            let take = need.saturating_sub(carry.len()).min(bytes.len());
            carry.extend_from_slice(&bytes[..take]);
            bytes = &bytes[take..];
            let (done, _) = self.process(&carry, sink)?;
            carry.drain(..done);
            self.carry = carry;
        }
        let (done, _) = self.process(bytes, sink)?;
        self.carry.extend_from_slice(&bytes[done..]);
        Ok(())
    }

    fn finish(&mut self, _sink: &mut dyn EventSink) -> Result<()> {
        let carried = std::mem::take(&mut self.carry).len() as u64;
        let (tail, offset, expected) = match self.generic.take() {
            Some(generic) => {
                (generic.bytes - generic.left, generic.offset, format!("{} bytes", generic.bytes))
            }
            None => (carried, self.offset, "a whole event".to_owned()),
        };
        if tail == 0 {
            return Ok(());
        }
        self.report.bytes.skipped += tail;
        self.report.add(Finding::TruncatedTails, 1, offset);
        if self.strict {
            return Err(Error::truncated("the last event is incomplete")
                .at(offset)
                .expected(expected)
                .found(format!("{tail} bytes")));
        }
        Ok(())
    }

    fn report(&self) -> &Report {
        &self.report
    }

    /// A checkpoint is before an event, but not inside a generic one, nor where the rest cannot be
    /// decoded.
    fn checkpoint(&self) -> Option<Checkpoint> {
        let between = self.generic.is_none() && !self.lost;
        between.then(|| Checkpoint::new(self.offset, vec![self.t]))
    }

    fn reset(&mut self) {
        (self.t, self.offset) = (0, self.start);
        self.carry.clear();
        self.generic = None;
        self.lost = false;
        self.report = Report::of_header(self.start);
    }

    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let [t] = checkpoint.state()?;
        self.reset();
        (self.t, self.offset) = (t, checkpoint.offset);
        Ok(())
    }
}
