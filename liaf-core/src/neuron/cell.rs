//! One step of neurons, forward and backward, elementwise; every rule in one place.

use super::{Output, Surrogate};
use crate::kernels::{Activated, ActivatedBack, Kernels};
use crate::memory::Buffer;
use crate::op::Firing;
use crate::real::Real;

/// One value for each constant of a neuron.
#[derive(Debug, Clone, Default)]
pub(super) struct Constants<T> {
    pub alpha: T,
    pub beta: T,
    pub threshold: T,
    pub reset: T,
    pub gain: T,
    pub synapse: T,
}

impl<T> Constants<T> {
    pub fn map<U>(&self, mut f: impl FnMut(&T) -> U) -> Constants<U> {
        Constants {
            alpha: f(&self.alpha),
            beta: f(&self.beta),
            threshold: f(&self.threshold),
            reset: f(&self.reset),
            gain: f(&self.gain),
            synapse: f(&self.synapse),
        }
    }

    pub fn into_array(self) -> [T; 6] {
        [self.alpha, self.beta, self.threshold, self.reset, self.gain, self.synapse]
    }
}

/// The rule of a reset; see [`Reset`](super::Reset).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResetRule {
    Hard,
    Soft,
    SoftAfterLeak,
}

/// The rules of a layer of neurons, without their constants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub output: Output,
    pub threshold_related: bool,
    pub reset: ResetRule,
    pub detach_reset: bool,
    pub surrogate: Surrogate,
}

impl Rules {
    /// The spike F of a membrane whose potential is this far above its threshold.
    pub fn spike<R: Real>(&self, over: R, firing: Firing) -> R {
        match self.output {
            Output::Membrane => R::ZERO,
            _ => self.surrogate.spike(over, firing),
        }
    }

    /// Computes V, which is carried to the next step, from U.
    pub fn leak<R: Real>(&self, c: &Constants<Buffer<R>>, u: &[R], v: &mut [R], firing: Firing) {
        for (i, (&u, v)) in u.iter().zip(v).enumerate() {
            let (alpha, beta, threshold) = (c.alpha[i], c.beta[i], c.threshold[i]);
            let f = self.spike(u - threshold, firing);
            *v = match self.reset {
                ResetRule::Hard => alpha * (f * c.reset[i] + (R::ONE - f) * u) + beta,
                ResetRule::Soft => alpha * (u - f * threshold) + beta,
                ResetRule::SoftAfterLeak => alpha * u + beta - f * threshold,
            };
        }
    }

    /// Computes the output from U. `over` is working memory.
    pub fn emit<R: Real>(
        &self,
        c: &Constants<Buffer<R>>,
        (u, over): (&[R], &mut [R]),
        y: &mut [R],
        (kernels, firing): (&Kernels<R>, Firing),
    ) {
        match self.output {
            Output::Membrane => y.copy_from_slice(u),
            Output::Spike => {
                let each = y.iter_mut().zip(u).zip(&c.threshold);
                each.for_each(|((y, &u), &threshold)| *y = self.spike(u - threshold, firing));
            }
            Output::Analog(activation) => {
                let x = self.argument(c, u, over);
                (kernels.activate)(Activated { activation, x, y });
            }
        }
    }

    /// The backward pass of [`emit`](Self::emit), which gave `y`: `d` becomes the gradient with respect
    /// to U, given that with respect to the output, `g`.
    pub fn emit_back<R: Real>(
        &self,
        c: &Constants<Buffer<R>>,
        (u, over): (&[R], &mut [R]),
        (y, g): (&[R], &[R]),
        d: &mut [R],
        kernels: &Kernels<R>,
    ) {
        match self.output {
            Output::Membrane => d.copy_from_slice(g),
            Output::Spike => {
                let each = d.iter_mut().zip(u).zip(&c.threshold).zip(g);
                each.for_each(|(((d, &u), &threshold), &g)| {
                    *d = g * self.surrogate.slope(u - threshold);
                });
            }
            Output::Analog(activation) => {
                let x = self.argument(c, u, over);
                (kernels.activate_back)(ActivatedBack { activation, x, y, g, dx: d, write: true });
            }
        }
    }

    /// The argument of an activation function.
    fn argument<'a, R: Real>(
        &self,
        c: &Constants<Buffer<R>>,
        u: &'a [R],
        over: &'a mut [R],
    ) -> &'a [R] {
        if !self.threshold_related {
            return u;
        }
        let each = over.iter_mut().zip(u).zip(&c.threshold);
        each.for_each(|((over, &u), &threshold)| *over = u - threshold);
        over
    }

    /// Whether the output depends on the threshold.
    fn emits_over_threshold(&self) -> bool {
        match self.output {
            Output::Spike => true,
            Output::Membrane => false,
            Output::Analog(_) => self.threshold_related,
        }
    }

    /// The backward pass of [`leak`](Self::leak): `g` is the gradient with respect to U that
    /// [`emit_back`](Self::emit_back) gives; `d` is that with respect to V, and is replaced by that with
    /// respect to U in all. Gradients of constants are added to those of the `sums` that are not empty.
    pub fn leak_back<R: Real>(
        &self,
        c: &Constants<Buffer<R>>,
        (u, g): (&[R], &[R]),
        d: &mut [R],
        sums: &mut Constants<Buffer<R>>,
        firing: Firing,
    ) {
        let is_cut = self.detach_reset || self.output == Output::Membrane;
        let emits_over = self.emits_over_threshold();
        for (i, ((&u, &g), d)) in u.iter().zip(g).zip(d).enumerate() {
            let (alpha, threshold, reset) = (c.alpha[i], c.threshold[i], c.reset[i]);
            let over = u - threshold;
            let f = self.spike(over, firing);
            // Derivative of the spike inside the reset.
            let sr = if is_cut { R::ZERO } else { self.surrogate.slope(over) };
            // R, and the derivatives of V with respect to U and to the threshold.
            let (r, v_u, v_threshold) = match self.reset {
                ResetRule::Hard => (
                    f * reset + (R::ONE - f) * u,
                    alpha * (sr * (reset - u) + R::ONE - f),
                    alpha * sr * (u - reset),
                ),
                ResetRule::Soft => (
                    u - f * threshold,
                    alpha * (R::ONE - sr * threshold),
                    alpha * (sr * threshold - f),
                ),
                ResetRule::SoftAfterLeak => (u, alpha - sr * threshold, sr * threshold - f),
            };
            let dv = *d;
            add(&mut sums.alpha, i, dv * r);
            add(&mut sums.beta, i, dv);
            let by_output = if emits_over { g } else { R::ZERO };
            add(&mut sums.threshold, i, dv * v_threshold - by_output);
            add(&mut sums.reset, i, dv * alpha * f);
            *d = g + dv * v_u;
        }
    }
}

/// Adds to a sum, if it was asked for.
fn add<R: Real>(sums: &mut [R], i: usize, by: R) {
    if let Some(sum) = sums.get_mut(i) {
        *sum += by;
    }
}
