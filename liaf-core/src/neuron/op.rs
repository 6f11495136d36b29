//! The operation of neurons over the steps of a sample.

use rayon::prelude::*;
use smallvec::SmallVec;

use super::cell::{Constants, ResetRule, Rules};
use super::constant::Value;
use super::{Output, SurrogateKind, recurrent, synaptic};
use crate::kernels::{Columns, Emit, Membrane, NeuronBackward, NeuronForward, Rows};
use crate::memory::{Buffer, Room, Saved};
use crate::op::{Back, Context, Firing, Flow, SampleOp, Trace};
use crate::real::Real;

/// With at least this many numbers in all steps, a layer is worth several threads.
const WORTH_THREADS: usize = 1 << 18;

/// How many neurons of an item of `len` are run together, in a signal of `total` numbers. Neurons do not
/// depend on each other, so that results do not depend on this.
fn part_width(len: usize, total: usize) -> usize {
    let parts = if total < WORTH_THREADS { 1 } else { rayon::current_num_threads() };
    len.div_ceil(parts).max(1)
}

/// The rows of a matrix `[T, len]`, cut into parts of `width` columns.
fn split<R>(matrix: &mut [R], len: usize, width: usize) -> SmallVec<[Rows<'_, R>; 1]> {
    let mut parts: SmallVec<[Rows<'_, R>; 1]> =
        (0..len.div_ceil(width)).map(|_| Rows::new()).collect();
    for row in matrix.chunks_exact_mut(len) {
        parts.iter_mut().zip(row.chunks_mut(width)).for_each(|(part, piece)| part.push(piece));
    }
    parts
}

/// Calls `run` for every part with its first column, on all threads if there are several parts.
fn each<T: Send>(
    parts: impl ExactSizeIterator<Item = T>,
    width: usize,
    run: impl Fn(usize, T) + Sync,
) {
    if parts.len() == 1 {
        return parts.for_each(|part| run(0, part));
    }
    let parts: Vec<T> = parts.collect();
    parts.into_par_iter().enumerate().for_each(|(i, part)| run(i * width, part));
}

/// Neurons with their rules, and where their constants are found.
///
/// Saves U (buffer 0), with a synapse its currents (buffer 1), and the state from which the pass
/// continued (buffer 2; empty if it started from the initial state).
#[derive(Debug)]
pub(super) struct NeuronOp {
    pub rules: Rules,
    pub values: Constants<Value>,
    pub synapse: bool,
    /// Index of the recurrent weight among the parameters; the bias follows it.
    pub recurrent: Option<usize>,
    /// V before the first step.
    pub start: f64,
    /// Number of values in an item.
    pub len: usize,
}

impl NeuronOp {
    /// The rules in the form of the common neuron, if they are of that kind.
    fn common<R: Real>(&self, firing: Firing) -> Option<Membrane<R>> {
        let emit = match self.rules.output {
            Output::Spike => Emit::Spike,
            Output::Analog(activation) if self.rules.threshold_related => Emit::Over(activation),
            Output::Analog(activation) => Emit::Potential(activation),
            Output::Membrane => return None,
        };
        let surrogate = self.rules.surrogate;
        let common = firing == Firing::Step
            && self.rules.reset == ResetRule::Hard
            && surrogate.kind == SurrogateKind::Rectangle
            && !self.filtered()
            && self.recurrent.is_none();
        let number = |value: &Value| value.number().filter(|_| common).map(R::of);
        Some(Membrane {
            alpha: number(&self.values.alpha)?,
            beta: number(&self.values.beta)?,
            threshold: number(&self.values.threshold)?,
            reset: number(&self.values.reset)?,
            half_width: R::of(surrogate.a),
            height: R::of(0.5 / surrogate.a),
            detach_reset: self.rules.detach_reset,
            emit,
        })
    }

    /// Whether the membrane integrates something other than the input.
    fn filtered(&self) -> bool {
        self.synapse || self.values.gain.number() != Some(1.0)
    }

    /// Runs all steps of `flow`. `v` and `s` are the state before them, and are replaced by the state
    /// after them.
    fn run<R: Real>(
        &self,
        flow: Flow<'_, R>,
        (v, s): (&mut [R], &mut [R]),
        saved: &mut Saved<R>,
        cx: &mut Context<'_, R>,
    ) {
        let (len, x) = (self.len, flow.inputs[0]);
        let kept = if cx.keep { x.len() } else { 0 };
        saved.buffer(1, if self.synapse { kept } else { 0 });
        if let Some(rules) = self.common(cx.firing) {
            let width = part_width(len, x.len());
            let parts = split(flow.output, len, width).into_iter().zip(v.chunks_mut(width));
            let parts = parts.zip(split(saved.buffer(0, kept), len, width));
            let kernel = cx.kernels.neuron_forward;
            return each(parts, width, |first, ((y, v), u)| {
                kernel(NeuronForward { rules, x: Columns { data: x, len, first }, y, u, v });
            });
        }
        let constants = self.values.each(self.len, cx);
        let mut current = cx.scratch.take(if self.filtered() { x.len() } else { 0 });
        if self.filtered() {
            synaptic::filter((&constants.gain, &constants.synapse), x, &mut current, s);
        }
        if self.synapse && cx.keep {
            saved.buffer(1, kept).copy_from_slice(&current);
        }
        let (mut row, mut over) = (cx.scratch.take(len), cx.scratch.take(len));
        let potentials = saved.buffer(0, kept);
        let integrated = if self.filtered() { &current } else { x };
        let steps = integrated.chunks_exact(len).zip(flow.output.chunks_exact_mut(len));
        for (t, (input, y)) in steps.enumerate() {
            let u = potentials.get_mut(t * len..(t + 1) * len).unwrap_or(&mut row);
            u.copy_from_slice(input);
            match self.recurrent {
                Some(weight) => {
                    recurrent::add(cx.kernels, (cx.params[weight], cx.params[weight + 1]), v, u);
                }
                None => u.iter_mut().zip(v.iter()).for_each(|(u, &v)| *u += v),
            }
            self.rules.leak(&constants, u, v, cx.firing);
            self.rules.emit(&constants, (u, &mut over), y, (cx.kernels, cx.firing));
        }
        cx.scratch.put_all(constants.into_array().into_iter().chain([current, row, over]));
    }
}

impl<R: Real> SampleOp<R> for NeuronOp {
    fn runs_in_stretches(&self, _steps: usize) -> bool {
        self.recurrent.is_none()
    }

    fn forward(&self, mut flow: Flow<'_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let mut state = cx.scratch.take(SampleOp::<R>::state_len(self));
        let mut carry = flow.carry.take();
        match &carry {
            Some(carry) => state.copy_from_slice(carry),
            None => self.init_state(&mut state),
        }
        let went_on = carry.as_deref().unwrap_or_default();
        saved.buffer(2, went_on.len()).copy_from_slice(went_on);
        self.run(flow, state.split_at_mut(self.len), saved, cx);
        if let Some(carry) = &mut carry {
            carry.copy_from_slice(&state);
        }
        cx.scratch.put(state);
    }

    fn backward(&self, back: Back<'_, '_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let Back { inputs, output: y, d_output: g, d_inputs, d_params, write, .. } = back;
        let (len, x, u) = (self.len, inputs[0], saved.get(0));
        let dx = d_inputs[0].as_deref_mut();
        if let Some(rules) = self.common(cx.firing) {
            let Some(dx) = dx else { return };
            let mut dv = cx.scratch.zeros(len);
            let width = part_width(len, x.len());
            let parts = split(dx, len, width).into_iter().zip(dv.chunks_mut(width));
            let kernel = cx.kernels.neuron_backward;
            each(parts, width, |first, (dx, dv)| {
                let of = |data| Columns { data, len, first };
                let (u, y, g) = (of(u), of(y), of(g));
                kernel(NeuronBackward { rules, u, y, g, dx, dv, write });
            });
            return cx.scratch.put(dv);
        }
        let constants = self.values.each(self.len, cx);
        let mut sums = self.values.map(|value| {
            let len = if value.learned() { len } else { 0 };
            cx.scratch.zeros(len)
        });
        // Gradients with respect to V after a step, and with respect to U of all steps.
        let mut dv = cx.scratch.zeros(len);
        let mut du = cx.scratch.take(x.len());
        // That with respect to U through the output of a step.
        let (mut through, mut over) = (cx.scratch.take(len), cx.scratch.take(len));
        let outputs = y.chunks_exact(len).zip(g.chunks_exact(len));
        let steps = u.chunks_exact(len).zip(outputs).zip(du.chunks_exact_mut(len));
        for ((u, output), du) in steps.rev() {
            du.copy_from_slice(&dv);
            let at = (u, &mut over[..]);
            self.rules.emit_back(&constants, at, output, &mut through, cx.kernels);
            self.rules.leak_back(&constants, (u, &through), du, &mut sums, cx.firing);
            match self.recurrent {
                Some(weight) => recurrent::back(cx.kernels, cx.params[weight], du, &mut dv),
                None => dv.copy_from_slice(du),
            }
        }
        if let Some(weight) = self.recurrent {
            let before = self.before(&constants, u, saved.get(2), cx);
            if let [d_weight, d_bias] = &mut d_params[weight..weight + 2] {
                recurrent::add_gradients(cx.kernels, &du, &before, d_weight, d_bias);
            }
            cx.scratch.put(before);
        }
        if self.filtered() {
            let both = (&mut sums.gain[..], &mut sums.synapse[..]);
            let before = saved.get(2).get(len..).unwrap_or_default();
            synaptic::filter_back(&constants.synapse, (x, saved.get(1), before), &mut du, both);
        }
        if let Some(dx) = dx {
            let rows = dx.chunks_exact_mut(len).zip(du.chunks_exact(len));
            for (dx, du) in rows {
                for ((dx, &du), &gain) in dx.iter_mut().zip(du).zip(&constants.gain) {
                    *dx = if write { gain * du } else { *dx + gain * du };
                }
            }
        }
        let sums = sums.into_array();
        for (value, sums) in self.values.clone().into_array().iter().zip(&sums) {
            value.add_gradient(sums, cx.params, d_params);
        }
        cx.scratch.put_all(constants.into_array().into_iter().chain(sums));
        cx.scratch.put_all([dv, du, through, over]);
    }

    fn writes(&self) -> bool {
        true
    }

    fn room(&self, steps: usize, keep: bool) -> Room {
        let (len, kept) = (self.len, if keep { steps } else { 0 });
        // In the forward pass the currents, two rows, the state and the constants; in the backward pass
        // the gradients of all steps, V of all steps, three rows, and sums for the constants.
        let currents = if self.filtered() { steps } else { 0 };
        Room::new(&[&[2, kept, len], &[2, len]], &[&[currents, len], &[2, kept, len], &[18, len]])
    }

    /// V, followed by S if there is a synapse.
    fn state_len(&self) -> usize {
        if self.filtered() { 2 * self.len } else { self.len }
    }

    fn init_state(&self, state: &mut [R]) {
        let (v, s) = state.split_at_mut(self.len);
        v.fill(R::of(self.start));
        s.fill(R::ZERO);
    }

    fn carries(&self) -> bool {
        true
    }

    fn record(&self, what: Trace, saved: &Saved<R>, cx: &Context<'_, R>) -> Option<Vec<R>> {
        let u = saved.get(0);
        if u.is_empty() {
            return None;
        }
        if what == Trace::Potential {
            return Some(u.to_vec());
        }
        let mut threshold = vec![R::ZERO; self.len];
        self.values.threshold.fill(&mut threshold, cx);
        let spike = |(&u, &threshold): (&R, &R)| self.rules.spike(u - threshold, Firing::Step);
        Some(u.iter().zip(threshold.iter().cycle()).map(spike).collect())
    }
}

impl NeuronOp {
    /// V before each step, `[T, len]`, computed from U and from the state from which the pass
    /// continued, if any.
    fn before<R: Real>(
        &self,
        constants: &Constants<Buffer<R>>,
        u: &[R],
        start: &[R],
        cx: &mut Context<'_, R>,
    ) -> Buffer<R> {
        let len = self.len;
        let mut before = cx.scratch.take(u.len());
        match start.get(..len) {
            Some(start) => before[..len].copy_from_slice(start),
            None => before[..len].fill(R::of(self.start)),
        }
        for (u, v) in u.chunks_exact(len).zip(before[len..].chunks_exact_mut(len)) {
            self.rules.leak(constants, u, v, cx.firing);
        }
        before
    }
}
