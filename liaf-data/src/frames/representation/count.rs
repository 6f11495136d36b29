//! Counts: the number of events of each cell.

use super::cell::{Cell, Lost, clear, dense, each_type};
use super::{Accumulator, Closed, Layout, Placed, Representation};
use crate::frames::{CellValues, Dtype, Frame, Window};

/// The number of events of each cell. Cells never overflow: they stop at the largest value of their
/// type (for f32 at 2²⁴, up to which every integer is exact), and those that did are reported.
pub static COUNT: Representation = Representation {
    name: "count",
    about: "the number of its events",
    usual_dtype: Dtype::U16,
    parameters: &[],
    layout: |options| Ok(Layout::of_polarity(options.polarity)),
    start: |options, shape| {
        Box::new(Counts { frame: Frame::zeros(shape, options.dtype), lost: Lost::default() })
    },
};

#[derive(Debug)]
struct Counts {
    frame: Frame,
    lost: Lost,
}

impl Accumulator for Counts {
    fn add(&mut self, events: Placed<'_>) {
        let Self { frame, lost } = self;
        if let Some(values) = dense(frame) {
            each_type!(values, cells => count(cells, events.index, lost));
        }
    }

    fn close(&mut self, window: Window) -> Closed<'_> {
        self.frame.window = window;
        Closed { frame: &self.frame, saturated_cells: self.lost.cells }
    }

    fn clear(&mut self, touched: Option<&[u32]>) {
        self.lost.clear();
        clear(&mut self.frame, touched.map(|touched| touched.iter().copied()));
    }
}

fn count<C: Cell>(cells: &mut [C], indices: &[u32], lost: &mut Lost) {
    let n = cells.len();
    for &index in indices {
        match cells.get_mut(index as usize) {
            Some(cell) if *cell != C::MAX => *cell = cell.up(),
            _ => lost.mark(index, n),
        }
    }
}
