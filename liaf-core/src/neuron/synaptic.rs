//! What precedes the membrane: a gain of the input, and the second state of a synaptic neuron.
//!
//! `S_t = rho S_{t-1} + gain X_t`, `S_0 = 0`, and the membrane integrates S instead of X; without a
//! synapse rho is 0.

use crate::real::Real;

/// Computes `current` from `x`, both `[T, len]`. `state` is S before the first step, and is replaced by
/// S after the last step.
pub(super) fn filter<R: Real>(
    (gain, decay): (&[R], &[R]),
    x: &[R],
    current: &mut [R],
    state: &mut [R],
) {
    let len = gain.len();
    for (x, current) in x.chunks_exact(len).zip(current.chunks_exact_mut(len)) {
        for i in 0..len {
            state[i] = decay[i] * state[i] + gain[i] * x[i];
            current[i] = state[i];
        }
    }
}

/// The backward pass of [`filter`], given x, the currents, and S before the first step (empty for
/// zeros). `d` is the gradient with respect to the currents, and is replaced by that with respect to S,
/// which includes its effect on later steps. Gradients of gain and decay are added to those of the sums
/// that are not empty.
pub(super) fn filter_back<R: Real>(
    decay: &[R],
    (x, current, before): (&[R], &[R], &[R]),
    d: &mut [R],
    (d_gain, d_decay): (&mut [R], &mut [R]),
) {
    let len = decay.len();
    for at in (0..d.len()).rev() {
        let i = at % len;
        if let Some(&later) = d.get(at + len) {
            d[at] += decay[i] * later;
        }
        if let Some(sum) = d_gain.get_mut(i) {
            *sum += d[at] * x[at];
        }
        let held = match at.checked_sub(len) {
            Some(at) => current.get(at),
            None => before.get(i),
        };
        if let (Some(sum), Some(&held)) = (d_decay.get_mut(i), held) {
            *sum += d[at] * held;
        }
    }
}
