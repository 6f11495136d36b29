//! A block of metadata, and a cursor that takes numbers from it.

use super::checksum::lookup3;
use crate::error::{Error, Result};

/// A block of metadata that has been read from the file.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub bytes: Vec<u8>,
    /// Byte of the file at which it begins.
    pub at: u64,
}

impl Block {
    /// A cursor over all bytes.
    pub fn cursor(&self, sizes: Sizes) -> Cursor<'_> {
        Cursor { bytes: &self.bytes, position: 0, at: self.at, sizes }
    }

    /// A cursor over what is before a checksum of 4 bytes at the end.
    ///
    /// # Errors
    /// If the checksum does not fit.
    pub fn checked(&self, sizes: Sizes, what: &str) -> Result<Cursor<'_>> {
        let Some((bytes, sum)) = self.bytes.split_last_chunk::<4>() else {
            return Err(Error::malformed(format!("{what} is too short")).at(self.at));
        };
        if lookup3(bytes) != u32::from_le_bytes(*sum) {
            return Err(Error::malformed(format!("the checksum of {what} is wrong")).at(self.at));
        }
        Ok(Cursor { bytes, position: 0, at: self.at, sizes })
    }
}

/// How many bytes the file uses for addresses and for lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub offset: usize,
    pub length: usize,
}

/// Takes numbers, which are little endian, from a block of metadata.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
    at: u64,
    pub sizes: Sizes,
}

impl<'a> Cursor<'a> {
    /// A cursor over `bytes`, which begin at byte `at` of the file.
    pub fn new(bytes: &'a [u8], at: u64, sizes: Sizes) -> Self {
        Self { bytes, position: 0, at, sizes }
    }

    /// Byte of the file of the next value.
    pub fn offset(&self) -> u64 {
        self.at + self.position as u64
    }

    /// Number of bytes that are left.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// All bytes that are left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.position..];
        self.position = self.bytes.len();
        rest
    }

    pub fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let end = self.position.checked_add(n).filter(|&end| end <= self.bytes.len());
        let Some(end) = end else {
            return Err(Error::malformed("a block of metadata ends early").at(self.offset()));
        };
        let taken = &self.bytes[self.position..end];
        self.position = end;
        Ok(taken)
    }

    /// A cursor over the next `n` bytes.
    pub fn part(&mut self, n: usize) -> Result<Cursor<'a>> {
        let at = self.offset();
        Ok(Cursor { bytes: self.take(n)?, position: 0, at, sizes: self.sizes })
    }

    pub fn skip(&mut self, n: usize) -> Result<()> {
        self.take(n).map(|_| ())
    }

    /// Skips to the next multiple of `n` bytes from the start of the block; not beyond its end.
    pub fn align(&mut self, n: usize) {
        self.position = self.position.next_multiple_of(n).min(self.bytes.len());
    }

    /// A number of `n` bytes, 8 at most.
    pub fn uint(&mut self, n: usize) -> Result<u64> {
        let bytes = self.take(n)?;
        Ok(bytes.iter().rev().fold(0, |value, &byte| (value << 8) | u64::from(byte)))
    }

    pub fn u8(&mut self) -> Result<u8> {
        self.uint(1).map(|value| value as u8)
    }

    pub fn u16(&mut self) -> Result<u16> {
        self.uint(2).map(|value| value as u16)
    }

    pub fn u32(&mut self) -> Result<u32> {
        self.uint(4).map(|value| value as u32)
    }

    pub fn u64(&mut self) -> Result<u64> {
        self.uint(8)
    }

    /// An address, relative to the base address; `None` if it is the undefined one.
    pub fn address(&mut self) -> Result<Option<u64>> {
        let size = self.sizes.offset;
        let value = self.uint(size)?;
        let undefined = u64::MAX >> (64 - 8 * size);
        Ok((value != undefined).then_some(value))
    }

    /// An address that has to be defined.
    pub fn defined(&mut self, what: &str) -> Result<u64> {
        let at = self.offset();
        let address = self.address()?;
        address.ok_or_else(|| Error::malformed(format!("{what} has no address")).at(at))
    }

    pub fn length(&mut self) -> Result<u64> {
        self.uint(self.sizes.length)
    }

    /// Checks the signature of four letters.
    pub fn signature(&mut self, letters: &[u8; 4], what: &str) -> Result<()> {
        let at = self.offset();
        if self.take(4)? != letters {
            return Err(Error::malformed(format!("the signature of {what} is missing")).at(at));
        }
        Ok(())
    }

    /// Checks that the next byte, a version, is one of those that are known.
    pub fn version(&mut self, known: &[u8], what: &str) -> Result<u8> {
        let at = self.offset();
        let version = self.u8()?;
        if known.contains(&version) {
            return Ok(version);
        }
        Err(Error::unsupported(format!("version {version} of {what} is not known")).at(at))
    }

    /// A text that ends at a NUL, which is consumed.
    pub fn text(&mut self) -> Result<String> {
        let rest = &self.bytes[self.position..];
        let Some(n) = rest.iter().position(|&byte| byte == 0) else {
            return Err(Error::malformed("a text has no end").at(self.offset()));
        };
        let text = text_of(&rest[..n]);
        self.position += n + 1;
        Ok(text)
    }
}

/// Bytes as text: UTF-8, or else Latin-1, which older programs write.
pub(crate) fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// Number of bytes for numbers up to `most`.
pub(crate) fn bytes_for(most: u64) -> usize {
    (most.max(1).ilog2() / 8 + 1) as usize
}
