//! Decoding of words to events: one by one, and in blocks without branching on the two frequent
//! types.

use multiversion::multiversion;

use crate::codec::Checkpoint;
use crate::codec::records::RecordState;
use crate::error::Result;
use crate::formats::prophesee::{
    Cd, EARLY, LOW_BITS, Met, ROUND, Time, TriggerWord, WRAP, WordRegisters, is_wrap, kind, special,
};
use crate::model::EventBatch;

/// Size of a word in bytes.
pub(crate) const WORD: usize = 4;
/// Number of words that are decoded together, such that their events fit into the first-level
/// cache.
const BLOCK: usize = 1024;
const _: () = assert!(BLOCK <= Cd::ROOM);
/// Number of words that are examined together.
const RUN: usize = Cd::LANES;

/// The state that earlier words have set.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evt2Registers(Time);

impl RecordState for Evt2Registers {
    fn epoch(&mut self) -> &mut i64 {
        &mut self.0.epoch
    }

    fn pack(&self) -> Vec<i64> {
        self.0.pack()
    }
}

impl WordRegisters<WORD> for Evt2Registers {
    const FORMAT: &'static str = "EVT 2.0";
    const BATCH: usize = 8 << 10;
    /// The last `TIME_HIGH`.
    type Trail = Option<u32>;
    type Scratch = Cd;

    fn take(&mut self, word: [u8; WORD], offset: u64, events: &mut EventBatch, met: &mut Met) {
        let word = u32::from_le_bytes(word);
        match (word >> 28, self.0.event(word)) {
            (..=kind::CD_ON, Some(event)) => events.push(event),
            (..=kind::CD_ON, None) => met.add(EARLY, 1, offset),
            (kind::TIME_HIGH, _) => met.add(WRAP, self.0.set_high(high_of(word)).into(), offset),
            _ => met.add(special(word), 1, offset),
        }
    }

    fn decode(
        &mut self,
        words: &[[u8; WORD]],
        mut offset: u64,
        events: &mut EventBatch,
        met: &mut Met,
        cd: &mut Cd,
    ) {
        for block in words.chunks(BLOCK) {
            if self.0.high.is_some() {
                gather(block, offset, &mut self.0, events, met, cd);
            } else {
                for (&word, at) in block.iter().zip((offset..).step_by(WORD)) {
                    self.take(word, at, events, met);
                }
            }
            offset += size_of_val(block) as u64;
        }
    }

    fn trigger(&self, word: [u8; WORD]) -> Option<TriggerWord> {
        self.0.trigger(u32::from_le_bytes(word))
    }

    fn trail(&self, words: &[[u8; WORD]]) -> Option<u32> {
        let last = words.iter().rev().map(|&word| u32::from_le_bytes(word));
        last.into_iter().find(|word| word >> 28 == kind::TIME_HIGH).map(high_of)
    }

    fn follow(&mut self, &last: &Option<u32>) {
        self.0.high = last.or(self.0.high);
    }

    const LOW_BITS: u32 = LOW_BITS;
    const ROUND: i64 = ROUND;

    fn is_high(&self, word: [u8; WORD]) -> bool {
        u32::from_le_bytes(word) >> 28 == kind::TIME_HIGH
    }

    fn high_of(&self, word: [u8; WORD]) -> u32 {
        high_of(u32::from_le_bytes(word))
    }

    fn wraps(old: u32, new: u32) -> bool {
        is_wrap(old, new)
    }

    fn high(&self) -> Option<u32> {
        self.0.high
    }

    fn unpack(&self, checkpoint: &Checkpoint) -> Result<Self> {
        Time::unpack(checkpoint).map(Self)
    }
}

fn high_of(word: u32) -> u32 {
    word & 0x0fff_ffff
}

/// Decodes the words of a block. There must have been a `TIME_HIGH` before the block.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn gather(
    block: &[[u8; WORD]],
    offset: u64,
    time: &mut Time,
    events: &mut EventBatch,
    met: &mut Met,
    cd: &mut Cd,
) {
    let mut high = time.high.unwrap_or(0);
    let mut at = offset;
    for run in block.chunks(RUN) {
        let any = run.iter().fold(0, |any, word| any | u32::from_le_bytes(*word));
        if any >> 29 == 0 && run.len() == RUN {
            let from = cd.len % Cd::ROOM;
            for (bits, word) in cd.bits[from..from + RUN].iter_mut().zip(run) {
                *bits = u32::from_le_bytes(*word);
            }
            cd.highs[from..from + RUN].fill(high);
            cd.len = from + RUN;
            at += size_of_val(run) as u64;
            continue;
        }
        for word in run {
            let word = u32::from_le_bytes(*word);
            let kind = word >> 28;
            let is_time = kind == kind::TIME_HIGH;
            let next = if is_time { high_of(word) } else { high };
            if is_wrap(high, next) {
                cd.move_to(events, time.epoch);
                time.high = Some(high);
                met.add(WRAP, time.set_high(next).into(), at);
            }
            high = next;
            if kind > kind::CD_ON && !is_time {
                met.add(special(word), 1, at);
            }
            let to = cd.len % Cd::ROOM;
            cd.bits[to] = word;
            cd.highs[to] = high;
            cd.len = to + usize::from(kind <= kind::CD_ON);
            at += WORD as u64;
        }
    }
    time.high = Some(high);
    cd.move_to(events, time.epoch);
}
