//! The configuration of training.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::optim::{Clip, OptimizerConfig, Schedule};

/// Everything about training except the network and the data.
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
    /// The loss to minimise. Default cross-entropy.
    pub loss: Loss,
    /// The optimiser. Default Adam.
    pub optimizer: OptimizerConfig,
    /// The schedule of the learning rate. Default constant.
    pub schedule: Schedule,
    /// The unit of the schedule. Default steps.
    pub tick: Tick,
    /// Clipping of gradients. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<Clip>,
    /// Number of samples that are passed through the network at a time; the gradients of a batch are
    /// those of all its samples. This needs less memory and gives the same result, except for the
    /// statistics of batch norms. A network without batch norms needs memory for one sample of each
    /// thread in any case. Default: the whole batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_batch: Option<usize>,
    /// Number of time steps after which back-propagation is truncated: a sequence is passed in
    /// stretches of this many steps. States continue from one stretch to the next, gradients do not.
    /// Memory is needed for one stretch only. The loss is the mean over the stretches, weighted by
    /// their steps, so that a loss at every step is that of the whole sequence. An aggregation gives a
    /// result for each stretch, and a batch norm uses the statistics of each. The network must have
    /// exactly one input with time, and no convolution over time, as its windows would reach across the
    /// ends of stretches. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncate: Option<usize>,
    /// Decay of a moving average of the weights, which is then used for evaluation. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    /// Names of layers whose parameters and running statistics stay as they are. Default none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub freeze: Vec<String>,
}

/// The unit of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tick {
    /// Steps of the optimiser.
    #[default]
    Step,
    /// Epochs, as counted by [`Trainer::end_epoch`](super::Trainer::end_epoch).
    Epoch,
}

impl TrainConfig {
    /// Reads a configuration in TOML.
    ///
    /// # Errors
    /// If the text is not valid TOML or not a valid configuration; the error names the line.
    pub fn from_toml(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| Error::config(error.to_string()))
    }

    /// Reads a configuration in JSON.
    ///
    /// # Errors
    /// If the text is not valid JSON or not a valid configuration; the error names the line.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| Error::config(error.to_string()))
    }

    /// The configuration in JSON.
    ///
    /// # Errors
    /// If a number is NaN or infinite.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::config(error.to_string()))
    }

    /// Returns an error if a value is invalid.
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
            return Err(Error::config("a micro-batch must have at least one sample")
                .expected("1 or more samples"));
        }
        if self.truncate == Some(0) {
            return Err(
                Error::config("a stretch must have at least one step").expected("1 or more steps")
            );
        }
        Ok(())
    }
}
