//! Global heaps: values of variable length. Specification: HDF5 File Format 3.0, section III.E.
//!
//! A collection is a block with objects that have numbers; a value in a dataset names a collection
//! and an object of it.

use std::collections::HashMap;
use std::ops::Range;

use crate::error::{Error, Result};
use crate::read::budget::Budget;
use crate::read::bytes::{Block, Cursor};
use crate::read::storage::Storage;

/// Reads values of variable length. The collections that were read are kept, up to a limit.
#[derive(Default)]
pub(crate) struct GlobalHeap {
    collections: HashMap<u64, Collection>,
    /// Number of bytes that all of them need.
    held: usize,
}

/// A collection that has been read.
struct Collection {
    block: Block,
    /// Number and place of each object, ordered by number.
    objects: Vec<(u16, Range<usize>)>,
}

/// Bytes of a reference: the number of values, an address, and the number of the object.
pub(crate) const REFERENCE: usize = 16;
/// Size of most collections.
const USUAL: u64 = 4096;

impl GlobalHeap {
    /// The bytes to which a reference in a dataset points. `value_bytes` is the size of one value.
    pub fn get(
        &mut self,
        storage: &Storage,
        reference: &[u8],
        value_bytes: usize,
        budget: &mut Budget,
    ) -> Result<&[u8]> {
        let mut cursor = Cursor::new(reference, 0, storage.sizes);
        let count = cursor.u32()? as usize;
        let address = cursor.address()?;
        let index = cursor.u32()?;
        let Some(address) = address.filter(|&address| address != 0 && count > 0) else {
            return Ok(&[]);
        };
        // Values that were written in another order than they are read may each need another one.
        budget.earn(USUAL);
        if !self.collections.contains_key(&address) {
            let collection = Collection::read(storage, address, budget)?;
            let bytes = collection.block.bytes.len() + 32 * collection.objects.len() + 256;
            if self.held + bytes > storage.limits.metadata_bytes {
                self.collections.clear();
                self.held = 0;
            }
            self.held += bytes;
            self.collections.insert(address, collection);
        }
        let bytes = self.collections.get(&address).and_then(|collection| {
            let object = collection.object(u16::try_from(index).ok()?)?;
            object.get(..count.checked_mul(value_bytes)?)
        });
        bytes.ok_or_else(|| {
            let what = format!("there is no object {index} of {count} values in a global heap");
            Error::malformed(what).at(storage.place(address))
        })
    }
}

impl Collection {
    fn read(storage: &Storage, address: u64, budget: &mut Budget) -> Result<Self> {
        const WHAT: &str = "a global heap";
        let head = 8 + storage.sizes.length;
        let start = storage.block(address, head as u64, WHAT)?;
        let mut cursor = start.cursor(storage.sizes);
        cursor.signature(b"GCOL", WHAT)?;
        cursor.version(&[1], WHAT)?;
        cursor.skip(3)?;
        let size = cursor.length()?;
        budget.again(size).map_err(|error| error.at(start.at))?;
        let block = storage.block(address, size, WHAT)?;
        let mut cursor = block.cursor(storage.sizes);
        cursor.skip(head)?;
        let mut objects = Vec::new();
        while cursor.left() >= head {
            let index = cursor.u16()?;
            cursor.skip(6)?;
            let size = cursor.length()?;
            if index == 0 {
                break;
            }
            if objects.len() >= usize::from(u16::MAX) {
                let what = "a global heap has more objects than it can number";
                return Err(Error::malformed(what).at(block.at));
            }
            let from = (cursor.offset() - block.at) as usize;
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            cursor.skip(size)?;
            cursor.align(8);
            objects.push((index, from..from + size));
        }
        objects.sort_by_key(|object| object.0);
        Ok(Self { block, objects })
    }

    fn object(&self, index: u16) -> Option<&[u8]> {
        let i = self.objects.binary_search_by_key(&index, |object| object.0).ok()?;
        let (_, place) = self.objects.get(i)?;
        self.block.bytes.get(place.clone())
    }
}
