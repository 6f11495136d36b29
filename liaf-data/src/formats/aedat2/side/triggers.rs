//! Words to triggers.

use super::{Layout, Word, Words};
use crate::formats::side::{Account, SideRule};
use crate::reader::ClockReset;
use crate::{Report, Sample, Trigger, TriggerKind};

/// Takes the words of triggers.
#[derive(Debug)]
pub(super) struct TriggerRule(Words);

impl TriggerRule {
    pub fn new(layout: Layout, resets: ClockReset) -> Self {
        Self(Words::new(layout, resets))
    }
}

impl SideRule<8> for TriggerRule {
    fn take(
        &mut self,
        record: [u8; 8],
        offset: u64,
        samples: &mut Vec<(Sample, u64)>,
        report: &mut Report,
    ) -> Account {
        let Self(words) = self;
        let (word, address, t) = words.take(record, offset, report);
        if word != Word::Trigger {
            return words.pass(word, offset);
        }
        let kind = match words.layout {
            Layout::Davis => TriggerKind::edge(address >> 11 & 1 == 1),
            Layout::Dvs128 | Layout::Dvs640 => TriggerKind::Pulse,
        };
        samples.push((Sample::Trigger(Trigger { t, kind, channel: 0 }), offset));
        Account::Chosen
    }

    fn enter(&mut self, report: &mut Report) {
        self.0.enter(report);
    }
}
