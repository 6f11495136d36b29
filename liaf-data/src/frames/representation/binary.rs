//! Binary frames: whether a cell had an event.

use super::cell::{Cell, clear, dense, each_type};
use super::{Accumulator, Closed, Layout, Placed, Representation};
use crate::frames::{CellValues, Dtype, Frame, Window};

/// 1 where a cell had an event, 0 elsewhere.
pub static BINARY: Representation = Representation {
    name: "binary",
    about: "1 where there was an event, 0 elsewhere",
    usual_dtype: Dtype::U16,
    parameters: &[],
    layout: |options| Ok(Layout::of_polarity(options.polarity)),
    start: |options, shape| Box::new(Binary { frame: Frame::zeros(shape, options.dtype) }),
};

#[derive(Debug)]
struct Binary {
    frame: Frame,
}

impl Accumulator for Binary {
    fn add(&mut self, events: Placed<'_>) {
        if let Some(values) = dense(&mut self.frame) {
            each_type!(values, cells => set(cells, events.index));
        }
    }

    fn close(&mut self, window: Window) -> Closed<'_> {
        self.frame.window = window;
        Closed::new(&self.frame)
    }

    fn clear(&mut self, touched: Option<&[u32]>) {
        clear(&mut self.frame, touched.map(|touched| touched.iter().copied()));
    }
}

fn set<C: Cell>(cells: &mut [C], indices: &[u32]) {
    for &index in indices {
        if let Some(cell) = cells.get_mut(index as usize) {
            *cell = C::ONE;
        }
    }
}
