//! What a build is going to make, found out before any recording is read.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use twox_hash::XxHash64;

use super::build::Build;
use super::rules::Unit;
use super::source::Source;
use super::{BoxFile, Entry, Labels, Listing, SampleRule, Split, SplitRule};
use crate::codec::ReadOptions;
use crate::error::{Error, Result};
use crate::frames::{FrameRecipe, WindowRule};
use crate::model::{SensorSize, TimePoint};
use crate::read::Recording;

impl Build {
    /// The size of the sensor of all frames: the stated one, the published one, or the largest. With
    /// remarks about recordings of other sensors.
    pub(super) fn sensor(&self, listing: &Listing) -> Result<(SensorSize, Vec<String>)> {
        if let Some(sensor) = self.read.sensor.or(listing.sensor) {
            return Ok((sensor, Vec::new()));
        }
        let size = |entry: &Entry| {
            let options = ReadOptions { parallel: false, ..self.read.clone() };
            Recording::open(&entry.path, options)
                .and_then(|mut file| file.find_sensor())
                .map_err(|error| error.in_file(&entry.path))
        };
        let sizes: Vec<Result<SensorSize>> = listing.recordings.par_iter().map(size).collect();
        let mut counts: BTreeMap<(u16, u16), u64> = BTreeMap::new();
        let mut largest: Option<SensorSize> = None;
        let mut first_error = None;
        for size in sizes {
            match size {
                Ok(SensorSize { width, height, .. }) => {
                    *counts.entry((width, height)).or_default() += 1;
                    largest = Some(largest.map_or(SensorSize::new(width, height), |largest| {
                        SensorSize::new(largest.width.max(width), largest.height.max(height))
                    }));
                }
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        let Some(largest) = largest else {
            // The error of the first recording, if none can be used.
            return Err(first_error.unwrap_or_else(|| Error::caller("there are no recordings")));
        };
        let mut remarks = Vec::new();
        if counts.len() > 1 {
            let each = counts.iter().map(|((w, h), n)| format!("{n} of {w}x{h}"));
            let each = each.take(8).collect::<Vec<_>>().join(", ");
            remarks.push(format!(
                "the recordings are of different sensors: {each}; the frames are of {largest}"
            ));
        }
        Ok((largest, remarks))
    }

    /// Refuses a rule for the split where the set says it.
    pub(super) fn check_split(&self, listing: &Listing) -> Result<()> {
        let stated = listing.recordings.iter().find_map(|entry| Some((entry, entry.split?)));
        match (self.split, stated) {
            (SplitRule::Published | SplitRule::None, _) | (_, None) => Ok(()),
            (rule, Some((entry, split))) => {
                let found = format!("{rule}, and {} is to {}", entry.name, split.name());
                let error = Error::caller("the set says itself what trains and tests").found(found);
                Err(error.expected("no rule for the split, or none for a single file"))
            }
        }
    }

    /// The stretches of each recording, with their splits.
    pub(super) fn sources(&self, listing: &Listing) -> Vec<Vec<Source>> {
        let whole = Source { class: None, split: None, from: None, to: None };
        let of = |entry: &Entry| match &entry.labels {
            Labels::None => vec![whole],
            Labels::Boxes(file) => self.around(file).unwrap_or_else(|| {
                // The times of boxes count from the start of the recording.
                vec![Source { from: Some(TimePoint::Absolute(0)), ..whole }]
            }),
            Labels::Class(class) => vec![Source { class: Some(*class), ..whole }],
            Labels::Stretches(all) => all
                .iter()
                .map(|part| Source {
                    class: Some(part.class),
                    from: Some(part.from),
                    to: Some(part.to),
                    ..whole
                })
                .collect(),
        };
        let mut sources: Vec<Vec<Source>> = listing.recordings.iter().map(of).collect();
        let mut units = Vec::new();
        for (entry, parts) in listing.recordings.iter().zip(&sources) {
            for (number, part) in parts.iter().enumerate() {
                let (name, published) = (&*entry.name, entry.split);
                units.push(Unit { name, number, class: part.class, published });
            }
        }
        let splits = self.split.assign(&units);
        for (source, split) in sources.iter_mut().flatten().zip(splits) {
            source.split = split;
        }
        sources
    }

    /// The stretches before each time at which there are boxes, if samples have a stated length.
    fn around(&self, file: &BoxFile) -> Option<Vec<Source>> {
        let (SampleRule::Whole { steps: Some(steps) }, WindowRule::Time { us, .. }) =
            (self.samples, self.frames.windows)
        else {
            return None;
        };
        let length = us.saturating_mul(i64::try_from(steps).unwrap_or(i64::MAX));
        let before = |&t: &i64| Source {
            class: None,
            split: None,
            from: Some(TimePoint::Absolute(t.saturating_sub(length))),
            to: Some(TimePoint::Absolute(t)),
        };
        Some(file.times.iter().map(before).collect())
    }

    /// The splits that get files.
    pub(super) fn splits(&self, sources: &[Vec<Source>]) -> BTreeSet<Option<Split>> {
        match self.split {
            SplitRule::Time { .. } => [Some(Split::Train), Some(Split::Test)].into(),
            _ => sources.iter().flatten().map(|source| source.split).collect(),
        }
    }

    /// A number for everything on which the bytes of the output depend, but for the contents of the
    /// recordings. It is stored in the files, and the same wherever the folder is.
    pub(super) fn plan(&self, listing: &Listing, sensor: SensorSize) -> u64 {
        let recordings = listing.recordings.iter();
        let text = PlanText {
            classes: &listing.classes,
            compression: format!("{:?} {}", self.tensor.compression, self.tensor.npz_deflate),
            container: self.container.to_string(),
            contents: self.contents.name(),
            // A value has its keys in order of the alphabet as well.
            frames: json!(FrameRecipe::from(&self.frames)),
            read: json!(self.read),
            recordings: recordings.map(|e| (&*e.name, e.bytes, &e.labels, e.split)).collect(),
            samples: format!("{:?}", self.samples),
            sensor: json!(sensor),
            set: &self.set,
            split: self.split.to_string(),
            version: env!("CARGO_PKG_VERSION"),
        };
        let mut hash = HashText(XxHash64::with_seed(0));
        // Neither the values nor the hash can fail.
        let _ = serde_json::to_writer(&mut hash, &text);
        hash.0.finish()
    }
}

/// The text of a plan, which is hashed piece by piece: the labels of a set can be many. The keys are in the order
/// of the alphabet.
#[derive(Serialize)]
struct PlanText<'a> {
    classes: &'a [String],
    compression: String,
    container: String,
    contents: &'static str,
    frames: Value,
    read: Value,
    recordings: Vec<(&'a str, u64, &'a Labels, Option<Split>)>,
    samples: String,
    sensor: Value,
    set: &'a str,
    split: String,
    version: &'static str,
}

/// A hash to which text is written.
struct HashText(XxHash64);

impl Write for HashText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// When a file was changed.
pub(super) fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|meta| meta.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{BoxFile, Stretch};

    #[test]
    fn the_text_of_a_plan_is_that_of_a_value() {
        let [from, to] = [TimePoint::Absolute(-1), TimePoint::Relative(5)];
        let stretches = Labels::Stretches(vec![Stretch { class: 1, from, to }]);
        let boxes = Labels::Boxes(BoxFile { hash: u64::MAX, ..BoxFile::default() });
        let text = PlanText {
            classes: &["a \"é".to_owned()],
            compression: String::new(),
            container: "npz".into(),
            contents: "frames",
            frames: json!({ "b": 1.5, "a": null }),
            read: json!([]),
            recordings: vec![
                ("x", 1, &stretches, Some(Split::Val)),
                ("y", 2, &boxes, None),
                ("z", 3, &Labels::Class(4), None),
                ("n", 3, &Labels::None, None),
            ],
            samples: String::new(),
            sensor: json!(SensorSize::new(3, 4)),
            set: "folder",
            split: "none".into(),
            version: "0",
        };
        assert_eq!(serde_json::to_string(&text).unwrap(), json!(text).to_string());
    }
}
