//! Neurons with coupled membranes: `U_t = I_t + W V_{t-1} + b`.
//!
//! This is the recurrent cell of the authors of LIAF-Net (LIAFRCell): a full matrix is applied to the
//! membrane of the previous step. With `W = 1`, `b = 0` it is the ordinary neuron. Each step depends on
//! the step before it, so that there is one product per step.

use crate::init::{Fan, WeightInit};
use crate::kernels::{Kernels, Matrix, Product};
use crate::layer::contract::TensorSpec;
use crate::real::Real;

/// `weight` `[L, L]` and `bias` `[L]`, as `torch.nn.Linear`.
pub(super) fn params(len: usize, init: &WeightInit) -> [TensorSpec; 2] {
    let fan = Fan { inputs: len, outputs: len };
    [
        TensorSpec::new("weight", [len, len], init.weight(fan)).decaying(),
        TensorSpec::new("bias", [len], init.bias(fan)),
    ]
}

/// `u += W v + b`.
pub(super) fn add<R: Real>(
    kernels: &Kernels<R>,
    (weight, bias): (&[R], &[R]),
    v: &[R],
    u: &mut [R],
) {
    let len = v.len();
    u.iter_mut().zip(bias).for_each(|(u, &b)| *u += b);
    (kernels.product)(Product {
        m: 1,
        n: len,
        k: len,
        a: Matrix::rows(v, len),
        b: Matrix::transposed(weight, len),
        c: u,
        c_width: len,
        add: true,
    });
}

/// The gradient with respect to V of the previous step: `dV = W^T dU`.
pub(super) fn back<R: Real>(kernels: &Kernels<R>, weight: &[R], du: &[R], dv: &mut [R]) {
    let len = dv.len();
    (kernels.product)(Product {
        m: 1,
        n: len,
        k: len,
        a: Matrix::rows(du, len),
        b: Matrix::rows(weight, len),
        c: dv,
        c_width: len,
        add: false,
    });
}

/// Adds `dW = sum_t dU_t V_{t-1}^T` and `db = sum_t dU_t`. `du` and `before`, the V before each step,
/// are `[T, L]`.
pub(super) fn add_gradients<R: Real>(
    kernels: &Kernels<R>,
    du: &[R],
    before: &[R],
    d_weight: &mut [R],
    d_bias: &mut [R],
) {
    let len = d_bias.len();
    (kernels.product)(Product {
        m: len,
        n: len,
        k: du.len() / len,
        a: Matrix::transposed(du, len),
        b: Matrix::rows(before, len),
        c: d_weight,
        c_width: len,
        add: true,
    });
    for row in du.chunks_exact(len) {
        d_bias.iter_mut().zip(row).for_each(|(sum, &du)| *sum += du);
    }
}
