//! Chunks of a dataset: where each lies, and the B-tree that finds them (specification III.A.1).
//!
//! A key of the tree is
//!
//! | bytes | what |
//! |---|---|
//! | 4 | number of bytes of the chunk in the file |
//! | 4 | a bit for each filter that was not applied |
//! | 8 each | the index of the first element of the chunk, and 0 for the bytes of an element |
//!
//! The order of the keys is that of these indices, the first axis first. The key after the last
//! chunk is where it ends, in all axes, which is how libhdf5 writes it.

use std::collections::BTreeMap;

use super::btree::Entries;
use crate::error::{Error, Result};

/// How a dataset is cut into chunks.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    /// Shape of a chunk.
    chunk: Vec<u32>,
    /// Number of bytes of an element.
    element: u32,
    /// Number of chunks along each axis but the first.
    across: Vec<u64>,
}

impl Grid {
    /// The chunks of a dataset of this shape, which has as many axes as a chunk.
    pub fn new(shape: &[u64], chunk: &[u32], element: u32) -> Self {
        let across = shape.iter().zip(chunk).skip(1).map(|(&n, &c)| n.div_ceil(c.into()));
        Self { chunk: chunk.into(), element, across: across.collect() }
    }

    pub fn chunk(&self) -> &[u32] {
        &self.chunk
    }

    /// The number of the chunk, in the order of the tree, whose first element is `offset`.
    ///
    /// # Errors
    /// `Caller` if no chunk of a dataset of `shape` begins there.
    pub fn number(&self, offset: &[u64], shape: &[u64]) -> Result<u64> {
        if offset.len() != shape.len() {
            return Err(Error::caller(format!(
                "an offset of {} numbers in a dataset of {} dimensions",
                offset.len(),
                shape.len()
            )));
        }
        for ((&first, &length), &chunk) in offset.iter().zip(shape).zip(&self.chunk) {
            if first >= length {
                return Err(Error::caller(format!(
                    "a chunk at {offset:?} is outside of the shape {shape:?}"
                )));
            }
            if first % u64::from(chunk) != 0 {
                return Err(Error::caller(format!(
                    "no chunk of shape {:?} begins at {offset:?}",
                    self.chunk
                )));
            }
        }
        let mut axes =
            offset.iter().zip(&self.chunk).map(|(&first, &chunk)| first / u64::from(chunk));
        let first = axes.next().unwrap_or(0);
        axes.zip(&self.across)
            .try_fold(first, |number, (axis, &across)| {
                number.checked_mul(across)?.checked_add(axis)
            })
            .ok_or_else(|| Error::caller("more chunks than can be numbered"))
    }

    /// The first row of the chunk of this number.
    pub fn first_row(&self, number: u64) -> u64 {
        let rest = self.across.iter().fold(number, |rest, &across| rest / across);
        rest * u64::from(self.chunk[0])
    }

    /// Appends the index of the first element of this chunk, moved by whole chunks in all axes.
    fn offset(&self, number: u64, chunks: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + 8 * self.chunk.len(), 0);
        let (slots, mut rest) = (out[start..].as_chunks_mut::<8>().0, number);
        for (axis, (slot, &chunk)) in slots.iter_mut().zip(&self.chunk).enumerate().rev() {
            let place = match axis.checked_sub(1).and_then(|across| self.across.get(across)) {
                Some(&across) => {
                    let place = rest % across;
                    rest /= across;
                    place
                }
                None => rest,
            };
            // Lengths of axes are below 2^63, so that one chunk more is below 2^64.
            *slot = ((place + chunks) * u64::from(chunk)).to_le_bytes();
        }
        out.extend_from_slice(&(chunks * u64::from(self.element)).to_le_bytes());
    }
}

/// A chunk that has been written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chunk {
    number: u64,
    address: u64,
    bytes: u32,
    /// A bit for each filter that was not applied.
    skipped: u32,
}

/// All chunks of a dataset that have been written: 24 bytes for each that came in order.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    /// In order of their numbers.
    in_order: Vec<Chunk>,
    /// Those that came after one with a larger number.
    late: BTreeMap<u64, Chunk>,
}

impl Chunks {
    /// Whether the chunk of this number has been written.
    pub fn contains(&self, number: u64) -> bool {
        let in_order = &self.in_order;
        in_order.last().is_some_and(|last| number <= last.number)
            && (in_order.binary_search_by_key(&number, |chunk| chunk.number).is_ok()
                || self.late.contains_key(&number))
    }

    /// Notes a chunk, which is not there yet.
    pub fn insert(&mut self, number: u64, address: u64, bytes: u32, skipped: u32) {
        let chunk = Chunk { number, address, bytes, skipped };
        if self.in_order.last().is_none_or(|last| last.number < number) {
            self.in_order.push(chunk);
        } else {
            self.late.insert(number, chunk);
        }
    }

    /// The largest number of a chunk.
    pub fn last(&self) -> Option<u64> {
        self.in_order.last().map(|chunk| chunk.number)
    }

    /// All chunks as the entries of a tree.
    pub fn into_tree(self, grid: &Grid) -> ChunkTree<'_> {
        let mut chunks = self.in_order;
        if !self.late.is_empty() {
            chunks.extend(self.late.into_values());
            chunks.sort_unstable_by_key(|chunk| chunk.number);
        }
        ChunkTree { chunks, grid }
    }
}

/// The chunks of a dataset in order.
pub(super) struct ChunkTree<'a> {
    chunks: Vec<Chunk>,
    grid: &'a Grid,
}

impl Entries for ChunkTree<'_> {
    const KIND: u8 = 1;
    // Superblocks of version 0 do not state it, so readers take it to be this.
    const MOST_CHILDREN: usize = 64;

    fn count(&self) -> usize {
        self.chunks.len()
    }

    fn key_bytes(&self) -> usize {
        8 + 8 * (self.grid.chunk.len() + 1)
    }

    fn key(&self, entry: usize, out: &mut Vec<u8>) {
        let (chunk, end) = match (self.chunks.get(entry), self.chunks.last()) {
            (Some(chunk), _) => (*chunk, 0),
            (None, Some(last)) => (Chunk { bytes: 0, skipped: 0, ..*last }, 1),
            (None, None) => return,
        };
        out.extend_from_slice(&chunk.bytes.to_le_bytes());
        out.extend_from_slice(&chunk.skipped.to_le_bytes());
        self.grid.offset(chunk.number, end, out);
    }

    fn address(&self, entry: usize) -> u64 {
        self.chunks[entry].address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(bytes: &[u8]) -> Vec<u64> {
        bytes.as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes)).collect()
    }

    #[test]
    fn chunks_are_numbered_with_the_last_axis_first() {
        let shape = [10, 5, 7];
        let grid = Grid::new(&shape, &[4, 2, 7], 2);
        let mut expected = 0;
        for first in [0, 4, 8] {
            for row in [0, 2, 4] {
                let offset = [first, row, 0];
                let number = grid.number(&offset, &shape).unwrap();
                assert_eq!((number, grid.first_row(number)), (expected, first));
                let mut key = Vec::new();
                grid.offset(number, 0, &mut key);
                assert_eq!(numbers(&key), [first, row, 0, 0]);
                expected += 1;
            }
        }
        for wrong in [&[0, 0][..], &[10, 0, 0], &[0, 1, 0], &[12, 0, 0], &[0, 6, 0], &[0, 0, 7]] {
            assert!(grid.number(wrong, &shape).is_err(), "{wrong:?}");
        }
        let shape = [1 << 62, 1 << 40];
        let grid = Grid::new(&shape, &[1, 1], 1);
        assert!(grid.number(&[1 << 61, 0], &shape).is_err());
    }

    #[test]
    fn keys_have_the_bytes_of_the_specification() {
        let grid = Grid::new(&[4, 4], &[2, 4], 2);
        let mut chunks = Chunks::default();
        chunks.insert(0, 100, 14, 0);
        chunks.insert(1, 200, 15, 3);
        let tree = chunks.into_tree(&grid);
        assert_eq!((tree.count(), tree.key_bytes(), tree.address(1)), (2, 32, 200));
        let mut key = Vec::new();
        tree.key(1, &mut key);
        assert_eq!(key[..8], [15, 0, 0, 0, 3, 0, 0, 0]);
        assert_eq!(numbers(&key[8..]), [2, 0, 0]);
        // As libhdf5 writes it for these chunks.
        key.clear();
        tree.key(2, &mut key);
        assert_eq!(numbers(&key), [0, 4, 4, 2]);
    }

    #[test]
    fn chunks_in_any_order_are_sorted_and_none_is_taken_twice() {
        let mut chunks = Chunks::default();
        for number in [3, 9, 1, 7, 10, 0, 8] {
            assert!(!chunks.contains(number));
            chunks.insert(number, 100 + number, 1, 0);
            assert!(chunks.contains(number));
        }
        assert!(!chunks.contains(2) && !chunks.contains(11));
        assert_eq!((chunks.last(), chunks.late.len()), (Some(10), 4));
        let grid = Grid::new(&[20], &[1], 1);
        let tree = chunks.into_tree(&grid);
        let addresses = Vec::from_iter((0..tree.count()).map(|entry| tree.address(entry)));
        assert_eq!(addresses, [100, 101, 103, 107, 108, 109, 110]);
        assert_eq!(size_of::<Chunk>(), 24);
    }
}
