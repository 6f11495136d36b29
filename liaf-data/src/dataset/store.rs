//! Files to which the finished samples of recordings are appended, one recording after another.
//!
//! A file for each recording would cost more than its samples, where recordings are small. Only one thread at a
//! time writes to a store, and no process to one of another. What is complete stands in the [journal](super::journal).

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// Number of bytes that are collected before they are passed to the operating system.
const BUFFER: usize = 256 << 10;
/// How long what is complete may wait until it is on the disk. A process that ends, however that happens, loses
/// nothing; only a machine that stops does.
const SYNC: Duration = Duration::from_secs(1);

/// When a file was last synced.
#[derive(Default)]
pub(super) struct Synced(Option<Instant>);

impl Synced {
    /// Syncs the file, unless that was done a moment ago.
    pub fn sync(&mut self, file: &File) -> std::io::Result<()> {
        if self.0.is_none_or(|last| last.elapsed() >= SYNC) {
            file.sync_data()?;
            self.0 = Some(Instant::now());
        }
        Ok(())
    }
}

/// The file of a store.
pub(super) fn path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:06}.part"))
}

/// The number of the store in a file of this name.
pub(super) fn number(name: &str) -> Option<u32> {
    name.strip_suffix(".part")?.parse().ok()
}

/// The stores of a build.
pub(super) struct Stores {
    folder: PathBuf,
    /// Those that nobody writes to.
    free: Mutex<Vec<Store>>,
    next: AtomicU32,
}

impl Stores {
    /// Stores in this folder, whose numbers begin with `first`.
    pub fn new(folder: &Path, first: u32) -> Self {
        Self { folder: folder.to_owned(), free: Mutex::default(), next: AtomicU32::new(first) }
    }

    /// A store for the calling thread.
    pub fn take(&self) -> Result<Store> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match free {
            Some(store) => Ok(store),
            None => Store::create(&self.folder, self.next.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// Takes a store back.
    pub fn put(&self, store: Store) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(store);
    }
}

/// A file that one thread appends to.
pub(super) struct Store {
    number: u32,
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    /// Number of bytes of complete parts.
    whole: u64,
    /// Number of bytes in the file, without those in the buffer.
    written: u64,
    synced: Synced,
}

impl Store {
    fn create(folder: &Path, number: u32) -> Result<Self> {
        let path = path(folder, number);
        let file = File::options().write(true).create_new(true).open(&path);
        let file = file.map_err(|cause| {
            Error::system("cannot create a file for finished recordings", cause).in_file(&path)
        })?;
        Ok(Self {
            number,
            path,
            file,
            buffer: Vec::new(),
            whole: 0,
            written: 0,
            synced: Synced::default(),
        })
    }

    pub fn number(&self) -> u32 {
        self.number
    }

    /// Appends bytes to the open part.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        if bytes.len() < BUFFER {
            self.buffer.extend_from_slice(bytes);
            return Ok(());
        }
        self.write(bytes)
    }

    /// Completes the open part. Returns where it begins, and its size in bytes.
    pub fn end_part(&mut self) -> Result<(u64, u64)> {
        self.flush()?;
        let synced = self.synced.sync(&self.file);
        synced.map_err(|cause| self.error("cannot synchronise", cause))?;
        let start = std::mem::replace(&mut self.whole, self.written);
        Ok((start, self.written - start))
    }

    /// Removes what belongs to no complete part.
    pub fn undo(&mut self) -> Result<()> {
        self.buffer.clear();
        if self.written > self.whole {
            let removed = self.file.set_len(self.whole);
            let removed = removed.and_then(|()| self.file.seek(SeekFrom::Start(self.whole)));
            removed.map_err(|cause| self.error("cannot write", cause))?;
            self.written = self.whole;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        let outcome = self.write(&buffer);
        self.buffer = buffer;
        self.buffer.clear();
        outcome
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        // Should only a part of them be written, they are removed with the part.
        self.written += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|cause| self.error("cannot write", cause))
    }

    fn error(&self, what: &str, cause: std::io::Error) -> Error {
        Error::system(what, cause).in_file(&self.path)
    }
}
