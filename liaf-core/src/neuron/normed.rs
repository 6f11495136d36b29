//! Neurons with batch norm inside the recurrence.
//!
//! `Z_t = I_t + V_{t-1}`, `U_t = norm(Z_t)` over the batch and the numbers of a channel, separately at
//! every step; then firing, reset and leak as usual. The running statistics are updated once per step.
//! The order is that of the LIAF layers of BIDL, the successor of LIAF-Net's code. A sample that has
//! ended does not take part in later steps.

use rayon::prelude::*;
use smallvec::SmallVec;

use super::cell::{Constants, Rules};
use super::constant::Value;
use crate::error::Result;
use crate::layer::norm::BatchNorm;
use crate::layer::norm::moments::{Affine, BackSums, Channels, Pairs, follow, reciprocal, scale};
use crate::memory::{Buffer, Room, Saved};
use crate::op::{Back, BatchOp, Context, Firing, Flow, Trace};
use crate::real::Real;

/// Saves Z of all samples, one after another (buffer 0), the number of steps of each sample (index),
/// and for every step the mean (buffer 1), the reciprocal deviation (buffer 2) and the latter times the
/// weight (buffer 3).
#[derive(Debug)]
pub(super) struct NormedOp {
    pub rules: Rules,
    pub values: Constants<Value>,
    pub norm: BatchNorm,
    pub channels: Channels,
    /// Indices of the first parameter and the first buffer of the norm.
    pub first: (usize, usize),
}

/// The normalisation that is applied at step `t`.
fn at<'a, R: Real>(saved: &'a Saved<R>, t: usize, count: usize, bias: &'a [R]) -> Affine<'a, R> {
    let of = |i: usize| &saved.get(i)[t * count..(t + 1) * count];
    Affine { mean: of(1), scale: of(3), bias }
}

/// Z of every sample, `[T, len]`.
fn by_sample<R: Real>(saved: &Saved<R>, len: usize) -> impl Iterator<Item = &[R]> {
    let mut rest = saved.get(0);
    saved.index.iter().map(move |&steps| {
        let (own, later) = rest.split_at(steps as usize * len);
        rest = later;
        own
    })
}

impl NormedOp {
    fn affine<'a, R: Real>(&self, cx: &Context<'a, R>) -> (&'a [R], &'a [R]) {
        let first = self.first.0;
        if self.norm.affine { (cx.params[first], cx.params[first + 1]) } else { (&[], &[]) }
    }

    /// Saves the statistics of step `t`, given mean and variance.
    fn keep<R: Real>(
        &self,
        saved: &mut Saved<R>,
        t: usize,
        (mean, variance): (&[R], &mut [R]),
        cx: &Context<'_, R>,
    ) {
        let row = t * mean.len()..(t + 1) * mean.len();
        reciprocal(variance, self.norm.eps);
        saved.real[1][row.clone()].copy_from_slice(mean);
        saved.real[2][row.clone()].copy_from_slice(variance);
        scale(self.affine(cx).0, variance, &mut saved.real[3][row]);
    }

    /// Makes room for `steps` steps, and for `numbers` values of Z in total.
    fn prepare<R: Real>(&self, saved: &mut Saved<R>, numbers: usize, steps: usize) {
        saved.buffer(0, numbers);
        (1..4).for_each(|i| {
            saved.buffer(i, steps * self.channels.count);
        });
    }
}

impl<R: Real> BatchOp<R> for NormedOp {
    fn room(&self, steps: usize, _: bool) -> Room {
        // Z of all steps, and their statistics; V, U and the constants, or their gradients.
        let (len, count) = (self.channels.len(), self.channels.count);
        Room::new(&[&[steps, len], &[3, steps, count]], &[&[19, len], &[8, count]])
    }

    fn forward(
        &self,
        samples: &mut [Flow<'_, R>],
        saved: &mut Saved<R>,
        update: &mut [Vec<R>],
        cx: &mut Context<'_, R>,
    ) {
        let (channels, count, len) = (self.channels, self.channels.count, self.channels.len());
        let steps = samples.iter().map(|s| s.steps).max().unwrap_or(0);
        saved.index.clear();
        saved.index.extend(samples.iter().map(|s| s.steps as u32));
        let numbers = samples.iter().map(|s| s.input().len()).sum();
        self.prepare(saved, numbers, steps);
        let constants = self.values.each(self.channels.len(), cx);
        let bias = self.affine(cx).1;
        let mut v = cx.scratch.zeros(samples.len() * len);
        for (v, sample) in v.chunks_exact_mut(len).zip(&*samples) {
            sample.carry.iter().for_each(|carry| v.copy_from_slice(carry));
        }
        let mut u = cx.scratch.take(samples.len() * len);
        let mut over = cx.scratch.take(samples.len() * len);
        let mut partial = cx.scratch.take(samples.len() * count);
        let (mut mean, mut variance) = (cx.scratch.take(count), cx.scratch.take(count));
        let mut z = std::mem::take(&mut saved.real[0]);
        for t in 0..steps {
            let row = t * len..(t + 1) * len;
            let mut parts: SmallVec<[&mut [R]; 32]> = SmallVec::new();
            let mut rest = &mut z[..];
            for sample in samples.iter() {
                let (own, later) = rest.split_at_mut(sample.input().len());
                parts.push(own);
                rest = later;
            }
            parts.par_iter_mut().zip(&*samples).zip(v.par_chunks(len)).for_each(|((z, s), v)| {
                let Some(z) = z.get_mut(row.clone()) else { return };
                let sum = z.iter_mut().zip(&s.input()[row.clone()]).zip(v);
                sum.for_each(|((z, &x), &v)| *z = x + v);
            });
            let active = parts.iter().filter_map(|z| z.get(row.clone()));
            let pairs: Pairs<'_, R> = active.map(|z| (z, z)).collect();
            if cx.training {
                let numbers = channels.moments(&pairs, &mut partial, &mut mean, &mut variance);
                if let Some([running_mean, running_var]) = update.get_mut(self.first.1..) {
                    let now = (&mean[..], &variance[..]);
                    follow((running_mean, running_var), now, numbers, self.norm.momentum);
                }
            } else {
                mean.copy_from_slice(cx.buffers[self.first.1]);
                variance.copy_from_slice(cx.buffers[self.first.1 + 1]);
            }
            self.keep(saved, t, (&mean, &mut variance), cx);
            let norm = at(saved, t, count, bias);
            let kernels = cx.kernels;
            let rows = u.par_chunks_mut(len).zip(over.par_chunks_mut(len));
            let state = v.par_chunks_mut(len).zip(rows);
            let parts = parts.par_iter().zip(samples.par_iter_mut());
            parts.zip(state).for_each(|((z, s), (v, (u, over)))| {
                let (Some(z), Some(y)) = (z.get(row.clone()), s.output.get_mut(row.clone())) else {
                    return;
                };
                channels.apply(norm, z, u);
                self.rules.leak(&constants, u, v, cx.firing);
                self.rules.emit(&constants, (u, over), y, (kernels, cx.firing));
            });
        }
        for (v, sample) in v.chunks_exact(len).zip(samples) {
            sample.carry.iter_mut().for_each(|carry| carry.copy_from_slice(v));
        }
        saved.real[0] = z;
        cx.scratch.put_all(constants.into_array());
        cx.scratch.put_all([v, u, over, partial, mean, variance]);
    }

    fn backward(
        &self,
        samples: &mut [Back<'_, '_, R>],
        saved: &mut Saved<R>,
        cx: &mut Context<'_, R>,
    ) {
        let (channels, count, len) = (self.channels, self.channels.count, self.channels.len());
        let steps = samples.iter().map(|s| s.steps).max().unwrap_or(0);
        let constants = self.values.each(self.channels.len(), cx);
        let bias = self.affine(cx).1;
        // For each sample: gradients with respect to V, then U, then Z; U; and sums of the gradients of
        // constants.
        let mut d = cx.scratch.zeros(samples.len() * len);
        let mut u = cx.scratch.take(samples.len() * len);
        // For each sample, U over the threshold and the gradient with respect to U through the output.
        let mut rows = cx.scratch.take(2 * samples.len() * len);
        let mut own: SmallVec<[Constants<Buffer<R>>; 8]> = SmallVec::new();
        for _ in 0..samples.len() {
            own.push(
                self.values.map(|value| cx.scratch.zeros(if value.learned() { len } else { 0 })),
            );
        }
        let mut sums = BackSums::take(samples.len(), count, cx);
        let z: SmallVec<[&[R]; 32]> = by_sample(saved, len).collect();
        for t in (0..steps).rev() {
            let row = t * len..(t + 1) * len;
            let norm = at(saved, t, count, bias);
            let deviation = &saved.get(2)[t * count..(t + 1) * count];
            let kernels = cx.kernels;
            let memory = u.par_chunks_mut(len).zip(rows.par_chunks_mut(2 * len));
            let state = d.par_chunks_mut(len).zip(memory).zip(&mut own[..]);
            z.par_iter().zip(&*samples).zip(state).for_each(|((z, s), ((d, (u, rows)), own))| {
                let (Some(z), Some(g)) = (z.get(row.clone()), s.d_output.get(row.clone())) else {
                    return;
                };
                channels.apply(norm, z, u);
                let (over, through) = rows.split_at_mut(len);
                let output = (&s.output[row.clone()], g);
                self.rules.emit_back(&constants, (u, over), output, through, kernels);
                self.rules.leak_back(&constants, (u, through), d, own, cx.firing);
            });
            let active = z.iter().zip(d.chunks(len));
            let pairs: Pairs<'_, R> =
                active.filter_map(|(z, d)| Some((z.get(row.clone())?, d))).collect();
            sums.add_up(channels, &pairs, (norm.mean, deviation));
            let numbers = pairs.len() * channels.run;
            drop(pairs);
            if self.norm.affine
                && let Some(Back { d_params, .. }) = samples.first_mut()
            {
                sums.add_to(d_params, self.first.0);
            }
            let share = if cx.training { R::of(1.0 / numbers.max(1) as f64) } else { R::ZERO };
            let state = d.par_chunks_mut(len).zip(u.par_chunks_mut(len));
            z.par_iter().zip(samples.par_iter_mut()).zip(state).for_each(|((z, s), (d, dz))| {
                let Some(z) = z.get(row.clone()) else { return };
                let scales = (norm.mean, deviation, norm.scale);
                sums.input(channels, scales, share, (z, d), |i, value| dz[i] = value);
                d.copy_from_slice(dz);
                if let Some(dx) = &mut s.d_inputs[0] {
                    dx[row.clone()].iter_mut().zip(d).for_each(|(dx, &mut d)| *dx += d);
                }
            });
        }
        for own in own {
            let own = own.into_array();
            if let Some(Back { d_params, .. }) = samples.first_mut() {
                for (value, sums) in self.values.clone().into_array().iter().zip(&own) {
                    value.add_gradient(sums, cx.params, d_params);
                }
            }
            cx.scratch.put_all(own);
        }
        sums.put(cx);
        cx.scratch.put_all(constants.into_array().into_iter().chain([d, u, rows]));
    }

    fn state_len(&self) -> usize {
        self.channels.len()
    }

    fn step(
        &self,
        flow: Flow<'_, R>,
        state: &mut [R],
        saved: &mut Saved<R>,
        cx: &mut Context<'_, R>,
    ) -> Result<()> {
        let constants = self.values.each(self.channels.len(), cx);
        self.prepare(saved, self.channels.len(), 1);
        let mut variance = cx.scratch.take(self.channels.count);
        variance.copy_from_slice(cx.buffers[self.first.1 + 1]);
        self.keep(saved, 0, (cx.buffers[self.first.1], &mut variance), cx);
        let mut u = cx.scratch.take(self.channels.len());
        let mut z = std::mem::take(&mut saved.real[0]);
        let sum = z.iter_mut().zip(flow.input()).zip(state.iter());
        sum.for_each(|((z, &x), &v)| *z = x + v);
        self.channels.apply(at(saved, 0, self.channels.count, self.affine(cx).1), &z, &mut u);
        let mut over = cx.scratch.take(self.channels.len());
        self.rules.leak(&constants, &u, state, cx.firing);
        let at = (&u[..], &mut over[..]);
        self.rules.emit(&constants, at, flow.output, (cx.kernels, cx.firing));
        saved.real[0] = z;
        cx.scratch.put_all(constants.into_array().into_iter().chain([u, over, variance]));
        Ok(())
    }

    fn record(
        &self,
        what: Trace,
        sample: usize,
        saved: &Saved<R>,
        cx: &Context<'_, R>,
    ) -> Option<Vec<R>> {
        let len = self.channels.len();
        let z = by_sample(saved, len).nth(sample)?;
        let mut u = vec![R::ZERO; z.len()];
        for (t, (z, u)) in z.chunks_exact(len).zip(u.chunks_exact_mut(len)).enumerate() {
            self.channels.apply(at(saved, t, self.channels.count, self.affine(cx).1), z, u);
        }
        if what == Trace::Spikes {
            let mut threshold = vec![R::ZERO; len];
            self.values.threshold.fill(&mut threshold, cx);
            let all = u.iter_mut().zip(threshold.iter().cycle());
            all.for_each(|(u, &th)| *u = self.rules.spike(*u - th, Firing::Step));
        }
        Some(u)
    }
}
