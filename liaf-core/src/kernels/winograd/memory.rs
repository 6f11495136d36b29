//! The sizes of a convolution, and how its work memory is divided.

use pulp::Simd;

use super::ELEMENTS;
use super::tiling::{Run, Tiling};
use crate::kernels::conv::Conv;
use crate::kernels::pack::Region;

/// What a convolution is between: the planes of `inputs` channels and the tiles of `outputs` channels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub inputs: usize,
    pub outputs: usize,
    /// Height and width of the planes of the input.
    input: [usize; 2],
    padding: [usize; 2],
    pub tiling: Tiling,
}

impl Plan {
    pub(super) fn forward(conv: &Conv, steps: usize) -> Self {
        let (window, [_, top, left]) = (&conv.window, conv.window.padding);
        Self {
            inputs: conv.inputs,
            outputs: conv.outputs,
            input: window.input,
            padding: [top, left],
            tiling: Tiling::new(window.output, steps),
        }
    }

    /// From the gradient with respect to the output to that with respect to the input.
    pub(super) fn back(conv: &Conv, steps: usize) -> Self {
        let (window, [_, top, left]) = (&conv.window, conv.window.padding);
        Self {
            inputs: conv.outputs,
            outputs: conv.inputs,
            input: window.output,
            padding: [2 - top, 2 - left],
            tiling: Tiling::new(window.input, steps),
        }
    }

    /// Number of values in one step of the input.
    pub(super) fn input_len(&self) -> usize {
        self.inputs * self.input[0] * self.input[1]
    }

    /// Number of values in one step of the output.
    pub(super) fn output_len(&self) -> usize {
        self.outputs * self.tiling.output[0] * self.tiling.output[1]
    }

    /// The inputs on which the tiles of a run depend, of the channels in a vector.
    pub(super) fn under(&self, run: &Run, vector: usize, lanes: usize) -> Region {
        let start = [2 * run.rows.start, 0];
        Region {
            plane: self.input,
            channels: channels(self.inputs, vector, lanes),
            start: [0, 1].map(|axis| start[axis] as isize - self.padding[axis] as isize),
            size: [2 * run.rows.len() + 2, 2 * self.tiling.tiles[1] + 2],
        }
    }

    /// The outputs in the tiles of a run, of the channels in a vector.
    pub(super) fn over(&self, run: &Run, vector: usize, lanes: usize) -> Region {
        Region {
            plane: self.tiling.output,
            channels: channels(self.outputs, vector, lanes),
            start: [2 * run.rows.start as isize, 0],
            size: [2 * run.rows.len(), 2 * self.tiling.tiles[1]],
        }
    }

    /// The sizes of the work memory for vectors of `lanes` numbers.
    pub(super) fn sizes(&self, lanes: usize) -> Sizes {
        let (c, o) = (self.inputs.div_ceil(lanes), self.outputs.div_ceil(lanes));
        let (tiles, rows) = (self.tiling.most_tiles(), self.tiling.most_rows());
        // Distances that are multiples of large powers of two would make neighbouring rows, and the
        // elements of a tile, compete for the same lines of the cache.
        let (c_width, o_width) = (c | 1, o | 1);
        let apart = |len: usize| len.saturating_add(1);
        Sizes {
            c,
            o,
            c_width,
            o_width,
            inputs: apart(tiles.saturating_mul(c_width)),
            outputs: apart(tiles.saturating_mul(o_width)),
            weights: apart(self.inputs.saturating_mul(o)),
            packed: (2 * rows + 2).saturating_mul(2 * self.tiling.tiles[1] + 2),
        }
    }
}

/// The channels of a vector, of `count` channels in total.
fn channels(count: usize, vector: usize, lanes: usize) -> std::ops::Range<usize> {
    vector * lanes..((vector + 1) * lanes).min(count)
}

/// Numbers of vectors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Vectors that hold the channels of the input.
    pub c: usize,
    /// Vectors that hold the channels of the output.
    pub o: usize,
    /// Distance between tiles of the input.
    pub c_width: usize,
    /// Distance between tiles of the output.
    pub o_width: usize,
    /// One element of all tiles of the input of a block.
    pub inputs: usize,
    /// One element of all tiles of the output of a block.
    pub outputs: usize,
    /// One element of all weights.
    pub weights: usize,
    /// The pixels of a run.
    packed: usize,
}

impl Sizes {
    /// All work memory.
    pub(super) fn total(&self) -> usize {
        let elements = self.inputs.saturating_add(self.outputs).saturating_add(self.weights);
        elements.saturating_mul(ELEMENTS).saturating_add(self.packed)
    }
}

/// The parts of the work memory. In the first three, element `e` begins at `e` times its size.
#[derive(Debug)]
pub(super) struct Parts<'a, S: Simd> {
    pub inputs: &'a mut [S::f32s],
    pub outputs: &'a mut [S::f32s],
    pub weights: &'a mut [S::f32s],
    pub packed: &'a mut [S::f32s],
}

impl<'a, S: Simd> Parts<'a, S> {
    /// Divides `memory`, which has as many numbers as `sizes` require.
    pub(super) fn split(sizes: &Sizes, memory: &'a mut [f32]) -> Self {
        let memory = S::as_mut_simd_f32s(memory).0;
        let (inputs, memory) = memory.split_at_mut(sizes.inputs * ELEMENTS);
        let (outputs, memory) = memory.split_at_mut(sizes.outputs * ELEMENTS);
        let (weights, packed) = memory.split_at_mut(sizes.weights * ELEMENTS);
        Self { inputs, outputs, weights, packed }
    }
}
