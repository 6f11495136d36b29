//! Evaluation of networks that were trained before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use liaf_core::{Error, Network};
use liaf_data::Limits;
use liaf_data::frames::SampleRecipe;

use super::Experiment;
use super::checks;
use super::evaluate::{Evaluation, evaluate};
use super::folder::Folder;
use super::prepare;
use crate::error::Result;
use crate::samples::{Examples, Loader, StoredSamples};

/// A checkpoint and how its network does on samples.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Assessment {
    /// What the checkpoint is: `last` or `best` of a run, or the name of the file.
    pub which: String,
    /// The checkpoint.
    pub checkpoint: PathBuf,
    /// Number of epochs it was trained for.
    pub epochs: u64,
    /// The result.
    pub evaluation: Evaluation,
    /// What makes the result doubtful: the samples were made in another way than those that the network learned
    /// from.
    pub remarks: Vec<String>,
}

/// The name of the note with the factor of the cells.
pub(super) const SCALE: &str = "experiment.scale";

/// The name of the note with the names of the classes, a list in JSON.
pub(super) const CLASSES: &str = "experiment.classes";

/// Evaluates a checkpoint, or the last and the best checkpoint of the folder of a run, on the test samples
/// of its experiment, or on those of a tensor file.
///
/// # Errors
/// [`ErrorKind::File`](crate::ErrorKind::File) if there is no checkpoint, or if it is not of an experiment;
/// errors of reading the samples, and if they do not fit the network or have other classes.
pub fn assess(path: impl AsRef<Path>, samples: Option<&Path>) -> Result<Vec<Assessment>> {
    let path = path.as_ref();
    let checkpoints = match path.is_dir() {
        true => of_folder(path)?,
        false => vec![(path.display().to_string(), path.to_owned())],
    };
    let mut set: Option<Arc<dyn Examples>> = None;
    let mut all: Vec<Assessment> = Vec::new();
    for (which, checkpoint) in checkpoints {
        // The last epoch may be the best one.
        if let Some(same) = all.iter().find(|one| one.checkpoint == checkpoint) {
            all.push(Assessment { which, ..same.clone() });
            continue;
        }
        let (network, info) = Network::<f32>::from_checkpoint(&checkpoint)?;
        let refuse = |what: &str| Error::checkpoint(what).in_file(&checkpoint);
        let text = info.notes.get("experiment");
        let scale = info.notes.get(SCALE).and_then(|text| text.parse().ok());
        let (Some(text), Some(scale)) = (text, scale) else {
            return Err(refuse("the checkpoint is not of an experiment").into());
        };
        let experiment = Experiment::from_toml(text)?;
        let test = match (&set, samples) {
            (Some(set), _) => Arc::clone(set),
            (None, Some(samples)) => Arc::new(StoredSamples::read(samples, &Limits::default())?),
            (None, None) => prepare::test_samples(&experiment, path)?,
        };
        set = Some(Arc::clone(&test));
        let learned = info.notes.get(SampleRecipe::NOTE);
        let learned = learned.and_then(|text| SampleRecipe::from_json(text).ok());
        check_classes(&info.notes, learned.as_ref(), &*test)
            .map_err(|error| error.in_file(samples.unwrap_or(&checkpoint)))?;
        let other = test.recipe().zip(learned);
        let other = other.and_then(|(own, learned)| checks::other_frames(&own, &learned));
        let remark = |other| {
            format!("the samples were not made as those that the network learned from: {other}")
        };
        let remarks = other.map(remark).into_iter().collect();
        checks::network(&experiment.document, &network, &test)?;
        let loader = Loader { scale, ..Loader::new(experiment.recipe.batch) };
        let evaluation = evaluate(&network, &*test, &loader, &info.training.loss.into())?;
        let epochs = info.progress.epochs;
        all.push(Assessment { which, checkpoint, epochs, evaluation, remarks });
    }
    Ok(all)
}

/// Returns an error if the samples have other classes than the checkpoint states.
fn check_classes(
    notes: &BTreeMap<String, String>,
    learned: Option<&SampleRecipe>,
    samples: &dyn Examples,
) -> liaf_core::Result<()> {
    let stated = notes.get(CLASSES).and_then(|text| serde_json::from_str(text).ok());
    // Earlier versions state them with the frames only.
    let stated: Option<Vec<String>> = stated.or_else(|| Some(learned?.classes.clone()));
    let stated = stated.filter(|classes| !classes.is_empty());
    match stated.and_then(|stated| checks::other_class(samples.classes(), &stated)) {
        Some(found) => Err(Error::data("the samples have other classes than the network learned")
            .expected("the same names in the same order")
            .found(found)),
        None => Ok(()),
    }
}

/// The checkpoint that a path stands for: the file itself, or the last checkpoint of the run in the folder.
///
/// # Errors
/// [`ErrorKind::File`](crate::ErrorKind::File) if the folder has no checkpoints of a run.
pub fn checkpoint_of(path: impl AsRef<Path>) -> Result<PathBuf> {
    let path = path.as_ref();
    match path.is_dir() {
        true => Ok(of_folder(path)?.swap_remove(0).1),
        false => Ok(path.to_owned()),
    }
}

/// The last and the best checkpoint.
fn of_folder(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let series = Folder::checkpoints(folder);
    let best = series.best()?;
    let Some(last) = series.last()? else {
        let error = Error::checkpoint("the folder has no checkpoints of a run");
        return Err(error.in_file(folder).into());
    };
    let best = best.map(|(_, path)| ("best".to_owned(), path));
    Ok([Some(("last".to_owned(), last)), best].into_iter().flatten().collect())
}
