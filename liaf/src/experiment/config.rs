//! What an experiment consists of, as it is written in a file.

use std::path::PathBuf;

use liaf_core::loss::Loss;
use liaf_core::optim::{Clip, Ema, OptimizerConfig, Schedule};
use liaf_core::train::{Tick, TrainConfig};
use serde::{Deserialize, Serialize};

use super::document::Document;
use crate::error::Result;
use crate::samples::Augment;

/// The newest version of the files that is read, and the one that is written.
pub const VERSION: u32 = 1;

/// How a network is trained: the table `[recipe]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Number of passes over the training samples. Default 10.
    pub epochs: u64,
    /// Number of samples of a batch. Default 16.
    pub batch: usize,
    /// The seed of first weights, orders, random changes and dropout. Default 1.
    pub seed: u64,
    /// The loss. Default cross-entropy.
    pub loss: Loss,
    /// The optimiser. Default Adam.
    pub optimizer: OptimizerConfig,
    /// The schedule of the learning rate. Default constant.
    pub schedule: Schedule,
    /// The unit of the schedule. Default epochs.
    pub tick: Tick,
    /// The factor of the cells of frames. Default 1.
    pub scale: Scale,
    /// Random changes of training samples. Default none.
    pub augment: Augment,
    /// Number of batches within which samples are sorted by length. Default 0: not at all.
    pub bucket: usize,
    /// Names of layers that are not trained. Default none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub freeze: Vec<String>,
    /// A file of weights with which training starts. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// Number of epochs without a better score after which training ends. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<u64>,
    /// Clipping of gradients. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<Clip>,
    /// As [`TrainConfig::micro_batch`]. Default: the whole batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_batch: Option<usize>,
    /// As [`TrainConfig::truncate`]. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncate: Option<usize>,
    /// Decay of a moving average of the weights, which is used for evaluation. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 16,
            seed: 1,
            loss: Loss::default(),
            optimizer: OptimizerConfig::default(),
            schedule: Schedule::default(),
            tick: Tick::Epoch,
            scale: Scale::Factor(1.0),
            augment: Augment::default(),
            bucket: 0,
            freeze: Vec::new(),
            weights: None,
            patience: None,
            clip: None,
            micro_batch: None,
            truncate: None,
            ema: None,
        }
    }
}

/// The factor by which the cells of frames are multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scale {
    /// This factor.
    Factor(f32),
    /// The factor that is computed from the training samples.
    Measured(Measured),
}

/// A factor that is computed from the training samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// With which the root mean square of the cells is 1.
    Rms,
}

impl Recipe {
    /// The part of it that a [`Trainer`](crate::Trainer) takes.
    pub fn training(&self) -> TrainConfig {
        TrainConfig {
            loss: self.loss,
            optimizer: self.optimizer,
            schedule: self.schedule.clone(),
            tick: self.tick,
            clip: self.clip,
            micro_batch: self.micro_batch,
            truncate: self.truncate,
            ema: self.ema,
            freeze: self.freeze.clone(),
        }
    }

    /// What is invalid, if anything: the name of the field, and what it should be.
    pub(super) fn problem(&self) -> Option<(String, String)> {
        let named = |name: &str, expected: &str| Some((name.to_owned(), expected.to_owned()));
        if self.epochs == 0 {
            return named("epochs", "1 or more");
        }
        if self.batch == 0 {
            return named("batch", "1 or more samples");
        }
        if self.patience == Some(0) {
            return named("patience", "1 or more epochs");
        }
        if i64::try_from(self.seed).is_err() {
            return named("seed", "a number below 2^63, the largest of TOML");
        }
        if let Scale::Factor(factor) = self.scale
            && !(factor.is_finite() && factor != 0.0)
        {
            return named("scale", "a finite number that is not 0, or \"rms\"");
        }
        let (name, expected) = self.augment.problem()?;
        named(&format!("augment.{name}"), expected)
    }
}
/// What is not in a table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Top {
    #[serde(default = "newest")]
    pub version: u32,
    pub name: Option<String>,
}

fn newest() -> u32 {
    VERSION
}

impl Recipe {
    /// Checks the parts that have checks of their own, and names the line of each.
    pub(super) fn check(&self, document: &Document) -> Result<()> {
        let checks = [
            ("loss", self.loss.check()),
            ("optimizer", self.optimizer.check()),
            ("schedule", self.schedule.check()),
            ("clip", self.clip.map_or(Ok(()), |clip| clip.check())),
            ("ema", self.ema.map_or(Ok(()), |decay| Ema::<f32>::new(decay).map(drop))),
        ];
        for (name, outcome) in checks {
            outcome.map_err(|error| document.at(&["recipe", name], error))?;
        }
        self.training().check().map_err(|error| document.at(&["recipe"], error))
    }
}
