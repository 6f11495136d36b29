//! Code shared by the recurrent layers: products, the loop over time, gradients of the weights.

use std::fmt::Debug;

use crate::activation::Activation;
use crate::kernels::{Activated, Kernels, Matrix, Product};
use crate::memory::{Room, Saved};
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;

/// The elementwise part of one step of a recurrent layer of h units and G gates.
pub(super) trait Cell: Send + Sync + Debug + 'static {
    /// Number of gates: rows of the weights in units of h.
    const GATES: usize;
    /// Index of the gate that keeps the state, if the cell has one.
    const FORGET: Option<usize> = None;
    /// Number of values that are saved per unit and step for the backward pass.
    const KEPT: usize;
    /// Number of values that a unit carries from step to step in addition to its output. They are the
    /// last of the saved values.
    const CARRIED: usize;
    /// Whether the gates need the inputs' part and the recurrent part separately.
    const APART: bool;

    /// Computes the output `y` `[h]` from `x` = `W_ih X_t + b_ih` and `h` = `W_hh Y_{t-1} + b_hh`, both
    /// `[G h]`, and the previous output. Updates `carried` and writes `kept`.
    fn forward<R: Real>(&self, step: Step<'_, R>, before: &[R], carried: &mut [R], y: &mut [R]);

    /// Computes the gradients with respect to `x` and `h` from that with respect to the output.
    /// `d_carried` is the gradient with respect to what this step carries on, and is replaced by that
    /// with respect to what it received. `d_before` receives the gradient with respect to the previous
    /// output, except for the part through `h`.
    fn backward<R: Real>(&self, step: StepBack<'_, R>, d_carried: &mut [R], d_before: &mut [R]);
}

/// Arguments of one forward step. The cell may change `h`.
pub(super) struct Step<'a, R: Real> {
    pub kernels: &'static Kernels<R>,
    pub x: &'a [R],
    pub h: &'a mut [R],
    pub kept: &'a mut [R],
}

/// `y = f(x)`.
pub(super) fn activate<R: Real>(
    kernels: &Kernels<R>,
    activation: Activation,
    x: &[R],
    y: &mut [R],
) {
    (kernels.activate)(Activated { activation, x, y });
}

/// `sums += terms`.
pub(super) fn add<R: Real>(sums: &mut [R], terms: &[R]) {
    sums.iter_mut().zip(terms).for_each(|(sum, &term)| *sum += term);
}

/// Arguments of one backward step.
pub(super) struct StepBack<'a, R: Real> {
    pub kernels: &'static Kernels<R>,
    /// The values that this step saved, and those that the previous step carried on.
    pub kept: &'a [R],
    pub carried: &'a [R],
    /// Output, previous output, and gradient with respect to the output.
    pub y: &'a [R],
    pub y_before: &'a [R],
    pub dy: &'a [R],
    /// Gradients with respect to `x` and `h`, to be written; the second one only if they are separate.
    pub dx: &'a mut [R],
    pub dh: &'a mut [R],
}

/// Replaces the zeros in `state` by the state from which this pass continues, if there is one. That
/// state is saved in buffer 1 for the backward pass.
pub(super) fn start<R: Real>(flow: &Flow<'_, R>, state: &mut [R], saved: &mut Saved<R>) {
    let carry = flow.carry.as_deref().unwrap_or_default();
    state[..carry.len()].copy_from_slice(carry);
    saved.buffer(1, carry.len()).copy_from_slice(carry);
}

/// Does the same in the backward pass. Returns whether the pass started from the initial state.
pub(super) fn restart<R: Real>(state: &mut [R], saved: &Saved<R>) -> bool {
    let kept = saved.get(1);
    state[..kept.len()].copy_from_slice(kept);
    kept.is_empty()
}

#[derive(Debug)]
pub(super) struct RecurrentOp<C> {
    pub cell: C,
    pub length: usize,
    pub units: usize,
    pub bias: bool,
}

impl<C: Cell> RecurrentOp<C> {
    fn rows(&self) -> usize {
        C::GATES * self.units
    }

    /// `out = rows of x · Wᵀ + b`, with the weights and bias at parameters `at` and `at + 2`.
    fn affine<R: Real>(
        &self,
        x: &[R],
        width: usize,
        at: usize,
        out: &mut [R],
        cx: &Context<'_, R>,
    ) {
        let rows = self.rows();
        if self.bias {
            out.chunks_exact_mut(rows).for_each(|row| row.copy_from_slice(cx.params[at + 2]));
        }
        (cx.kernels.product)(Product {
            m: x.len() / width,
            n: rows,
            k: width,
            a: Matrix::rows(x, width),
            b: Matrix::transposed(cx.params[at], width),
            c: out,
            c_width: rows,
            add: self.bias,
        });
    }
}

/// Adds the gradients with respect to the weights `[rows, width]` and the bias of `out = x · Wᵀ + b`.
fn add_weights<R: Real>(
    d: &[R],
    x: &[R],
    width: usize,
    at: usize,
    bias: bool,
    b: &mut Parts<'_, R>,
) {
    let rows = b.rows;
    (b.product)(Product {
        m: rows,
        n: width,
        k: x.len() / width,
        a: Matrix::transposed(d, rows),
        b: Matrix::rows(x, width),
        c: &mut b.d_params[at],
        c_width: width,
        add: true,
    });
    if bias {
        for row in b.all.chunks_exact(rows) {
            b.d_params[at + 2].iter_mut().zip(row).for_each(|(sum, &g)| *sum += g);
        }
    }
}

/// Arguments of [`add_weights`]. `all` are the gradients of all steps, each of which includes the bias.
struct Parts<'a, R: Real> {
    rows: usize,
    product: fn(Product<'_, R>),
    d_params: &'a mut [Vec<R>],
    all: &'a [R],
}

impl<R: Real, C: Cell> SampleOp<R> for RecurrentOp<C> {
    fn forward(&self, flow: Flow<'_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let (units, rows) = (self.units, self.rows());
        let mut x_part = cx.scratch.take(flow.steps * rows);
        let mut h_part = cx.scratch.take(rows);
        let mut state = cx.scratch.zeros((1 + C::CARRIED) * units);
        start(&flow, &mut state, saved);
        let (before, carried) = state.split_at_mut(units);
        self.affine(flow.inputs[0], self.length, 0, &mut x_part, cx);
        let kept = saved.buffer(0, flow.steps * C::KEPT * units);
        for t in 0..flow.steps {
            self.affine(before, units, 1, &mut h_part, cx);
            let y = &mut flow.output[t * units..(t + 1) * units];
            let step = Step {
                kernels: cx.kernels,
                x: &x_part[t * rows..(t + 1) * rows],
                h: &mut h_part,
                kept: &mut kept[t * C::KEPT * units..(t + 1) * C::KEPT * units],
            };
            self.cell.forward(step, before, carried, y);
            before.copy_from_slice(y);
        }
        if let Some(carry) = flow.carry {
            carry.copy_from_slice(&state);
        }
        cx.scratch.put_all([state, h_part, x_part]);
    }

    fn backward(&self, back: Back<'_, '_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let (steps, units, rows) = (back.steps, self.units, self.rows());
        let mut dx = cx.scratch.take(steps * rows);
        let mut dh = cx.scratch.take(if C::APART { steps * rows } else { 0 });
        let mut d_carried = cx.scratch.zeros(C::CARRIED * units);
        let mut dy = cx.scratch.zeros(units);
        let mut d_before = cx.scratch.take(units);
        let mut state = cx.scratch.zeros((1 + C::CARRIED) * units);
        let began = restart(&mut state, saved);
        let kept = |t: usize| &saved.get(0)[t * C::KEPT * units..(t + 1) * C::KEPT * units];
        let output = |t: usize| &back.output[t * units..(t + 1) * units];
        for t in (0..steps).rev() {
            let at = t * rows..(t + 1) * rows;
            // At this point `dy` contains the gradient from later steps.
            dy.iter_mut()
                .zip(&back.d_output[t * units..(t + 1) * units])
                .for_each(|(sum, &g)| *sum += g);
            d_before.fill(R::ZERO);
            let step = StepBack {
                kernels: cx.kernels,
                kept: kept(t),
                carried: match t.checked_sub(1) {
                    Some(t) => &kept(t)[(C::KEPT - C::CARRIED) * units..],
                    None => &state[units..],
                },
                y: output(t),
                y_before: t.checked_sub(1).map_or(&state[..units], output),
                dy: &dy,
                dx: &mut dx[at.clone()],
                dh: dh.get_mut(at.clone()).unwrap_or_default(),
            };
            self.cell.backward(step, &mut d_carried, &mut d_before);
            if t > 0 {
                (cx.kernels.product)(Product {
                    m: 1,
                    n: units,
                    k: rows,
                    a: Matrix::rows(if C::APART { &dh[at] } else { &dx[at] }, rows),
                    b: Matrix::rows(cx.params[1], units),
                    c: &mut d_before,
                    c_width: units,
                    add: true,
                });
            }
            std::mem::swap(&mut dy, &mut d_before);
        }
        let by_h = if C::APART { &dh } else { &dx };
        let mut parts =
            Parts { rows, product: cx.kernels.product, d_params: back.d_params, all: &dx };
        add_weights(&dx, back.inputs[0], self.length, 0, self.bias, &mut parts);
        parts.all = by_h;
        let recurrent = &back.output[..(steps - 1) * units];
        add_weights(&by_h[rows..], recurrent, units, 1, self.bias, &mut parts);
        if !began {
            add_weights(&by_h[..rows], &state[..units], units, 1, false, &mut parts);
        }
        if let Some(d_input) = &mut back.d_inputs[0] {
            (cx.kernels.product)(Product {
                m: steps,
                n: self.length,
                k: rows,
                a: Matrix::rows(&dx, rows),
                b: Matrix::rows(cx.params[0], self.length),
                c: d_input,
                c_width: self.length,
                add: true,
            });
        }
        cx.scratch.put_all([state, d_before, dy, d_carried, dh, dx]);
    }

    fn room(&self, steps: usize, keep: bool) -> Room {
        let (units, rows) = (self.units, self.rows());
        let back = if keep { 2 } else { 0 };
        Room::new(
            &[&[steps, C::KEPT, units], &[1 + C::CARRIED, units]],
            &[&[1 + back, steps, rows], &[rows], &[3 + 2 * C::CARRIED, units]],
        )
    }

    /// The previous output, followed by what the cell carries.
    fn state_len(&self) -> usize {
        (1 + C::CARRIED) * self.units
    }

    fn carries(&self) -> bool {
        true
    }
}
