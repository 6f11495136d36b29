//! Forward and backward pass of a batch: as a whole, in parts, and in stretches of time.

use ndarray::Axis;

use crate::error::Result;
use crate::graph::{GradientSum, Inputs, Mode, Pass};
use crate::loss::Judged;
use crate::real::Real;

use super::{TrainConfig, Trainer, stretches};

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
                None => self.learn_part(&inputs, labels, share, &mut sum)?,
            };
            all.loss += own.loss;
            all.correct += own.correct;
            Ok(())
        });
        self.gradients = sum.reduce();
        outcome.map(|()| all)
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
        let mut judged = judge(&self.config, &pass, labels)?;
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
            let mut judged = judge(&self.config, &pass, &labels)?;
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
    config: &TrainConfig,
    pass: &Pass<'_, '_, R, P>,
    labels: &[usize],
) -> Result<Judged<R>> {
    config.loss.judge(pass.output().view(), labels, Some(&pass.lengths()))
}
