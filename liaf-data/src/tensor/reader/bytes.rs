//! The bytes of a tensor, borrowed from the file or copied.

use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::limits::Limits;

/// The alignment of the largest elements.
const ALIGN: usize = 8;

/// Number of bytes that are read at a time. Between two reads, other programs can write a mapped file.
pub(super) const PIECE: usize = 1 << 20;

/// Little-endian bytes at an address that is a multiple of 8.
#[derive(Debug, Clone)]
pub(in crate::tensor) enum Bytes<'a> {
    Lent(&'a [u8]),
    Owned(Aligned),
}

impl Bytes<'_> {
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Self::Lent(bytes) => bytes,
            Self::Owned(bytes) => bytes.as_slice(),
        }
    }

    pub fn into_owned(self) -> Bytes<'static> {
        Bytes::Owned(match self {
            Self::Lent(bytes) => Aligned::copy_of(bytes),
            Self::Owned(bytes) => bytes,
        })
    }
}

impl<'a> Bytes<'a> {
    /// The bytes of every element of this size in the other order.
    pub fn reversed(self, size: usize) -> Self {
        let mut owned = match self {
            Self::Lent(bytes) => Aligned::copy_of(bytes),
            Self::Owned(bytes) => bytes,
        };
        owned.reverse(size);
        Self::Owned(owned)
    }
}

/// A copy of bytes, at an address that is a multiple of 8.
#[derive(Debug)]
pub(in crate::tensor) struct Aligned {
    /// Up to 7 zeros, followed by the bytes.
    buffer: Vec<u8>,
    start: usize,
}

impl Aligned {
    /// An empty buffer with capacity for `length` bytes.
    pub fn with_capacity(length: usize) -> Result<Self> {
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(length.saturating_add(ALIGN - 1)).map_err(|error| {
            Error::system(format!("cannot allocate {length} bytes for a tensor"), error.into())
        })?;
        Ok(Self::after_zeros(buffer))
    }

    fn after_zeros(mut buffer: Vec<u8>) -> Self {
        let start = buffer.as_ptr().align_offset(ALIGN).min(ALIGN - 1);
        buffer.resize(start, 0);
        Self { buffer, start }
    }

    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut copy = Self::after_zeros(Vec::with_capacity(bytes.len() + ALIGN - 1));
        copy.buffer.extend_from_slice(bytes);
        copy
    }

    /// The buffer to append to. It must not grow beyond its capacity, which would move it.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    pub fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    pub fn as_slice(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..]
    }

    /// Reverses the bytes of every element of this size.
    pub fn reverse(&mut self, size: usize) {
        self.as_mut_slice().chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        Self::copy_of(self.as_slice())
    }
}

/// Returns a number of bytes as a length that may be allocated.
pub(super) fn checked_length(bytes: u64, limits: &Limits) -> Result<usize> {
    let limit = usize::try_from(limits.output_bytes).unwrap_or(usize::MAX);
    Limits::check("the tensor", bytes, limit)
}

/// The `length` bytes from offset `start` on, which must be in the file: borrowed if that is possible,
/// otherwise copied.
pub(super) fn stored(source: &ByteSource, start: u64, length: usize) -> Result<Bytes<'_>> {
    match lent(source, start, length) {
        Some(bytes) => Ok(Bytes::Lent(bytes)),
        None => {
            let mut copy = Aligned::with_capacity(length)?;
            let mut source = source.again()?;
            source.seek(start)?;
            while copy.len() < length {
                let piece = (length - copy.len()).min(PIECE);
                let read = source.visit(piece, |bytes, _| {
                    copy.buffer().extend_from_slice(bytes);
                    Ok(())
                })?;
                if read.is_none() {
                    return Err(Error::truncated("the file ends inside a tensor")
                        .at(start + copy.len() as u64));
                }
            }
            Ok(Bytes::Owned(copy))
        }
    }
}

/// These bytes of the file itself, if they can be borrowed and are aligned.
pub(super) fn lent(source: &ByteSource, start: u64, length: usize) -> Option<&[u8]> {
    source.lend(start, length).filter(|bytes| bytes.as_ptr().align_offset(ALIGN) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_copy_is_aligned() {
        for length in [0, 1, 7, 8, 9, 4096, 1 << 20] {
            let mut bytes = Aligned::with_capacity(length).unwrap();
            let end = bytes.start + length;
            bytes.buffer().resize(end, 7);
            let address = |bytes: &Aligned| bytes.as_slice().as_ptr() as usize;
            assert_eq!((bytes.len(), address(&bytes) % ALIGN), (length, 0));
            let copy = bytes.clone();
            assert_eq!((copy.as_slice(), address(&copy) % ALIGN), (bytes.as_slice(), 0));
        }
        assert!(Aligned::with_capacity(usize::MAX).is_err());
    }
}
