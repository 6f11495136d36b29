//! A finished run, read from its folder.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use liaf_core::NetworkConfig;
use liaf_data::{Error, Hint};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::notation::notation;
use crate::error::Result;
use crate::experiment::document::{MOST, text_of};
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
    /// The files in the folder of a run that an output must not replace.
    pub fn files(folder: impl AsRef<Path>) -> Vec<PathBuf> {
        Folder::files(folder.as_ref())
    }

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
        for (name, accuracy) in [
            ("test_accuracy_last", summary.test_accuracy_last),
            ("test_accuracy_best", summary.test_accuracy_best),
        ] {
            if !accuracy.is_some_and(|accuracy| (0.0..=1.0).contains(&accuracy)) {
                let found = accuracy.map_or("null".into(), |accuracy| accuracy.to_string());
                return Err(damaged(&path, format!("{name} is {found}, and not from 0 to 1")));
            }
        }
        let epochs = epochs(&folder.join(METRICS))?;
        let path = folder.join(EXPERIMENT);
        let mut experiment: toml::Table =
            toml::from_str(&text(&path)?).map_err(|e| damaged(&path, e))?;
        let Parts { network } = experiment.clone().try_into().map_err(|e| damaged(&path, e))?;
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

/// The whole text of a file of usual length.
fn text(path: &Path) -> Result<String> {
    text_of(path)?.ok_or_else(|| damaged(path, format!("more than {MOST} bytes")))
}

/// Longest line of metrics, in bytes.
const LINE: u64 = 1 << 16;

/// The lines of epochs, among those of steps.
fn epochs(path: &Path) -> Result<Vec<EpochRecord>> {
    let fail = |error| Error::system("cannot read", error).in_file(path);
    let mut reader = BufReader::new(File::open(path).map_err(fail)?);
    let (mut epochs, mut line) = (Vec::new(), String::new());
    while reader.by_ref().take(LINE).read_line(&mut line).map_err(fail)? > 0 {
        if !line.ends_with('\n') {
            return Err(damaged(path, "a line without an end"));
        }
        if line.contains("\"steps\":") {
            epochs.push(json(path, &line)?);
        }
        line.clear();
    }
    Ok(epochs)
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
