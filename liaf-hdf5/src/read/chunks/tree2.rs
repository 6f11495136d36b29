//! Chunks in a B-tree of version 2: datasets that can grow in two dimensions or more.
//!
//! A record is the entry of a chunk, and its place in the grid. Specification: HDF5 File Format 3.0,
//! section III.A.2, types 10 and 11.

use std::cmp::Ordering;

use super::{Entry, Stored};
use crate::error::{Error, Result};
use crate::read::bytes::Cursor;
use crate::read::storage::Storage;
use crate::read::tree::v2::{Node, Tree};

#[derive(Debug, Clone)]
pub(super) struct Finder {
    entry: Entry,
    tree: Option<Tree>,
    /// The leaf that was looked at last.
    leaf: Option<Node>,
}

impl Finder {
    pub fn new(entry: Entry) -> Self {
        Self { entry, tree: None, leaf: None }
    }

    pub fn find(
        &mut self,
        storage: &Storage,
        address: u64,
        place: &[u64],
    ) -> Result<Option<Stored>> {
        let tree = match self.tree.take() {
            Some(tree) => tree,
            None => Tree::read(storage, address)?,
        };
        let found = self.find_in(storage, &tree, place);
        self.tree = Some(tree);
        found
    }

    fn find_in(&mut self, storage: &Storage, tree: &Tree, place: &[u64]) -> Result<Option<Stored>> {
        if let Some(leaf) = &self.leaf
            && let Ok(i) = self.search(storage, tree, leaf, place)?
        {
            return self.entry.parse(&mut tree.record(leaf, i, storage)?);
        }
        let Some((mut pointer, mut height)) = tree.root() else { return Ok(None) };
        loop {
            let node = tree.node(storage, pointer, height)?;
            let found = self.search(storage, tree, &node, place)?;
            match found {
                Ok(i) => return self.entry.parse(&mut tree.record(&node, i, storage)?),
                Err(i) if height > 0 => {
                    pointer = tree.child(&node, i, storage)?;
                    height -= 1;
                }
                Err(_) => {
                    self.leaf = Some(node);
                    return Ok(None);
                }
            }
            if height == 0 {
                self.leaf = Some(tree.node(storage, pointer, 0)?);
            }
        }
    }

    /// The record of a place, or the record before which it would be.
    fn search(
        &self,
        storage: &Storage,
        tree: &Tree,
        node: &Node,
        place: &[u64],
    ) -> Result<std::result::Result<usize, usize>> {
        let (mut low, mut high) = (0, node.records());
        while low < high {
            let middle = low.midpoint(high);
            match self.compare(&mut tree.record(node, middle, storage)?, place)? {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Ok(Ok(middle)),
            }
        }
        Ok(Err(low))
    }

    fn compare(&self, record: &mut Cursor<'_>, place: &[u64]) -> Result<Ordering> {
        self.entry.parse(record)?;
        if record.left() < 8 * place.len() {
            let what = "a record of a chunk is too short";
            return Err(Error::malformed(what).at(record.offset()));
        }
        for wanted in place {
            let order = record.u64()?.cmp(wanted);
            if order != Ordering::Equal {
                return Ok(order);
            }
        }
        Ok(Ordering::Equal)
    }

    pub fn each(&self, storage: &Storage, root: u64, take: &mut dyn FnMut(Stored)) -> Result<()> {
        Tree::read(storage, root)?.each(storage, &mut |mut record| {
            if let Some(stored) = self.entry.parse(&mut record)? {
                take(stored);
            }
            Ok(())
        })
    }
}
