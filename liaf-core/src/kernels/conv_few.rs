//! Convolutions of few channels, such as the two polarities of a frame: from every number of the input to
//! the outputs that depend on it.
//!
//! Zeros are left out, so that this takes less time than products of matrices where most numbers are
//! zeros, as they are in frames of events. The output is computed row by row, in vectors
//! of output channels.

use pulp::{Arch, Simd, WithSimd};

use super::conv::{Begin, Conv, ConvForward, ConvWeights, Window};
use super::pack::{LANES, Region, Store, pack, unpack};

/// The most channels of the input: beyond them are no frames of events.
const MOST: usize = 4;

/// The largest part of the input that is not zero, as a divisor, for which this takes less time than
/// products of matrices.
const SPARSE: usize = 16;

/// Number of neighbouring inputs that are left out together if all are zeros.
const CHUNK: usize = 8;

/// Whether so many inputs of a step are zeros that this way takes the least time.
pub(super) fn is_sparse(x: &[f32]) -> bool {
    x.iter().filter(|&&x| x != 0.0).count() <= x.len() / SPARSE
}

/// Whether the convolution can be computed in this way, which pays for few channels.
pub(super) fn fits(conv: &Conv) -> bool {
    let Window { kernel, padding, .. } = conv.window;
    conv.inputs <= MOST && conv.groups == 1 && kernel[0] == 1 && padding[0] == 0
}

/// The most numbers that these kernels take from their work memory.
pub(super) fn room(conv: &Conv) -> usize {
    let outputs = conv.outputs.div_ceil(LANES) * LANES;
    (conv.window.output[1] + conv.taps()).saturating_mul(outputs)
}

/// An input that is not zero and an output in row `row` that depends on it, of one step.
struct Pair {
    /// The input.
    x: f32,
    /// Index of the weight between them.
    tap: usize,
    /// Column of the output.
    column: usize,
}

/// Calls `each` with every pair of row `row` of the output.
#[inline(always)]
fn pairs(conv: &Conv, x: &[f32], row: usize, mut each: impl FnMut(Pair)) {
    let window = &conv.window;
    let ([height, width], [_, kh, kw]) = (window.input, window.kernel);
    let stride = window.stride[1];
    for i in 0..kh {
        let y = (row * window.stride[0]).checked_add_signed(window.offset(1, i));
        let Some(y) = y.filter(|&y| y < height) else { continue };
        for c in 0..conv.inputs {
            let inputs = &x[(c * height + y) * width..][..width];
            let mut first = 0;
            while first < width {
                if let Some(chunk) = inputs[first..].first_chunk::<CHUNK>()
                    && chunk.map(|x| x == 0.0) == [true; CHUNK]
                {
                    first += CHUNK;
                    continue;
                }
                let end = (first + CHUNK).min(width);
                for (at, &x) in inputs[..end].iter().enumerate().skip(first) {
                    if x == 0.0 {
                        continue;
                    }
                    for k in 0..kw {
                        let at = at.wrapping_add_signed(-window.offset(2, k));
                        let (column, rest) =
                            if stride == 1 { (at, 0) } else { (at / stride, at % stride) };
                        // An input before the first output wraps to a column beyond the last one.
                        if rest == 0 && column < window.output[1] {
                            each(Pair { x, tap: (c * kh + i) * kw + k, column });
                        }
                    }
                }
                first = end;
            }
        }
    }
}

/// Row `row` of the output, of the channels of the vector `v`.
fn region(conv: &Conv, row: usize, v: usize, lanes: usize) -> Region {
    let [_, width] = conv.window.output;
    Region {
        plane: conv.window.output,
        channels: v * lanes..((v + 1) * lanes).min(conv.outputs),
        start: [row as isize, 0],
        size: [1, width],
    }
}

pub(super) fn forward(arch: Arch, call: ConvForward<'_, f32>) {
    arch.dispatch(Forward(call));
}

struct Forward<'a>(ConvForward<'a, f32>);

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let ConvForward { conv, x, weight, width: apart, begin, y, scratch } = self.0;
        let (lanes, taps, [height, width]) = (S::F32_LANES, conv.taps(), conv.window.output);
        let vectors = conv.outputs.div_ceil(lanes);
        let mut memory = scratch.take((width + taps) * vectors * lanes);
        let (weights, sums) = memory.split_at_mut(taps * vectors * lanes);
        weights.fill(0.0);
        for (o, row) in weight.chunks(apart).take(conv.outputs).enumerate() {
            for (tap, &w) in row[..taps].iter().enumerate() {
                weights[tap * vectors * lanes + o] = w;
            }
        }
        let (weights, sums) = (S::as_simd_f32s(weights).0, S::as_mut_simd_f32s(sums).0);
        let store = match begin {
            Begin::Zero => Store::Write,
            Begin::Bias(bias) => Store::Bias(bias),
        };
        for (x, y) in x.chunks_exact(conv.input_len()).zip(y.chunks_exact_mut(conv.output_len())) {
            for row in 0..height {
                sums.fill(simd.splat_f32s(0.0));
                pairs(
                    conv,
                    x,
                    row,
                    #[inline(always)]
                    |Pair { x, tap, column }| {
                        let x = simd.splat_f32s(x);
                        let weights = &weights[tap * vectors..][..vectors];
                        let sums = &mut sums[column * vectors..][..vectors];
                        for (sum, &w) in sums.iter_mut().zip(weights) {
                            *sum = simd.mul_add_e_f32s(x, w, *sum);
                        }
                    },
                );
                for v in 0..vectors {
                    let region = region(conv, row, v, lanes);
                    unpack(simd, &region, (&sums[v..], vectors), store, y);
                }
            }
        }
        scratch.put(memory);
    }
}

pub(super) fn weights(arch: Arch, call: ConvWeights<'_, f32>) {
    arch.dispatch(Weights(call));
}

struct Weights<'a>(ConvWeights<'a, f32>);

impl WithSimd for Weights<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let ConvWeights { conv, x, g, d_weight, width: apart, scratch } = self.0;
        let (lanes, taps, [height, width]) = (S::F32_LANES, conv.taps(), conv.window.output);
        let vectors = conv.outputs.div_ceil(lanes);
        let mut memory = scratch.take((width + taps) * vectors * lanes);
        let (sums, packed) = memory.split_at_mut(taps * vectors * lanes);
        sums.fill(0.0);
        let packed = S::as_mut_simd_f32s(packed).0;
        for (x, g) in x.chunks_exact(conv.input_len()).zip(g.chunks_exact(conv.output_len())) {
            for row in 0..height {
                let sums = S::as_mut_simd_f32s(sums).0;
                let mut is_packed = false;
                pairs(
                    conv,
                    x,
                    row,
                    #[inline(always)]
                    |Pair { x, tap, column }| {
                        if !is_packed {
                            for v in 0..vectors {
                                let region = region(conv, row, v, lanes);
                                pack(simd, &region, g, (&mut packed[v..], vectors));
                            }
                            is_packed = true;
                        }
                        let x = simd.splat_f32s(x);
                        let sums = &mut sums[tap * vectors..][..vectors];
                        let packed = &packed[column * vectors..][..vectors];
                        for (sum, &g) in sums.iter_mut().zip(packed) {
                            *sum = simd.mul_add_e_f32s(x, g, *sum);
                        }
                    },
                );
            }
        }
        for (o, row) in d_weight.chunks_mut(apart).take(conv.outputs).enumerate() {
            for (tap, d) in row[..taps].iter_mut().enumerate() {
                *d += sums[tap * vectors * lanes + o];
            }
        }
        scratch.put(memory);
    }
}
