//! B-trees of version 1. Specification: HDF5 File Format 3.0, section III.A.1.
//!
//! A node has keys and children in turn, one key more than children: child `i` is between keys `i`
//! and `i + 1`.

use crate::error::{Error, Result};
use crate::read::bytes::{Block, Cursor};
use crate::read::storage::Storage;

/// How many levels a tree may have. Nodes have at least two children, but for the root.
pub(crate) const DEPTH: u8 = 40;

/// Bytes of a node before its keys, at least.
const HEAD: u64 = 12;

/// A node of a tree.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// 0 for a leaf.
    pub level: u8,
    /// Number of children.
    pub count: usize,
    key_bytes: usize,
    block: Block,
}

/// What a tree leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Group = 0,
    Chunks = 1,
}

impl Node {
    pub fn read(storage: &Storage, address: u64, kind: Kind, key_bytes: usize) -> Result<Self> {
        let what = "a B-tree";
        let sizes = storage.sizes;
        let head = 8 + 2 * sizes.offset;
        let start = storage.block(address, head as u64, what)?;
        let mut cursor = start.cursor(sizes);
        cursor.signature(b"TREE", what)?;
        let at = cursor.offset();
        let (found, level) = (cursor.u8()?, cursor.u8()?);
        if found != kind as u8 || level > DEPTH {
            let what = format!("a node of type {found} and level {level} in a B-tree");
            return Err(Error::malformed(what).at(at));
        }
        let count = usize::from(cursor.u16()?);
        let size = (count + 1) * key_bytes + count * sizes.offset;
        let block = storage.block(address.saturating_add(head as u64), size as u64, what)?;
        Ok(Self { level, count, key_bytes, block })
    }

    /// Number of bytes.
    pub fn bytes(&self) -> u64 {
        HEAD + self.block.bytes.len() as u64
    }

    /// Key `i`, of which there is one more than of children.
    pub fn key(&self, i: usize, storage: &Storage) -> Result<Cursor<'_>> {
        let mut cursor = self.block.cursor(storage.sizes);
        cursor.skip(i.saturating_mul(self.key_bytes + storage.sizes.offset))?;
        cursor.part(self.key_bytes)
    }

    /// Address of child `i`.
    pub fn child(&self, i: usize, storage: &Storage) -> Result<u64> {
        let mut cursor = self.block.cursor(storage.sizes);
        let step = self.key_bytes + storage.sizes.offset;
        cursor.skip(i.saturating_mul(step).saturating_add(self.key_bytes))?;
        cursor.defined("a part of a B-tree")
    }
}
