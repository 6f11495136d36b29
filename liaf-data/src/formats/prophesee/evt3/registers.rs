//! The state that earlier words have set, and the decoding of single words to events.

use super::cut::Trail;
use super::fast::{self, Scratch};
use crate::codec::Checkpoint;
use crate::codec::records::RecordState;
use crate::error::Result;
use crate::formats::prophesee::{
    BASELESS, EARLY, Met, PADDED, RESERVED, ROWLESS, TRIGGER, TriggerWord, VENDOR, WRAP,
    WordRegisters,
};
use crate::model::{Event, EventBatch};

/// Size of a word in bytes.
pub(crate) const WORD: usize = 2;
/// The base is limited to this value, so that x of an event never overflows.
pub(crate) const MAX_BASE: u16 = u16::MAX - 11;
/// How much `TIME_HIGH` must decrease to start a new round of 2²⁴ µs.
pub(crate) const HIGH_WRAP: u16 = 1 << 11;
pub(crate) const ROUND: i64 = 1 << 24;

/// The types of words, by their bits 15–12.
pub(crate) mod kind {
    pub const ADDR_Y: u16 = 0x0;
    pub const ADDR_X: u16 = 0x2;
    pub const VECT_BASE_X: u16 = 0x3;
    pub const VECT_12: u16 = 0x4;
    pub const VECT_8: u16 = 0x5;
    pub const TIME_LOW: u16 = 0x6;
    pub const CONTINUED_4: u16 = 0x7;
    pub const TIME_HIGH: u16 = 0x8;
    pub const EXT_TRIGGER: u16 = 0xa;
    pub const IMU: u16 = 0xd;
    pub const OTHERS: u16 = 0xe;
    pub const CONTINUED_12: u16 = 0xf;
}

/// A word that some cameras use as a filler.
pub(crate) const PADDING: u16 = 0x9999;

/// The state that earlier words have set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evt3Registers {
    /// The row; `None` before the first `ADDR_Y`.
    pub y: Option<u16>,
    /// Column and polarity of the next vector; `None` before the first `VECT_BASE_X`.
    pub base: Option<(u16, u8)>,
    /// Bits 23–12 of the time; `None` before the first `TIME_HIGH`.
    pub high: Option<u16>,
    pub low: u16,
    /// What wraps have added so far, in µs.
    pub epoch: i64,
}

impl Evt3Registers {
    /// The current time of events; `None` before the first `TIME_HIGH`.
    pub fn time(&self) -> Option<i64> {
        Some(self.epoch + (i64::from(self.high?) << 12) + i64::from(self.low))
    }

    /// Sets the next `TIME_HIGH`, and returns whether the time wrapped.
    pub fn set_high(&mut self, high: u16) -> bool {
        let wrapped = self.high.is_some_and(|old| old >= high + HIGH_WRAP);
        if self.high != Some(high) {
            self.low = 0;
        }
        self.high = Some(high);
        self.epoch += i64::from(wrapped) * ROUND;
        wrapped
    }

    /// Decodes the next word, which is at `offset`.
    pub fn take(&mut self, word: u16, offset: u64, events: &mut EventBatch, met: &mut Met) {
        let (low_11, low_12) = (word & 0x7ff, word & 0xfff);
        let p = (word >> 11 & 1) as u8;
        match word >> 12 {
            kind::ADDR_Y => self.y = Some(low_11),
            kind::ADDR_X => match (self.time(), self.y) {
                (Some(t), Some(y)) => events.push(Event { t, x: low_11, y, p }),
                (Some(_), None) => met.add(ROWLESS, 1, offset),
                (None, _) => met.add(EARLY, 1, offset),
            },
            kind::VECT_BASE_X => self.base = Some((low_11, p)),
            kind::VECT_12 => self.vector(low_12, 12, offset, events, met),
            kind::VECT_8 => self.vector(word & 0xff, 8, offset, events, met),
            kind::TIME_LOW => self.low = low_12,
            kind::TIME_HIGH => met.add(WRAP, u64::from(self.set_high(low_12)), offset),
            _ => met.add(special(word), 1, offset),
        }
    }

    fn vector(
        &mut self,
        mask: u16,
        width: u16,
        offset: u64,
        events: &mut EventBatch,
        met: &mut Met,
    ) {
        match (self.time(), self.base, self.y) {
            (None, ..) => met.add(EARLY, u64::from(mask.count_ones()), offset),
            (Some(_), None, _) => met.add(BASELESS, 1, offset),
            (Some(_), Some(_), None) => met.add(ROWLESS, 1, offset),
            (Some(t), Some((x, p)), Some(y)) => {
                let set = (0..width).filter(|i| mask >> i & 1 == 1);
                events.extend(set.map(|i| Event { t, x: x + i, y, p }));
            }
        }
        if let Some((x, _)) = &mut self.base {
            *x = x.saturating_add(width).min(MAX_BASE);
        }
    }
}

impl RecordState for Evt3Registers {
    fn epoch(&mut self) -> &mut i64 {
        &mut self.epoch
    }

    /// A register that is not set is stored as -1.
    fn pack(&self) -> Vec<i64> {
        let or = |register: Option<u16>| register.map_or(-1, i64::from);
        let (x, p) = self.base.map_or((-1, 0), |(x, p)| (x.into(), p.into()));
        vec![or(self.y), x, p, or(self.high), self.low.into(), self.epoch]
    }
}

impl WordRegisters<WORD> for Evt3Registers {
    const FORMAT: &'static str = "EVT 3.0";
    const BATCH: usize = 8 << 10;
    type Trail = Trail;
    type Scratch = Scratch;

    fn take(&mut self, word: [u8; WORD], offset: u64, events: &mut EventBatch, met: &mut Met) {
        self.take(u16::from_le_bytes(word), offset, events, met);
    }

    fn decode(
        &mut self,
        words: &[[u8; WORD]],
        offset: u64,
        events: &mut EventBatch,
        met: &mut Met,
        scratch: &mut Scratch,
    ) {
        fast::decode(words, offset, self, events, met, scratch);
    }

    fn trigger(&self, word: [u8; WORD]) -> Option<TriggerWord> {
        let word = u16::from_le_bytes(word);
        (word >> 12 == kind::EXT_TRIGGER).then(|| TriggerWord {
            t: self.time(),
            channel: u32::from(word >> 8 & 0xf),
            value: word & 1 == 1,
        })
    }

    fn trail(&self, words: &[[u8; WORD]]) -> Trail {
        Trail::of(words)
    }

    fn follow(&mut self, trail: &Trail) {
        trail.apply(self);
    }

    const LOW_BITS: u32 = 12;
    const ROUND: i64 = ROUND;

    fn is_high(&self, word: [u8; WORD]) -> bool {
        u16::from_le_bytes(word) >> 12 == kind::TIME_HIGH
    }

    fn high_of(&self, word: [u8; WORD]) -> u32 {
        u32::from(u16::from_le_bytes(word) & 0xfff)
    }

    fn wraps(old: u32, new: u32) -> bool {
        old >= new + u32::from(HIGH_WRAP)
    }

    fn high(&self) -> Option<u32> {
        self.high.map(u32::from)
    }

    /// OpenEB starts decoding as if the `TIME_HIGH` before the first one had been there.
    fn shift(high: u32) -> i64 {
        i64::from(high.saturating_sub(1)) << Self::LOW_BITS
    }

    /// Numbers that no register can have are taken as not set.
    fn unpack(&self, checkpoint: &Checkpoint) -> Result<Self> {
        let [y, x, p, high, low, epoch] = checkpoint.state()?;
        let field = |value: i64, max: i64| u16::try_from(value).ok().filter(|_| value <= max);
        Ok(Self {
            y: field(y, 0x7ff),
            base: field(x, MAX_BASE.into()).map(|x| (x, u8::from(p == 1))),
            high: field(high, 0xfff),
            low: field(low, 0xfff).unwrap_or_default(),
            epoch,
        })
    }
}

/// Index of the kind of a word that is none of the seven types that make events.
pub(crate) fn special(word: u16) -> usize {
    match word >> 12 {
        kind::EXT_TRIGGER => TRIGGER,
        kind::CONTINUED_4 | kind::IMU | kind::OTHERS | kind::CONTINUED_12 => VENDOR,
        _ if word == PADDING => PADDED,
        _ => RESERVED,
    }
}
