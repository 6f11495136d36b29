//! Convolutions of `f32`, each by the kernel that takes the least time for its shape.
//!
//! The choice was made by measuring (see `docs/benchmarks.md`) and depends on the shape and the
//! processor alone, so that a network gives the same bits every time.

use pulp::Arch;

use super::conv::{Conv, ConvForward, ConvInputs, ConvWeights};
use super::{conv_fast, winograd};

/// The least number of channels, of the input and of the output, for which the transforms take less
/// time than the products that they save; and at least as many as a vector has lanes. Without vectors,
/// `None`.
fn least_channels(arch: Arch) -> Option<usize> {
    match arch {
        Arch::Scalar => None,
        #[cfg(target_arch = "x86_64")]
        Arch::V4(_) => Some(16),
        _ => Some(8),
    }
}

fn is_winograd(arch: Arch, conv: &Conv) -> bool {
    let enough = |least| conv.inputs >= least && conv.outputs >= least;
    winograd::fits(conv) && least_channels(arch).is_some_and(enough)
}

/// The most numbers that these kernels take from their work memory for `steps` steps. It is the same on
/// every processor.
pub(super) fn room(conv: &Conv, steps: usize) -> usize {
    let columns = conv_fast::room::<f32>(conv, steps);
    if winograd::fits(conv) { columns.max(winograd::room(conv, steps)) } else { columns }
}

pub(super) fn forward(call: ConvForward<'_, f32>) {
    let arch = Arch::new();
    if is_winograd(arch, call.conv) {
        winograd::forward(arch, call);
    } else {
        conv_fast::forward(call);
    }
}

pub(super) fn weights(call: ConvWeights<'_, f32>) {
    let arch = Arch::new();
    if is_winograd(arch, call.conv) {
        winograd::weights(arch, call);
    } else {
        conv_fast::weights(call);
    }
}

pub(super) fn inputs(call: ConvInputs<'_, f32>) {
    let arch = Arch::new();
    if is_winograd(arch, call.conv) {
        winograd::inputs(arch, call);
    } else {
        conv_fast::inputs(call);
    }
}
