//! Reading of `/CD/events` with ECF compression: this crate reads and decodes the bytes of the
//! chunks, many at a time.

use std::ops::Range;

use liaf_hdf5::{Chunk, Chunks, ErrorKind};

use super::table::{MOST_DAMAGED, given_up};
use crate::codec::{BlockReader, Checkpoint, EventSink, ReadOptions, seek};
use crate::container::hdf5::{self, Shared};
use crate::error::{Error, Result};
use crate::formats::prophesee::ecf;
use crate::io::ByteSource;
use crate::io::{in_order, places_per_pool};
use crate::model::{Event, EventBatch, Finding, Report};

/// The number of Prophesee's filter in HDF5.
pub(crate) const FILTER: u16 = 36559;
/// Size of a record that was stored without the filter: x u16, y u16, p i16, t i64 at byte 8.
const RECORD: usize = 16;
/// Number of chunks that are read before they are decoded.
const CHUNKS: usize = 64;
/// The same on one thread, or where the reader often needs to know where it is.
const SMALL_STEPS: usize = 8;

/// Decodes the chunks of a dataset.
pub(crate) struct EcfReader {
    chunks: Chunks,
    name: String,
    shared: Shared,
    /// Number of rows of a chunk.
    chunk: u64,
    total: u64,
    next: u64,
    /// Whether only a part of the rows is wanted.
    is_cut: bool,
    offset: i64,
    in_flight_bytes: usize,
    strict: bool,
    parallel: bool,
    /// Number of chunks that are read at a time.
    steps: usize,
    slots: Vec<Slot>,
    file_bytes: u64,
    position: u64,
    /// Number of consecutive chunks without bytes before the next one.
    missing: u32,
    report: Report,
    ended: bool,
}

/// A chunk whose bytes have been read.
#[derive(Debug)]
struct Packed {
    bytes: Vec<u8>,
    is_raw: bool,
    rows: usize,
    first_row: u64,
    at: u64,
    fault: Option<&'static str>,
}

#[derive(Debug, Default)]
struct Slot {
    batch: EventBatch,
    fault: Option<&'static str>,
}

impl EcfReader {
    /// A reader of a dataset of `total` rows.
    pub fn new(
        chunks: Chunks,
        (name, total): (String, u64),
        shared: Shared,
        offset: i64,
        options: &ReadOptions,
    ) -> Self {
        Self {
            chunk: chunks.sides().first().copied().unwrap_or(1).max(1),
            chunks,
            name,
            total,
            next: 0,
            is_cut: false,
            offset,
            in_flight_bytes: options.limits.in_flight_bytes,
            strict: options.strict,
            parallel: options.parallel,
            steps: if options.parallel { CHUNKS } else { SMALL_STEPS },
            slots: Vec::new(),
            file_bytes: liaf_hdf5::Source::size(&shared),
            shared,
            position: 0,
            missing: 0,
            report: Report::default(),
            ended: false,
        }
    }

    /// Notes that the file ends `missing` bytes too early.
    pub fn is_cut(&mut self, missing: u64) {
        let error = super::rows::cut(self.file_bytes, missing);
        self.report.add(Finding::TruncatedTails, 1, self.file_bytes);
        self.report.note(&error);
    }

    /// Adds what the file has beside the events.
    pub fn beside(&mut self, tell: impl Fn(&mut Report)) {
        tell(&mut self.report);
    }

    /// The chunk in which a row is; `None` if it was never written.
    fn chunk_of(&mut self, row: u64) -> liaf_hdf5::Result<Option<Chunk>> {
        self.chunks.find(&[row / self.chunk])
    }

    /// Reads the bytes of the next chunks.
    fn read(&mut self) -> Result<Vec<Packed>> {
        let mut chunks = Vec::new();
        let mut bytes = 0;
        let many = self.steps;
        while self.next < self.total && chunks.len() < many && bytes < self.in_flight_bytes {
            let rows = (self.total - self.next).min(self.chunk) as usize;
            let first_row = self.next;
            self.next = self.next.saturating_add(self.chunk);
            let mut packed = Packed {
                bytes: Vec::new(),
                is_raw: false,
                rows,
                first_row,
                at: self.position,
                fault: None,
            };
            match self.chunk_of(first_row) {
                Ok(Some(chunk)) => {
                    packed.is_raw = chunk.mask & 1 == 1;
                    packed.at = chunk.offset;
                    match self.chunks.packed(&chunk, &mut packed.bytes) {
                        Ok(()) => {}
                        Err(error) if super::table::is_final(&error) => {
                            return Err(hdf5::error(error));
                        }
                        Err(_) => packed.fault = Some("the chunk lies after the end of the file"),
                    }
                }
                Ok(None) => packed.fault = Some("the chunk was never written"),
                Err(error) if error.kind() == ErrorKind::Limit => {
                    packed.fault = Some("the chunk is larger than is allowed");
                }
                Err(error) if super::table::is_final(&error) => return Err(hdf5::error(error)),
                Err(_) => packed.fault = Some("the position of the chunk cannot be read"),
            }
            self.position = packed.at + packed.bytes.len() as u64;
            bytes += packed.bytes.len();
            self.missing = if packed.fault.is_some() { self.missing + 1 } else { 0 };
            chunks.push(packed);
            if self.missing >= MOST_DAMAGED && self.next < self.total {
                self.report.note(given_up(self.total - self.next, &self.name));
                self.next = self.total;
            }
        }
        Ok(chunks)
    }

    fn end(&mut self) {
        self.ended = true;
        for note in self.shared.notes() {
            self.report.note(note);
        }
        let bytes = &mut self.report.bytes;
        // A damaged table may refer to the same bytes twice.
        if bytes.total() > self.file_bytes {
            bytes.events = self.file_bytes.saturating_sub(bytes.other);
            bytes.skipped = 0;
            self.report.add(Finding::BadParts, 1, 0);
        }
        let bytes = &mut self.report.bytes;
        let rest = self.file_bytes.saturating_sub(bytes.total());
        if self.is_cut {
            let stored = self.chunks.stored_bytes().unwrap_or(0);
            bytes.passed_over = stored.saturating_sub(bytes.events + bytes.skipped).min(rest);
        }
        bytes.header += rest - bytes.passed_over;
    }
}

impl seek::Rows for EcfReader {
    fn rows(&self) -> Range<u64> {
        self.next..self.total
    }

    /// The time of the first row of a chunk, which is the first number in the chunk.
    fn time(&mut self, source: &mut ByteSource, row: u64) -> Result<Option<i64>> {
        let Ok(Some(chunk)) = self.chunk_of(row) else { return Ok(None) };
        let is_raw = chunk.mask & 1 == 1;
        let bytes = source.read_at(chunk.offset.saturating_add(if is_raw { 8 } else { 4 }), 8)?;
        let time = bytes.first_chunk().map(|bytes| i64::from_le_bytes(*bytes));
        Ok(time.map(|time| time.saturating_add(self.offset)))
    }

    fn grain(&self) -> u64 {
        self.chunk
    }

    fn keep(&mut self, _source: &mut ByteSource, rows: Range<u64>) -> Result<()> {
        (self.next, self.total, self.is_cut) = (rows.start, rows.end, true);
        Ok(())
    }
}

/// Decodes the events of a chunk.
fn decode(packed: &Packed, offset: i64, slot: &mut Slot) {
    slot.batch.clear();
    slot.fault = packed.fault;
    if slot.fault.is_some() {
        return;
    }
    if packed.is_raw {
        raw(packed, slot);
    } else if let Err(fault) = ecf::decode(&packed.bytes, &mut slot.batch) {
        slot.fault = Some(fault);
    }
    // The last chunk is padded.
    slot.batch.truncate(packed.rows);
    if slot.fault.is_none() && slot.batch.len() < packed.rows {
        slot.fault = Some("the chunk holds fewer events than it should");
    }
    if offset != 0 {
        slot.batch.t.iter_mut().for_each(|t| *t = t.saturating_add(offset));
    }
}

fn raw(packed: &Packed, slot: &mut Slot) {
    for record in packed.bytes.as_chunks::<RECORD>().0.iter().take(packed.rows) {
        let u16_at = |at: usize| u16::from_le_bytes([record[at], record[at + 1]]);
        let [.., a, b, c, d, e, f, g, h] = *record;
        let t = i64::from_le_bytes([a, b, c, d, e, f, g, h]);
        let p = u8::from(u16_at(4) as i16 > 0);
        slot.batch.push(Event { t, x: u16_at(0), y: u16_at(2), p });
    }
}

impl BlockReader for EcfReader {
    fn again(&self) -> Option<Box<dyn BlockReader>> {
        let is_unread = self.next == 0 && !self.is_cut && !self.ended;
        is_unread.then(|| {
            Box::new(Self {
                chunks: self.chunks.clone(),
                name: self.name.clone(),
                shared: self.shared.clone(),
                slots: Vec::new(),
                report: self.report.clone(),
                ..*self
            }) as Box<dyn BlockReader>
        })
    }

    fn pump(&mut self, _source: &mut ByteSource, sink: &mut dyn EventSink) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let chunks = self.read()?;
        if chunks.is_empty() {
            self.end();
            return Ok(false);
        }
        let many = if self.parallel { places_per_pool() } else { 1 };
        let mut slots = std::mem::take(&mut self.slots);
        slots.resize_with(many, Slot::default);
        let (offset, strict, report) = (self.offset, self.strict, &mut self.report);
        let name = if strict { self.name.clone() } else { String::new() };
        let mut give = |_, packed: &Packed, slot: &mut Slot| {
            let bytes = packed.bytes.len() as u64;
            match slot.fault {
                Some(fault) => {
                    report.add(Finding::DamagedPackets, 1, packed.at);
                    let was_used = !slot.batch.is_empty();
                    *(if was_used {
                        &mut report.bytes.events
                    } else {
                        &mut report.bytes.skipped
                    }) += bytes;
                    if strict {
                        let row = packed.first_row;
                        let what = format!("{fault} (the chunk of row {row} of {name})");
                        return Err(Error::malformed(what).at(packed.at));
                    }
                }
                None => report.bytes.events += bytes,
            }
            if slot.batch.is_empty() { Ok(()) } else { sink.events(&mut slot.batch, packed.at) }
        };
        let result = if self.parallel {
            in_order(&chunks, &mut slots, |_, packed, slot| decode(packed, offset, slot), give)
        } else {
            chunks.iter().enumerate().try_for_each(|(i, packed)| {
                let slot = &mut slots[0];
                decode(packed, offset, slot);
                give(i, packed, slot)
            })
        };
        self.slots = slots;
        result.map(|()| true)
    }

    fn take_small_steps(&mut self) {
        self.steps = SMALL_STEPS;
    }

    fn report(&self) -> &Report {
        &self.report
    }

    fn position(&self) -> u64 {
        self.position.min(self.file_bytes)
    }

    fn checkpoint(&self) -> Option<Checkpoint> {
        Some(Checkpoint { offset: self.position(), state: vec![self.next as i64] })
    }

    fn resume(&mut self, _source: &mut ByteSource, checkpoint: &Checkpoint) -> Result<()> {
        let row = checkpoint.row()?;
        if !row.is_multiple_of(self.chunk) || row < self.next {
            return Err(Error::malformed("an index that is not of this file")
                .at(checkpoint.offset)
                .expected(format!("a multiple of {} rows", self.chunk))
                .found(row));
        }
        (self.next, self.is_cut) = (row.min(self.total), true);
        Ok(())
    }

    fn stop(&mut self, _source: &mut ByteSource, checkpoint: &Checkpoint) -> Result<()> {
        let end = checkpoint.row()?.next_multiple_of(self.chunk);
        (self.total, self.is_cut) = (end.clamp(self.next, self.total.max(self.next)), true);
        Ok(())
    }

    fn narrow(&mut self, source: &mut ByteSource, time: &Range<i64>) -> Result<bool> {
        seek::narrow(self, source, time)
    }

    fn expected_events(&self) -> usize {
        self.total.saturating_sub(self.next).min(self.file_bytes.saturating_mul(16)) as usize
    }
}
