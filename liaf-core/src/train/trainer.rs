//! A network that learns.

use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::{ArrayViewD, Axis};

use crate::graph::{Gradients, Inputs, Mode, Network, Workspace};
use crate::loss::Judged;
use crate::optim::{self, Ema, Optimizer};
use crate::{Error, Real, Result};

use super::stretches;
use super::{Evaluation, StepReport, Tick, TrainConfig};

/// A network with what makes it learn, and the memory for it.
///
/// The same network, configuration and batches give the same numbers, bit for bit, on any number of
/// threads.
#[derive(Debug)]
pub struct Trainer<R: Real> {
    config: TrainConfig,
    pub(crate) network: Network<R>,
    pub(crate) optimizer: Optimizer<R>,
    pub(crate) ema: Option<Ema<R>>,
    pub(crate) step: u64,
    pub(crate) epoch: u64,
    pub(crate) notes: BTreeMap<String, String>,
    workspace: Workspace<R>,
    gradients: Gradients<R>,
}

impl<R: Real> Trainer<R> {
    /// Begins to train `network`.
    ///
    /// # Errors
    /// If the configuration has impossible numbers.
    pub fn new(network: Network<R>, config: TrainConfig) -> Result<Self> {
        config.check()?;
        Ok(Self {
            optimizer: Optimizer::new(config.optimizer, &network)?,
            ema: config.ema.map(|decay| Ema::new(decay, &network)).transpose()?,
            step: 0,
            epoch: 0,
            notes: BTreeMap::new(),
            workspace: Workspace::new(),
            gradients: Gradients::new(&network),
            network,
            config,
        })
    }

    /// How it trains.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// The network with the weights of the last step.
    pub fn network(&self) -> &Network<R> {
        &self.network
    }

    /// The network, to be changed: other first weights, for instance.
    pub fn network_mut(&mut self) -> &mut Network<R> {
        &mut self.network
    }

    /// The network with the weights that serve for evaluation: the averages if there are any.
    pub fn into_network(mut self) -> Network<R> {
        if let Some(ema) = &mut self.ema {
            ema.swap(self.network.params_mut());
        }
        self.network
    }

    /// Steps so far.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Passes over the data so far.
    pub fn epochs(&self) -> u64 {
        self.epoch
    }

    /// Says that all data has been seen once more.
    pub fn end_epoch(&mut self) {
        self.epoch += 1;
    }

    /// Texts that checkpoints carry along: how frames are made, names of classes, the history of
    /// losses, as the user likes.
    pub fn notes(&self) -> &BTreeMap<String, String> {
        &self.notes
    }

    /// The same, to be changed.
    pub fn notes_mut(&mut self) -> &mut BTreeMap<String, String> {
        &mut self.notes
    }

    /// The learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        let tick = match self.config.tick {
            Tick::Step => self.step,
            Tick::Epoch => self.epoch,
        };
        self.config.optimizer.learning_rate() * self.config.schedule.factor(tick)
    }

    /// Gradients of the last step, as the optimiser got them, in the order of the parameters.
    pub fn gradients(&self) -> &[Vec<R>] {
        self.gradients.all()
    }

    /// One step on a batch: forward, loss, back, optimiser.
    ///
    /// # Errors
    /// If the batch does not fit the network or cannot be worked on, a label is no class, or the
    /// loss or a gradient is not finite. Weights and moments are then as they were.
    pub fn step(&mut self, inputs: &Inputs<'_, R>, labels: &[usize]) -> Result<StepReport> {
        let samples = self.samples(inputs, labels)?;
        let (mut loss, mut correct) = (0.0, 0);
        self.gradients.clear();
        for part in self.parts(samples) {
            let share = part.len() as f64 / samples as f64;
            let inputs = inputs.part(part.clone());
            let labels = &labels[part.clone()];
            let (own, right) = match self.config.truncate {
                Some(steps) => {
                    self.learn_in_stretches(&inputs, labels, part.start, share, steps)?
                }
                None => self.learn(&inputs, labels, part.start, share)?,
            };
            loss += own;
            correct += right;
        }
        self.gradients.reduce();
        let gradient_norm = optim::norm(self.gradients.all());
        if !gradient_norm.is_finite() {
            return Err(Error::data("a gradient is not finite")
                .found(format!("a norm of {gradient_norm} in step {}", self.step))
                .advice("training diverged: try a lower learning rate"));
        }
        if let Some(clip) = self.config.clip {
            clip.apply(self.gradients.all_mut(), gradient_norm);
        }
        let learning_rate = self.learning_rate();
        let params = self.network.params_mut();
        self.optimizer.step(params, self.gradients.all(), learning_rate)?;
        if let Some(ema) = &mut self.ema {
            ema.update(params);
        }
        self.step += 1;
        let step = self.step - 1;
        Ok(StepReport { step, loss, correct, samples, gradient_norm, learning_rate })
    }

    /// Forward and back of a part of a batch, of which it is `share`. Gives its part of the loss and
    /// the number of right classes.
    fn learn(
        &mut self,
        inputs: &Inputs<'_, R>,
        labels: &[usize],
        first: usize,
        share: f64,
    ) -> Result<(f64, usize)> {
        let mode = Mode { first, ..Mode::train(self.step) };
        let mut judged = self.pass(inputs, labels, mode)?;
        if share < 1.0 {
            let share = R::of(share);
            judged.gradient.iter_mut().for_each(|g| *g *= share);
        }
        self.back(judged.gradient.view(), mode)?;
        Ok((judged.loss * share, judged.correct))
    }

    /// The same, one stretch of time after another. A sample's class is that of its last stretch.
    fn learn_in_stretches(
        &mut self,
        inputs: &Inputs<'_, R>,
        labels: &[usize],
        first: usize,
        share: f64,
        steps: usize,
    ) -> Result<(f64, usize)> {
        let timed = stretches::timed_input(&self.network)?.to_owned();
        let mut carry = self.network.carry(labels.len())?;
        let (mut loss, mut correct) = (0.0, 0);
        for number in 0.. {
            let Some(stretch) = stretches::stretch(inputs, &timed, number, steps) else { break };
            let mode = Mode { first, stretch: number as u64, ..Mode::train(self.step) };
            let labels: Vec<usize> = stretch.chosen.iter().map(|&n| labels[n]).collect();
            let mut own = carry.take(&stretch.chosen);
            let batch = stretch.inputs();
            let output = self.network.forward_on(&batch, mode, &mut own, &mut self.workspace)?;
            carry.put(&stretch.chosen, own);
            let lengths = self.network.output_lengths(&self.workspace);
            let mut judged = self.config.loss.judge(output.view(), &labels, Some(&lengths))?;
            // The judged mean is over these samples; the wanted one over all, by their steps.
            let all = inputs.samples() as f64;
            for (n, &part) in stretch.shares.iter().enumerate() {
                let weight = R::of(part * share * labels.len() as f64 / all);
                judged.gradient.index_axis_mut(Axis(0), n).iter_mut().for_each(|g| *g *= weight);
                loss += judged.losses[n] * part * share / all;
                correct += usize::from(stretch.last[n] && judged.classes[n] == labels[n]);
            }
            self.back(judged.gradient.view(), mode)?;
        }
        Ok((loss, correct))
    }

    fn back(&mut self, gradient: ArrayViewD<'_, R>, mode: Mode) -> Result<()> {
        self.network.backward(gradient, mode, &mut self.workspace, &mut self.gradients)?;
        self.network.take_updates(&mut self.workspace);
        Ok(())
    }

    /// How the network does on samples, in evaluation mode, with the averaged weights if there are
    /// any. Nothing is learned.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn evaluate(&mut self, inputs: &Inputs<'_, R>, labels: &[usize]) -> Result<Evaluation> {
        let samples = self.samples(inputs, labels)?;
        self.swap_averages();
        let mut all = Evaluation::default();
        let outcome = self.parts(samples).try_for_each(|part| {
            let own = self.pass(&inputs.part(part.clone()), &labels[part], Mode::EVAL)?;
            let Judged { loss, correct, classes, .. } = own;
            all.add(&Evaluation { loss, correct, classes });
            Ok(())
        });
        self.swap_averages();
        outcome.map(|()| all)
    }

    fn swap_averages(&mut self) {
        if let Some(ema) = &mut self.ema {
            ema.swap(self.network.params_mut());
        }
    }

    /// Forward and loss.
    fn pass(&mut self, inputs: &Inputs<'_, R>, labels: &[usize], mode: Mode) -> Result<Judged<R>> {
        let output = self.network.forward(inputs, mode, &mut self.workspace)?;
        let lengths = self.network.output_lengths(&self.workspace);
        self.config.loss.judge(output.view(), labels, Some(&lengths))
    }

    /// Number of samples, if there is a label for each.
    fn samples(&self, inputs: &Inputs<'_, R>, labels: &[usize]) -> Result<usize> {
        let samples = inputs.samples();
        if samples == 0 {
            return Err(Error::data("an empty batch").expected("1 or more samples"));
        }
        if labels.len() != samples {
            return Err(Error::data("not one label a sample")
                .expected(samples)
                .found(labels.len()));
        }
        self.check_labels(labels).map_err(|error| error.in_layer(self.network.output_name()))?;
        Ok(samples)
    }

    /// Whether the network gives a score a class, as the loss wants them, and every label is one.
    fn check_labels(&self, labels: &[usize]) -> Result<()> {
        let output = self.network.output_shape();
        let [classes] = output.item[..] else {
            return Err(Error::shape("a loss takes scores of classes")
                .expected("[N, classes] or [N, T, classes]")
                .found(output));
        };
        self.config.loss.check_time(output)?;
        match labels.iter().enumerate().find(|&(_, &label)| label >= classes) {
            None => Ok(()),
            Some((n, label)) => {
                Err(Error::data(format!("the label of sample {n} is no class of {output}"))
                    .expected(format!("0 to {}", classes - 1))
                    .found(label))
            }
        }
    }

    /// The parts in which a batch passes.
    fn parts(&self, samples: usize) -> impl Iterator<Item = Range<usize>> + use<R> {
        let size = self.config.micro_batch.unwrap_or(samples);
        (0..samples).step_by(size).map(move |start| start..(start + size).min(samples))
    }
}
