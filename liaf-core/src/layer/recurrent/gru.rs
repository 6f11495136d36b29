//! The gated recurrent unit (Cho et al. 2014), in the form of PyTorch and cuDNN.

use serde::{Deserialize, Serialize};

use super::RecurrentInit;
use super::op::{Cell, Step, StepBack, activate, add};
use crate::activation::Activation;
use crate::error::Result;
use crate::layer::contract::{Description, Layer};
use crate::real::Real;
use crate::shape::Shape;

/// GRU: `[N, T, L]` to `[N, T, units]`.
///
/// With `x = W_ih X_t + b_ih` and `h = W_hh Y_{t-1} + b_hh`, each split into three parts: `r = σ(x_r +
/// h_r)`, `z = σ(x_z + h_z)`, `n = tanh(x_n + r h_n)`, `Y_t = (1 - z) n + z Y_{t-1}`. The reset gate
/// multiplies the product including its bias.
///
/// The parameters are those of `torch.nn.GRU` with one layer, in the order r, z, n: `weight_ih_l0` `[3
/// h, L]`, `weight_hh_l0` `[3 h, h]`, `bias_ih_l0` and `bias_hh_l0` `[3 h]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gru {
    /// Number of outputs, h.
    pub units: usize,
    /// Whether the two biases are added. Default true.
    #[serde(default = "crate::layer::contract::yes")]
    pub bias: bool,
    /// How the first values are chosen. Default: as PyTorch.
    #[serde(default, skip_serializing_if = "RecurrentInit::is_default")]
    pub init: RecurrentInit,
}

impl Gru {
    /// A layer with `units` outputs and biases.
    pub fn new(units: usize) -> Self {
        Self { units, bias: true, init: RecurrentInit::Torch }
    }
}

impl Layer for Gru {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        // Per unit, in addition to the products: `r h_n`, `(1 - z) n` and `z Y`, and three sums.
        super::describe(GruCell, self.units, (self.bias, self.init), inputs, (3, 3))
    }
}

/// Saves for each step: r, z, n and h_n.
#[derive(Debug)]
struct GruCell;

impl Cell for GruCell {
    const GATES: usize = 3;
    const KEPT: usize = 4;
    const CARRIED: usize = 0;
    const APART: bool = true;

    fn forward<R: Real>(&self, step: Step<'_, R>, before: &[R], _: &mut [R], y: &mut [R]) {
        let units = y.len();
        let (gates, n) = step.h.split_at_mut(2 * units);
        let (x_gates, x_n) = step.x.split_at(2 * units);
        let (kept_gates, kept) = step.kept.split_at_mut(2 * units);
        let (kept_n, h_n) = kept.split_at_mut(units);
        add(gates, x_gates);
        activate(step.kernels, Activation::Sigmoid, gates, kept_gates);
        h_n.copy_from_slice(n);
        let (r, z) = kept_gates.split_at(units);
        n.iter_mut().zip(x_n).zip(r).for_each(|((n, &x), &r)| *n = x + r * *n);
        activate(step.kernels, Activation::Tanh, n, kept_n);
        let outputs = y.iter_mut().zip(z).zip(&*kept_n).zip(before);
        outputs.for_each(|(((y, &z), &n), &before)| *y = (R::ONE - z) * n + z * before);
    }

    fn backward<R: Real>(&self, step: StepBack<'_, R>, _: &mut [R], d_before: &mut [R]) {
        let units = step.y.len();
        let slope = |s: R| s * (R::ONE - s);
        for (j, d_before) in d_before.iter_mut().enumerate() {
            let (at_z, at_n) = (units + j, 2 * units + j);
            let [r, z, n, h_n] = [0, 1, 2, 3].map(|k| step.kept[k * units + j]);
            let dy = step.dy[j];
            let dn = dy * (R::ONE - z) * (R::ONE - n * n);
            let dr = dn * h_n * slope(r);
            let dz = dy * (step.y_before[j] - n) * slope(z);
            (step.dx[j], step.dx[at_z], step.dx[at_n]) = (dr, dz, dn);
            (step.dh[j], step.dh[at_z], step.dh[at_n]) = (dr, dz, dn * r);
            *d_before = dy * z;
        }
    }
}
