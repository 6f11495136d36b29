//! The samples of one recording that wait until all recordings are done: their items stand in a
//! [store](super::store), and what is known about them in the journal.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::Hasher;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::store::{self, Store, Stores};
use super::{EventCounts, Split};
use crate::error::{Error, Result};

/// Number of bytes that are read at a time.
const PIECE: usize = 1 << 20;
/// Most stores that are open for reading.
const MOST_OPEN: usize = 64;

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
    pub events: EventCounts,
    /// Whether the rest of the recording was not read, because its samples were complete.
    pub has_rest: bool,
    /// The numbers of the stretches that have no events, and so no samples.
    pub empty: Vec<usize>,
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

/// A part that is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    /// The number of the recording.
    pub recording: usize,
    /// The store in which its items are, where they begin in it, and their size in bytes.
    store: u32,
    start: u64,
    bytes: u64,
    /// The hash of the items, and of all that is not where they are. In hexadecimal digits.
    hash: String,
    pub head: Head,
}

impl Part {
    /// Whether the items and what is known about them are what was written.
    pub fn is_whole(&self, reader: &mut Reader) -> bool {
        let mut hash = XxHash64::with_seed(0);
        let read = reader.items(self, 0, self.bytes, 1, |bytes| {
            hash.write(bytes);
            Ok(())
        });
        read.is_ok() && end(hash, self.recording, &self.head).is_ok_and(|hash| hash == self.hash)
    }
}

/// The hash of a part, if this is that of its items.
fn end(mut hash: XxHash64, recording: usize, head: &Head) -> Result<String> {
    hash.write(&serde_json::to_vec(&(recording, head)).map_err(Error::other)?);
    Ok(format!("{:016x}", hash.finish()))
}

/// Writes the samples of a recording. If it is dropped before they are complete, nothing of them remains.
pub(super) struct PartWriter<'a> {
    stores: &'a Stores,
    /// `None` once it is complete.
    store: Option<Store>,
    hash: XxHash64,
    pub head: Head,
}

impl<'a> PartWriter<'a> {
    pub fn create(stores: &'a Stores) -> Result<Self> {
        let store = Some(stores.take()?);
        Ok(Self { stores, store, hash: XxHash64::with_seed(0), head: Head::default() })
    }

    /// Appends items.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.hash.write(bytes);
        match &mut self.store {
            Some(store) => store.append(bytes),
            None => Ok(()),
        }
    }

    /// Completes the part of this recording.
    pub fn finish(mut self, recording: usize) -> Result<Part> {
        let Some(mut store) = self.store.take() else {
            return Err(Error::caller("the part is complete already"));
        };
        let (start, bytes) = store.end_part()?;
        let number = store.number();
        self.stores.put(store);
        let head = std::mem::take(&mut self.head);
        let hash = end(self.hash.clone(), recording, &head)?;
        Ok(Part { recording, store: number, start, bytes, hash, head })
    }
}

impl Drop for PartWriter<'_> {
    fn drop(&mut self) {
        // A store in which something else is left is not used again.
        if let Some(mut store) = self.store.take()
            && store.undo().is_ok()
        {
            self.stores.put(store);
        }
    }
}

/// Reads the items of parts.
pub(super) struct Reader {
    folder: PathBuf,
    open: BTreeMap<u32, File>,
    buffer: Vec<u8>,
}

impl Reader {
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), open: BTreeMap::new(), buffer: Vec::new() }
    }

    /// Passes `bytes` bytes of the items of a part, from `from` on, to `give`, in pieces of a whole number of
    /// `unit` bytes.
    pub fn items(
        &mut self,
        part: &Part,
        from: u64,
        bytes: u64,
        unit: usize,
        mut give: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let path = store::path(&self.folder, part.store);
        let system = |cause| Error::system("a part cannot be read", cause).in_file(&path);
        let end = from.checked_add(bytes).filter(|end| *end <= part.bytes);
        let start = end.and_then(|_| part.start.checked_add(from)).ok_or_else(|| {
            Error::malformed("the part has fewer items than it says").in_file(&path)
        })?;
        if !self.open.contains_key(&part.store) {
            if self.open.len() == MOST_OPEN {
                self.open.clear();
            }
            self.open.insert(part.store, File::open(&path).map_err(system)?);
        }
        let Some(file) = self.open.get_mut(&part.store) else { return Ok(()) };
        file.seek(SeekFrom::Start(start)).map_err(system)?;
        let piece = (PIECE / unit.max(1)).max(1) * unit.max(1);
        let mut left = bytes;
        while left > 0 {
            let n = left.min(piece as u64) as usize;
            if self.buffer.len() < n {
                self.buffer.resize(n, 0);
            }
            file.read_exact(&mut self.buffer[..n]).map_err(system)?;
            give(&self.buffer[..n])?;
            left -= n as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(items: u64) -> Row {
        let split = Some(Split::Test);
        Row { class: 3, split, start: -7, frames: 2, items, duration: 9, dropped: false }
    }

    fn items(reader: &mut Reader, part: &Part, from: u64, bytes: u64) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        reader.items(part, from, bytes, 2, |piece| {
            all.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn parts_come_back_from_their_store_and_every_flipped_byte_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let stores = Stores::new(folder.path(), 4);
        let write = |number: usize, pieces: &[&[u8]]| {
            let mut writer = PartWriter::create(&stores).unwrap();
            pieces.iter().for_each(|piece| writer.append(piece).unwrap());
            writer.head = Head { rows: vec![row(2)], notes: vec!["x".into()], ..Head::default() };
            writer.finish(number).unwrap()
        };
        let first = write(0, &[&[1, 2, 3, 4], &[5, 6]]);
        // What is given up leaves nothing between the parts.
        let mut given_up = PartWriter::create(&stores).unwrap();
        given_up.append(&[9; 300_000]).unwrap();
        drop(given_up);
        let second = write(7, &[&[7, 8]]);
        let path = store::path(folder.path(), 4);
        assert_eq!(std::fs::read(&path).unwrap(), [1, 2, 3, 4, 5, 6, 7, 8]);

        let mut reader = Reader::new(folder.path());
        assert_eq!(items(&mut reader, &first, 1, 5).unwrap(), [2, 3, 4, 5, 6]);
        assert_eq!(items(&mut reader, &second, 0, 2).unwrap(), [7, 8]);
        assert!(items(&mut reader, &first, 1, 6).is_err());
        assert!(first.is_whole(&mut reader) && second.is_whole(&mut reader));
        for wrong in [
            Part { recording: 1, ..first.clone() },
            Part { start: 1, ..first.clone() },
            Part { bytes: 5, ..first.clone() },
            Part { bytes: u64::MAX, ..first.clone() },
            Part { store: 5, ..first.clone() },
            Part { head: Head { has_rest: true, ..first.head.clone() }, ..first.clone() },
        ] {
            assert!(!wrong.is_whole(&mut reader), "{wrong:?}");
        }
        let good = std::fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 4;
            std::fs::write(&path, &bad).unwrap();
            assert_eq!(first.is_whole(&mut reader), at >= 6, "byte {at}");
            assert_eq!(second.is_whole(&mut reader), at < 6, "byte {at}");
            std::fs::write(&path, &good[..at]).unwrap();
            assert!(!second.is_whole(&mut reader), "{at} bytes");
        }
    }

    #[test]
    fn parts_that_are_written_at_once_are_in_stores_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let stores = Stores::new(folder.path(), 0);
        let mut writers = [0, 1].map(|_| PartWriter::create(&stores).unwrap());
        for (number, writer) in writers.iter_mut().enumerate() {
            writer.append(&[number as u8; 3]).unwrap();
        }
        let mut reader = Reader::new(folder.path());
        for (number, writer) in writers.into_iter().enumerate() {
            let part = writer.finish(number).unwrap();
            assert_eq!(items(&mut reader, &part, 0, 3).unwrap(), [number as u8; 3]);
        }
    }
}
