//! Words to events, where earlier words say what later ones mean.

use std::fmt::Debug;

use rayon::prelude::*;

use super::{Met, WordScan};
use crate::codec::record_buffer::RecordBuffer;
use crate::codec::{Body, Checkpoint, Decoder, EventSink, ReadOptions};
use crate::error::{Error, Result};
use crate::io::{in_order, places_per_pool};
use crate::model::{EventBatch, Finding, Report};

/// What words of `WORD` bytes, little-endian, set for those behind them.
pub(crate) trait Registers<const WORD: usize>: Copy + Debug + Send + Sync {
    /// Name of the format.
    const FORMAT: &'static str;
    /// Words between two calls of the sink, and that one thread takes at a time; their bytes and
    /// columns stay in the second-level cache.
    const BATCH: usize;
    /// What a run of words does to the registers it meets, apart from the epoch.
    type Trail: Send;
    /// Room to work in.
    type Scratch: Debug + Default + Send;

    /// Takes the next word, which stands at `offset`.
    fn take(&mut self, word: [u8; WORD], offset: u64, events: &mut EventBatch, met: &mut Met);

    /// Takes the next words, which begin at `offset`; the same as one after another by `take`.
    fn decode(
        &mut self,
        words: &[[u8; WORD]],
        offset: u64,
        events: &mut EventBatch,
        met: &mut Met,
        scratch: &mut Self::Scratch,
    );

    /// The trigger that a word is, if it is one.
    fn trigger(&self, word: [u8; WORD]) -> Option<TriggerWord>;

    /// Looks at a run of words without decoding it.
    fn trail(words: &[[u8; WORD]]) -> Self::Trail;

    /// The registers behind the words of a trail; the epoch stays as it is.
    fn follow(&mut self, trail: &Self::Trail);

    /// What wraps have added to the time so far, in µs.
    fn epoch(&mut self) -> &mut i64;

    /// Bits of the time below those of a `TIME_HIGH`.
    const LOW_BITS: u32;
    /// What a wrap adds to the time, in µs.
    const ROUND: i64;

    /// Whether a word is a `TIME_HIGH`.
    fn is_high(word: [u8; WORD]) -> bool;

    /// The bits of time of a `TIME_HIGH`.
    fn high_of(word: [u8; WORD]) -> u32;

    /// Whether the time begins anew between two `TIME_HIGH`.
    fn wraps(old: u32, new: u32) -> bool;

    /// The last `TIME_HIGH`; without one an event has no time.
    fn high(&self) -> Option<u32>;

    /// What OpenEB takes from all times, in µs, if this is the first `TIME_HIGH`.
    fn shift(high: u32) -> i64 {
        i64::from(high) << Self::LOW_BITS
    }

    /// All of them as numbers, to go on from here later.
    fn pack(&self) -> Vec<i64>;

    /// The registers that [`pack`](Self::pack) gave.
    ///
    /// # Errors
    /// If the checkpoint's state cannot be of them.
    fn unpack(&self, checkpoint: &Checkpoint) -> Result<Self>;
}

/// What a word of a trigger says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TriggerWord {
    /// In µs; `None` before the first `TIME_HIGH`.
    pub t: Option<i64>,
    pub channel: u32,
    /// Whether the signal rose.
    pub value: bool,
}

/// Decodes words; a header is behind it.
#[derive(Debug)]
pub(crate) struct WordDecoder<R: Registers<WORD>, const WORD: usize> {
    strict: bool,
    parallel: bool,
    /// [`Registers::BATCH`] outside of tests.
    batch_words: usize,
    whole: RecordBuffer<WORD>,
    offset: u64,
    registers: R,
    /// What one thread works on.
    piece: Piece<R, WORD>,
    /// What several threads work on.
    places: Vec<Piece<R, WORD>>,
    report: Report,
}

impl<R: Registers<WORD>, const WORD: usize> WordDecoder<R, WORD> {
    /// A decoder for words that begin at byte `start`; `report` has what stands before them.
    pub fn new(registers: R, start: u64, report: Report, options: &ReadOptions) -> Self {
        let parallel = options.parallel && !options.strict;
        let places = if parallel { places_per_pool() } else { 0 };
        Self {
            strict: options.strict,
            parallel,
            batch_words: R::BATCH,
            whole: RecordBuffer::default(),
            offset: start,
            registers,
            piece: Piece::new(registers),
            places: (0..places).map(|_| Piece::new(registers)).collect(),
            report,
        }
    }

    /// A decoder for words behind `header` bytes, 0 for words from a camera.
    pub fn behind(registers: R, header: u64, options: &ReadOptions) -> Self {
        let mut report = Report::default();
        report.bytes.header = header;
        Self::new(registers, header, report, options)
    }

    /// The decoder, and what finds places for it.
    pub fn with_seek_scan(self) -> Body
    where
        R: 'static,
    {
        let (registers, start, parallel) = (self.registers, self.offset, self.parallel);
        let seek_scan = WordScan::<R, WORD> { registers, start, parallel };
        Body::stream(self).with_seek_scan(seek_scan)
    }

    /// The same with batches of any size, to test every cut.
    #[cfg(test)]
    pub fn with_batches(self, batch_words: usize) -> Self {
        Self { batch_words, ..self }
    }

    /// Without any `TIME_HIGH` no event has a time.
    fn check_time(&mut self) -> Result<()> {
        let early = self.report.findings.get(&Finding::EventsBeforeTime);
        let Some(early) = early.filter(|_| self.registers.high().is_none()) else { return Ok(()) };
        let at = early.first_offset.unwrap_or_default();
        let error = Error::malformed("no event has a time").at(at).expected("a TIME_HIGH word");
        if self.strict {
            return Err(error);
        }
        self.report.note(error.to_string());
        Ok(())
    }

    fn words(&mut self, words: &[[u8; WORD]], sink: &mut dyn EventSink) -> Result<()> {
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
    /// registers follows from the trails of those before it; wraps inside them are added afterwards.
    fn pieces(&mut self, words: &[[u8; WORD]], sink: &mut dyn EventSink) -> Result<()> {
        let trails: Vec<_> = words.par_chunks(self.batch_words).map(R::trail).collect();
        let (mut registers, mut offset) = (self.registers, self.offset);
        let mut starts = Vec::with_capacity(trails.len());
        for (words, trail) in words.chunks(self.batch_words).zip(&trails) {
            starts.push(Start { words, offset, registers });
            registers.follow(trail);
            offset += size_of_val(words) as u64;
        }
        let epoch = *self.registers.epoch();
        let mut wraps = 0;
        let give = |_, start: &Start<'_, R, WORD>, piece: &mut Piece<R, WORD>| {
            if wraps != 0 {
                piece.batch.t.iter_mut().for_each(|t| *t += wraps);
            }
            wraps += *piece.registers.epoch() - epoch;
            self.registers = piece.registers;
            *self.registers.epoch() = epoch + wraps;
            self.offset += size_of_val(start.words) as u64;
            piece.hand_over(start.words.len(), &mut self.report, sink)
        };
        in_order(&starts, &mut self.places, |_, start, piece| piece.decode(start), give)
    }

    /// In strict mode: up to the first violation, and so that errors of the sink have the offset of
    /// the word.
    fn word_by_word(&mut self, words: &[[u8; WORD]], sink: &mut dyn EventSink) -> Result<()> {
        let (mut met, mut taken) = (Met::default(), 0);
        let result = words.iter().try_for_each(|&word| {
            let at = self.offset;
            let batch = &mut self.piece.batch;
            batch.clear();
            self.registers.take(word, at, batch, &mut met);
            self.offset += WORD as u64;
            taken += 1;
            if let Some((what, expected)) = met.violation(R::FORMAT) {
                let found = word.iter().rfold("0x".to_owned(), |hex, b| format!("{hex}{b:02x}"));
                return Err(Error::malformed(what).at(at).expected(expected).found(found));
            }
            if batch.is_empty() { Ok(()) } else { sink.events(batch, at) }
        });
        met.enter(taken, WORD, &mut self.report);
        result
    }
}

impl<R: Registers<WORD>, const WORD: usize> Decoder for WordDecoder<R, WORD> {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        let mut whole = std::mem::take(&mut self.whole);
        let result = whole.push(bytes, |words| self.words(words, sink));
        self.whole = whole;
        result
    }

    fn finish(&mut self, _sink: &mut dyn EventSink) -> Result<()> {
        self.check_time()?;
        self.whole.finish("word", self.offset, self.strict, &mut self.report)
    }

    fn report(&self) -> &Report {
        &self.report
    }

    fn checkpoint(&self) -> Option<Checkpoint> {
        Some(Checkpoint { offset: self.offset, state: self.registers.pack() })
    }

    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.registers = self.registers.unpack(checkpoint)?;
        self.offset = checkpoint.offset;
        self.whole.clear();
        Ok(())
    }
}

/// Some words, and what the registers are in front of them.
struct Start<'a, R, const WORD: usize> {
    words: &'a [[u8; WORD]],
    offset: u64,
    registers: R,
}

/// What comes of some words.
#[derive(Debug)]
struct Piece<R: Registers<WORD>, const WORD: usize> {
    offset: u64,
    registers: R,
    batch: EventBatch,
    met: Met,
    scratch: Box<R::Scratch>,
}

impl<R: Registers<WORD>, const WORD: usize> Piece<R, WORD> {
    fn new(registers: R) -> Self {
        Self {
            offset: 0,
            registers,
            batch: EventBatch::new(),
            met: Met::default(),
            scratch: Box::default(),
        }
    }

    fn decode(&mut self, start: &Start<'_, R, WORD>) {
        (self.offset, self.registers) = (start.offset, start.registers);
        self.met = Met::default();
        self.batch.clear();
        let Self { offset, registers, batch, met, scratch } = self;
        registers.decode(start.words, *offset, batch, met, scratch);
    }

    fn hand_over(
        &mut self,
        words: usize,
        report: &mut Report,
        sink: &mut dyn EventSink,
    ) -> Result<()> {
        self.met.enter(words, WORD, report);
        if self.batch.is_empty() { Ok(()) } else { sink.events(&mut self.batch, self.offset) }
    }
}
