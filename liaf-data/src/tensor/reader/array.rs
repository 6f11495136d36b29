//! A NumPy array with its header, alone in a file or as a member of an archive.

use std::ops::Range;

use super::bytes::{self, Aligned, Bytes, PIECE};
use super::index::{self, Place};
use super::rows::extent;
use super::tensor::TensorInfo;
use crate::codec::columns::{Feed, Kind, Number, Storage};
use crate::container::npy::{self, Dtype, Header};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::{ByteSource, Crc32};
use crate::limits::Limits;
use crate::tensor::ElementType;

/// The largest ratio of the sizes of decompressed and compressed data in deflate.
const INFLATION: u64 = 1032;

/// An array whose header has been read.
#[derive(Debug)]
pub(super) struct OpenArray {
    pub info: TensorInfo,
    /// The stream of its bytes, which continues with the elements.
    pub feed: Feed,
    /// Size of the elements in bytes.
    pub bytes: u64,
    pub big_endian: bool,
    /// Whether the first axis varies fastest.
    pub fortran: bool,
    /// Checksum of header and elements, if the file has it.
    crc: Option<u32>,
}

impl OpenArray {
    /// Compares the checksum with that of all bytes, which must have been read.
    pub fn check_sum(&self) -> Result<()> {
        self.crc.map_or(Ok(()), |crc| compare(crc, self.feed.sum().0, self.feed.start()))
    }
}

/// Returns an error unless `sum` is the checksum of the member of the archive whose data is at `start`.
fn compare(crc: u32, sum: Crc32, start: u64) -> Result<()> {
    let found = sum.finalize();
    if found == crc {
        return Ok(());
    }
    Err(Error::malformed("the checksum of a member of the archive is wrong")
        .at(start)
        .expected(format!("{crc:08x}"))
        .found(format!("{found:08x}")))
}

/// Reads the header of the array, and checks that its size is what the header says.
pub(super) fn open(source: &mut ByteSource, place: &Place, limits: &Limits) -> Result<OpenArray> {
    let (mut feed, size, crc) = match place {
        Place::Member(entry) => {
            let (storage, packed) = (entry.storage()?, entry.packed);
            if storage != Storage::Stored
                && entry.size > packed.saturating_add(1).saturating_mul(INFLATION)
            {
                return Err(Error::malformed(
                    "the stated size of a member of the archive is impossible",
                )
                .at(entry.offset)
                .expected(format!("at most {INFLATION} times {packed} bytes"))
                .found(format!("{} bytes", entry.size)));
            }
            (Feed::new(storage, entry.data(source)?, packed), entry.size, Some(entry.crc))
        }
        _ => {
            let length = source.len().unwrap_or(0);
            (Feed::new(Storage::Stored, 0, length), length, None)
        }
    };
    let start = feed.start();
    let here = |error: Error| error.at(start);
    let mut head = Vec::new();
    next(source, &mut feed, 12, &mut head)?;
    let (fixed, text) = npy::lengths(&head, limits).map_err(here)?;
    let ahead = fixed + text;
    // The text may be shorter than the two bytes of it that have already been read.
    feed = feed.again();
    head.clear();
    next(source, &mut feed, ahead, &mut head)?;
    let text = head
        .get(fixed..ahead)
        .ok_or_else(|| here(Error::truncated("the header of the array is incomplete")))?;
    let header = Header::parse(text).map_err(here)?;
    let Dtype::Plain(number) = header.dtype else {
        return Err(here(Error::unsupported("the array has records instead of numbers")));
    };
    let dtype = element(number);
    let bytes = index::size(&header.shape, dtype).map_err(here)?;
    let found = size.saturating_sub(ahead as u64);
    if found != bytes {
        let what = "the size of the array does not agree with its shape";
        let error = if found < bytes && crc.is_none() {
            Error::truncated(what)
        } else {
            Error::malformed(what)
        };
        return Err(here(error)
            .expected(format!("{bytes} bytes for {:?}", header.shape))
            .found(format!("{found} bytes")));
    }
    let shape = index::sides(&header.shape)?;
    let fortran = header.fortran && shape.len() > 1;
    let info = TensorInfo { dtype, shape };
    Ok(OpenArray { info, feed, bytes, big_endian: number.big_endian, fortran, crc })
}

/// Reads the array: little-endian, in row-major order.
pub(super) fn read<'a>(
    source: &'a ByteSource,
    place: &Place,
    limits: &Limits,
) -> Result<(TensorInfo, Bytes<'a>)> {
    let mut cursor = source.again()?;
    let OpenArray { info, mut feed, bytes, big_endian, fortran, crc } =
        open(&mut cursor, place, limits)?;
    let length = bytes::checked_length(bytes, limits)?;
    if !feed.is_stored() {
        Limits::check("a compressed tensor", bytes, limits.held_bytes).map_err(|error| {
            let error = error.at(feed.start()).hint(Hint::raise("held_bytes", bytes));
            error.advice("store the tensor without compression")
        })?;
    }
    let is_plain = feed.is_stored() && !big_endian && !fortran;
    let lent = if is_plain { bytes::lent(source, feed.at(), length) } else { None };
    let (sum, mut bytes) = match lent {
        Some(lent) => {
            // The checksum is not compared for a mapped file, as that would read all of it.
            let crc = crc.filter(|_| source.access() == "memory");
            let (mut sum, _) = feed.sum();
            if crc.is_some() {
                sum.update(lent);
            }
            (crc.map(|crc| (crc, sum)), Bytes::Lent(lent))
        }
        None => {
            let copy = fill(&mut cursor, &mut feed, length)?;
            (crc.map(|crc| (crc, feed.sum().0)), Bytes::Owned(copy))
        }
    };
    if let Some((crc, sum)) = sum {
        compare(crc, sum, feed.start())?;
    }
    if let Bytes::Owned(owned) = &mut bytes {
        let size = info.dtype.bytes();
        if big_endian {
            owned.reverse(size);
        }
        if fortran {
            *owned = transposed(owned.as_slice(), &info.shape, size)?;
        }
    }
    Ok((info, bytes))
}

/// Some rows of the array: little-endian, in row-major order.
pub(super) fn rows<'a>(
    source: &'a ByteSource,
    place: &Place,
    rows: &Range<usize>,
    limits: &Limits,
) -> Result<Bytes<'a>> {
    let open = open(&mut source.again()?, place, limits)?;
    let (start, length) = extent(&open.info, rows, limits)?;
    if open.feed.is_stored() && !open.fortran {
        let mut bytes = bytes::stored(source, open.feed.at().saturating_add(start), length)?;
        if open.big_endian {
            bytes = bytes.reversed(open.info.dtype.bytes());
        }
        return Ok(bytes);
    }
    let (_, all) = read(source, place, limits)?;
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let some = all.as_slice().get(start..start.saturating_add(length)).unwrap_or_default();
    Ok(Bytes::Owned(Aligned::copy_of(some)))
}

/// The next `length` bytes, which the array must have.
pub(super) fn fill(source: &mut ByteSource, feed: &mut Feed, length: usize) -> Result<Aligned> {
    let mut bytes = Aligned::with_capacity(length)?;
    while bytes.len() < length {
        let before = bytes.len();
        next(source, feed, (length - before).min(PIECE), bytes.buffer())?;
        if bytes.len() == before {
            return Err(Error::truncated("the array ends too early").at(feed.at()));
        }
    }
    Ok(bytes)
}

/// Appends the next `n` bytes, or fewer at the end, to `out`.
fn next(source: &mut ByteSource, feed: &mut Feed, n: usize, out: &mut Vec<u8>) -> Result<()> {
    feed.read(source, n, out)?;
    feed.fault().map_or(Ok(()), Err)
}

fn element(number: Number) -> ElementType {
    match number.kind {
        Kind::Bool => ElementType::Bool,
        Kind::I8 => ElementType::I8,
        Kind::I16 => ElementType::I16,
        Kind::I32 => ElementType::I32,
        Kind::I64 => ElementType::I64,
        Kind::U8 => ElementType::U8,
        Kind::U16 => ElementType::U16,
        Kind::U32 => ElementType::U32,
        Kind::U64 => ElementType::U64,
        Kind::F32 => ElementType::F32,
        Kind::F64 => ElementType::F64,
    }
}

/// The elements of `size` bytes in row-major order, from an array whose first axis varies fastest.
fn transposed(bytes: &[u8], shape: &[usize], size: usize) -> Result<Aligned> {
    let mut rows = Aligned::with_capacity(bytes.len())?;
    let out = rows.buffer();
    let mut step = size;
    let strides: Vec<usize> = shape
        .iter()
        .map(|side| {
            let stride = step;
            // Only in an array without elements can the product be too large.
            step = step.saturating_mul(*side);
            stride
        })
        .collect();
    let (mut index, mut from) = (vec![0; shape.len()], 0);
    for _ in 0..bytes.len() / size {
        out.extend_from_slice(&bytes[from..from + size]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            from += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            from -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposing_restores_the_order_of_rows() {
        let shape = [2usize, 3, 4];
        let at = |i: usize, j: usize, k: usize| (100 * i + 10 * j + k) as u16;
        let all = || (0..2).flat_map(|i| (0..3).flat_map(move |j| (0..4).map(move |k| (i, j, k))));
        let mut fortran = vec![0u8; 48];
        for (i, j, k) in all() {
            let place = 2 * (i + 2 * (j + 3 * k));
            fortran[place..place + 2].copy_from_slice(&at(i, j, k).to_le_bytes());
        }
        let wanted: Vec<u8> = all().flat_map(|(i, j, k)| at(i, j, k).to_le_bytes()).collect();
        assert_eq!(transposed(&fortran, &shape, 2).unwrap().as_slice(), wanted);
        assert_eq!(transposed(&[], &[0, 7], 2).unwrap().len(), 0);
    }
}
