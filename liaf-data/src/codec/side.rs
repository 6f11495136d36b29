//! The decoder of records that become measurements instead of events. There are few of them, so
//! they are decoded one at a time.

use std::fmt::Debug;

use super::record_buffer::RecordBuffer;
use super::{Decoder, EventSink, ReadOptions};
use crate::error::{Error, Result};
use crate::model::{Measurement, Report};

/// The part of the byte account in which a record is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// The record belongs to the chosen stream.
    Chosen,
    /// The record is valid, but belongs to something else.
    Other,
    /// The record cannot be used.
    Skipped,
}

/// How records of `N` bytes become measurements.
pub(crate) trait SideRule<const N: usize>: Debug + Send {
    /// Takes the next record, which starts at `offset`. A measurement that it completes is appended
    /// to `measurements` together with the offset at which that measurement started; everything
    /// else is added to `report`.
    fn take(
        &mut self,
        record: [u8; N],
        offset: u64,
        measurements: &mut Vec<(Measurement, u64)>,
        report: &mut Report,
    ) -> Account;

    /// Adds to `report` what has only been counted internally so far.
    fn enter(&mut self, _report: &mut Report) {}

    /// Returns to the state before the first record.
    fn reset(&mut self);

    /// Called after the last record: a measurement that is incomplete is added to `report`.
    fn finish(&mut self, _measurements: &mut Vec<(Measurement, u64)>, _report: &mut Report) {}
}

/// Decodes the measurements of a stream that has no events.
#[derive(Debug)]
pub(crate) struct SideDecoder<R, const N: usize> {
    rule: R,
    strict: bool,
    /// Offset of the first record, and the report of everything before it.
    start: u64,
    header: Report,
    buffer: RecordBuffer<N>,
    offset: u64,
    measurements: Vec<(Measurement, u64)>,
    report: Report,
}

impl<R: SideRule<N>, const N: usize> SideDecoder<R, N> {
    /// A decoder for records that start at byte `start`; `report` covers everything before them.
    pub fn new(rule: R, start: u64, report: Report, options: &ReadOptions) -> Self {
        Self {
            rule,
            strict: options.strict,
            start,
            header: report.clone(),
            buffer: RecordBuffer::default(),
            offset: start,
            measurements: Vec::new(),
            report,
        }
    }

    fn records(&mut self, records: &[[u8; N]], sink: &mut dyn EventSink) -> Result<()> {
        let result = self.one_by_one(records, sink);
        self.rule.enter(&mut self.report);
        result
    }

    fn one_by_one(&mut self, records: &[[u8; N]], sink: &mut dyn EventSink) -> Result<()> {
        for &record in records {
            let (at, report) = (self.offset, &mut self.report);
            let account = self.rule.take(record, at, &mut self.measurements, report);
            *match account {
                Account::Chosen => &mut report.bytes.events,
                Account::Other => &mut report.bytes.other,
                Account::Skipped => &mut report.bytes.skipped,
            } += N as u64;
            self.offset += N as u64;
            if account == Account::Skipped && self.strict {
                return Err(Error::malformed("a record is invalid")
                    .at(at)
                    .expected("a record of this format")
                    .found(format!("{record:02x?}")));
            }
            self.give(sink)?;
        }
        Ok(())
    }

    fn give(&mut self, sink: &mut dyn EventSink) -> Result<()> {
        self.measurements
            .drain(..)
            .try_for_each(|(measurement, at)| sink.measurement(measurement, at))
    }
}

impl<R: SideRule<N>, const N: usize> Decoder for SideDecoder<R, N> {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = buffer.push(bytes, |records| self.records(records, sink));
        self.buffer = buffer;
        result
    }

    fn finish(&mut self, sink: &mut dyn EventSink) -> Result<()> {
        self.rule.finish(&mut self.measurements, &mut self.report);
        self.give(sink)?;
        self.buffer.finish("record", self.offset, self.strict, &mut self.report)
    }

    fn report(&self) -> &Report {
        &self.report
    }

    fn reset(&mut self) {
        self.rule.reset();
        self.offset = self.start;
        self.report.clone_from(&self.header);
        self.measurements.clear();
        self.buffer.clear();
    }
}
