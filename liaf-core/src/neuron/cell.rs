//! One step of neurons, forward and backward, elementwise; every rule in one place.

use super::{Output, Surrogate};
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

    /// Computes, for each neuron, V, which is carried to the next step, and the output from U.
    pub fn fire<R: Real>(
        &self,
        c: &Constants<Vec<R>>,
        u: &[R],
        v: &mut [R],
        y: &mut [R],
        firing: Firing,
    ) {
        for (i, ((&u, v), y)) in u.iter().zip(v).zip(y).enumerate() {
            let (alpha, beta, threshold) = (c.alpha[i], c.beta[i], c.threshold[i]);
            let over = u - threshold;
            let f = self.spike(over, firing);
            *v = match self.reset {
                ResetRule::Hard => alpha * (f * c.reset[i] + (R::ONE - f) * u) + beta,
                ResetRule::Soft => alpha * (u - f * threshold) + beta,
                ResetRule::SoftAfterLeak => alpha * u + beta - f * threshold,
            };
            *y = match self.output {
                Output::Spike => f,
                Output::Membrane => u,
                Output::Analog(act) if self.threshold_related => act.value(over),
                Output::Analog(act) => act.value(u),
            };
        }
    }

    /// The backward pass of [`fire`](Self::fire): `g` is the gradient with respect to the output; `d`
    /// is that with respect to V, and is replaced by that with respect to U. Gradients of constants are
    /// added to those of the `sums` that are not empty.
    pub fn fire_back<R: Real>(
        &self,
        c: &Constants<Vec<R>>,
        u: &[R],
        g: &[R],
        d: &mut [R],
        sums: &mut Constants<Vec<R>>,
        firing: Firing,
    ) {
        for (i, ((&u, &g), d)) in u.iter().zip(g).zip(d).enumerate() {
            let (alpha, threshold, reset) = (c.alpha[i], c.threshold[i], c.reset[i]);
            let over = u - threshold;
            let f = self.spike(over, firing);
            let s =
                if self.output == Output::Membrane { R::ZERO } else { self.surrogate.slope(over) };
            // Derivative of the spike inside the reset.
            let sr = if self.detach_reset { R::ZERO } else { s };
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
            // Derivatives of the output with respect to U and to the threshold.
            let (y_u, y_threshold) = match self.output {
                Output::Spike => (s, -s),
                Output::Membrane => (R::ONE, R::ZERO),
                Output::Analog(act) if self.threshold_related => {
                    let slope = act.derivative(over);
                    (slope, -slope)
                }
                Output::Analog(act) => (act.derivative(u), R::ZERO),
            };
            let dv = *d;
            add(&mut sums.alpha, i, dv * r);
            add(&mut sums.beta, i, dv);
            add(&mut sums.threshold, i, dv * v_threshold + g * y_threshold);
            add(&mut sums.reset, i, dv * alpha * f);
            *d = g * y_u + dv * v_u;
        }
    }
}

/// Adds to a sum, if it was asked for.
fn add<R: Real>(sums: &mut [R], i: usize, by: R) {
    if let Some(sum) = sums.get_mut(i) {
        *sum += by;
    }
}
