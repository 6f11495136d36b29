//! A network in training.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::graph::{GradientSum, Gradients, Inputs, Mode, Network, Workspace};
use crate::loss::{Criterion, Judged, SampleLoss};
use crate::optim::{Ema, Optimizer};
use crate::real::Real;

use super::freeze::Frozen;
use super::learn::{Learned, judge};
use super::{Evaluation, StepReport, Tick, TrainConfig};

/// A network with its loss, optimiser and schedule, and the memory for training.
///
/// The same network, configuration and batches give the same results, bit for bit, on any number of
/// threads.
#[derive(Debug)]
pub struct Trainer<R: Real> {
    pub(super) config: TrainConfig,
    pub(super) loss: Criterion,
    pub(crate) network: Network<R>,
    pub(crate) optimizer: Optimizer<R>,
    pub(crate) ema: Option<Ema<R>>,
    pub(crate) step: u64,
    pub(crate) epoch: u64,
    pub(crate) notes: BTreeMap<String, String>,
    pub(super) workspace: Workspace<R>,
    /// The memory of the threads if samples are learned one by one.
    pub(super) workers: Vec<Workspace<R>>,
    pub(super) gradients: Gradients<R>,
    /// The running statistics before the current step, by buffer.
    before: Vec<Vec<R>>,
    frozen: Frozen,
}

impl<R: Real> Trainer<R> {
    /// Starts training `network`.
    ///
    /// # Errors
    /// If the configuration has invalid values, or freezes layers that the network does not have.
    pub fn new(network: Network<R>, config: TrainConfig) -> Result<Self> {
        config.check()?;
        Ok(Self {
            frozen: Frozen::new(&network, &config.freeze)?,
            optimizer: Optimizer::new(config.optimizer, network.params())?,
            ema: config.ema.map(Ema::new).transpose()?,
            step: 0,
            epoch: 0,
            notes: BTreeMap::new(),
            workspace: Workspace::new(),
            workers: Vec::new(),
            gradients: GradientSum::new(&network).reduce(),
            before: Vec::new(),
            network,
            loss: config.loss.into(),
            config,
        })
    }

    /// Trains by a loss of the caller's own instead of that of the configuration. Checkpoints do not contain
    /// it: after a training is resumed, it has to be given again.
    #[must_use]
    pub fn with_loss(self, loss: Arc<dyn SampleLoss>) -> Self {
        Self { loss: Criterion::Own(loss), ..self }
    }

    /// The loss.
    pub fn loss(&self) -> &Criterion {
        &self.loss
    }

    /// The configuration of training.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// The network with the weights of the last step.
    pub fn network(&self) -> &Network<R> {
        &self.network
    }

    /// The network, to be changed, for example to set other weights. An average of weights starts anew
    /// with the weights that the network has then; moments of the optimiser are kept.
    pub fn network_mut(&mut self) -> &mut Network<R> {
        self.ema.iter_mut().for_each(Ema::restart);
        &mut self.network
    }

    /// Returns the network with the weights that are used for evaluation: the averages if there are
    /// any.
    pub fn into_network(mut self) -> Network<R> {
        if let Some(ema) = &mut self.ema {
            ema.swap(self.network.params_mut());
        }
        self.network
    }

    /// Number of steps so far.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Number of epochs so far.
    pub fn epochs(&self) -> u64 {
        self.epoch
    }

    /// Marks the end of an epoch, which is a pass over all data.
    pub fn end_epoch(&mut self) {
        self.epoch += 1;
    }

    /// Texts that are stored in checkpoints: how frames are made, names of classes, the history of
    /// losses, or anything else.
    pub fn notes(&self) -> &BTreeMap<String, String> {
        &self.notes
    }

    /// The texts that are stored in checkpoints, to be changed.
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

    /// The gradients of the last step, as passed to the optimiser, in the order of the parameters.
    /// After a step that failed, they are incomplete.
    pub fn gradients(&self) -> &[Vec<R>] {
        self.gradients.all()
    }

    /// Makes one step on a batch: forward pass, loss, backward pass, optimiser.
    ///
    /// # Errors
    /// If the batch does not fit the network or is invalid, if a label is not the index of a class, or
    /// if the loss or a gradient is not finite. Weights, moments and running statistics are unchanged
    /// then.
    pub fn step(&mut self, inputs: &Inputs<'_, R>, labels: &[usize]) -> Result<StepReport> {
        let samples = self.samples(inputs, labels)?;
        self.before.resize_with(self.network.buffers().len(), Vec::new);
        for (before, buffer) in self.before.iter_mut().zip(self.network.buffers()) {
            before.clone_from(&buffer.data);
        }
        let report =
            self.learn(inputs, labels, samples).and_then(|done| self.update(done, samples));
        if report.is_err() {
            for (before, buffer) in self.before.iter().zip(self.network.buffers_mut()) {
                buffer.data.clone_from(before);
            }
        }
        report
    }

    /// The optimiser's part of a step.
    fn update(&mut self, learned: Learned, samples: usize) -> Result<StepReport> {
        let kept = self.frozen.before(self.network.params(), &mut self.gradients);
        let gradient_norm = self.gradients.norm();
        if !gradient_norm.is_finite() {
            return Err(Error::data("a gradient is not finite")
                .found(format!("a norm of {gradient_norm} in step {}", self.step))
                .advice("training diverged: try a lower learning rate"));
        }
        if let Some(clip) = self.config.clip {
            clip.apply(&mut self.gradients, gradient_norm);
        }
        let learning_rate = self.learning_rate();
        let params = self.network.params_mut();
        self.optimizer.step(params, &self.gradients, learning_rate)?;
        self.frozen.after(kept, &self.before, &mut self.network);
        if let Some(ema) = &mut self.ema {
            ema.update(self.network.params_mut());
        }
        let step = self.step;
        self.step += 1;
        let Learned { loss, correct } = learned;
        Ok(StepReport { step, loss, correct, samples, gradient_norm, learning_rate })
    }

    /// Evaluates the network on samples, in evaluation mode, with the averages of the weights if there
    /// are any. Nothing is learned.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn evaluate(&mut self, inputs: &Inputs<'_, R>, labels: &[usize]) -> Result<Evaluation> {
        let samples = self.samples(inputs, labels)?;
        self.swap_averages();
        let mut all = Evaluation::default();
        let outcome = self.parts(samples).try_for_each(|part| {
            let inputs = inputs.part(part.clone());
            let pass = self.network.forward(&inputs, Mode::eval(), &mut self.workspace)?;
            let Judged { loss, correct, classes, .. } = judge(&self.loss, &pass, &labels[part])?;
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

    /// Number of samples, provided that there is one label for each.
    fn samples(&self, inputs: &Inputs<'_, R>, labels: &[usize]) -> Result<usize> {
        let samples = inputs.samples();
        if samples == 0 {
            return Err(Error::data("the batch is empty").expected("1 or more samples"));
        }
        if labels.len() != samples {
            return Err(Error::data("there must be one label for each sample")
                .expected(samples)
                .found(labels.len()));
        }
        self.check_labels(labels).map_err(|error| error.in_layer(self.network.output_name()))?;
        Ok(samples)
    }

    /// Returns an error unless the network gives the scores that the loss needs and every label is a
    /// class.
    fn check_labels(&self, labels: &[usize]) -> Result<()> {
        let output = self.network.output_shape();
        let [classes] = output.item[..] else {
            return Err(Error::shape("a loss needs scores of classes")
                .expected("[N, classes] or [N, T, classes]")
                .found(output));
        };
        self.loss.check_time(output)?;
        match labels.iter().enumerate().find(|&(_, &label)| label >= classes) {
            None => Ok(()),
            Some((n, label)) => {
                Err(Error::data(format!("the label of sample {n} is not a class of {output}"))
                    .expected(format!("0 to {}", classes - 1))
                    .found(label))
            }
        }
    }

    /// The parts in which a batch is passed.
    pub(super) fn parts(&self, samples: usize) -> impl Iterator<Item = Range<usize>> + use<R> {
        let size = self.config.micro_batch.unwrap_or(samples);
        (0..samples).step_by(size).map(move |start| start..(start + size).min(samples))
    }
}
