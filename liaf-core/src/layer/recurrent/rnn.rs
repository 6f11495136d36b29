//! The simple recurrent network (Elman 1990).

use serde::{Deserialize, Serialize};

use super::RecurrentInit;
use super::op::{Cell, Step, StepBack, activate, add};
use crate::activation::Activation;
use crate::error::Result;
use crate::layer::contract::{Description, Layer};
use crate::real::Real;
use crate::shape::Shape;

/// `Y_t = act(W_ih X_t + b_ih + W_hh Y_{t-1} + b_hh)`: `[N, T, L]` to `[N, T, units]`.
///
/// The parameters are those of `torch.nn.RNN` with one layer: `weight_ih_l0` `[h, L]`, `weight_hh_l0`
/// `[h, h]`, `bias_ih_l0` and `bias_hh_l0` `[h]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rnn {
    /// Number of outputs, h.
    pub units: usize,
    /// The activation function. Default tanh.
    #[serde(default)]
    pub activation: RnnActivation,
    /// Whether the two biases are added. Default true.
    #[serde(default = "crate::layer::contract::yes")]
    pub bias: bool,
    /// How the first values are chosen. Default: as PyTorch.
    #[serde(default, skip_serializing_if = "RecurrentInit::is_default")]
    pub init: RecurrentInit,
}

/// The activation function of an [`Rnn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RnnActivation {
    /// Hyperbolic tangent.
    #[default]
    Tanh,
    /// `max(x, 0)`.
    Relu,
}

impl Rnn {
    /// A layer with `units` outputs, tanh and biases.
    pub fn new(units: usize) -> Self {
        Self { units, activation: RnnActivation::Tanh, bias: true, init: RecurrentInit::Torch }
    }
}

impl Layer for Rnn {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        super::describe(
            RnnCell(self.activation),
            self.units,
            (self.bias, self.init),
            inputs,
            (0, 0),
        )
    }
}

#[derive(Debug)]
struct RnnCell(RnnActivation);

impl Cell for RnnCell {
    const GATES: usize = 1;
    const KEPT: usize = 0;
    const CARRIED: usize = 0;
    const APART: bool = false;

    fn forward<R: Real>(&self, step: Step<'_, R>, _: &[R], _: &mut [R], y: &mut [R]) {
        let activation = match self.0 {
            RnnActivation::Tanh => Activation::Tanh,
            RnnActivation::Relu => Activation::Relu,
        };
        add(step.h, step.x);
        activate(step.kernels, activation, step.h, y);
    }

    fn backward<R: Real>(&self, step: StepBack<'_, R>, _: &mut [R], _: &mut [R]) {
        for ((dx, &y), &dy) in step.dx.iter_mut().zip(step.y).zip(step.dy) {
            *dx = match self.0 {
                RnnActivation::Tanh => dy * (R::ONE - y * y),
                RnnActivation::Relu if y <= R::ZERO => R::ZERO,
                RnnActivation::Relu => dy,
            };
        }
    }
}
