//! What words hold beside events, by cause.

use crate::{Oddity, Report};

/// What is counted; indices into [`Met`].
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
pub(in crate::formats) const TRIGGER: usize = 0;
pub(in crate::formats) const VENDOR: usize = 1;
pub(in crate::formats) const RESERVED: usize = 2;
pub(in crate::formats) const PADDED: usize = 3;
pub(in crate::formats) const BASELESS: usize = 4;
pub(in crate::formats) const EARLY: usize = 5;
pub(in crate::formats) const WRAP: usize = 6;
pub(in crate::formats) const ROWLESS: usize = 7;

/// What some words met beside events: how often, and the offset of the first.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::formats) struct Met([(u64, u64); ODDITIES.len()]);

impl Met {
    pub fn add(&mut self, index: usize, count: u64, offset: u64) {
        let Some((counted, first)) = self.0.get_mut(index).filter(|_| count > 0) else { return };
        if *counted == 0 {
            *first = offset;
        }
        *counted += count;
    }

    /// Enters the counts in `report`.
    pub fn tell(&self, report: &mut Report) {
        for (oddity, (count, first)) in ODDITIES.into_iter().zip(self.0) {
            report.add(oddity, count, first);
        }
    }

    /// How many words cannot be used.
    pub fn unusable(&self) -> u64 {
        [RESERVED, PADDED, BASELESS, ROWLESS].map(|index| self.0[index].0).iter().sum()
    }

    /// Enters the counts and the bytes of `words` words of `word` bytes in `report`.
    pub fn enter(&self, words: usize, word: usize, report: &mut Report) {
        self.tell(report);
        let bytes = |indices: &[usize]| {
            indices.iter().map(|&index| self.0[index].0).sum::<u64>() * word as u64
        };
        let other = bytes(&[TRIGGER, VENDOR]);
        let skipped = self.unusable() * word as u64;
        report.bytes.other += other;
        report.bytes.skipped += skipped;
        report.bytes.events += (words * word) as u64 - other - skipped;
    }

    /// The first violation of `format`, in words: what it is, what was expected.
    pub fn violation(&self, format: &str) -> Option<(&'static str, String)> {
        let a_type = || format!("a type of {format}");
        match self.0.map(|(count, _)| count > 0) {
            [_, _, true, ..] => Some(("a word of a reserved type", a_type())),
            [_, _, _, true, ..] => Some(("a padding word", a_type())),
            [_, _, _, _, true, ..] => {
                Some(("a vector without a base", "VECT_BASE_X before it".to_owned()))
            }
            [.., true] => Some(("an event without a row", "ADDR_Y before it".to_owned())),
            _ => None,
        }
    }
}
