//! Chunks in a B-tree of version 1: datasets of HDF5 1.8 and older, and most files still.
//!
//! A key is the size of a packed chunk, the filters that were left out, and the index of its first
//! value along each dimension, and 0 for the bytes of a value. Specification: HDF5 File Format 3.0,
//! section III.A.1.
//!
//! A chunk is looked for between two keys, as libhdf5 does, so that both find the same chunks of a damaged
//! tree. What is not found there counts as never written only if the keys of the node are as they should be.

use std::cmp::Ordering;

use super::{Grid, Stored};
use crate::error::{Error, Result};
use crate::limits;
use crate::read::budget::Budget;
use crate::read::bytes::Cursor;
use crate::read::storage::Storage;
use crate::read::tree::v1::{DEPTH, Kind, Node};

#[derive(Debug, Clone)]
pub(super) struct Finder {
    rank: usize,
    path: Path,
}

/// The nodes from the root to the one that was looked at last. Neighbours in a dataset share most of it.
#[derive(Debug, Clone, Default)]
struct Path(Vec<Step>);

#[derive(Debug, Clone)]
struct Step {
    address: u64,
    node: Node,
    /// Whether the keys of the node are known to be in order.
    is_ordered: bool,
}

impl Path {
    fn last(&self) -> Option<&Node> {
        self.0.last().map(|step| &step.node)
    }

    /// Appends a node, unless that is too much at a time.
    fn push(&mut self, storage: &Storage, address: u64, node: Node) -> Result<()> {
        let held: u64 = self.0.iter().map(|step| step.node.bytes()).sum();
        limits::check("a B-tree", held + node.bytes(), storage.limits.metadata_bytes)
            .map_err(|error| error.at(storage.place(address)))?;
        self.0.push(Step { address, node, is_ordered: false });
        Ok(())
    }
}

impl Finder {
    pub fn new(rank: usize) -> Self {
        Self { rank, path: Path::default() }
    }

    fn key_bytes(&self) -> usize {
        8 + 8 * (self.rank + 1)
    }

    /// Reads a node below `above`.
    fn node(&self, storage: &Storage, address: u64, above: Option<u8>) -> Result<Node> {
        let node = Node::read(storage, address, Kind::Chunks, self.key_bytes())?;
        if above.is_some_and(|above| node.level.checked_add(1) != Some(above)) {
            let what = "a node of a B-tree has the wrong level";
            return Err(Error::malformed(what).at(storage.place(address)));
        }
        Ok(node)
    }

    pub fn find(
        &mut self,
        storage: &Storage,
        root: u64,
        grid: &Grid,
        place: &[u64],
        budget: &mut Budget,
    ) -> Result<Option<Stored>> {
        let wanted: Option<Vec<u64>> =
            place.iter().zip(&grid.sides).map(|(&at, &side)| at.checked_mul(side)).collect();
        let wanted = wanted.ok_or_else(|| Error::malformed("a chunk lies beyond all numbers"))?;
        // What is found in a damaged tree must not depend on what was looked for before, so the way
        // goes from the root each time; its nodes are mostly there.
        let (mut address, mut above) = (root, None);
        for depth in 0..=usize::from(DEPTH) {
            if self.path.0.get(depth).is_none_or(|step| step.address != address) {
                self.path.0.truncate(depth);
                let node = self.node(storage, address, above)?;
                budget.again(node.bytes())?;
                self.path.push(storage, address, node)?;
            }
            let Some(Step { node, is_ordered, .. }) = self.path.0.get_mut(depth) else { break };
            let Some(i) = between(storage, node, &wanted)? else {
                if !*is_ordered {
                    check_order(storage, node, &grid.sides)?;
                    *is_ordered = true;
                }
                return Ok(None);
            };
            if node.level == 0 {
                return stored(storage, node, i).map(Some);
            }
            (address, above) = (node.child(i, storage)?, Some(node.level));
        }
        Err(Error::malformed("a B-tree has too many levels"))
    }

    pub fn each(&self, storage: &Storage, root: u64, take: &mut dyn FnMut(Stored)) -> Result<()> {
        let mut budget = Budget::new(storage);
        let mut path = Path::default();
        // The child of each node of the path that comes next.
        let mut next = Vec::new();
        let (mut address, mut above) = (root, None);
        loop {
            let node = self.node(storage, address, above)?;
            budget.once(node.bytes()).map_err(|error| error.at(storage.place(address)))?;
            if node.level == 0 {
                for i in 0..node.count {
                    take(stored(storage, &node, i)?);
                }
            } else {
                path.push(storage, address, node)?;
                next.push(0);
            }
            loop {
                let (Some(node), Some(i)) = (path.last(), next.last_mut()) else { return Ok(()) };
                if *i < node.count {
                    (address, above) = (node.child(*i, storage)?, Some(node.level));
                    *i += 1;
                    break;
                }
                path.0.pop();
                next.pop();
            }
        }
    }
}

/// What a leaf says of its chunk `i`.
fn stored(storage: &Storage, leaf: &Node, i: usize) -> Result<Stored> {
    let mut key = leaf.key(i, storage)?;
    let (bytes, mask) = (key.u32()?, key.u32()?);
    Ok(Stored { address: leaf.child(i, storage)?, bytes: bytes.into(), mask })
}

/// The child between whose keys the chunk is that begins at `wanted`; of a leaf, the chunk itself.
fn between(storage: &Storage, node: &Node, wanted: &[u64]) -> Result<Option<usize>> {
    let (mut low, mut high) = (0, node.count);
    while low < high {
        let middle = low.midpoint(high);
        if compare(&mut node.key(middle + 1, storage)?, wanted)? != Ordering::Greater {
            low = middle + 1;
            continue;
        }
        match compare(&mut node.key(middle, storage)?, wanted)? {
            Ordering::Greater => high = middle,
            Ordering::Less if node.level == 0 => return Ok(None),
            _ => return Ok(Some(middle)),
        }
    }
    Ok(None)
}

/// Compares the first value of the chunk of a key with the one that is wanted.
fn compare(key: &mut Cursor<'_>, wanted: &[u64]) -> Result<Ordering> {
    key.skip(8)?;
    // The last index counts bytes of a value.
    for wanted in wanted.iter().chain(&[0]) {
        let order = key.u64()?.cmp(wanted);
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    Ok(Ordering::Equal)
}

/// Checks that the keys of a node ascend, and that each is where a chunk can begin.
///
/// # Errors
/// If not: it cannot be told then whether a chunk was never written.
fn check_order(storage: &Storage, node: &Node, sides: &[u64]) -> Result<()> {
    let mut before: Option<Vec<u64>> = None;
    for i in 0..=node.count {
        let mut key = node.key(i, storage)?;
        let at = key.offset();
        key.skip(8)?;
        let index = (0..=sides.len()).map(|_| key.u64()).collect::<Result<Vec<_>>>()?;
        let is_start = index.iter().zip(sides).all(|(&at, &side)| at.is_multiple_of(side.max(1)));
        // Only the last key is after a chunk, and not that of one.
        let is_value = i == node.count || index.last() == Some(&0);
        if !is_start || !is_value || before.is_some_and(|before| before >= index) {
            let what = "the keys of a B-tree of chunks are not in order";
            return Err(Error::malformed(what).at(at));
        }
        before = Some(index);
    }
    Ok(())
}
