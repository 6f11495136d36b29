//! What is refused before the data set is looked at: options that do nothing, and outputs that are read.

use std::path::PathBuf;

use anyhow::Result;
use liaf::data::dataset::{DataSet, SourceKind, Split};

use super::Args;
use super::repr::Repr;
use crate::outputs::{Usage, check_none_read};
use crate::{applies, hints};

/// The options of frames and of the recordings of which they are made.
const OF_RECORDINGS: &[&str] = &[
    "window", "steps", "bins", "sample", "partial", "size", "repr", "dtype", "polarity", "filter",
    "format", "stream", "sensor", "strict", "on-error", "sparse", "part", "shards",
];

/// Refuses options that do nothing for what the set consists of.
pub fn source(set: &DataSet) -> Result<()> {
    let given = OF_RECORDINGS.iter().copied().find(|name| hints::is_given(name));
    let given = given.or_else(applies::given_of_recordings);
    match given {
        Some(name) if set.source == SourceKind::Texts => Err(Usage(format!(
            "--{name} does not apply to the data set {}, which has no recordings",
            set.name
        ))
        .into()),
        _ => Ok(()),
    }
}

impl Args {
    /// Refuses options that do nothing beside the others.
    pub fn check_options(&self) -> Result<()> {
        // Clap does not ask for `--sample` where there is an option with which it cannot be combined.
        if hints::is_given("partial") && self.sample.is_none() {
            let what = "--partial applies to samples of a duration: --sample";
            return Err(Usage(what.into()).into());
        }
        match &self.repr_or_events {
            Some(Repr::Events) if hints::is_given("polarity") => {
                return Err(Usage("events have no channels: leave out --polarity".into()).into());
            }
            Some(Repr::Cells(cells)) => cells.check_polarity()?,
            _ => {}
        }
        Ok(())
    }

    /// Refuses an output that is the table of labels or a file of a filter. Whether it is a recording of the set
    /// is known when they are listed.
    pub fn check_apart(&self) -> Result<()> {
        let Some(output) = self.output.as_ref().filter(|_| !self.check) else { return Ok(()) };
        let extension = output.extension().unwrap_or_default().to_string_lossy();
        let of_split =
            |split: Split| output.with_extension(format!("{}.{extension}", split.name()));
        let outputs = Split::ALL.map(of_split);
        let outputs = outputs.iter().chain([output]).map(PathBuf::as_path);
        let of_filters = self.filter.iter().flat_map(|filter| filter.files());
        let read: Vec<PathBuf> = self.labels.iter().cloned().chain(of_filters).collect();
        check_none_read(outputs, &read)
    }
}
