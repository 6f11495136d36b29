//! Conversion of a frame to the little-endian bytes of its dense cells.

use crate::frames::{CellValues, Cells};

/// Fills `out` with all cells of the frame, little-endian. `out` has the length of one frame, and
/// the indices of a sparse frame are within it, which [`Intake`](super::intake::Intake) checks.
pub(crate) fn put(frames: &Cells, out: &mut [u8]) {
    match frames {
        Cells::Dense(cells) => match cells {
            CellValues::U8(cells) => out.copy_from_slice(cells),
            CellValues::U16(cells) => copy(cells, out, u16::to_le_bytes),
            CellValues::I16(cells) => copy(cells, out, i16::to_le_bytes),
            CellValues::F32(cells) => copy(cells, out, f32::to_le_bytes),
        },
        Cells::Sparse { index, cells } => {
            out.fill(0);
            match cells {
                CellValues::U8(cells) => scatter(index, cells, out, u8::to_le_bytes),
                CellValues::U16(cells) => scatter(index, cells, out, u16::to_le_bytes),
                CellValues::I16(cells) => scatter(index, cells, out, i16::to_le_bytes),
                CellValues::F32(cells) => scatter(index, cells, out, f32::to_le_bytes),
            }
        }
    }
}

fn copy<T: Copy, const N: usize>(cells: &[T], out: &mut [u8], bytes: impl Fn(T) -> [u8; N]) {
    for (slot, &cell) in out.as_chunks_mut::<N>().0.iter_mut().zip(cells) {
        *slot = bytes(cell);
    }
}

fn scatter<T: Copy, const N: usize>(
    index: &[u32],
    cells: &[T],
    out: &mut [u8],
    bytes: impl Fn(T) -> [u8; N],
) {
    let slots = out.as_chunks_mut::<N>().0;
    for (&position, &cell) in index.iter().zip(cells) {
        if let Some(slot) = slots.get_mut(position as usize) {
            *slot = bytes(cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparse_and_dense_give_the_same_bytes() {
        let dense = Cells::Dense(CellValues::I16(vec![0, -2, 0, 0x0102]));
        let sparse = Cells::Sparse { index: vec![1, 3], cells: CellValues::I16(vec![-2, 0x0102]) };
        let (mut a, mut b) = ([7; 8], [9; 8]);
        put(&dense, &mut a);
        put(&sparse, &mut b);
        assert_eq!(a, [0, 0, 0xfe, 0xff, 0, 0, 2, 1]);
        assert_eq!(a, b);
    }
}
