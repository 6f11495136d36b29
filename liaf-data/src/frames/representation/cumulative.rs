//! Cumulative counts: the number of events of each cell since the first window.

use std::sync::{Arc, Mutex, PoisonError};

use super::cell::Cell;
use super::{Accumulator, Canvas, CellOptions, Closed, Layout, Placed, Representation};
use crate::frames::frame::each_type;
use crate::frames::{CellValues, Cells, Dtype, Frame, Window};

/// The sum of the [counts](super::COUNT) of all frames up to this one, Fₖ = Σ countⱼ, j ≤ k. A cell
/// whose sum is above the largest value of its type has that value, and is reported in each frame. If
/// windows overlap, an event counts once for each of its windows.
pub static CUMULATIVE: Representation = Representation {
    name: "cumulative",
    about: "the number of its events in all windows up to this one",
    usual_dtype: Dtype::U16,
    parameters: &[],
    layout: |options| {
        let layout = Layout::of_polarity(options.polarity);
        Ok(Layout { state_bytes: layout.channels * size_of::<u32>(), ..layout })
    },
    start: |options, canvas| {
        let sums = Arc::new(Mutex::new(vec![0; canvas.shape.cells()]));
        Box::new(Sums::new(options, canvas, sums))
    },
};

#[derive(Debug)]
struct Sums {
    options: CellOptions,
    canvas: Canvas,
    /// Those of all windows that are closed.
    sums: Arc<Mutex<Vec<u32>>>,
    /// Those of this window.
    counts: Vec<u32>,
    frame: Frame,
}

impl Sums {
    fn new(options: &CellOptions, canvas: Canvas, sums: Arc<Mutex<Vec<u32>>>) -> Self {
        Self {
            options: options.clone(),
            canvas,
            sums,
            counts: vec![0; canvas.shape.cells()],
            frame: Frame::zeros(canvas.shape, options.dtype),
        }
    }
}

impl Accumulator for Sums {
    fn add(&mut self, events: Placed<'_>) {
        for &index in events.index {
            if let Some(count) = self.counts.get_mut(index as usize) {
                *count = count.saturating_add(1);
            }
        }
    }

    fn close(&mut self, window: Window) -> Closed<'_> {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        for (sum, &count) in sums.iter_mut().zip(&self.counts) {
            *sum = sum.saturating_add(count);
        }
        self.frame.window = window;
        let mut saturated_cells = 0;
        if let Cells::Dense(values) = &mut self.frame.cells {
            saturated_cells = each_type!(values, cells => fill(cells, &sums));
        }
        Closed { frame: &self.frame, saturated_cells }
    }

    fn clear(&mut self, touched: Option<&[u32]>) {
        match touched {
            Some(touched) => touched.iter().for_each(|&index| self.counts[index as usize] = 0),
            None => self.counts.fill(0),
        }
    }

    fn another(&self) -> Option<Box<dyn Accumulator>> {
        Some(Box::new(Self::new(&self.options, self.canvas, Arc::clone(&self.sums))))
    }
}

/// Sets the cells to these sums. Returns how many of them are too large.
fn fill<C: Cell>(cells: &mut [C], sums: &[u32]) -> u64 {
    let mut too_large = 0;
    for (cell, &sum) in cells.iter_mut().zip(sums) {
        *cell = C::of_count(sum);
        too_large += u64::from(*cell == C::MAX && C::of_count(sum.saturating_sub(1)) == C::MAX);
    }
    too_large
}
