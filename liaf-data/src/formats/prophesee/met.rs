//! Counts of the words that are not events, by cause.

use crate::model::{Finding, Report};

/// The findings that are counted. Constants are indices into [`Met`].
const FINDINGS: [Finding; 8] = [
    Finding::Triggers,
    Finding::VendorWords,
    Finding::ReservedWords,
    Finding::PaddingWords,
    Finding::VectorsWithoutBase,
    Finding::EventsBeforeTime,
    Finding::TimeWraps,
    Finding::EventsWithoutRow,
];
pub(crate) const TRIGGER: usize = 0;
pub(crate) const VENDOR: usize = 1;
pub(crate) const RESERVED: usize = 2;
pub(crate) const PADDED: usize = 3;
pub(crate) const BASELESS: usize = 4;
pub(crate) const EARLY: usize = 5;
pub(crate) const WRAP: usize = 6;
pub(crate) const ROWLESS: usize = 7;

/// What was met in some words apart from events: how often, and the offset of the first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Met([(u64, u64); FINDINGS.len()]);

impl Met {
    pub fn add(&mut self, index: usize, count: u64, offset: u64) {
        let Some((counted, first)) = self.0.get_mut(index).filter(|_| count > 0) else { return };
        if *counted == 0 {
            *first = offset;
        }
        *counted += count;
    }

    /// Adds other counts, all of which are of a packet at byte `offset` of the file.
    pub fn absorb(&mut self, other: &Self, offset: u64) {
        for (index, &(count, _)) in other.0.iter().enumerate() {
            self.add(index, count, offset);
        }
    }

    /// Adds the counts to `report`.
    pub fn tell(&self, report: &mut Report) {
        for (finding, (count, first)) in FINDINGS.into_iter().zip(self.0) {
            report.add(finding, count, first);
        }
    }

    /// Number of words that cannot be used.
    pub fn unusable(&self) -> u64 {
        [RESERVED, PADDED, BASELESS, ROWLESS].map(|index| self.0[index].0).iter().sum()
    }

    /// Adds the counts, and the bytes of `words` words of `word` bytes, to `report`.
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
}

/// The first violation of `format` in `report`: what it is, and what was expected.
pub(crate) fn violation(report: &Report, format: &str) -> Option<(&'static str, String)> {
    let has = |finding| report.count(finding) > 0;
    let a_type = || format!("a type of {format}");
    if has(Finding::ReservedWords) {
        Some(("a word of a reserved type", a_type()))
    } else if has(Finding::PaddingWords) {
        Some(("a padding word", a_type()))
    } else if has(Finding::VectorsWithoutBase) {
        Some(("a vector has no base before it", "an earlier VECT_BASE_X".to_owned()))
    } else if has(Finding::EventsWithoutRow) {
        Some(("an event has no row before it", "an earlier ADDR_Y".to_owned()))
    } else {
        None
    }
}
