//! The first pass: how many events are kept, and from when to when.

use super::select::Selector;
use super::{FrameOptions, FrameReport};
use crate::{EventBatch, Result, SensorSize, Sink};

/// The kept events of a recording: how many, and their times in µs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Number of kept events. If 0, the times are 0.
    pub events: u64,
    /// Time of the first one.
    pub t_first: i64,
    /// Time of the last one.
    pub t_last: i64,
    /// Smallest time.
    pub t_min: i64,
    /// Largest time.
    pub t_max: i64,
}

impl Span {
    /// Adds the times of the next kept events.
    pub(super) fn extend(&mut self, t: &[i64]) {
        let (Some(&first), Some(&last)) = (t.first(), t.last()) else { return };
        if self.events == 0 {
            *self = Self { events: 0, t_first: first, t_last: first, t_min: first, t_max: first };
        }
        self.events += t.len() as u64;
        self.t_last = last;
        self.t_min = t.iter().fold(self.t_min, |min, &t| min.min(t));
        self.t_max = t.iter().fold(self.t_max, |max, &t| max.max(t));
    }
}

/// Finds the [`Span`] of a recording in a first pass over its events.
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
    span: Span,
    report: FrameReport,
}

impl SpanFinder {
    /// For the events that `options` keep of a recording of this sensor.
    ///
    /// # Errors
    /// As [`FrameOptions::check`].
    pub fn new(options: &FrameOptions, sensor: SensorSize) -> Result<Self> {
        let shape = options.check(sensor)?;
        let selector = Selector::new(options, sensor, shape);
        Ok(Self { selector, span: Span::default(), report: FrameReport::default() })
    }

    /// Takes the next events, in file order.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the columns of `batch` differ in length.
    pub fn push(&mut self, batch: &EventBatch) -> Result<()> {
        let span = &mut self.span;
        let left = self.selector.each(batch, |_, kept| {
            span.extend(kept.t);
            Ok(())
        })?;
        self.report.kept = span.events;
        self.report.out_of_window += left.out_of_window;
        self.report.out_of_crop += left.out_of_crop;
        Ok(())
    }

    /// The span of the events so far.
    pub fn span(&self) -> Span {
        self.span
    }

    /// How many events are kept so far and how many are not.
    pub fn report(&self) -> &FrameReport {
        &self.report
    }
}

impl Sink for SpanFinder {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.push(events)
    }
}
