//! A small network in training, the same wherever it is needed.

use liaf_core::graph::Inputs;
use liaf_core::layer::{Aggregate, Dense, Flatten};
use liaf_core::neuron::Neuron;
use liaf_core::rng::Key;
use liaf_core::train::{StepReport, TrainConfig, Trainer};
use liaf_core::{NetworkConfig, Real};
use ndarray::ArrayD;

use super::random;

/// Samples of a batch.
pub const BATCH: usize = 10;

/// A network of two dense layers.
pub fn config() -> NetworkConfig {
    NetworkConfig::sequential([2, 4])
        .then(Flatten {})
        .then(Dense::new(12))
        .then(Neuron::default())
        .then(Dense::new(3))
        .then(Aggregate::default())
}

/// With everything that a checkpoint must hold.
pub fn training() -> TrainConfig {
    let text = r#"
        loss = { type = "cross_entropy", label_smoothing = 0.1 }
        optimizer = { type = "adamw", learning_rate = 0.0123456789012345678, weight_decay = 0.1 }
        schedule = { warmup = { ticks = 4 }, curve = { type = "cosine", ticks = 30 } }
        clip = { type = "norm", max = 0.5 }
        micro_batch = 8
        ema = 0.9
    "#;
    TrainConfig::from_toml(text).unwrap()
}

/// Before its first step.
pub fn trainer<R: Real>() -> Trainer<R> {
    Trainer::new(config().build::<R>(5).unwrap(), training()).unwrap()
}

/// Batch number `step`: frames and labels that follow from them.
pub fn batch<R: Real>(step: u64) -> (ArrayD<R>, Vec<usize>) {
    let frames = random::<R>(&[BATCH, 6, 2, 4], 100 + step);
    let labels = (0..BATCH).map(|n| Key::new(step).bits(n as u64) as usize % 3).collect();
    (frames, labels)
}

/// A step on the batch of its number.
pub fn step<R: Real>(trainer: &mut Trainer<R>) -> StepReport {
    let (frames, labels) = batch(trainer.steps());
    trainer.step(&Inputs::of("input", frames.view()), &labels).unwrap()
}
