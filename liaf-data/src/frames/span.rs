//! The first pass over a recording: how many events are kept, and their first and last times.

use super::select::{Batch, Selector};
use super::{FrameOptions, FrameReport};
use crate::codec::EventSink;
use crate::error::Result;
use crate::model::{EventBatch, SensorSize, TimeSpan};

/// Finds the [`TimeSpan`] of a recording in a first pass over its events.
///
/// ```
/// use liaf_data::frames::{FrameOptions, SpanFinder};
/// use liaf_data::{Event, EventBatch, SensorSize};
/// let batch: EventBatch = (0..5).map(|i| Event { t: 10 * i, x: 0, y: 0, p: 1 }).collect();
/// let mut finder = SpanFinder::new(&FrameOptions::default(), SensorSize::new(4, 4))?;
/// finder.push(&batch)?;
/// assert_eq!((finder.span().events, finder.span().t_last), (5, 40));
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug)]
pub struct SpanFinder {
    selector: Selector,
    span: TimeSpan,
    report: FrameReport,
}

impl SpanFinder {
    /// Makes a finder for the events of a recording of this sensor that `options` keep.
    ///
    /// # Errors
    /// As [`FrameOptions::check`].
    pub fn new(options: &FrameOptions, sensor: SensorSize) -> Result<Self> {
        let (shape, layout) = options.plan(sensor)?;
        let selector = Selector::new(options, sensor, shape, layout)?;
        Ok(Self { selector, span: TimeSpan::default(), report: FrameReport::default() })
    }

    /// Adds the next events, in file order.
    ///
    /// # Errors
    /// None at present.
    pub fn push(&mut self, batch: &EventBatch) -> Result<()> {
        self.add(Batch::Shared(batch))
    }

    fn add(&mut self, batch: Batch<'_>) -> Result<()> {
        let Self { selector, span, report } = self;
        let left = selector.each(batch, |_, events| {
            span.extend(events.t);
            Ok(())
        })?;
        left.add_to(report);
        report.kept = span.events;
        Ok(())
    }

    /// The span of the kept events so far.
    pub fn span(&self) -> TimeSpan {
        self.span
    }

    /// How many events were kept so far, and how many were not.
    pub fn report(&self) -> &FrameReport {
        &self.report
    }
}

impl EventSink for SpanFinder {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.add(Batch::Owned(events))
    }
}
