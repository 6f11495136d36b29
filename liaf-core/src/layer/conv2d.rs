//! Convolution of every time step.

use serde::{Deserialize, Serialize};

use super::window::Slide;
use crate::error::{Error, Result};
use crate::init::{Fan, WeightInit};
use crate::kernels::{Begin, Conv, ConvForward, ConvInputs, ConvWeights, Kernels, Window};
use crate::layer::contract::{Description, Layer, TensorSpec, only};
use crate::layer::window::Pair;
use crate::layer::work::{Synapses, Work};
use crate::memory::{Room, Saved, Scratch};
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;
use crate::shape::Shape;
use crate::shape::size;

/// Convolution at every time step, `[.., C, H, W]` to `[.., channels, H', W']`:
/// `Y[o, y, x] = b[o] + sum W[o, c, j, k] X[c, y·stride + j·dilation - padding, …]`,
/// `H' = (H + 2·padding - dilation·(kernel - 1) - 1) / stride + 1`, rounded down.
///
/// The parameters are those of `torch.nn.Conv2d`: `weight` `[channels, C/groups, kh, kw]`, `bias`
/// `[channels]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2d {
    /// Number of channels of the output.
    pub channels: usize,
    /// Height and width of the window.
    pub kernel: Pair,
    /// Number of rows and columns from one position of the window to the next. Default 1.
    #[serde(default = "Pair::one")]
    pub stride: Pair,
    /// Number of rows and columns of zeros around the input. Default 0.
    #[serde(default = "Pair::zero")]
    pub padding: Pair,
    /// Distance between neighbouring elements of the window. Default 1.
    #[serde(default = "Pair::one")]
    pub dilation: Pair,
    /// Number of groups of channels that are independent of each other. Default 1.
    #[serde(default = "one")]
    pub groups: usize,
    /// Whether a bias is added. Default true.
    #[serde(default = "crate::layer::contract::yes")]
    pub bias: bool,
    /// How the first values of weight and bias are chosen.
    #[serde(default)]
    pub init: WeightInit,
}

pub(super) fn one() -> usize {
    1
}

impl Conv2d {
    /// A convolution with `channels` outputs and this window; stride 1, no padding, with a bias.
    pub fn new(channels: usize, kernel: impl Into<Pair>) -> Self {
        Self {
            channels,
            kernel: kernel.into(),
            stride: Pair::one(),
            padding: Pair::zero(),
            dilation: Pair::one(),
            groups: 1,
            bias: true,
            init: WeightInit::default(),
        }
    }

    /// Sets the stride.
    #[must_use]
    pub fn stride(self, stride: impl Into<Pair>) -> Self {
        Self { stride: stride.into(), ..self }
    }

    /// Sets the padding.
    #[must_use]
    pub fn padding(self, padding: impl Into<Pair>) -> Self {
        Self { padding: padding.into(), ..self }
    }
}

/// Returns an error if the channels cannot be divided into groups.
fn channels(inputs: usize, outputs: usize, groups: usize) -> Result<()> {
    if outputs == 0 || groups == 0 {
        return Err(Error::config("a convolution needs at least one channel and one group")
            .expected("1 or more")
            .found(format!("{outputs} channels in {groups} groups")));
    }
    if inputs == 0 || !inputs.is_multiple_of(groups) || !outputs.is_multiple_of(groups) {
        return Err(Error::config("the channels cannot be divided into equal groups")
            .expected(format!("channels that are multiples of {groups}"))
            .found(format!("{inputs} channels to {outputs}")));
    }
    Ok(())
}

impl Layer for Conv2d {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        let input = only(inputs)?;
        let (kernel, stride) = (self.kernel, self.stride);
        let slide = Slide { kernel, stride, padding: self.padding, dilation: self.dilation };
        let (channels, window) = slide.over(input)?;
        let conv = conv(channels, self.channels, self.groups, window)?;
        let [_, kh, kw] = window.kernel;
        let shape = [self.channels, channels / self.groups, kh, kw];
        let op = ConvOp { conv, bias: self.bias };
        Ok(Description::sample(output(&conv, input), op)
            .params(tensors(&conv, &shape, self.bias, &self.init))
            .work(work(&conv)))
    }
}

/// A convolution from `inputs` to `outputs` channels, provided that they can be divided into groups and
/// that neither its output nor its weights are too large.
pub(super) fn conv(inputs: usize, outputs: usize, groups: usize, window: Window) -> Result<Conv> {
    channels(inputs, outputs, groups)?;
    let [height, width] = window.output;
    size("an output", &[outputs, height, width])?;
    let [depth, kh, kw] = window.kernel;
    size("a tensor of weights", &[outputs, inputs, depth, kh, kw])?;
    Ok(Conv { inputs, outputs, groups, window })
}

/// The shape of the output of a convolution.
pub(super) fn output(conv: &Conv, input: &Shape) -> Shape {
    let [height, width] = conv.window.output;
    input.with_item([conv.outputs, height, width])
}

/// The operations of one step of a convolution. Every output depends on the inputs of its group only.
pub(super) fn work(conv: &Conv) -> Work {
    let (inputs, taps) = (conv.inputs / conv.groups, conv.window.len());
    Work::synapses(Synapses::conv(inputs, conv.outputs, taps, conv.window.positions()))
}

/// The tensors of the weight and bias of a convolution.
pub(super) fn tensors(
    conv: &Conv,
    shape: &[usize],
    bias: bool,
    init: &WeightInit,
) -> impl Iterator<Item = TensorSpec> + use<> {
    let outputs = conv.outputs / conv.groups * conv.window.len();
    let fan = Fan { inputs: conv.taps(), outputs };
    let weight = TensorSpec::new("weight", shape, init.weight(fan)).decaying();
    let bias = bias.then(|| TensorSpec::new("bias", [conv.outputs], init.bias(fan)));
    [weight].into_iter().chain(bias)
}

/// The operation of a convolution, on all steps of a sample.
#[derive(Debug)]
pub(super) struct ConvOp {
    pub conv: Conv,
    pub bias: bool,
}

/// The multiply-accumulates of a block of steps that other threads may run, at least.
const BLOCK: usize = 2 << 20;

/// The number of blocks of steps in which a sample is convolved, at most.
const BLOCKS: usize = 8;

/// The number of positions in a block, at least, unless that leaves a single block.
const POSITIONS: usize = 1024;

/// The number of blocks of steps whose gradients of the weights are summed separately, at most.
const SUMS: usize = 4;

impl ConvOp {
    /// Number of multiply-accumulates of a step.
    fn macs(&self) -> usize {
        let conv = &self.conv;
        conv.outputs.saturating_mul(conv.taps()).saturating_mul(conv.window.positions())
    }

    /// Number of steps in a block: a function of the shapes alone, so that results do not depend on the
    /// number of threads. A window over time needs all steps.
    fn block(&self, steps: usize) -> usize {
        if self.conv.window.kernel[0] > 1 {
            return steps.max(1);
        }
        // Every block transforms the weights anew, which takes as long as some positions do.
        let enough = POSITIONS.div_ceil(self.conv.window.positions().max(1)).min(steps.div_ceil(2));
        steps.div_ceil(BLOCKS).max(BLOCK.div_ceil(self.macs().max(1))).max(enough).max(1)
    }

    /// Number of steps in a block whose gradients of the weights are summed separately: all of them
    /// if there are so few positions that the separate sums would take long.
    fn sum_block(&self, steps: usize) -> usize {
        let enough = steps.saturating_mul(self.conv.window.positions()) >= 1024 * SUMS;
        if steps >= 2 * SUMS && enough {
            steps.div_ceil(SUMS).max(self.block(steps))
        } else {
            steps
        }
    }

    /// Two convolutions to half of the output channels each, for a single step that is worth two
    /// threads.
    fn halves(&self, steps: usize) -> Option<Conv> {
        let Conv { outputs, groups, .. } = self.conv;
        let worth = steps == 1 && groups == 1 && outputs % 2 == 0 && self.macs() >= 2 * BLOCK;
        worth.then_some(Conv { outputs: outputs / 2, ..self.conv })
    }
}

impl<R: Real> SampleOp<R> for ConvOp {
    fn room(&self, steps: usize, keep: bool) -> Room {
        let own = (Kernels::<R>::fast().conv_room)(&self.conv, steps);
        let weights = self.conv.outputs.saturating_mul(self.conv.taps());
        let sums = if keep { weights.saturating_mul(SUMS) } else { 0 };
        Room { saved: 0, scratch: own.saturating_add(sums) }
    }

    fn forward(&self, flow: Flow<'_, R>, _: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let (x, weight, width) = (flow.input(), cx.params[0], self.conv.taps());
        let bias = cx.params.get(1).copied().filter(|_| self.bias);
        let (kernel, halves) = (cx.kernels.conv, self.halves(flow.steps));
        if let Some(conv) = &halves {
            let (channels, len) = (conv.outputs, conv.output_len());
            let halves = flow.output.chunks_mut(len);
            return cx.scratch.each(halves, |i, y, scratch| {
                let of = i * channels..(i + 1) * channels;
                let begin = bias.map_or(Begin::Zero, |bias| Begin::Bias(&bias[of.clone()]));
                let weight = &weight[of.start * width..of.end * width];
                kernel(ConvForward { conv, x, weight, width, begin, y, scratch });
            });
        }
        let (conv, block) = (&self.conv, self.block(flow.steps));
        let begin = bias.map_or(Begin::Zero, Begin::Bias);
        if conv.window.kernel[0] > 1 {
            let (y, scratch) = (flow.output, &mut *cx.scratch);
            return kernel(ConvForward { conv, x, weight, width, begin, y, scratch });
        }
        let outs = flow.output.chunks_mut(block * conv.output_len());
        cx.scratch.each(x.chunks(block * conv.input_len()).zip(outs), |_, (x, y), scratch| {
            kernel(ConvForward { conv, x, weight, width, begin, y, scratch });
        });
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let (conv, x, g, width) = (&self.conv, back.inputs[0], back.d_output, self.conv.taps());
        let kernel = cx.kernels.conv_weights;
        let block = self.sum_block(back.steps);
        if conv.window.kernel[0] > 1 || block >= back.steps {
            let (d_weight, scratch) = (&mut back.d_params[0][..], &mut *cx.scratch);
            kernel(ConvWeights { conv, x, g, d_weight, width, scratch });
        } else {
            let len = back.d_params[0].len();
            let mut sums = cx.scratch.zeros(len * back.steps.div_ceil(block));
            let blocks =
                x.chunks(block * conv.input_len()).zip(g.chunks(block * conv.output_len()));
            let parts = blocks.zip(sums.chunks_mut(len));
            cx.scratch.each(parts, |_, ((x, g), d_weight), scratch| {
                kernel(ConvWeights { conv, x, g, d_weight, width, scratch });
            });
            for sum in sums.chunks(len) {
                back.d_params[0].iter_mut().zip(sum).for_each(|(d, &sum)| *d += sum);
            }
            cx.scratch.put(sums);
        }
        if self.bias {
            sum_channels(conv, g, &mut back.d_params[1]);
        }
        let Some(dx) = &mut back.d_inputs[0] else { return };
        let (kernel, weight, write) = (cx.kernels.conv_inputs, cx.params[0], back.write);
        let run = |g: &[R], dx: &mut [R], scratch: &mut Scratch<R>| {
            kernel(ConvInputs { conv, g, weight, width, dx, write, scratch });
        };
        if conv.window.kernel[0] > 1 {
            return run(g, dx, cx.scratch);
        }
        let block = self.block(back.steps);
        let blocks = g.chunks(block * conv.output_len());
        let parts = blocks.zip(dx.chunks_mut(block * conv.input_len()));
        cx.scratch.each(parts, |_, (g, dx), scratch| run(g, dx, scratch));
    }

    fn writes(&self) -> bool {
        true
    }

    fn runs_in_stretches(&self, steps: usize) -> bool {
        let positions = steps.saturating_mul(self.conv.window.positions());
        self.conv.window.kernel[0] == 1 && positions >= POSITIONS
    }
}

/// Adds every channel of the gradient with respect to the output to the gradient of its bias.
pub(super) fn sum_channels<R: Real>(conv: &Conv, g: &[R], d_bias: &mut [R]) {
    for step in g.chunks_exact(conv.output_len()) {
        for (sum, plane) in d_bias.iter_mut().zip(step.chunks_exact(conv.window.positions())) {
            *sum += crate::kernels::sum(plane);
        }
    }
}
