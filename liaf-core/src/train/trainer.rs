//! A network that learns.

use std::ops::Range;

use crate::graph::{Gradients, Inputs, Mode, Network, Workspace};
use crate::loss::Judged;
use crate::optim::{self, Ema, Optimizer};
use crate::{Error, Real, Result};

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
            let mode = Mode { first: part.start, ..Mode::train(self.step) };
            let mut judged = self.pass(&inputs.part(part.clone()), &labels[part], mode)?;
            if share < 1.0 {
                let share = R::of(share);
                judged.gradient.iter_mut().for_each(|g| *g *= share);
            }
            let gradients = &mut self.gradients;
            self.network.backward(judged.gradient.view(), mode, &mut self.workspace, gradients)?;
            self.network.take_updates(&mut self.workspace);
            loss += judged.loss * share;
            correct += judged.correct;
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
        Ok(samples)
    }

    /// The parts in which a batch passes.
    fn parts(&self, samples: usize) -> impl Iterator<Item = Range<usize>> + use<R> {
        let size = self.config.micro_batch.unwrap_or(samples);
        (0..samples).step_by(size).map(move |start| start..(start + size).min(samples))
    }
}
