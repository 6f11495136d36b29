//! An index kept beside its recording: `recording.raw.index.json`.
//!
//! It is made again where it is of another file: of other length, time of change or first bytes, or
//! of other options of reading.

use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::{Index, Recording};
use crate::AtomicFile;
use crate::source::ByteSource;
use crate::{Error, Result};

/// Larger files are no index of ours.
const MAX_BYTES: u64 = 256 << 20;

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// What the index is of.
    of: Of,
    index: Index,
}

/// What must be the same for an index to hold.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Of {
    version: String,
    format: String,
    bytes: u64,
    /// Time of change, ns since 1970.
    changed: u128,
    /// xxHash64 of the first 64 KiB.
    head: String,
    /// Options of reading on which places and times depend.
    read: String,
}

impl Recording {
    /// The [`index`](Self::index), from the file beside the recording if that is still its own;
    /// else made in one pass and kept there.
    ///
    /// # Errors
    /// As [`index`](Self::index), and if the recording is no file or the index cannot be written.
    pub fn keep_index(&mut self) -> Result<PathBuf> {
        let path = self.path().filter(|_| self.is_seekable());
        let path = path.ok_or_else(|| Error::caller("only a file can have an index beside it"))?;
        let path = path.to_owned();
        let mut name = path.clone().into_os_string();
        name.push(".index.json");
        let beside = PathBuf::from(name);
        let of = self.identity(&path)?;
        if let Some(kept) = read(&beside).filter(|kept| kept.of == of) {
            self.set_index(kept.index);
            return Ok(beside);
        }
        let index = self.index()?.clone();
        let text = serde_json::to_vec(&Kept { of, index }).map_err(|error| {
            Error::system("cannot write the index", std::io::Error::other(error))
        })?;
        let mut file = AtomicFile::create(&beside, true, false)?;
        file.append(&text)?;
        file.finish()?;
        Ok(beside)
    }

    fn identity(&self, path: &Path) -> Result<Of> {
        let cannot = |error| Error::system("cannot read", error).in_file(path);
        let meta = fs::metadata(path).map_err(cannot)?;
        let changed = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let mut hash = XxHash64::with_seed(0);
        let options = self.options();
        hash.write(&ByteSource::open(path, options.map)?.head(64 << 10)?);
        Ok(Of {
            version: env!("CARGO_PKG_VERSION").into(),
            format: self.info().format.into(),
            bytes: meta.len(),
            changed: changed.map_or(0, |since| since.as_nanos()),
            head: format!("{:016x}", hash.finish()),
            read: format!(
                "{:?} {:?} {:?} {:?} {:?}",
                self.info().stream,
                options.coords,
                self.info().sensor,
                options.data_offset,
                options.aedat2
            ),
        })
    }
}

/// The index in a file; `None` if there is none, or it is not one.
fn read(path: &Path) -> Option<Kept> {
    let size = fs::metadata(path).ok()?.len();
    if size > MAX_BYTES {
        return None;
    }
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
