//! Global heaps: values of variable length. Specification: HDF5 File Format 3.0, section III.E.
//!
//! A collection is a block with objects that have numbers; a value in a dataset names a collection
//! and an object of it.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::read::bytes::{Block, Cursor};
use crate::read::storage::Storage;

/// Reads values of variable length. The collection that was read last is kept.
#[derive(Default)]
pub(crate) struct GlobalHeap {
    address: Option<u64>,
    block: Option<Block>,
    /// Number and place of each object of the collection.
    objects: Vec<(u16, Range<usize>)>,
}

/// Bytes of a reference: the number of values, an address, and the number of the object.
pub(crate) const REFERENCE: usize = 16;

impl GlobalHeap {
    /// The bytes to which a reference in a dataset points. `value_bytes` is the size of one value.
    pub fn get(
        &mut self,
        storage: &Storage,
        reference: &[u8],
        value_bytes: usize,
    ) -> Result<&[u8]> {
        let mut cursor = Cursor::new(reference, 0, storage.sizes);
        let count = cursor.u32()? as usize;
        let address = cursor.address()?;
        let index = cursor.u32()?;
        let Some(address) = address.filter(|&address| address != 0 && count > 0) else {
            return Ok(&[]);
        };
        if self.address != Some(address) {
            self.load(storage, address)?;
        }
        let at = storage.offset(address);
        let found = u16::try_from(index).ok().and_then(|index| {
            let i = self.objects.binary_search_by_key(&index, |object| object.0).ok()?;
            self.objects.get(i)
        });
        let bytes = found.zip(self.block.as_ref()).and_then(|((_, place), block)| {
            block.bytes.get(place.clone())?.get(..count.checked_mul(value_bytes)?)
        });
        bytes.ok_or_else(|| {
            let what = format!("there is no object {index} of {count} values in a global heap");
            Error::malformed(what).at(at)
        })
    }

    fn load(&mut self, storage: &Storage, address: u64) -> Result<()> {
        const WHAT: &str = "a global heap";
        let head = 8 + storage.sizes.length;
        self.address = None;
        let start = storage.block(address, head as u64, WHAT)?;
        let mut cursor = start.cursor(storage.sizes);
        cursor.signature(b"GCOL", WHAT)?;
        cursor.version(&[1], WHAT)?;
        cursor.skip(3)?;
        let size = cursor.length()?;
        let block = storage.block(address, size, WHAT)?;
        let mut cursor = block.cursor(storage.sizes);
        cursor.skip(head)?;
        self.objects.clear();
        while cursor.left() >= head {
            let index = cursor.u16()?;
            cursor.skip(6)?;
            let size = cursor.length()?;
            if index == 0 {
                break;
            }
            let from = (cursor.offset() - block.at) as usize;
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            cursor.skip(size)?;
            cursor.align(8);
            self.objects.push((index, from..from + size));
        }
        self.objects.sort_by_key(|object| object.0);
        self.block = Some(block);
        self.address = Some(address);
        Ok(())
    }
}
