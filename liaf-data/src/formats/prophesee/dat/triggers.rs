//! Conversion of records to triggers.

use super::decode::{RECORD, data, time};
use crate::codec::records::Clock;
use crate::codec::side::{Account, SideRule};
use crate::model::{Measurement, Report, Trigger, TriggerKind};

/// Decodes records in which bit 0 says whether the signal rose, and bits 31–26 are the channel.
#[derive(Debug, Default)]
pub(crate) struct TriggerRule(Clock);

impl SideRule<RECORD> for TriggerRule {
    fn take(
        &mut self,
        record: [u8; RECORD],
        offset: u64,
        measurements: &mut Vec<(Measurement, u64)>,
        report: &mut Report,
    ) -> Account {
        let Self(clock) = self;
        if let Some(finding) = clock.advance(time(&record)) {
            report.add(finding, 1, offset);
        }
        let (t, data) = (clock.epoch + i64::from(time(&record)), data(&record));
        let (kind, channel) = (TriggerKind::edge(data & 1 == 1), data >> 26);
        measurements.push((Measurement::Trigger(Trigger { t, kind, channel }), offset));
        Account::Chosen
    }

    fn reset(&mut self) {
        *self = Self::default();
    }
}
