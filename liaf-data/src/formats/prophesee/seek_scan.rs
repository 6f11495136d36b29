//! Seek points among words, found from their `TIME_HIGH` alone. All of these are examined, so that
//! the bounds of the times between two seek points are certain, and nothing else is decoded.

use rayon::prelude::*;

use super::WordRegisters;
use crate::codec::Checkpoint;
use crate::codec::seek::{BoundedPoint, ScanResult, SeekScan};
use crate::error::Result;
use crate::io::ByteSource;

/// Distance between two seek points in bytes.
const STRETCH: usize = 512 << 10;
/// Number of bytes that are examined together, on all threads.
const STEP: usize = 16 * STRETCH;
/// Number of words that are skipped at once if none of them is a `TIME_HIGH`.
const BLOCK: usize = 256;

#[derive(Debug)]
pub(crate) struct WordScan<R, const WORD: usize> {
    /// The registers before the first word.
    pub registers: R,
    pub start: u64,
    pub parallel: bool,
}

/// What a run of words does to the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Highs {
    first: u32,
    /// The smallest and largest value, and what wraps after the first value add, in µs and as
    /// times.
    min: i64,
    max: i64,
    last: u32,
    rounds: i64,
}

impl<R: WordRegisters<WORD>, const WORD: usize> SeekScan for WordScan<R, WORD> {
    fn look(&mut self, source: &mut ByteSource) -> Result<Option<ScanResult>> {
        let first = self.registers;
        let (mut registers, mut stretches) = (first, Vec::new());
        source.seek(self.start)?;
        loop {
            let at = source.position();
            let looked = source.visit(STEP, |bytes, _| {
                let look = |bytes: &[u8]| {
                    let words = bytes.as_chunks::<WORD>().0;
                    (first.trail(words), highs(words, first))
                };
                Ok(match self.parallel {
                    true => bytes.par_chunks(STRETCH).map(look).collect::<Vec<_>>(),
                    false => bytes.chunks(STRETCH).map(look).collect(),
                })
            })?;
            let Some(looked) = looked else { break };
            for ((trail, highs), i) in looked.iter().zip(0..) {
                let checkpoint =
                    Checkpoint { offset: at + i * STRETCH as u64, state: registers.pack() };
                let before = *registers.epoch();
                let current = registers.high();
                registers.follow(trail);
                // There may be a wrap between the previous `TIME_HIGH` and the first one here.
                let enters = match (current, highs) {
                    (Some(old), Some(highs)) => R::wraps(old, highs.first),
                    _ => false,
                };
                let epoch = before + i64::from(enters) * R::ROUND;
                *registers.epoch() = epoch + highs.map_or(0, |highs| highs.rounds);
                let carried = current.map(|high| span::<R, WORD>(high, before));
                let own = highs.map(|highs| (epoch + highs.min, epoch + highs.max));
                let times = match (carried, own) {
                    (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
                    (a, b) => a.or(b),
                };
                stretches.push(BoundedPoint { checkpoint, times });
            }
        }
        Ok(Some(ScanResult::Bounded(stretches)))
    }
}

/// The first and the last time that is possible with a `TIME_HIGH`.
fn span<R: WordRegisters<WORD>, const WORD: usize>(high: u32, epoch: i64) -> (i64, i64) {
    let first = epoch + (i64::from(high) << R::LOW_BITS);
    (first, first + (1 << R::LOW_BITS) - 1)
}

fn highs<R: WordRegisters<WORD>, const WORD: usize>(
    words: &[[u8; WORD]],
    registers: R,
) -> Option<Highs> {
    let mut found: Option<Highs> = None;
    for block in words.chunks(BLOCK) {
        if !block.iter().fold(false, |any, &word| any | registers.is_high(word)) {
            continue;
        }
        for &word in block.iter().filter(|&&word| registers.is_high(word)) {
            let high = registers.high_of(word);
            let known = found.get_or_insert_with(|| {
                let (min, max) = span::<R, WORD>(high, 0);
                Highs { first: high, min, max, last: high, rounds: 0 }
            });
            if high != known.last {
                known.rounds += i64::from(R::wraps(known.last, high)) * R::ROUND;
                let (first, last) = span::<R, WORD>(high, known.rounds);
                (known.min, known.max) = (known.min.min(first), known.max.max(last));
                known.last = high;
            }
        }
    }
    found
}
