//! Files that appear under their name when they are complete, or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// Writes `parts`, one after another, as the file `path`, which is replaced if it exists. The bytes go
/// to a partial file in the same folder, `.{name}.{pid}-{n}.partial`. That file is synced, read back,
/// compared and renamed, and then the folder is synced. Partial files of processes that no longer exist
/// are removed.
///
/// # Errors
/// [`ErrorKind::System`](crate::ErrorKind::System), with the path. A file that had this name before is
/// left unchanged.
pub(crate) fn write(path: &Path, parts: &[&[u8]]) -> Result<()> {
    let target = resolve(path)?;
    let fail = |what: &'static str| {
        let target = target.clone();
        move |error| Error::system(what, error).in_file(target)
    };
    let name = target
        .file_name()
        .ok_or_else(|| Error::config("the path does not end in a file name").in_file(path))?;
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    remove_stale(folder, &prefix);
    let (file, partial) = create(folder, &prefix).map_err(fail("cannot create the file"))?;
    let outcome = fill(file, parts)
        .map_err(fail("cannot write"))
        .and_then(|()| {
            compare(&partial, parts).map_err(fail("the file does not contain what was written"))
        })
        .and_then(|()| fs::rename(&partial, &target).map_err(fail("cannot name the file")));
    if outcome.is_err() {
        let _ = fs::remove_file(&partial);
        return outcome;
    }
    sync_folder(folder).map_err(fail("cannot synchronise the folder of the file"))
}

fn fill(mut file: File, parts: &[&[u8]]) -> io::Result<()> {
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}

/// Number of bytes that are read back at a time.
const PIECE: usize = 1 << 16;

/// Reads a file back. It must contain `parts` and nothing else.
fn compare(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut read = vec![0; PIECE];
    for piece in parts.iter().flat_map(|part| part.chunks(PIECE)) {
        file.read_exact(&mut read[..piece.len()])?;
        if read[..piece.len()] != *piece {
            return Err(io::Error::new(ErrorKind::InvalidData, "the bytes read back differ"));
        }
    }
    match file.read(&mut read)? {
        0 => Ok(()),
        _ => Err(io::Error::new(ErrorKind::InvalidData, "more bytes were read back")),
    }
}

/// The file to which `path` refers, with links resolved.
fn resolve(path: &Path) -> Result<PathBuf> {
    let Ok(metadata) = path.symlink_metadata() else { return Ok(path.to_path_buf()) };
    let real = if metadata.is_symlink() {
        fs::canonicalize(path)
            .map_err(|error| Error::system("cannot follow the link", error).in_file(path))?
    } else {
        path.to_path_buf()
    };
    match fs::metadata(&real) {
        Ok(metadata) if !metadata.is_file() => {
            Err(Error::config("the path is not an ordinary file")
                .in_file(path)
                .advice("name a file"))
        }
        _ => Ok(real),
    }
}

/// Creates a new partial file and locks it, if the file system supports locks.
fn create(folder: &Path, prefix: &OsString) -> io::Result<(File, PathBuf)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    loop {
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut name = prefix.clone();
        name.push(format!("{}-{n}.partial", std::process::id()));
        let partial = folder.join(name);
        match File::options().write(true).create_new(true).open(&partial) {
            Ok(file) => {
                // Without locks, partial files that are left over cannot be recognised, and are kept.
                let _ = file.try_lock();
                return Ok((file, partial));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Removes partial files that are not locked. An empty one may just have been created by another thread
/// or process and not be locked yet, so it is kept.
fn remove_stale(folder: &Path, prefix: &OsString) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let prefix = prefix.as_encoded_bytes();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        let empty = entry.metadata().map_or(true, |metadata| metadata.len() == 0);
        if empty || !name.starts_with(prefix) || !name.ends_with(b".partial") {
            continue;
        }
        if let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        fs::write(&path, b"old").unwrap();
        fs::write(folder.path().join(".net.safetensors.1-0.partial"), b"left").unwrap();
        write(&path, &[b"new ", b"bytes"]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new bytes");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_comes_back_otherwise_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net");
        let long = vec![7; 200_000];
        let parts: [&[u8]; 3] = [b"head", b"", &long];
        let good = parts.concat();
        fs::write(&path, &good).unwrap();
        compare(&path, &parts).unwrap();
        let mut flipped = good.clone();
        flipped[150_000] ^= 1;
        for bad in [&good[..good.len() - 1], &flipped, &[&good[..], b"x"].concat()] {
            fs::write(&path, bad).unwrap();
            assert!(compare(&path, &parts).is_err());
        }
    }

    #[test]
    fn a_folder_or_a_missing_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write(folder.path(), &[b"x"]).unwrap_err().to_string().contains("ordinary"));
        let error = write(&folder.path().join("no/net"), &[b"x"]).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::System);
    }
}
