//! The files that a command line names: files, globs, folders, and `-`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use liaf::data::io::unpacked_name;
use liaf::data::{FORMATS, Recording};

/// All files that `inputs` name, in order, each of them once.
///
/// A folder stands for every file in it and below it whose extension is that of a format that is read.
/// If the extension is in common use for other files, the file must be a recording. A glob that the
/// shell left alone is expanded here.
pub fn expand(inputs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for input in inputs {
        if input.is_dir() {
            let before = files.len();
            walk(input, &mut files)?;
            if files.len() == before {
                bail!("{}: no recordings in this folder ({})", input.display(), extensions());
            }
        } else if input.exists() || input.is_symlink() || input.as_os_str() == "-" {
            files.push(input.clone());
        } else {
            glob_into(input, &mut files)?;
        }
    }
    let mut seen = std::collections::HashSet::new();
    files.retain(|file| seen.insert(place(file)));
    Ok(files)
}

fn glob_into(pattern: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let text = pattern.to_str().filter(|text| text.contains(['*', '?', '[']));
    let Some(text) = text else { bail!("{}: no such file", pattern.display()) };
    let before = files.len();
    for path in glob::glob(text).with_context(|| format!("{text}: not a valid pattern"))? {
        let path = path?;
        if path.is_file() {
            files.push(path);
        }
    }
    if files.len() == before {
        bail!("{text}: no file matches");
    }
    files[before..].sort();
    Ok(())
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    // A recording of which each column is a file is one recording.
    let columns = liaf::data::recording::columns_in(folder);
    files.extend(columns.clone());
    let read = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut entries = read.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // A link to a folder above would otherwise be followed for ever.
        if entry.file_type()?.is_dir() {
            walk(&path, files)?;
            continue;
        }
        let is_column = columns.is_some() && extension(&path).eq_ignore_ascii_case("npy");
        if !is_column && path.is_file() && has_known_extension(&path) && !is_something_else(&path) {
            files.push(path);
        }
    }
    Ok(())
}

/// Extensions of which most files are not recordings.
const IN_COMMON_USE: &[&str] = &["csv", "txt", "npy", "npz", "mat", "h5", "hdf5"];

/// Whether the file only has the extension of a recording, as a table of labels or a note may.
fn is_something_else(path: &Path) -> bool {
    let inner = unpacked_name(path);
    let extension = extension(inner.as_deref().unwrap_or(path));
    let is_common = |common: &&str| common.eq_ignore_ascii_case(extension);
    // What is packed may be anything as well.
    (inner.is_some() || IN_COMMON_USE.iter().any(is_common))
        && Recording::open(path, crate::args::quick()).is_err()
}

fn extension(path: &Path) -> &str {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

/// Whether the extension is that of a recording, or of a packed file with a recording in it.
fn has_known_extension(path: &Path) -> bool {
    let inner = unpacked_name(path);
    let extension = extension(inner.as_deref().unwrap_or(path));
    if extension.is_empty() && inner.is_some() {
        return true;
    }
    FORMATS
        .iter()
        .any(|format| format.extensions.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

fn extensions() -> String {
    let all: Vec<_> = FORMATS
        .iter()
        .flat_map(|format| format.extensions)
        .map(|extension| format!(".{extension}"))
        .collect();
    format!("expected files that end in {}", all.join(", "))
}

/// The absolute path of a file without `.` and `..`, so that two spellings of one path are equal and
/// paths can be compared. A file that is a link is not followed.
pub fn place(file: &Path) -> PathBuf {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match (folder.canonicalize(), file.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => file.to_path_buf(),
    }
}

/// A key that is equal for two paths to one file, links followed; `None` if there is no such file.
#[cfg(unix)]
pub fn identity(file: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let file = if file.as_os_str() == "-" { Path::new("/dev/stdin") } else { file };
    let metadata = fs::metadata(file).ok()?;
    metadata.is_file().then(|| (metadata.dev(), metadata.ino()))
}

/// A key that is equal for two paths to one file, links followed; `None` if there is no such file.
#[cfg(not(unix))]
pub fn identity(file: &Path) -> Option<PathBuf> {
    file.canonicalize().ok()
}

/// The deepest folder that contains all files. Outputs mirror the paths below it.
pub fn common_parent(files: &[PathBuf]) -> PathBuf {
    let mut parents = files.iter().map(|file| file.parent().unwrap_or(Path::new("")));
    let Some(first) = parents.next() else { return PathBuf::new() };
    let mut common = first.to_path_buf();
    for parent in parents {
        while !parent.starts_with(&common) && common.pop() {}
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_in_order_for_recordings_only() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.aedat4", "a.AEDAT", "notes.txt", "sub/c.aedat"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        let files = expand(&[folder.path().to_path_buf()]).unwrap();
        let names: Vec<_> =
            files.iter().map(|file| file.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(names, [Path::new("a.AEDAT"), Path::new("b.aedat4"), Path::new("sub/c.aedat")]);
        let pattern = folder.path().join("*.aedat*");
        assert_eq!(expand(&[pattern, files[1].clone()]).unwrap(), [files[1].clone()]);
        assert!(expand(&[folder.path().join("*.raw")]).is_err());
    }

    #[test]
    fn the_common_parent_is_the_longest_shared_path() {
        let paths = ["x/a/1.raw", "x/a/2.raw", "x/b/1.raw"].map(PathBuf::from);
        assert_eq!(common_parent(&paths), Path::new("x"));
        assert_eq!(common_parent(&paths[..2]), Path::new("x/a"));
        assert_eq!(common_parent(&["1.raw", "a/1.raw"].map(PathBuf::from)), Path::new(""));
    }
}
