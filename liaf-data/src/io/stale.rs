//! Removal of partial files that a killed process has left.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::hash::Hasher;
use std::path::Path;

use twox_hash::XxHash64;

/// Longer names are replaced by their hash, so that the name of a partial file never becomes too
/// long.
const LONGEST: usize = 180;

/// The prefix of the names of all partial files of the target `name`: `.{name}.`.
pub(crate) fn prefix(name: &OsStr) -> OsString {
    let mut prefix = OsString::from(".");
    if name.len() <= LONGEST {
        prefix.push(name);
    } else {
        let mut hash = XxHash64::with_seed(0);
        hash.write(name.as_encoded_bytes());
        prefix.push(format!("{:016x}", hash.finish()));
    }
    prefix.push(".");
    prefix
}

/// Removes the partial files in `folder` that start with `prefix` and are no longer in use: their
/// process does not exist, and nobody holds a lock on them. Files that cannot be removed are left.
pub(crate) fn remove(folder: &Path, prefix: &OsStr) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Some(pid) = owner(&entry.file_name(), prefix) else { continue };
        let path = entry.path();
        if is_gone(pid) && is_unlocked(&path) {
            // Another process may already have removed it.
            let _ = fs::remove_file(path);
        }
    }
}

/// The id of the process that created the partial file `name`, if its name starts with `prefix`.
fn owner(name: &OsStr, prefix: &OsStr) -> Option<u32> {
    let rest = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes())?;
    let rest = str::from_utf8(rest).ok()?.strip_suffix(".partial")?;
    let (pid, n) = rest.split_once('-')?;
    n.parse::<u64>().ok()?;
    pid.parse().ok()
}

#[cfg(target_os = "linux")]
fn is_gone(pid: u32) -> bool {
    let processes = Path::new("/proc");
    // Without /proc it is not known whether a process exists.
    processes.join("self").exists() && !processes.join(pid.to_string()).exists()
}

#[cfg(not(target_os = "linux"))]
fn is_gone(pid: u32) -> bool {
    // The lock alone decides.
    pid != std::process::id()
}

fn is_unlocked(path: &Path) -> bool {
    // The lock is released together with the handle, at the end of this line.
    File::options().write(true).open(path).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_partial_files_of_the_same_target_have_an_owner() {
        let prefix = prefix(OsStr::new("a.npz"));
        let owner = |name: &str| owner(OsStr::new(name), &prefix);
        assert_eq!(owner(".a.npz.12-0.partial"), Some(12));
        assert_eq!(owner(".a.npz.12-0.part"), None);
        assert_eq!(owner(".a.npz.b.npz.12-0.partial"), None);
        assert_eq!(owner(".b.npz.12-0.partial"), None);
        assert_eq!(owner("a.npz"), None);
    }

    #[test]
    fn files_of_dead_processes_go_and_others_stay() {
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| folder.path().join(name);
        // No process has an id this large: Linux ends at 2^22.
        for name in
            [".a.npz.4000000000-0.partial", ".a.npz.1-0.partial", ".b.npz.4000000000-0.partial"]
        {
            fs::write(path(name), b"x").expect("file");
        }
        let held = File::options()
            .create_new(true)
            .write(true)
            .open(path(".a.npz.4000000001-7.partial"))
            .expect("file");
        held.lock().expect("lock");
        remove(folder.path(), &prefix(OsStr::new("a.npz")));
        assert!(!path(".a.npz.4000000000-0.partial").exists());
        assert!(path(".a.npz.1-0.partial").exists());
        assert!(path(".b.npz.4000000000-0.partial").exists());
        assert!(path(".a.npz.4000000001-7.partial").exists());
    }

    #[test]
    fn long_names_have_short_prefixes() {
        let long = "x".repeat(255);
        assert!(prefix(OsStr::new(&long)).len() < 32);
        assert_ne!(prefix(OsStr::new(&long)), prefix(OsStr::new(&long[1..])));
    }
}
