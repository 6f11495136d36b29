//! Chunks in a B-tree of version 2: datasets that can grow in two dimensions or more.
//!
//! A record is the entry of a chunk, and its place in the grid. Specification: HDF5 File Format 3.0,
//! section III.A.2, types 10 and 11. A chunk that is not found counts as never written only if the records
//! of the nodes that were searched are in order.

use std::cmp::Ordering;

use super::{Entry, Stored};
use crate::error::{Error, Result};
use crate::read::budget::Budget;
use crate::read::bytes::Cursor;
use crate::read::storage::Storage;
use crate::read::tree::v2::{Node, Pointer, Tree};

#[derive(Debug, Clone)]
pub(super) struct Finder {
    entry: Entry,
    tree: Option<Tree>,
    /// The nodes from the root to the leaf that was looked at last.
    path: Vec<Step>,
}

#[derive(Debug, Clone)]
struct Step {
    pointer: Pointer,
    node: Node,
    /// Whether the records of the node are known to be in order.
    is_ordered: bool,
}

impl Finder {
    pub fn new(entry: Entry) -> Self {
        Self { entry, tree: None, path: Vec::new() }
    }

    pub fn find(
        &mut self,
        storage: &Storage,
        address: u64,
        place: &[u64],
        budget: &mut Budget,
    ) -> Result<Option<Stored>> {
        let tree = match self.tree.take() {
            Some(tree) => tree,
            None => Tree::read(storage, address)?,
        };
        let found = self.find_in(storage, &tree, place, budget);
        self.tree = Some(tree);
        found
    }

    fn find_in(
        &mut self,
        storage: &Storage,
        tree: &Tree,
        place: &[u64],
        budget: &mut Budget,
    ) -> Result<Option<Stored>> {
        // From the root each time, so that what is found in a damaged tree does not depend on what
        // was looked for before.
        let Some((mut pointer, height)) = tree.root() else { return Ok(None) };
        for depth in 0..=height {
            if self.path.get(depth).is_none_or(|step| step.pointer != pointer) {
                self.path.truncate(depth);
                let node = tree.node(storage, pointer, height - depth)?;
                budget.again(node.bytes() as u64)?;
                self.path.push(Step { pointer, node, is_ordered: false });
            }
            let Some(Step { node, .. }) = self.path.get(depth) else { break };
            match self.search(storage, tree, node, place)? {
                Ok(i) => return self.entry.parse(&mut tree.record(node, i, storage)?),
                Err(i) if depth < height => pointer = tree.child(node, i, storage)?,
                Err(_) => {}
            }
        }
        for step in self.path.iter_mut().filter(|step| !step.is_ordered) {
            self.entry.check_order(storage, tree, &step.node, place.len())?;
            step.is_ordered = true;
        }
        Ok(None)
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
        let mut budget = Budget::new(storage);
        Tree::read(storage, root)?.each(storage, &mut budget, &mut |mut record, _| {
            if let Some(stored) = self.entry.parse(&mut record)? {
                take(stored);
            }
            Ok(())
        })
    }
}

impl Entry {
    /// Checks that the records of a node ascend.
    ///
    /// # Errors
    /// If not: it cannot be told then whether a chunk was never written.
    fn check_order(self, storage: &Storage, tree: &Tree, node: &Node, rank: usize) -> Result<()> {
        let mut before: Option<Vec<u64>> = None;
        for i in 0..node.records() {
            let mut record = tree.record(node, i, storage)?;
            let at = record.offset();
            self.parse(&mut record)?;
            let place = (0..rank).map(|_| record.u64()).collect::<Result<Vec<_>>>()?;
            if before.is_some_and(|before| before >= place) {
                let what = "the records of a B-tree of chunks are not in order";
                return Err(Error::malformed(what).at(at));
            }
            before = Some(place);
        }
        Ok(())
    }
}
