//! Bytes that are kept until they can be written to their offset in a file.

use std::path::{Path, PathBuf};

use super::AtomicFile;
use crate::error::Result;

/// Number of bytes that are kept in memory. More of them go to a temporary file.
const MEMORY: usize = 1 << 20;

/// A queue of bytes that is filled first and read back once. It needs memory for at most 1 MiB,
/// however many bytes it takes; the rest is in a temporary file without a name, beside the file for
/// which it is made.
#[derive(Debug)]
pub(crate) struct Spool {
    /// The first bytes, or all of them if there is no file.
    memory: Vec<u8>,
    file: Option<AtomicFile>,
    target: PathBuf,
}

impl Spool {
    /// An empty spool. Its temporary file, if it needs one, is in the folder of `target`.
    pub(crate) fn new(target: &Path) -> Self {
        Self { memory: Vec::new(), file: None, target: target.to_path_buf() }
    }

    /// Number of bytes appended so far.
    pub(crate) fn length(&self) -> u64 {
        self.memory.len() as u64 + self.file.as_ref().map_or(0, AtomicFile::length)
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    /// As [`AtomicFile::append`].
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if self.file.is_none() {
            if self.memory.len() + bytes.len() <= MEMORY {
                self.memory.extend_from_slice(bytes);
                return Ok(());
            }
            self.file = Some(AtomicFile::scratch(&self.target)?);
        }
        self.file.as_mut().map_or(Ok(()), |file| file.append(bytes))
    }

    /// Passes all bytes to `give`, in pieces and in order.
    ///
    /// # Errors
    /// Those of `give`, and [`ErrorKind::System`](crate::ErrorKind::System) if they cannot be read.
    pub(crate) fn read_back(mut self, mut give: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        if !self.memory.is_empty() {
            give(&self.memory)?;
        }
        self.file.as_mut().map_or(Ok(()), |file| file.read_back(give))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_comes_back_and_no_file_has_a_name() {
        let folder = tempfile::tempdir().expect("folder");
        let target = folder.path().join("a.npz");
        for (pieces, in_memory) in [(0, true), (10, true), (5000, false)] {
            let mut spool = Spool::new(&target);
            let mut all = Vec::new();
            for piece in 0..pieces {
                let bytes: Vec<u8> = (0..777).map(|i| (i * piece) as u8).collect();
                spool.append(&bytes).expect("appended");
                all.extend(bytes);
            }
            assert_eq!(spool.length(), all.len() as u64);
            assert_eq!(spool.file.is_none(), in_memory);
            assert!(spool.memory.len() <= MEMORY);
            assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 0);
            let mut back = Vec::new();
            spool
                .read_back(|bytes| {
                    back.extend_from_slice(bytes);
                    Ok(())
                })
                .expect("read");
            assert!(back == all);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_with_the_path() {
        let target = Path::new("/nowhere/at/all/a.npz");
        let mut spool = Spool::new(target);
        spool.append(&vec![0; MEMORY]).expect("memory");
        let error = spool.append(&[0]).expect_err("no folder");
        assert_eq!(error.path(), Some(target));
    }
}
