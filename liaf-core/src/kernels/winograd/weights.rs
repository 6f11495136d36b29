//! Weights in the order of the products of matrices, and back.

use std::ops::Range;

use pulp::Simd;
use pulp::bytemuck::cast_slice_mut;

use super::ELEMENTS;
use super::memory::{Plan, Sizes};
use super::multiply::PANEL;
use super::transform::{both, d_weight, weight};
use crate::kernels::pack::{LANES, Region, pack};

/// Number of input channels whose weights are gathered at a time.
const CHANNELS: usize = 16;

/// Where the nine weights between an input channel and an output channel are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taps<'a> {
    pub data: &'a [f32],
    /// Distance between output channels.
    pub output: usize,
    /// Distance between input channels; without `flip` it is 9.
    pub input: usize,
    /// Whether the window is turned by half a turn.
    pub flip: bool,
}

/// The index of the weights from input channel `c` to the vector `v` of output channels, within an
/// element.
fn index(plan: &Plan, sizes: &Sizes, c: usize, v: usize) -> usize {
    let first = v / PANEL * PANEL;
    first * plan.inputs + c * PANEL.min(sizes.o - first) + v - first
}

/// Writes the transformed weights.
#[inline(always)]
pub(super) fn transform<S: Simd>(
    simd: S,
    plan: &Plan,
    sizes: &Sizes,
    taps: Taps<'_>,
    weights: &mut [S::f32s],
) {
    let lanes = S::F32_LANES;
    let mut numbers = [0.0; 9 * CHANNELS * LANES];
    for v in 0..sizes.o {
        let outputs = v * lanes..((v + 1) * lanes).min(plan.outputs);
        for first in (0..plan.inputs).step_by(CHANNELS) {
            let inputs = first..(first + CHANNELS).min(plan.inputs);
            let windows = &mut S::as_mut_simd_f32s(&mut numbers).0[..9 * inputs.len()];
            gather(simd, &taps, outputs.clone(), inputs.clone(), windows);
            for (c, w) in inputs.zip(windows.as_chunks::<9>().0) {
                let rows = [[w[0], w[1], w[2]], [w[3], w[4], w[5]], [w[6], w[7], w[8]]];
                let u = both(simd, rows, weight);
                let at = index(plan, sizes, c, v);
                for e in 0..ELEMENTS {
                    weights[e * sizes.weights + at] = u[e / 4][e % 4];
                }
            }
        }
    }
}

/// The windows between some input channels and as many output channels as a vector has lanes: nine vectors
/// for each input channel.
#[inline(always)]
fn gather<S: Simd>(
    simd: S,
    taps: &Taps<'_>,
    outputs: Range<usize>,
    inputs: Range<usize>,
    windows: &mut [S::f32s],
) {
    if !taps.flip {
        // The windows of an output channel are one row.
        let region = Region {
            plane: [1, taps.output],
            channels: outputs,
            start: [0, 9 * inputs.start as isize],
            size: [1, windows.len()],
        };
        return pack(simd, &region, taps.data, (windows, 1));
    }
    let numbers = cast_slice_mut::<_, f32>(windows);
    numbers.fill(0.0);
    for (c, numbers) in inputs.zip(numbers.chunks_exact_mut(9 * S::F32_LANES)) {
        for (lane, o) in outputs.clone().enumerate() {
            let window = &taps.data[o * taps.output + c * taps.input..][..9];
            for k in 0..9 {
                numbers[k * S::F32_LANES + lane] = window[8 - k];
            }
        }
    }
}

/// Adds the gradient with respect to the transformed weights to that with respect to the weights, which
/// has rows of `width` numbers.
#[inline(always)]
pub(super) fn add_gradient<S: Simd>(
    simd: S,
    plan: &Plan,
    sizes: &Sizes,
    weights: &[S::f32s],
    (d_weight_rows, width): (&mut [f32], usize),
) {
    let lanes = S::F32_LANES;
    let mut numbers = [0.0; 9 * LANES];
    for v in 0..sizes.o {
        let outputs = v * lanes..((v + 1) * lanes).min(plan.outputs);
        for c in 0..plan.inputs {
            let at = index(plan, sizes, c, v);
            let mut u = [[simd.splat_f32s(0.0); 4]; 4];
            for e in 0..ELEMENTS {
                u[e / 4][e % 4] = weights[e * sizes.weights + at];
            }
            let d = both(simd, u, d_weight);
            let vectors = S::as_mut_simd_f32s(&mut numbers).0;
            for k in 0..9 {
                vectors[k] = d[k / 3][k % 3];
            }
            for (lane, o) in outputs.clone().enumerate() {
                let window = &mut d_weight_rows[o * width + c * 9..][..9];
                for k in 0..9 {
                    window[k] += numbers[k * lanes + lane];
                }
            }
        }
    }
}
