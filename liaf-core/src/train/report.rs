//! The reports of training.

/// One step of training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Number of the step, counted from 0.
    pub step: u64,
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

/// The performance of a network on samples.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    /// Mean loss.
    pub loss: f64,
    /// Number of samples that are classified correctly.
    pub correct: usize,
    /// The class of each sample.
    pub classes: Vec<usize>,
}

impl Evaluation {
    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.classes.len()
    }

    /// Share of samples that are classified correctly, 0 to 1; 0 if there are no samples.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.samples().max(1) as f64
    }

    /// Adds the samples of another batch.
    pub fn add(&mut self, other: &Self) {
        let (own, new) = (self.samples() as f64, other.samples() as f64);
        self.loss = (self.loss * own + other.loss * new) / (own + new).max(1.0);
        self.correct += other.correct;
        self.classes.extend_from_slice(&other.classes);
    }
}
