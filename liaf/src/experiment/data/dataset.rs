//! The folder of a data set, from which tensor files are made.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use liaf_data::dataset::{Build, ClassFrom, DataSet, ListOptions, SampleRule, Split};
use liaf_data::filter::FilterSpec;
use liaf_data::frames::{
    Dtype, FrameOptions, PolarityChannels, Representation, WindowRule, parse_duration,
};
use liaf_data::model::Parameters;
use liaf_data::{Error, Limits};
use serde::{Deserialize, Serialize};

use super::{Data, Kind, Known, Loading, Source, located, steps_of};
use crate::error::Result;
use crate::experiment::document::Document;
use crate::samples::StoredSamples;

/// A data set, as `liaf dataset` takes it. The tensor files are made once, beside the run or where
/// `cache` says, and are used again.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FromRecordings {
    /// Name of the set.
    name: String,
    dir: PathBuf,
    /// The tensor file to make, without `.train` and `.test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subset: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    split: Option<String>,
    /// Duration of a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<String>,
    /// T: the first so many windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<usize>,
    /// T: so many bins of equal length.
    #[serde(skip_serializing_if = "Option::is_none")]
    bins: Option<usize>,
    /// Duration of a sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dtype: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    polarity: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    filter: Vec<String>,
}

impl Kind for FromRecordings {
    const NAME: &str = "dataset";

    fn locate(&mut self, document: &Document) {
        self.dir = located(document, &["data", "dir"], &self.dir);
        for (key, path) in [("cache", &mut self.cache), ("labels", &mut self.labels)] {
            if let Some(path) = path {
                *path = located(document, &["data", key], path);
            }
        }
    }
}

impl Source for FromRecordings {
    fn known(&self) -> Result<Known> {
        let steps = match (self.steps.or(self.bins), &self.sample) {
            (None, Some(sample)) => Some(self.cut(parse_duration(sample)?, self.window()?)?),
            (steps, _) => steps,
        };
        Ok(Known { steps, size: self.size.as_deref().map(str::parse).transpose()? })
    }

    fn load(&self, loading: &Loading<'_>) -> Result<Data> {
        let set = DataSet::named(&self.name)?;
        let class_from: Option<ClassFrom> =
            self.class_from.as_deref().map(str::parse).transpose()?;
        let listed = ListOptions {
            class_from: class_from.unwrap_or_default(),
            labels: self.labels.clone(),
            subset: self.subset.clone(),
            window: self.bins.is_none().then(|| self.window()).transpose()?,
        };
        let cache = match (&self.cache, loading.out) {
            (Some(cache), _) => cache.clone(),
            (None, Some(out)) => out.join("data.safetensors"),
            (None, None) => {
                let error = Error::caller("the samples of the recordings need a file");
                return Err(error.expected("`cache`, or a folder for the run").into());
            }
        };
        let build = self.build(&cache)?;
        let listing = set.list(&self.dir, &listed)?;
        let tell = |progress: &liaf_data::dataset::Progress| {
            (loading.tell)(progress.done, progress.recordings);
        };
        let go_on = || (loading.tell)(0, 0);
        let prepared = build.prepare(&listing)?;
        let splits: Vec<_> = prepared.splits().flatten().collect();
        for (split, role) in [(Split::Test, "test"), (Split::Train, "train")] {
            if !splits.contains(&split) {
                return Err(Error::caller(format!(
                    "the data set does not say which samples {role}"
                ))
                .expected("`split`, as in \"random:1:0.8\" or \"time:0.7\"")
                .into());
            }
        }
        if let Some(folder) = cache.parent() {
            std::fs::create_dir_all(folder).map_err(|error| {
                Error::system("cannot create the folder", error).in_file(folder)
            })?;
        }
        let built = prepared.run(&tell, &go_on)?;
        let mut remarks: Vec<String> = listing.remarks.iter().map(ToString::to_string).collect();
        remarks.extend(built.failures.iter().map(|failure| failure.error.to_string()));
        if built.failed_before > 0 {
            remarks.push(format!("{} recordings are not in the samples", built.failed_before));
        }
        let of = |split| -> Result<Arc<StoredSamples>> {
            let path = named(&cache, split);
            Ok(Arc::new(StoredSamples::read(&path, &Limits::default())?))
        };
        let (train, test) = (of(Split::Train)?, of(Split::Test)?);
        Ok(Data { train, validation: None, test, remarks })
    }
}

impl FromRecordings {
    /// Duration of a window in µs.
    fn window(&self) -> Result<i64> {
        Ok(self.window.as_deref().map(parse_duration).transpose()?.unwrap_or(10_000))
    }

    /// Number of windows in a sample of this duration, both in µs.
    fn cut(&self, sample: i64, window: i64) -> Result<usize> {
        steps_of(sample, window).ok_or_else(|| {
            let error = Error::caller("a sample is not a multiple of the window");
            error.found(format!("{sample} µs and {window} µs")).into()
        })
    }

    fn build(&self, cache: &Path) -> Result<Build> {
        let duration = |text: &Option<String>| text.as_deref().map(parse_duration).transpose();
        let window = self.window()?;
        let samples = match (self.steps, self.bins, duration(&self.sample)?) {
            (steps, None, None) => SampleRule::Whole { steps },
            (None, Some(steps), None) => SampleRule::Bins { steps },
            (None, None, Some(sample)) => {
                SampleRule::Cut { steps: self.cut(sample, window)?, keep_partial: false }
            }
            _ => {
                let error = Error::caller("a sample has either `steps`, or `bins`, or a duration");
                return Err(error.into());
            }
        };
        let (name, parameters) = Parameters::after_name(self.repr.as_deref().unwrap_or("count"))?;
        let representation = Representation::named(name)?;
        let usual = if name == "count" { Dtype::U8 } else { representation.usual_dtype };
        let dtype: Option<Dtype> = self.dtype.as_deref().map(str::parse).transpose()?;
        let polarity: Option<PolarityChannels> =
            self.polarity.as_deref().map(str::parse).transpose()?;
        let filters: liaf_data::Result<Vec<FilterSpec>> =
            self.filter.iter().map(|filter| filter.parse()).collect();
        let mut frames = FrameOptions::default().representation(representation);
        frames.windows = WindowRule::Time { us: window, overlap: 0 };
        frames.parameters = parameters;
        frames.dtype = dtype.unwrap_or(usual);
        frames.polarity = polarity.unwrap_or_default();
        frames.size = self.size.as_deref().map(str::parse).transpose()?;
        frames.selection.filters = filters?;
        let split = self.split.as_deref().map(str::parse).transpose()?;
        let mut build = Build { frames, samples, ..Build::new(&self.name, cache)? };
        build.split = split.unwrap_or_default();
        build.read.parallel = false;
        Ok(build)
    }
}

/// The file of a split: `.train` or `.test` is before the extension.
fn named(cache: &Path, split: Split) -> PathBuf {
    let extension = cache.extension().unwrap_or_default().to_string_lossy();
    let name = if split == Split::Train { "train" } else { "test" };
    cache.with_extension(format!("{name}.{extension}"))
}
