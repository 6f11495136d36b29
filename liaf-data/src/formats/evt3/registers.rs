//! What earlier words set, and the plain way from one word to its events.

use crate::{Event, EventBatch, Oddity, Report};

/// Bytes of a word.
pub(super) const WORD: usize = 2;
/// A base stays at or below this, so that x of an event never overflows.
pub(super) const MAX_BASE: u16 = u16::MAX - 11;
/// How far `TIME_HIGH` must fall to begin a new round of 2²⁴ µs.
pub(super) const HIGH_WRAP: u16 = 1 << 11;
pub(super) const ROUND: i64 = 1 << 24;

/// The kinds of words, by their bits 15–12.
pub(super) mod kind {
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

/// A filler word of some cameras.
pub(super) const PADDING: u16 = 0x9999;

/// What earlier words set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Registers {
    /// `None` before the first `ADDR_Y`.
    pub y: Option<u16>,
    /// Column and polarity of the next vector; `None` before the first `VECT_BASE_X`.
    pub base: Option<(u16, u8)>,
    /// `None` before the first `TIME_HIGH`.
    pub high: Option<u16>,
    pub low: u16,
    /// What wraps have added so far, in µs.
    pub epoch: i64,
}

impl Registers {
    /// The time of an event here; `None` before the first `TIME_HIGH`.
    pub fn time(&self) -> Option<i64> {
        Some(self.epoch + (i64::from(self.high?) << 12) + i64::from(self.low))
    }

    /// Takes the next `TIME_HIGH` and says whether the time wrapped.
    pub fn set_high(&mut self, high: u16) -> bool {
        let wrapped = self.high.is_some_and(|old| old >= high + HIGH_WRAP);
        if self.high != Some(high) {
            self.low = 0;
        }
        self.high = Some(high);
        self.epoch += i64::from(wrapped) * ROUND;
        wrapped
    }

    /// Takes the next word, which stands at `offset`.
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

/// What is counted of the words that give no event; indices into [`Met`].
const ODDITIES: [Oddity; 8] = [
    Oddity::Triggers,
    Oddity::VendorWords,
    Oddity::ReservedWords,
    Oddity::PaddingWords,
    Oddity::VectorsWithoutBase,
    Oddity::EventsBeforeTime,
    Oddity::TimeWraps,
    Oddity::EventsWithoutRow,
];
const TRIGGER: usize = 0;
const VENDOR: usize = 1;
const RESERVED: usize = 2;
const PADDED: usize = 3;
const BASELESS: usize = 4;
const EARLY: usize = 5;
pub(super) const WRAP: usize = 6;
const ROWLESS: usize = 7;

/// Index of a word that is none of the seven kinds that make events.
pub(super) fn special(word: u16) -> usize {
    match word >> 12 {
        kind::EXT_TRIGGER => TRIGGER,
        kind::CONTINUED_4 | kind::IMU | kind::OTHERS | kind::CONTINUED_12 => VENDOR,
        _ if word == PADDING => PADDED,
        _ => RESERVED,
    }
}

/// What some words met beside events: how often, and the offset of the first.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Met([(u64, u64); ODDITIES.len()]);

impl Met {
    pub fn add(&mut self, index: usize, count: u64, offset: u64) {
        let Some((counted, first)) = self.0.get_mut(index).filter(|_| count > 0) else { return };
        if *counted == 0 {
            *first = offset;
        }
        *counted += count;
    }

    /// Enters the counts and the bytes of `words` words in `report`.
    pub fn enter(&self, words: usize, report: &mut Report) {
        for (oddity, (count, first)) in ODDITIES.into_iter().zip(self.0) {
            report.add(oddity, count, first);
        }
        let bytes = |indices: &[usize]| {
            indices.iter().map(|&index| self.0[index].0).sum::<u64>() * WORD as u64
        };
        let other = bytes(&[TRIGGER, VENDOR]);
        let skipped = bytes(&[RESERVED, PADDED, BASELESS, ROWLESS]);
        report.bytes.other += other;
        report.bytes.skipped += skipped;
        report.bytes.events += (words * WORD) as u64 - other - skipped;
    }

    /// The first violation of the format, in words: what it is, what was expected.
    pub fn violation(&self) -> Option<(&'static str, &'static str)> {
        match self.0.map(|(count, _)| count > 0) {
            [_, _, true, ..] => Some(("a word of a reserved type", "a type of EVT 3.0")),
            [_, _, _, true, ..] => Some(("a padding word", "a type of EVT 3.0")),
            [_, _, _, _, true, ..] => Some(("a vector without a base", "VECT_BASE_X before it")),
            [.., true] => Some(("an event without a row", "ADDR_Y before it")),
            _ => None,
        }
    }
}
