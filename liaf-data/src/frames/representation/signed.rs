//! Signed sums: ON counted positive and OFF negative.

use super::cell::{Cell, Lost, Numbers};
use super::{Layout, Representation};
use crate::frames::frame::each_type;
use crate::frames::{CellValues, Dtype};

/// The number of ON events of each pixel minus that of its OFF events, in one channel. The cells are
/// i16 or f32; a cell that reaches the limit of its type stays there and is reported.
pub static SIGNED: Representation = Representation {
    name: "signed",
    about: "the number of ON events minus that of OFF events, in one channel",
    usual_dtype: Dtype::I16,
    parameters: &[],
    layout: |options| Layout::signed().with_dtypes("signed", options, &[Dtype::I16, Dtype::F32]),
    start: |options, canvas| {
        Box::new(Numbers::new(options, canvas.shape, 1, |values, indices, lost| {
            each_type!(values, cells => step(cells, indices, lost));
        }))
    },
};

fn step<C: Cell>(cells: &mut [C], indices: &[u32], lost: &mut Lost) {
    let n = cells.len();
    for &index in indices {
        let Some(cell) = cells.get_mut((index >> 1) as usize) else { continue };
        let before = *cell;
        *cell = before.step(index & 1 == 1);
        if *cell == before {
            lost.mark(index >> 1, n);
        }
    }
}
