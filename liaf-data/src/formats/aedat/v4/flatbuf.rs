//! A bounds-checked view of a flatbuffer, limited to what AEDAT 4 uses.
//!
//! Every offset comes from the file, so that every access is checked. Nothing is cast, because a file
//! does not guarantee any alignment. Layout: a table starts with an `i32` that refers back to its
//! vtable. The vtable has a `u16` with its own size, a `u16` with the size of the table, and a `u16`
//! for each field: the offset of the field in the table, or 0 if it is absent. Vectors and strings are
//! a `u32` that refers forward to a `u32` length and the data. Source: the FlatBuffers internals page.

use std::ops::Range;

use crate::error::Error;

/// Something is outside the buffer: what it is, and its offset in the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfBounds {
    pub what: &'static str,
    pub at: usize,
}

impl OutOfBounds {
    /// The error for a buffer whose packet or header starts at `offset` in the file.
    pub(crate) fn into_error(self, offset: u64) -> Error {
        Error::malformed(format!("{} extends beyond its flatbuffer", self.what))
            .at(offset)
            .found(format!("buffer position {}", self.at))
    }
}

type Checked<T> = Result<T, OutOfBounds>;

/// The `N` bytes at `at`.
pub(crate) fn bytes_at<const N: usize>(buffer: &[u8], at: usize) -> Option<[u8; N]> {
    buffer.get(at..)?.first_chunk().copied()
}

fn read<const N: usize>(buffer: &[u8], at: usize, what: &'static str) -> Checked<[u8; N]> {
    bytes_at(buffer, at).ok_or(OutOfBounds { what, at })
}

/// The offset to which the `u32` at `at` refers.
fn follow(buffer: &[u8], at: usize, what: &'static str) -> Checked<usize> {
    let offset = u32::from_le_bytes(read(buffer, at, what)?) as usize;
    at.checked_add(offset).filter(|&to| to < buffer.len()).ok_or(OutOfBounds { what, at })
}

/// A table of a flatbuffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<'a> {
    buffer: &'a [u8],
    at: usize,
    vtable: usize,
    vtable_end: usize,
}

impl<'a> Table<'a> {
    /// The root table of a buffer whose root offset is stored at `root`.
    pub(crate) fn root(buffer: &'a [u8], root: usize) -> Checked<Self> {
        Self::new(buffer, follow(buffer, root, "root table")?)
    }

    fn new(buffer: &'a [u8], at: usize) -> Checked<Self> {
        let what = "vtable";
        let back = i64::from(i32::from_le_bytes(read(buffer, at, what)?));
        let vtable = usize::try_from(at as i64 - back).map_err(|_| OutOfBounds { what, at })?;
        let bytes = u16::from_le_bytes(read(buffer, vtable, what)?);
        let vtable_end = vtable + usize::from(bytes);
        if bytes < 4 || vtable_end > buffer.len() {
            return Err(OutOfBounds { what, at: vtable });
        }
        Ok(Self { buffer, at, vtable, vtable_end })
    }

    /// Offset of field number `id`; `None` if it is absent and therefore has its default value.
    fn field(&self, id: usize) -> Checked<Option<usize>> {
        let entry = self.vtable + 4 + 2 * id;
        if entry + 2 > self.vtable_end {
            return Ok(None);
        }
        let offset = u16::from_le_bytes(read(self.buffer, entry, "field")?);
        Ok((offset != 0).then(|| self.at + usize::from(offset)))
    }

    pub(crate) fn i32(&self, id: usize, default: i32) -> Checked<i32> {
        self.field(id)?
            .map_or(Ok(default), |at| read(self.buffer, at, "field").map(i32::from_le_bytes))
    }

    pub(crate) fn i64(&self, id: usize, default: i64) -> Checked<i64> {
        self.field(id)?
            .map_or(Ok(default), |at| read(self.buffer, at, "field").map(i64::from_le_bytes))
    }

    /// The field as an unsigned byte.
    pub(crate) fn u8(&self, id: usize) -> Checked<u8> {
        let byte = self.field(id)?.map(|at| read::<1>(self.buffer, at, "field")).transpose()?;
        Ok(byte.map_or(0, |[byte]| byte))
    }

    pub(crate) fn i16(&self, id: usize) -> Checked<i16> {
        self.field(id)?.map_or(Ok(0), |at| read(self.buffer, at, "field").map(i16::from_le_bytes))
    }

    pub(crate) fn f32(&self, id: usize) -> Checked<f32> {
        self.field(id)?.map_or(Ok(0.0), |at| read(self.buffer, at, "field").map(f32::from_le_bytes))
    }

    /// The bytes of a struct of `N` bytes in field `id`.
    pub(crate) fn structure<const N: usize>(&self, id: usize) -> Checked<Option<[u8; N]>> {
        self.field(id)?.map(|at| read(self.buffer, at, "struct")).transpose()
    }

    /// The range of the data of a vector whose elements have `size` bytes; empty if the vector is
    /// absent.
    fn range(&self, id: usize, size: usize) -> Checked<Range<usize>> {
        let what = "vector";
        let Some(field) = self.field(id)? else { return Ok(0..0) };
        let at = follow(self.buffer, field, what)?;
        let len = u32::from_le_bytes(read(self.buffer, at, what)?) as usize;
        let end = len.checked_mul(size).and_then(|bytes| bytes.checked_add(at + 4));
        match end {
            Some(end) if end <= self.buffer.len() => Ok(at + 4..end),
            _ => Err(OutOfBounds { what, at }),
        }
    }

    /// The bytes of a vector whose elements have `size` bytes; empty if it is absent.
    pub(crate) fn vector(&self, id: usize, size: usize) -> Checked<&'a [u8]> {
        Ok(&self.buffer[self.range(id, size)?])
    }

    /// The tables of a vector of tables.
    pub(crate) fn tables(
        &self,
        id: usize,
    ) -> Checked<impl ExactSizeIterator<Item = Checked<Self>> + use<'a>> {
        let (buffer, range) = (self.buffer, self.range(id, 4)?);
        let table = move |i| Self::new(buffer, follow(buffer, range.start + 4 * i, "table")?);
        Ok((0..range.len() / 4).map(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Root offset 12, vtable at 4 (6 bytes, one field at 4), table at 12.
    fn one_i32(value: i32) -> Vec<u8> {
        let mut buffer = 12_u32.to_le_bytes().to_vec();
        for half in [6_u16, 8, 4, 0] {
            buffer.extend(half.to_le_bytes());
        }
        buffer.extend(8_i32.to_le_bytes());
        buffer.extend(value.to_le_bytes());
        buffer
    }

    #[test]
    fn fields_have_values_or_defaults() {
        let buffer = one_i32(-7);
        let table = Table::root(&buffer, 0).unwrap();
        assert_eq!(table.i32(0, 5), Ok(-7));
        assert_eq!(table.i32(1, 5), Ok(5));
        assert_eq!(table.i64(9, -1), Ok(-1));
    }

    #[test]
    fn every_truncation_and_every_flip_is_an_error_or_a_value() {
        let buffer = one_i32(1);
        for n in 0..buffer.len() {
            let table = Table::root(&buffer[..n], 0);
            assert!(table.and_then(|table| table.i32(0, 5)).is_err(), "{n} bytes");
        }
        for bit in 0..8 * buffer.len() {
            let mut flipped = buffer.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(table) = Table::root(&flipped, 0) {
                let _ = (table.i32(0, 5), table.i64(0, 5), table.vector(0, 16));
                if let Ok(tables) = table.tables(0) {
                    tables.for_each(drop);
                }
            }
        }
    }

    #[test]
    fn a_vector_of_lying_length_is_an_error() {
        let mut buffer = one_i32(4);
        buffer.extend(u32::MAX.to_le_bytes());
        let table = Table::root(&buffer, 0).unwrap();
        assert_eq!(table.vector(0, 16), Err(OutOfBounds { what: "vector", at: 20 }));
    }
}
