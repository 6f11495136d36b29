//! Long short-term memory (Hochreiter and Schmidhuber 1997; with forget gate, Gers et al. 2000).

use serde::{Deserialize, Serialize};

use super::RecurrentInit;
use super::op::{Cell, Step, StepBack, activate, add};
use crate::activation::Activation;
use crate::error::Result;
use crate::layer::contract::{Description, Layer};
use crate::real::Real;
use crate::shape::Shape;

/// LSTM: `[N, T, L]` to `[N, T, units]`.
///
/// With `a = W_ih X_t + b_ih + W_hh Y_{t-1} + b_hh` split into `a_i, a_f, a_g, a_o`: `C_t = σ(a_f)
/// C_{t-1} + σ(a_i) tanh(a_g)`, `Y_t = σ(a_o) tanh(C_t)`.
///
/// The parameters are those of `torch.nn.LSTM` with one layer, in the order i, f, g, o: `weight_ih_l0`
/// `[4 h, L]`, `weight_hh_l0` `[4 h, h]`, `bias_ih_l0` and `bias_hh_l0` `[4 h]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lstm {
    /// Number of outputs, h.
    pub units: usize,
    /// Whether the two biases are added. Default true.
    #[serde(default = "crate::layer::contract::yes")]
    pub bias: bool,
    /// How the first values are chosen. Default: as PyTorch.
    #[serde(default, skip_serializing_if = "RecurrentInit::is_default")]
    pub init: RecurrentInit,
}

impl Lstm {
    /// A layer with `units` outputs and biases.
    pub fn new(units: usize) -> Self {
        Self { units, bias: true, init: RecurrentInit::Torch }
    }
}

impl Layer for Lstm {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        // Per unit, in addition to the products: `f C`, `i g` and `o tanh C`, and one sum.
        super::describe(LstmCell, self.units, (self.bias, self.init), inputs, (3, 1))
    }
}

/// Saves for each step: the gates i, f, g, o, then C_t.
#[derive(Debug)]
pub(super) struct LstmCell;

impl Cell for LstmCell {
    const GATES: usize = 4;
    const FORGET: Option<usize> = Some(1);
    const KEPT: usize = 5;
    const CARRIED: usize = 1;
    const APART: bool = false;

    fn forward<R: Real>(&self, step: Step<'_, R>, _: &[R], carried: &mut [R], y: &mut [R]) {
        let n = y.len();
        add(step.h, step.x);
        let activations =
            [Activation::Sigmoid, Activation::Sigmoid, Activation::Tanh, Activation::Sigmoid];
        let gates = step.h.chunks_exact(n).zip(step.kept.chunks_exact_mut(n));
        for (activation, (a, gate)) in activations.into_iter().zip(gates) {
            activate(step.kernels, activation, a, gate);
        }
        let (gates, kept) = step.kept.split_at_mut(4 * n);
        for (j, c) in carried.iter_mut().enumerate() {
            let [i, f, g] = [0, 1, 2].map(|k| gates[k * n + j]);
            *c = f * *c + i * g;
        }
        kept.copy_from_slice(carried);
        activate(step.kernels, Activation::Tanh, carried, y);
        y.iter_mut().zip(&gates[3 * n..]).for_each(|(y, &o)| *y = o * *y);
    }

    fn backward<R: Real>(&self, step: StepBack<'_, R>, d_carried: &mut [R], _: &mut [R]) {
        let n = step.y.len();
        let slope = |s: R| s * (R::ONE - s);
        // tanh C, until it is replaced by the gradient of the last gate.
        activate(step.kernels, Activation::Tanh, &step.kept[4 * n..], &mut step.dx[3 * n..]);
        for (j, d_carried) in d_carried.iter_mut().enumerate() {
            let [i, f, g, o] = [0, 1, 2, 3].map(|k| step.kept[k * n + j]);
            let c_before = step.carried[j];
            let (dy, tanh) = (step.dy[j], step.dx[3 * n + j]);
            let dc = *d_carried + dy * o * (R::ONE - tanh * tanh);
            step.dx[j] = dc * g * slope(i);
            step.dx[n + j] = dc * c_before * slope(f);
            step.dx[2 * n + j] = dc * i * (R::ONE - g * g);
            step.dx[3 * n + j] = dy * tanh * slope(o);
            *d_carried = dc * f;
        }
    }
}
