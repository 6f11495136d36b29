//! An index that is stored in the folder of its recording: `recording.raw.index.json`.
//!
//! The index is built again if the stored one is damaged, or if it belongs to another file or to
//! other read options. The file is compared by its length, its modification time, and samples of
//! its bytes.

use std::fs::{self, File};
use std::hash::Hasher;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::index::Index;
use super::recording::Recording;
use crate::codec::ReadOptions;
use crate::error::{Error, Result};
use crate::io::AtomicFile;
use crate::model::RecordingInfo;

/// A larger file cannot be an index written by this crate.
const MAX_BYTES: u64 = 256 << 20;

/// The first line of the file; the second line is the index.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// What the index was built from.
    of: Of,
    /// xxHash64 of the second line.
    sum: String,
}

fn hash(bytes: &[u8]) -> String {
    let mut hash = XxHash64::with_seed(0);
    hash.write(bytes);
    format!("{:016x}", hash.finish())
}

/// Number of samples of the file that are compared, and the size of a sample in bytes.
const SAMPLES: u64 = 32;
const SAMPLE: usize = 4096;

/// Everything that must be equal for an index to be valid.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Of {
    version: String,
    format: String,
    bytes: u64,
    /// Modification time, in ns since 1970.
    changed: u128,
    /// xxHash64 of samples of the bytes.
    bytes_here_and_there: String,
    /// The read options on which seek points and times depend.
    read: String,
}

impl Recording {
    /// Reads the [`index`](Self::index) from the file in the folder of the recording if it is
    /// intact and belongs to the recording; otherwise builds the index in one pass and stores it
    /// there.
    ///
    /// # Errors
    /// As [`index`](Self::index), and if the recording is not a file or the index cannot be
    /// written.
    pub fn keep_index(&mut self) -> Result<PathBuf> {
        if self.is_joined() {
            return Err(Error::caller("a recording in pieces has no index that could be stored"));
        }
        let path = self.path().filter(|_| self.is_seekable());
        let path = path.ok_or_else(|| {
            Error::caller("only a recording that is a file can have an index stored beside it")
        })?;
        let path = path.to_owned();
        self.unpack()?;
        let mut name = path.clone().into_os_string();
        name.push(".index.json");
        let beside = PathBuf::from(name);
        let of = self.identity()?;
        if let Some(index) = read(&beside, &of) {
            self.set_index(index);
            return Ok(beside);
        }
        let index = serde_json::to_string(self.index()?).map_err(cannot_write)?;
        let head = Head { of, sum: hash(index.as_bytes()) };
        let text = format!("{}\n{index}\n", serde_json::to_string(&head).map_err(cannot_write)?);
        let mut file = AtomicFile::create(&beside, true, false)?;
        file.append(text.as_bytes())?;
        file.finish()?;
        Ok(beside)
    }

    /// The properties that identify the open file, even if another file has taken its name.
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
        let read = key(options, self.info())?;
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

/// All options on which the seek points or the times of an index depend, as a text that is compared.
///
/// Every option is named here, so that a new one does not compile before it is decided whether it
/// belongs to the key. Options that only say how the bytes are read do not.
fn key(options: &ReadOptions, info: &RecordingInfo) -> Result<String> {
    let ReadOptions {
        // Compared are the format, the stream and the sensor that were found, not those that were asked
        // for.
        format: _,
        stream: _,
        sensor: _,
        coords,
        // Strict reading stops at an error before an index exists.
        strict: _,
        limits,
        parallel: _,
        map: _,
        data_offset,
        aedat,
        evt,
        atis,
        columns,
        step: _,
    } = options;
    let found = (info.stream, info.sensor);
    let key = (found, coords, limits, data_offset, aedat, evt, atis, columns);
    serde_json::to_string(&key).map_err(cannot_write)
}

fn cannot_write(error: serde_json::Error) -> Error {
    Error::system("cannot write the index", std::io::Error::other(error))
}

/// Reads an index from a file; `None` if there is none, if it is damaged, or if it belongs to
/// something else.
fn read(path: &Path, of: &Of) -> Option<Index> {
    // A pipe or a device of that name is not waited for, or read without end.
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_BYTES + 1).read_to_string(&mut text).ok()?;
    if text.len() as u64 > MAX_BYTES {
        return None;
    }
    let (head, index) = text.split_once('\n')?;
    let index = index.strip_suffix('\n')?;
    let head: Head = serde_json::from_str(head).ok()?;
    (head.of == *of && head.sum == hash(index.as_bytes()))
        .then(|| serde_json::from_str(index).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Aedat2Reading, AtisOverflow, ClockReset, Coords, Evt21Order, TimeShift};
    use crate::limits::Limits;

    #[test]
    fn the_key_is_that_of_the_options_that_matter() {
        let Some(path) = crate::fixtures::fixture("good/aedat2/dvs128.aedat") else { return };
        let recording = Recording::open(path, ReadOptions::new()).unwrap();
        let key = |options: &ReadOptions| key(options, recording.info()).unwrap();
        let new = ReadOptions::new;
        let matter = [
            new(),
            new().coords(Coords::Raw),
            new().limits(Limits { line_bytes: 9, ..Limits::default() }),
            new().data_offset(7),
            new().aedat_reading(Aedat2Reading::Tonic),
            new().clock_reset(ClockReset::Rebase),
            new().keep_invalid(true),
            new().evt21_order(Evt21Order::Legacy),
            new().time_shift(TimeShift::OpenEb),
            new().atis_overflow(AtisOverflow::Ignore),
            new().column_map("x,y,t,p".parse().unwrap()),
            new().time_unit("ns".parse().unwrap()),
            new().t_offset(true),
        ];
        let mut keys: Vec<_> = matter.iter().map(key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), matter.len());
        assert_eq!(
            key(&new()),
            key(&new().strict(true).parallel(true).step(std::num::NonZeroUsize::MIN))
        );
    }
}
