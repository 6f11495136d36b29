//! Making the tensor files of a data set, on all threads, so that it can be interrupted at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use rayon::prelude::*;
use serde_json::json;
use twox_hash::XxHash64;

use super::journal::{self, Journal};
use super::output::{self, Output};
use super::part::{Head, Part, PartWriter};
use super::rules::Unit;
use super::samples::{self, Recipe, Source};
use super::{Entry, Labels, Listing, SampleRule, Split, SplitRule};
use crate::codec::ReadOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::frames::{FrameOptions, FrameRecipe};
use crate::hint::Hint;
use crate::model::SensorSize;
use crate::read::Recording;
use crate::tensor::{Container, TensorOptions};

/// What happens if a recording cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// It is reported and left out.
    #[default]
    Skip,
    /// The build stops. What was finished is kept, so that it continues there.
    Stop,
}

/// How far a build is. Told after each recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// Number of recordings that are done, and of all.
    pub done: usize,
    /// Number of all recordings.
    pub recordings: usize,
    /// Size of the recordings that are done, and of all, in bytes.
    pub bytes: u64,
    /// Size of all recordings in bytes.
    pub total_bytes: u64,
    /// Number of events in the frames so far.
    pub events: u64,
}

/// A recording that could not be used.
#[derive(Debug)]
pub struct Failure {
    /// Its name within the set.
    pub name: String,
    /// Why.
    pub error: Error,
}

/// The samples of one class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassRow {
    /// The name of the class; empty if the set has none.
    pub class: String,
    /// Number of samples without a split, to train, and to test.
    pub samples: [u64; 3],
}

/// What was made.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Built {
    /// The files, with their numbers of samples and sizes in bytes.
    pub files: Vec<(PathBuf, u64, u64)>,
    /// Whether the files existed already and were verified.
    pub was_complete: bool,
    /// Number of recordings that an earlier, interrupted build had finished.
    pub resumed: usize,
    /// The samples of each class.
    pub classes: Vec<ClassRow>,
    /// T.
    pub steps: u64,
    /// Number of samples that the end of their recording cut short, and that were left out.
    pub cut_short: u64,
    /// Number of events in the frames.
    pub kept: u64,
    /// Number of events that filters removed, or that were outside the sensor.
    pub left_out: u64,
    /// What was unusual, with the number of recordings.
    pub notes: Vec<(String, u64)>,
    /// Recordings that could not be used.
    pub failures: Vec<Failure>,
    /// Number of recordings that are not in files that were [complete](Self::was_complete), because they
    /// could not be used when these were made.
    pub failed_before: u64,
}

/// How the samples of a data set are made and written.
///
/// ```no_run
/// use liaf_data::dataset::{Build, DataSet, ListOptions, SampleRule, SplitRule};
/// use liaf_data::frames::{Dtype, FrameOptions};
///
/// let listing = DataSet::named("folder")?.list("recordings", &ListOptions::default())?;
/// let build = Build {
///     frames: FrameOptions::window_ms(100).size(32, 32).dtype(Dtype::U8),
///     samples: SampleRule::Cut { steps: 10, keep_partial: false },
///     split: "time:0.7".parse()?,
///     ..Build::new("folder", "objects.h5")?
/// };
/// let built = build.run(&listing, &|progress| eprintln!("{} done", progress.done), &|| true)?;
/// for (path, samples, _) in &built.files {
///     println!("{}: {samples} samples", path.display());
/// }
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Build {
    /// The name of the set.
    pub set: String,
    /// The file to make. With splits, `.train` and `.test` come before its extension.
    pub output: PathBuf,
    /// The kind of file.
    pub container: Container,
    /// How frames are made. Default: windows of 10 ms.
    pub frames: FrameOptions,
    /// How recordings are read.
    pub read: ReadOptions,
    /// How recordings become samples. Default: one each, of all its frames.
    pub samples: SampleRule,
    /// How samples are divided. Default: as the set says.
    pub split: SplitRule,
    /// What happens if a recording cannot be used.
    pub on_error: OnError,
    /// How the files are written; `overwrite` replaces files that were made in another way.
    pub tensor: TensorOptions,
}

impl Build {
    /// A build with the defaults. The extension of `output` selects the kind of file.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`] if it selects none, or one that holds a single tensor.
    pub fn new(set: &str, output: impl AsRef<Path>) -> Result<Self> {
        let output = output.as_ref().to_owned();
        let container = Container::from_path(&output)?;
        if container == Container::Npy {
            return Err(Error::caller("a .npy file has no room for labels")
                .expected(".h5, .npz or .safetensors")
                .in_file(&output));
        }
        Ok(Self {
            set: set.into(),
            output,
            container,
            frames: FrameOptions::default(),
            read: ReadOptions::default(),
            samples: SampleRule::Whole { steps: None },
            split: SplitRule::Published,
            on_error: OnError::Skip,
            tensor: TensorOptions::default(),
        })
    }

    /// Makes the files. `progress` is told after each recording, from any thread; `go_on` is asked often,
    /// and stops the build when it says no. What was finished until then is kept.
    ///
    /// If the files exist and were made by the same build from the same recordings, they are verified and
    /// left as they are.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`] if the options do not fit each other or the sensor, if a file exists that was
    /// made in another way, or if another process is making the same file;
    /// [`ErrorKind::Limit`] if the output would be too large; [`ErrorKind::Cancelled`] if `go_on` said no;
    /// the error of a recording with [`OnError::Stop`], or if no recording could be used.
    pub fn run(
        &self,
        listing: &Listing,
        progress: &(dyn Fn(&Progress) + Sync),
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Built> {
        samples::check(self.samples, &self.frames)?;
        let sensor = self.sensor(listing)?;
        let shape = self.frames.check(sensor)?;
        self.check_split(listing)?;
        let sources = self.sources(listing);
        self.check_size(&sources, (shape.cells() * self.frames.dtype.bytes()) as u64)?;
        let splits = self.splits(&sources);
        let plan = self.plan(listing, sensor);
        let files: Vec<_> =
            splits.iter().map(|split| (*split, output::path(&self.output, *split))).collect();
        if let Some(built) = self.already(&files, plan)? {
            return Ok(built);
        }
        let parts = parts_folder(&self.output);
        let journal = match Journal::open(&parts, plan) {
            // What an earlier command left is in the way of this one.
            Err(error) if self.tensor.overwrite && error.kind() == ErrorKind::Caller => {
                Journal::clear(&parts, plan)?
            }
            opened => opened?,
        };
        let mut built = Built { resumed: journal.done.len(), ..Built::default() };
        let journal = Mutex::new(journal);
        built.failures = self.make_parts(listing, &sources, sensor, &journal, progress, go_on)?;
        let journal = journal.into_inner().unwrap_or_else(PoisonError::into_inner);
        if journal.done.is_empty() {
            let first = built.failures.into_iter().next();
            journal.remove()?;
            return Err(first.map_or_else(|| Error::caller("there are no recordings"), |f| f.error));
        }
        if let Err(error) = self.count(listing, &journal, &mut built) {
            // Nothing here is of use to another command.
            journal.remove()?;
            return Err(error);
        }
        let output = Output {
            set: &self.set,
            listing,
            frames: &self.frames,
            sensor,
            shape,
            steps: built.steps,
            split_rule: self.split.to_string(),
            plan,
            container: self.container,
            tensor: self.tensor,
        };
        for (split, path) in &files {
            // A file of this build may be there already, if it was interrupted between two.
            let is_ours = path.exists()
                && output::verify(path).is_ok_and(|file| file.plan == format!("{plan:016x}"));
            let overwrite = self.tensor.overwrite || is_ours;
            let (samples, bytes) = output.write(path, *split, &journal, overwrite)?;
            built.files.push((path.clone(), samples, bytes));
        }
        journal.remove()?;
        Ok(built)
    }

    /// The size of the sensor of all frames: the stated one, the published one, or the largest.
    fn sensor(&self, listing: &Listing) -> Result<SensorSize> {
        if let Some(sensor) = self.read.sensor.or(listing.sensor) {
            return Ok(sensor);
        }
        let size = |entry: &Entry| {
            let options = ReadOptions { parallel: false, ..self.read.clone() };
            Recording::open(&entry.path, options)
                .and_then(|mut file| file.find_sensor())
                .map_err(|error| error.in_file(&entry.path))
        };
        let larger = |a: Result<SensorSize>, b: Result<SensorSize>| match (a, b) {
            (Ok(a), Ok(b)) => Ok(SensorSize::new(a.width.max(b.width), a.height.max(b.height))),
            // The error of the first recording, if none can be used.
            (Err(error), Err(_)) => Err(error),
            (Ok(size), Err(_)) | (Err(_), Ok(size)) => Ok(size),
        };
        let sizes = listing.recordings.par_iter().map(size).reduce_with(larger);
        sizes.unwrap_or_else(|| Err(Error::caller("there are no recordings")))
    }

    /// Refuses a rule for the split where the set says it.
    fn check_split(&self, listing: &Listing) -> Result<()> {
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
    fn sources(&self, listing: &Listing) -> Vec<Vec<Source>> {
        let whole = Source { class: None, split: None, from: None, to: None };
        let of = |entry: &Entry| match &entry.labels {
            Labels::None => vec![whole],
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

    /// The splits that get files.
    fn splits(&self, sources: &[Vec<Source>]) -> BTreeSet<Option<Split>> {
        match self.split {
            SplitRule::Time { .. } => [Some(Split::Train), Some(Split::Test)].into(),
            _ => sources.iter().flatten().map(|source| source.split).collect(),
        }
    }

    /// Refuses outputs that are known to be too large before the work begins.
    fn check_size(&self, sources: &[Vec<Source>], frame_bytes: u64) -> Result<()> {
        let halves = if matches!(self.split, SplitRule::Time { .. }) { 2 } else { 1 };
        let samples = halves * sources.iter().map(Vec::len).sum::<usize>() as u64;
        let steps = match self.samples {
            SampleRule::Cut { .. } => 1,
            rule => rule.steps().unwrap_or(1) as u64,
        };
        let bytes = samples.saturating_mul(steps).saturating_mul(frame_bytes);
        let most = self.tensor.limits.output_bytes;
        if bytes <= most {
            return Ok(());
        }
        Err(Error::limit("the frames would be too large")
            .expected(format!("at most {most} bytes before compression"))
            .found(format!("at least {bytes} bytes"))
            .hint(Hint::SmallerFrames)
            .hint(Hint::raise("output_bytes", Some(bytes))))
    }

    /// A number for everything on which the bytes of the output depend.
    fn plan(&self, listing: &Listing, sensor: SensorSize) -> u64 {
        let changed = |path: &Path| {
            let time = std::fs::metadata(path).and_then(|meta| meta.modified()).ok()?;
            Some(time.duration_since(UNIX_EPOCH).ok()?.as_nanos().to_string())
        };
        let recordings: Vec<_> = listing
            .recordings
            .iter()
            .map(|entry| {
                json!([entry.name, entry.bytes, changed(&entry.path), entry.labels, entry.split])
            })
            .collect();
        let plan = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "set": self.set,
            "recordings": recordings,
            "classes": listing.classes,
            "frames": FrameRecipe::from(&self.frames),
            "read": self.read,
            "samples": format!("{:?}", self.samples),
            "split": self.split.to_string(),
            "sensor": sensor,
            "container": self.container.to_string(),
            "compression": format!("{:?} {}", self.tensor.compression, self.tensor.npz_deflate),
        });
        let mut hash = XxHash64::with_seed(0);
        hash.write(plan.to_string().as_bytes());
        hash.finish()
    }

    /// What was made before, if that is all of it.
    fn already(&self, files: &[(Option<Split>, PathBuf)], plan: u64) -> Result<Option<Built>> {
        if self.tensor.overwrite || files.iter().all(|(_, path)| !path.exists()) {
            return Ok(None);
        }
        let mut built = Built { was_complete: true, ..Built::default() };
        for (_, path) in files.iter().filter(|(_, path)| path.exists()) {
            let found = output::verify(path).map_err(|_| journal::exists(path))?;
            if found.plan != format!("{plan:016x}") {
                return Err(journal::exists(path));
            }
            let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
            built.failed_before = found.failed;
            built.files.push((path.clone(), found.samples, bytes));
        }
        if built.files.len() < files.len() {
            return Ok(None);
        }
        // A build that was interrupted at the very end leaves its parts.
        let parts = parts_folder(&self.output);
        if parts.exists()
            && let Ok(journal) = Journal::open(&parts, plan)
        {
            journal.remove()?;
        }
        Ok(Some(built))
    }

    /// Makes the parts that are missing. Returns the recordings that could not be used.
    fn make_parts(
        &self,
        listing: &Listing,
        sources: &[Vec<Source>],
        sensor: SensorSize,
        journal: &Mutex<Journal>,
        progress: &(dyn Fn(&Progress) + Sync),
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Failure>> {
        let missing: Vec<usize> = {
            let journal = lock(journal);
            (0..listing.recordings.len()).filter(|i| !journal.done.contains_key(i)).collect()
        };
        let state = Mutex::new(Progress {
            done: listing.recordings.len() - missing.len(),
            recordings: listing.recordings.len(),
            total_bytes: listing.recordings.iter().map(|entry| entry.bytes).sum(),
            ..Progress::default()
        });
        let stopped = AtomicBool::new(false);
        let goes_on = || go_on() && !stopped.load(Ordering::Relaxed);
        let failures = Mutex::new(BTreeMap::new());
        let broken = Mutex::new(None);
        missing.par_iter().for_each(|&number| {
            if !goes_on() {
                return;
            }
            let entry = &listing.recordings[number];
            let path = lock(journal).part(number);
            let events = match self.make_part(entry, &sources[number], sensor, &path, &goes_on) {
                Ok((hash, events)) => {
                    if let Err(error) = lock(journal).add(number, hash) {
                        stopped.store(true, Ordering::Relaxed);
                        *lock(&broken) = Some(error);
                    }
                    events
                }
                Err(error) if error.kind() == ErrorKind::Cancelled => 0,
                // A full disk is no fault of the recording.
                Err(error) if error.path() == Some(&*path) => {
                    stopped.store(true, Ordering::Relaxed);
                    *lock(&broken) = Some(error);
                    0
                }
                Err(error) => {
                    if self.on_error == OnError::Stop {
                        stopped.store(true, Ordering::Relaxed);
                    }
                    let error = error.in_file(&entry.path);
                    lock(&failures).insert(number, error);
                    0
                }
            };
            let mut state = lock(&state);
            state.done += 1;
            state.bytes += entry.bytes;
            state.events += events;
            progress(&state);
        });
        if let Some(error) = broken.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut failures: Vec<Failure> = failures
            .into_iter()
            .map(|(number, error): (usize, Error)| Failure {
                name: listing.recordings[number].name.clone(),
                error,
            })
            .collect();
        if self.on_error == OnError::Stop && !failures.is_empty() {
            return Err(failures.swap_remove(0).error);
        }
        if !go_on() {
            return Err(Error::new(ErrorKind::Cancelled, "stopped"));
        }
        Ok(failures)
    }

    fn make_part(
        &self,
        entry: &Entry,
        sources: &[Source],
        sensor: SensorSize,
        path: &Path,
        go_on: &dyn Fn() -> bool,
    ) -> Result<(u64, u64)> {
        let options = ReadOptions { parallel: false, sensor: Some(sensor), ..self.read.clone() };
        let mut recording = Recording::open(&entry.path, options)?;
        let mut part = PartWriter::create(path)?;
        let recipe = Recipe { frames: &self.frames, rule: self.samples, split: self.split };
        for source in sources {
            recipe.make(&mut recording, *source, &mut part, go_on)?;
        }
        let events = part.head.kept;
        Ok((part.finish()?, events))
    }

    /// Adds up what the parts say.
    fn count(&self, listing: &Listing, journal: &Journal, built: &mut Built) -> Result<()> {
        let names = match &*listing.classes {
            [] => vec![String::new()],
            names => names.to_vec(),
        };
        built.classes =
            names.into_iter().map(|class| ClassRow { class, samples: [0; 3] }).collect();
        let mut notes: BTreeMap<String, u64> = BTreeMap::new();
        let mut longest = 0;
        for (&number, &hash) in &journal.done {
            let Head { rows, kept, left_out, notes: own } =
                Part::open(&journal.part(number), hash)?.head;
            built.kept += kept;
            built.left_out += left_out;
            for note in own {
                *notes.entry(note).or_default() += 1;
            }
            for row in rows {
                if row.dropped {
                    built.cut_short += 1;
                    continue;
                }
                longest = longest.max(row.frames);
                let place = match row.split.map(Split::from) {
                    None => 0,
                    Some(Split::Train) => 1,
                    Some(Split::Test) => 2,
                };
                let class = usize::try_from(row.class).unwrap_or(0);
                if let Some(class) = built.classes.get_mut(class) {
                    class.samples[place] += 1;
                }
            }
        }
        built.notes = notes.into_iter().collect();
        built.steps = self.samples.steps().map_or(longest, |steps| steps as u64);
        if built.classes.iter().all(|class| class.samples == [0; 3]) {
            return Err(match built.cut_short {
                0 => Error::caller("no event of the recordings is left, and so no sample"),
                n => Error::caller("no recording is long enough for a sample")
                    .found(format!("{n} samples that the end cuts short")),
            });
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The folder in which finished recordings wait.
pub(super) fn parts_folder(output: &Path) -> PathBuf {
    let mut name = output.file_name().unwrap_or_default().to_os_string();
    name.push(".parts");
    output.with_file_name(name)
}
