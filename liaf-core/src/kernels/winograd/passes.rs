//! The passes of a convolution, block by block.

use std::ops::Range;

use pulp::bytemuck::cast_slice;
use pulp::{Simd, WithSimd};

use super::ELEMENTS;
use super::memory::{Parts, Plan, Sizes};
use super::multiply;
use super::transform::{both, gradient, input, output};
use super::weights::{self, Taps};
use crate::kernels::pack::{Store, pack, unpack};
use crate::memory::Scratch;

/// A convolution from `x` to `y`.
#[derive(Debug)]
pub(super) struct Correlate<'a> {
    pub plan: Plan,
    pub taps: Taps<'a>,
    pub x: &'a [f32],
    pub y: &'a mut [f32],
    pub store: Store<'a>,
    pub scratch: &'a mut Scratch<f32>,
}

impl WithSimd for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { plan, taps, x, y, store, scratch } = self;
        let (sizes, lanes) = (plan.sizes(S::F32_LANES), S::F32_LANES);
        let mut memory = scratch.take(sizes.total() * lanes);
        let parts = Parts::<S>::split(&sizes, &mut memory);
        weights::transform(simd, &plan, &sizes, taps, parts.weights);
        for block in plan.tiling.blocks() {
            let tiles = block.len() * plan.tiling.tiles[1];
            inputs(simd, &plan, &sizes, &block, x, parts.packed, parts.inputs);
            for e in 0..ELEMENTS {
                let a = &parts.inputs[e * sizes.inputs..][..tiles * sizes.c_width];
                let b = &parts.weights[e * sizes.weights..][..plan.inputs * sizes.o];
                let c = &mut parts.outputs[e * sizes.outputs..][..tiles * sizes.o_width];
                let a = (cast_slice(a), sizes.c_width * lanes);
                multiply::rows(simd, [plan.inputs, sizes.o], a, b, (c, sizes.o_width));
            }
            outputs(simd, &plan, &sizes, &block, (parts.outputs, parts.packed), store, y);
        }
        scratch.put(memory);
    }
}

/// The gradient of a convolution with respect to its weights, which is added to `d_weight`.
#[derive(Debug)]
pub(super) struct Weights<'a> {
    pub plan: Plan,
    pub x: &'a [f32],
    pub g: &'a [f32],
    pub d_weight: &'a mut [f32],
    /// Distance between the rows of `d_weight`.
    pub width: usize,
    pub scratch: &'a mut Scratch<f32>,
}

impl WithSimd for Weights<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { plan, x, g, d_weight, width, scratch } = self;
        let (sizes, lanes) = (plan.sizes(S::F32_LANES), S::F32_LANES);
        let mut memory = scratch.take(sizes.total() * lanes);
        let parts = Parts::<S>::split(&sizes, &mut memory);
        parts.weights.fill(simd.splat_f32s(0.0));
        for block in plan.tiling.blocks() {
            let tiles = block.len() * plan.tiling.tiles[1];
            inputs(simd, &plan, &sizes, &block, x, parts.packed, parts.inputs);
            gradients(simd, &plan, &sizes, &block, g, parts.packed, parts.outputs);
            for e in 0..ELEMENTS {
                let a = &parts.inputs[e * sizes.inputs..][..tiles * sizes.c_width];
                let b = &parts.outputs[e * sizes.outputs..][..tiles * sizes.o_width];
                let c = &mut parts.weights[e * sizes.weights..][..plan.inputs * sizes.o];
                let a = (cast_slice(a), sizes.c_width * lanes);
                multiply::columns(simd, [plan.inputs, sizes.o], a, (b, sizes.o_width), c);
            }
        }
        weights::add_gradient(simd, &plan, &sizes, parts.weights, (d_weight, width));
        scratch.put(memory);
    }
}

/// Transforms the inputs of a block.
#[inline(always)]
fn inputs<S: Simd>(
    simd: S,
    plan: &Plan,
    sizes: &Sizes,
    block: &Range<usize>,
    x: &[f32],
    packed: &mut [S::f32s],
    to: &mut [S::f32s],
) {
    let columns = plan.tiling.tiles[1];
    for run in plan.tiling.runs(block.clone()) {
        let x = &x[run.step * plan.input_len()..];
        for v in 0..sizes.c {
            let region = plan.under(&run, v, S::F32_LANES);
            pack(simd, &region, x, (packed, 1));
            let width = region.size[1];
            for row in 0..run.rows.len() {
                let rows = &packed[2 * row * width..][..4 * width];
                for column in 0..columns {
                    let d = both(simd, patch(simd, rows, width, 2 * column), input);
                    let tile = run.first + row * columns + column;
                    spread(d, to, sizes.inputs, tile * sizes.c_width + v);
                }
            }
        }
    }
}

/// Transforms the gradients with respect to the outputs of a block.
#[inline(always)]
fn gradients<S: Simd>(
    simd: S,
    plan: &Plan,
    sizes: &Sizes,
    block: &Range<usize>,
    g: &[f32],
    packed: &mut [S::f32s],
    to: &mut [S::f32s],
) {
    let columns = plan.tiling.tiles[1];
    for run in plan.tiling.runs(block.clone()) {
        let g = &g[run.step * plan.output_len()..];
        for v in 0..sizes.o {
            let region = plan.over(&run, v, S::F32_LANES);
            pack(simd, &region, g, (packed, 1));
            let width = region.size[1];
            for row in 0..run.rows.len() {
                let rows = &packed[2 * row * width..][..2 * width];
                for column in 0..columns {
                    let g = both(simd, patch(simd, rows, width, 2 * column), gradient);
                    let tile = run.first + row * columns + column;
                    spread(g, to, sizes.outputs, tile * sizes.o_width + v);
                }
            }
        }
    }
}

/// Transforms the products of a block to outputs.
#[inline(always)]
fn outputs<S: Simd>(
    simd: S,
    plan: &Plan,
    sizes: &Sizes,
    block: &Range<usize>,
    (products, packed): (&[S::f32s], &mut [S::f32s]),
    store: Store<'_>,
    y: &mut [f32],
) {
    let columns = plan.tiling.tiles[1];
    for run in plan.tiling.runs(block.clone()) {
        let y = &mut y[run.step * plan.output_len()..];
        for v in 0..sizes.o {
            let region = plan.over(&run, v, S::F32_LANES);
            let width = region.size[1];
            for row in 0..run.rows.len() {
                let rows = &mut packed[2 * row * width..][..2 * width];
                let (upper, lower) = rows.split_at_mut(width);
                for column in 0..columns {
                    let tile = run.first + row * columns + column;
                    let m = collect(simd, products, sizes.outputs, tile * sizes.o_width + v);
                    let [above, below] = both(simd, m, output);
                    upper[2 * column..][..2].copy_from_slice(&above);
                    lower[2 * column..][..2].copy_from_slice(&below);
                }
            }
            unpack(simd, &region, (packed, 1), store, y);
        }
    }
}

/// N×N pixels of packed rows, from column `column`.
#[inline(always)]
fn patch<S: Simd, const N: usize>(
    simd: S,
    rows: &[S::f32s],
    width: usize,
    column: usize,
) -> [[S::f32s; N]; N] {
    let mut pixels = [[simd.splat_f32s(0.0); N]; N];
    for (i, pixels) in pixels.iter_mut().enumerate() {
        pixels.copy_from_slice(&rows[i * width + column..][..N]);
    }
    pixels
}

/// Writes the elements of a transformed tile, with a distance of `apart`.
#[inline(always)]
fn spread<V: Copy>(tile: [[V; 4]; 4], to: &mut [V], apart: usize, at: usize) {
    for e in 0..ELEMENTS {
        to[e * apart + at] = tile[e / 4][e % 4];
    }
}

/// Reads what [`spread`] writes.
#[inline(always)]
fn collect<S: Simd>(simd: S, from: &[S::f32s], apart: usize, at: usize) -> [[S::f32s; 4]; 4] {
    let mut tile = [[simd.splat_f32s(0.0); 4]; 4];
    for e in 0..ELEMENTS {
        tile[e / 4][e % 4] = from[e * apart + at];
    }
    tile
}
