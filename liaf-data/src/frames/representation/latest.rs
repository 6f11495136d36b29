//! The time of the latest event of each cell, over all windows so far.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Accumulator, Canvas, Closed, Layout, Placed};
use crate::frames::{CellValues, Cells, Dtype, Frame, Window};

/// Memory of [`Latest`] besides its cells, in bytes a cell.
const CELL_BYTES: usize = size_of::<f64>();

/// The layout of frames made by [`Latest`].
pub(super) fn layout(layout: Layout) -> Layout {
    Layout { needs_times: true, state_bytes: layout.channels * CELL_BYTES, ..layout }
}

/// What a cell is that had its latest event `age` µs before the end of the window; the age is infinite
/// if there was none. The second argument is a constant of the representation.
type Value = fn(age: f64, constant: f64) -> f32;

/// Turns the ages of the latest events into cells.
#[derive(Debug)]
pub(super) struct Latest {
    canvas: Canvas,
    value: Value,
    constant: f64,
    /// Times in µs, of all windows that are closed and of this window. Times below 2⁵³ are exact.
    all: Arc<Mutex<Vec<f64>>>,
    own: Vec<f64>,
    frame: Frame,
}

impl Latest {
    pub fn new(canvas: Canvas, value: Value, constant: f64) -> Self {
        let all = Arc::new(Mutex::new(vec![f64::NEG_INFINITY; canvas.shape.cells()]));
        Self::with(canvas, value, constant, all)
    }

    fn with(canvas: Canvas, value: Value, constant: f64, all: Arc<Mutex<Vec<f64>>>) -> Self {
        let own = vec![f64::NEG_INFINITY; canvas.shape.cells()];
        let frame = Frame::zeros(canvas.shape, Dtype::F32);
        Self { canvas, value, constant, all, own, frame }
    }
}

impl Accumulator for Latest {
    fn add(&mut self, events: Placed<'_>) {
        for (&t, &index) in events.t.iter().zip(events.index) {
            if let Some(latest) = self.own.get_mut(index as usize) {
                *latest = latest.max(t as f64);
            }
        }
    }

    fn close(&mut self, window: Window) -> Closed<'_> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, constant, end) = (self.value, self.constant, window.end as f64);
        self.frame.window = window;
        if let Cells::Dense(CellValues::F32(cells)) = &mut self.frame.cells {
            for ((cell, latest), &own) in cells.iter_mut().zip(all.iter_mut()).zip(&self.own) {
                *latest = latest.max(own);
                *cell = value(end - *latest, constant);
            }
        }
        Closed::new(&self.frame)
    }

    fn clear(&mut self, touched: Option<&[u32]>) {
        match touched {
            Some(touched) => {
                touched.iter().for_each(|&index| self.own[index as usize] = f64::NEG_INFINITY);
            }
            None => self.own.fill(f64::NEG_INFINITY),
        }
    }

    fn another(&self) -> Option<Box<dyn Accumulator>> {
        let all = Arc::clone(&self.all);
        Some(Box::new(Self::with(self.canvas, self.value, self.constant, all)))
    }
}
