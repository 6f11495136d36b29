//! B-trees of version 2. Specification: HDF5 File Format 3.0, section III.A.2.
//!
//! Nodes have records, and inner nodes have children around each of them. How many bytes the numbers
//! in a pointer to a child have depends on how many records could be below it.

use crate::error::{Error, Result};
use crate::limits;
use crate::read::budget::Budget;
use crate::read::bytes::{Block, Cursor, bytes_for};
use crate::read::storage::Storage;

const WHAT: &str = "a B-tree";
/// How many levels a tree may have.
const DEPTH: usize = 40;
/// Bytes of a node that are neither records nor pointers.
const FRAME: u64 = 10;

/// A tree whose header has been read.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    record_bytes: usize,
    root: Option<Pointer>,
    depth: usize,
    node_bytes: u64,
    /// For nodes at each height: bytes for the number of all records below a child.
    total_bytes: Vec<usize>,
    /// Bytes for the number of records of a node.
    count_bytes: usize,
}

/// A node: where it is, and how many records it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pointer {
    address: u64,
    records: usize,
}

/// A node that has been read.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    block: Block,
    records: usize,
    height: usize,
}

impl Tree {
    pub fn read(storage: &Storage, address: u64) -> Result<Self> {
        let sizes = storage.sizes;
        let size = 22 + sizes.offset + sizes.length;
        let block = storage.block(address, size as u64, WHAT)?;
        let mut cursor = block.checked(sizes, WHAT)?;
        cursor.signature(b"BTHD", WHAT)?;
        cursor.version(&[0], WHAT)?;
        cursor.skip(1)?;
        let node_bytes = u64::from(cursor.u32()?);
        let record_bytes = usize::from(cursor.u16()?);
        let depth = usize::from(cursor.u16()?);
        cursor.skip(2)?;
        let root = cursor.address()?;
        let records = usize::from(cursor.u16()?);
        if record_bytes == 0 || depth > DEPTH || node_bytes < FRAME + record_bytes as u64 {
            let what = format!(
                "a B-tree of {depth} levels, with nodes of {node_bytes} bytes and records of \
                 {record_bytes}"
            );
            return Err(Error::malformed(what).at(block.at));
        }
        // A node of each level is held at the same time.
        let held = node_bytes.saturating_mul(depth as u64 + 1);
        limits::check(WHAT, held, storage.limits.metadata_bytes).map_err(|e| e.at(block.at))?;
        let record = record_bytes as u64;
        let most_in_leaf = (node_bytes - FRAME) / record;
        let count_bytes = bytes_for(most_in_leaf);
        // Records below a node of each height, itself included.
        let (mut below, mut total_bytes) = (most_in_leaf, vec![0]);
        for height in 1..=depth {
            let pointer = (sizes.offset + count_bytes + total_bytes[height - 1]) as u64;
            let most = node_bytes.saturating_sub(FRAME + pointer) / (record + pointer);
            below = below.saturating_mul(most.saturating_add(1)).saturating_add(most);
            total_bytes.push(bytes_for(below));
        }
        let root = root.map(|address| Pointer { address, records });
        Ok(Self { record_bytes, root, depth, node_bytes, total_bytes, count_bytes })
    }

    /// The root and its height; `None` if there is no record.
    pub fn root(&self) -> Option<(Pointer, usize)> {
        self.root.filter(|root| root.records > 0 || self.depth > 0).map(|root| (root, self.depth))
    }

    /// Number of bytes of a node, of height 0 if it is a leaf.
    ///
    /// # Errors
    /// If there is no room for so many records.
    pub fn bytes_of(&self, storage: &Storage, pointer: Pointer, height: usize) -> Result<u64> {
        let records = pointer.records;
        let pointers =
            if height == 0 { 0 } else { (records + 1) * self.pointer_bytes(height, storage) };
        let size = FRAME + (records * self.record_bytes + pointers) as u64;
        if size > self.node_bytes {
            let what = format!("{records} records in a node of {} bytes", self.node_bytes);
            return Err(Error::malformed(what).at(storage.place(pointer.address)));
        }
        Ok(size)
    }

    /// Reads a node, of height 0 if it is a leaf.
    pub fn node(&self, storage: &Storage, pointer: Pointer, height: usize) -> Result<Node> {
        let (records, size) = (pointer.records, self.bytes_of(storage, pointer, height)?);
        let block = storage.block(pointer.address, size, WHAT)?;
        let mut cursor = block.checked(storage.sizes, WHAT)?;
        cursor.signature(if height == 0 { b"BTLF" } else { b"BTIN" }, WHAT)?;
        cursor.version(&[0], WHAT)?;
        Ok(Node { block, records, height })
    }

    fn pointer_bytes(&self, height: usize, storage: &Storage) -> usize {
        let total = self.total_bytes.get(height - 1).copied().unwrap_or(0);
        storage.sizes.offset + self.count_bytes + total
    }

    /// Record `i` of a node.
    pub fn record<'a>(&self, node: &'a Node, i: usize, storage: &Storage) -> Result<Cursor<'a>> {
        let mut cursor = node.block.cursor(storage.sizes);
        cursor.skip(6 + i * self.record_bytes)?;
        cursor.part(self.record_bytes)
    }

    /// The child of a node before record `i`, or after the last one.
    pub fn child(&self, node: &Node, i: usize, storage: &Storage) -> Result<Pointer> {
        let mut cursor = node.block.cursor(storage.sizes);
        let pointer = self.pointer_bytes(node.height, storage);
        cursor.skip(6 + node.records * self.record_bytes + i * pointer)?;
        let address = cursor.defined("a part of a B-tree")?;
        let records = cursor.uint(self.count_bytes)? as usize;
        Ok(Pointer { address, records })
    }

    /// Calls `take` with every record, in order, and with what may still be read.
    pub fn each(
        &self,
        storage: &Storage,
        budget: &mut Budget,
        take: &mut dyn FnMut(Cursor<'_>, &mut Budget) -> Result<()>,
    ) -> Result<()> {
        match self.root() {
            Some((root, height)) => self.below(storage, root, height, budget, take),
            None => Ok(()),
        }
    }

    fn below(
        &self,
        storage: &Storage,
        pointer: Pointer,
        height: usize,
        budget: &mut Budget,
        take: &mut dyn FnMut(Cursor<'_>, &mut Budget) -> Result<()>,
    ) -> Result<()> {
        let bytes = self.bytes_of(storage, pointer, height)?;
        budget.once(bytes).map_err(|error| error.at(storage.place(pointer.address)))?;
        let node = self.node(storage, pointer, height)?;
        for i in 0..=node.records {
            if height > 0 {
                self.below(storage, self.child(&node, i, storage)?, height - 1, budget, take)?;
            }
            if i < node.records {
                take(self.record(&node, i, storage)?, budget)?;
            }
        }
        Ok(())
    }
}

impl Node {
    /// Number of bytes.
    pub fn bytes(&self) -> usize {
        self.block.bytes.len()
    }

    /// Number of records.
    pub fn records(&self) -> usize {
        self.records
    }
}
