//! How a network is trained, as it stands in a configuration.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::optim::{Clip, OptimizerConfig, Schedule};

/// Everything about training but the network and the data.
///
/// ```
/// use liaf_core::train::TrainConfig;
/// let config = TrainConfig::from_toml(r#"
///     optimizer = { type = "adamw", learning_rate = 0.002 }
///     loss = { type = "cross_entropy", label_smoothing = 0.1 }
///     schedule = { curve = { type = "cosine", ticks = 30 } }
///     tick = "epoch"
///     clip = { type = "norm", max = 1.0 }
/// "#)?;
/// assert_eq!(config.optimizer.learning_rate(), 0.002);
/// # Ok::<(), liaf_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// What is made small. Default cross-entropy.
    pub loss: Loss,
    /// How. Default Adam.
    pub optimizer: OptimizerConfig,
    /// Learning rate over time. Default constant.
    pub schedule: Schedule,
    /// What the schedule counts. Default steps.
    pub tick: Tick,
    /// Limit to gradients. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<Clip>,
    /// Samples that pass through the network at a time; the gradients of a batch are those of all
    /// of them together. Less memory for the same result, but for the statistics of batch norms.
    /// Default the whole batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_batch: Option<usize>,
    /// Steps of time after which back-propagation is cut: a sequence passes in stretches of this
    /// many steps, states going on from one to the next, gradients not. Memory is that of one
    /// stretch. The loss is the mean over the stretches by their steps, so that with a loss at every
    /// step it is that of the whole; an aggregation gives a result for each stretch, and a batch norm
    /// takes the statistics of each. Needs a network with one input in time, and no convolution over
    /// time, whose windows would reach across the cuts. Default never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncate: Option<usize>,
    /// Decay of a moving average of the weights, which then serves for evaluation. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
}

/// What a schedule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tick {
    /// Steps of the optimiser.
    #[default]
    Step,
    /// Passes over the data, as [`Trainer::end_epoch`](super::Trainer::end_epoch) says.
    Epoch,
}

impl TrainConfig {
    /// Reads a configuration in TOML.
    ///
    /// # Errors
    /// If it is no TOML or no such configuration, with the line.
    pub fn from_toml(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| Error::config(error.to_string()))
    }

    /// Reads a configuration in JSON.
    ///
    /// # Errors
    /// If it is no JSON or no such configuration, with the line.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| Error::config(error.to_string()))
    }

    /// The configuration in JSON.
    ///
    /// # Errors
    /// If a number in it is NaN or infinite.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::config(error.to_string()))
    }

    /// Refuses numbers that cannot be.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config).
    pub fn check(&self) -> Result<()> {
        self.loss.check()?;
        self.optimizer.check()?;
        self.schedule.check()?;
        if let Some(clip) = self.clip {
            clip.check()?;
        }
        if self.micro_batch == Some(0) {
            return Err(Error::config("micro-batches of nothing").expected("1 or more samples"));
        }
        if self.truncate == Some(0) {
            return Err(Error::config("stretches of no time").expected("1 or more steps"));
        }
        Ok(())
    }
}
