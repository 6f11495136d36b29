//! Joining the files that several processes made of parts of a set.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::contents::Contents;
use super::files::{Verified, tensor_files, verify};
use super::journal::exists;
use super::manifest::{self, Manifest};
use super::output::Writer;
use super::reader::{SampleFile, Step};
use super::title::{Title, Which, frame_shape};
use super::{Split, shards};
use crate::error::{Error, Result};
use crate::io::is_same_file;
use crate::tensor::{Container, TensorOptions};

/// What becomes of shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Join {
    /// One file of all samples, as if it had been made at once.
    #[default]
    Copy,
    /// A list of the shards, which stay as they are.
    Index,
}

/// Joins shards to one file for each split. `output` is the path that the whole set would have had: with
/// splits, `.train` and `.test` come before its extension. The bytes are those that a single process would
/// have written. With [`Join::Index`], only a list of the shards is written, whose extension is `.json`;
/// it must be in their folder.
///
/// Shards are given in any order, as files or as lists of them. Files that exist already and are the same
/// are left as they are.
///
/// # Errors
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if a shard is missing, or if they are not of one set or
/// not made in the same way; [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) if one of them is
/// damaged; if the output exists already or cannot be written.
pub fn merge<P: AsRef<Path>>(
    inputs: &[P],
    output: impl AsRef<Path>,
    join: Join,
    options: &TensorOptions,
) -> Result<Vec<Verified>> {
    let output = output.as_ref();
    let container = Container::from_path(output)?;
    let mut paths = Vec::new();
    for path in inputs.iter().map(AsRef::as_ref) {
        paths.extend(tensor_files(path)?);
    }
    let mut splits: BTreeMap<Option<Split>, Vec<SampleFile>> = BTreeMap::new();
    for path in paths {
        let file = SampleFile::open(&path)?;
        splits.entry(file.stated.which.split).or_default().push(file);
    }
    if splits.is_empty() {
        return Err(Error::caller("there are no shards"));
    }
    // All of them are checked before the first is written.
    let mut groups = Vec::new();
    for (split, files) in splits {
        let files = manifest::in_order(files)?;
        let path = shards::path(output, split, None);
        groups.push((path, files));
    }
    // As for a set that is made at once: a split may lack samples, and the whole set may not.
    let is_empty = |files: &[SampleFile]| files.iter().all(|file| file.samples.is_empty());
    let is_split = |files: &[SampleFile]| files.iter().all(|f| f.stated.which.split.is_some());
    if let Some((path, first)) = groups.first()
        && groups.iter().all(|(_, files)| is_empty(files))
        && (groups.len() > 1 || !is_split(first))
    {
        return Err(no_samples(path));
    }
    let mut made = Vec::new();
    for (path, files) in groups {
        made.push(match join {
            Join::Copy => copy(&path, &files, container, options)?,
            Join::Index => index(&manifest::path(&path), &files, options)?,
        });
    }
    Ok(made)
}

/// The options with which an output is written, or what it is if it is complete already.
fn already(path: &Path, plan: &str, options: &TensorOptions) -> Result<Option<Verified>> {
    if options.overwrite || !path.exists() {
        return Ok(None);
    }
    match verify(path) {
        Ok(found) if found.plan == plan => Ok(Some(found)),
        _ => Err(exists(path)),
    }
}

fn copy(
    path: &Path,
    files: &[SampleFile],
    container: Container,
    options: &TensorOptions,
) -> Result<Verified> {
    let Some(first) = files.first() else { return Err(no_samples(path)) };
    let plan = &first.stated.plan;
    if let Some(found) = already(path, plan, options)? {
        return Ok(found);
    }
    let shape = first.stated.shape;
    let title = Title {
        about: first.stated.about.clone(),
        contents: first.stated.contents,
        dtype: first.stated.dtype,
        shape: frame_shape(shape),
        steps: files.iter().map(|file| file.stated.shape[0] as u64).max().unwrap_or(0),
        has_labels: first.stated.has_classes,
        has_boxes: first.stated.has_boxes,
        names: first.names.clone(),
        container,
        tensor: *options,
    };
    if files.iter().any(|file| is_same_file(&file.path, path)) {
        let error = Error::caller("the output is one of the files to join").in_file(path);
        return Err(error.advice("name another output"));
    }
    let which =
        Which { split: first.stated.which.split, shard: None, failed: manifest::failed(files) };
    let mut writer = Writer::create(path, &title, which, options.overwrite)?;
    let frame_bytes = title.frame_bytes() as usize;
    for file in files {
        let mut real = usize::MAX;
        file.each(&mut |step| match step {
            Step::Begin(sample) => {
                if title.contents == Contents::Frames {
                    real = sample.length as usize * frame_bytes;
                }
                writer.begin(sample);
                Ok(())
            }
            Step::Items(items) => writer.add(&items[..items.len().min(real)]),
            Step::End(boxes) => writer.end(boxes),
        })?;
    }
    let failed = which.failed;
    let (samples, bytes) = writer.finish()?;
    let files = vec![(path.to_owned(), samples, bytes)];
    Ok(Verified { files, samples, failed, plan: plan.clone(), division: None })
}

fn index(path: &Path, files: &[SampleFile], options: &TensorOptions) -> Result<Verified> {
    let folder = |path: &Path| path.parent().map(Path::to_path_buf).map(absolute);
    for file in files {
        if folder(&file.path) != folder(path) {
            return Err(Error::caller("the list of shards must be in their folder")
                .expected(file.path.with_file_name(path.file_name().unwrap_or_default()).display())
                .in_file(path));
        }
        file.each(&mut |_| Ok(()))?;
    }
    let list = Manifest::of(files, None)?;
    if !Manifest::read(path).is_ok_and(|old| old == list) {
        list.write(path, options.overwrite)?;
    }
    Ok(Verified::of_list(list, path))
}

fn absolute(path: PathBuf) -> PathBuf {
    let path = if path.as_os_str().is_empty() { PathBuf::from(".") } else { path };
    path.canonicalize().unwrap_or(path)
}

/// The error for a set that would have no samples.
fn no_samples(path: &Path) -> Error {
    Error::caller("the shards have no samples").in_file(path)
}
