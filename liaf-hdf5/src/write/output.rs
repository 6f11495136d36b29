//! Where the bytes of a file go, and the appending side of the writer.

use std::io::{self, Seek, SeekFrom, Write};

use crate::error::{Error, Result};

/// Where a [`FileWriter`](super::FileWriter) puts its bytes: they are appended, and a few of them
/// are overwritten later.
///
/// Everything that is [`Write`] and [`Seek`] is an `Output`, provided that it is empty and its
/// position is 0. Wrap a [`File`](std::fs::File) in a [`BufWriter`](std::io::BufWriter). Implement
/// the trait for what can only append and patch, or to give errors of your own.
pub trait Output {
    /// Appends `bytes` at the end.
    ///
    /// # Errors
    /// If they could not all be written. The writer then never writes again.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Overwrites the bytes from `offset` on, all of which have been appended before. The next
    /// call of [`append`](Self::append) goes on at the end.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    fn overwrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Passes on what is still buffered. This is called once, when the file is complete.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write + Seek> Output for W {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn overwrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = self.stream_position()?;
        self.seek(SeekFrom::Start(offset))?;
        self.write_all(bytes)?;
        self.seek(SeekFrom::Start(end)).map(|_| ())
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(self)
    }
}

/// An [`Output`] and the number of bytes in it.
#[derive(Debug)]
pub(super) struct Appender<S> {
    output: S,
    length: u64,
    /// Whether an earlier call failed: the contents of the file are unknown then.
    is_broken: bool,
}

impl<S: Output> Appender<S> {
    pub fn new(output: S) -> Self {
        Self { output, length: 0, is_broken: false }
    }

    /// Number of bytes appended so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends `bytes` and returns their address.
    pub fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        let address = self.length;
        // Lengths in HDF5 are signed in the library: files end below 2^63 bytes.
        let end = address.checked_add(bytes.len() as u64).filter(|&end| end <= i64::MAX as u64);
        let end = end.ok_or_else(|| Error::caller("the file would have 2^63 bytes or more"))?;
        self.attempt(|output| output.append(bytes))?;
        self.length = end;
        Ok(address)
    }

    /// Appends zeros until the length is a multiple of 8, as headers, trees and arrays want it, and
    /// returns the length.
    pub fn align(&mut self) -> Result<u64> {
        let missing = (self.length.wrapping_neg() % 8) as usize;
        if missing > 0 {
            self.append(&[0; 8][..missing])?;
        }
        Ok(self.length)
    }

    /// Appends `bytes` at an address that is a multiple of 8, which is returned.
    pub fn append_aligned(&mut self, bytes: &[u8]) -> Result<u64> {
        self.align()?;
        self.append(bytes)
    }

    /// Overwrites bytes that have been appended before.
    pub fn overwrite(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        debug_assert!(offset + bytes.len() as u64 <= self.length);
        self.attempt(|output| output.overwrite(offset, bytes))
    }

    /// Passes on what is still buffered and returns the output.
    pub fn finish(mut self) -> Result<S> {
        self.attempt(Output::flush)?;
        Ok(self.output)
    }

    fn attempt(&mut self, write: impl FnOnce(&mut S) -> io::Result<()>) -> Result<()> {
        let outcome = if self.is_broken {
            Err(io::Error::other("an earlier write failed"))
        } else {
            write(&mut self.output)
        };
        outcome.map_err(|error| {
            self.is_broken = true;
            Error::system("cannot write", error)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn bytes_are_appended_aligned_and_overwritten() {
        let mut out = Appender::new(Cursor::new(Vec::new()));
        assert_eq!(out.append(b"abc").unwrap(), 0);
        assert_eq!(out.append_aligned(b"defgh").unwrap(), 8);
        out.overwrite(1, b"X").unwrap();
        assert_eq!(out.append(b"i").unwrap(), 13);
        assert_eq!(out.length(), 14);
        assert_eq!(out.finish().unwrap().into_inner(), b"aXc\0\0\0\0\0defghi");
    }

    /// Fails once, and would then accept everything.
    struct FailsOnce(bool);

    impl Output for FailsOnce {
        fn append(&mut self, _: &[u8]) -> io::Result<()> {
            if std::mem::replace(&mut self.0, true) {
                return Ok(());
            }
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }

        fn overwrite(&mut self, _: u64, _: &[u8]) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn after_a_failure_nothing_is_written() {
        let mut out = Appender::new(FailsOnce(false));
        let error = out.append(b"a").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::System);
        assert_eq!(error.into_io().unwrap().kind(), io::ErrorKind::StorageFull);
        assert!(out.append(b"a").unwrap_err().to_string().contains("an earlier write failed"));
        assert!(out.overwrite(0, b"").is_err());
        assert!(out.finish().is_err());
    }
}
