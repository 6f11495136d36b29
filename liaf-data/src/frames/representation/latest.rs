//! The latest event of each cell, over all windows so far.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Accumulator, Canvas, Closed, Layout, Placed};
use crate::frames::{CellValues, Cells, Dtype, Frame, Window};

/// Memory of [`Latest`] besides its cells, in bytes a cell.
const CELL_BYTES: usize = size_of::<f64>();

/// The layout of frames made by [`Latest`].
pub(super) fn layout(layout: Layout) -> Layout {
    Layout { needs_times: true, state_bytes: layout.channels * CELL_BYTES, ..layout }
}

/// What is stored of the latest event of a cell, and what the cell is in a frame. Times are in µs; those
/// below 2⁵³ are exact.
pub(super) trait Memory: Debug + Clone + Send + 'static {
    /// What is stored if there was no event, at most what is stored of any.
    const NOTHING: f64;

    /// Goes on to the window that ends at `end`, with what is stored of all cells.
    fn go_to(&mut self, end: f64, stored: &mut [f64]);

    /// What is stored of an event at `t`: the later, the larger.
    fn of_event(&self, t: f64) -> f64;

    /// What the cell is in the frame of the current window.
    fn cell(&self, stored: f64) -> f32;
}

/// Makes frames from the latest event of each cell.
#[derive(Debug)]
pub(super) struct Latest<M> {
    canvas: Canvas,
    /// What lasts longer than a window.
    all: Arc<Mutex<All<M>>>,
    /// The events of this window while they are few, at most one for eight cells.
    t: Vec<i64>,
    index: Vec<u32>,
    /// The time of the latest event of each cell in this window; empty while events are few.
    latest: Vec<f64>,
    frame: Frame,
}

/// What is stored of the cells after all windows that are closed.
#[derive(Debug)]
struct All<M> {
    memory: M,
    stored: Vec<f64>,
}

impl<M: Memory> Latest<M> {
    pub fn new(canvas: Canvas, memory: M) -> Self {
        let stored = vec![M::NOTHING; canvas.shape.cells()];
        Self::with(canvas, Arc::new(Mutex::new(All { memory, stored })))
    }

    fn with(canvas: Canvas, all: Arc<Mutex<All<M>>>) -> Self {
        let frame = Frame::zeros(canvas.shape, Dtype::F32);
        let (t, index, latest) = (Vec::new(), Vec::new(), Vec::new());
        Self { canvas, all, t, index, latest, frame }
    }
}

/// Raises the latest times of cells to those of events.
fn raise(latest: &mut [f64], t: &[i64], index: &[u32]) {
    for (&t, &index) in t.iter().zip(index) {
        if let Some(latest) = latest.get_mut(index as usize) {
            *latest = latest.max(t as f64);
        }
    }
}

impl<M: Memory> Accumulator for Latest<M> {
    fn add(&mut self, events: Placed<'_>) {
        let cells = self.canvas.shape.cells();
        if self.latest.is_empty() && self.t.len() + events.t.len() <= cells / 8 {
            self.t.extend_from_slice(events.t);
            self.index.extend_from_slice(events.index);
            return;
        }
        if self.latest.is_empty() {
            self.latest.resize(cells, f64::NEG_INFINITY);
            raise(&mut self.latest, &self.t, &self.index);
        }
        raise(&mut self.latest, events.t, events.index);
    }

    fn close(&mut self, window: Window) -> Closed<'_> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let All { memory, stored } = &mut *all;
        memory.go_to(window.end as f64, stored);
        if self.latest.is_empty() {
            for (&t, &index) in self.t.iter().zip(&self.index) {
                if let Some(stored) = stored.get_mut(index as usize) {
                    *stored = stored.max(memory.of_event(t as f64));
                }
            }
        }
        for (stored, &latest) in stored.iter_mut().zip(&self.latest) {
            if latest > f64::NEG_INFINITY {
                *stored = stored.max(memory.of_event(latest));
            }
        }
        self.frame.window = window;
        if let Cells::Dense(CellValues::F32(cells)) = &mut self.frame.cells {
            for (cell, &stored) in cells.iter_mut().zip(stored.iter()) {
                *cell = memory.cell(stored);
            }
        }
        Closed::new(&self.frame)
    }

    fn clear(&mut self, _touched: Option<&[u32]>) {
        self.t.clear();
        self.index.clear();
        self.latest.clear();
    }

    fn another(&self) -> Option<Box<dyn Accumulator>> {
        Some(Box::new(Self::with(self.canvas, Arc::clone(&self.all))))
    }
}
