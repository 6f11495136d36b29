//! The journal of a build: which recordings are done, and where their samples are.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::part::{Part, Reader};
use super::store::{self, Stores, Synced};
use super::title::plan_text;
use crate::error::{Error, Result};
use crate::hint::Hint;

/// Longest journal that is read, in bytes.
const MOST_BYTES: u64 = 1 << 30;

/// The first line of a journal. Each of the others is a [`Part`] that is complete.
#[derive(Debug, Serialize, Deserialize)]
struct Title {
    /// The version of this form.
    liaf_dataset: u32,
    /// The hash of the plan.
    plan: String,
}

/// The version of journals that are written and read.
const VERSION: u32 = 3;

/// The folder of finished recordings, which one process at a time can use.
pub(super) struct Journal {
    folder: PathBuf,
    file: File,
    synced: Synced,
    /// Held as long as this exists.
    _lock: File,
    /// The parts that are done, by the numbers of their recordings.
    pub done: BTreeMap<usize, Part>,
}

impl Journal {
    /// Opens the folder, or makes it. Parts that are damaged are made again.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if another process uses the folder, or if it is of
    /// another plan.
    pub fn open(folder: &Path, plan: u64) -> Result<Self> {
        let system = |what: &str| {
            let what = what.to_owned();
            move |cause| Error::system(what, cause).in_file(folder)
        };
        fs::create_dir_all(folder)
            .map_err(system("cannot make the folder of finished recordings"))?;
        let lock = File::create(folder.join("lock")).map_err(system("cannot make the lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(
                    Error::caller("another process is making the same file").in_file(folder)
                );
            }
            Err(TryLockError::Error(cause)) => return Err(system("cannot take the lock")(cause)),
        }
        let path = folder.join("journal.jsonl");
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(system("cannot open the journal"))?;
        let mut text = Vec::new();
        let read = (&mut file).take(MOST_BYTES).read_to_end(&mut text);
        read.map_err(system("cannot read the journal"))?;
        // A line that was not completed does not count, and neither does what follows it.
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let mut lines = text[..whole].split(|&byte| byte == b'\n');
        let title = lines.next().filter(|line| !line.is_empty());
        let plan = plan_text(plan);
        let mut done = BTreeMap::new();
        match title {
            None => {
                file.set_len(0).map_err(system("cannot write the journal"))?;
                let title = serde_json::to_string(&Title { liaf_dataset: VERSION, plan });
                append(&mut file, &title.map_err(Error::other)?)
                    .map_err(system("cannot write the journal"))?;
            }
            Some(line) => {
                let title: Option<Title> = serde_json::from_slice(line).ok();
                let same = |title: &Title| title.liaf_dataset == VERSION && title.plan == plan;
                if !title.as_ref().is_some_and(same) {
                    return Err(Error::caller(
                        "the finished recordings are those of another command, another version, or of files that have changed since",
                    )
                    .advice("remove the folder to begin anew")
                    .in_file(folder));
                }
                if whole < text.len() {
                    file.set_len(whole as u64).map_err(system("cannot write the journal"))?;
                }
                for line in lines.filter(|line| !line.is_empty()) {
                    let Ok(part) = serde_json::from_slice::<Part>(line) else { continue };
                    done.insert(part.recording, part);
                }
            }
        }
        let mut reader = Reader::new(folder);
        done.retain(|_, part| part.is_whole(&mut reader));
        Ok(Self { folder: folder.to_owned(), file, synced: Synced::default(), _lock: lock, done })
    }

    /// Stores for further parts, none of which exists yet.
    pub fn stores(&self) -> Result<Stores> {
        let entries = fs::read_dir(&self.folder).map_err(|cause| {
            Error::system("cannot read the folder of finished recordings", cause)
                .in_file(&self.folder)
        })?;
        let numbers =
            entries.flatten().filter_map(|e| store::number(&e.file_name().to_string_lossy()));
        Ok(Stores::new(&self.folder, numbers.max().map_or(0, |last| last.saturating_add(1))))
    }

    /// Whether an error is about a file in the folder, and not about a recording.
    pub fn is_about(&self, error: &Error) -> bool {
        error.path().is_some_and(|path| path.starts_with(&self.folder))
    }

    /// What reads the parts.
    pub fn reader(&self) -> Reader {
        Reader::new(&self.folder)
    }

    /// Empties a folder of another plan, and opens it for this one.
    ///
    /// # Errors
    /// As [`open`](Self::open), also if another process uses the folder.
    pub fn clear(folder: &Path, plan: u64) -> Result<Self> {
        let lock = File::open(folder.join("lock"));
        let is_used = |lock: &File| matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
        if !lock.as_ref().is_ok_and(is_used) {
            let path = folder.join("journal.jsonl");
            let removed = fs::remove_file(&path);
            removed.map_err(|cause| {
                Error::system("the journal cannot be removed", cause).in_file(&path)
            })?;
        }
        drop(lock);
        Self::open(folder, plan)
    }

    /// Notes that the part of a recording is complete.
    pub fn add(&mut self, part: Part) -> Result<()> {
        let line = serde_json::to_string(&part).map_err(Error::other)?;
        let written = append(&mut self.file, &line).and_then(|()| self.synced.sync(&self.file));
        written.map_err(|cause| {
            Error::system("cannot write the journal", cause).in_file(&self.folder)
        })?;
        self.done.insert(part.recording, part);
        Ok(())
    }

    /// Removes the folder with everything in it that is of a build.
    pub fn remove(self) -> Result<()> {
        let system = |cause| {
            Error::system("the folder of finished recordings cannot be removed", cause)
                .in_file(&self.folder)
        };
        for entry in fs::read_dir(&self.folder).map_err(system)? {
            let path = entry.map_err(system)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_ours = name.ends_with(".part")
                || name.ends_with(".partial")
                || name == "journal.jsonl"
                || name == "lock";
            if is_ours {
                fs::remove_file(&path).map_err(system)?;
            }
        }
        fs::remove_dir(&self.folder).map_err(system)
    }
}

/// Appends a line.
fn append(file: &mut File, line: &str) -> std::io::Result<()> {
    file.write_all(format!("{line}\n").as_bytes())
}

/// The error for an output that exists and is not what would be made.
pub(super) fn exists(path: &Path) -> Error {
    Error::caller("the file exists already, and was made in another way")
        .hint(Hint::Overwrite)
        .in_file(path)
}
