//! What the recurrent layers have in common: products, time, gradients of the weights.

use std::fmt::Debug;

use crate::kernels::{Matrix, Product};
use crate::memory::Saved;
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;

/// The elementwise part of one step of a recurrent layer of h units and G gates.
pub(super) trait Cell: Send + Sync + Debug + 'static {
    /// Gates: rows of the weights in units of h.
    const GATES: usize;
    /// Numbers a unit keeps of each step for the way back.
    const KEPT: usize;
    /// Numbers a unit carries from step to step beside its output. They are the last of those it
    /// keeps.
    const CARRIED: usize;
    /// Whether the gates see the inputs' part and the recurrent part apart from each other.
    const APART: bool;

    /// From `x` = `W_ih X_t + b_ih` and `h` = `W_hh Y_{t-1} + b_hh`, both `[G h]`, and the output
    /// before, to the output `y` `[h]`. Changes `carried` and writes `kept`.
    fn forward<R: Real>(&self, step: Step<'_, R>, before: &[R], carried: &mut [R], y: &mut [R]);

    /// From the gradient by the output to those by `x` and `h`. `d_carried` is the gradient by what
    /// this step hands on beside its output, and becomes that by what it was handed; `d_before`
    /// takes the gradient by the output before that does not go through `h`.
    fn backward<R: Real>(&self, step: StepBack<'_, R>, d_carried: &mut [R], d_before: &mut [R]);
}

/// One step forward.
pub(super) struct Step<'a, R> {
    pub x: &'a [R],
    pub h: &'a [R],
    pub kept: &'a mut [R],
}

/// One step back.
pub(super) struct StepBack<'a, R> {
    /// What the step kept, and what the one before it handed on beside its output.
    pub kept: &'a [R],
    pub carried: &'a [R],
    /// Output, the output before, gradient by the output.
    pub y: &'a [R],
    pub y_before: &'a [R],
    pub dy: &'a [R],
    /// Gradients by `x` and `h`, to be written; the second only where they are apart.
    pub dx: &'a mut [R],
    pub dh: &'a mut [R],
}

/// The state before the first step, of zeros so far, if it goes on from one; which is kept in buffer 1
/// for the way back.
pub(super) fn start<R: Real>(flow: &Flow<'_, R>, state: &mut [R], saved: &mut Saved<R>) {
    let carry = flow.carry.as_deref().unwrap_or_default();
    state[..carry.len()].copy_from_slice(carry);
    saved.buffer(1, carry.len()).copy_from_slice(carry);
}

/// The same on the way back. Says whether it began anew.
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

    /// `out = rows of x · Wᵀ + b`, the weights and bias standing at `at` and `at + 2`.
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

/// Adds the gradients by weights `[rows, width]` and bias of `out = x · Wᵀ + b`.
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

/// What [`add_weights`] adds to; `all` are the gradients of all steps, of which the bias is in each.
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
                x: &x_part[t * rows..(t + 1) * rows],
                h: &h_part,
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
            // So far `dy` is what came back through time.
            dy.iter_mut()
                .zip(&back.d_output[t * units..(t + 1) * units])
                .for_each(|(sum, &g)| *sum += g);
            d_before.fill(R::ZERO);
            let step = StepBack {
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

    /// The output before, then what the cell carries.
    fn state_len(&self) -> usize {
        (1 + C::CARRIED) * self.units
    }

    fn carries(&self) -> bool {
        true
    }
}
