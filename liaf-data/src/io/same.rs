//! Whether two paths are one file.

use std::fs;
use std::path::Path;

/// Whether two paths lead to one file that exists, links followed.
pub(crate) fn is_same_file(a: &Path, b: &Path) -> bool {
    match (fs::canonicalize(a), fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
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
    }
}
