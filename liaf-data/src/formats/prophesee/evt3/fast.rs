//! Decoding of words to events without branching on the type of the word.
//!
//! The order of the types of words cannot be predicted by a processor, and a misprediction costs
//! more than all the work on a word. Every word therefore goes through the same steps, controlled
//! by a [`WordEffect`]: the registers are fields of one number, of which the effect replaces at
//! most one; and up to eight events are written, of which as many are kept as the mask of the word
//! has bits.

use super::registers::{Evt3Registers, HIGH_WRAP, ROUND, WORD, kind, special};
use crate::formats::prophesee::set_bits::{LANES, ONES, POSITIONS};
use crate::formats::prophesee::{Met, WRAP};
use crate::model::EventBatch;

/// Number of words that are decoded together, such that their events fit into the first-level
/// cache.
const BLOCK: usize = 128;
/// Capacity for the events of a block, 12 for each word; a power of two.
const ROOM: usize = 2048;

// Fields of the registers, from bit 0: x of the base in 16 bits, y in 11, polarity of the base in
// 1, four bits that are always 0, and the time in 32 bits, of which the upper 8 are the number of
// wraps since the start of the block. This positions every field where the product of the word and
// `SPREAD` has it.
const SPREAD: u64 = 1 << LOW_SHIFT | 1 << Y_SHIFT | 1;
const Y_SHIFT: u32 = 16;
const P_SHIFT: u32 = 27;
const LOW_SHIFT: u32 = 32;
const HIGH_SHIFT: u32 = 44;
const WRAP_SHIFT: u32 = 56;
const X: u64 = 0xffff;
const WORD_X: u64 = 0x7ff;
const Y: u64 = 0x7ff << Y_SHIFT;
const P: u64 = 1 << P_SHIFT;
const LOW: u64 = 0xfff << LOW_SHIFT;
const HIGH: u64 = 0xfff << HIGH_SHIFT;

/// Up to this base, no base can overflow its field within a block.
const MAX_FAST_BASE: u16 = u16::MAX - 12 * (BLOCK as u16 + 1);
const _: () = assert!(12 * BLOCK <= ROOM && BLOCK < 1 << (64 - WRAP_SHIFT));

/// The effect of a type of word.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct WordEffect {
    /// The fields of the registers that are kept.
    keep: u64,
    /// The fields that are taken from the word.
    take: u64,
    /// What is added to the base.
    advance: u64,
    /// Like `keep`, but only for the events of this word.
    event_keep: u64,
    /// Like `take`, but only for the events of this word.
    event_take: u64,
    /// The bits of the word that are its events.
    mask: u64,
    /// Set if the word is exactly one event, whatever its bits are.
    one: u64,
}

const EFFECTS: [WordEffect; 16] = {
    let all = u64::MAX;
    let idle = WordEffect {
        keep: all,
        take: 0,
        advance: 0,
        event_keep: all,
        event_take: 0,
        mask: 0,
        one: 0,
    };
    let mut effects = [idle; 16];
    effects[kind::ADDR_Y as usize] = WordEffect { keep: !Y, take: Y, ..idle };
    effects[kind::ADDR_X as usize] =
        WordEffect { event_keep: !(X | P), event_take: WORD_X | P, one: 1, ..idle };
    effects[kind::VECT_BASE_X as usize] = WordEffect { keep: !(X | P), take: WORD_X | P, ..idle };
    effects[kind::VECT_12 as usize] = WordEffect { advance: 12, mask: 0xfff, ..idle };
    effects[kind::VECT_8 as usize] = WordEffect { advance: 8, mask: 0xff, ..idle };
    effects[kind::TIME_LOW as usize] = WordEffect { keep: !LOW, take: LOW, ..idle };
    effects
};

/// A bit for each type of word that is less frequent than events.
const SELDOM: u32 = !(1 << kind::ADDR_Y
    | 1 << kind::ADDR_X
    | 1 << kind::VECT_BASE_X
    | 1 << kind::VECT_12
    | 1 << kind::VECT_8
    | 1 << kind::TIME_LOW);

/// A buffer for the events of a block, and for the lanes after the last event.
#[derive(Debug)]
pub struct Scratch {
    len: usize,
    /// Time since the beginning of the round in which the block started.
    t: [u32; ROOM + LANES],
    x: [u16; ROOM + LANES],
    /// The row, with the polarity in bit 11.
    y: [u16; ROOM + LANES],
}

impl Default for Scratch {
    fn default() -> Self {
        Self { len: 0, t: [0; _], x: [0; _], y: [0; _] }
    }
}

impl Scratch {
    /// Appends an event for each bit of `mask`, which has at most [`LANES`] bits.
    #[inline(always)]
    fn write(&mut self, fields: u64, mask: u64) {
        let mask = usize::from(mask as u8);
        let at = self.len % ROOM;
        self.t[at..at + LANES].fill((fields >> LOW_SHIFT) as u32);
        self.y[at..at + LANES].fill((fields >> Y_SHIFT) as u16);
        for (x, position) in self.x[at..at + LANES].iter_mut().zip(&POSITIONS[mask]) {
            *x = (fields as u16).wrapping_add(*position);
        }
        self.len = at + usize::from(ONES[mask]);
    }

    fn append_to(&self, events: &mut EventBatch, epoch: i64) {
        let len = self.len.min(ROOM);
        events.t.extend(self.t[..len].iter().map(|&t| epoch + i64::from(t)));
        events.x.extend_from_slice(&self.x[..len]);
        events.y.extend(self.y[..len].iter().map(|y| y & 0x7ff));
        events.p.extend(self.y[..len].iter().map(|y| (y >> 11) as u8));
    }
}

/// Appends the events of `words`, which start at `offset`.
pub(crate) fn decode(
    words: &[[u8; WORD]],
    mut offset: u64,
    registers: &mut Evt3Registers,
    events: &mut EventBatch,
    met: &mut Met,
    scratch: &mut Scratch,
) {
    for block in words.chunks(BLOCK) {
        if let Some(fields) = pack(registers, block) {
            scratch.len = 0;
            let fields = decode_block(block, offset, fields, met, scratch);
            scratch.append_to(events, registers.epoch);
            unpack(fields, registers);
        } else {
            for (word, at) in block.iter().zip((offset..).step_by(WORD)) {
                registers.take(u16::from_le_bytes(*word), at, events, met);
            }
        }
        offset += size_of_val(block) as u64;
    }
}

/// Decodes the words of a block and returns the registers after it.
fn decode_block(
    block: &[[u8; WORD]],
    offset: u64,
    mut fields: u64,
    met: &mut Met,
    scratch: &mut Scratch,
) -> u64 {
    for (i, word) in block.iter().enumerate() {
        let word = u16::from_le_bytes(*word);
        let kind = word >> 12;
        if SELDOM >> kind & 1 == 1 {
            let at = offset + (i * WORD) as u64;
            fields = take_seldom(word, at, fields, met);
            continue;
        }
        let effect = &EFFECTS[usize::from(kind)];
        let word = u64::from(word);
        let wide = word * SPREAD;
        let mask = word & effect.mask | effect.one;
        let own = fields & effect.event_keep | wide & effect.event_take;
        scratch.write(own, mask);
        if mask > 0xff {
            scratch.write(own + 8, mask >> 8);
        }
        fields = (fields & effect.keep | wide & effect.take) + effect.advance;
    }
    fields
}

fn take_seldom(word: u16, at: u64, fields: u64, met: &mut Met) -> u64 {
    if word >> 12 != kind::TIME_HIGH {
        met.add(special(word), 1, at);
        return fields;
    }
    let (old, high) = ((fields & HIGH) >> HIGH_SHIFT, u64::from(word & 0xfff));
    if old == high {
        return fields;
    }
    let wrapped = u64::from(old >= high + u64::from(HIGH_WRAP));
    met.add(WRAP, wrapped, at);
    (fields & !(HIGH | LOW) | high << HIGH_SHIFT) + (wrapped << WRAP_SHIFT)
}

/// The registers as one number; `None` if the block must be decoded word by word: before the first
/// `TIME_HIGH` or `ADDR_Y`, with vectors before the first `VECT_BASE_X`, or with a base far beyond
/// any sensor.
fn pack(registers: &Evt3Registers, block: &[[u8; WORD]]) -> Option<u64> {
    let (high, y) = (registers.high?, registers.y?);
    let (x, p) = match registers.base {
        Some(base) => base,
        None => {
            let is_vector = |word: &[u8; WORD]| {
                matches!(
                    u16::from_le_bytes(*word) >> 12,
                    kind::VECT_BASE_X | kind::VECT_12 | kind::VECT_8
                )
            };
            (!block.iter().fold(false, |any, word| any | is_vector(word))).then_some((0, 0))?
        }
    };
    (x <= MAX_FAST_BASE).then(|| {
        u64::from(high) << HIGH_SHIFT
            | u64::from(registers.low) << LOW_SHIFT
            | u64::from(p) << P_SHIFT
            | u64::from(y) << Y_SHIFT
            | u64::from(x)
    })
}

fn unpack(fields: u64, registers: &mut Evt3Registers) {
    registers.epoch += (fields >> WRAP_SHIFT) as i64 * ROUND;
    registers.high = Some((fields >> HIGH_SHIFT) as u16 & 0xfff);
    registers.low = (fields >> LOW_SHIFT) as u16 & 0xfff;
    registers.y = Some((fields >> Y_SHIFT) as u16 & 0x7ff);
    if let Some(base) = &mut registers.base {
        *base = (fields as u16, (fields >> P_SHIFT) as u8 & 1);
    }
}
