//! Where bytes that are only appended may go: to a file, or to standard output.

use std::io::{self, BufWriter, Stdout, Write};
use std::path::Path;

use super::AtomicFile;
use crate::error::{Error, Result};

/// A path that stands for standard output, as it stands for standard input where a file is read.
const STANDARD_OUTPUT: &str = "-";

/// A file that appears when it is complete, or standard output, which receives the bytes as they come.
#[derive(Debug)]
pub(crate) enum Destination {
    File(Box<AtomicFile>),
    Output { out: BufWriter<Stdout>, length: u64 },
}

impl Destination {
    /// A file of this name, or standard output if the path is `-`.
    ///
    /// # Errors
    /// As [`AtomicFile::create`].
    pub fn create(path: &Path, overwrite: bool, sync: bool) -> Result<Self> {
        if is_standard_output(path) {
            return Ok(Self::Output {
                out: BufWriter::with_capacity(256 << 10, io::stdout()),
                length: 0,
            });
        }
        Ok(Self::File(Box::new(AtomicFile::create(path, overwrite, sync)?)))
    }

    /// The name of the file.
    pub fn target(&self) -> &Path {
        match self {
            Self::File(file) => file.target(),
            Self::Output { .. } => Path::new(STANDARD_OUTPUT),
        }
    }

    /// Number of bytes appended so far.
    pub fn length(&self) -> u64 {
        match self {
            Self::File(file) => file.length(),
            Self::Output { length, .. } => *length,
        }
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::File(file) => file.append(bytes),
            Self::Output { out, length } => {
                out.write_all(bytes).map_err(cannot_write)?;
                *length += bytes.len() as u64;
                Ok(())
            }
        }
    }

    /// Overwrites bytes that have been appended before.
    ///
    /// # Errors
    /// If they cannot be written, which is so for standard output.
    pub fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        match self {
            Self::File(file) => file.patch(offset, bytes),
            Self::Output { .. } => {
                Err(Error::caller("standard output cannot be changed afterwards")
                    .advice("write a file"))
            }
        }
    }

    /// Completes the output, and returns its size in bytes.
    ///
    /// # Errors
    /// If the last bytes cannot be written.
    pub fn finish(self) -> Result<u64> {
        match self {
            Self::File(file) => file.finish(),
            Self::Output { mut out, length } => {
                out.flush().map_err(cannot_write)?;
                Ok(length)
            }
        }
    }
}

/// Whether a path stands for standard output.
pub(crate) fn is_standard_output(path: &Path) -> bool {
    path.as_os_str() == STANDARD_OUTPUT
}

fn cannot_write(error: io::Error) -> Error {
    Error::system("cannot write to standard output", error)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn standard_output_cannot_be_patched() {
        assert!(is_standard_output(Path::new("-")) && !is_standard_output(Path::new("./-")));
        let mut out = Destination::create(Path::new("-"), false, false).unwrap();
        assert_eq!((out.target(), out.length()), (Path::new("-"), 0));
        assert_eq!(out.patch(0, b"x").unwrap_err().kind(), ErrorKind::Caller);
        assert_eq!(out.finish().unwrap(), 0);
    }

    #[test]
    fn a_check_says_what_creating_would_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("there"), b"mine").unwrap();
        fs::create_dir(at("folder")).unwrap();
        for (name, overwrite, is_possible) in [
            ("new", false, true),
            ("there", false, false),
            ("there", true, true),
            ("folder", true, false),
            ("folder/new", false, true),
            ("there/new", false, false),
            ("far/away/new", false, true),
        ] {
            let checked = AtomicFile::check(at(name), overwrite);
            assert_eq!(checked.is_ok(), is_possible, "{name} {overwrite}");
            // Folders are made by the caller.
            if !name.starts_with("far") {
                let created = AtomicFile::create(at(name), overwrite, false).map(drop);
                let messages = [checked, created].map(|done| done.err().map(|e| e.to_string()));
                assert_eq!(messages[0], messages[1], "{name}");
            }
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "{name}");
            assert_eq!(fs::read_dir(at("folder")).unwrap().count(), 0, "{name}");
        }
    }
}
