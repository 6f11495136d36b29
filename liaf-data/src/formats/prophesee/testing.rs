//! Checks that all ways of decoding the same words give the same result.

use super::{Met, WordDecoder, WordRegisters};
use crate::codec::{Decoder, EventSink, ReadOptions};
use crate::error::{Error, Result};
use crate::model::{Event, EventBatch, Finding, Report};

/// Events and batches in the order in which they arrived.
#[derive(Debug, Default, PartialEq)]
pub struct Taken {
    pub events: Vec<Event>,
    /// Length and offset.
    batches: Vec<(usize, u64)>,
}

impl EventSink for Taken {
    fn events(&mut self, events: &mut EventBatch, offset: u64) -> Result<()> {
        self.batches.push((events.len(), offset));
        self.events.extend(events.iter());
        Ok(())
    }
}

fn options(parallel: bool) -> ReadOptions {
    ReadOptions { parallel, ..ReadOptions::default() }
}

fn run(bytes: &[u8], chunk: usize, mut decoder: impl Decoder) -> (Taken, Report) {
    let mut taken = Taken::default();
    bytes.chunks(chunk).try_for_each(|part| decoder.push(part, &mut taken)).unwrap();
    decoder.finish(&mut taken).unwrap();
    (taken, decoder.report().clone())
}

/// Events and report of words after 100 bytes of header.
pub fn read<R: WordRegisters<WORD>, const WORD: usize>(
    registers: R,
    bytes: &[u8],
) -> (Vec<Event>, Report) {
    let decoder = WordDecoder::after_header(registers, 100, &options(false));
    let (taken, report) = run(bytes, usize::MAX, decoder);
    (taken.events, report)
}

/// The error that stops a strict reader of words after 10 bytes of header.
pub fn refusal<R: WordRegisters<WORD>, const WORD: usize>(registers: R, bytes: &[u8]) -> Error {
    let options = ReadOptions { strict: true, ..ReadOptions::default() };
    let mut decoder = WordDecoder::after_header(registers, 10, &options);
    let mut events = EventBatch::new();
    decoder.push(bytes, &mut events).and_then(|()| decoder.finish(&mut events)).unwrap_err()
}

/// Decodes word by word, as a strict reader does.
fn plain<R: WordRegisters<WORD>, const WORD: usize>(
    start: R,
    bytes: &[u8],
) -> (Vec<Event>, Report) {
    let (mut registers, mut met) = (start, Met::default());
    let (mut events, mut report) = (EventBatch::new(), Report::default());
    let (words, tail) = bytes.as_chunks::<WORD>();
    for (&word, at) in words.iter().zip((33..).step_by(WORD)) {
        registers.take(word, at, &mut events, &mut met);
    }
    met.enter(words.len(), WORD, &mut report);
    let early = report.findings.get(&Finding::EventsBeforeTime).copied();
    if let Some(early) = early.filter(|_| registers.high().is_none()) {
        let at = early.first_offset.unwrap();
        report.note(format!("no event has a time at byte {at}: expected a TIME_HIGH word"));
    }
    report.bytes.header = 33;
    report.bytes.skipped += tail.len() as u64;
    let end = 33 + (bytes.len() - tail.len()) as u64;
    report.add(Finding::TruncatedTails, u64::from(!tail.is_empty()), end);
    (events.iter().collect(), report)
}

/// Asserts that all ways of cutting, all sizes of batches and all numbers of threads give the same
/// result.
pub fn assert_any_way<R: WordRegisters<WORD>, const WORD: usize>(registers: R, bytes: &[u8]) {
    let (events, report) = plain(registers, bytes);
    assert_eq!(report.bytes.total(), 33 + bytes.len() as u64);
    let decoder = |parallel| WordDecoder::after_header(registers, 33, &options(parallel));
    for chunk in [1, 7, 4096, usize::MAX] {
        let (taken, found) = run(bytes, chunk, decoder(false));
        assert!(taken.events == events, "in chunks of {chunk}");
        assert_eq!(found, report, "in chunks of {chunk}");
    }
    for threads in [2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for (batch, chunk) in [(1, usize::MAX), (3, 1000), (64, 4097), (500, usize::MAX)] {
            let one = run(bytes, chunk, decoder(false).with_batches(batch));
            let many = pool.install(|| run(bytes, chunk, decoder(true).with_batches(batch)));
            assert!(one.0.events == events, "in batches of {batch}");
            assert_eq!(one.1, report, "in batches of {batch}");
            assert!(many == one, "in batches of {batch} on {threads} threads");
        }
    }
}

/// A small random number generator, so that every run tests the same words.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, n: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) % u64::from(n)) as u32
    }

    /// The 32 bits of a word of EVT 2 other than the mask. `rare` of 1000 are of any type, and one
    /// of `sparse` sets the time, which increases, steps back or wraps.
    pub fn head(&mut self, high: &mut u32, rare: u32, sparse: u32) -> u32 {
        if self.below(1000) < rare {
            return if self.below(4) == 0 { 0x9999_9999 } else { self.below(u32::MAX) };
        }
        if self.below(sparse) > 0 {
            return self.below(1 << 29);
        }
        let step = [0, 1, 1, 2, 1000, (1 << 28) - 1, 1 << 27, (1 << 27) - 1, (1 << 27) + 1];
        *high = high.wrapping_add(step[self.below(9) as usize]) & 0x0fff_ffff;
        0x8 << 28 | *high
    }
}
