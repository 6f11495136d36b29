//! The common neuron over all steps of a sample: hard reset, rectangular surrogate, and the same
//! constants for all neurons. The formulas are in [`crate::neuron`].

use multiversion::multiversion;

use crate::real::Real;

/// The output of the common neuron.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emit {
    /// F.
    Spike,
    /// `max(U - V_th, 0)`.
    ReluOver,
    /// `max(U, 0)`.
    Relu,
}

/// The constants and rules of the common neuron.
#[derive(Debug, Clone, Copy)]
pub struct Membrane<R> {
    /// Multiplicative leak.
    pub alpha: R,
    /// Additive leak.
    pub beta: R,
    /// V_th.
    pub threshold: R,
    /// V_reset.
    pub reset: R,
    /// Half-width of the surrogate.
    pub half_width: R,
    /// Height of the surrogate.
    pub height: R,
    /// Whether no gradient flows through the spike of the reset.
    pub detach_reset: bool,
    /// The output.
    pub emit: Emit,
}

/// Arguments of the forward pass over `[T, len]`, where `len` is the length of `v`.
#[derive(Debug)]
pub struct NeuronForward<'a, R> {
    /// The rules.
    pub rules: Membrane<R>,
    /// Input.
    pub x: &'a [R],
    /// Output.
    pub y: &'a mut [R],
    /// U, to be stored; or empty.
    pub u: &'a mut [R],
    /// V before the first step, which is replaced by V after the last one.
    pub v: &'a mut [R],
}

/// Arguments of the backward pass over `[T, len]`, where `len` is the length of `dv`.
#[derive(Debug)]
pub struct NeuronBackward<'a, R> {
    /// The rules.
    pub rules: Membrane<R>,
    /// U.
    pub u: &'a [R],
    /// Gradient with respect to the output.
    pub g: &'a [R],
    /// Gradient with respect to the input, to which is added.
    pub dx: &'a mut [R],
    /// Gradient with respect to V after the last step, which is replaced by that before the first step.
    pub dv: &'a mut [R],
}

pub(super) fn plain_forward<R: Real>(n: NeuronForward<'_, R>) {
    let (rules, len) = (n.rules, n.v.len());
    for (at, (&x, y)) in n.x.iter().zip(n.y).enumerate() {
        let v = &mut n.v[at % len];
        let u = x + *v;
        let fired = u >= rules.threshold;
        *v = rules.alpha * if fired { rules.reset } else { u } + rules.beta;
        *y = match rules.emit {
            Emit::Spike if fired => R::ONE,
            Emit::Spike => R::ZERO,
            Emit::ReluOver => (u - rules.threshold).relu(),
            Emit::Relu => u.relu(),
        };
        if let Some(kept) = n.u.get_mut(at) {
            *kept = u;
        }
    }
}

pub(super) fn plain_backward<R: Real>(n: NeuronBackward<'_, R>) {
    let (rules, len) = (n.rules, n.dv.len());
    for (at, &u) in n.u.iter().enumerate().rev() {
        let dv = &mut n.dv[at % len];
        let over = u - rules.threshold;
        let s = if over.abs() < rules.half_width { rules.height } else { R::ZERO };
        let left = if over >= R::ZERO { R::ZERO } else { R::ONE };
        let through = if rules.detach_reset { R::ZERO } else { s * (rules.reset - u) };
        let out = match rules.emit {
            Emit::Spike => s,
            Emit::ReluOver => over.relu_slope(),
            Emit::Relu => u.relu_slope(),
        };
        *dv = n.g[at] * out + *dv * (rules.alpha * (through + left));
        n.dx[at] += *dv;
    }
}

/// Number of neurons whose membranes stay in the first-level cache over all steps.
const TILE: usize = 1024;

/// As [`plain_forward`], tile by tile, in loops that the compiler vectorises.
#[inline(always)]
pub(super) fn forward<R: Real>(n: NeuronForward<'_, R>) {
    match n.rules.emit {
        Emit::Spike => forward_tiles(n, |_, over| if over >= R::ZERO { R::ONE } else { R::ZERO }),
        Emit::ReluOver => forward_tiles(n, |_, over| over.relu()),
        Emit::Relu => forward_tiles(n, |u, _| u.relu()),
    }
}

#[inline(always)]
fn forward_tiles<R: Real>(n: NeuronForward<'_, R>, emit: impl Fn(R, R) -> R) {
    let Membrane { alpha, beta, threshold, reset, .. } = n.rules;
    let len = n.v.len();
    let mut spare = [R::ZERO; TILE];
    for (tile, v) in n.v.chunks_mut(TILE).enumerate() {
        let mut start = tile * TILE;
        while start < n.x.len() {
            let at = start..start + v.len();
            let (x, y) = (&n.x[at.clone()], &mut n.y[at.clone()]);
            let u = match n.u.get_mut(at) {
                Some(u) => u,
                None => &mut spare[..v.len()],
            };
            for (((&x, y), u), v) in x.iter().zip(y).zip(u).zip(v.iter_mut()) {
                *u = x + *v;
                let over = *u - threshold;
                let left = if over >= R::ZERO { reset } else { *u };
                *v = alpha * left + beta;
                *y = emit(*u, over);
            }
            start += len;
        }
    }
}

/// As [`plain_backward`], in loops that the compiler vectorises.
#[inline(always)]
pub(super) fn backward<R: Real>(n: NeuronBackward<'_, R>) {
    match n.rules.emit {
        Emit::Spike => backward_tiles(n, |_, _, s| s),
        Emit::ReluOver => backward_tiles(n, |_, over, _| over.relu_slope()),
        Emit::Relu => backward_tiles(n, |u, _, _| u.relu_slope()),
    }
}

#[inline(always)]
fn backward_tiles<R: Real>(n: NeuronBackward<'_, R>, slope: impl Fn(R, R, R) -> R) {
    let Membrane { alpha, threshold, reset, half_width, height, detach_reset, .. } = n.rules;
    let len = n.dv.len();
    let reach = if detach_reset { R::ZERO } else { R::ONE };
    let steps = n.u.len().checked_div(len).unwrap_or(0);
    for (tile, dv) in n.dv.chunks_mut(TILE).enumerate() {
        for t in (0..steps).rev() {
            let start = t * len + tile * TILE;
            let at = start..start + dv.len();
            let (u, g, dx) = (&n.u[at.clone()], &n.g[at.clone()], &mut n.dx[at]);
            for (((&u, &g), dx), dv) in u.iter().zip(g).zip(dx).zip(dv.iter_mut()) {
                let over = u - threshold;
                let s = if over.abs() < half_width { height } else { R::ZERO };
                let left = if over >= R::ZERO { R::ZERO } else { R::ONE };
                let through = reach * s * (reset - u);
                *dv = g * slope(u, over, s) + *dv * (alpha * (through + left));
                *dx += *dv;
            }
        }
    }
}

macro_rules! compile {
    ($name:ident, $inner:ident, $argument:ident, $type:ty) => {
        #[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
        pub(super) fn $name(n: $argument<'_, $type>) {
            $inner(n);
        }
    };
}

compile!(forward_f32, forward, NeuronForward, f32);
compile!(forward_f64, forward, NeuronForward, f64);
compile!(backward_f32, backward, NeuronBackward, f32);
compile!(backward_f64, backward, NeuronBackward, f64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    /// A potential that is not a number stays so in a ReLU, and its gradient passes, as in PyTorch.
    #[test]
    fn a_relu_keeps_what_is_no_number() {
        for emit in [Emit::ReluOver, Emit::Relu] {
            let (alpha, beta, threshold, reset) = (0.3, 0.0, 0.5, 0.0);
            let (half_width, height, detach_reset) = (0.5, 1.0, false);
            let rules =
                Membrane { alpha, beta, threshold, reset, half_width, height, detach_reset, emit };
            for fast in [true, false] {
                let (mut y, mut u, mut v) = ([0.0; 2], [0.0; 2], [0.0]);
                let x = &[f32::NAN, 0.1];
                let n = NeuronForward { rules, x, y: &mut y, u: &mut u, v: &mut v };
                if fast {
                    forward_f32(n)
                } else {
                    plain_forward(n)
                }
                assert!(y.iter().chain(&v).all(|x| x.is_nan()), "{y:?}");
                let (mut dx, mut dv) = ([0.0; 2], [0.0]);
                let g = &[0.0, 1.0];
                let n = NeuronBackward { rules, u: &u, g, dx: &mut dx, dv: &mut dv };
                if fast {
                    backward_f32(n)
                } else {
                    plain_backward(n)
                }
                assert_ne!(dx[1], 0.0, "the gradient is not stopped either");
            }
        }
    }

    #[test]
    fn the_fast_neuron_is_the_plain_neuron_bit_for_bit() {
        let emits = [Emit::Spike, Emit::ReluOver, Emit::Relu];
        for (len, steps) in [(1, 1), (7, 5), (TILE, 2), (2 * TILE + 3, 4)] {
            for (case, emit) in emits.into_iter().chain(emits).enumerate() {
                let (alpha, beta, threshold, reset) = (0.3, 0.1, 0.5, -0.2);
                let detach_reset = case >= 3;
                let (half_width, height) = (0.6, 0.8);
                let rules = Membrane::<f32> {
                    alpha,
                    beta,
                    threshold,
                    reset,
                    half_width,
                    height,
                    detach_reset,
                    emit,
                };
                let random = |seed, n: usize| {
                    let mut numbers = vec![0.0; n];
                    Key::new(seed).fill_normal(&mut numbers, 0.3, 1.0);
                    numbers
                };
                let (x, g) = (random(1, len * steps), random(2, len * steps));
                let run = |fast: bool, keep: bool| {
                    let mut y = vec![9.0; x.len()];
                    let mut u = vec![9.0; if keep { x.len() } else { 0 }];
                    let mut v = random(3, len);
                    let n = NeuronForward { rules, x: &x, y: &mut y, u: &mut u, v: &mut v };
                    if fast {
                        forward_f32(n)
                    } else {
                        plain_forward(n)
                    }
                    let (mut dx, mut dv) = (random(4, u.len()), random(5, len));
                    let n = NeuronBackward { rules, u: &u, g: &g, dx: &mut dx, dv: &mut dv };
                    if fast {
                        backward_f32(n)
                    } else {
                        plain_backward(n)
                    }
                    (y, u, v, dx, dv)
                };
                assert_eq!(run(true, true), run(false, true), "{len} {steps} {rules:?}");
                let (y, _, v, ..) = run(true, false);
                let (kept, _, kept_v, ..) = run(false, true);
                assert_eq!((y, v), (kept, kept_v), "{len} {steps} {rules:?}");
            }
        }
    }
}
