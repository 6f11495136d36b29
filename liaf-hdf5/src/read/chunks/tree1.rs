//! Chunks in a B-tree of version 1: datasets of HDF5 1.8 and older, and most files still.
//!
//! A key is the size of a packed chunk, the filters that were left out, and the index of its first
//! value along each dimension, and 0 for the bytes of a value. Specification: HDF5 File Format 3.0,
//! section III.A.1.

use super::{Budget, Grid, Stored};
use crate::error::{Error, Result};
use crate::read::bytes::Cursor;
use crate::read::storage::Storage;
use crate::read::tree::v1::{DEPTH, Kind, Node};

#[derive(Debug, Clone)]
pub(super) struct Finder {
    rank: usize,
    /// The leaf that was looked at last.
    leaf: Option<Node>,
}

impl Finder {
    pub fn new(rank: usize) -> Self {
        Self { rank, leaf: None }
    }

    fn key_bytes(&self) -> usize {
        8 + 8 * (self.rank + 1)
    }

    fn node(&self, storage: &Storage, address: u64) -> Result<Node> {
        Node::read(storage, address, Kind::Chunks, self.key_bytes())
    }

    pub fn find(
        &mut self,
        storage: &Storage,
        root: u64,
        grid: &Grid,
        place: &[u64],
    ) -> Result<Option<Stored>> {
        let wanted: Option<Vec<u64>> =
            place.iter().zip(&grid.sides).map(|(&at, &side)| at.checked_mul(side)).collect();
        let wanted = wanted.ok_or_else(|| Error::malformed("a chunk lies beyond all numbers"))?;
        if let Some(leaf) = &self.leaf
            && let Some(found) = self.in_leaf(storage, leaf, &wanted)?
        {
            return Ok(Some(found));
        }
        let mut node = self.node(storage, root)?;
        for _ in 0..=DEPTH {
            if node.level == 0 {
                let found = self.in_leaf(storage, &node, &wanted)?;
                self.leaf = Some(node);
                return Ok(found);
            }
            let Some(i) = self.before(storage, &node, &wanted)? else { return Ok(None) };
            let child = self.node(storage, node.child(i, storage)?)?;
            if child.level + 1 != node.level {
                return Err(Error::malformed("a node of a B-tree has the wrong level"));
            }
            node = child;
        }
        Err(Error::malformed("a B-tree has too many levels"))
    }

    /// The last child whose key is not after `wanted`.
    fn before(&self, storage: &Storage, node: &Node, wanted: &[u64]) -> Result<Option<usize>> {
        let (mut low, mut high) = (0, node.count);
        while low < high {
            let middle = low.midpoint(high);
            if self.offsets(&mut node.key(middle, storage)?)?.as_slice() <= wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low.checked_sub(1))
    }

    fn offsets(&self, key: &mut Cursor<'_>) -> Result<Vec<u64>> {
        key.skip(8)?;
        (0..self.rank).map(|_| key.u64()).collect()
    }

    fn in_leaf(&self, storage: &Storage, leaf: &Node, wanted: &[u64]) -> Result<Option<Stored>> {
        let Some(i) = self.before(storage, leaf, wanted)? else { return Ok(None) };
        if self.offsets(&mut leaf.key(i, storage)?)? != wanted {
            return Ok(None);
        }
        self.stored(storage, leaf, i).map(Some)
    }

    fn stored(&self, storage: &Storage, leaf: &Node, i: usize) -> Result<Stored> {
        let mut key = leaf.key(i, storage)?;
        let (bytes, mask) = (key.u32()?, key.u32()?);
        Ok(Stored { address: leaf.child(i, storage)?, bytes: bytes.into(), mask })
    }

    pub fn each(&self, storage: &Storage, root: u64, take: &mut dyn FnMut(Stored)) -> Result<()> {
        let mut budget = Budget::new(storage);
        let mut waiting = vec![(root, None)];
        while let Some((address, level)) = waiting.pop() {
            let node = self.node(storage, address)?;
            if level.is_some_and(|level| level != node.level) {
                return Err(Error::malformed("a node of a B-tree has the wrong level"));
            }
            budget.spend(((node.count + 1) * self.key_bytes()) as u64)?;
            for i in 0..node.count {
                match node.level.checked_sub(1) {
                    None => take(self.stored(storage, &node, i)?),
                    Some(level) => waiting.push((node.child(i, storage)?, Some(level))),
                }
            }
        }
        Ok(())
    }
}
