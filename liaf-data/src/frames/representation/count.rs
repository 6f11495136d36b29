//! Counts: the number of events of each cell.

use super::cell::{Cell, Lost, Numbers};
use super::{Layout, Representation};
use crate::frames::frame::each_type;
use crate::frames::{CellValues, Dtype};

/// The number of events of each cell. Cells never overflow: they stop at the largest value of their
/// type (for f32 at 2²⁴, up to which every integer is exact), and those that did are reported.
pub static COUNT: Representation = Representation {
    name: "count",
    about: "the number of its events",
    usual_dtype: Dtype::U16,
    parameters: &[],
    layout: |options| Ok(Layout::of_polarity(options.polarity)),
    start: |options, canvas| {
        Box::new(Numbers::new(options, canvas.shape, 0, |values, indices, lost| {
            each_type!(values, cells => count(cells, indices, lost));
        }))
    },
};

fn count<C: Cell>(cells: &mut [C], indices: &[u32], lost: &mut Lost) {
    let n = cells.len();
    for &index in indices {
        match cells.get_mut(index as usize) {
            Some(cell) if *cell != C::MAX => *cell = cell.up(),
            _ => lost.mark(index, n),
        }
    }
}
