//! The frames that are open: events are added to them, they are closed in order, and their memory
//! is reused.

use std::collections::VecDeque;

use super::add::{Add, Lost, clear};
use super::{CellValues, Cells, Dtype, Frame, FrameReport, FrameShape, FrameSink, Window};
use crate::error::{Error, Result};

/// A frame is stored as the list of the cells of its events as long as it has at most one event for
/// this many bytes of its cells. Many open frames then fit into the cache.
const BYTES_PER_EVENT: usize = 32;

/// Consecutive frames that are open. Frames are numbered from 0 over the recording.
#[derive(Debug)]
pub(super) struct OpenFrames {
    cells: usize,
    dtype: Dtype,
    add: Add,
    /// Number of the oldest open frame.
    first: u64,
    slots: VecDeque<Slot>,
    /// A frame of zeros, in which frames with few events are assembled when they are closed.
    zeros: Buffer,
    free: Vec<Buffer>,
    free_lists: Vec<Vec<u32>>,
    max_frames: u64,
    max_frames_is: String,
    pub report: FrameReport,
}

/// An open frame: a list of cell indices, or all cells.
#[derive(Debug, Default)]
pub(super) struct Slot {
    few: Vec<u32>,
    many: Option<Buffer>,
    /// Number of its events that were in no frame before.
    kept: u64,
    /// Number of all its events.
    binned: u64,
    /// Number of the events counted in `kept` that came late.
    late: u64,
    /// Smallest and largest time of its events, if they define the window.
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

    fn add(&mut self, add: Add, indices: &[u32]) {
        if let Cells::Dense(cells) = &mut self.frame.cells {
            add.apply(cells, indices, &mut self.lost);
        }
    }
}

impl OpenFrames {
    /// No open frames yet. At most `max_frames` may be closed.
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

    /// Adds events to frame `k`, at the cells with these indices. `kept` of the events are in no
    /// other frame yet, and `late` of those came late.
    pub fn add(&mut self, k: u64, indices: &[u32], kept: u64, late: u64) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(usize::try_from(k.checked_sub(self.first)?).ok()?)?;
        let most = self.cells * self.dtype.bytes() / BYTES_PER_EVENT;
        if let Some(buffer) = &mut slot.many {
            buffer.add(self.add, indices);
        } else if slot.few.len() + indices.len() <= most {
            if slot.few.capacity() == 0 {
                slot.few = self.free_lists.pop().unwrap_or_default();
            }
            slot.few.extend_from_slice(indices);
        } else {
            let mut buffer =
                self.free.pop().unwrap_or_else(|| Buffer::zeros(self.dtype, self.cells));
            buffer.add(self.add, &slot.few);
            buffer.add(self.add, indices);
            slot.many = Some(buffer);
            slot.few.clear();
            self.free_lists.push(std::mem::take(&mut slot.few));
        }
        slot.kept += kept;
        slot.late += late;
        slot.binned += indices.len() as u64;
        self.report.kept += kept;
        self.report.late += late;
        self.report.binned += indices.len() as u64;
        Some(slot)
    }

    /// Smallest and largest time of the events of the oldest open frame.
    pub fn first_times(&self) -> Option<(i64, i64)> {
        self.slots.front().and_then(|slot| slot.times)
    }

    /// Closes the oldest open frame and passes it to `sink`.
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

    /// Discards the newest open frame; the events that are in no other frame are counted as out of
    /// window.
    pub fn drop_last(&mut self) {
        if let Some(slot) = self.slots.pop_back() {
            self.report.kept -= slot.kept;
            self.report.binned -= slot.binned;
            self.report.late -= slot.late;
            self.report.out_of_window += slot.kept;
        }
    }

    /// How many frames may be closed in total.
    pub fn max_frames(&self) -> u64 {
        self.max_frames
    }

    /// The error if there would be more frames than allowed.
    pub fn too_many(&self) -> Error {
        Error::limit("the recording asks for too many frames").expected(&self.max_frames_is)
    }
}

/// The advice if there would be too many frames.
pub(super) const TOO_MANY_ADVICE: &str =
    "choose longer windows, a part of the recording (from, to), or higher limits";
