//! Layouts: where the values of a dataset are.

use super::dataspace::MOST_RANK;
use crate::error::{Error, Result};
use crate::read::bytes::Cursor;

/// Where the values of a dataset are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layout {
    /// In the object header.
    Compact(Vec<u8>),
    /// In one piece; without an address nothing was written yet.
    Contiguous { address: Option<u64> },
    /// In chunks.
    Chunked(ChunkedLayout),
    /// In other datasets, maybe of other files.
    Virtual,
}

/// Where the chunks are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChunkedLayout {
    /// Number of values along each dimension of a chunk.
    pub sides: Vec<u64>,
    /// Size of a value, which has to be that of the datatype.
    pub value_bytes: u64,
    /// Whether chunks that reach over the end of the dataset are stored without filters.
    pub is_plain_at_the_end: bool,
    pub index: Index,
    /// Where the index is; without an address nothing was written yet.
    pub address: Option<u64>,
    /// Number of bytes in which an index of version 4 and later keeps the size of a chunk;
    /// `None` if that depends on the size.
    pub size_bytes: Option<u8>,
}

/// What finds the chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    /// B-tree of version 1.
    Tree1,
    /// There is one chunk, with this size and these filters left out if it has filters.
    Single { packed: Option<(u64, u32)> },
    /// All chunks, one after another, without filters.
    Implicit,
    /// Fixed array.
    Fixed,
    /// Extensible array.
    Extensible,
    /// B-tree of version 2.
    Tree2,
}

pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Layout> {
    match cursor.version(&[1, 2, 3, 4, 5], "a layout")? {
        1 | 2 => oldest(cursor),
        version => newer(cursor, version),
    }
}

fn oldest(cursor: &mut Cursor<'_>) -> Result<Layout> {
    let rank = usize::from(cursor.u8()?);
    let at = cursor.offset();
    let class = cursor.u8()?;
    cursor.skip(5)?;
    let address = if class == 0 { None } else { cursor.address()? };
    let sides = (0..rank).map(|_| cursor.u32().map(u64::from)).collect::<Result<Vec<_>>>()?;
    match class {
        0 => {
            let size = cursor.u32()? as usize;
            Ok(Layout::Compact(cursor.take(size)?.to_vec()))
        }
        1 => Ok(Layout::Contiguous { address }),
        2 => chunked(sides, Index::Tree1, address, at),
        other => Err(unknown(other, at)),
    }
}

fn newer(cursor: &mut Cursor<'_>, version: u8) -> Result<Layout> {
    let at = cursor.offset();
    match cursor.u8()? {
        0 => {
            let size = cursor.u16()?;
            Ok(Layout::Compact(cursor.take(size.into())?.to_vec()))
        }
        1 => Ok(Layout::Contiguous { address: cursor.address()? }),
        2 if version == 3 => {
            let rank = usize::from(cursor.u8()?);
            let address = cursor.address()?;
            let sides = (0..rank).map(|_| cursor.u32().map(u64::from)).collect::<Result<_>>()?;
            chunked(sides, Index::Tree1, address, at)
        }
        2 => newest(cursor, version),
        3 => Ok(Layout::Virtual),
        other => Err(unknown(other, at)),
    }
}

/// Chunks of version 4 and 5.
fn newest(cursor: &mut Cursor<'_>, version: u8) -> Result<Layout> {
    let at = cursor.offset();
    let flags = cursor.u8()?;
    let rank = usize::from(cursor.u8()?);
    let width = usize::from(cursor.u8()?);
    if !(1..=8).contains(&width) {
        return Err(Error::malformed(format!("sides of chunks of {width} bytes")).at(at));
    }
    let sides = (0..rank).map(|_| cursor.uint(width)).collect::<Result<Vec<_>>>()?;
    let kind_at = cursor.offset();
    let index = match cursor.u8()? {
        1 if flags & 2 != 0 => Index::Single { packed: Some((cursor.length()?, cursor.u32()?)) },
        1 => Index::Single { packed: None },
        2 => Index::Implicit,
        3 => {
            cursor.skip(1)?;
            Index::Fixed
        }
        4 => {
            cursor.skip(5)?;
            Index::Extensible
        }
        5 => {
            cursor.skip(6)?;
            Index::Tree2
        }
        other => {
            let what = format!("an index of chunks of type {other} is not known");
            return Err(Error::unsupported(what).at(kind_at));
        }
    };
    let address = cursor.address()?;
    let size_bytes = (version == 5).then_some(cursor.sizes.length as u8);
    match chunked(sides, index, address, at)? {
        Layout::Chunked(layout) => Ok(Layout::Chunked(ChunkedLayout {
            is_plain_at_the_end: flags & 1 != 0,
            size_bytes,
            ..layout
        })),
        other => Ok(other),
    }
}

/// Chunks of so many values along each dimension, with the size of a value after them.
fn chunked(mut sides: Vec<u64>, index: Index, address: Option<u64>, at: u64) -> Result<Layout> {
    let value_bytes = sides.pop().unwrap_or(0);
    if sides.is_empty() || sides.len() > MOST_RANK || sides.contains(&0) {
        return Err(Error::malformed(format!("chunks of {sides:?} values")).at(at));
    }
    Ok(Layout::Chunked(ChunkedLayout {
        sides,
        value_bytes,
        is_plain_at_the_end: false,
        index,
        address,
        size_bytes: None,
    }))
}

fn unknown(class: u8, at: u64) -> Error {
    Error::unsupported(format!("a layout of class {class} is not known")).at(at)
}
