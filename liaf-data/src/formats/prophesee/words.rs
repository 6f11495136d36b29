//! Words to events, where earlier words say what later ones mean.

use std::fmt::Debug;

use super::{Met, WordScan, met};
use crate::codec::records::{RecordDecoder, RecordFormat, RecordState};
use crate::codec::{Body, Checkpoint, ReadOptions};
use crate::error::{Error, Result};
use crate::model::{EventBatch, Finding, Report};

/// What words of `WORD` bytes, little-endian, set for those behind them.
pub trait WordRegisters<const WORD: usize>: RecordState {
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
    fn trail(&self, words: &[[u8; WORD]]) -> Self::Trail;

    /// The registers behind the words of a trail; the epoch stays as it is.
    fn follow(&mut self, trail: &Self::Trail);

    /// Bits of the time below those of a `TIME_HIGH`.
    const LOW_BITS: u32;
    /// What a wrap adds to the time, in µs.
    const ROUND: i64;

    /// Whether a word is a `TIME_HIGH`.
    fn is_high(&self, word: [u8; WORD]) -> bool;

    /// The bits of time of a `TIME_HIGH`.
    fn high_of(&self, word: [u8; WORD]) -> u32;

    /// Whether the time begins anew between two `TIME_HIGH`.
    fn wraps(old: u32, new: u32) -> bool;

    /// The last `TIME_HIGH`; without one an event has no time.
    fn high(&self) -> Option<u32>;

    /// What OpenEB takes from all times, in µs, if this is the first `TIME_HIGH`.
    fn shift(high: u32) -> i64 {
        i64::from(high) << Self::LOW_BITS
    }

    /// The registers that [`RecordState::pack`] gave.
    ///
    /// # Errors
    /// If the checkpoint's state cannot be of them.
    fn unpack(&self, checkpoint: &Checkpoint) -> Result<Self>;
}

/// What a word of a trigger says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriggerWord {
    /// In µs; `None` before the first `TIME_HIGH`.
    pub t: Option<i64>,
    /// Which of the inputs.
    pub channel: u32,
    /// Whether the signal rose.
    pub value: bool,
}

/// The words of a stream as records; holds the registers before the first of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct EvtWords<R>(R);

/// Decodes words that follow a header.
pub(crate) type WordDecoder<R, const WORD: usize> = RecordDecoder<EvtWords<R>, WORD>;

impl<R: WordRegisters<WORD>, const WORD: usize> WordDecoder<R, WORD> {
    /// A decoder for words after `header` bytes, 0 for words from a camera.
    pub(crate) fn after_header(registers: R, header: u64, options: &ReadOptions) -> Self {
        Self::with_format(EvtWords(registers), header, Report::of_header(header), options)
    }
}

/// What decodes words that begin at byte `start`, and what finds seek points among them; `report` has
/// what stands before them.
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

    /// Without any `TIME_HIGH` no event has a time.
    fn finish(self, registers: &R, report: &mut Report, strict: bool) -> Result<()> {
        let early = report.findings.get(&Finding::EventsBeforeTime);
        let Some(early) = early.filter(|_| registers.high().is_none()) else { return Ok(()) };
        let at = early.first_offset.unwrap_or_default();
        let error = Error::malformed("no event has a time").at(at).expected("a TIME_HIGH word");
        if strict {
            return Err(error);
        }
        report.note(error.to_string());
        Ok(())
    }
}
