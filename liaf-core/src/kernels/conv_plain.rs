//! Convolutions according to their definition, with which the fast ones are compared.

use crate::real::Real;

use super::conv::{Begin, Conv, ConvForward, ConvInputs, ConvWeights};

/// Calls `each` with the indices of every product of output number `output`, in the order of the
/// weights: the index of the weight in its row, and that of the input.
fn products(conv: &Conv, steps: usize, output: usize, mut each: impl FnMut(usize, usize)) {
    let (window, positions) = (&conv.window, conv.window.positions());
    let [height, width] = window.input;
    let [kt, kh, kw] = window.kernel;
    let (t, o) = (output / conv.output_len(), output / positions % conv.outputs);
    let (y, x) = (output % positions / window.output[1], output % window.output[1]);
    let channels = conv.inputs / conv.groups;
    let first = o / (conv.outputs / conv.groups) * channels;
    let find = |position: usize, axis: usize, k: usize, end: usize| {
        position.checked_add_signed(window.offset(axis, k)).filter(|&at| at < end)
    };
    for c in 0..channels {
        for i in 0..kt {
            let Some(ti) = find(t, 0, i, steps) else { continue };
            for j in 0..kh {
                let Some(yj) = find(y * window.stride[0], 1, j, height) else { continue };
                for k in 0..kw {
                    let Some(xk) = find(x * window.stride[1], 2, k, width) else { continue };
                    let input = ((ti * conv.inputs + first + c) * height + yj) * width + xk;
                    each(((c * kt + i) * kh + j) * kw + k, input);
                }
            }
        }
    }
}

/// Channel of an output.
fn channel(conv: &Conv, output: usize) -> usize {
    output / conv.window.positions() % conv.outputs
}

pub(super) fn forward<R: Real>(call: ConvForward<'_, R>) {
    let steps = call.x.len() / call.conv.input_len();
    for (output, y) in call.y.iter_mut().enumerate() {
        let o = channel(call.conv, output);
        let mut sum = R::ZERO;
        products(call.conv, steps, output, |weight, input| {
            sum += call.weight[o * call.width + weight] * call.x[input];
        });
        *y = match call.begin {
            Begin::Zero => sum,
            Begin::Bias(bias) => bias[o] + sum,
        };
    }
}

pub(super) fn weights<R: Real>(call: ConvWeights<'_, R>) {
    let steps = call.x.len() / call.conv.input_len();
    for (output, &g) in call.g.iter().enumerate() {
        let row = channel(call.conv, output) * call.width;
        products(call.conv, steps, output, |weight, input| {
            call.d_weight[row + weight] += g * call.x[input];
        });
    }
}

pub(super) fn inputs<R: Real>(call: ConvInputs<'_, R>) {
    let steps = call.dx.len() / call.conv.input_len();
    if call.write {
        call.dx.fill(R::ZERO);
    }
    for (output, &g) in call.g.iter().enumerate() {
        let row = channel(call.conv, output) * call.width;
        products(call.conv, steps, output, |weight, input| {
            call.dx[input] += g * call.weight[row + weight];
        });
    }
}
