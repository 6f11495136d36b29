//! Whether two paths are one file.

#[cfg(unix)]
use std::fs;
use std::path::Path;

/// What identifies a file that exists: its device and its number there, by which hard links are equal too.
#[cfg(unix)]
type Identity = (u64, u64);

/// What identifies a file that exists: its path, without links.
#[cfg(not(unix))]
type Identity = std::path::PathBuf;

/// A key that is equal for two paths to one file, with links followed. `None` if there is no ordinary file of
/// this name: a folder, a device or a pipe can be written without losing what was read.
#[cfg(unix)]
pub fn file_identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).ok()?;
    metadata.is_file().then(|| (metadata.dev(), metadata.ino()))
}

/// A key that is equal for two paths to one file, with links followed. `None` if there is no ordinary file of
/// this name.
#[cfg(not(unix))]
pub fn file_identity(path: &Path) -> Option<Identity> {
    path.canonicalize().ok().filter(|path| path.is_file())
}

/// Whether two paths lead to one file that exists, with links followed.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    file_identity(a).is_some_and(|a| file_identity(b) == Some(a))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn one_file_may_have_several_paths() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        let roundabout = folder.path().join(".").join("a");
        assert!(!is_same_file(&file, &roundabout));
        fs::write(&file, b"").unwrap();
        fs::write(folder.path().join("b"), b"").unwrap();
        assert!(is_same_file(&file, &roundabout));
        assert!(!is_same_file(&file, &folder.path().join("b")));
        assert!(!is_same_file(folder.path(), folder.path()));
        #[cfg(unix)]
        {
            let link = folder.path().join("c");
            fs::hard_link(&file, &link).unwrap();
            assert!(is_same_file(&file, &link));
        }
    }
}
