//! Convolution of every time step.

use serde::{Deserialize, Serialize};

use super::window::Slide;
use crate::error::{Error, Result};
use crate::init::{Fan, WeightInit};
use crate::kernels::{Begin, Conv, ConvForward, ConvInputs, ConvWeights, Kernels, Window};
use crate::layer::contract::{Description, Layer, TensorSpec, only};
use crate::layer::window::Pair;
use crate::layer::work::{Synapses, Work};
use crate::memory::{Room, Saved};
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

impl<R: Real> SampleOp<R> for ConvOp {
    fn room(&self, steps: usize, _: bool) -> Room {
        Room { saved: 0, scratch: (Kernels::<R>::fast().conv_room)(&self.conv, steps) }
    }

    fn forward(&self, flow: Flow<'_, R>, _: &mut Saved<R>, cx: &mut Context<'_, R>) {
        (cx.kernels.conv)(ConvForward {
            conv: &self.conv,
            x: flow.inputs[0],
            weight: cx.params[0],
            width: self.conv.taps(),
            begin: if self.bias { Begin::Bias(cx.params[1]) } else { Begin::Zero },
            y: flow.output,
            scratch: cx.scratch,
        });
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let (conv, g) = (&self.conv, back.d_output);
        (cx.kernels.conv_weights)(ConvWeights {
            conv,
            x: back.inputs[0],
            g,
            d_weight: &mut back.d_params[0],
            width: conv.taps(),
            scratch: cx.scratch,
        });
        if self.bias {
            sum_channels(conv, g, &mut back.d_params[1]);
        }
        if let Some(dx) = &mut back.d_inputs[0] {
            (cx.kernels.conv_inputs)(ConvInputs {
                conv,
                g,
                weight: cx.params[0],
                width: conv.taps(),
                dx,
                scratch: cx.scratch,
            });
        }
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
