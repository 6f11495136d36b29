//! Layer normalisation.

use serde::{Deserialize, Serialize};

use super::moments::lanes;
use crate::error::Result;
use crate::init::Init;
use crate::layer::contract::{Description, Layer, TensorSpec, only};
use crate::layer::work::Work;
use crate::memory::{Room, Saved};
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;
use crate::shape::Shape;

/// Normalisation over all numbers of an item, at every time step:
/// `Y_t = (X_t - mean) / √(variance + eps) weight + bias` (Ba et al. 2016, arXiv 1607.06450).
/// `[.., C, H, W]` to the same shape.
///
/// As `torch.nn.LayerNorm([C, H, W])`. The parameters `weight` and `bias` both have the shape of the
/// item.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LayerNorm {
    /// Added to the variance. Default 1e-5.
    pub eps: f64,
    /// Whether there are a weight and a bias. Default true.
    pub affine: bool,
}

impl Default for LayerNorm {
    fn default() -> Self {
        Self { eps: 1e-5, affine: true }
    }
}

impl Layer for LayerNorm {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        super::check(self.eps, 0.0)?;
        let input = only(inputs)?;
        let tensor = |name, first| TensorSpec::new(name, &*input.item, Init::Constant(first));
        let params = [tensor("weight", 1.0), tensor("bias", 0.0)];
        let op = LayerNormOp { config: *self, len: input.len() };
        // Per number: three multiplications (square, scale, weight) and four additions (two sums, mean,
        // bias).
        Ok(Description::sample(input.clone(), op)
            .params(params.into_iter().filter(|_| self.affine))
            .work(Work::each(input.len(), 3, 4)))
    }
}

/// Saves the mean (buffer 0) and reciprocal deviation (buffer 1) of every step.
#[derive(Debug)]
struct LayerNormOp {
    config: LayerNorm,
    len: usize,
}

impl LayerNormOp {
    fn moments<R: Real>(&self, x: &[R]) -> (R, R) {
        let share = 1.0 / self.len as f64;
        let mean = lanes(x, x, |x, _| x.f64()) * share;
        let variance = lanes(x, x, |x, _| (x.f64() - mean).powi(2)) * share;
        (R::of(mean), R::of(1.0 / (variance + self.config.eps).sqrt()))
    }
}

impl<R: Real> SampleOp<R> for LayerNormOp {
    fn runs_in_stretches(&self, _steps: usize) -> bool {
        true
    }

    fn room(&self, steps: usize, keep: bool) -> Room {
        let kept = if keep { steps } else { 0 };
        Room::new(&[&[2, kept]], &[&[2, self.len]])
    }

    fn forward(&self, flow: Flow<'_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let kept = if cx.keep { flow.input().len() / self.len } else { 0 };
        saved.buffer(0, kept);
        saved.buffer(1, kept);
        let rows = flow.input().chunks_exact(self.len).zip(flow.output.chunks_exact_mut(self.len));
        for (t, (x, y)) in rows.enumerate() {
            let (mean, deviation) = self.moments(x);
            if cx.keep {
                saved.real[0][t] = mean;
                saved.real[1][t] = deviation;
            }
            x.iter().zip(y.iter_mut()).for_each(|(&x, y)| *y = (x - mean) * deviation);
            if self.config.affine {
                let affine = cx.params[0].iter().zip(cx.params[1]);
                y.iter_mut().zip(affine).for_each(|(y, (&weight, &bias))| *y = *y * weight + bias);
            }
        }
    }

    fn backward(&self, back: Back<'_, '_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let Back { inputs, d_output, d_inputs, d_params, .. } = back;
        let share = 1.0 / self.len as f64;
        let mut dx = d_inputs[0].as_deref_mut();
        let mut weighed = cx.scratch.take(self.len);
        let mut normal = cx.scratch.take(self.len);
        let rows = inputs[0].chunks_exact(self.len).zip(d_output.chunks_exact(self.len));
        for (t, (x, g)) in rows.enumerate() {
            let (mean, deviation) = (saved.get(0)[t], saved.get(1)[t]);
            x.iter().zip(&mut normal).for_each(|(&x, n)| *n = (x - mean) * deviation);
            weighed.copy_from_slice(g);
            if let [d_weight, d_bias] = &mut *d_params {
                let all = d_weight.iter_mut().zip(d_bias).zip(g).zip(&normal);
                all.for_each(|(((d_weight, d_bias), &g), &n)| {
                    *d_weight += g * n;
                    *d_bias += g;
                });
                weighed.iter_mut().zip(cx.params[0]).for_each(|(g, &weight)| *g *= weight);
            }
            let Some(dx) = &mut dx else { continue };
            let sum = R::of(share * lanes(&weighed, &weighed, |g, _| g.f64()));
            let sum_normal = R::of(share * lanes(&weighed, &normal, |g, n| (g * n).f64()));
            let dx = &mut dx[t * self.len..(t + 1) * self.len];
            dx.iter_mut().zip(&weighed).zip(&normal).for_each(|((dx, &g), &n)| {
                *dx += deviation * (g - sum - n * sum_normal);
            });
        }
        cx.scratch.put_all([weighed, normal]);
    }
}
