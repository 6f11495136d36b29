//! The common neuron over all steps of a sample: hard reset, rectangular surrogate, and the same
//! constants for all neurons. The formulas are in [`crate::neuron`].

use multiversion::multiversion;
use smallvec::SmallVec;

use super::activate::{by_kind, compile};
use crate::activation::Activation;
use crate::real::Real;

/// The output of the common neuron.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Emit {
    /// F.
    Spike,
    /// `f(U - V_th)`.
    Over(Activation),
    /// `f(U)`.
    Potential(Activation),
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

/// Some of the columns of a matrix `[T, len]` of steps, which other threads may read as well.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a, R> {
    /// The whole matrix.
    pub data: &'a [R],
    /// Number of columns of the matrix.
    pub len: usize,
    /// The first of these columns.
    pub first: usize,
}

impl<'a, R> Columns<'a, R> {
    /// `len` numbers of step `t`, from column `from` of these on.
    #[inline(always)]
    fn row(&self, t: usize, from: usize, len: usize) -> &'a [R] {
        &self.data[t * self.len + self.first + from..][..len]
    }
}

/// Some of the columns of a matrix `[T, len]` of steps, one slice for each step, which can be written.
pub type Rows<'a, R> = SmallVec<[&'a mut [R]; 2]>;

/// Arguments of the forward pass over some neurons, as many as there are numbers in `v`.
#[derive(Debug)]
pub struct NeuronForward<'a, R> {
    /// The rules.
    pub rules: Membrane<R>,
    /// Input.
    pub x: Columns<'a, R>,
    /// Output.
    pub y: Rows<'a, R>,
    /// U, to be stored; or empty.
    pub u: Rows<'a, R>,
    /// V before the first step, which is replaced by V after the last one.
    pub v: &'a mut [R],
}

/// Arguments of the backward pass over some neurons, as many as there are numbers in `dv`.
#[derive(Debug)]
pub struct NeuronBackward<'a, R> {
    /// The rules.
    pub rules: Membrane<R>,
    /// U.
    pub u: Columns<'a, R>,
    /// The output.
    pub y: Columns<'a, R>,
    /// Gradient with respect to the output.
    pub g: Columns<'a, R>,
    /// Gradient with respect to the input.
    pub dx: Rows<'a, R>,
    /// Gradient with respect to V after the last step, which is replaced by that before the first step.
    pub dv: &'a mut [R],
    /// Whether `dx` is written instead of added to.
    pub write: bool,
}

pub(super) fn plain_forward<R: Real>(n: NeuronForward<'_, R>) {
    let (rules, mut kept) = (n.rules, n.u.into_iter());
    for (t, y) in n.y.into_iter().enumerate() {
        let mut row = kept.next();
        for (i, v) in n.v.iter_mut().enumerate() {
            let u = n.x.row(t, i, 1)[0] + *v;
            let fired = u >= rules.threshold;
            *v = rules.alpha * if fired { rules.reset } else { u } + rules.beta;
            y[i] = match rules.emit {
                Emit::Spike if fired => R::ONE,
                Emit::Spike => R::ZERO,
                Emit::Over(activation) => activation.value(u - rules.threshold),
                Emit::Potential(activation) => activation.value(u),
            };
            if let Some(row) = &mut row {
                row[i] = u;
            }
        }
    }
}

pub(super) fn plain_backward<R: Real>(n: NeuronBackward<'_, R>) {
    let rules = n.rules;
    for (t, dx) in n.dx.into_iter().enumerate().rev() {
        for (i, dv) in n.dv.iter_mut().enumerate() {
            let (u, g) = (n.u.row(t, i, 1)[0], n.g.row(t, i, 1)[0]);
            let over = u - rules.threshold;
            let s = if over.abs() < rules.half_width { rules.height } else { R::ZERO };
            let left = if over >= R::ZERO { R::ZERO } else { R::ONE };
            let through = if rules.detach_reset { R::ZERO } else { s * (rules.reset - u) };
            let out = match rules.emit {
                Emit::Spike => s,
                Emit::Over(activation) => activation.derivative(over),
                Emit::Potential(activation) => activation.derivative(u),
            };
            *dv = g * out + *dv * (rules.alpha * (through + left));
            dx[i] = if n.write { *dv } else { dx[i] + *dv };
        }
    }
}

/// Number of neurons whose membranes stay in the first-level cache over all steps.
const TILE: usize = 1024;

/// As [`plain_forward`], tile by tile, in loops that the compiler vectorises.
///
/// It does so only if the closures are inlined: otherwise the closures of all kinds of activation become one
/// function, which looks at the kind for every number.
#[inline(always)]
pub(super) fn forward<R: Real>(n: NeuronForward<'_, R>) {
    match n.rules.emit {
        Emit::Spike => forward_tiles(
            n,
            #[inline(always)]
            |_, over| if over >= R::ZERO { R::ONE } else { R::ZERO },
        ),
        Emit::Over(f) => by_kind!(f, f => forward_tiles(
            n,
            #[inline(always)]
            |_, over| f.value(over),
        )),
        Emit::Potential(f) => by_kind!(f, f => forward_tiles(
            n,
            #[inline(always)]
            |u, _| f.value(u),
        )),
    }
}

#[inline(always)]
fn forward_tiles<R: Real>(mut n: NeuronForward<'_, R>, emit: impl Fn(R, R) -> R) {
    let Membrane { alpha, beta, threshold, reset, .. } = n.rules;
    let mut spare = [R::ZERO; TILE];
    for (tile, v) in n.v.chunks_mut(TILE).enumerate() {
        let (first, len) = (tile * TILE, v.len());
        for (t, y) in n.y.iter_mut().enumerate() {
            let (x, y) = (n.x.row(t, first, len), &mut y[first..first + len]);
            let u = match n.u.get_mut(t) {
                Some(u) => &mut u[first..first + len],
                None => &mut spare[..len],
            };
            for (((&x, y), u), v) in x.iter().zip(y).zip(u).zip(v.iter_mut()) {
                *u = x + *v;
                let over = *u - threshold;
                let left = if over >= R::ZERO { reset } else { *u };
                *v = alpha * left + beta;
                *y = emit(*u, over);
            }
        }
    }
}

/// As [`plain_backward`], in loops that the compiler vectorises.
#[inline(always)]
pub(super) fn backward<R: Real>(n: NeuronBackward<'_, R>) {
    match n.rules.emit {
        Emit::Spike => backward_either(
            n,
            #[inline(always)]
            |_, _, s, _| s,
        ),
        Emit::Over(f) => by_kind!(f, f => backward_either(
            n,
            #[inline(always)]
            |_, over, _, y| f.slope(over, y),
        )),
        Emit::Potential(f) => by_kind!(f, f => backward_either(
            n,
            #[inline(always)]
            |u, _, _, y| f.slope(u, y),
        )),
    }
}

#[inline(always)]
fn backward_either<R: Real>(n: NeuronBackward<'_, R>, slope: impl Fn(R, R, R, R) -> R) {
    if n.write {
        backward_tiles(
            n,
            slope,
            #[inline(always)]
            |_, dv| dv,
        );
    } else {
        backward_tiles(
            n,
            slope,
            #[inline(always)]
            |dx, dv| dx + dv,
        );
    }
}

#[inline(always)]
fn backward_tiles<R: Real>(
    mut n: NeuronBackward<'_, R>,
    slope: impl Fn(R, R, R, R) -> R,
    give: impl Fn(R, R) -> R,
) {
    let Membrane { alpha, threshold, reset, half_width, height, detach_reset, .. } = n.rules;
    let reach = if detach_reset { R::ZERO } else { R::ONE };
    for (tile, dv) in n.dv.chunks_mut(TILE).enumerate() {
        let (first, len) = (tile * TILE, dv.len());
        for (t, dx) in n.dx.iter_mut().enumerate().rev() {
            let (u, y) = (n.u.row(t, first, len), n.y.row(t, first, len));
            let (g, dx) = (n.g.row(t, first, len), &mut dx[first..first + len]);
            for (((&u, &y), &g), (dx, dv)) in
                u.iter().zip(y).zip(g).zip(dx.iter_mut().zip(dv.iter_mut()))
            {
                let over = u - threshold;
                let s = if over.abs() < half_width { height } else { R::ZERO };
                let left = if over >= R::ZERO { R::ZERO } else { R::ONE };
                let through = reach * s * (reset - u);
                *dv = g * slope(u, over, s, y) + *dv * (alpha * (through + left));
                *dx = give(*dx, *dv);
            }
        }
    }
}

compile!(forward_f32 = forward, NeuronForward<'_, f32>);
compile!(forward_f64 = forward, NeuronForward<'_, f64>);
compile!(backward_f32 = backward, NeuronBackward<'_, f32>);
compile!(backward_f64 = backward, NeuronBackward<'_, f64>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    const EMITS: [Emit; 15] = [
        Emit::Spike,
        Emit::Over(Activation::Identity),
        Emit::Over(Activation::Relu),
        Emit::Over(Activation::LeakyRelu { slope: 0.2 }),
        Emit::Over(Activation::Selu),
        Emit::Over(Activation::Elu { alpha: 1.5 }),
        Emit::Over(Activation::Sigmoid),
        Emit::Over(Activation::Tanh),
        Emit::Potential(Activation::Identity),
        Emit::Potential(Activation::Relu),
        Emit::Potential(Activation::LeakyRelu { slope: 0.2 }),
        Emit::Potential(Activation::Selu),
        Emit::Potential(Activation::Elu { alpha: 1.5 }),
        Emit::Potential(Activation::Sigmoid),
        Emit::Potential(Activation::Tanh),
    ];

    /// All columns of a matrix of rows of `len` numbers.
    fn all<R>(data: &[R], len: usize) -> Columns<'_, R> {
        Columns { data, len, first: 0 }
    }

    /// A potential that is not a number stays so in a ReLU, and its gradient passes, as in PyTorch.
    #[test]
    fn a_relu_keeps_what_is_no_number() {
        for emit in [Emit::Over(Activation::Relu), Emit::Potential(Activation::Relu)] {
            let (alpha, beta, threshold, reset) = (0.3, 0.0, 0.5, 0.0);
            let (half_width, height, detach_reset) = (0.5, 1.0, false);
            let rules =
                Membrane { alpha, beta, threshold, reset, half_width, height, detach_reset, emit };
            for fast in [true, false] {
                let (mut y, mut u, mut v) = ([0.0; 2], [0.0; 2], [0.0]);
                let x = all(&[f32::NAN, 0.1], 1);
                let (y_rows, u_rows) = (y.chunks_mut(1).collect(), u.chunks_mut(1).collect());
                let n = NeuronForward { rules, x, y: y_rows, u: u_rows, v: &mut v };
                if fast {
                    forward_f32(n)
                } else {
                    plain_forward(n)
                }
                assert!(y.iter().chain(&v).all(|x: &f32| x.is_nan()), "{y:?}");
                let (mut dx, mut dv) = ([0.0; 2], [0.0]);
                let (u, y, g) = (all(&u, 1), all(&y, 1), all(&[0.0, 1.0], 1));
                let rows = dx.chunks_mut(1).collect();
                let n = NeuronBackward { rules, u, y, g, dx: rows, dv: &mut dv, write: false };
                if fast {
                    backward_f32(n)
                } else {
                    plain_backward(n)
                }
                assert_ne!(dx[1], 0.0, "the gradient is not stopped either");
            }
        }
    }

    /// Runs all neurons in parts of `part` neurons, and returns y, U, V, dx and dV.
    fn run(
        (fast, keep, write): (bool, bool, bool),
        rules: Membrane<f32>,
        (len, steps, part): (usize, usize, usize),
    ) -> [Vec<f32>; 5] {
        let random = |seed, n: usize| {
            let mut numbers = vec![0.0; n];
            Key::new(seed).fill_normal(&mut numbers, 0.3, 1.0);
            numbers
        };
        let (x, g) = (random(1, len * steps), random(2, len * steps));
        let mut y = vec![9.0; x.len()];
        let mut u = vec![9.0; if keep { x.len() } else { 0 }];
        let mut v = random(3, len);
        for first in (0..len).step_by(part) {
            let columns = first..(first + part).min(len);
            let n = NeuronForward {
                rules,
                x: Columns { data: &x, len, first },
                y: y.chunks_mut(len).map(|row| &mut row[columns.clone()]).collect(),
                u: u.chunks_mut(len).map(|row| &mut row[columns.clone()]).collect(),
                v: &mut v[columns],
            };
            if fast { forward_f32(n) } else { plain_forward(n) }
        }
        let (mut dx, mut dv) = (random(4, u.len()), random(5, len));
        for first in (0..len).step_by(part) {
            let columns = first..(first + part).min(len);
            let of = |data| Columns { data, len, first };
            let n = NeuronBackward {
                rules,
                u: of(&u[..]),
                y: of(&y[..]),
                g: of(&g[..]),
                dx: dx.chunks_mut(len).map(|row| &mut row[columns.clone()]).collect(),
                dv: &mut dv[columns],
                write,
            };
            if fast { backward_f32(n) } else { plain_backward(n) }
        }
        [y, u, v, dx, dv]
    }

    #[test]
    fn the_fast_neuron_is_the_plain_neuron_bit_for_bit_in_any_parts() {
        for (len, steps) in [(1, 1), (7, 5), (TILE, 2), (2 * TILE + 3, 3)] {
            for (case, emit) in EMITS.into_iter().chain(EMITS).enumerate() {
                let (alpha, beta, threshold, reset) = (0.3, 0.1, 0.5, -0.2);
                let detach_reset = case >= EMITS.len();
                let (half_width, height) = (0.6, 0.8);
                let rules = Membrane {
                    alpha,
                    beta,
                    threshold,
                    reset,
                    half_width,
                    height,
                    detach_reset,
                    emit,
                };
                for write in [false, true] {
                    let plain = run((false, true, write), rules, (len, steps, len));
                    for part in [len, len.div_ceil(3)] {
                        let fast = run((true, true, write), rules, (len, steps, part));
                        assert_eq!(fast, plain, "{len} {steps} {part} {rules:?}");
                    }
                    let [y, _, v, ..] = run((true, false, write), rules, (len, steps, len));
                    assert_eq!([&y, &v], [&plain[0], &plain[2]], "{len} {steps} {rules:?}");
                }
            }
        }
    }
}
