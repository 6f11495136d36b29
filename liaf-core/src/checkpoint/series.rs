//! The checkpoints of one training run: the newest ones and the best one.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::CheckpointInfo;
use crate::error::{Error, Result};
use crate::real::Real;
use crate::train::{TrainConfig, Trainer};

/// A folder of checkpoints, `{name}-{step}.safetensors`, in which the newest ones and the best one are
/// kept. An older checkpoint is removed only after a newer one has been written and read back.
///
/// ```
/// use liaf_core::checkpoint::Series;
/// # use liaf_core::{NetworkConfig, layer::Dense, train::{TrainConfig, Trainer}};
/// # fn main() -> liaf_core::Result<()> {
/// # let network = NetworkConfig::sequential([2]).then(Dense::new(2)).build::<f32>(1)?;
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let folder = folder.path();
/// let series = Series::new(folder, "net");
/// let mut trainer = match series.resume::<f32>()? {
///     Some(trainer) => trainer,
///     None => Trainer::new(network, TrainConfig::default())?,
/// };
/// // … after every epoch, with the accuracy on samples that are not trained on:
/// series.save(&trainer, Some(0.87))?;
/// # assert_eq!(series.best()?.map(|(score, _)| score), Some(0.87));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    folder: PathBuf,
    name: String,
    newest: usize,
}

/// A checkpoint of the folder.
struct Member {
    step: u64,
    path: PathBuf,
}

impl Series {
    /// The checkpoints of this name in a folder, which is created when it is needed. By default the two
    /// newest ones are kept in addition to the best one.
    pub fn new(folder: impl Into<PathBuf>, name: impl Into<String>) -> Self {
        Self { folder: folder.into(), name: name.into(), newest: 2 }
    }

    /// Keeps this many of the newest checkpoints, at least 1.
    #[must_use]
    pub fn keeping(self, newest: usize) -> Self {
        Self { newest: newest.max(1), ..self }
    }

    /// Writes a checkpoint and returns its path. Checkpoints that are neither among the newest nor the
    /// one with the highest score are removed; of equal scores, the earliest is kept.
    ///
    /// # Errors
    /// As [`Trainer::save`], and if the score is not finite. All older checkpoints are then kept.
    pub fn save<R: Real>(&self, trainer: &Trainer<R>, score: Option<f64>) -> Result<PathBuf> {
        fs::create_dir_all(&self.folder).map_err(|error| {
            Error::system("cannot create the folder", error).in_file(&self.folder)
        })?;
        let path = self.folder.join(format!("{}-{:08}.safetensors", self.name, trainer.steps()));
        trainer.save_scored(&path, score)?;
        let best = self.best()?.map(|(_, path)| path);
        let members = self.members()?;
        for old in members.iter().rev().skip(self.newest) {
            // A checkpoint with a higher step, of an earlier run, is not older.
            if old.step < trainer.steps() && best.as_ref() != Some(&old.path) {
                fs::remove_file(&old.path).map_err(|error| {
                    Error::system("cannot remove an old checkpoint", error).in_file(&old.path)
                })?;
            }
        }
        Ok(path)
    }

    /// Resumes from the newest checkpoint that is valid; `None` if there is no checkpoint at all.
    ///
    /// # Errors
    /// As [`Trainer::resume`] for the newest one, if none is valid.
    pub fn resume<R: Real>(&self) -> Result<Option<Trainer<R>>> {
        self.newest(|path| Trainer::resume(path))
    }

    /// Resumes with another recipe; see [`Trainer::resume_with`].
    ///
    /// # Errors
    /// As [`Trainer::resume_with`] for the newest one, if none is valid.
    pub fn resume_with<R: Real>(&self, training: &TrainConfig) -> Result<Option<Trainer<R>>> {
        self.newest(|path| Trainer::resume_with(path, training.clone()))
    }

    /// The result of `open` for the newest checkpoint for which it succeeds.
    fn newest<T>(&self, open: impl Fn(&Path) -> Result<T>) -> Result<Option<T>> {
        let mut first = None;
        for member in self.members()?.iter().rev() {
            match open(&member.path) {
                Ok(trainer) => return Ok(Some(trainer)),
                Err(error) => first = first.or(Some(error)),
            }
        }
        first.map_or(Ok(None), Err)
    }

    /// The highest score and the path of its checkpoint, among the valid checkpoints that have a score.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the folder cannot be read.
    pub fn best(&self) -> Result<Option<(f64, PathBuf)>> {
        let mut best: Option<(f64, PathBuf)> = None;
        for member in self.members()? {
            let info = CheckpointInfo::read(&member.path).ok();
            if let Some(score) = info.and_then(|info| info.progress.score)
                && best.as_ref().is_none_or(|(highest, _)| score > *highest)
            {
                best = Some((score, member.path));
            }
        }
        Ok(best)
    }

    /// The path of the newest valid checkpoint; `None` if there is no checkpoint at all.
    ///
    /// # Errors
    /// As [`CheckpointInfo::read`] for the newest one, if none is valid.
    pub fn last(&self) -> Result<Option<PathBuf>> {
        self.newest(|path| CheckpointInfo::read(path).map(|_| path.to_owned()))
    }

    /// The checkpoints in the folder, the oldest first.
    fn members(&self) -> Result<Vec<Member>> {
        let fail = |error| Error::system("cannot read the folder", error).in_file(&self.folder);
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(fail)?,
        };
        let mut members = Vec::new();
        for entry in entries {
            let path = entry.map_err(fail)?.path();
            if let Some(step) = self.step(&path) {
                members.push(Member { step, path });
            }
        }
        members.sort_by_key(|member| member.step);
        Ok(members)
    }

    /// The step in the name of a checkpoint of this series.
    fn step(&self, path: &Path) -> Option<u64> {
        let name = path.file_name().and_then(OsStr::to_str)?;
        let digits = name.strip_prefix(&self.name)?.strip_prefix('-')?;
        let digits = digits.strip_suffix(".safetensors")?;
        digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
    }
}
