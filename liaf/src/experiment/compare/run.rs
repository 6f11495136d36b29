//! A finished run, read from its folder.

use std::fs;
use std::path::{Path, PathBuf};

use liaf_core::NetworkConfig;
use liaf_data::{Error, Hint};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::notation::notation;
use crate::error::Result;
use crate::experiment::folder::{EXPERIMENT, Folder, METRICS, SUMMARY};
use crate::experiment::record::{EpochRecord, Summary};

/// What is known of a run.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RunRecord {
    /// Its folder.
    pub folder: PathBuf,
    /// Its result.
    pub summary: Summary,
    /// Its epochs.
    pub epochs: Vec<EpochRecord>,
    /// Its network in one line: `LIAF 16C3-AP2-128FC-7FC`.
    pub net: String,
    /// The experiment without its seed: the same in runs that differ in nothing else.
    pub(super) experiment: toml::Table,
}

impl RunRecord {
    /// Reads the folder of a finished run.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if there is no run in the folder, or if it is not
    /// finished; [`ErrorKind::File`](crate::ErrorKind::File) if a file of it is damaged.
    pub fn read(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        if !Folder::is_used(folder) {
            let error = Error::caller("there is no run in this folder").in_file(folder);
            return Err(error.expected("the folder of `liaf train`").into());
        }
        let path = folder.join(SUMMARY);
        let summary: Summary = match path.exists() {
            true => json(&path, &text(&path)?)?,
            false => return Err(unfinished(folder, "of which nothing is known")),
        };
        if !summary.finished {
            let epochs = format!("which has {} epochs so far", summary.epochs);
            return Err(unfinished(folder, &epochs));
        }
        let path = folder.join(METRICS);
        let metrics = text(&path)?;
        let is_epoch = |line: &&str| line.contains("\"steps\":");
        let epochs = metrics.lines().filter(is_epoch).map(|line| json(&path, line));
        let epochs = epochs.collect::<Result<Vec<EpochRecord>>>()?;
        let path = folder.join(EXPERIMENT);
        let experiment = text(&path)?;
        let Parts { network } = toml::from_str(&experiment).map_err(|e| damaged(&path, e))?;
        let mut experiment: toml::Table =
            toml::from_str(&experiment).map_err(|e| damaged(&path, e))?;
        if let Some(recipe) = experiment.get_mut("recipe").and_then(toml::Value::as_table_mut) {
            recipe.remove("seed");
        }
        let net = notation(&network);
        Ok(Self { folder: folder.to_owned(), summary, epochs, net, experiment })
    }
}

/// The part of an experiment that is shown.
#[derive(Deserialize)]
struct Parts {
    network: NetworkConfig,
}

fn text(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path);
    Ok(text.map_err(|error| Error::system("cannot read", error).in_file(path))?)
}

fn json<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| damaged(path, error))
}

fn damaged(path: &Path, error: impl std::fmt::Display) -> crate::error::Error {
    Error::malformed("the file of the run is damaged").found(error).in_file(path).into()
}

fn unfinished(folder: &Path, what: &str) -> crate::error::Error {
    let error = Error::caller("the run is not finished, and cannot be compared").in_file(folder);
    let hint = Hint::Text("continue it to its end first".into());
    error.expected("a finished run").found(format!("one {what}")).hint(hint).into()
}
