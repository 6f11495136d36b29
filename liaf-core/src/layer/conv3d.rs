//! Convolution over space and time.

use serde::{Deserialize, Serialize};

use super::conv2d::{ConvOp, conv, one, output, tensors, work};
use super::window::Slide;
use crate::error::{Error, Result};
use crate::init::WeightInit;
use crate::layer::contract::{Description, Layer, only};
use crate::layer::window::Pair;
use crate::memory::{Room, Saved};
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;
use crate::shape::Shape;

/// Convolution over time, height and width, `[N, T, C, H, W]` to `[N, T', channels, H', W']`: as
/// [`Conv2d`](super::Conv2d), with a window of `depth` steps and a stride of one step.
///
/// By default the number of steps stays the same ("same" padding: `(depth - 1) / 2` steps of zeros
/// before the first step and after the last one; `depth` must be odd). Otherwise `T' = T +
/// 2·time_padding - depth + 1`. The padding follows the last real step of each sample.
///
/// The parameters are those of `torch.nn.Conv3d`: `weight` `[channels, C/groups, depth, kh, kw]`,
/// `bias` `[channels]`. The layer looks ahead in time, so that it cannot run frame by frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv3d {
    /// Number of channels of the output.
    pub channels: usize,
    /// Number of steps of the window. Default 3.
    #[serde(default = "three")]
    pub depth: usize,
    /// Height and width of the window.
    pub kernel: Pair,
    /// Number of rows and columns from one position of the window to the next. Default 1.
    #[serde(default = "Pair::one")]
    pub stride: Pair,
    /// Number of rows and columns of zeros around the input. Default 0.
    #[serde(default = "Pair::zero")]
    pub padding: Pair,
    /// Number of steps of zeros before the first step and after the last one. Default: as many as keep
    /// the number of steps unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_padding: Option<usize>,
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

fn three() -> usize {
    3
}

impl Conv3d {
    /// A convolution with `channels` outputs and a window of `depth` steps; "same" padding in time,
    /// none in space.
    pub fn new(channels: usize, depth: usize, kernel: impl Into<Pair>) -> Self {
        Self {
            channels,
            depth,
            kernel: kernel.into(),
            stride: Pair::one(),
            padding: Pair::zero(),
            time_padding: None,
            groups: 1,
            bias: true,
            init: WeightInit::default(),
        }
    }

    /// Sets the padding in space.
    #[must_use]
    pub fn padding(self, padding: impl Into<Pair>) -> Self {
        Self { padding: padding.into(), ..self }
    }
}

impl Layer for Conv3d {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        let input = only(inputs)?;
        if !input.timed {
            return Err(Error::shape("a convolution over time needs images with time steps")
                .expected("[N, T, C, H, W]")
                .found(input));
        }
        let (kernel, stride, padding) = (self.kernel, self.stride, self.padding);
        let slide = Slide { kernel, stride, padding, dilation: Pair::one() };
        let (channels, mut window) = slide.over(input)?;
        if self.depth == 0 || (self.time_padding.is_none() && self.depth.is_multiple_of(2)) {
            return Err(Error::config(
                "the depth must be above 0, and odd unless there is a time_padding",
            )
            .expected("an odd depth, or a time_padding")
            .found(self.depth));
        }
        window.kernel[0] = self.depth;
        window.padding[0] = self.time_padding.unwrap_or(self.depth / 2);
        if window.padding[0] >= self.depth {
            return Err(Error::config("the padding in time must be shorter than the window")
                .expected(format!("a time_padding below the depth of {}", self.depth))
                .found(window.padding[0]));
        }
        let conv = conv(channels, self.channels, self.groups, window)?;
        let [depth, kh, kw] = window.kernel;
        let shape = [self.channels, channels / self.groups, depth, kh, kw];
        let op = Conv3dOp(ConvOp { conv, bias: self.bias });
        Ok(Description::sample(output(&conv, input), op)
            .params(tensors(&conv, &shape, self.bias, &self.init))
            .work(work(&conv)))
    }
}

#[derive(Debug)]
struct Conv3dOp(ConvOp);

impl Conv3dOp {
    /// Number of steps of the output; `None` if the input is too short.
    fn left(&self, steps: usize) -> Option<usize> {
        let window = &self.0.conv.window;
        let padded = steps.saturating_add(2 * window.padding[0]).saturating_add(1);
        padded.checked_sub(window.kernel[0]).filter(|&left| left > 0)
    }
}

impl<R: Real> SampleOp<R> for Conv3dOp {
    fn check(&self, steps: usize, _: &[&[R]]) -> Result<()> {
        let (depth, padding) = (self.0.conv.window.kernel[0], self.0.conv.window.padding[0]);
        match self.left(steps) {
            Some(_) => Ok(()),
            None => Err(Error::data("the window is longer than its padded input")
                .expected(format!("at least {} steps", depth - 2 * padding))
                .found(format!("{steps} steps"))),
        }
    }

    fn room(&self, steps: usize, keep: bool) -> Room {
        SampleOp::<R>::room(&self.0, steps, keep)
    }

    fn output_steps(&self, steps: &[usize]) -> usize {
        self.left(steps.first().copied().unwrap_or(1)).unwrap_or(0)
    }

    fn forward(&self, flow: Flow<'_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>) {
        self.0.forward(flow, saved, cx);
    }

    fn backward(&self, back: Back<'_, '_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>) {
        self.0.backward(back, saved, cx);
    }

    /// A layer whose windows reach across the end of a stretch cannot continue from a state.
    fn carries(&self) -> bool {
        self.0.conv.window.kernel[0] == 1
    }

    fn step(
        &self,
        flow: Flow<'_, R>,
        _: &mut [R],
        saved: &mut Saved<R>,
        cx: &mut Context<'_, R>,
    ) -> Result<()> {
        if self.0.conv.window.kernel[0] > 1 {
            return Err(Error::unsupported("a convolution over time cannot run frame by frame")
                .advice("use conv2d with neurons, or conv_lstm"));
        }
        self.0.forward(flow, saved, cx);
        Ok(())
    }
}
