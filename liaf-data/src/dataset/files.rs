//! The files of a build, and the checks of files that are complete.

use std::fs;
use std::path::{Path, PathBuf};

use super::boxes::{self, LabelledBox};
use super::build::Built;
use super::contents::Contents;
use super::journal::Journal;
use super::manifest::{self, Manifest};
use super::output::{Sample, Writer};
use super::part::Part;
use super::prepare::Prepared;
use super::reader::{self, SampleFile};
use super::shards::{self, Shard, ShardKind, Shards};
use super::title::{Title, Which};
use super::{Labels, Split, questions};
use crate::error::Result;

/// A file of a data set, or a list of shards, that was found to be complete.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The tensor files, with their numbers of samples and sizes in bytes.
    pub files: Vec<(PathBuf, u64, u64)>,
    /// Number of samples.
    pub samples: u64,
    /// Number of recordings that could not be used when it was made.
    pub failed: u64,
    /// What it was made of, as a hash.
    pub(super) plan: String,
    /// The number or size of shards that was asked for.
    pub(super) division: Option<String>,
}

impl Verified {
    /// What a list at `path` says, whose shards are those that it lists.
    pub(super) fn of_list(list: Manifest, path: &Path) -> Self {
        let paths = list.paths(path).into_iter().zip(&list.shards);
        let files = paths.map(|(path, row)| (path, row.samples, row.bytes)).collect();
        let Manifest { samples, failed, plan, division, .. } = list;
        Self { files, samples, failed, plan, division }
    }
}

/// Checks a tensor file of a data set, or a list of shards with all of its files: whether the names and
/// offsets agree, and whether every sample is the one that was written.
///
/// # Errors
/// With the path of the file that is missing or damaged, and what is wrong with it.
pub fn verify(path: impl AsRef<Path>) -> Result<Verified> {
    let path = path.as_ref();
    let whole = |samples: u64| {
        let bytes = fs::metadata(path).map_or(0, |meta| meta.len());
        vec![(path.to_owned(), samples, bytes)]
    };
    if manifest::is_manifest(path) {
        let list = Manifest::read(path)?;
        list.verify(path)?;
        return Ok(Verified::of_list(list, path));
    }
    if let Some((plan, samples)) = questions::verify_any(path)? {
        return Ok(Verified { files: whole(samples), samples, failed: 0, plan, division: None });
    }
    let file = reader::verify(path)?;
    let samples = file.samples.len() as u64;
    Ok(Verified {
        files: whole(samples),
        samples,
        failed: file.stated.which.failed,
        plan: file.stated.plan,
        division: None,
    })
}

/// The tensor files of a set or of a split at `path`: the shards of a list, in its order, or else the file itself. They
/// need not exist.
///
/// # Errors
/// If `path` is that of a list (`.json`) and cannot be read.
pub fn tensor_files(path: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
    let path = path.as_ref();
    match manifest::is_manifest(path) {
        true => Ok(Manifest::read(path)?.paths(path)),
        false => Ok(vec![path.to_owned()]),
    }
}

/// A sample within the part of its recording.
struct Pick<'a> {
    part: &'a Part,
    /// Where its items begin in the part, and their size, in bytes.
    start: u64,
    bytes: u64,
    sample: Sample,
}

impl Prepared<'_> {
    /// Writes the files of all splits.
    pub(super) fn write_files(&self, journal: &Journal, built: &mut Built) -> Result<()> {
        let title = self.title(built.steps);
        let failed = (self.recordings.len() - journal.done.len()) as u64;
        for split in &self.splits {
            let picks = picks(journal, *split, title.item_bytes());
            let Some(rule) = self.build.shards else {
                let which = Which { split: *split, shard: self.part(), failed };
                self.write_file(&title, which, &picks, journal, built)?;
                continue;
            };
            let shards = divide(rule, &picks, &title);
            let mut files = Vec::new();
            for (number, picked) in (1..).zip(&shards) {
                let shard = Shard { kind: ShardKind::Shard, number, of: shards.len() };
                let which = Which { split: *split, shard: Some(shard), failed };
                let picked = &picks[picked.clone()];
                files.push(self.write_file(&title, which, picked, journal, built)?);
            }
            let files = files.iter().map(|path| SampleFile::open(path)).collect::<Result<_>>()?;
            let list = Manifest::of(&manifest::in_order(files)?, Some(rule.to_string()))?;
            let path = self.final_path(*split);
            let is_ours = Manifest::read(&path).is_ok_and(|old| old.plan == self.plan_text());
            list.write(&path, self.build.tensor.overwrite || is_ours)?;
        }
        Ok(())
    }

    fn write_file(
        &self,
        title: &Title,
        which: Which,
        picks: &[Pick<'_>],
        journal: &Journal,
        built: &mut Built,
    ) -> Result<PathBuf> {
        let path = shards::path(&self.build.output, which.split, which.shard);
        let overwrite = self.build.tensor.overwrite || self.is_ours(&path);
        let mut writer = Writer::create(&path, title, which, overwrite)?;
        let unit = match title.contents {
            Contents::Frames => 1,
            _ => title.item_bytes() as usize,
        };
        let scale = self.box_scale();
        let mut reader = journal.reader();
        let mut known: Option<(usize, Vec<LabelledBox>)> = None;
        for Pick { part, start, bytes, sample } in picks {
            let boxes = match &known {
                Some((recording, boxes)) if *recording == part.recording => boxes,
                _ => &known.insert((part.recording, self.boxes(part.recording)?)).1,
            };
            writer.begin(*sample);
            reader.items(part, *start, *bytes, unit, |items| writer.add(items))?;
            writer.end(&boxes::of_sample(boxes, sample, scale))?;
        }
        let (samples, bytes) = writer.finish()?;
        built.files.push((path.clone(), samples, bytes));
        Ok(path)
    }
}

impl Prepared<'_> {
    /// The boxes of a recording; none if it has other labels.
    ///
    /// # Errors
    /// If the file of its boxes cannot be read.
    pub(super) fn boxes(&self, recording: usize) -> Result<Vec<LabelledBox>> {
        let classes = self.listing.classes.len();
        match self.listing.recordings.get(recording).map(|entry| &entry.labels) {
            Some(Labels::Boxes(file)) => Ok(boxes::read(&file.path, self.sensor, classes)?.0),
            _ => Ok(Vec::new()),
        }
    }

    /// What leads from pixels of the sensor to those of the frames, in x and y.
    fn box_scale(&self) -> [f32; 2] {
        let of = |frame: usize, sensor: u16| frame as f32 / f32::from(sensor.max(1));
        [of(self.shape.width, self.sensor.width), of(self.shape.height, self.sensor.height)]
    }
}

/// The samples of a split, in order.
fn picks(journal: &Journal, split: Option<Split>, item_bytes: u64) -> Vec<Pick<'_>> {
    let mut picks = Vec::new();
    for part in journal.done.values() {
        let mut start = 0;
        for row in &part.head.rows {
            let bytes = row.items.saturating_mul(item_bytes);
            if !row.dropped && row.split == split {
                let sample = Sample {
                    class: row.class,
                    length: row.frames as i64,
                    source: part.recording as i64,
                    start: row.start,
                    duration: row.duration,
                };
                picks.push(Pick { part, start, bytes, sample });
            }
            start += bytes;
        }
    }
    picks
}

/// The samples of each shard.
fn divide(rule: Shards, picks: &[Pick<'_>], title: &Title) -> Vec<std::ops::Range<usize>> {
    let dense = title.steps.saturating_mul(title.frame_bytes());
    let size = |pick: &Pick<'_>| match title.contents {
        Contents::Frames => dense,
        _ => pick.bytes,
    };
    rule.divide(&picks.iter().map(size).collect::<Vec<_>>())
}
