//! Conversion of words to triggers.

use super::{Kinds, Word, Words};
use crate::codec::ClockReset;
use crate::codec::side::{Account, SideRule};
use crate::model::{Measurement, Report, Trigger, TriggerKind};

/// Decodes the words of triggers.
#[derive(Debug)]
pub(crate) struct TriggerRule(Words);

impl TriggerRule {
    pub fn new(kinds: Kinds, resets: ClockReset) -> Self {
        Self(Words::new(kinds, resets))
    }
}

impl SideRule<8> for TriggerRule {
    fn take(
        &mut self,
        record: [u8; 8],
        offset: u64,
        measurements: &mut Vec<(Measurement, u64)>,
        report: &mut Report,
    ) -> Account {
        let Self(words) = self;
        let (word, address, t) = words.take(record, offset, report);
        if word != Word::Trigger {
            return words.pass(word, offset);
        }
        let kind = match words.kinds.layout.is_davis() {
            true => TriggerKind::edge(address >> 11 & 1 == 1),
            false => TriggerKind::Pulse,
        };
        measurements.push((Measurement::Trigger(Trigger { t, kind, channel: 0 }), offset));
        Account::Chosen
    }

    fn enter(&mut self, report: &mut Report) {
        self.0.enter(report);
    }

    fn reset(&mut self) {
        self.0.reset();
    }
}
