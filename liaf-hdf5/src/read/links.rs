//! The members of a group, however the file keeps them: in a symbol table with a B-tree (until HDF5
//! 1.8), as messages in the object header, or in a fractal heap.

use super::budget::Budget;
use super::header::{self, Header};
use super::heap::fractal::FractalHeap;
use super::heap::local::LocalHeap;
use super::message::link::{self, Link, Target};
use super::storage::Storage;
use super::tree::{v1, v2};
use crate::error::{Error, Result};

/// The links of a group, in the order of the file. What is read for them is counted in `budget`.
pub(crate) fn all(storage: &Storage, header: &Header, budget: &mut Budget) -> Result<Vec<Link>> {
    // A name that is not UTF-8 becomes longer, but not twice as long. For each name that is allowed,
    // 64 bytes are, but not more than the file has.
    let most = (storage.limits.members as u64).saturating_mul(64);
    let names = storage.size.saturating_mul(2).min(most);
    let mut links = Links { storage, found: Vec::new(), names };
    if let Some(message) = header.first(header::SYMBOL_TABLE) {
        let mut cursor = message.cursor(storage);
        let tree = cursor.defined("the names of a group")?;
        let heap = cursor.defined("the heap of a group")?;
        let heap = LocalHeap::read(storage, heap)?;
        links.symbols(&heap, tree, None, budget)?;
    }
    for message in header.all(header::LINK) {
        let link = link::parse(&mut message.cursor(storage))?;
        links.add(link)?;
    }
    if let Some(message) = header.first(header::LINK_INFO) {
        let mut cursor = message.cursor(storage);
        cursor.version(&[0], "what is known of links")?;
        if cursor.u8()? & 1 != 0 {
            cursor.skip(8)?;
        }
        if let (Some(heap), Some(names)) = (cursor.address()?, cursor.address()?) {
            links.dense(heap, names, budget)?;
        }
    }
    Ok(links.found)
}

/// Whether the object is a group.
pub(crate) fn is_group(header: &Header) -> bool {
    [header::SYMBOL_TABLE, header::LINK_INFO, header::LINK]
        .into_iter()
        .any(|kind| header.first(kind).is_some())
}

/// Most bytes of a path to which a link leads, as in newer groups.
const LONGEST: usize = 0xffff;

struct Links<'a> {
    storage: &'a Storage,
    found: Vec<Link>,
    /// Bytes that names and paths may still have.
    names: u64,
}

impl Links<'_> {
    fn add(&mut self, link: Link) -> Result<()> {
        if self.found.len() >= self.storage.limits.members {
            let most = self.storage.limits.members;
            return Err(Error::limit(format!("a group has more than {most} members")));
        }
        let path = match &link.target {
            Target::Path(path) => path.len(),
            Target::OtherFile { file, path } => file.len() + path.len(),
            Target::Object(_) | Target::Unknown(_) => 0,
        };
        let left = self.names.checked_sub((link.name.len() + path) as u64);
        self.names =
            left.ok_or_else(|| Error::limit("the names in a group are longer than is allowed"))?;
        self.found.push(link);
        Ok(())
    }

    /// The names below a node of a B-tree of version 1, whose level has to be `level`.
    fn symbols(
        &mut self,
        heap: &LocalHeap,
        address: u64,
        level: Option<u8>,
        budget: &mut Budget,
    ) -> Result<()> {
        let at = self.storage.offset(address);
        let key = self.storage.sizes.length;
        let node = v1::Node::read(self.storage, address, v1::Kind::Group, key)?;
        budget.once(node.bytes()).map_err(|error| error.at(at))?;
        if level.is_some_and(|level| level != node.level) {
            return Err(Error::malformed("a node of a B-tree has the wrong level").at(at));
        }
        for i in 0..node.count {
            let child = node.child(i, self.storage)?;
            match node.level.checked_sub(1) {
                Some(level) => self.symbols(heap, child, Some(level), budget)?,
                None => self.symbol_node(heap, child, budget)?,
            }
        }
        Ok(())
    }

    /// A node of a symbol table, with names in order.
    fn symbol_node(&mut self, heap: &LocalHeap, address: u64, budget: &mut Budget) -> Result<()> {
        const WHAT: &str = "a symbol table";
        let sizes = self.storage.sizes;
        let start = self.storage.block(address, 8, WHAT)?;
        let mut cursor = start.cursor(sizes);
        cursor.signature(b"SNOD", WHAT)?;
        cursor.version(&[1], WHAT)?;
        cursor.skip(1)?;
        let count = u64::from(cursor.u16()?);
        let entry = 2 * sizes.offset as u64 + 24;
        budget.once(8 + count * entry).map_err(|error| error.at(start.at))?;
        let block = self.storage.block(address.saturating_add(8), count * entry, WHAT)?;
        let mut cursor = block.cursor(sizes);
        for _ in 0..count {
            let name = cursor.uint(sizes.offset)?;
            let object = cursor.address()?;
            let cached = cursor.u32()?;
            cursor.skip(4)?;
            let mut scratch = cursor.part(16)?;
            let target = match (cached, object) {
                (2, _) => {
                    let path = heap.text(scratch.u32()?.into())?;
                    if path.len() > LONGEST {
                        let what = format!("a link to a path of {} bytes", path.len());
                        return Err(Error::malformed(what).at(block.at));
                    }
                    Target::Path(path)
                }
                (_, Some(object)) => Target::Object(object),
                (_, None) => Target::Unknown(0),
            };
            self.add(Link { name: heap.text(name)?, target })?;
        }
        Ok(())
    }

    /// Links in a fractal heap, by the B-tree of their names.
    fn dense(&mut self, heap: u64, names: u64, budget: &mut Budget) -> Result<()> {
        let storage = self.storage;
        let heap = FractalHeap::read(storage, heap)?;
        let tree = v2::Tree::read(storage, names)?;
        tree.each(storage, budget, &mut |mut record, budget| {
            // The hash of the name.
            record.skip(4)?;
            let block = heap.get(storage, &mut record, budget)?;
            self.add(link::parse(&mut block.cursor(storage.sizes))?)
        })
    }
}
