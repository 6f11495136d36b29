//! Recordings inside packed files: `recording.aedat4.gz`, or a zip archive with one recording.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::codec::{FileHead, ReadOptions};
use crate::container::unpack::{Member, Packer, Packing, first_member};
use crate::container::zip::{self, Entry};
use crate::error::{Error, ErrorKind, Result};
use crate::io::{ByteSource, Wrapper, unpacked_name};
use crate::model::RecordingInfo;
use crate::registry::FORMATS;
use crate::unsupported::PICKLE;

/// If `source` is a packed file, what is packed in it; otherwise `source` itself.
///
/// # Errors
/// If the file is damaged before its first byte of data, or holds another packed file; if an archive has
/// several files that may be the recording.
pub(super) fn unwrap(mut source: ByteSource, options: &ReadOptions) -> Result<ByteSource> {
    let head = source.head(FileHead::BYTES)?;
    if head.starts_with(b"PK\x03\x04") {
        return unwrap_zip(source, options);
    }
    let Some(packing) = Packing::of(&head) else { return Ok(source) };
    // The first events of a stated format may look like the beginning of a packed file.
    let as_it_is = options.format.and_then(|_| source.again().ok());
    let name = source.path().map(|path| unpacked_name(path).unwrap_or_else(|| path.into()));
    match checked(source, Arc::new(Packer { packing, limits: options.limits }), name) {
        Ok(packed) => Ok(packed),
        Err(error) => as_it_is.ok_or(error),
    }
}

/// An archive with arrays of NumPy is a recording itself.
fn unwrap_zip(mut source: ByteSource, options: &ReadOptions) -> Result<ByteSource> {
    let is_named_npz = source.path().is_some_and(|path| extension(path) == "npz");
    if is_named_npz || options.format.is_some_and(|format| format.name == "npz") {
        return Ok(source);
    }
    source.hold(options.limits.held_bytes)?;
    let (name, member) = match zip::entries(&mut source, &options.limits) {
        Ok(entries) => match choose(&entries)? {
            Some(entry) => (entry.name.clone(), Member::new(&mut source, entry, &options.limits)?),
            None => return Ok(source),
        },
        Err(error) if error.kind() == ErrorKind::Truncated => {
            match first_member(&mut source, &options.limits)? {
                Some((name, member)) if !name.ends_with(".npy") => (name, member),
                _ => return Ok(source),
            }
        }
        Err(error) => return Err(error),
    };
    checked(source, Arc::new(member), Some(name.into()))
}

/// The file in the archive that is the recording; `None` if the archive as a whole is one.
fn choose(entries: &[Entry]) -> Result<Option<&Entry>> {
    let is_file = |entry: &&Entry| {
        let name = entry.name.rsplit('/').next().unwrap_or_default();
        // What macOS adds to an archive is not a file of its user.
        !name.is_empty() && !name.starts_with('.') && !entry.name.starts_with("__MACOSX/")
    };
    let files: Vec<_> = entries.iter().filter(is_file).collect();
    if files.iter().any(|entry| entry.name.ends_with(".npy")) {
        return Ok(None);
    }
    if files.iter().any(|entry| entry.name.ends_with("/data.pkl")) {
        let error =
            Error::unsupported("archive of PyTorch (.pt, .pth): recognised, but not supported");
        return Err(error.at(0).advice(PICKLE.unwrap_or_default()));
    }
    let is_recording = |entry: &&Entry| {
        let extension = extension(Path::new(&entry.name));
        FORMATS.iter().any(|format| format.extensions.contains(&&*extension))
    };
    let recordings: Vec<_> = files.iter().copied().filter(is_recording).collect();
    match (files.as_slice(), recordings.as_slice()) {
        ([only], _) | (_, [only]) => Ok(Some(only)),
        ([], _) => Err(Error::new(ErrorKind::Empty, "the zip archive has no file in it").at(0)),
        _ => Err(several(&files.iter().map(|entry| &*entry.name).collect::<Vec<_>>())),
    }
}

fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// What is packed in `source`, if there is anything, and if it is not packed once more.
fn checked(
    source: ByteSource,
    wrapper: Arc<dyn Wrapper>,
    name: Option<PathBuf>,
) -> Result<ByteSource> {
    let by = wrapper.name();
    let mut packed = ByteSource::packed(source, wrapper, name)?;
    let head = packed.head(FileHead::BYTES)?;
    if head.is_empty() {
        return Err(match packed.damage() {
            Some(damage) => damage.error(),
            None => Error::new(ErrorKind::Empty, format!("the {by} file has nothing in it")).at(0),
        });
    }
    if let Some(inner) = Packing::of(&head) {
        return Err(Error::unsupported(format!(
            "the {by} file has another packed file in it, by {}",
            inner.name()
        ))
        .at(0)
        .advice("only one of them is unpacked while reading: unpack the file once"));
    }
    Ok(packed)
}

/// Adds to `info` in what kind of file the recording is.
pub(super) fn describe(info: &mut RecordingInfo, source: &ByteSource) {
    let Some(wrapped) = source.wrapped() else { return };
    let mut text = wrapped.by.to_owned();
    if wrapped.by == "zip"
        && let Some(name) = &wrapped.name
    {
        text += &format!(", {}", name.display());
    }
    if let Some(bytes) = wrapped.bytes {
        text += &format!(", {bytes} bytes");
    }
    info.details.insert("packed", text);
}

/// Adds to an error that the packed file is damaged, which may have caused it.
pub(super) fn with_damage(error: Error, source: &ByteSource) -> Error {
    match source.damage() {
        Some(damage) => error.advice(damage.note()),
        None => error,
    }
}

/// The error for an archive in which several files may be the recording.
fn several(names: &[&str]) -> Error {
    const SHOWN: usize = 5;
    let mut shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        shown += &format!(" and {} more", names.len() - SHOWN);
    }
    Error::unsupported(
        "the zip archive has several files, and it is not clear which is the recording",
    )
    .at(0)
    .found(shown)
    .advice("unpack the archive and name the recording")
}
