//! Records to samples that are no events: one after another, as there are few of them.

use std::fmt::Debug;

use crate::formats::whole::Whole;
use crate::reader::ReadOptions;
use crate::{Decoder, Error, Report, Result, Sample, Sink};

/// Where a record goes in the byte account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    /// It is of the chosen stream.
    Chosen,
    /// It is sound, and of something else.
    Other,
    /// It cannot be used.
    Skipped,
}

/// How records of `N` bytes become samples.
pub(super) trait SideRule<const N: usize>: Debug + Send {
    /// Takes the next record, which stands at `offset`. What it completes goes to `samples`, each with
    /// the place where it began; what else it is to `report`.
    fn take(
        &mut self,
        record: [u8; N],
        offset: u64,
        samples: &mut Vec<(Sample, u64)>,
        report: &mut Report,
    ) -> Account;

    /// Enters in `report` what was only counted so far.
    fn enter(&mut self, _report: &mut Report) {}

    /// No record follows: what is not complete goes to `report`.
    fn finish(&mut self, _samples: &mut Vec<(Sample, u64)>, _report: &mut Report) {}
}

/// Decodes the samples of one stream that is not of events.
#[derive(Debug)]
pub(super) struct SideDecoder<R, const N: usize> {
    rule: R,
    strict: bool,
    whole: Whole<N>,
    offset: u64,
    samples: Vec<(Sample, u64)>,
    report: Report,
}

impl<R: SideRule<N>, const N: usize> SideDecoder<R, N> {
    /// A decoder for records that begin at byte `start`; `report` has what stands before them.
    pub fn new(rule: R, start: u64, report: Report, options: &ReadOptions) -> Self {
        let (strict, whole) = (options.strict, Whole::default());
        Self { rule, strict, whole, offset: start, samples: Vec::new(), report }
    }

    fn records(&mut self, records: &[[u8; N]], sink: &mut dyn Sink) -> Result<()> {
        let result = self.one_by_one(records, sink);
        self.rule.enter(&mut self.report);
        result
    }

    fn one_by_one(&mut self, records: &[[u8; N]], sink: &mut dyn Sink) -> Result<()> {
        for &record in records {
            let (at, report) = (self.offset, &mut self.report);
            let account = self.rule.take(record, at, &mut self.samples, report);
            *match account {
                Account::Chosen => &mut report.bytes.events,
                Account::Other => &mut report.bytes.other,
                Account::Skipped => &mut report.bytes.skipped,
            } += N as u64;
            self.offset += N as u64;
            if account == Account::Skipped && self.strict {
                return Err(Error::malformed("a record that is of no use")
                    .at(at)
                    .expected("a record of the format")
                    .found(format!("{record:02x?}")));
            }
            self.give(sink)?;
        }
        Ok(())
    }

    fn give(&mut self, sink: &mut dyn Sink) -> Result<()> {
        self.samples.drain(..).try_for_each(|(sample, at)| sink.sample(sample, at))
    }
}

impl<R: SideRule<N>, const N: usize> Decoder for SideDecoder<R, N> {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) -> Result<()> {
        let mut whole = std::mem::take(&mut self.whole);
        let result = whole.push(bytes, |records| self.records(records, sink));
        self.whole = whole;
        result
    }

    fn finish(&mut self, sink: &mut dyn Sink) -> Result<()> {
        self.rule.finish(&mut self.samples, &mut self.report);
        self.give(sink)?;
        self.whole.finish("record", self.offset, self.strict, &mut self.report)
    }

    fn report(&self) -> &Report {
        &self.report
    }
}
