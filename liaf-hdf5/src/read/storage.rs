//! The bytes of a file, read under limits.

use super::bytes::{Block, Sizes};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{self, Limits};
use crate::source::Source;

/// A file, with what is needed to read any part of it. Addresses count from the base address.
pub(crate) struct Storage {
    source: Box<dyn Source>,
    /// Byte of the file from which addresses count.
    pub base: u64,
    pub sizes: Sizes,
    pub limits: Limits,
    /// Number of bytes when the file was opened.
    pub size: u64,
}

impl Storage {
    pub fn new(source: Box<dyn Source>, base: u64, sizes: Sizes, limits: Limits) -> Self {
        let size = source.size();
        Self { source, base, sizes, limits, size }
    }

    /// The byte of the file at an address.
    pub fn offset(&self, address: u64) -> u64 {
        self.base.saturating_add(address)
    }

    /// The byte of the file at an address, for an error: the end of the file if it is beyond that.
    pub fn place(&self, address: u64) -> u64 {
        self.offset(address).min(self.size)
    }

    /// Fills `bytes` with the `len` bytes at an address; the caller has checked `len`.
    ///
    /// # Errors
    /// If there are not as many.
    pub fn fill(&self, address: u64, len: usize, bytes: &mut Vec<u8>) -> Result<()> {
        let at = self.offset(address);
        let end = at.checked_add(len as u64);
        if end.is_none_or(|end| end > self.size) {
            return Err(self.cut(at, len));
        }
        limits::zeros(bytes, len)?;
        let n = self.source.read_at(at, bytes);
        let n = n.map_err(|error| Error::system("cannot read", error).at(at))?;
        if n < len {
            let what = "the file shrank while it was read";
            return Err(Error::new(ErrorKind::Shrank, what).at(at + n as u64));
        }
        Ok(())
    }

    fn cut(&self, at: u64, len: usize) -> Error {
        let what = format!("{len} bytes from byte {at} on lie beyond the end of the file");
        Error::truncated(what).at(self.size)
    }

    /// The `len` bytes of metadata at an address.
    pub fn block(&self, address: u64, len: u64, what: &str) -> Result<Block> {
        let at = self.offset(address);
        if at > self.size {
            return Err(self.cut(at, usize::try_from(len).unwrap_or(usize::MAX)).within(what));
        }
        let len = limits::check(what, len, self.limits.metadata_bytes).map_err(|e| e.at(at))?;
        let mut bytes = Vec::new();
        self.fill(address, len, &mut bytes).map_err(|error| error.within(what))?;
        Ok(Block { bytes, at })
    }

    /// The bytes of metadata at an address, at most `most`; fewer only at the end of the file.
    pub fn at_most(&self, address: u64, most: usize) -> Result<Block> {
        let at = self.offset(address);
        let left = self.size.saturating_sub(at);
        let len = usize::try_from(left).unwrap_or(most).min(most);
        if len == 0 {
            return Err(self.cut(at, most));
        }
        let mut bytes = Vec::new();
        self.fill(address, len, &mut bytes)?;
        Ok(Block { bytes, at })
    }
}
