//! The frames that are open: events are added to them, they are closed in order, and their memory
//! is reused.

use std::collections::VecDeque;

use super::most::MostFrames;
use super::{
    Accumulator, Canvas, CellOptions, FrameCounts, FrameOptions, FrameReport, FrameSink, Layout,
    Placed, Representation, Window,
};
use crate::error::{Error, Result};
use crate::hint::Hint;

/// A frame is stored as the list of its events as long as it has at most one event for this many
/// bytes of its cells. Many open frames then fit into the cache.
const BYTES_PER_EVENT: usize = 32;

/// Size of an event in a list, in bytes, with its time.
const LISTED_BYTES: usize = size_of::<i64>() + size_of::<u32>();

/// Consecutive frames that are open. Frames are numbered from 0 over the recording.
#[derive(Debug)]
pub(super) struct OpenFrames {
    maker: Maker,
    needs_times: bool,
    needs_window: bool,
    /// Number of events from which on a frame is kept in an accumulator instead of a list.
    most_listed: usize,
    /// Number of events in all lists, and the largest number of them if all events of a window are listed.
    listed: usize,
    most_held: usize,
    /// Number of the oldest open frame.
    first: u64,
    slots: VecDeque<Slot>,
    /// An accumulator without events. Frames with few events are put into it when they are closed.
    shared: Box<dyn Accumulator>,
    free: Vec<Box<dyn Accumulator>>,
    free_lists: Vec<List>,
    most: MostFrames,
    pub report: FrameReport,
}

/// Makes accumulators.
#[derive(Debug)]
struct Maker {
    representation: &'static Representation,
    options: CellOptions,
    canvas: Canvas,
}

impl Maker {
    fn make(&self) -> Box<dyn Accumulator> {
        (self.representation.start)(&self.options, self.canvas)
    }
}

/// An open frame: a list of its events, or an accumulator to which they have been added.
#[derive(Debug, Default)]
pub(super) struct Slot {
    few: List,
    many: Option<Box<dyn Accumulator>>,
    /// Number of its events that were in no frame before.
    kept: u64,
    /// Number of all its events.
    binned: u64,
    /// Number of the events counted in `kept` that came late.
    late: u64,
    /// Smallest and largest time of its events, if they define the window.
    pub times: Option<(i64, i64)>,
}

/// Events in memory, with their times only if the representation needs them.
#[derive(Debug, Default)]
struct List {
    t: Vec<i64>,
    index: Vec<u32>,
}

impl List {
    fn extend(&mut self, events: Placed<'_>) {
        self.t.extend_from_slice(events.t);
        self.index.extend_from_slice(events.index);
    }

    fn placed(&self) -> Placed<'_> {
        Placed { t: &self.t, index: &self.index }
    }

    fn clear(&mut self) {
        self.t.clear();
        self.index.clear();
    }
}

impl OpenFrames {
    /// No open frames yet. `canvas` and `layout` must be those of the options; no more than `most` frames
    /// may be closed.
    pub fn new(options: &FrameOptions, canvas: Canvas, layout: Layout, most: MostFrames) -> Self {
        let FrameOptions { representation, dtype, limits, .. } = *options;
        let bytes = canvas.shape.cells() * dtype.bytes();
        let maker = Maker { representation, options: options.cell_options(), canvas };
        Self {
            shared: maker.make(),
            maker,
            needs_times: layout.needs_times,
            needs_window: layout.needs_window,
            most_listed: if layout.needs_window { usize::MAX } else { bytes / BYTES_PER_EVENT },
            listed: 0,
            most_held: limits.reorder_bytes / LISTED_BYTES,
            first: 0,
            slots: VecDeque::new(),
            free: Vec::new(),
            free_lists: Vec::new(),
            most,
            report: FrameReport::default(),
        }
    }

    /// Number of the oldest open frame, or of the next frame if none is open.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Number of the next frame that will be opened.
    pub fn next(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    /// Number of open frames.
    pub fn len(&self) -> u64 {
        self.slots.len() as u64
    }

    /// Opens the next frame.
    pub fn open(&mut self) {
        self.slots.push_back(Slot::default());
    }

    /// Adds events to frame `k`. `kept` of them are in no other frame yet, and `late` of those came
    /// late.
    pub fn add(&mut self, k: u64, events: Placed<'_>, kept: u64, late: u64) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(usize::try_from(k.checked_sub(self.first)?).ok()?)?;
        let n = events.index.len();
        let events = Placed { t: if self.needs_times { events.t } else { &[] }, ..events };
        if let Some(accumulator) = &mut slot.many {
            accumulator.add(events);
        } else if slot.few.index.len() + n <= self.most_listed {
            self.listed += n;
            if slot.few.index.capacity() == 0 {
                slot.few = self.free_lists.pop().unwrap_or_default();
            }
            slot.few.extend(events);
        } else {
            let mut accumulator = self
                .free
                .pop()
                .unwrap_or_else(|| self.shared.another().unwrap_or_else(|| self.maker.make()));
            self.listed -= slot.few.index.len();
            accumulator.add(slot.few.placed());
            accumulator.add(events);
            slot.many = Some(accumulator);
            slot.few.clear();
            self.free_lists.push(std::mem::take(&mut slot.few));
        }
        slot.kept += kept;
        slot.late += late;
        slot.binned += n as u64;
        self.report.kept += kept;
        self.report.late += late;
        self.report.binned += n as u64;
        Some(slot)
    }

    /// Smallest and largest time of the events of the oldest open frame.
    pub fn first_times(&self) -> Option<(i64, i64)> {
        self.slots.front().and_then(|slot| slot.times)
    }

    /// Closes the oldest open frame and passes it to `sink`. `full` says whether its window is.
    pub fn close(&mut self, window: Window, full: bool, sink: &mut dyn FrameSink) -> Result<()> {
        let Some(mut slot) = self.slots.pop_front() else { return Ok(()) };
        self.first += 1;
        if self.report.frames >= self.most.get() {
            return Err(self.too_many(self.report.frames + 1));
        }
        self.report.frames += 1;
        let few = slot.many.is_none();
        let accumulator = slot.many.as_mut().unwrap_or(&mut self.shared);
        if self.needs_window {
            accumulator.begin(window);
        }
        accumulator.add(slot.few.placed());
        self.listed -= slot.few.index.len();
        let closed = accumulator.close(window);
        let saturated_cells = closed.saturated_cells;
        self.report.saturated_cells += saturated_cells;
        sink.counts(FrameCounts { kept: slot.kept, late: slot.late, saturated_cells });
        if full {
            sink.frame(closed.frame)?;
        } else {
            sink.partial_frame(closed.frame)?;
        }
        accumulator.clear(few.then_some(&slot.few.index));
        self.free.extend(slot.many);
        if slot.few.index.capacity() > 0 {
            slot.few.clear();
            self.free_lists.push(slot.few);
        }
        Ok(())
    }

    /// Discards the newest open frame; the events that are in no other frame are counted as out of
    /// window.
    pub fn drop_last(&mut self) {
        if let Some(slot) = self.slots.pop_back() {
            self.listed -= slot.few.index.len();
            self.report.kept -= slot.kept;
            self.report.binned -= slot.binned;
            self.report.late -= slot.late;
            self.report.out_of_window += slot.kept;
        }
    }

    /// Refuses to hold more events back than allowed.
    pub fn check_held(&self) -> Result<()> {
        if !self.needs_window || self.listed <= self.most_held {
            return Ok(());
        }
        let name = self.maker.representation.name;
        let what = format!("the representation {name} needs all events of a window at once");
        Err(Error::limit(what)
            .expected(format!("at most {} events in all open windows", self.most_held))
            .found(format!("{} events", self.listed))
            .hint(Hint::ShorterWindows))
    }

    /// How many frames may be closed in total.
    pub fn max_frames(&self) -> u64 {
        self.most.get()
    }

    /// The error if the recording would give this many frames.
    pub fn too_many(&self, asked: u64) -> Error {
        let hints = [Hint::LongerWindows, Hint::ShorterStretch];
        self.most.error("the recording would give too many frames", asked, &hints)
    }
}
