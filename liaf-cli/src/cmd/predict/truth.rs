//! The classes that recordings are known to be of.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Result;
use liaf::data::dataset::{ClassFrom, DataSet, Labels, ListOptions, Listing};
use liaf::data::{Error, ReadOptions, Recording};

use crate::help::INPUT;
use crate::inputs::{common_parent, place};
use crate::outputs::Usage;

/// Where the classes of recordings are written, as for `liaf dataset folder`.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = INPUT)]
pub struct TruthArgs {
    /// Where the class of a recording is written, for the accuracy: dir = the folder in which it is, stem =
    /// the name of the file, prefix = the name up to the first _, - or digit
    #[arg(long, value_name = "WHERE", conflicts_with = "labels")]
    class_from: Option<ClassFrom>,

    /// A table of labels, for the accuracy: CSV with the names file and class, and perhaps start and end, as
    /// for the set `folder` of `liaf dataset`
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
}

/// The known classes of recordings.
#[derive(Debug)]
pub struct Truth {
    listing: Listing,
    read: ReadOptions,
}

/// The known classes of one recording.
#[derive(Debug, Default)]
pub struct Known {
    /// Intervals of time in µs of the recording's clock, each with its class.
    stretches: Vec<(Range<i64>, String)>,
}

impl TruthArgs {
    /// Reads what is known of these files, which `inputs` stand for; `None` if nothing was asked for.
    pub fn read(
        &self,
        inputs: &[PathBuf],
        files: &[PathBuf],
        window: Option<i64>,
        read: &ReadOptions,
    ) -> Result<Option<Truth>> {
        if self.class_from.is_none() && self.labels.is_none() {
            return Ok(None);
        }
        if files.iter().all(|file| file.as_os_str() == "-") && !files.is_empty() {
            let option = if self.labels.is_some() { "labels" } else { "class-from" };
            let what = format!("--{option} applies to files, and the input is standard input");
            return Err(Usage(what).into());
        }
        let options = ListOptions {
            class_from: self.class_from.unwrap_or_default(),
            labels: self.labels.clone(),
            window,
            ..ListOptions::default()
        };
        let folder = match inputs {
            [one] if one.is_dir() => one.clone(),
            _ => common_parent(files),
        };
        let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
        let listing = DataSet::named("folder")?.list(folder, &options)?;
        Ok(Some(Truth { listing, read: read.clone() }))
    }
}

impl Truth {
    /// Returns an error if none of the classes is one of the network.
    pub fn check(&self, names: &[String]) -> Result<()> {
        let classes = &self.listing.classes;
        if classes.iter().any(|class| names.contains(class)) {
            return Ok(());
        }
        let error = Error::caller("the network knows none of the classes of the recordings");
        Err(error.expected(names.join(", ")).found(classes.join(", ")).into())
    }

    /// What is known of a recording.
    pub fn of(&self, file: &Path) -> Result<Known> {
        let own = place(file);
        let entry = self.listing.recordings.iter().find(|entry| place(&entry.path) == own);
        let class = |number: usize| self.listing.classes[number].clone();
        let stretches = match entry.map(|entry| &entry.labels) {
            Some(Labels::Class(number)) => vec![(i64::MIN..i64::MAX, class(*number))],
            Some(Labels::Stretches(all)) => {
                let first = first_time(file, &self.read)?;
                let on_clock = |stretch: &liaf::data::dataset::Stretch| {
                    let time = stretch.from.on_clock(first)..stretch.to.on_clock(first);
                    (time, class(stretch.class))
                };
                all.iter().map(on_clock).collect()
            }
            _ => Vec::new(),
        };
        Ok(Known { stretches })
    }
}

impl Known {
    /// The class of a sample from `start` to `end`, if one interval contains all of it.
    pub fn class(&self, start: i64, end: i64) -> Option<&str> {
        let mut all = self.stretches.iter();
        let found = all.find(|(time, _)| time.start <= start && end <= time.end)?;
        Some(&found.1)
    }
}

/// The time of the first event of a recording.
fn first_time(file: &Path, read: &ReadOptions) -> Result<i64> {
    let mut recording = Recording::open(file, read.clone())?;
    let first = recording.events()?.next().transpose()?;
    Ok(first.map_or(0, |event| event.t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_of_the_class_of_the_interval_that_contains_it() {
        let known = Known { stretches: vec![(0..100, "a".into()), (100..300, "b".into())] };
        assert_eq!(known.class(0, 100), Some("a"));
        assert_eq!(known.class(100, 200), Some("b"));
        assert_eq!(known.class(50, 150), None);
        assert_eq!(known.class(250, 350), None);
        assert_eq!(Known::default().class(0, 1), None);
    }
}
