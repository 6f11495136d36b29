//! Dividing words among threads: what a run of words leaves in the registers, without decoding it.

use super::registers::{Evt3Registers, MAX_BASE, WORD, kind};

/// What a run of words does to the registers, found by going backwards from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trail {
    y: Option<u16>,
    base: Option<(u16, u8)>,
    /// How far vectors move the base, from the last `VECT_BASE_X` on.
    advance: usize,
    /// The last `TIME_LOW`.
    low: Option<u16>,
    /// The last `TIME_HIGH` before that `TIME_LOW`.
    high_before: Option<u16>,
    /// The first and last `TIME_HIGH` after it, and whether any two of these differ.
    highs_after: Option<(u16, u16, bool)>,
}

impl Trail {
    pub(crate) fn of(words: &[[u8; WORD]]) -> Self {
        let at = |index: Option<usize>| index.and_then(|i| words.get(i)).map(word);
        let after = |index: Option<usize>| words.get(index.map_or(0, |i| i + 1)..).unwrap_or(&[]);
        let base = last(words, kind::VECT_BASE_X);
        let low = last(words, kind::TIME_LOW);
        let before_low = words.get(..low.unwrap_or(0)).unwrap_or(&[]);
        let vectors = after(base);
        Self {
            y: at(last(words, kind::ADDR_Y)).map(|word| word & 0x7ff),
            base: at(base).map(|word| (word & 0x7ff, (word >> 11 & 1) as u8)),
            advance: 12 * count(vectors, kind::VECT_12) + 8 * count(vectors, kind::VECT_8),
            low: at(low).map(|word| word & 0xfff),
            high_before: last(before_low, kind::TIME_HIGH)
                .and_then(|i| words.get(i))
                .map(|bytes| word(bytes) & 0xfff),
            highs_after: highs(after(low)),
        }
    }

    /// Updates the registers to those after the words; the epoch is left unchanged.
    pub(crate) fn apply(&self, registers: &mut Evt3Registers) {
        registers.y = self.y.or(registers.y);
        registers.base = self.base.or(registers.base).map(|(x, p)| {
            let x = usize::from(x).saturating_add(self.advance).min(MAX_BASE.into());
            (x as u16, p)
        });
        registers.low = self.low.unwrap_or(registers.low);
        registers.high = self.high_before.or(registers.high);
        if let Some((first, last, differ)) = self.highs_after {
            if differ || registers.high != Some(first) {
                registers.low = 0;
            }
            registers.high = Some(last);
        }
    }
}

fn word(bytes: &[u8; WORD]) -> u16 {
    u16::from_le_bytes(*bytes)
}

fn is(bytes: &[u8; WORD], kind: u16) -> bool {
    word(bytes) >> 12 == kind
}

/// Index of the last word of a type. Blocks without one are skipped quickly.
fn last(words: &[[u8; WORD]], kind: u16) -> Option<usize> {
    let mut end = words.len();
    for block in words.rchunks(256) {
        end -= block.len();
        if block.iter().fold(false, |any, word| any | is(word, kind)) {
            return block.iter().rposition(|word| is(word, kind)).map(|i| end + i);
        }
    }
    None
}

fn count(words: &[[u8; WORD]], kind: u16) -> usize {
    let in_block =
        |block: &[[u8; WORD]]| block.iter().fold(0, |n, word| n + u16::from(is(word, kind)));
    words.chunks(1024).map(|block| usize::from(in_block(block))).sum()
}

/// The first and the last `TIME_HIGH`, and whether any two differ.
fn highs(words: &[[u8; WORD]]) -> Option<(u16, u16, bool)> {
    let blocks = words.chunks(256).filter(|block| count(block, kind::TIME_HIGH) > 0);
    let mut highs = blocks.flatten().filter(|word| is(word, kind::TIME_HIGH));
    let first = word(highs.next()?) & 0xfff;
    Some(highs.fold((first, first, false), |(first, last, differ), bytes| {
        let high = word(bytes) & 0xfff;
        (first, high, differ | (high != last))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(words: &[u16], mut registers: Evt3Registers) -> Evt3Registers {
        let words: Vec<_> = words.iter().map(|word| word.to_le_bytes()).collect();
        Trail::of(&words).apply(&mut registers);
        registers
    }

    #[test]
    fn a_changed_high_behind_the_last_low_clears_it() {
        let start = Evt3Registers { high: Some(5), low: 7, ..Evt3Registers::default() };
        assert_eq!(after(&[0x8005], start).low, 7);
        assert_eq!(after(&[0x8006], start).low, 0);
        assert_eq!(after(&[0x8006, 0x8005], start).low, 0);
        assert_eq!(after(&[0x6009, 0x8005, 0x8005], start).low, 9);
        assert_eq!(after(&[0x8006, 0x6009, 0x8006], start).low, 9);
        assert_eq!(after(&[0x8006, 0x6009, 0x8005], start).low, 0);
        assert_eq!(after(&[0x6009, 0x8000], Evt3Registers::default()).low, 0);
    }

    #[test]
    fn vectors_move_the_base_they_find() {
        let start = Evt3Registers { base: Some((100, 1)), ..Evt3Registers::default() };
        assert_eq!(after(&[0x4001, 0x5000], start).base, Some((120, 1)));
        assert_eq!(after(&[0x4001, 0x3010, 0x5000], start).base, Some((24, 0)));
        assert_eq!(after(&[0x4001], Evt3Registers::default()).base, None);
        assert_eq!(after(&[0x4fff; 6000], start).base, Some((MAX_BASE, 1)));
    }
}
