//! Fractal heaps: links of large groups, and many or large attributes. Specification: HDF5 File
//! Format 3.0, section III.G.
//!
//! Small objects lie in direct blocks, which a table of doubling sizes finds; huge ones lie anywhere,
//! and a B-tree or their identifier says where; tiny ones are in the identifier itself.

use crate::error::{Error, Result};
use crate::read::budget::Budget;
use crate::read::bytes::{Block, Cursor, bytes_for};
use crate::read::storage::Storage;
use crate::read::tree::v2;

/// A heap whose header has been read.
pub(crate) struct FractalHeap {
    id_bytes: usize,
    most_managed: u64,
    huge: Option<u64>,
    columns: u64,
    start: u64,
    most_direct: u64,
    /// Bytes of an offset in the heap, and of the length of an object.
    offset_bytes: usize,
    length_bytes: usize,
    root: Option<u64>,
    rows: u64,
}

const WHAT: &str = "a fractal heap";
/// How deep indirect blocks may be nested: each is at least half of the one around it.
const DEPTH: u32 = 64;

impl FractalHeap {
    pub fn read(storage: &Storage, address: u64) -> Result<Self> {
        let sizes = storage.sizes;
        let most = 32 + 12 * sizes.length + 3 * sizes.offset;
        let start = storage.at_most(address, most)?;
        let mut cursor = start.cursor(sizes);
        cursor.signature(b"FRHP", WHAT)?;
        cursor.version(&[0], WHAT)?;
        let id_bytes = usize::from(cursor.u16()?);
        let filters = cursor.u16()?;
        if filters > 0 {
            let what = "a group or attributes whose heap is packed are not read";
            return Err(Error::unsupported(what).at(start.at));
        }
        // Whether direct blocks have checksums.
        cursor.skip(1)?;
        let most_managed = u64::from(cursor.u32()?);
        cursor.length()?;
        let huge = cursor.address()?;
        cursor.length()?;
        cursor.address()?;
        for _ in 0..8 {
            cursor.length()?;
        }
        let columns = u64::from(cursor.u16()?);
        let (first, most_direct) = (cursor.length()?, cursor.length()?);
        let heap_bits = cursor.u16()?;
        cursor.skip(2)?;
        let root = cursor.address()?;
        let rows = u64::from(cursor.u16()?);
        let end = (cursor.offset() - start.at) as usize + 4;
        let bytes = start.bytes.get(..end).unwrap_or(&start.bytes).to_vec();
        Block { bytes, at: start.at }.checked(sizes, WHAT)?;
        let is_sound = first.is_power_of_two()
            && most_direct.is_power_of_two()
            && most_direct >= first
            && (1..=64).contains(&heap_bits)
            && (1..=1 << 12).contains(&columns);
        if !is_sound {
            let what = "the sizes of blocks in a fractal heap are impossible";
            return Err(Error::malformed(what).at(start.at));
        }
        Ok(Self {
            id_bytes,
            most_managed,
            huge,
            columns,
            start: first,
            most_direct,
            offset_bytes: usize::from(heap_bits.div_ceil(8)),
            length_bytes: bytes_for(most_direct.min(most_managed)),
            root,
            rows,
        })
    }

    /// The bytes of the object whose identifier `record` has next.
    pub fn get(
        &self,
        storage: &Storage,
        record: &mut Cursor<'_>,
        budget: &mut Budget,
    ) -> Result<Block> {
        let mut cursor = record.part(self.id_bytes)?;
        let id_at = cursor.offset();
        let head = cursor.u8()?;
        match (head >> 4) & 3 {
            0 => {
                let offset = cursor.uint(self.offset_bytes)?;
                let length = cursor.uint(self.length_bytes)?;
                self.managed(storage, offset, length, budget)
            }
            1 => self.huge(storage, &mut cursor, budget),
            2 => {
                // Long identifiers have a second byte for the length.
                let is_long = self.id_bytes > 18;
                let low = if is_long { usize::from(cursor.u8()?) } else { 0 };
                let high = usize::from(head & 15);
                let length = if is_long { (high << 8 | low) + 1 } else { high + 1 };
                let at = cursor.offset();
                Ok(Block { bytes: cursor.take(length)?.to_vec(), at })
            }
            _ => {
                let what = "an object of a fractal heap is of no known kind";
                Err(Error::malformed(what).at(id_at))
            }
        }
    }

    fn huge(
        &self,
        storage: &Storage,
        cursor: &mut Cursor<'_>,
        budget: &mut Budget,
    ) -> Result<Block> {
        let sizes = storage.sizes;
        if self.id_bytes > sizes.offset + sizes.length {
            let address = cursor.defined("an object of a fractal heap")?;
            let length = cursor.length()?;
            budget.once(length)?;
            return storage.block(address, length, WHAT);
        }
        let key = cursor.uint(cursor.left().min(8))?;
        let missing = || Error::malformed("an object of a fractal heap is missing");
        let tree = v2::Tree::read(storage, self.huge.ok_or_else(missing)?)?;
        let mut found = None;
        // The tree is small, and read again for each object.
        let mut take = |mut record: Cursor<'_>, _: &mut Budget| {
            let address = record.address()?;
            let (length, id) = (record.length()?, record.length()?);
            if id == key {
                found = address.map(|address| (address, length));
            }
            Ok(())
        };
        budget.whole_again(|nodes| tree.each(storage, nodes, &mut take))?;
        let (address, length) = found.ok_or_else(missing)?;
        budget.once(length)?;
        storage.block(address, length, WHAT)
    }

    fn managed(
        &self,
        storage: &Storage,
        offset: u64,
        length: u64,
        budget: &mut Budget,
    ) -> Result<Block> {
        if length > self.most_managed.max(self.most_direct) {
            return Err(Error::malformed("an object of a fractal heap is too long"));
        }
        let missing = || Error::malformed("an object lies outside of its fractal heap");
        let (mut address, mut rows) = (self.root.ok_or_else(missing)?, self.rows);
        let mut from = 0u64;
        for _ in 0..DEPTH {
            if rows == 0 {
                // A direct block, whose own head counts as part of it.
                let into = offset.checked_sub(from).ok_or_else(missing)?;
                budget.once(length)?;
                return storage.block(address.saturating_add(into), length, WHAT);
            }
            let (row, column, start) = self.cell(offset - from, rows).ok_or_else(missing)?;
            let child = self.child(storage, (address, rows), (row, column), budget)?;
            address = child.ok_or_else(missing)?;
            from = from.saturating_add(start);
            let size = self.row_size(row);
            rows = if size <= self.most_direct { 0 } else { self.rows_of(size) };
        }
        Err(missing())
    }

    /// Size of a block in a row.
    fn row_size(&self, row: u64) -> u64 {
        let doublings = row.saturating_sub(1).min(63) as u32;
        self.start
            .checked_shl(doublings)
            .filter(|size| size >> doublings == self.start)
            .unwrap_or(u64::MAX)
    }

    /// Number of rows of an indirect block of this size.
    fn rows_of(&self, size: u64) -> u64 {
        let first = self.start.saturating_mul(self.columns);
        u64::from((size / first.max(1)).max(1).ilog2()) + 1
    }

    /// Row and column of the block that holds an offset, and where that block begins.
    fn cell(&self, offset: u64, rows: u64) -> Option<(u64, u64, u64)> {
        let mut start = 0u64;
        for row in 0..rows {
            let size = self.row_size(row);
            let whole = size.checked_mul(self.columns)?;
            if offset - start < whole {
                let column = (offset - start) / size;
                return Some((row, column, start + column * size));
            }
            start = start.checked_add(whole)?;
            if offset < start {
                return None;
            }
        }
        None
    }

    /// Address of the block at a row and column of an indirect block, which has an address and a number
    /// of rows.
    fn child(
        &self,
        storage: &Storage,
        (address, rows): (u64, u64),
        (row, column): (u64, u64),
        budget: &mut Budget,
    ) -> Result<Option<u64>> {
        let sizes = storage.sizes;
        let head = 5 + sizes.offset + self.offset_bytes;
        let entries = rows.saturating_mul(self.columns).saturating_mul(sizes.offset as u64);
        let bytes = (head as u64 + 4).saturating_add(entries);
        budget.again(bytes)?;
        let block = storage.block(address, bytes, WHAT)?;
        let mut cursor = block.checked(sizes, "a block of a fractal heap")?;
        cursor.signature(b"FHIB", "a block of a fractal heap")?;
        cursor.version(&[0], "a block of a fractal heap")?;
        cursor.skip(head - 5)?;
        let at = (row * self.columns + column) as usize * sizes.offset;
        cursor.skip(at)?;
        cursor.address()
    }
}
