//! Binary frames: whether a cell had an event.

use super::cell::{Cell, Numbers};
use super::{Layout, Representation};
use crate::frames::frame::each_type;
use crate::frames::{CellValues, Dtype};

/// 1 where a cell had an event, 0 elsewhere.
pub static BINARY: Representation = Representation {
    name: "binary",
    about: "1 where there was an event, 0 elsewhere",
    usual_dtype: Dtype::U16,
    parameters: &[],
    layout: |options| Ok(Layout::of_polarity(options.polarity)),
    start: |options, canvas| {
        Box::new(Numbers::new(options, canvas.shape, 0, |values, indices, _| {
            each_type!(values, cells => set(cells, indices));
        }))
    },
};

fn set<C: Cell>(cells: &mut [C], indices: &[u32]) {
    for &index in indices {
        if let Some(cell) = cells.get_mut(index as usize) {
            *cell = C::ONE;
        }
    }
}
