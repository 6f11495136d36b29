//! Making the tensor files of a data set, on all threads, so that it can be interrupted at any moment.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::contents::Contents;
use super::journal::{self, Journal};
use super::prepare::Prepared;
use super::shards::{PartOf, Shards};
use super::{EventCounts, Listing, SampleRule, SourceKind, SplitRule, files, questions, reader};
use crate::codec::ReadOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::frames::FrameOptions;
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
    /// Number of events in the frames so far, without those of an earlier build.
    pub events: u64,
    /// Number of recordings that an earlier, interrupted build had finished.
    pub resumed: usize,
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
    /// The name of the class; empty if samples have none.
    pub class: String,
    /// Number of samples without a split, to train, to validate, and to test.
    pub samples: [u64; 4],
}

/// What was made.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Built {
    /// The files, with their numbers of samples and sizes in bytes.
    pub files: Vec<(PathBuf, u64, u64)>,
    /// Whether the files existed already and were verified.
    pub was_complete: bool,
    /// Number of recordings that were to be used.
    pub recordings: usize,
    /// Number of recordings that an earlier, interrupted build had finished.
    pub resumed: usize,
    /// The samples of each class.
    pub classes: Vec<ClassRow>,
    /// T.
    pub steps: u64,
    /// Number of samples that the end of their recording cut short, and that were left out.
    pub cut_short: u64,
    /// Where the events went.
    pub events: EventCounts,
    /// Number of recordings that were not read to their end, because their samples were complete. The events
    /// there are not counted.
    pub with_rest: u64,
    /// Classes without samples.
    pub remarks: Vec<String>,
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
    /// What is stored of each sample. Default: its frames.
    pub contents: Contents,
    /// The part of the recordings that is used, for work that is divided between processes. Its files have
    /// the part in their names; [`merge`](super::merge()) joins them. Default: all.
    pub part: Option<PartOf>,
    /// The number or size of the files of each split, which have it in their names. Default: a single file.
    pub shards: Option<Shards>,
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
            contents: Contents::Frames,
            part: None,
            shards: None,
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
        if listing.source == SourceKind::Texts {
            return questions::run(self, listing, progress, go_on);
        }
        self.prepare(listing)?.run(progress, go_on)
    }
}

impl Prepared<'_> {
    /// Makes the files, as [`Build::run`] does.
    ///
    /// # Errors
    /// As [`Build::run`].
    pub fn run(
        &self,
        progress: &(dyn Fn(&Progress) + Sync),
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Built> {
        if let Some(built) = self.already()? {
            return Ok(built);
        }
        let journal_plan = self.journal_plan();
        let parts = self.parts_folder();
        let mut journal = match Journal::open(&parts, journal_plan) {
            // What an earlier command left is in the way of this one.
            Err(error) if self.build.tensor.overwrite && error.kind() == ErrorKind::Caller => {
                Journal::clear(&parts, journal_plan)?
            }
            opened => opened?,
        };
        // A line of the journal may be damaged.
        journal.done.retain(|number, _| self.recordings.contains(number));
        let mut built = Built {
            recordings: self.recordings.len(),
            resumed: journal.done.len(),
            ..Built::default()
        };
        let journal = Mutex::new(journal);
        built.failures = self.make_parts(&journal, progress, go_on)?;
        let journal = journal.into_inner().unwrap_or_else(PoisonError::into_inner);
        // A part of the work may have no samples; the whole may not.
        let is_whole = self.build.part.is_none();
        if is_whole && journal.done.is_empty() {
            let first = built.failures.into_iter().next();
            journal.remove()?;
            return Err(first.map_or_else(|| Error::caller("there are no recordings"), |f| f.error));
        }
        if let Err(error) = self.count(&journal, &mut built) {
            // Nothing here is of use to another command.
            journal.remove()?;
            return Err(error);
        }
        self.write_files(&journal, &mut built)?;
        journal.remove()?;
        Ok(built)
    }

    /// What was made before, if that is all of it.
    fn already(&self) -> Result<Option<Built>> {
        let paths = self.final_paths();
        if self.build.tensor.overwrite || paths.iter().all(|path| !path.exists()) {
            return Ok(None);
        }
        let mut built = Built { was_complete: true, ..Built::default() };
        for path in paths.iter().filter(|path| path.exists()) {
            let found = files::verify(path).map_err(|_| journal::exists(path))?;
            let division = self.build.shards.map(|rule| rule.to_string());
            if found.plan != self.plan_text() || found.division != division {
                return Err(journal::exists(path));
            }
            self.check_not_changed(path)?;
            built.failed_before = found.failed;
            built.files.extend(found.files);
        }
        if paths.iter().any(|path| !path.exists()) {
            return Ok(None);
        }
        // A build that was interrupted at the very end leaves its parts.
        let parts = self.parts_folder();
        if parts.exists()
            && let Ok(journal) = Journal::open(&parts, self.journal_plan())
        {
            journal.remove()?;
        }
        Ok(Some(built))
    }

    /// Whether a file exists and is of this build, which was interrupted before it had made all files.
    pub(super) fn is_ours(&self, path: &Path) -> bool {
        path.exists() && reader::verify(path).is_ok_and(|file| file.stated.plan == self.plan_text())
    }
}
