//! Chunks in a fixed array: datasets that cannot grow. Specification: HDF5 File Format 3.0, section
//! III.F ("Fixed Array Index").
//!
//! The entries lie in one data block. If there are many, it is cut into pages with a checksum each,
//! and a bit for each page says whether it was written.

use super::{Entry, Stored};
use crate::error::{Error, Result};
use crate::read::budget::Budget;
use crate::read::bytes::Block;
use crate::read::storage::Storage;

const WHAT: &str = "a fixed array";

#[derive(Debug, Clone)]
pub(super) struct Finder {
    entry: Entry,
    table: Option<Table>,
    /// The page that was looked at last, and its number.
    page: Option<(u64, Option<Block>)>,
}

/// What the head of the array says.
#[derive(Debug, Clone)]
struct Table {
    /// Number of entries, and of entries in a page.
    entries: u64,
    per_page: u64,
    /// Address of the first page.
    pages: u64,
    /// A bit for each page that was written; empty if there is one page, which has no bit.
    written: Vec<u8>,
    /// Bytes before the entries that the checksum of the only page covers.
    head: usize,
}

impl Finder {
    pub fn new(entry: Entry) -> Self {
        Self { entry, table: None, page: None }
    }

    pub fn find(
        &mut self,
        storage: &Storage,
        address: u64,
        number: u64,
        budget: &mut Budget,
    ) -> Result<Option<Stored>> {
        let table = match self.table.take() {
            Some(table) => table,
            None => Table::read(storage, address, self.entry)?,
        };
        let found = self.find_in(storage, &table, number, budget);
        self.table = Some(table);
        found
    }

    fn find_in(
        &mut self,
        storage: &Storage,
        table: &Table,
        number: u64,
        budget: &mut Budget,
    ) -> Result<Option<Stored>> {
        if number >= table.entries {
            return Ok(None);
        }
        let page = number / table.per_page;
        if self.page.as_ref().is_none_or(|(known, _)| *known != page) {
            let block = table.page(storage, self.entry, page)?;
            budget.again(block.as_ref().map_or(0, |block| block.bytes.len() as u64))?;
            self.page = Some((page, block));
        }
        let Some((_, Some(block))) = &self.page else { return Ok(None) };
        let mut cursor = block.cursor(storage.sizes);
        cursor.skip(table.head + (number % table.per_page) as usize * self.entry.bytes(storage))?;
        self.entry.parse(&mut cursor)
    }

    pub fn each(&self, storage: &Storage, root: u64, take: &mut dyn FnMut(Stored)) -> Result<()> {
        let table = Table::read(storage, root, self.entry)?;
        for page in 0..table.entries.div_ceil(table.per_page) {
            let Some(block) = table.page(storage, self.entry, page)? else { continue };
            let mut cursor = block.cursor(storage.sizes);
            cursor.skip(table.head)?;
            while cursor.left() >= self.entry.bytes(storage) + 4 {
                if let Some(stored) = self.entry.parse(&mut cursor)? {
                    take(stored);
                }
            }
        }
        Ok(())
    }
}

impl Table {
    fn read(storage: &Storage, address: u64, entry: Entry) -> Result<Self> {
        let sizes = storage.sizes;
        let size = 12 + sizes.offset + sizes.length;
        let block = storage.block(address, size as u64, WHAT)?;
        let mut cursor = block.checked(sizes, WHAT)?;
        cursor.signature(b"FAHD", WHAT)?;
        cursor.version(&[0], WHAT)?;
        cursor.skip(1)?;
        entry.check(storage, cursor.u8()?.into(), block.at)?;
        let page_bits = cursor.u8()?;
        let entries = cursor.length()?;
        let data = cursor.address()?;
        let Some(data) = data.filter(|_| entries > 0) else {
            return Ok(Self { entries: 0, per_page: 1, pages: 0, written: Vec::new(), head: 0 });
        };
        if page_bits >= 32 {
            return Err(Error::malformed("the pages of a fixed array are too large").at(block.at));
        }
        let head = 6 + sizes.offset;
        let per_page = 1u64 << page_bits;
        if entries <= per_page {
            let written = Vec::new();
            return Ok(Self { entries, per_page: entries, pages: data, written, head });
        }
        let bits = entries.div_ceil(per_page).div_ceil(8);
        let size = (head as u64 + 4).saturating_add(bits);
        let block = storage.block(data, size, WHAT)?;
        let mut cursor = block.checked(sizes, WHAT)?;
        cursor.signature(b"FADB", WHAT)?;
        cursor.skip(head - 4)?;
        let written = cursor.rest().to_vec();
        let pages = data.saturating_add(size);
        Ok(Self { entries, per_page, pages, written, head: 0 })
    }

    /// The entries of a page; `None` if it was never written.
    fn page(&self, storage: &Storage, entry: Entry, page: u64) -> Result<Option<Block>> {
        let entry_bytes = entry.bytes(storage) as u64;
        let left = self.entries - page * self.per_page;
        let bit = 0x80 >> (page % 8);
        let byte = self.written.get((page / 8) as usize);
        if byte.is_some_and(|byte| byte & bit == 0) {
            return Ok(None);
        }
        let before = page.saturating_mul(self.per_page.saturating_mul(entry_bytes) + 4);
        let size = left.min(self.per_page).saturating_mul(entry_bytes) + self.head as u64 + 4;
        let block = storage.block(self.pages.saturating_add(before), size, WHAT)?;
        let mut cursor = block.checked(storage.sizes, WHAT)?;
        if self.head > 0 {
            cursor.signature(b"FADB", WHAT)?;
        }
        Ok(Some(block))
    }
}
