//! Words to events.

use rayon::prelude::*;

use super::cut::Trail;
use super::fast::{Scratch, decode};
use super::registers::{Met, Registers, WORD};
use crate::parallel::{in_order, places_per_pool};
use crate::reader::ReadOptions;
use crate::{Decoder, Error, EventBatch, Oddity, Report, Result, Sink};

/// Words between two calls of the sink, and that one thread takes at a time; their bytes and
/// columns stay in the second-level cache.
const BATCH: usize = 8 << 10;

/// Decodes the words of an EVT 3.0 stream; a header is behind it.
#[derive(Debug)]
pub struct Evt3Decoder {
    strict: bool,
    parallel: bool,
    /// [`BATCH`] outside of tests.
    batch_words: usize,
    /// The first half of a word.
    carry: Option<u8>,
    offset: u64,
    registers: Registers,
    /// What one thread works on.
    piece: Piece,
    /// What several threads work on.
    places: Vec<Piece>,
    report: Report,
}

impl Evt3Decoder {
    /// A decoder for words that begin `header` bytes into the file, 0 for words from a camera.
    pub fn new(header: u64, options: &ReadOptions) -> Self {
        let mut report = Report::default();
        report.bytes.header = header;
        Self::with_report(header, report, options)
    }

    /// A decoder for words that begin at byte `start`; `report` has what stands before them.
    pub(super) fn with_report(start: u64, report: Report, options: &ReadOptions) -> Self {
        let parallel = options.parallel && !options.strict;
        let mut places = Vec::new();
        places.resize_with(if parallel { places_per_pool() } else { 0 }, Piece::default);
        Self {
            strict: options.strict,
            parallel,
            batch_words: BATCH,
            carry: None,
            offset: start,
            registers: Registers::default(),
            piece: Piece::default(),
            places,
            report,
        }
    }

    /// The same with batches of any size, to test every cut.
    #[cfg(test)]
    pub(super) fn with_batches(header: u64, options: &ReadOptions, batch_words: usize) -> Self {
        Self { batch_words, ..Self::new(header, options) }
    }

    /// Without any `TIME_HIGH` no event has a time.
    fn check_time(&mut self) -> Result<()> {
        let early = self.report.oddities.get(&Oddity::EventsBeforeTime);
        let Some(early) = early.filter(|_| self.registers.high.is_none()) else { return Ok(()) };
        let at = early.first_offset.unwrap_or_default();
        let error = Error::malformed("no event has a time").at(at).expected("a TIME_HIGH word");
        if self.strict {
            return Err(error);
        }
        self.report.note(error.to_string());
        Ok(())
    }

    fn words(&mut self, words: &[[u8; WORD]], sink: &mut dyn Sink) -> Result<()> {
        if self.strict {
            return self.word_by_word(words, sink);
        }
        if self.parallel && words.len() > self.batch_words {
            return self.pieces(words, sink);
        }
        for words in words.chunks(self.batch_words) {
            let piece = &mut self.piece;
            piece.decode(&Start { words, offset: self.offset, registers: self.registers });
            self.registers = piece.registers;
            self.offset += size_of_val(words) as u64;
            piece.hand_over(words.len(), &mut self.report, sink)?;
        }
        Ok(())
    }

    /// As [`words`](Self::words), each batch by the next free thread. What a batch finds in the
    /// registers follows from the [`Trail`]s of those before it; wraps inside them are added
    /// afterwards.
    fn pieces(&mut self, words: &[[u8; WORD]], sink: &mut dyn Sink) -> Result<()> {
        let trails: Vec<_> = words.par_chunks(self.batch_words).map(Trail::of).collect();
        let (mut registers, mut offset) = (self.registers, self.offset);
        let mut starts = Vec::with_capacity(trails.len());
        for (words, trail) in words.chunks(self.batch_words).zip(&trails) {
            starts.push(Start { words, offset, registers });
            trail.apply(&mut registers);
            offset += size_of_val(words) as u64;
        }
        let epoch = self.registers.epoch;
        let mut wraps = 0;
        let give = |_, start: &Start<'_>, piece: &mut Piece| {
            if wraps != 0 {
                piece.batch.t.iter_mut().for_each(|t| *t += wraps);
            }
            wraps += piece.registers.epoch - epoch;
            self.registers = Registers { epoch: epoch + wraps, ..piece.registers };
            self.offset += size_of_val(start.words) as u64;
            piece.hand_over(start.words.len(), &mut self.report, sink)
        };
        in_order(&starts, &mut self.places, |_, start, piece| piece.decode(start), give)
    }

    /// In strict mode: up to the first violation, and so that errors of the sink have the offset of
    /// the word.
    fn word_by_word(&mut self, words: &[[u8; WORD]], sink: &mut dyn Sink) -> Result<()> {
        let (mut met, mut taken) = (Met::default(), 0);
        let result = words.iter().try_for_each(|&word| {
            let (word, at) = (u16::from_le_bytes(word), self.offset);
            let batch = &mut self.piece.batch;
            batch.clear();
            self.registers.take(word, at, batch, &mut met);
            self.offset += WORD as u64;
            taken += 1;
            if let Some((what, expected)) = met.violation() {
                let found = format!("{word:#06x}");
                return Err(Error::malformed(what).at(at).expected(expected).found(found));
            }
            if batch.is_empty() { Ok(()) } else { sink.events(batch, at) }
        });
        met.enter(taken, &mut self.report);
        result
    }
}

impl Decoder for Evt3Decoder {
    fn push(&mut self, mut bytes: &[u8], sink: &mut dyn Sink) -> Result<()> {
        if let (Some(first), Some((&second, rest))) = (self.carry, bytes.split_first()) {
            self.carry = None;
            bytes = rest;
            self.words(&[[first, second]], sink)?;
        }
        let (words, rest) = bytes.as_chunks::<WORD>();
        self.carry = rest.first().copied().or(self.carry);
        self.words(words, sink)
    }

    fn finish(&mut self, _sink: &mut dyn Sink) -> Result<()> {
        self.check_time()?;
        if self.carry.take().is_none() {
            return Ok(());
        }
        self.report.bytes.skipped += 1;
        self.report.add(Oddity::TruncatedTails, 1, self.offset);
        if self.strict {
            return Err(Error::truncated("the last word is not whole")
                .at(self.offset)
                .expected("2 bytes")
                .found("1 byte"));
        }
        Ok(())
    }

    fn report(&self) -> &Report {
        &self.report
    }
}

/// Some words, and what the registers are in front of them.
struct Start<'a> {
    words: &'a [[u8; WORD]],
    offset: u64,
    registers: Registers,
}

/// What comes of some words.
#[derive(Debug, Default)]
struct Piece {
    offset: u64,
    registers: Registers,
    batch: EventBatch,
    met: Met,
    scratch: Box<Scratch>,
}

impl Piece {
    fn decode(&mut self, start: &Start<'_>) {
        (self.offset, self.registers) = (start.offset, start.registers);
        self.met = Met::default();
        self.batch.clear();
        let Self { offset, registers, batch, met, scratch } = self;
        decode(start.words, *offset, registers, batch, met, scratch);
    }

    fn hand_over(&mut self, words: usize, report: &mut Report, sink: &mut dyn Sink) -> Result<()> {
        self.met.enter(words, report);
        if self.batch.is_empty() { Ok(()) } else { sink.events(&mut self.batch, self.offset) }
    }
}
