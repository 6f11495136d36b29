//! Makes frames from events, in bounded memory.

use super::count::CountWindows;
use super::event_triggered::EventTriggeredWindows;
use super::open::OpenFrames;
use super::select::{Batch, Left, Selector, Stretch};
use super::time::TimeWindows;
use super::{Edge, Frame, FrameCounts, FrameOptions, FrameReport, FrameShape, Placed, WindowRule};
use crate::codec::EventSink;
use crate::error::{Error, Result};
use crate::filter::Sorting;
use crate::model::{EventBatch, SensorSize, TimeSpan};

/// Receives the frames that a [`Binner`] makes, in order. Every `FnMut(&Frame) -> Result<()>` is a
/// sink.
pub trait FrameSink {
    /// Receives the next frame. The memory of the frame is reused after the call.
    ///
    /// # Errors
    /// An error that the sink returns stops the binner and is passed on to the caller.
    fn frame(&mut self, frame: &Frame) -> Result<()>;

    /// Receives the next frame in place of [`frame`](Self::frame), if its window is not full: a window
    /// of time within which the recording or the chosen interval ends, or a window of a number of
    /// events with fewer of them. Such frames come last. Up to a chosen end
    /// ([`Selection::to`](crate::filter::Selection::to)) windows count as full, with events or without.
    ///
    /// A sink for which this makes no difference need not have this method.
    ///
    /// # Errors
    /// As [`frame`](Self::frame).
    fn partial_frame(&mut self, frame: &Frame) -> Result<()> {
        self.frame(frame)
    }

    /// Receives where the events of the next frame came from, before the frame.
    ///
    /// A sink that does not count events need not have this method.
    fn counts(&mut self, _counts: FrameCounts) {}

    /// Whether no further frame is needed. [`make_frames`](crate::convert::make_frames) then reads no
    /// further; a [`Binner`] passes on the frames that are complete, whatever this says.
    fn is_done(&self) -> bool {
        false
    }
}

impl<F: FnMut(&Frame) -> Result<()>> FrameSink for F {
    fn frame(&mut self, frame: &Frame) -> Result<()> {
        self(frame)
    }
}

/// Makes frames of shape `[C, H, W]` from the events of one recording, batch by batch.
///
/// The frames are the same however the events are cut into batches. Memory is bounded by the
/// frames that are open, whatever the length of the recording.
///
/// Events may be out of order. A window of time therefore stays open until an event arrives that is
/// at least `slack` later than the end of the window. An event that is older than every open window
/// is added to the oldest open one and counted as late, and so is an event before the first window.
/// With [`FrameOptions::sort`] the events are sorted first, and none is late.
///
/// ```
/// use liaf_data::frames::{Binner, Frame, FrameOptions, Cells};
/// use liaf_data::{Event, EventBatch, SensorSize};
/// let batch: EventBatch = (0..30).map(|i| Event { t: 1_000 * i, x: 1, y: 2, p: 1 }).collect();
/// let mut sums = Vec::new();
/// let mut sink = |frame: &Frame| {
///     if let Cells::Dense(cells) = &frame.cells {
///         sums.push(cells.sum());
///     }
///     Ok(())
/// };
/// let mut binner = Binner::new(&FrameOptions::default(), SensorSize::new(4, 4), None)?;
/// binner.push(&batch, &mut sink)?;
/// let report = binner.finish(&mut sink)?;
/// assert_eq!(sums, [10.0, 10.0, 10.0]);
/// assert_eq!((report.kept, report.frames), (30, 3));
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug)]
pub struct Binner {
    selector: Selector,
    windows: Windows,
    open: OpenFrames,
    shape: FrameShape,
    /// The span that the first pass found, and the span of this pass so far.
    expected: Option<TimeSpan>,
    found: TimeSpan,
}

#[derive(Debug)]
enum Windows {
    Time(TimeWindows),
    Count(CountWindows),
    EventTriggered(EventTriggeredWindows),
}

impl Binner {
    /// Makes a binner for a recording of this sensor. `span` is the result of a first pass with the
    /// same options; it is needed if [`FrameOptions::needs_span`] says so, and ignored otherwise.
    ///
    /// # Errors
    /// As [`FrameOptions::check`]; [`ErrorKind::Caller`](crate::ErrorKind::Caller) if a span is
    /// needed and missing.
    pub fn new(options: &FrameOptions, sensor: SensorSize, span: Option<TimeSpan>) -> Result<Self> {
        let (canvas, layout) = options.plan(sensor)?;
        let shape = canvas.shape;
        if options.needs_span() && span.is_none() {
            let what = if options.sort { "sorting by time needs" } else { "these windows need" };
            return Err(Error::caller(format!("{what} a first pass over the events"))
                .expected("a span of the recording")
                .found("none"));
        }
        let sorting = span.map_or(Sorting::Keep, |span| options.sorting(&span));
        let expected = span.filter(|_| options.windows_need_span());
        let expected = expected.map(|span| if options.sort { span.in_order() } else { span });
        let windows = match (options.windows, options.edge) {
            (WindowRule::Time { us, .. }, Edge::SpikingJelly) => {
                Windows::EventTriggered(EventTriggeredWindows::new(us))
            }
            (WindowRule::Time { .. } | WindowRule::Bins { .. }, _) => {
                Windows::Time(TimeWindows::new(options, options.max_open(canvas, layout), expected))
            }
            (WindowRule::Count { .. } | WindowRule::EventBins { .. }, _) => {
                Windows::Count(CountWindows::new(options, expected))
            }
        };
        let most = options.most_frames(shape);
        Ok(Self {
            selector: Selector::new(options, sensor, canvas, layout, sorting)?,
            windows,
            open: OpenFrames::new(options, canvas, layout, most),
            shape,
            expected,
            found: TimeSpan::default(),
        })
    }

    /// The shape of every frame.
    pub fn shape(&self) -> FrameShape {
        self.shape
    }

    /// Where the events have gone so far. Open frames are counted as if they were going to be
    /// written.
    pub fn report(&self) -> &FrameReport {
        &self.open.report
    }

    /// Adds the next events, in file order, and passes the frames that become complete to `sink`.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the recording needs more frames than
    /// allowed, which also happens if the time of a single event is wrong: the error names the
    /// times before and after the gap. The same if too many events would be held back, to be sorted or
    /// because the representation needs all events of a window;
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if one comes later than the first pass found.
    /// Errors of the sink. After an error the binner can no
    /// longer be used.
    pub fn push(&mut self, batch: &EventBatch, sink: &mut dyn FrameSink) -> Result<()> {
        self.add(Some(Batch::Shared(batch)), sink)
    }

    /// Adds the next events, or with `None` those that were held back to be sorted.
    fn add(&mut self, batch: Option<Batch<'_>>, sink: &mut dyn FrameSink) -> Result<()> {
        let Self { selector, windows, open, expected, found, .. } = self;
        let placed = |stretch: Stretch, events: Placed<'_>| {
            if expected.is_some() {
                found.extend(events.t);
            }
            match windows {
                Windows::Time(windows) => {
                    windows.limit_to(stretch.from, stretch.to);
                    windows.push(events, open, sink)
                }
                Windows::Count(windows) => windows.push(events, open, sink),
                Windows::EventTriggered(windows) => windows.push(events, open, sink),
            }
        };
        let left: Left = match batch {
            Some(batch) => selector.each(batch, placed)?,
            None => selector.finish(placed)?,
        };
        left.add_to(&mut open.report);
        open.check_held()
    }

    /// Passes the remaining frames to `sink`. Without events there are no frames.
    ///
    /// # Errors
    /// As [`push`](Self::push); [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the events
    /// differ from those of the first pass.
    pub fn finish(mut self, sink: &mut dyn FrameSink) -> Result<FrameReport> {
        self.add(None, sink)?;
        if let Some(expected) = self.expected
            && expected != self.found
        {
            return Err(Error::caller("the events differ from those of the first pass")
                .expected(expected)
                .found(self.found));
        }
        match &mut self.windows {
            Windows::Time(windows) => windows.finish(&mut self.open, sink)?,
            Windows::Count(windows) => windows.finish(&mut self.open, sink)?,
            Windows::EventTriggered(windows) => windows.finish(&mut self.open, sink)?,
        }
        Ok(self.open.report)
    }

    /// An [`EventSink`] that adds the events of a reader to this binner and passes the frames to
    /// `frames`.
    pub fn to<'a>(&'a mut self, frames: &'a mut dyn FrameSink) -> BinnerSink<'a> {
        BinnerSink { binner: self, frames }
    }
}

/// An [`EventSink`] that feeds a [`Binner`], made by [`Binner::to`].
pub struct BinnerSink<'a> {
    binner: &'a mut Binner,
    frames: &'a mut dyn FrameSink,
}

impl EventSink for BinnerSink<'_> {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.binner.add(Some(Batch::Owned(events)), self.frames)
    }
}
