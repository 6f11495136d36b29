//! LSTM for images.

use serde::{Deserialize, Serialize};

use super::lstm::LstmCell;
use super::op::{Cell, Step, StepBack, restart, start};
use crate::error::{Error, Result};
use crate::init::{Fan, WeightInit};
use crate::kernels::{Begin, Conv, ConvForward, ConvInputs, ConvWeights, Kernels};
use crate::layer::contract::{Description, Layer, TensorSpec, only};
use crate::layer::conv2d::{sum_channels, work};
use crate::layer::window::{Pair, Slide};
use crate::memory::{Room, Saved};
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;
use crate::shape::Shape;
use crate::shape::size;

/// LSTM whose products are convolutions, `[N, T, C, H, W]` to `[N, T, channels, H, W]`. It returns the
/// outputs Y of all steps, has no peepholes, and `*` is a convolution of stride 1 that keeps height and
/// width:
///
/// ```text
/// i, f, o = σ(W * [X_t, Y_{t-1}] + b)      g = tanh(W * [X_t, Y_{t-1}] + b)
/// C_t = f C_{t-1} + i g                    Y_t = o tanh(C_t)              C_0 = Y_0 = 0
/// ```
///
/// The parameters are `weight` `[4·channels, C + channels, kh, kw]` and `bias` `[4·channels]`. Of the
/// output channels, the first quarter is i, followed by f, g and o, as in `torch.nn.LSTM`; of the input
/// channels, the first C apply to X, the others to Y. Source: Shi et al. 2015, arXiv 1506.04214.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvLstm {
    /// Number of channels of the output and of the cell.
    pub channels: usize,
    /// Height and width of the window, which must be odd. Default 3.
    #[serde(default = "three")]
    pub kernel: Pair,
    /// Whether a bias is added. Default true.
    #[serde(default = "crate::layer::contract::yes")]
    pub bias: bool,
    /// How the first values of weight and bias are chosen.
    #[serde(default)]
    pub init: WeightInit,
}

fn three() -> Pair {
    3.into()
}

impl ConvLstm {
    /// A ConvLSTM with `channels` outputs, this window and a bias.
    pub fn new(channels: usize, kernel: impl Into<Pair>) -> Self {
        Self { channels, kernel: kernel.into(), bias: true, init: WeightInit::default() }
    }
}

impl Layer for ConvLstm {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        let input = only(inputs)?;
        if self.channels == 0 || self.kernel.0.iter().any(|size| size.is_multiple_of(2)) {
            return Err(Error::config("a ConvLSTM needs at least one channel and an odd kernel")
                .expected("1 or more channels; a kernel of odd height and width")
                .found(format!("{} channels, kernel {:?}", self.channels, self.kernel.0)));
        }
        if !input.timed {
            return Err(Error::shape("a ConvLSTM needs images with time steps")
                .expected("[N, T, C, H, W]")
                .found(input));
        }
        let padding = self.kernel.0.map(|size| size / 2).into();
        let (stride, dilation) = (Pair::one(), Pair::one());
        let (given, window) =
            Slide { kernel: self.kernel, stride, padding, dilation }.over(input)?;
        let [kh, kw] = self.kernel.0;
        let all = given.saturating_add(self.channels);
        size("a tensor of weights", &[4, self.channels, all, kh, kw])?;
        size("the gates", &[5, self.channels, window.positions()])?;
        let outputs = 4 * self.channels;
        // The convolution of the input, and that of the previous output.
        let [x, h] =
            [given, self.channels].map(|inputs| Conv { inputs, outputs, groups: 1, window });
        let fan = Fan { inputs: x.taps() + h.taps(), outputs: outputs * window.len() };
        let weight = TensorSpec::new("weight", [outputs, all, kh, kw], self.init.weight(fan));
        let bias = self.bias.then(|| TensorSpec::new("bias", [outputs], self.init.bias(fan)));
        let [height, width] = window.output;
        let output = input.with_item([self.channels, height, width]);
        Ok(Description::sample(output, ConvLstmOp { x, h, bias: self.bias })
            .params([weight.decaying()].into_iter().chain(bias))
            .work(work(&x).and_recurrent(work(&h).macs()).and_each(h.input_len(), 3, 1)))
    }
}

#[derive(Debug)]
struct ConvLstmOp {
    /// The convolutions from the input and from the previous output to the gates.
    x: Conv,
    h: Conv,
    bias: bool,
}

impl ConvLstmOp {
    /// Number of values in the output of a step, and in its gates.
    fn sizes(&self) -> (usize, usize) {
        (self.h.input_len(), self.h.output_len())
    }

    /// Number of weights of one output channel.
    fn width(&self) -> usize {
        self.x.taps() + self.h.taps()
    }

    /// Computes the part of the gates of one of the two convolutions. That of the input includes the
    /// bias.
    fn gates<R: Real>(&self, recurrent: bool, x: &[R], y: &mut [R], cx: &mut Context<'_, R>) {
        let (conv, at) = if recurrent { (&self.h, self.x.taps()) } else { (&self.x, 0) };
        let begin = if self.bias && !recurrent { Begin::Bias(cx.params[1]) } else { Begin::Zero };
        (cx.kernels.conv)(ConvForward {
            conv,
            x,
            weight: &cx.params[0][at..],
            width: self.width(),
            begin,
            y,
            scratch: cx.scratch,
        });
    }
}

impl<R: Real> SampleOp<R> for ConvLstmOp {
    fn forward(&self, flow: Flow<'_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let (len, gates) = self.sizes();
        let mut x_part = cx.scratch.take(flow.steps * gates);
        let mut h_part = cx.scratch.take(gates);
        let mut state = cx.scratch.zeros(2 * len);
        start(&flow, &mut state, saved);
        let (before, carried) = state.split_at_mut(len);
        self.gates(false, flow.inputs[0], &mut x_part, cx);
        let kept = saved.buffer(0, flow.steps * LstmCell::KEPT * len);
        let steps = x_part.chunks_exact(gates).zip(kept.chunks_exact_mut(LstmCell::KEPT * len));
        for ((x, kept), y) in steps.zip(flow.output.chunks_exact_mut(len)) {
            self.gates(true, before, &mut h_part, cx);
            let step = Step { kernels: cx.kernels, x, h: &mut h_part, kept };
            LstmCell.forward(step, before, carried, y);
            before.copy_from_slice(y);
        }
        if let Some(carry) = flow.carry {
            carry.copy_from_slice(&state);
        }
        cx.scratch.put_all([state, h_part, x_part]);
    }

    fn backward(&self, back: Back<'_, '_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let (steps, (len, gates)) = (back.steps, self.sizes());
        let (width, split) = (self.width(), self.x.taps());
        let mut d_gates = cx.scratch.take(steps * gates);
        let mut d_carried = cx.scratch.zeros(len);
        let mut dy = cx.scratch.zeros(len);
        let mut state = cx.scratch.zeros(2 * len);
        let began = restart(&mut state, saved);
        let kept =
            |t: usize| &saved.get(0)[t * LstmCell::KEPT * len..(t + 1) * LstmCell::KEPT * len];
        let output = |t: usize| &back.output[t * len..(t + 1) * len];
        for t in (0..steps).rev() {
            // At this point `dy` contains the gradient from later steps.
            let given = &back.d_output[t * len..(t + 1) * len];
            dy.iter_mut().zip(given).for_each(|(sum, &g)| *sum += g);
            let dx = &mut d_gates[t * gates..(t + 1) * gates];
            let step = StepBack {
                kernels: cx.kernels,
                kept: kept(t),
                carried: match t.checked_sub(1) {
                    Some(t) => &kept(t)[(LstmCell::KEPT - LstmCell::CARRIED) * len..],
                    None => &state[len..],
                },
                y: output(t),
                y_before: t.checked_sub(1).map_or(&state[..len], output),
                dy: &dy,
                dx: &mut *dx,
                dh: &mut [],
            };
            LstmCell.backward(step, &mut d_carried, &mut []);
            if t > 0 {
                (cx.kernels.conv_inputs)(ConvInputs {
                    conv: &self.h,
                    g: dx,
                    weight: &cx.params[0][split..],
                    width,
                    dx: &mut dy,
                    write: true,
                    scratch: cx.scratch,
                });
            }
        }
        let (d_weight, d_bias) = back.d_params.split_at_mut(1);
        (cx.kernels.conv_weights)(ConvWeights {
            conv: &self.x,
            x: back.inputs[0],
            g: &d_gates,
            d_weight: &mut d_weight[0],
            width,
            scratch: cx.scratch,
        });
        let later = (&back.output[..(steps - 1) * len], &d_gates[gates..]);
        let first = (!began).then_some((&state[..len], &d_gates[..gates]));
        for (x, g) in [later].into_iter().chain(first) {
            (cx.kernels.conv_weights)(ConvWeights {
                conv: &self.h,
                x,
                g,
                d_weight: &mut d_weight[0][split..],
                width,
                scratch: cx.scratch,
            });
        }
        if let [d_bias] = d_bias {
            sum_channels(&self.x, &d_gates, d_bias);
        }
        if let Some(dx) = &mut back.d_inputs[0] {
            (cx.kernels.conv_inputs)(ConvInputs {
                conv: &self.x,
                g: &d_gates,
                weight: cx.params[0],
                width,
                dx,
                write: false,
                scratch: cx.scratch,
            });
        }
        cx.scratch.put_all([state, dy, d_carried, d_gates]);
    }

    fn room(&self, steps: usize, keep: bool) -> Room {
        let (len, gates) = self.sizes();
        let conv = |conv| (Kernels::<R>::fast().conv_room)(conv, steps);
        let back = if keep { steps } else { 0 };
        Room::new(
            &[&[steps, LstmCell::KEPT, len], &[2, len]],
            &[
                &[steps, gates],
                &[gates],
                &[5, len],
                &[back, gates],
                &[conv(&self.x)],
                &[conv(&self.h)],
            ],
        )
    }

    /// The previous output, followed by the cell.
    fn state_len(&self) -> usize {
        2 * self.h.input_len()
    }

    fn carries(&self) -> bool {
        true
    }
}
