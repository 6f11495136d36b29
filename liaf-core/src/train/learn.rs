//! Forward and backward pass of a batch: as a whole, in parts, and in stretches of time.

use std::sync::{Mutex, PoisonError};

use ndarray::Axis;
use rayon::prelude::*;

use crate::error::Result;
use crate::graph::{GradientSum, Inputs, Mode, Pass, Workspace};
use crate::loss::{Criterion, Judged};
use crate::real::Real;

use super::{Trainer, stretches};

impl<R: Real> Trainer<R> {
    /// Runs the forward and backward pass of a batch, whose gradients are then in `gradients`.
    pub(super) fn learn(
        &mut self,
        inputs: &Inputs<'_, R>,
        labels: &[usize],
        samples: usize,
    ) -> Result<Learned> {
        let mut sum = std::mem::take(&mut self.gradients).recycle();
        let mut all = Learned::default();
        let outcome = self.parts(samples).try_for_each(|part| {
            let share = part.len() as f64 / samples as f64;
            let inputs = inputs.part(part.clone()).numbered_from(part.start);
            let labels = &labels[part];
            let own = match self.config.truncate {
                Some(steps) => self.learn_in_stretches(&inputs, labels, share, steps, &mut sum)?,
                None if self.network.has_independent_samples() => {
                    self.learn_one_by_one(&inputs, labels, samples, &mut sum)?
                }
                None => self.learn_part(&inputs, labels, share, &mut sum)?,
            };
            all.loss += own.loss;
            all.correct += own.correct;
            Ok(())
        });
        self.gradients = sum.reduce();
        outcome.map(|()| all)
    }

    /// Runs the forward and backward pass of each sample on its own, as many at a time as there are
    /// threads, so that memory is needed only for these. Each slot of the gradients belongs to one
    /// thread, and receives its samples in order. `count` is the number of samples of the batch.
    fn learn_one_by_one(
        &mut self,
        inputs: &Inputs<'_, R>,
        labels: &[usize],
        count: usize,
        sum: &mut GradientSum<R>,
    ) -> Result<Learned> {
        let (network, loss) = (&self.network, &self.loss);
        let (mode, first, samples) = (Mode::train(self.step), inputs.first(), labels.len());
        network.check_batch(inputs)?;
        let learn = |n: usize, slot: &mut Vec<Vec<R>>, space: &mut Workspace<R>| {
            let number = first + n;
            let own = inputs.part(n..n + 1).numbered_from(number);
            let mut pass = network.forward(&own, mode, space)?;
            let (output, lengths) = (pass.output().view(), pass.lengths());
            let place = (number, count);
            let judged = loss.judge_part(output, &labels[n..n + 1], Some(&lengths), place)?;
            pass.backward_into(judged.gradient.view(), slot)?;
            Ok(Learned { loss: judged.loss, correct: judged.correct })
        };
        let slots = sum.slots_for(network)?;
        let step = slots.len();
        let workers = rayon::current_num_threads().min(step).max(1);
        self.workers.resize_with(workers, Workspace::new);
        let queue = Mutex::new(slots.iter_mut().enumerate());
        let mut done: Vec<Option<Result<Learned>>> = (0..samples).map(|_| None).collect();
        let results: Vec<Vec<(usize, Result<Learned>)>> = self
            .workers
            .par_iter_mut()
            .with_max_len(1)
            .map(|space| {
                let mut own = Vec::new();
                // A thread that panicked has left the queue as it was.
                let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some((index, slot)) = next() {
                    let start = (index + step - first % step) % step;
                    for n in (start..samples).step_by(step) {
                        own.push((n, learn(n, slot, space)));
                    }
                }
                own
            })
            .collect();
        results.into_iter().flatten().for_each(|(n, result)| done[n] = Some(result));
        let mut all = Learned::default();
        for result in done.into_iter().flatten() {
            let own = result?;
            all.loss += own.loss;
            all.correct += own.correct;
        }
        Ok(all)
    }

    /// Runs the forward and backward pass of a part of a batch; `share` is its share of the batch.
    fn learn_part(
        &mut self,
        inputs: &Inputs<'_, R>,
        labels: &[usize],
        share: f64,
        sum: &mut GradientSum<R>,
    ) -> Result<Learned> {
        let mode = Mode::train(self.step);
        let mut pass = self.network.forward(inputs, mode, &mut self.workspace)?;
        let mut judged = judge(&self.loss, &pass, labels)?;
        if share < 1.0 {
            let share = R::of(share);
            judged.gradient.iter_mut().for_each(|g| *g *= share);
        }
        pass.backward(judged.gradient.view(), sum)?;
        let statistics = pass.statistics();
        self.network.set_statistics(statistics);
        Ok(Learned { loss: judged.loss * share, correct: judged.correct })
    }

    /// Runs the passes one stretch of time after another. The class of a sample is that of its last
    /// stretch.
    fn learn_in_stretches(
        &mut self,
        inputs: &Inputs<'_, R>,
        labels: &[usize],
        share: f64,
        steps: usize,
        sum: &mut GradientSum<R>,
    ) -> Result<Learned> {
        let timed = stretches::timed_input(&self.network)?.to_owned();
        let mut carry = self.network.carry(labels.len())?;
        let mut all = Learned::default();
        for number in 0.. {
            let Some(stretch) = stretches::stretch(inputs, &timed, number, steps) else { break };
            let labels: Vec<usize> = stretch.chosen.iter().map(|&n| labels[n]).collect();
            let mut own = carry.take(&stretch.chosen);
            let batch = stretch.inputs();
            let (network, mode) = (&self.network, Mode::train(self.step));
            let mut pass = network.forward_on(&batch, mode, &mut own, &mut self.workspace)?;
            carry.put(&stretch.chosen, own);
            let mut judged = judge(&self.loss, &pass, &labels)?;
            // The mean loss here is over these samples; the required one is over all samples, weighted
            // by their steps.
            let samples = inputs.samples() as f64;
            for (n, &part) in stretch.shares.iter().enumerate() {
                let weight = R::of(part * share * labels.len() as f64 / samples);
                judged.gradient.index_axis_mut(Axis(0), n).iter_mut().for_each(|g| *g *= weight);
                all.loss += judged.losses[n] * part * share / samples;
                all.correct += usize::from(stretch.last[n] && judged.classes[n] == labels[n]);
            }
            pass.backward(judged.gradient.view(), sum)?;
            let statistics = pass.statistics();
            self.network.set_statistics(statistics);
        }
        Ok(all)
    }
}

/// Loss and number of correct classes of a batch, or of a part of one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Learned {
    pub loss: f64,
    pub correct: usize,
}

/// The loss of a pass.
pub(super) fn judge<R: Real, P>(
    loss: &Criterion,
    pass: &Pass<'_, '_, R, P>,
    labels: &[usize],
) -> Result<Judged<R>> {
    loss.judge(pass.output().view(), labels, Some(&pass.lengths()))
}
