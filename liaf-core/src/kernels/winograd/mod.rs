//! Convolutions with windows of 3×3 and stride 1 by Winograd's minimal filtering, F(2×2, 3×3).
//!
//! A tile of 2×2 outputs depends on 4×4 inputs. With the matrices A, B and G of Lavin and Gray, "Fast
//! Algorithms for Convolutional Neural Networks" (2016), it is `Aᵀ [(G w Gᵀ) ⊙ (Bᵀ d B)] A`, which takes
//! 16 products instead of 36. Summed over channels, each of the 16 elements is a product of matrices:
//!
//! - forward: `outputs[tile, o] = Σ_c inputs[tile, c] · weights[c, o]`
//! - with respect to the input: the same, with weights that are flipped and transposed
//! - with respect to the weights: `weights[c, o] = Σ_tile inputs[tile, c] · outputs[tile, o]`, where
//!   `outputs` is `A g Aᵀ`
//!
//! Tiles are processed in blocks. In a block, neighbouring numbers are neighbouring channels, so that
//! every instruction works on as many channels as a vector has lanes, whatever the shape of the planes.
//! How tiles are divided into blocks depends on the shape alone.

mod memory;
mod multiply;
mod passes;
mod tiling;
mod transform;
mod weights;

use pulp::Arch;

use super::pack::{LANES, Store};
use memory::Plan;
use passes::{Correlate, Weights};
use weights::Taps;

use super::conv::{Begin, Conv, ConvForward, ConvInputs, ConvWeights};

/// Number of elements of a transformed tile.
const ELEMENTS: usize = 16;

/// Whether the convolution can be computed in this way.
pub(super) fn fits(conv: &Conv) -> bool {
    let window = &conv.window;
    let [time, top, left] = window.padding;
    let simple = window.stride == [1, 1] && window.dilation == [1; 3] && conv.groups == 1;
    simple && window.kernel == [1, 3, 3] && time == 0 && top.max(left) <= 2
}

/// The most numbers that these kernels take from their work memory for `steps` steps.
pub(super) fn room(conv: &Conv, steps: usize) -> usize {
    let plans = [Plan::forward(conv, steps), Plan::back(conv, steps)];
    plans.map(|plan| plan.sizes(LANES).total().saturating_mul(LANES)).into_iter().max().unwrap_or(0)
}

pub(super) fn forward(arch: Arch, call: ConvForward<'_, f32>) {
    let ConvForward { conv, x, weight, width, begin, y, scratch } = call;
    let plan = Plan::forward(conv, y.len() / conv.output_len());
    let taps = Taps { data: weight, output: width, input: 9, flip: false };
    let store = match begin {
        Begin::Zero => Store::Write,
        Begin::Bias(bias) => Store::Bias(bias),
    };
    arch.dispatch(Correlate { plan, taps, x, y, store, scratch });
}

pub(super) fn inputs(arch: Arch, call: ConvInputs<'_, f32>) {
    let ConvInputs { conv, g, weight, width, dx, write, scratch } = call;
    let plan = Plan::back(conv, g.len() / conv.output_len());
    let taps = Taps { data: weight, output: 9, input: width, flip: true };
    let store = if write { Store::Write } else { Store::Add };
    arch.dispatch(Correlate { plan, taps, x: g, y: dx, store, scratch });
}

pub(super) fn weights(arch: Arch, call: ConvWeights<'_, f32>) {
    let ConvWeights { conv, x, g, d_weight, width, scratch } = call;
    let plan = Plan::forward(conv, g.len() / conv.output_len());
    arch.dispatch(Weights { plan, x, g, d_weight, width, scratch });
}
