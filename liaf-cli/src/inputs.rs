//! The files that a command line names: files, globs, folders, and `-`.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use liaf::data::options::ColumnOptions;
use liaf::data::recording::columns_in;
use liaf::data::{Error, ErrorKind, FORMATS, ReadOptions, Recording};

use crate::text;

/// What the inputs of a command line stand for.
#[derive(Debug, Default)]
pub struct Inputs {
    /// The files to read, in order, each of them once. Some of them may turn out to be unreadable.
    pub files: Vec<PathBuf>,
    /// What is in the folders and is surely no recording, and why.
    pub passed_over: Vec<(PathBuf, String)>,
    /// Inputs that stand for no file, and why.
    pub failed: Vec<(PathBuf, anyhow::Error)>,
}

/// Whether the inputs may stand for several files, however many they are today: then the output is a
/// folder.
pub fn may_be_several(inputs: &[PathBuf]) -> bool {
    inputs.len() > 1 || inputs.iter().any(|input| input.is_dir() || is_pattern(input))
}

/// All files that `inputs` name. `columns` says what tables of events may look like.
///
/// A folder stands for every file in it and below it, except those that are surely no recordings. A
/// glob that the shell left alone is expanded here.
pub fn expand(inputs: &[PathBuf], columns: &ColumnOptions) -> Inputs {
    let mut found = Inputs::default();
    for input in inputs {
        if input.is_dir() {
            Walk::new(input, columns, &mut found).all(input);
        } else if input.exists() || input.is_symlink() || input.as_os_str() == "-" {
            found.files.push(input.clone());
        } else if let Err(error) = glob_into(input, &mut found.files) {
            found.failed.push((input.clone(), error));
        }
    }
    let mut seen = HashSet::new();
    found.files.retain(|file| seen.insert(place(file)));
    found
}

/// Whether the input is a glob that is to be expanded here: no file has this name.
fn is_pattern(input: &Path) -> bool {
    let has_wildcard = input.to_str().is_some_and(|text| text.contains(['*', '?', '[']));
    has_wildcard && !input.exists()
}

fn glob_into(pattern: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let text = pattern.to_str().filter(|_| is_pattern(pattern));
    let missing = |what| Error::new(ErrorKind::System, what).in_file(pattern);
    let Some(text) = text else { return Err(missing("no such file").into()) };
    let before = files.len();
    for path in glob::glob(text).with_context(|| format!("{text}: not a valid pattern"))? {
        let path = path?;
        if path.is_file() {
            files.push(path);
        }
    }
    if files.len() == before {
        return Err(missing("no file matches").into());
    }
    files[before..].sort();
    Ok(())
}

/// A walk through a folder.
struct Walk<'a> {
    /// The folder, without links.
    root: PathBuf,
    read: ReadOptions,
    /// Folders that were walked through, without links.
    seen: HashSet<PathBuf>,
    found: &'a mut Inputs,
}

impl<'a> Walk<'a> {
    fn new(root: &Path, columns: &ColumnOptions, found: &'a mut Inputs) -> Self {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
        let read = ReadOptions { columns: columns.clone(), ..ReadOptions::default() };
        Self { root, read, seen: HashSet::new(), found }
    }

    fn all(&mut self, folder: &Path) {
        let before = self.found.files.len() + self.found.failed.len();
        self.folder(folder);
        if self.found.files.len() + self.found.failed.len() == before {
            let error = Error::caller("no recordings in this folder")
                .expected(extensions())
                .in_file(folder);
            self.found.failed.push((folder.to_path_buf(), error.into()));
        }
    }

    fn folder(&mut self, folder: &Path) {
        // Several links may lead to one folder.
        if !self.seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf())) {
            return;
        }
        // A recording of which each column is a file is one recording.
        let columns = columns_in(folder);
        let is_column = |path: &PathBuf| {
            columns.is_some() && path.extension().is_some_and(|it| it.eq_ignore_ascii_case("npy"))
        };
        self.found.files.extend(columns.clone());
        let read = fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        match read {
            Ok(mut entries) => {
                entries.sort_by_key(fs::DirEntry::file_name);
                let paths = entries.iter().map(fs::DirEntry::path);
                paths.filter(|path| !is_column(path)).for_each(|path| self.entry(&path));
            }
            Err(error) => {
                let error = Error::system("cannot read the folder", error).in_file(folder);
                self.found.failed.push((folder.to_path_buf(), error.into()));
            }
        }
    }

    fn entry(&mut self, path: &Path) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_hidden = name.starts_with('.');
        let why = match fs::metadata(path) {
            Ok(meta) if meta.is_dir() && is_hidden => "a hidden folder".to_owned(),
            Ok(meta) if meta.is_dir() && self.is_above(path) => {
                "a link to a folder that contains it".to_owned()
            }
            Ok(meta) if meta.is_dir() => return self.folder(path),
            Ok(meta) if !meta.is_file() => "neither a file nor a folder".to_owned(),
            Ok(_) if is_hidden && name.ends_with(".partial") => {
                "an output that is not complete".to_owned()
            }
            Ok(_) => match Recording::open(path, self.read.clone()) {
                Err(error) if error.is_not_a_recording() => {
                    let text = error.message(|_| None);
                    text.trim_start_matches(&format!("{}: ", text::path(path))).to_owned()
                }
                // The error of a file that cannot be read is that of the command.
                _ => return self.found.files.push(path.to_path_buf()),
            },
            // A link that leads nowhere fails as a file that is missing.
            Err(_) => return self.found.files.push(path.to_path_buf()),
        };
        self.found.passed_over.push((path.to_path_buf(), why));
    }

    /// Whether a link leads to the folder of the walk or to one that contains it.
    fn is_above(&self, path: &Path) -> bool {
        path.is_symlink() && path.canonicalize().is_ok_and(|real| self.root.starts_with(real))
    }
}

impl Inputs {
    /// What is said of files that were passed over: one line, or with `verbose` a line for each.
    pub fn about_passed_over(&self, verbose: bool) -> Vec<String> {
        let all = self.passed_over.len();
        match self.passed_over.as_slice() {
            [] => Vec::new(),
            many if verbose => many
                .iter()
                .map(|(path, why)| format!("liaf: {}: passed over: {why}", text::path(path)))
                .collect(),
            [_] => vec!["liaf: 1 file is no recording and was passed over (-v names it)".into()],
            _ => vec![format!(
                "liaf: {all} files are no recordings and were passed over (-v names them)"
            )],
        }
    }
}

fn extensions() -> String {
    let mut all: Vec<String> = Vec::new();
    for extension in FORMATS.iter().flat_map(|format| format.extensions) {
        let extension = format!(".{extension}");
        if !all.contains(&extension) {
            all.push(extension);
        }
    }
    format!("files that end in {}", all.join(", "))
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

    fn expanded(inputs: &[PathBuf]) -> Inputs {
        expand(inputs, &ColumnOptions::default())
    }

    #[test]
    fn folders_are_walked_in_order_and_only_what_is_surely_no_recording_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.aedat4", "a.AEDAT", "notes.txt", "photo.jpg", "sub/c.aedat", ".git/d.raw"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        let found = expanded(&[folder.path().to_path_buf()]);
        let below = |path: &PathBuf| path.strip_prefix(folder.path()).unwrap().to_path_buf();
        let names: Vec<_> = found.files.iter().map(below).collect();
        assert_eq!(names, [Path::new("a.AEDAT"), Path::new("b.aedat4"), Path::new("sub/c.aedat")]);
        let passed: Vec<_> = found.passed_over.iter().map(|(path, _)| below(path)).collect();
        assert_eq!(passed, [Path::new(".git"), Path::new("notes.txt"), Path::new("photo.jpg")]);
        assert!(found.failed.is_empty());
        assert_eq!(found.about_passed_over(false).len(), 1);
        assert_eq!(found.about_passed_over(true).len(), 3);
        let pattern = folder.path().join("*.aedat*");
        let again = expanded(&[pattern.clone(), found.files[1].clone()]);
        assert_eq!(again.files, [found.files[1].clone()]);
        assert!(may_be_several(&[pattern]) && !may_be_several(&found.files[..1]));
        assert_eq!(expanded(&[folder.path().join("*.raw")]).failed.len(), 1);
    }

    #[test]
    #[cfg(unix)]
    fn links_are_followed_once_and_broken_ones_are_files_that_fail() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("in/sub")).unwrap();
        fs::create_dir(at("elsewhere")).unwrap();
        fs::write(at("elsewhere/a.aedat"), b"x").unwrap();
        for (link, to) in
            [("in/one", "elsewhere"), ("in/two", "elsewhere"), ("in/up", ""), ("in/sub/x", "in")]
        {
            std::os::unix::fs::symlink(at(to), at(link)).unwrap();
        }
        std::os::unix::fs::symlink("nowhere", at("in/gone.raw")).unwrap();
        let found = expanded(&[at("in")]);
        assert_eq!(found.files, [at("in/gone.raw"), at("in/one/a.aedat")]);
        let passed: Vec<_> = found.passed_over.iter().map(|(path, _)| path.clone()).collect();
        assert_eq!(passed, [at("in/sub/x"), at("in/up")]);
    }

    #[test]
    fn the_common_parent_is_the_longest_shared_path() {
        let paths = ["x/a/1.raw", "x/a/2.raw", "x/b/1.raw"].map(PathBuf::from);
        assert_eq!(common_parent(&paths), Path::new("x"));
        assert_eq!(common_parent(&paths[..2]), Path::new("x/a"));
        assert_eq!(common_parent(&["1.raw", "a/1.raw"].map(PathBuf::from)), Path::new(""));
    }
}
