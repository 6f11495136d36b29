//! Local heaps: the names in old groups. Specification: HDF5 File Format 3.0, section III.D.

use crate::error::{Error, Result};
use crate::read::bytes::{Block, text_of};
use crate::read::storage::Storage;

/// The texts of a group.
pub(crate) struct LocalHeap {
    data: Block,
}

impl LocalHeap {
    pub fn read(storage: &Storage, address: u64) -> Result<Self> {
        let size = 8 + 2 * storage.sizes.length + storage.sizes.offset;
        let block = storage.block(address, size as u64, "a local heap")?;
        let mut cursor = block.cursor(storage.sizes);
        cursor.signature(b"HEAP", "a local heap")?;
        cursor.version(&[0], "a local heap")?;
        cursor.skip(3)?;
        let size = cursor.length()?;
        cursor.length()?;
        let address = cursor.defined("the data of a local heap")?;
        Ok(Self { data: storage.block(address, size, "a local heap")? })
    }

    /// The text that begins at this byte of the heap.
    pub fn text(&self, at: u64) -> Result<String> {
        let rest = usize::try_from(at).ok().and_then(|at| self.data.bytes.get(at..));
        let rest = rest
            .ok_or_else(|| Error::malformed("a name lies outside of its heap").at(self.data.at))?;
        // The last text may fill the heap.
        let end = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
        Ok(text_of(&rest[..end]))
    }
}
