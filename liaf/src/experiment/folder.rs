//! The folder of a run.
//!
//! | file | |
//! |---|---|
//! | `experiment.toml` | the experiment with every default and what was set, ready to be run again |
//! | `metrics.jsonl` | a line for each step and epoch |
//! | `checkpoints/` | the newest two checkpoints and the best one |
//! | `summary.json` | the result |
//! | `report.html` | a page to look at |
//! | `plots/` | its plots as SVG |

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use liaf_core::checkpoint::Series;
use liaf_data::io::{AtomicFile, is_same_file};
use liaf_data::{Error, Hint};
use serde::Serialize;
use serde_json::Value;

use super::report::Report;
use crate::error::Result;

/// A folder that this process alone writes.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    metrics: BufWriter<File>,
    /// Locked as long as the run goes on.
    _lock: File,
}

pub(super) const EXPERIMENT: &str = "experiment.toml";
pub(super) const METRICS: &str = "metrics.jsonl";
pub(super) const SUMMARY: &str = "summary.json";
const REPORT: &str = "report.html";
const PLOTS: &str = "plots";
const CHECKPOINTS: &str = "checkpoints";
/// Exists as soon as a run began, and so do the metrics.
const LOCK: &str = ".lock";

/// Everything that a run replaces.
const WRITTEN: [&str; 6] = [EXPERIMENT, METRICS, SUMMARY, REPORT, PLOTS, CHECKPOINTS];

impl Folder {
    /// Begins a run, or continues one after `steps` steps and `epochs` epochs, whose later lines are
    /// removed.
    pub fn open(path: &Path, resumed: Option<(u64, u64)>) -> Result<Self> {
        let fail = |what: &str, error| Error::system(what, error).in_file(path);
        fs::create_dir_all(path).map_err(|error| fail("cannot create the folder", error))?;
        let lock = path.join(LOCK);
        let lock = OpenOptions::new().create(true).append(true).open(lock);
        let lock = lock.map_err(|error| fail("cannot write in the folder", error))?;
        if lock.try_lock().is_err() {
            let error = Error::caller("another process is training in this folder");
            return Err(error.in_file(path).into());
        }
        let metrics = path.join(METRICS);
        let kept = match resumed {
            Some((steps, epochs)) => known(&metrics, steps, epochs)?,
            None => String::new(),
        };
        write(&metrics, kept.as_bytes())?;
        let metrics = OpenOptions::new().append(true).open(&metrics);
        let metrics = metrics.map_err(|error| fail("cannot write metrics.jsonl", error))?;
        Ok(Self { path: path.to_owned(), metrics: BufWriter::new(metrics), _lock: lock })
    }

    /// Returns an error if a run in this folder would replace what is not its own: the file from which the
    /// experiment is read, the files of somebody else, or, unless it is continued, another run.
    pub fn check(path: &Path, resume: bool, experiment: Option<&Path>) -> Result<()> {
        let own = path.join(EXPERIMENT);
        if experiment.is_some_and(|experiment| is_same_file(experiment, &own)) {
            let error = Error::caller("the run would replace the experiment that it is read from");
            let advice = "name another folder, or copy the experiment to another file first";
            return Err(error.hint(Hint::Text(advice.into())).in_file(own).into());
        }
        // A link that leads nowhere is there as well.
        let found = WRITTEN.iter().map(|name| path.join(name));
        let mut found = found.filter(|path| path.symlink_metadata().is_ok());
        match found.next() {
            Some(file) if !Self::is_run(path) => {
                let error = Error::caller("the run would replace this, which is not of a run");
                let error = error.expected("a folder without files of these names");
                Err(error.hint(Hint::Text("name another folder".into())).in_file(file).into())
            }
            Some(_) if !resume => {
                let error = Error::caller("there is a run in this folder already");
                let error = error.expected("another folder, or that this run is continued");
                Err(error.hint(Hint::ContinueRun).in_file(path).into())
            }
            _ => Ok(()),
        }
    }

    /// Whether a run began in this folder, or is in it as a copy without hidden files.
    fn is_run(path: &Path) -> bool {
        [LOCK, METRICS].iter().all(|name| path.join(name).exists())
            || matches!(Self::checkpoints(path).last(), Ok(Some(_)))
    }

    /// Whether there is a run in this folder, by the names of its files.
    pub fn is_used(path: &Path) -> bool {
        path.join(EXPERIMENT).exists() || path.join(CHECKPOINTS).exists()
    }

    /// The files of a run, except its plots.
    pub fn files(path: &Path) -> Vec<PathBuf> {
        let mut files = [EXPERIMENT, METRICS, SUMMARY, REPORT].map(|name| path.join(name)).to_vec();
        let checkpoints = fs::read_dir(path.join(CHECKPOINTS)).into_iter().flatten();
        files.extend(checkpoints.filter_map(|entry| Some(entry.ok()?.path())));
        files
    }

    /// The checkpoints of a run.
    pub fn checkpoints(path: &Path) -> Series {
        Series::new(path.join(CHECKPOINTS), "step")
    }

    /// Adds a line to the metrics.
    pub fn line(&mut self, record: &impl Serialize) -> Result<()> {
        let fail = |error| Error::system("cannot write", error).in_file(self.path.join(METRICS));
        let line = serde_json::to_string(record).map_err(|error| fail(error.into()))?;
        writeln!(self.metrics, "{line}").map_err(fail)?;
        Ok(())
    }

    /// Passes all lines to the system.
    pub fn flush(&mut self) -> Result<()> {
        let fail = |error| Error::system("cannot write", error).in_file(self.path.join(METRICS));
        self.metrics.flush().map_err(fail)?;
        Ok(())
    }

    /// Writes the experiment.
    pub fn experiment(&self, text: &str) -> Result<()> {
        write(&self.path.join(EXPERIMENT), text.as_bytes())
    }

    /// Writes a value as JSON.
    pub fn json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let path = self.path.join(name);
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Error::system("cannot write", error.into()).in_file(&path))?;
        write(&path, format!("{text}\n").as_bytes())
    }

    /// Writes the page, and its plots as files.
    pub fn report(&self, report: &Report<'_>) -> Result<()> {
        let plots = self.path.join(PLOTS);
        fs::create_dir_all(&plots)
            .map_err(|error| Error::system("cannot create the folder", error).in_file(&plots))?;
        for (name, svg) in report.plots() {
            write(&plots.join(format!("{name}.svg")), svg.as_bytes())?;
        }
        write(&self.path.join(REPORT), report.html()?.as_bytes())
    }
}

/// The lines of the steps and epochs before a checkpoint. A last line that is not complete is dropped.
fn known(path: &Path, steps: u64, epochs: u64) -> Result<String> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        text => text.map_err(|error| Error::system("cannot read", error).in_file(path))?,
    };
    let is_known = |line: &&str| {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        match (line["step"].as_u64(), line["epoch"].as_u64()) {
            (Some(step), _) => step < steps,
            (None, Some(epoch)) => epoch <= epochs,
            _ => false,
        }
    };
    Ok(text.lines().filter(is_known).map(|line| format!("{line}\n")).collect())
}

/// Writes a file that appears when it is complete, and replaces one of its name.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(path, true, true)?;
    file.append(bytes)?;
    file.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_after_a_checkpoint_are_removed_and_one_process_writes() {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Folder::open(folder.path(), None).unwrap();
        for step in 0..3 {
            run.line(&json!({ "step": step, "epoch": 1 })).unwrap();
        }
        run.line(&json!({ "epoch": 1 })).unwrap();
        run.line(&json!({ "step": 3, "epoch": 2 })).unwrap();
        run.flush().unwrap();
        let error = Folder::open(folder.path(), Some((2, 0))).unwrap_err();
        assert!(error.to_string().contains("another process"), "{error}");
        drop(run);
        let path = folder.path().join(METRICS);
        let mut torn = fs::read_to_string(&path).unwrap();
        torn.push_str("{\"step\": 4");
        fs::write(&path, torn).unwrap();
        drop(Folder::open(folder.path(), Some((4, 1))).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 5);
        drop(Folder::open(folder.path(), Some((2, 0))).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
        drop(Folder::open(folder.path(), None).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }
}
