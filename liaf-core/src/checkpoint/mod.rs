//! Checkpoints of training, and files of weights alone.
//!
//! A checkpoint is a `.safetensors` file, so that other programs can open it. It contains
//!
//! | tensor | |
//! |---|---|
//! | `conv1.weight`, … | parameters and running statistics, by their names |
//! | `@first/…`, `@second/…` | moments of the optimiser |
//! | `@ema/…` | averages of the weights |
//!
//! | metadata | |
//! |---|---|
//! | `liaf.format` | version of this format, [`VERSION`] |
//! | `liaf.network`, `liaf.training` | [`NetworkConfig`] and [`TrainConfig`] as JSON |
//! | `liaf.progress` | steps, epochs, the seed of all random numbers, and a score, as JSON |
//! | `liaf.notes` | [`Trainer::notes`]: texts of the user |
//! | `liaf.number` | `F32` or `F64` |
//! | `liaf.sums` | XXH64 of each tensor's bytes |
//! | `liaf.checksum` | XXH64 of the whole file with these 16 digits as zeros |
//!
//! Random numbers are functions of seed, step, layer and sample, so that training that is resumed from
//! a checkpoint gives the same losses, bit for bit, as training that was not interrupted. A file
//! appears under its name when it is complete, or not at all: it is written under another name, synced,
//! read back and compared, and then renamed. A file that is damaged, of another kind or of a newer
//! version is refused. A [`Series`] keeps the newest checkpoints of a training run and the best one.

mod container;
mod series;
mod weights;
pub(crate) mod whole;

pub use series::Series;
pub use weights::{LoadOptions, Loaded};

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::{Error, Result};
use crate::graph::{Network, NetworkConfig, Param};
use crate::limits::Limits;
use crate::optim::Optimizer;
use crate::real::Real;
use crate::train::{TrainConfig, Trainer};
use container::{File, Tensor};

/// The newest version of the format that is read, and the one that is written.
pub const VERSION: u32 = 1;

/// How far training has progressed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Number of steps of the optimiser.
    pub steps: u64,
    /// Number of epochs, which are passes over the data.
    pub epochs: u64,
    /// Seed of the network's random numbers.
    pub seed: u64,
    /// The score on samples that are not trained on, if one was given: higher is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Number of steps in the average of the weights.
    ema_updates: u64,
    /// Number of steps since the optimiser was last restarted; equal to `steps` if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    optimizer_steps: Option<u64>,
}

/// What a checkpoint says about itself, without its tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckpointInfo {
    /// The network.
    pub network: NetworkConfig,
    /// How it is trained.
    pub training: TrainConfig,
    /// How far training has progressed.
    pub progress: Progress,
    /// Texts of the user: how frames are made, names of classes, and so on.
    pub notes: BTreeMap<String, String>,
    /// `F32` or `F64`.
    pub number: String,
}

impl CheckpointInfo {
    /// Reads and verifies a checkpoint, and returns what it says about itself.
    ///
    /// # Errors
    /// [`ErrorKind::Checkpoint`](crate::ErrorKind::Checkpoint) if it is damaged, of another kind or of
    /// a newer version; [`ErrorKind::Limit`](crate::ErrorKind::Limit) if it is larger than the default
    /// [`Limits`]; [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be read.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Self::read_within(path, &Limits::default())
    }

    /// As [`read`](Self::read), within other limits.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_within(path: impl AsRef<Path>, limits: &Limits) -> Result<Self> {
        Self::of(&File::open_ours(path.as_ref(), limits)?)
    }

    fn of(file: &File) -> Result<Self> {
        Ok(Self {
            network: file.json("liaf.network")?,
            training: file.json("liaf.training")?,
            progress: file.json("liaf.progress")?,
            notes: file.json("liaf.notes")?,
            number: file.text("liaf.number").unwrap_or_default().to_owned(),
        })
    }
}

impl<R: Real> Trainer<R> {
    /// Writes a checkpoint. It appears when it is complete, or not at all; a file of that name is
    /// replaced.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be written. A file that had this
    /// name before is left unchanged then.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.save_scored(path.as_ref(), None)
    }

    /// Writes a checkpoint with a score.
    fn save_scored(&self, path: &Path, score: Option<f64>) -> Result<()> {
        if let Some(score) = score.filter(|score| !score.is_finite()) {
            return Err(Error::data("the score of a checkpoint must be finite").found(score));
        }
        let params = self.network.params();
        let mut tensors: Vec<_> = params
            .iter()
            .chain(self.network.buffers())
            .map(|tensor| Tensor::new(&tensor.name, &tensor.shape, &tensor.data))
            .collect();
        let mut beside = |kind: &str, all: &mut dyn Iterator<Item = &[R]>| {
            tensors.extend(params.iter().zip(all).map(|(param, numbers)| {
                Tensor::new(format!("@{kind}/{}", param.name), &param.shape, numbers)
            }));
        };
        for (kind, all) in self.optimizer.moments() {
            beside(kind, &mut all.iter().map(Vec::as_slice));
        }
        if let Some(ema) = &self.ema {
            beside("ema", &mut ema.averages(params));
        }
        let progress = Progress {
            steps: self.step,
            epochs: self.epoch,
            seed: self.network.seed(),
            score,
            ema_updates: self.ema.as_ref().map_or(0, |ema| ema.updates()),
            optimizer_steps: Some(self.optimizer.steps()).filter(|&steps| steps != self.step),
        };
        let metadata = BTreeMap::from([
            ("liaf.network", self.network.config().to_json()?),
            ("liaf.training", self.config().to_json()?),
            ("liaf.progress", json!(progress).to_string()),
            ("liaf.notes", json!(self.notes).to_string()),
            ("liaf.number", R::NAME.to_owned()),
        ]);
        container::write::<R>(path, Some(metadata), &tensors)
    }

    /// Resumes training from a checkpoint, bit for bit.
    ///
    /// # Errors
    /// As [`CheckpointInfo::read`], and if its number type is not `R`.
    pub fn resume(path: impl AsRef<Path>) -> Result<Self> {
        Self::open(path.as_ref(), None)
    }

    /// Resumes training from a checkpoint with another recipe: another learning rate, schedule, batch
    /// size, …
    ///
    /// | of the checkpoint | is kept |
    /// |---|---|
    /// | weights, running statistics, seed, steps, epochs, notes | always |
    /// | moments of the optimiser | if the new optimiser has the same moments: Adam and AdamW do, and so does SGD with momentum before and after. Otherwise the optimiser starts anew |
    /// | average of weights | if the recipe has one: with the new decay. A new average starts with the weights; without one, training continues from the weights of the last step |
    ///
    /// Everything else is taken from `training`. Its schedule counts steps and epochs from the
    /// beginning of training, so that a schedule of 30 epochs is at its middle after 15 epochs of the
    /// checkpoint.
    ///
    /// # Errors
    /// As [`resume`](Self::resume), and if the recipe has invalid values.
    pub fn resume_with(path: impl AsRef<Path>, training: TrainConfig) -> Result<Self> {
        Self::open(path.as_ref(), Some(training))
    }

    fn open(path: &Path, training: Option<TrainConfig>) -> Result<Self> {
        // Whoever resumes training has written the checkpoint, with moments beside the weights.
        let file = File::open_ours(path, &Limits { memory: u64::MAX, ..Limits::default() })?;
        let info = CheckpointInfo::of(&file)?;
        if info.number != R::NAME {
            return Err(Error::checkpoint("the checkpoint has another number type")
                .expected(R::NAME)
                .found(&info.number)
                .in_file(path));
        }
        let network = build::<R>(&file, &info, path)?;
        let before = Optimizer::new(info.training.optimizer, network.params())?;
        let averaged = info.training.ema.is_some();
        let mut trainer = Self::new(network, training.unwrap_or(info.training))?;
        let params = trainer.network.params();
        let all = |kind: &str| -> Result<Vec<Vec<R>>> {
            let tensor = |p: &Param<R>| file.numbers(&format!("@{kind}/{}", p.name), &p.shape);
            params.iter().map(tensor).collect()
        };
        let kept = |optimizer: &Optimizer<R>| optimizer.moments().map(|(_, all)| !all.is_empty());
        if kept(&trainer.optimizer) == kept(&before) {
            let [first, second] = before
                .moments()
                .map(|(kind, kept)| if kept.is_empty() { Ok(Vec::new()) } else { all(kind) });
            let steps = info.progress.optimizer_steps.unwrap_or(info.progress.steps);
            trainer.optimizer.restore(steps, first?, second?);
        }
        if let Some(ema) = trainer.ema.as_mut().filter(|_| averaged) {
            ema.restore(info.progress.ema_updates, all("ema")?);
        }
        (trainer.step, trainer.epoch) = (info.progress.steps, info.progress.epochs);
        trainer.notes = info.notes;
        Ok(trainer)
    }
}

impl<R: Real> Network<R> {
    /// The network of a checkpoint, with the weights that are used for evaluation: the averages if
    /// there are any. Numbers of another type are rounded to `R`.
    ///
    /// # Errors
    /// As [`CheckpointInfo::read`].
    pub fn from_checkpoint(path: impl AsRef<Path>) -> Result<(Self, CheckpointInfo)> {
        Self::from_checkpoint_within(path, &Limits::default())
    }

    /// As [`from_checkpoint`](Self::from_checkpoint), within other limits.
    ///
    /// # Errors
    /// As [`CheckpointInfo::read`].
    pub fn from_checkpoint_within(
        path: impl AsRef<Path>,
        limits: &Limits,
    ) -> Result<(Self, CheckpointInfo)> {
        let path = path.as_ref();
        let file = File::open_ours(path, limits)?;
        let info = CheckpointInfo::of(&file)?;
        let mut network = build(&file, &info, path)?;
        if info.training.ema.is_some() {
            for param in network.params_mut() {
                param.data = file.numbers(&format!("@ema/{}", param.name), &param.shape)?;
            }
        }
        Ok((network, info))
    }
}

/// The network of a checkpoint with its parameters and running statistics. Before anything is built,
/// the file is checked for tensors of the shapes that the configuration requires.
fn build<R: Real>(file: &File, info: &CheckpointInfo, path: &Path) -> Result<Network<R>> {
    let tensors = file.tensors();
    for node in info.network.resolve().map_err(|error| error.in_file(path))? {
        let all = node.params.iter().chain(&node.buffers);
        for spec in all.filter(|spec| spec.shared_with.is_none()) {
            let name = format!("{}.{}", node.name, spec.name);
            let found = tensors.get(&name).map(|(shape, _)| shape);
            if found != Some(&spec.shape) {
                return Err(Error::checkpoint(format!(
                    "tensor {name} does not agree with the configuration"
                ))
                .expected(format!("{:?}", spec.shape))
                .found(found.map_or("none".into(), |shape| format!("{shape:?}")))
                .in_file(path));
            }
        }
    }
    let mut network = info.network.build::<R>(info.progress.seed)?;
    for param in network.params_mut() {
        param.data = file.numbers(&param.name, &param.shape)?;
    }
    for buffer in network.buffers_mut() {
        buffer.data = file.numbers(&buffer.name, &buffer.shape)?;
    }
    Ok(network)
}
