//! The events that frames are made of: the chain of the selection, and then the index of each event
//! in the frame.

use super::place::PlaceFinder;
use super::{Canvas, FrameOptions, FrameReport, Layout, Placed};
use crate::error::Result;
use crate::filter::{Filtered, OrderedChain, Removed, Sorting};
use crate::model::{EventBatch, SensorSize, TimeSpan};

/// The interval of time that the caller chose, in µs on the recording's clock: `from <= t < to`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub from: Option<i64>,
    pub to: Option<i64>,
}

/// A batch of events, borrowed in one of two ways.
pub(super) enum Batch<'a> {
    /// The events must not be changed.
    Shared(&'a EventBatch),
    /// The events may be changed, as the caller does not need them any more.
    Owned(&'a mut EventBatch),
}

/// The events of a batch that were not kept.
#[derive(Debug, Default)]
pub(super) struct Left {
    out_of_window: u64,
    out_of_crop: u64,
    /// Number of events that filters removed from all batches so far, by filter.
    filtered: Vec<Filtered>,
    /// Number of the events of all batches so far that were moved.
    moved: u64,
}

impl Left {
    /// Adds these numbers to the account of all batches.
    pub fn add_to(self, report: &mut FrameReport) {
        report.out_of_window += self.out_of_window;
        report.out_of_crop += self.out_of_crop;
        if !self.filtered.is_empty() {
            report.filtered = self.filtered;
        }
        report.moved = self.moved;
    }
}

/// Keeps the chosen events, and finds their indices in the frame.
#[derive(Debug)]
pub(super) struct Selector {
    chain: OrderedChain,
    places: PlaceFinder,
    /// A copy of the events of a batch that may not be changed.
    copy: EventBatch,
}

impl Selector {
    /// Makes a selector for `canvas` and `layout`, which must be those of these options.
    pub fn new(
        options: &FrameOptions,
        sensor: SensorSize,
        canvas: Canvas,
        layout: Layout,
        sorting: Sorting,
    ) -> Result<Self> {
        let chain = OrderedChain::new(&options.selection, sensor, sorting)?;
        let places = PlaceFinder::new(chain.chain().sensor(), canvas, layout);
        Ok(Self { chain, places, copy: EventBatch::new() })
    }

    /// The chosen events so far, before the filters, if they are surveyed.
    pub fn surveyed(&self) -> Option<TimeSpan> {
        self.chain.surveyed()
    }

    /// Passes the kept events of `batch` to `placed`, in pieces. Where events are sorted, these are the
    /// events that no later one can precede.
    pub fn each(
        &mut self,
        batch: Batch<'_>,
        placed: impl FnMut(Stretch, Placed<'_>) -> Result<()>,
    ) -> Result<Left> {
        match batch {
            Batch::Owned(events) => self.pass(events, OrderedChain::apply, placed),
            Batch::Shared(events) if self.chain.is_empty() => self.place(events, placed),
            Batch::Shared(events) => {
                let mut copy = std::mem::take(&mut self.copy);
                copy.clear();
                copy.extend_from(&events[..]);
                let left = self.pass(&mut copy, OrderedChain::apply, placed);
                self.copy = copy;
                left
            }
        }
    }

    /// Passes the events to `placed` that were held back to be sorted, or by a filter.
    pub fn finish(
        &mut self,
        placed: impl FnMut(Stretch, Placed<'_>) -> Result<()>,
    ) -> Result<Left> {
        self.pass(&mut EventBatch::new(), OrderedChain::finish, placed)
    }

    /// Passes `events` to `placed` as the chain leaves them.
    fn pass(
        &mut self,
        events: &mut EventBatch,
        through: impl FnOnce(&mut OrderedChain, &mut EventBatch) -> Result<()>,
        placed: impl FnMut(Stretch, Placed<'_>) -> Result<()>,
    ) -> Result<Left> {
        let Removed { out_of_window, out_of_crop, .. } = *self.chain.removed();
        through(&mut self.chain, events)?;
        let mut left = self.place(events, placed)?;
        let removed = self.chain.removed();
        left.out_of_window += removed.out_of_window - out_of_window;
        left.out_of_crop += removed.out_of_crop - out_of_crop;
        if !removed.filtered.is_empty() {
            left.filtered.clone_from(&removed.filtered);
        }
        left.moved = self.chain.moved();
        Ok(left)
    }

    fn place(
        &mut self,
        batch: &EventBatch,
        mut placed: impl FnMut(Stretch, Placed<'_>) -> Result<()>,
    ) -> Result<Left> {
        let (from, last) = self.chain.chain().chosen_times();
        let stretch = Stretch { from, to: last.map(|last| last.saturating_add(1)) };
        let outside = self.places.each(batch, |events| placed(stretch, events))?;
        Ok(Left { out_of_crop: outside, ..Left::default() })
    }
}
