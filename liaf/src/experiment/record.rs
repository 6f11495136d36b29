//! What is recorded of a run: steps, epochs and the summary.

use serde::{Deserialize, Serialize};

use super::evaluate::Score;

/// A step: a line of `metrics.jsonl` with the key `step`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Number of the step, from 0.
    pub step: u64,
    /// Number of its epoch, from 1.
    pub epoch: u64,
    /// Mean loss of the batch, before the step.
    pub loss: f64,
    /// Number of samples that were classified correctly.
    pub correct: usize,
    /// Number of samples of the batch.
    pub samples: usize,
    /// Euclidean norm of all gradients, before clipping.
    pub gradient_norm: f64,
    /// Learning rate of the step.
    pub learning_rate: f64,
}

/// An epoch: a line of `metrics.jsonl` with the key `steps`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Number of the epoch, from 1.
    pub epoch: u64,
    /// Number of steps so far.
    pub steps: u64,
    /// The training samples, each before the step of its batch.
    pub train: Score,
    /// The validation samples, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Score>,
    /// The test samples.
    pub test: Score,
    /// Seconds of training and evaluation so far.
    pub seconds: f64,
}

impl EpochRecord {
    /// The score by which epochs are compared: that of validation, or, without one, that of the test.
    pub fn deciding(&self) -> Score {
        self.validation.unwrap_or(self.test)
    }
}

/// The best of these epochs: the first one with the most correct samples.
pub fn best(epochs: &[EpochRecord]) -> Option<&EpochRecord> {
    let mut best: Option<&EpochRecord> = None;
    for epoch in epochs {
        if best.is_none_or(|best| epoch.deciding().correct > best.deciding().correct) {
            best = Some(epoch);
        }
    }
    best
}

/// The result of a run, as in `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the experiment.
    pub name: String,
    /// Test accuracy after the last epoch, 0 to 1; `None` before the end of the first one.
    pub test_accuracy_last: Option<f64>,
    /// Test accuracy of the best epoch. The best epoch is that of the highest validation accuracy, or,
    /// without validation samples, of the highest test accuracy, as `best_by` says.
    pub test_accuracy_best: Option<f64>,
    /// Number of the best epoch, from 1.
    pub best_epoch: Option<u64>,
    /// What decides which epoch is the best one: `validation` or `test`.
    pub best_by: String,
    /// Number of epochs and steps.
    pub epochs: u64,
    /// Number of steps of the optimiser.
    pub steps: u64,
    /// Number of samples for training.
    pub train_samples: usize,
    /// Number of samples for test.
    pub test_samples: usize,
    /// A number that depends on the test samples, by which runs on the same data are known; empty if it is not
    /// known, in folders of earlier versions.
    #[serde(default)]
    pub test_data: String,
    /// Number of learned values.
    pub parameters: usize,
    /// Number of weights, without biases and constants of norms and neurons.
    pub weights: u64,
    /// Multiply-accumulates for one sample.
    pub macs: u64,
    /// Seconds of training and evaluation.
    pub seconds: f64,
    /// The seed.
    pub seed: u64,
    /// Version of the program.
    pub version: String,
    /// Whether all epochs are done, or training ended early because nothing became better.
    pub finished: bool,
}

/// Where in an epoch a checkpoint was written, and the epochs before it: a note of checkpoints. Sums are
/// kept as bits, so that they continue exactly.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Number of batches of the current epoch that are done.
    pub batches: usize,
    /// Sum of the losses of their samples.
    pub loss: u64,
    /// Number of their samples, and of those that were classified correctly.
    pub samples: usize,
    pub correct: usize,
    /// Seconds so far.
    pub seconds: f64,
    pub epochs: Vec<EpochRecord>,
}

impl Position {
    /// The name of the note.
    pub const NOTE: &str = "experiment.position";

    /// Adds a step.
    pub fn add(&mut self, step: &StepRecord) {
        self.batches += 1;
        self.loss = (f64::from_bits(self.loss) + step.loss * step.samples as f64).to_bits();
        self.samples += step.samples;
        self.correct += step.correct;
    }

    /// The score of the epoch so far.
    pub fn train(&self) -> Score {
        let loss = f64::from_bits(self.loss) / self.samples.max(1) as f64;
        Score { loss, correct: self.correct, samples: self.samples }
    }

    /// Ends the epoch.
    pub fn end(&mut self, epoch: EpochRecord) {
        self.epochs.push(epoch);
        (self.batches, self.loss, self.samples, self.correct) = (0, 0, 0, 0);
    }
}
