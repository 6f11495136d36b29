//! The files of a folder, in an order that does not depend on the file system.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Deepest nesting of folders that is followed.
const DEEPEST: usize = 16;

/// A file of a data set.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub path: PathBuf,
    /// The path within the folder, with `/` between names.
    pub name: String,
    pub bytes: u64,
}

impl Found {
    /// The path within the folder of the set of the folder in which it is; empty for that of the set.
    pub fn folder(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(folders, _)| folders)
    }

    /// The name of the folder in which it is, if that is not the folder of the set.
    pub fn parent(&self) -> Option<&str> {
        let (folders, _) = self.name.rsplit_once('/')?;
        Some(folders.rsplit_once('/').map_or(folders, |(_, last)| last))
    }

    /// The name of the file itself.
    pub fn file_name(&self) -> &str {
        self.name.rsplit_once('/').map_or(&*self.name, |(_, file)| file)
    }

    /// The name of the file without its extension.
    pub fn stem(&self) -> &str {
        let file = self.file_name();
        file.rsplit_once('.').map_or(file, |(stem, _)| stem)
    }

    /// The extension in lower case, without the dot.
    pub fn extension(&self) -> String {
        let extension = self.path.extension().unwrap_or_default();
        extension.to_string_lossy().to_ascii_lowercase()
    }
}

/// All files in a folder and in those within it, in natural order of their names: `2` before `10`.
pub(crate) fn files(folder: &Path) -> Result<Vec<Found>> {
    if !folder.is_dir() {
        let error = Error::caller("this is no folder").in_file(folder);
        return Err(error.expected("the folder of a data set"));
    }
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    walk(folder, "", 0, &mut seen, &mut found)?;
    found.sort_by(|a, b| natural(&a.name).cmp(&natural(&b.name)).then_with(|| a.name.cmp(&b.name)));
    Ok(found)
}

fn walk(
    folder: &Path,
    prefix: &str,
    depth: usize,
    seen: &mut BTreeSet<PathBuf>,
    found: &mut Vec<Found>,
) -> Result<()> {
    let failed = |cause| Error::system("the folder cannot be read", cause).in_file(folder);
    // Links may lead to one folder in several ways, and in circles.
    if !seen.insert(fs::canonicalize(folder).map_err(failed)?) {
        return Ok(());
    }
    if depth > DEEPEST {
        let error = Error::limit("the folders are nested too deeply").in_file(folder);
        return Err(error.expected(format!("at most {DEEPEST} of them")));
    }
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut entries = entries.collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let file = entry.file_name().to_string_lossy().into_owned();
        if file.starts_with('.') {
            continue;
        }
        let (path, name) = (entry.path(), format!("{prefix}{file}"));
        let Ok(meta) = fs::metadata(&path) else {
            // A link that leads nowhere fails as a recording that is missing.
            found.push(Found { path, name, bytes: 0 });
            continue;
        };
        if meta.is_dir() {
            walk(&path, &format!("{name}/"), depth + 1, seen, found)?;
        } else if meta.is_file() {
            found.push(Found { path, name, bytes: meta.len() });
        }
    }
    Ok(())
}

/// The files of each folder, in the order in which the folders are first met.
pub(super) fn by_folder(files: &[Found]) -> Vec<(&str, Vec<&Found>)> {
    let (mut folders, mut places) = (Vec::<(&str, Vec<&Found>)>::new(), BTreeMap::new());
    for file in files {
        let place = *places.entry(file.folder()).or_insert(folders.len());
        match folders.get_mut(place) {
            Some((_, files)) => files.push(file),
            None => folders.push((file.folder(), vec![file])),
        }
    }
    folders
}

/// A piece of a name, so that numbers are in order of their values.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    Number(u128),
    Text(String),
}

/// A name in pieces of digits and of other characters.
pub(super) fn natural(name: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let is_number = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_number).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        pieces.push(match piece.parse() {
            Ok(number) if is_number => Piece::Number(number),
            _ => Piece::Text(piece.to_owned()),
        });
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_in_natural_order_and_hidden_ones_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b/10.raw", "b/2.raw", "a/x_1.bin", ".git/HEAD", "b/.hidden", "readme.txt"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        #[cfg(unix)]
        for (to, at) in [("..", "a/up"), (".", "b/here"), ("b", "c")] {
            std::os::unix::fs::symlink(to, folder.path().join(at)).unwrap();
        }
        let found = files(folder.path()).unwrap();
        let names: Vec<_> = found.iter().map(|file| &*file.name).collect();
        assert_eq!(names, ["a/x_1.bin", "b/2.raw", "b/10.raw", "readme.txt"]);
        assert_eq!((found[0].parent(), found[0].stem(), found[0].bytes), (Some("a"), "x_1", 9));
        assert_eq!((found[3].parent(), &*found[3].extension()), (None, "txt"));
        assert!(files(&folder.path().join("readme.txt")).is_err());
    }
}
