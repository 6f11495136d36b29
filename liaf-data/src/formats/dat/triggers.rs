//! Records to triggers.

use super::decode::{data, time};
use crate::formats::records::{Clock, RECORD};
use crate::formats::side::{Account, SideRule};
use crate::{Report, Sample, Trigger, TriggerKind};

/// Takes records whose bit 0 says whether the signal rose, and bits 31–26 where.
#[derive(Debug, Default)]
pub(super) struct TriggerRule(Clock);

impl SideRule<RECORD> for TriggerRule {
    fn take(
        &mut self,
        record: [u8; RECORD],
        offset: u64,
        samples: &mut Vec<(Sample, u64)>,
        report: &mut Report,
    ) -> Account {
        let Self(clock) = self;
        if let Some(oddity) = clock.advance(time(&record)) {
            report.add(oddity, 1, offset);
        }
        let (t, data) = (clock.epoch + i64::from(time(&record)), data(&record));
        let (kind, channel) = (TriggerKind::edge(data & 1 == 1), data >> 26);
        samples.push((Sample::Trigger(Trigger { t, kind, channel }), offset));
        Account::Chosen
    }
}
