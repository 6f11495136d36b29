//! Decoding of words to events for encodings in which earlier words determine the meaning of later
//! ones.

use std::fmt::Debug;

use super::{Met, WordScan, met};
use crate::codec::records::{RecordDecoder, RecordFormat, RecordState};
use crate::codec::{Body, Checkpoint, ReadOptions};
use crate::error::{Error, Result};
use crate::model::{EventBatch, Finding, Report};

/// The state that words of `WORD` bytes, little-endian, set for the words after them.
pub trait WordRegisters<const WORD: usize>: RecordState {
    /// Name of the format.
    const FORMAT: &'static str;
    /// Number of words between two calls of the sink, and that a thread decodes at a time. Their
    /// bytes and columns fit into the second-level cache.
    const BATCH: usize;
    /// What a run of words does to the registers, apart from the epoch.
    type Trail: Send;
    /// Working memory.
    type Scratch: Debug + Default + Send;

    /// Decodes the next word, which is at `offset`.
    fn take(&mut self, word: [u8; WORD], offset: u64, events: &mut EventBatch, met: &mut Met);

    /// Decodes the next words, which start at `offset`. The result is the same as with `take` for
    /// each of them.
    fn decode(
        &mut self,
        words: &[[u8; WORD]],
        offset: u64,
        events: &mut EventBatch,
        met: &mut Met,
        scratch: &mut Self::Scratch,
    );

    /// The trigger in a word, if it is one.
    fn trigger(&self, word: [u8; WORD]) -> Option<TriggerWord>;

    /// Computes what a run of words does to the registers, without decoding it.
    fn trail(&self, words: &[[u8; WORD]]) -> Self::Trail;

    /// Updates the registers to those after the words of a trail; the epoch is left unchanged.
    fn follow(&mut self, trail: &Self::Trail);

    /// Number of time bits below those of a `TIME_HIGH`.
    const LOW_BITS: u32;
    /// How much a wrap adds to the time, in µs.
    const ROUND: i64;

    /// Whether a word is a `TIME_HIGH`.
    fn is_high(&self, word: [u8; WORD]) -> bool;

    /// The time bits of a `TIME_HIGH`.
    fn high_of(&self, word: [u8; WORD]) -> u32;

    /// Whether the time wrapped between two `TIME_HIGH`.
    fn wraps(old: u32, new: u32) -> bool;

    /// The last `TIME_HIGH`; without one, events have no time.
    fn high(&self) -> Option<u32>;

    /// What OpenEB subtracts from all times, in µs, if this is the first `TIME_HIGH`.
    fn shift(high: u32) -> i64 {
        i64::from(high) << Self::LOW_BITS
    }

    /// Restores the registers that were stored with [`RecordState::pack`].
    ///
    /// # Errors
    /// If the state of the checkpoint cannot be that of these registers.
    fn unpack(&self, checkpoint: &Checkpoint) -> Result<Self>;
}

/// The contents of a trigger word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriggerWord {
    /// The time in µs; `None` before the first `TIME_HIGH`.
    pub t: Option<i64>,
    /// Number of the input.
    pub channel: u32,
    /// Whether the signal rose.
    pub value: bool,
}

/// The words of a stream as records, with the registers before the first of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct EvtWords<R>(R);

/// Decodes words that follow a header.
pub(crate) type WordDecoder<R, const WORD: usize> = RecordDecoder<EvtWords<R>, WORD>;

impl<R: WordRegisters<WORD>, const WORD: usize> WordDecoder<R, WORD> {
    /// A decoder for words after `header` bytes of header; 0 for words directly from a camera.
    pub(crate) fn after_header(registers: R, header: u64, options: &ReadOptions) -> Self {
        Self::with_format(EvtWords(registers), header, Report::of_header(header), options)
    }
}

/// The decoder for words that start at byte `start`, and the search for seek points among them;
/// `report` covers everything before them.
pub(crate) fn events_body<R: WordRegisters<WORD> + 'static, const WORD: usize>(
    registers: R,
    start: u64,
    report: Report,
    options: &ReadOptions,
) -> Body {
    let decoder = WordDecoder::with_format(EvtWords(registers), start, report, options);
    let parallel = options.parallel;
    Body::stream(decoder).with_seek_scan(WordScan::<R, WORD> { registers, start, parallel })
}

impl<R: WordRegisters<WORD>, const WORD: usize> RecordFormat<WORD> for EvtWords<R> {
    type State = R;
    type Trail = R::Trail;
    type Scratch = R::Scratch;
    const NAME: &'static str = "word";
    const BATCH: usize = R::BATCH;
    const SEGMENT: usize = R::BATCH;

    fn start(self) -> R {
        self.0
    }

    fn decode(
        self,
        words: &[[u8; WORD]],
        offset: u64,
        registers: &mut R,
        batch: &mut EventBatch,
        report: &mut Report,
        scratch: &mut R::Scratch,
    ) {
        let mut met = Met::default();
        registers.decode(words, offset, batch, &mut met, scratch);
        met.enter(words.len(), WORD, report);
    }

    fn trail(self, words: &[[u8; WORD]]) -> R::Trail {
        self.0.trail(words)
    }

    fn follow(self, registers: &mut R, trail: &R::Trail) {
        registers.follow(trail);
    }

    fn unpack(self, checkpoint: &Checkpoint) -> Result<R> {
        self.0.unpack(checkpoint)
    }

    fn is_violated(self, report: &Report, strict: bool) -> bool {
        strict && met::violation(report, R::FORMAT).is_some()
    }

    fn violation(self, word: &[u8; WORD], report: &Report) -> Error {
        let (what, expected) = met::violation(report, R::FORMAT).unwrap_or_default();
        let found = word.iter().rfold("0x".to_owned(), |hex, b| format!("{hex}{b:02x}"));
        Error::malformed(what).expected(expected).found(found)
    }

    /// If there was no `TIME_HIGH` at all, no event has a time.
    fn finish(self, registers: &R, report: &mut Report, strict: bool) -> Result<()> {
        let early = report.findings.get(&Finding::EventsBeforeTime);
        let Some(early) = early.filter(|_| registers.high().is_none()) else { return Ok(()) };
        let at = early.first_offset.unwrap_or_default();
        let error = Error::malformed("no event has a time").at(at).expected("a TIME_HIGH word");
        if strict {
            return Err(error);
        }
        report.note(&error);
        Ok(())
    }
}
