//! Chunks: where the parts of a dataset are in the file.
//!
//! Each kind of index is one file here. They find a chunk by its place in the grid of chunks, one
//! number a dimension, and keep the part of the index that they looked at last, so that neighbours
//! are found without reading it again.

mod extensible;
mod fixed;
mod tree1;
mod tree2;

use super::budget::Budget;
use super::bytes::Cursor;
use super::message::layout::{ChunkedLayout, Index};
use super::storage::Storage;
use crate::error::{Error, Result};

/// A chunk in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Relative to the base address.
    pub address: u64,
    /// Size in the file, in bytes.
    pub bytes: u64,
    /// Bit `i` is set if filter `i` was left out.
    pub mask: u32,
}

/// The grid of chunks of a dataset.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    /// Values along each dimension of the dataset, and of a chunk.
    pub shape: Vec<u64>,
    pub sides: Vec<u64>,
    /// Chunks along each dimension, of the largest dataset that this one can grow to.
    most: Vec<u64>,
    /// The first dimension that can grow without end.
    endless: Option<usize>,
    /// Bytes of a chunk without filters.
    pub bytes: u64,
    pub has_filters: bool,
}

impl Grid {
    pub fn new(
        shape: &[u64],
        largest: &[Option<u64>],
        sides: &[u64],
        value_bytes: usize,
        has_filters: bool,
    ) -> Result<Self> {
        if shape.len() != sides.len() || largest.len() != sides.len() {
            let (rank, sides) = (shape.len(), sides.len());
            let what = format!("chunks of {sides} dimensions in a dataset of {rank}");
            return Err(Error::malformed(what));
        }
        let most = largest.iter().zip(sides);
        let most = most.map(|(most, &side)| most.unwrap_or(u64::MAX).div_ceil(side.max(1)));
        let values = sides.iter().fold(1u64, |n, &side| n.saturating_mul(side));
        check_outside(shape, sides)?;
        Ok(Self {
            shape: shape.to_vec(),
            sides: sides.to_vec(),
            most: most.collect(),
            endless: largest.iter().position(Option::is_none),
            bytes: values.saturating_mul(value_bytes as u64),
            has_filters,
        })
    }

    /// The number of a chunk if all chunks are counted, the last dimension first. With `swizzled`, the
    /// dimension that grows without end is taken to be the first one.
    fn number(&self, place: &[u64], swizzled: bool) -> Option<u64> {
        let front = if swizzled { self.endless.unwrap_or(0) } else { 0 };
        let order = std::iter::once(front).chain((0..place.len()).filter(|&i| i != front));
        order.enumerate().try_fold(0u64, |number, (i, dimension)| {
            let (&at, &most) = (place.get(dimension)?, self.most.get(dimension)?);
            let before = if i == 0 { 0 } else { number.checked_mul(most)? };
            before.checked_add(at)
        })
    }

    /// Whether a chunk reaches over the end of the dataset.
    pub fn is_partial(&self, place: &[u64]) -> bool {
        place.iter().zip(&self.shape).zip(&self.sides).any(|((&at, &length), &side)| {
            at.saturating_add(1).checked_mul(side).is_none_or(|end| end > length)
        })
    }

    /// Number of bytes in which an index keeps the size of a chunk.
    fn size_bytes(&self, layout: &ChunkedLayout) -> usize {
        let of_size = (1 + (self.bytes.max(1).ilog2() as usize + 8) / 8).min(8);
        layout.size_bytes.map_or(of_size, usize::from)
    }
}

/// A dataset of few chunks may be as small as it likes.
const MANY: u64 = 16;
/// How many times as many values as the dataset more chunks may have.
const OUTSIDE: u64 = 256;

/// Checks that the chunks are not for the most part outside of the dataset, so that what is unpacked
/// has something to do with what is read.
fn check_outside(shape: &[u64], sides: &[u64]) -> Result<()> {
    let mut outside = 1u64;
    let mut count = 1u64;
    for (&length, &side) in shape.iter().zip(sides) {
        let chunks = length.div_ceil(side.max(1));
        count = count.saturating_mul(chunks);
        if chunks == 1 {
            outside = outside.saturating_mul(side / length.max(1));
        }
    }
    if count > MANY && outside > OUTSIDE {
        return Err(Error::limit(format!(
            "chunks of {sides:?} values in a dataset of {shape:?} are {outside} times as large as it"
        )));
    }
    Ok(())
}

/// Bytes of an index that may be read for each chunk, on the whole, where a chunk is looked for here
/// and there.
const PER_CHUNK: u64 = 16 << 10;
/// Bytes of an index that may be read for any number of chunks.
const FOR_ALL: u64 = 64 << 20;

/// Finds chunks.
#[derive(Debug, Clone)]
pub(crate) struct Finder {
    pub grid: Grid,
    index: Option<(u64, Kind)>,
    budget: Budget,
}

#[derive(Debug, Clone)]
enum Kind {
    Tree1(tree1::Finder),
    Single(Option<(u64, u32)>),
    Implicit,
    Fixed(fixed::Finder),
    Extensible(extensible::Finder),
    Tree2(tree2::Finder),
}

impl Finder {
    pub fn new(storage: &Storage, grid: Grid, layout: &ChunkedLayout) -> Self {
        let entry = Entry {
            size_bytes: grid.has_filters.then(|| grid.size_bytes(layout)),
            plain: grid.bytes,
        };
        let kind = match layout.index {
            Index::Tree1 => Kind::Tree1(tree1::Finder::new(grid.sides.len())),
            Index::Single { packed } => Kind::Single(packed),
            Index::Implicit => Kind::Implicit,
            Index::Fixed => Kind::Fixed(fixed::Finder::new(entry)),
            Index::Extensible => Kind::Extensible(extensible::Finder::new(entry)),
            Index::Tree2 => Kind::Tree2(tree2::Finder::new(entry)),
        };
        let mut budget = Budget::new(storage);
        budget.earn(FOR_ALL);
        Self { grid, index: layout.address.map(|address| (address, kind)), budget }
    }

    /// The address of the index; `None` if nothing was written yet.
    pub fn at(&self) -> Option<u64> {
        self.index.as_ref().map(|(address, _)| *address)
    }

    /// The chunk at a place in the grid; `None` if it was never written.
    pub fn find(&mut self, storage: &Storage, place: &[u64]) -> Result<Option<Stored>> {
        let grid = &self.grid;
        if place.len() != grid.sides.len() {
            return Err(Error::caller("a place in the grid has a number for each dimension"));
        }
        let Some((address, kind)) = &mut self.index else { return Ok(None) };
        let (address, budget) = (*address, &mut self.budget);
        budget.earn(PER_CHUNK);
        let number = |swizzled| {
            let overflow = || Error::malformed("there are more chunks than can be counted");
            grid.number(place, swizzled).ok_or_else(overflow)
        };
        match kind {
            Kind::Tree1(finder) => finder.find(storage, address, grid, place, budget),
            Kind::Single(packed) => {
                let (bytes, mask) = packed.unwrap_or((grid.bytes, 0));
                let is_it = place.iter().all(|&at| at == 0);
                Ok(is_it.then_some(Stored { address, bytes, mask }))
            }
            Kind::Implicit => {
                let address = number(false)?
                    .checked_mul(grid.bytes)
                    .and_then(|before| before.checked_add(address));
                let missing = || Error::malformed("a chunk has an impossible address");
                Ok(Some(Stored {
                    address: address.ok_or_else(missing)?,
                    bytes: grid.bytes,
                    mask: 0,
                }))
            }
            Kind::Fixed(finder) => finder.find(storage, address, number(false)?, budget),
            Kind::Extensible(finder) => finder.find(storage, address, number(true)?, budget),
            Kind::Tree2(finder) => finder.find(storage, address, place, budget),
        }
    }

    /// Calls `take` with all chunks that were written, in the order of the index.
    pub fn each(&self, storage: &Storage, take: &mut dyn FnMut(Stored)) -> Result<()> {
        let Some((address, kind)) = &self.index else { return Ok(()) };
        match kind {
            Kind::Tree1(finder) => finder.each(storage, *address, take),
            Kind::Single(packed) => {
                let (bytes, mask) = packed.unwrap_or((self.grid.bytes, 0));
                take(Stored { address: *address, bytes, mask });
                Ok(())
            }
            Kind::Implicit => {
                let values = self.grid.shape.iter().zip(&self.grid.sides);
                let chunks = values.fold(1u64, |n, (&length, &side)| {
                    n.saturating_mul(length.div_ceil(side.max(1)))
                });
                let bytes = chunks.saturating_mul(self.grid.bytes);
                take(Stored { address: *address, bytes, mask: 0 });
                Ok(())
            }
            Kind::Fixed(finder) => finder.each(storage, *address, take),
            Kind::Extensible(finder) => finder.each(storage, *address, take),
            Kind::Tree2(finder) => finder.each(storage, *address, take),
        }
    }
}

/// What an array or a B-tree of version 2 keeps of a chunk.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Bytes of the size of a packed chunk; `None` without filters.
    size_bytes: Option<usize>,
    /// Size of a chunk without filters.
    plain: u64,
}

impl Entry {
    /// Number of bytes of an entry.
    fn bytes(self, storage: &Storage) -> usize {
        storage.sizes.offset + self.size_bytes.map_or(0, |bytes| bytes + 4)
    }

    fn parse(self, cursor: &mut Cursor<'_>) -> Result<Option<Stored>> {
        let address = cursor.address()?;
        let (bytes, mask) = match self.size_bytes {
            Some(bytes) => (cursor.uint(bytes.min(8))?, cursor.u32()?),
            None => (self.plain, 0),
        };
        Ok(address.map(|address| Stored { address, bytes, mask }))
    }

    /// Checks the size of entries that an index states.
    fn check(self, storage: &Storage, stated: usize, at: u64) -> Result<()> {
        let expected = self.bytes(storage);
        if stated == expected {
            return Ok(());
        }
        let what =
            format!("an index of chunks has entries of {stated} bytes instead of {expected}");
        Err(Error::malformed(what).at(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_not_mostly_outside_of_the_dataset() {
        let grid = |shape: &[u64], sides: &[u64]| {
            Grid::new(shape, &vec![None; shape.len()], sides, 1, true)
        };
        assert!(grid(&[3], &[1 << 26]).is_ok());
        assert!(grid(&[16, 1], &[1, 1 << 26]).is_ok());
        assert!(grid(&[1000, 1], &[1, 256]).is_ok());
        let error = grid(&[1000, 1], &[1, 257]).unwrap_err();
        assert!(error.to_string().contains("257 times as large"), "{error}");
    }

    #[test]
    fn chunks_are_counted_with_the_endless_dimension_first() {
        let grid = Grid::new(&[8, 6], &[Some(8), None], &[4, 2], 1, false).unwrap();
        // Not swizzled, the second dimension has as many chunks as there can be.
        assert_eq!(grid.number(&[1, 2], true), Some(2 * 2 + 1));
        assert_eq!(grid.number(&[0, 2], false), Some(2));
        let grid = Grid::new(&[8, 6], &[None, Some(7)], &[4, 2], 1, false).unwrap();
        assert_eq!(grid.number(&[3, 1], true), Some(3 * 4 + 1));
        assert!(grid.is_partial(&[2, 0]) && !grid.is_partial(&[1, 2]));
    }
}
