//! The frames that are open: they take events, close in order, and lend their memory to the next.

use std::collections::VecDeque;

use super::add::{Add, Lost, clear};
use super::{CellValues, Cells, Dtype, Frame, FrameReport, FrameShape, FrameSink, Window};
use crate::error::{Error, Result};

/// While a frame has at most one event for so many bytes of its cells, it is kept as the list of
/// its events' places: many open frames then stay in cache.
const BYTES_A_PLACE: usize = 32;

/// A row of open frames, numbered from 0 on over the recording.
#[derive(Debug)]
pub(super) struct OpenFrames {
    cells: usize,
    dtype: Dtype,
    add: Add,
    /// Number of the oldest open frame.
    first: u64,
    slots: VecDeque<Slot>,
    /// A frame of zeros, on which frames of few events are laid out as they close.
    zeros: Buffer,
    free: Vec<Buffer>,
    free_lists: Vec<Vec<u32>>,
    max_frames: u64,
    max_frames_is: String,
    pub report: FrameReport,
}

/// One open frame: a list of places, or all its cells.
#[derive(Debug, Default)]
pub(super) struct Slot {
    few: Vec<u32>,
    many: Option<Buffer>,
    /// Events that were in no frame before they came here.
    kept: u64,
    /// All its events.
    binned: u64,
    /// Those of the kept ones that came late.
    late: u64,
    /// Smallest and largest time, where the window comes from its events.
    pub times: Option<(i64, i64)>,
}

#[derive(Debug)]
struct Buffer {
    frame: Frame,
    lost: Lost,
}

impl Buffer {
    fn zeros(dtype: Dtype, cells: usize) -> Self {
        let window = Window { start: 0, end: 0 };
        let frame = Frame { window, cells: Cells::Dense(CellValues::zeros(dtype, cells)) };
        Self { frame, lost: Lost::default() }
    }

    fn add(&mut self, add: Add, places: &[u32]) {
        if let Cells::Dense(cells) = &mut self.frame.cells {
            add.apply(cells, places, &mut self.lost);
        }
    }
}

impl OpenFrames {
    /// No frames; at most `max_frames` may be closed.
    pub fn new(shape: FrameShape, dtype: Dtype, add: Add, max_frames: u64) -> Self {
        let cells = shape.cells();
        let bytes = cells * dtype.bytes();
        Self {
            cells,
            dtype,
            add,
            first: 0,
            slots: VecDeque::new(),
            zeros: Buffer::zeros(dtype, cells),
            free: Vec::new(),
            free_lists: Vec::new(),
            max_frames,
            max_frames_is: format!("at most {max_frames} frames of {bytes} bytes"),
            report: FrameReport::default(),
        }
    }

    /// Number of the oldest open frame, or of the next one to open if none is.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Number of the next frame to open.
    pub fn next(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    /// How many are open.
    pub fn len(&self) -> u64 {
        self.slots.len() as u64
    }

    /// Opens one more frame.
    pub fn open(&mut self) {
        self.slots.push_back(Slot::default());
    }

    /// Adds events to frame `k`; `kept` of them are in no other frame yet, `late` of those came late.
    pub fn add(&mut self, k: u64, places: &[u32], kept: u64, late: u64) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(usize::try_from(k.checked_sub(self.first)?).ok()?)?;
        let most = self.cells * self.dtype.bytes() / BYTES_A_PLACE;
        if let Some(buffer) = &mut slot.many {
            buffer.add(self.add, places);
        } else if slot.few.len() + places.len() <= most {
            if slot.few.capacity() == 0 {
                slot.few = self.free_lists.pop().unwrap_or_default();
            }
            slot.few.extend_from_slice(places);
        } else {
            let mut buffer =
                self.free.pop().unwrap_or_else(|| Buffer::zeros(self.dtype, self.cells));
            buffer.add(self.add, &slot.few);
            buffer.add(self.add, places);
            slot.many = Some(buffer);
            slot.few.clear();
            self.free_lists.push(std::mem::take(&mut slot.few));
        }
        slot.kept += kept;
        slot.late += late;
        slot.binned += places.len() as u64;
        self.report.kept += kept;
        self.report.late += late;
        self.report.binned += places.len() as u64;
        Some(slot)
    }

    /// Smallest and largest time of the oldest open frame.
    pub fn first_times(&self) -> Option<(i64, i64)> {
        self.slots.front().and_then(|slot| slot.times)
    }

    /// Closes the oldest open frame and gives it to `sink`.
    pub fn close(&mut self, window: Window, sink: &mut dyn FrameSink) -> Result<()> {
        let Some(mut slot) = self.slots.pop_front() else { return Ok(()) };
        self.first += 1;
        if self.report.frames >= self.max_frames {
            return Err(self.too_many().advice(TOO_MANY_ADVICE));
        }
        self.report.frames += 1;
        let few = slot.many.is_none();
        let buffer = slot.many.as_mut().unwrap_or(&mut self.zeros);
        buffer.add(self.add, &slot.few);
        buffer.frame.window = window;
        self.report.saturated_cells += buffer.lost.cells;
        sink.frame(&buffer.frame)?;
        buffer.lost.clear();
        if let Cells::Dense(cells) = &mut buffer.frame.cells {
            if few {
                self.add.clear_at(cells, &slot.few);
            } else {
                clear(cells);
            }
        }
        self.free.extend(slot.many);
        if slot.few.capacity() > 0 {
            slot.few.clear();
            self.free_lists.push(slot.few);
        }
        Ok(())
    }

    /// Takes the newest open frame away unwritten; the events it alone had are in no window.
    pub fn drop_last(&mut self) {
        if let Some(slot) = self.slots.pop_back() {
            self.report.kept -= slot.kept;
            self.report.binned -= slot.binned;
            self.report.late -= slot.late;
            self.report.out_of_window += slot.kept;
        }
    }

    /// How many frames may be closed.
    pub fn max_frames(&self) -> u64 {
        self.max_frames
    }

    /// The error for more frames than that.
    pub fn too_many(&self) -> Error {
        Error::limit("the recording asks for too many frames").expected(&self.max_frames_is)
    }
}

/// What to do about too many frames.
pub(super) const TOO_MANY_ADVICE: &str =
    "choose longer windows, a part of the recording (from, to), or higher limits";
