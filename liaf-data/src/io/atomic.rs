//! Files that appear under their name when they are complete, or not at all.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::stale;
use super::unfinished::{Unfinished, changing};
use crate::error::{Error, Result};
use crate::hint::Hint;

/// Number of bytes that are collected before they are passed to the operating system.
const BUFFER: usize = 256 << 10;

/// A file that is being written. Its bytes go to a partial file in the same folder, which takes the
/// name of the target in [`finish`](Self::finish). If the value is dropped before that, no file
/// remains.
///
/// Partial files are named `.{name}.{pid}-{n}.partial`. Creating a file removes the partial files
/// of the same target whose process no longer exists.
#[derive(Debug)]
pub struct AtomicFile {
    /// `None` once the file has its final name.
    file: Option<File>,
    buffer: Vec<u8>,
    /// Number of bytes appended so far, including those in the buffer.
    length: u64,
    partial: PathBuf,
    /// Lists the partial file, so that a signal can remove it.
    unfinished: Option<Unfinished>,
    target: PathBuf,
    overwrite: bool,
    sync: bool,
    /// Whether an earlier call failed, so that the contents of the file cannot be trusted.
    broken: bool,
}

impl AtomicFile {
    /// Starts a file that will be named `target`. A symbolic link is followed. With `overwrite`, an
    /// existing file is replaced at the end; with `sync`, [`finish`](Self::finish) waits until the
    /// bytes are on the disk.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the target exists and must not be
    /// replaced, or is not an ordinary file; [`ErrorKind::System`](crate::ErrorKind::System) if its
    /// folder cannot be written.
    pub fn create(target: impl AsRef<Path>, overwrite: bool, sync: bool) -> Result<Self> {
        let target = resolve(target.as_ref(), overwrite)?;
        let name = target.file_name().ok_or_else(|| {
            Error::caller("the path does not end in a file name").in_file(&target)
        })?;
        let prefix = stale::prefix(name);
        let folder = folder(&target);
        stale::remove(folder, &prefix);
        let (file, partial, unfinished) = open_partial(folder, &prefix)
            .map_err(|error| Error::system("cannot create the file", error).in_file(&target))?;
        Ok(Self {
            file: Some(file),
            buffer: Vec::new(),
            length: 0,
            partial,
            unfinished: Some(unfinished),
            target,
            overwrite,
            sync,
            broken: false,
        })
    }

    /// Whether [`create`](Self::create) could begin, without leaving anything: the file may be replaced,
    /// and its folder, or the nearest one above it that exists, can be written.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn check(target: impl AsRef<Path>, overwrite: bool) -> Result<()> {
        let target = resolve(target.as_ref(), overwrite)?;
        let mut above = folder(&target);
        while above.symlink_metadata().is_err()
            && let Some(parent) = above.parent()
        {
            above = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        }
        let (_, probe, _unfinished) = open_partial(above, &OsString::from(".liaf-check."))
            .map_err(|error| Error::system("cannot create the file", error).in_file(&target))?;
        // If it cannot be removed, it is removed with the other partial files that have no process.
        let _ = fs::remove_file(probe);
        Ok(())
    }

    /// Starts a temporary file in the folder of `target`, for bytes that are read back later. It is
    /// never finished, and it loses its name at once, so that it disappears with the process,
    /// whatever ends it.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub(crate) fn scratch(target: &Path) -> Result<Self> {
        let mut scratch = Self::create(target, true, false)?;
        fs::remove_file(&scratch.partial).map_err(|error| {
            Error::system("cannot make a temporary file", error).in_file(&scratch.target)
        })?;
        scratch.partial = PathBuf::new();
        scratch.unfinished = None;
        Ok(scratch)
    }

    /// The open file with all bytes appended so far, which has no name if it is a
    /// [`scratch`](Self::scratch).
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the last of them cannot be written.
    pub(crate) fn into_file(mut self) -> Result<File> {
        self.flush()?;
        let gone =
            || Error::system("cannot write", io::Error::other("the file is complete already"));
        self.file.take().ok_or_else(gone)
    }

    /// Passes all bytes appended so far to `give`, in pieces.
    ///
    /// # Errors
    /// Those of `give`, and [`ErrorKind::System`](crate::ErrorKind::System) if they cannot be read.
    pub(crate) fn read_back(&mut self, mut give: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.flush()?;
        self.attempt("cannot read back", |file| file.rewind())?;
        let (mut left, mut bytes) = (self.length, vec![0; BUFFER]);
        while left > 0 {
            let piece = left.min(BUFFER as u64) as usize;
            self.attempt("cannot read back", |file| file.read_exact(&mut bytes[..piece]))?;
            give(&bytes[..piece])?;
            left -= piece as u64;
        }
        Ok(())
    }

    /// The name that the file will have, with links resolved.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Number of bytes appended so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) if they cannot be written, for instance
    /// because the disk is full. The file can no longer be completed then.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        if bytes.len() >= BUFFER {
            self.attempt("cannot write", |file| file.write_all(bytes))?;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Overwrites the bytes from `offset` on, which have been appended before.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        debug_assert!(offset + bytes.len() as u64 <= self.length);
        self.flush()?;
        let end = self.length;
        self.attempt("cannot write", |file| {
            file.seek(SeekFrom::Start(offset))?;
            file.write_all(bytes)?;
            file.seek(SeekFrom::Start(end)).map(|_| ())
        })
    }

    /// Completes the file and gives it its final name. Returns its size in bytes.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) if its last bytes cannot be written or it
    /// cannot be renamed, [`ErrorKind::Caller`](crate::ErrorKind::Caller) if a file of that name
    /// has been created in the meantime and must not be replaced. A file that existed before is
    /// left unchanged.
    pub fn finish(self) -> Result<u64> {
        self.finish_with(None)
    }

    /// As [`finish`](Self::finish). The output `with` counts as complete from the moment when this file
    /// has its name.
    pub(crate) fn finish_with(mut self, with: Option<Unfinished>) -> Result<u64> {
        self.flush()?;
        let mut size = 0;
        let sync = self.sync;
        self.attempt("cannot complete the file", |file| {
            if sync {
                file.sync_all()?;
            }
            size = file.metadata()?.len();
            // A process that is being started right now has inherited the file and with it the lock,
            // which would keep HDF5 from opening the file.
            let _ = file.unlock();
            Ok(())
        })?;
        let changing = changing();
        self.take_name()?;
        self.file = None;
        self.unfinished = None;
        drop((with, changing));
        if sync {
            sync_folder(folder(&self.target)).map_err(|error| {
                Error::system("cannot synchronise the folder of the file", error)
                    .in_file(&self.target)
            })?;
        }
        Ok(size)
    }

    fn flush(&mut self) -> Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        let outcome = self.attempt("cannot write", |file| file.write_all(&buffer));
        self.buffer = buffer;
        self.buffer.clear();
        outcome
    }

    /// Runs `work` on the partial file. After a failure, the file can no longer be completed.
    fn attempt(
        &mut self,
        what: &str,
        work: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<()> {
        let outcome = match &mut self.file {
            Some(file) if !self.broken => work(file),
            _ => Err(io::Error::other("an earlier write failed")),
        };
        outcome.map_err(|error| {
            self.broken = true;
            Error::system(what, error).in_file(&self.target)
        })
    }

    fn take_name(&self) -> Result<()> {
        let fail = |error| Error::system("cannot name the file", error).in_file(&self.target);
        if !self.overwrite {
            // Unlike a rename, a hard link never replaces a file that was created in the meantime.
            match fs::hard_link(&self.partial, &self.target) {
                Ok(()) => {
                    // The target is complete. If its second name cannot be removed now, that
                    // happens the next time a file of this name is created.
                    let _ = fs::remove_file(&self.partial);
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    return Err(exists(&self.target));
                }
                Err(error) if error.kind() == ErrorKind::NotFound => return Err(fail(error)),
                // The file system does not support hard links.
                Err(_) if self.target.symlink_metadata().is_ok() => {
                    return Err(exists(&self.target));
                }
                Err(_) => {}
            }
        }
        fs::rename(&self.partial, &self.target).map_err(fail)
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            // Free the disk space at once, even if a library still has the file open.
            let _ = file.set_len(0);
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// The file that `target` refers to, with links resolved; an error if it must not be replaced.
fn resolve(target: &Path, overwrite: bool) -> Result<PathBuf> {
    let Ok(metadata) = target.symlink_metadata() else {
        return Ok(target.to_path_buf());
    };
    if !overwrite {
        return Err(exists(target));
    }
    let real = if metadata.is_symlink() {
        fs::canonicalize(target).map_err(|error| {
            Error::system("cannot follow the symbolic link", error).in_file(target)
        })?
    } else {
        target.to_path_buf()
    };
    match fs::metadata(&real) {
        Ok(metadata) if metadata.is_dir() => {
            Err(Error::caller("the path is a folder").advice("name a file in it").in_file(target))
        }
        Ok(metadata) if !metadata.is_file() => {
            Err(Error::caller("the path is not an ordinary file").in_file(target))
        }
        _ => Ok(real),
    }
}

fn exists(target: &Path) -> Error {
    if target.is_dir() {
        return Error::caller("the path is a folder").advice("name a file in it").in_file(target);
    }
    Error::caller("the file exists already").hint(Hint::Overwrite).in_file(target)
}

/// The folder that contains `target`.
fn folder(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Creates a new partial file, lists it and locks it, if the file system supports locks.
fn open_partial(folder: &Path, prefix: &OsString) -> io::Result<(File, PathBuf, Unfinished)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let changing = changing();
    loop {
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut name = prefix.clone();
        name.push(format!("{}-{n}.partial", std::process::id()));
        let partial = folder.join(name);
        match File::options().read(true).write(true).create_new(true).open(&partial) {
            Ok(file) => {
                match file.try_lock() {
                    // Without locks, only the process id tells whether the file is in use.
                    Ok(()) | Err(TryLockError::Error(_) | TryLockError::WouldBlock) => {}
                }
                let path = partial.clone();
                let remove = move || drop(fs::remove_file(&path));
                return Ok((file, partial, Unfinished::list(&changing, remove)));
            }
            // The file was left by an earlier process with the same id.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some file systems cannot synchronise a folder, and do not need it.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        other => other,
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
