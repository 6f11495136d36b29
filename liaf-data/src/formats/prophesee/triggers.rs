//! The triggers of EVT files, whose words are between those of events.

use super::raw::Start;
use super::{Met, WordRegisters, events_body};
use crate::codec::side::{Account, SideDecoder, SideRule};
use crate::codec::{Body, ReadOptions, choose};
use crate::error::Result;
use crate::model::{
    EventBatch, Finding, Measurement, Report, SensorSize, StreamInfo, StreamKind, Trigger,
    TriggerKind,
};

/// The numbers of the streams.
const EVENTS: i32 = 0;
const TRIGGERS: i32 = 1;

/// The streams of a file of words.
pub(crate) fn streams(sensor: Option<SensorSize>) -> Vec<StreamInfo> {
    vec![
        StreamInfo::new(EVENTS, StreamKind::Events, "events", sensor),
        StreamInfo::possible(TRIGGERS, StreamKind::Triggers, None),
    ]
}

/// The decoder of the stream that the options choose, from the start of the words.
pub(crate) fn body<R: WordRegisters<WORD> + 'static, const WORD: usize>(
    mut registers: R,
    start: Start<'_>,
    options: &ReadOptions,
) -> Result<Body> {
    let Start { offset: start, report, words, .. } = start;
    let mut words = words.as_chunks::<WORD>().0.iter();
    if let Some(&first) = words.find(|&&word| registers.is_high(word)) {
        *registers.epoch() -= R::shift(registers.high_of(first));
    }
    let chosen = choose(streams(None).iter(), options.stream.as_ref())?;
    Ok(if chosen == Some(TRIGGERS) {
        let rule = TriggerRule::new(registers);
        Body::stream(SideDecoder::<_, WORD>::new(rule, start, report, options))
    } else {
        events_body(registers, start, report, options)
    })
}

/// Decodes triggers, and follows the state that other words set.
#[derive(Debug)]
struct TriggerRule<R> {
    /// The registers before the first word.
    start: R,
    registers: R,
    /// The events of a word, which are not used.
    events: EventBatch,
    /// What is not in the report yet: number of events, offset of the first, and other findings.
    passed: (u64, u64),
    met: Met,
}

impl<R: Copy> TriggerRule<R> {
    fn new(start: R) -> Self {
        let (events, met) = (EventBatch::new(), Met::default());
        Self { start, registers: start, events, passed: (0, 0), met }
    }
}

impl<R: WordRegisters<WORD>, const WORD: usize> SideRule<WORD> for TriggerRule<R> {
    fn take(
        &mut self,
        word: [u8; WORD],
        offset: u64,
        measurements: &mut Vec<(Measurement, u64)>,
        report: &mut Report,
    ) -> Account {
        if let Some(trigger) = self.registers.trigger(word) {
            match trigger.t {
                Some(t) => {
                    let (kind, channel) = (TriggerKind::edge(trigger.value), trigger.channel);
                    measurements.push((Measurement::Trigger(Trigger { t, kind, channel }), offset));
                }
                None => report.add(Finding::EventsBeforeTime, 1, offset),
            }
            return Account::Chosen;
        }
        let unusable = self.met.unusable();
        self.events.clear();
        self.registers.take(word, offset, &mut self.events, &mut self.met);
        if self.passed.0 == 0 {
            self.passed.1 = offset;
        }
        self.passed.0 += self.events.len() as u64;
        if self.met.unusable() == unusable { Account::Other } else { Account::Skipped }
    }

    fn enter(&mut self, report: &mut Report) {
        std::mem::take(&mut self.met).tell(report);
        let (count, first) = std::mem::take(&mut self.passed);
        report.add(Finding::OtherStreamEvents, count, first);
    }

    fn reset(&mut self) {
        self.registers = self.start;
        (self.passed, self.met) = ((0, 0), Met::default());
    }
}
