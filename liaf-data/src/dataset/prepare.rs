//! What is checked and found out before the long work begins.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::Hasher;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use twox_hash::XxHash64;

use super::boxes;
use super::build::Build;
use super::contents::Contents;
use super::estimate::Estimate;
use super::manifest;
use super::plan::changed;
use super::samples;
use super::shards::{self, Shard};
use super::source::Source;
use super::title::{self, About, Title, plan_text};
use super::{Entry, Listing, Split};
use crate::error::{Error, Result};
use crate::frames::FrameShape;
use crate::hint::Hint;
use crate::io::is_same_file;
use crate::model::SensorSize;
use crate::read::Recording;

/// A [`Build`] that has been checked against a [`Listing`].
#[derive(Debug)]
pub struct Prepared<'a> {
    pub(super) build: &'a Build,
    pub(super) listing: &'a Listing,
    /// The size of the sensor of all frames.
    pub sensor: SensorSize,
    pub(super) shape: FrameShape,
    /// The stretches of each recording.
    pub(super) sources: Vec<Vec<Source>>,
    /// The splits that get files.
    pub(super) splits: BTreeSet<Option<Split>>,
    /// The recordings that are used.
    pub(super) recordings: Range<usize>,
    plan: u64,
    /// What is unusual about the recordings, such as different sensors.
    pub remarks: Vec<String>,
    /// How large the output will be.
    pub estimate: Estimate,
}

impl Build {
    /// Checks everything that can be known before the work begins.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the options do not fit each other, the set or the
    /// sensor; [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the output would be too large.
    pub fn prepare<'a>(&'a self, listing: &'a Listing) -> Result<Prepared<'a>> {
        samples::check(self.samples, &self.frames, self.contents)?;
        if self.part.is_some() && self.shards.is_some() {
            return Err(Error::caller("the files of a part of the work cannot be divided")
                .advice("divide the files of the whole, or index those of the parts"));
        }
        let (sensor, mut remarks) = self.sensor(listing)?;
        remarks.extend(same_names(listing));
        let shape = self.frames.check(sensor)?;
        if listing.has_boxes() {
            boxes::check(self)?;
        }
        if self.contents == Contents::Sparse && shape.channels > usize::from(u16::MAX) {
            let error = Error::caller("frames have too many channels to store them sparsely");
            return Err(error.expected(u16::MAX).found(shape.channels));
        }
        self.check_split(listing)?;
        let sources = self.sources(listing);
        let all = &listing.recordings;
        let mut prepared = Prepared {
            build: self,
            listing,
            sensor,
            shape,
            splits: self.splits(&sources),
            sources,
            recordings: self.part.map_or(0..all.len(), |part| part.recordings(all)),
            plan: self.plan(listing, sensor),
            remarks,
            estimate: Estimate::default(),
        };
        prepared.check_apart()?;
        prepared.estimate = prepared.estimate_size()?;
        Ok(prepared)
    }
}

/// A remark on recordings whose names differ in their extension alone: they may be the same one twice.
fn same_names(listing: &Listing) -> Option<String> {
    let without = |name: &str| match name.rsplit_once('.') {
        Some((stem, extension)) if !extension.contains('/') => stem.to_owned(),
        _ => name.to_owned(),
    };
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut pairs = Vec::new();
    for entry in &listing.recordings {
        if let Some(first) = seen.insert(without(&entry.name), &entry.name) {
            pairs.push(format!("{first} and {}", entry.name));
        }
    }
    let first = pairs.first()?;
    Some(format!("{} recordings have the name of another, such as {first}", pairs.len()))
}

impl Prepared<'_> {
    /// The splits of which files will be made; `None` for samples that are not divided.
    pub fn splits(&self) -> impl Iterator<Item = Option<Split>> {
        self.splits.iter().copied()
    }

    /// Refuses to replace a recording by a file of the build. Files of earlier builds in the folder of the
    /// set are listed as recordings as well, but are none.
    fn check_apart(&self) -> Result<()> {
        let Build { output, read, .. } = self.build;
        for path in self.splits.iter().map(|split| shards::path(output, *split, self.part())) {
            let Ok(file) = fs::metadata(&path) else { continue };
            let is_read = |entry: &&Entry| {
                // Sizes are known, and tell nearly all of them apart.
                entry.bytes == file.len()
                    && is_same_file(&entry.path, &path)
                    && Recording::open(&entry.path, read.clone()).is_ok()
            };
            if let Some(entry) = self.listing.recordings.iter().find(is_read) {
                return Err(Error::caller("the output is a recording of the set")
                    .found(&entry.name)
                    .advice("name another output")
                    .in_file(path));
            }
        }
        Ok(())
    }

    /// The plan as files store it.
    pub(super) fn plan_text(&self) -> String {
        plan_text(self.plan)
    }

    /// The plan of the journal, in which every recording also has the time when it was changed.
    pub(super) fn journal_plan(&self) -> u64 {
        let mut hash = XxHash64::with_seed(self.plan);
        for entry in &self.listing.recordings {
            let since = changed(&entry.path).and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let time = since.map_or(0, |since| since.as_nanos());
            hash.write(&time.to_le_bytes());
        }
        hash.write(format!("{:?}", self.build.part).as_bytes());
        hash.finish()
    }

    /// Refuses a complete file if a recording has been changed since.
    pub(super) fn check_not_changed(&self, path: &Path) -> Result<()> {
        let Some(made) = changed(path) else { return Ok(()) };
        let entries = &self.listing.recordings[self.recordings.clone()];
        let is_newer = |path: &Path| changed(path).is_some_and(|time| time > made);
        match entries.iter().find(|entry| is_newer(&entry.path)) {
            None => Ok(()),
            Some(entry) => {
                Err(Error::caller("the file exists already, and is older than a recording")
                    .found(&entry.name)
                    .hint(Hint::Overwrite)
                    .in_file(path))
            }
        }
    }

    /// Which of several files those of this build are, if it makes a part of the work.
    pub(super) fn part(&self) -> Option<Shard> {
        self.build.part.map(Shard::from)
    }

    /// The file of a split that says that it is complete: the only one, or the list of its shards.
    pub(super) fn final_path(&self, split: Option<Split>) -> PathBuf {
        let path = shards::path(&self.build.output, split, self.part());
        match self.build.shards {
            None => path,
            Some(_) => manifest::path(&path),
        }
    }

    /// The files that say that the build is complete.
    pub(super) fn final_paths(&self) -> Vec<PathBuf> {
        self.splits.iter().map(|split| self.final_path(*split)).collect()
    }

    /// The folder in which finished recordings wait.
    pub(super) fn parts_folder(&self) -> PathBuf {
        let output = shards::path(&self.build.output, None, self.part());
        let mut name = output.file_name().unwrap_or_default().to_os_string();
        name.push(".parts");
        output.with_file_name(name)
    }

    /// What all files say about the set.
    pub(super) fn title(&self, steps: u64) -> Title {
        let Build { set, frames, split, contents, container, tensor, .. } = self.build;
        let about = About {
            set,
            listing: self.listing,
            frames,
            sensor: self.sensor,
            split_rule: split.to_string(),
            contents: *contents,
            plan: self.plan,
        };
        Title {
            about: about.text(),
            contents: *contents,
            dtype: frames.dtype,
            shape: self.shape,
            steps,
            has_labels: !self.listing.classes.is_empty() && !self.listing.has_boxes(),
            has_boxes: self.listing.has_boxes(),
            names: title::names(self.listing),
            container: *container,
            tensor: *tensor,
        }
    }
}
