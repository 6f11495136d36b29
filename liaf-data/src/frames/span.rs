//! The first pass over a recording: how many events are kept, and their first and last times.

use super::select::{Batch, Selector};
use super::{FrameOptions, FrameReport};
use crate::codec::EventSink;
use crate::error::Result;
use crate::filter::{Lateness, Sorting};
use crate::model::{EventBatch, SensorSize, TimeSpan};

/// Finds the [`TimeSpan`] of a recording in a first pass over its events.
///
/// ```
/// use liaf_data::frames::{FrameOptions, SpanFinder};
/// use liaf_data::{Event, EventBatch, SensorSize};
/// let batch: EventBatch = (0..5).map(|i| Event { t: 10 * i, x: 0, y: 0, p: 1 }).collect();
/// let mut finder = SpanFinder::new(&FrameOptions::default(), SensorSize::new(4, 4))?;
/// finder.push(&batch)?;
/// let span = finder.finish()?;
/// assert_eq!((span.events, span.t_last), (5, 40));
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug)]
pub struct SpanFinder {
    selector: Selector,
    span: TimeSpan,
    /// How late the events come that this sorts, from an earlier pass.
    lateness: u64,
    has_filters: bool,
    report: FrameReport,
}

impl FrameOptions {
    /// How the events are sorted, if the first pass found `span`.
    pub(super) fn sorting(&self, span: &TimeSpan) -> Sorting {
        let TimeSpan { lateness: us, events, .. } = *span;
        match self.sort {
            true => Sorting::Sort(Lateness { us, events, memory: self.limits.reorder_bytes }),
            false => Sorting::Keep,
        }
    }

    /// Whether a second pass ([`SpanFinder::again`]) is needed after one that found `first`: that is
    /// so if the windows depend on all events, and these are sorted before they pass filters.
    pub fn needs_span_again(&self, first: &TimeSpan) -> bool {
        let has_filters = !self.selection.filters.is_empty();
        self.sort && first.lateness > 0 && has_filters && self.windows_need_span()
    }
}

impl SpanFinder {
    /// Makes a finder for the events of a recording of this sensor that `options` keep.
    ///
    /// # Errors
    /// As [`FrameOptions::check`].
    pub fn new(options: &FrameOptions, sensor: SensorSize) -> Result<Self> {
        Self::with(options, sensor, if options.sort { Sorting::Survey } else { Sorting::Keep })
    }

    /// Makes a finder for a second pass over the events, which sorts them as the first pass found that
    /// they come late. See [`FrameOptions::needs_span_again`].
    ///
    /// # Errors
    /// As [`FrameOptions::check`].
    pub fn again(options: &FrameOptions, sensor: SensorSize, first: &TimeSpan) -> Result<Self> {
        let finder = Self::with(options, sensor, options.sorting(first))?;
        Ok(Self { lateness: first.lateness, ..finder })
    }

    fn with(options: &FrameOptions, sensor: SensorSize, sorting: Sorting) -> Result<Self> {
        let (canvas, layout) = options.plan(sensor)?;
        let selector = Selector::new(options, sensor, canvas, layout, sorting)?;
        let (span, report) = (TimeSpan::default(), FrameReport::default());
        let has_filters = !options.selection.filters.is_empty();
        Ok(Self { selector, span, lateness: 0, has_filters, report })
    }

    /// Adds the next events, in file order.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if this sorts the events and too many of them
    /// would be held back.
    pub fn push(&mut self, batch: &EventBatch) -> Result<()> {
        self.add(Batch::Shared(batch))
    }

    fn add(&mut self, batch: Batch<'_>) -> Result<()> {
        let Self { selector, span, report, .. } = self;
        let left = selector.each(batch, |_, events| {
            span.extend(events.t);
            Ok(())
        })?;
        left.add_to(report);
        report.kept = span.events;
        Ok(())
    }

    /// The span of the kept events so far. If the events are going to be sorted and some come late, it
    /// is that of the chosen events before they pass filters, whose result depends on the order.
    pub fn span(&self) -> TimeSpan {
        match self.selector.surveyed() {
            Some(chosen) if chosen.lateness > 0 && self.has_filters => chosen,
            Some(chosen) => TimeSpan { lateness: chosen.lateness, ..self.span },
            None => TimeSpan { lateness: self.span.lateness.max(self.lateness), ..self.span },
        }
    }

    /// Ends the pass, and returns the span of all events.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(mut self) -> Result<TimeSpan> {
        let Self { selector, span, .. } = &mut self;
        selector.finish(|_, events| {
            span.extend(events.t);
            Ok(())
        })?;
        Ok(self.span())
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
