//! Decoding of words to events: one by one, and in blocks in which each set bit of a mask becomes a
//! word of EVT 2.0.

use multiversion::multiversion;

use crate::codec::records::RecordState;
use crate::codec::{Checkpoint, Evt21Order};
use crate::error::Result;
use crate::formats::prophesee::set_bits::{LANES, ONES, POSITIONS};
use crate::formats::prophesee::{
    Cd, EARLY, LOW_BITS, Met, ROUND, Time, TriggerWord, WRAP, WordRegisters, is_wrap, kind, special,
};
use crate::model::{Event, EventBatch};

/// Size of a word in bytes.
pub(crate) const WORD: usize = 8;
/// Number of words that are decoded together, such that their events fit into the first-level
/// cache.
const BLOCK: usize = Cd::ROOM / 32;
const _: () = assert!(LANES <= Cd::LANES);
/// From this column on, the column of an event may not fit into a word of EVT 2.0.
const FAR: u32 = 0x800 - 31;

/// For each byte, the columns of its set bits, shifted to the position of x in a word.
static COLUMNS: [[u32; LANES]; 256] = {
    let mut columns = [[0; LANES]; 256];
    let mut i = 0;
    while i < 256 * LANES {
        columns[i / LANES][i % LANES] = (POSITIONS[i / LANES][i % LANES] as u32) << 11;
        i += 1;
    }
    columns
};

/// The state that earlier words have set, and the order of the halves of a word: legacy or
/// little-endian.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evt21Registers {
    time: Time,
    is_legacy: bool,
}

impl Evt21Registers {
    /// The state before the first word.
    pub(crate) fn new(order: Evt21Order) -> Self {
        Self { time: Time::default(), is_legacy: order == Evt21Order::Legacy }
    }
}

impl RecordState for Evt21Registers {
    fn epoch(&mut self) -> &mut i64 {
        &mut self.time.epoch
    }

    fn pack(&self) -> Vec<i64> {
        self.time.pack()
    }
}

impl WordRegisters<WORD> for Evt21Registers {
    const FORMAT: &'static str = "EVT 2.1";
    const BATCH: usize = 2 << 10;
    /// The last `EVT_TIME_HIGH`.
    type Trail = Option<u32>;
    type Scratch = Cd;

    fn take(&mut self, word: [u8; WORD], offset: u64, events: &mut EventBatch, met: &mut Met) {
        let (head, mask) = split(word, self.is_legacy);
        match (head >> 28, self.time.event(head)) {
            (..=kind::CD_ON, Some(first)) => {
                let set = (0..32).filter(|i| mask >> i & 1 == 1);
                events.extend(set.map(|i| Event { x: first.x + i, ..first }));
            }
            (..=kind::CD_ON, None) => met.add(EARLY, mask.count_ones().into(), offset),
            (kind::TIME_HIGH, _) => met.add(WRAP, self.time.set_high(high_of(head)).into(), offset),
            _ => met.add(special(head), 1, offset),
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
            if self.time.high.is_some() && is_plain(block, self.is_legacy) {
                gather(block, self.is_legacy, offset, &mut self.time, events, met, cd);
            } else {
                for (&word, at) in block.iter().zip((offset..).step_by(WORD)) {
                    self.take(word, at, events, met);
                }
            }
            offset += size_of_val(block) as u64;
        }
    }

    fn trigger(&self, word: [u8; WORD]) -> Option<TriggerWord> {
        self.time.trigger(split(word, self.is_legacy).0)
    }

    fn trail(&self, words: &[[u8; WORD]]) -> Option<u32> {
        let last = words.iter().rev().map(|&word| split(word, self.is_legacy).0);
        last.into_iter().find(|head| head >> 28 == kind::TIME_HIGH).map(high_of)
    }

    fn follow(&mut self, &last: &Option<u32>) {
        self.time.high = last.or(self.time.high);
    }

    const LOW_BITS: u32 = LOW_BITS;
    const ROUND: i64 = ROUND;

    fn is_high(&self, word: [u8; WORD]) -> bool {
        split(word, self.is_legacy).0 >> 28 == kind::TIME_HIGH
    }

    fn high_of(&self, word: [u8; WORD]) -> u32 {
        high_of(split(word, self.is_legacy).0)
    }

    fn wraps(old: u32, new: u32) -> bool {
        is_wrap(old, new)
    }

    fn high(&self) -> Option<u32> {
        self.time.high
    }

    fn unpack(&self, checkpoint: &Checkpoint) -> Result<Self> {
        Ok(Self { time: Time::unpack(checkpoint)?, ..*self })
    }
}

#[inline(always)]
fn split(word: [u8; WORD], legacy: bool) -> (u32, u32) {
    let word = u64::from_le_bytes(word);
    let (lower, upper) = (word as u32, (word >> 32) as u32);
    if legacy { (lower, upper) } else { (upper, lower) }
}

fn high_of(head: u32) -> u32 {
    head & 0x0fff_ffff
}

/// Whether the columns of all events of the block fit into their field.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn is_plain(block: &[[u8; WORD]], legacy: bool) -> bool {
    block.iter().fold(true, |plain, &word| {
        let (head, _) = split(word, legacy);
        plain & (head >> 28 > kind::CD_ON || head >> 11 & 0x7ff < FAR)
    })
}

/// Decodes the words of a block. There must have been a `TIME_HIGH` before the block.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+bmi1+bmi2",
    "x86_64+avx2+bmi1+bmi2"
))]
fn gather(
    block: &[[u8; WORD]],
    legacy: bool,
    offset: u64,
    time: &mut Time,
    events: &mut EventBatch,
    met: &mut Met,
    cd: &mut Cd,
) {
    let mut high = time.high.unwrap_or(0);
    for (i, &word) in block.iter().enumerate() {
        let (head, mask) = split(word, legacy);
        let kind = head >> 28;
        let is_time = kind == kind::TIME_HIGH;
        let next = if is_time { high_of(head) } else { high };
        if is_wrap(high, next) {
            cd.move_to(events, time.epoch);
            time.high = Some(high);
            met.add(WRAP, time.set_high(next).into(), offset + (i * WORD) as u64);
        }
        high = next;
        if kind > kind::CD_ON && !is_time {
            met.add(special(head), 1, offset + (i * WORD) as u64);
        }
        let mut first = head;
        let mut left = if kind <= kind::CD_ON { mask } else { 0 };
        loop {
            // Take the lowest set bit and the seven above it. Most often these are all that are
            // set.
            let skip = left.trailing_zeros() & 31;
            left >>= skip;
            first = first.wrapping_add(skip << 11);
            let byte = left as usize & 0xff;
            let to = cd.len % Cd::ROOM;
            cd.len = to + usize::from(ONES[byte]);
            cd.highs[to..to + LANES].fill(high);
            for (bits, column) in cd.bits[to..to + LANES].iter_mut().zip(&COLUMNS[byte]) {
                *bits = first.wrapping_add(*column);
            }
            left >>= LANES;
            first = first.wrapping_add((LANES as u32) << 11);
            if left == 0 {
                break;
            }
        }
    }
    time.high = Some(high);
    cd.move_to(events, time.epoch);
}
