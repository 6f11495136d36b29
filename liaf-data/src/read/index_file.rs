//! An index kept beside its recording: `recording.raw.index.json`.
//!
//! It is made again where it is damaged or of another file: of other length, time of change or bytes, which
//! are compared here and there; or of other options of reading.

use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::index::Index;
use super::recording::Recording;
use crate::codec::ReadOptions;
use crate::error::{Error, Result};
use crate::io::AtomicFile;

/// Larger files are no index of ours.
const MAX_BYTES: u64 = 256 << 20;

/// The first line of the file; the second is the index.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// What the index is of.
    of: Of,
    /// xxHash64 of the second line.
    sum: String,
}

fn hash(bytes: &[u8]) -> String {
    let mut hash = XxHash64::with_seed(0);
    hash.write(bytes);
    format!("{:016x}", hash.finish())
}

/// SeekState of a file whose bytes are compared, and how many there.
const SAMPLES: u64 = 32;
const SAMPLE: usize = 4096;

/// What must be the same for an index to hold.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Of {
    version: String,
    format: String,
    bytes: u64,
    /// Time of change, ns since 1970.
    changed: u128,
    /// xxHash64 of some of its bytes.
    bytes_here_and_there: String,
    /// Options of reading on which places and times depend.
    read: String,
}

impl Recording {
    /// The [`index`](Self::index), from the file beside the recording if that is whole and still its
    /// own; else made in one pass and kept there.
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
        let of = self.identity()?;
        if let Some(index) = read(&beside, &of) {
            self.set_index(index);
            return Ok(beside);
        }
        let cannot = |error: serde_json::Error| {
            Error::system("cannot write the index", std::io::Error::other(error))
        };
        let index = serde_json::to_string(self.index()?).map_err(cannot)?;
        let head = Head { of, sum: hash(index.as_bytes()) };
        let text = format!("{}\n{index}\n", serde_json::to_string(&head).map_err(cannot)?);
        let mut file = AtomicFile::create(&beside, true, false)?;
        file.append(text.as_bytes())?;
        file.finish()?;
        Ok(beside)
    }

    /// What the open file is told by, whatever has its name now.
    fn identity(&self) -> Result<Of> {
        let options = self.options();
        let mut source = self.open_bytes()?;
        let changed = source.modified().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let bytes = source.len().unwrap_or(0);
        let mut some = Vec::new();
        let last = bytes.saturating_sub(SAMPLE as u64);
        for i in 0..=SAMPLES {
            some.extend(source.read_at(last / SAMPLES * i + last % SAMPLES * i / SAMPLES, SAMPLE)?);
        }
        // All that changes which events there are, where, and when; not how they are fetched.
        let ReadOptions { data_offset, aedat2, evt21_order, .. } = options;
        let ReadOptions { atis_overflow, keep_invalid, time_shift, clock_reset, .. } = options;
        let ReadOptions { columns, time_unit, t_offset, coords, limits, .. } = options;
        let info = self.info();
        let read = format!(
            "{:?} {coords:?} {:?} {data_offset:?} {aedat2:?} {evt21_order:?} {atis_overflow:?} \
             {keep_invalid:?} {columns:?} {time_unit:?} {t_offset:?} {time_shift:?} {clock_reset:?} {limits:?}",
            info.stream, info.sensor
        );
        Ok(Of {
            version: env!("CARGO_PKG_VERSION").into(),
            format: self.info().format.into(),
            bytes,
            changed: changed.map_or(0, |since| since.as_nanos()),
            bytes_here_and_there: hash(&some),
            read,
        })
    }
}

/// The index in a file; `None` if there is none, or it is damaged, or of something else.
fn read(path: &Path, of: &Of) -> Option<Index> {
    let size = fs::metadata(path).ok()?.len();
    if size > MAX_BYTES {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    let (head, index) = text.split_once('\n')?;
    let index = index.strip_suffix('\n')?;
    let head: Head = serde_json::from_str(head).ok()?;
    (head.of == *of && head.sum == hash(index.as_bytes()))
        .then(|| serde_json::from_str(index).ok())?
}
