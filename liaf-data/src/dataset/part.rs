//! The samples of one recording, as a file that waits until all recordings are done.
//!
//! The frames (or cells, or events) of all samples come first, then a JSON text, its length, and a hash of
//! everything before.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use std::hash::Hasher;
use twox_hash::XxHash64;

use super::Split;
use crate::error::{Error, Result};
use crate::io::AtomicFile;

/// Number of bytes that are read at a time.
const PIECE: usize = 1 << 20;
/// Longest JSON text that is read.
const MOST_TEXT: u64 = 256 << 20;
/// Size of the length and the hash at the end.
const TAIL: u64 = 16;

/// A sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    /// Its class, or −1.
    pub class: i64,
    pub split: Option<Split>,
    /// Start of its first window in µs.
    pub start: i64,
    /// Number of its frames.
    pub frames: u64,
    /// Number of items that are stored: frames, cells that are not zero, or events.
    pub items: u64,
    /// Its length in µs.
    pub duration: i64,
    /// Whether it is not used, because it was cut short by the end of the recording.
    pub dropped: bool,
}

/// What is known about the samples of a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub rows: Vec<Row>,
    /// Number of events in the frames, and of those that filters removed or that were outside the sensor.
    pub kept: u64,
    pub left_out: u64,
    /// What was unusual about the recording.
    pub notes: Vec<String>,
}

impl Head {
    /// Adds a note, unless it is there or there are too many.
    pub fn note(&mut self, note: &str) {
        if self.notes.len() < 20 && !self.notes.iter().any(|known| known == note) {
            self.notes.push(note.to_owned());
        }
    }
}

/// Writes the samples of a recording.
pub(super) struct PartWriter {
    file: AtomicFile,
    hash: XxHash64,
    pub head: Head,
}

impl PartWriter {
    pub fn create(path: &Path) -> Result<Self> {
        let file = AtomicFile::create(path, true, true)?;
        Ok(Self { file, hash: XxHash64::with_seed(0), head: Head::default() })
    }

    /// Appends items.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.hash.write(bytes);
        self.file.append(bytes)
    }

    /// Completes the file, which is on the disk then. Returns its hash.
    pub fn finish(mut self) -> Result<u64> {
        let text = serde_json::to_vec(&self.head).map_err(Error::other)?;
        self.append(&text)?;
        self.append(&(text.len() as u64).to_le_bytes())?;
        let hash = self.hash.finish();
        self.file.append(&hash.to_le_bytes())?;
        self.file.finish()?;
        Ok(hash)
    }
}

/// A part that was completed.
pub(super) struct Part {
    path: PathBuf,
    file: File,
    pub head: Head,
    /// Number of bytes of items.
    items: u64,
    position: u64,
}

impl Part {
    /// Opens a part and checks all of its bytes against its hash, which must be this one.
    pub fn open(path: &Path, expected: u64) -> Result<Self> {
        let part = Self::read_head(path, expected)?;
        let system = |cause| Error::system("the part cannot be read", cause).in_file(path);
        let mut file = &part.file;
        file.seek(SeekFrom::Start(0)).map_err(system)?;
        let size = file.metadata().map_err(system)?.len();
        let mut left = size.saturating_sub(TAIL / 2);
        let (mut hash, mut buffer) = (XxHash64::with_seed(0), vec![0; PIECE.min(size as usize)]);
        while left > 0 {
            let n = left.min(PIECE as u64) as usize;
            file.read_exact(&mut buffer[..n]).map_err(system)?;
            hash.write(&buffer[..n]);
            left -= n as u64;
        }
        if hash.finish() != expected {
            return Err(damaged(path));
        }
        file.seek(SeekFrom::Start(0)).map_err(system)?;
        Ok(part)
    }

    /// Opens a part of which the end is what it should be. Its items are not checked: they were, or they
    /// have just been written.
    pub fn read_head(path: &Path, expected: u64) -> Result<Self> {
        let system = |cause| Error::system("the part cannot be read", cause).in_file(path);
        let damaged = || damaged(path);
        let mut file = File::open(path).map_err(system)?;
        let size = file.metadata().map_err(system)?.len();
        let at = size.checked_sub(TAIL).ok_or_else(damaged)?;
        let mut tail = [0; TAIL as usize];
        file.seek(SeekFrom::Start(at)).map_err(system)?;
        file.read_exact(&mut tail).map_err(system)?;
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |n, &byte| n << 8 | u64::from(byte));
        let (length, stored) = (number(&tail[..8]), number(&tail[8..]));
        if stored != expected {
            return Err(damaged());
        }
        let items = at.checked_sub(length).filter(|_| length <= MOST_TEXT).ok_or_else(damaged)?;
        let mut text = vec![0; length as usize];
        file.seek(SeekFrom::Start(items)).map_err(system)?;
        file.read_exact(&mut text).map_err(system)?;
        let head = serde_json::from_slice(&text).map_err(|_| damaged())?;
        file.seek(SeekFrom::Start(0)).map_err(system)?;
        Ok(Self { path: path.to_owned(), file, head, items, position: 0 })
    }

    /// Passes the next `bytes` bytes of items to `give`, in pieces of a whole number of `unit` bytes.
    pub fn items(
        &mut self,
        bytes: u64,
        unit: usize,
        mut give: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        if self.position.checked_add(bytes).is_none_or(|end| end > self.items) {
            let error = Error::malformed("the part has fewer frames than it says");
            return Err(error.in_file(&self.path));
        }
        let piece = (PIECE / unit.max(1)).max(1) * unit.max(1);
        let (mut left, mut buffer) = (bytes, vec![0; piece.min(bytes as usize)]);
        while left > 0 {
            let n = left.min(buffer.len() as u64) as usize;
            self.file.read_exact(&mut buffer[..n]).map_err(|cause| {
                Error::system("the part cannot be read", cause).in_file(&self.path)
            })?;
            give(&buffer[..n])?;
            left -= n as u64;
        }
        self.position += bytes;
        Ok(())
    }

    /// Continues with the items at this offset in bytes.
    pub fn go_to(&mut self, position: u64) -> Result<()> {
        let system = |cause| Error::system("the part cannot be read", cause).in_file(&self.path);
        if position != self.position {
            self.position = position;
            self.file.seek(SeekFrom::Start(position)).map_err(system)?;
        }
        Ok(())
    }
}

fn damaged(path: &Path) -> Error {
    Error::malformed("the part is damaged").in_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_comes_back_and_every_flipped_byte_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.part");
        let mut writer = PartWriter::create(&path).unwrap();
        writer.append(&[1, 2, 3, 4]).unwrap();
        writer.append(&[5, 6]).unwrap();
        let row = Row {
            class: 3,
            split: Some(Split::Test),
            start: -7,
            frames: 2,
            items: 2,
            duration: 9,
            dropped: false,
        };
        writer.head = Head { rows: vec![row], kept: 9, left_out: 1, notes: vec!["x".into()] };
        let head = writer.head.clone();
        let hash = writer.finish().unwrap();
        let mut part = Part::open(&path, hash).unwrap();
        assert_eq!(part.head, head);
        let mut items = Vec::new();
        part.go_to(1).unwrap();
        part.items(5, 2, |bytes| {
            items.extend_from_slice(bytes);
            Ok(())
        })
        .unwrap();
        assert_eq!(items, [2, 3, 4, 5, 6]);
        assert!(part.items(1, 1, |_| Ok(())).is_err());
        assert!(Part::open(&path, hash ^ 1).is_err());
        let good = std::fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 4;
            std::fs::write(&path, &bad).unwrap();
            assert!(Part::open(&path, hash).is_err(), "byte {at}");
            std::fs::write(&path, &good[..at]).unwrap();
            assert!(Part::open(&path, hash).is_err(), "{at} bytes");
        }
    }
}
