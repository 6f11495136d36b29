//! Training: a network, a loss and an optimiser, one batch after another.

mod config;
mod freeze;
mod learn;
mod report;
mod stretches;
mod trainer;

pub use config::{Tick, TrainConfig};
pub use report::{Evaluation, StepReport};
pub use trainer::Trainer;
