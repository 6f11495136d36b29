//! Convolutions of `f32`, each by the kernel that takes the least time for its shape.
//!
//! The choice was made by measuring (see `docs/benchmarks.md`). It depends on the shape, the processor and,
//! for frames, the number of zeros, and never on a time, so that a network gives the same bits every time.

use pulp::Arch;

use super::conv::{Conv, ConvForward, ConvInputs, ConvWeights};
use super::{conv_fast, conv_few, winograd};

/// A way to compute a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As products of matrices.
    Columns,
    /// From every input that is not zero to the outputs that depend on it, in steps in which most are.
    Few,
    /// By Winograd's method.
    Winograd,
}

/// The fewest channels, of the input and of the output, for which Winograd's method pays: with fewer, the
/// transforms take longer than the products that they save.
const CHANNELS: usize = 8;

/// The way that takes the least time. Processors without vectors have only columns.
fn way(arch: Arch, conv: &Conv) -> Way {
    if matches!(arch, Arch::Scalar) {
        return Way::Columns;
    }
    if conv_few::fits(conv) {
        Way::Few
    } else if winograd::fits(conv) && conv.inputs.min(conv.outputs) >= CHANNELS {
        Way::Winograd
    } else {
        Way::Columns
    }
}

/// The most numbers that these kernels take from their work memory for `steps` steps. It is the same on
/// every processor.
pub(super) fn room(conv: &Conv, steps: usize) -> usize {
    let columns = conv_fast::room::<f32>(conv, steps);
    let few = if conv_few::fits(conv) { conv_few::room(conv) } else { 0 };
    let winograd = if winograd::fits(conv) { winograd::room(conv, steps) } else { 0 };
    columns.max(few).max(winograd)
}

pub(super) fn forward(call: ConvForward<'_, f32>) {
    let arch = Arch::new();
    match way(arch, call.conv) {
        Way::Columns => conv_fast::forward(call),
        Way::Winograd => winograd::forward(arch, call),
        // Step by step, so that a step gives the same bits whatever steps are computed with it.
        Way::Few => {
            let ConvForward { conv, x, weight, width, begin, y, scratch } = call;
            let steps = x.chunks_exact(conv.input_len()).zip(y.chunks_exact_mut(conv.output_len()));
            for (x, y) in steps {
                let call = ConvForward { conv, x, weight, width, begin, y, scratch };
                match conv_few::is_sparse(x) {
                    true => conv_few::forward(arch, call),
                    false => conv_fast::forward(call),
                }
            }
        }
    }
}

pub(super) fn weights(call: ConvWeights<'_, f32>) {
    let arch = Arch::new();
    match way(arch, call.conv) {
        Way::Columns => conv_fast::weights(call),
        Way::Winograd => winograd::weights(arch, call),
        Way::Few => {
            let ConvWeights { conv, x, g, d_weight, width, scratch } = call;
            let steps = x.chunks_exact(conv.input_len()).zip(g.chunks_exact(conv.output_len()));
            for (x, g) in steps {
                let call = ConvWeights { conv, x, g, d_weight, width, scratch };
                match conv_few::is_sparse(x) {
                    true => conv_few::weights(arch, call),
                    false => conv_fast::weights(call),
                }
            }
        }
    }
}

pub(super) fn inputs(call: ConvInputs<'_, f32>) {
    let arch = Arch::new();
    match way(arch, call.conv) {
        Way::Columns | Way::Few => conv_fast::inputs(call),
        Way::Winograd => winograd::inputs(arch, call),
    }
}
