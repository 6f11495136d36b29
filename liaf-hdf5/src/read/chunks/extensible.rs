//! Chunks in an extensible array: datasets that can grow in one dimension. Specification: HDF5 File
//! Format 3.0, section III.F ("Extensible Array Index").
//!
//! The first entries are in the index block. Further ones are in data blocks, whose sizes double with
//! every second *super block*: super block `u` stands for `2^(u / 2)` data blocks of
//! `2^((u + 1) / 2)` times the smallest number of entries. The data blocks of the first super blocks
//! are named by the index block itself. Large data blocks are cut into pages with a checksum each.

use super::{Entry, Stored};
use crate::error::{Error, Result};
use crate::read::budget::Budget;
use crate::read::bytes::Block;
use crate::read::storage::Storage;

const WHAT: &str = "an extensible array";

#[derive(Debug, Clone)]
pub(super) struct Finder {
    entry: Entry,
    array: Option<Array>,
    /// The super block, with its address and its number, and the entries that were looked at last.
    above: Option<((u64, u32), SuperBlock)>,
    entries: Option<Entries>,
}

/// What the head and the index block say.
#[derive(Debug, Clone)]
struct Array {
    /// Entries of the index block; of the smallest data block; of a page.
    inline: u64,
    smallest: u64,
    per_page: u64,
    /// Entries from this number on were never set, whatever the blocks hold there.
    end: u64,
    /// Bytes of the place of a block in the array.
    offset_bytes: usize,
    /// Number of super blocks whose data blocks the index block names.
    direct: u32,
    /// Number of super blocks.
    supers: u32,
    index: Block,
}

/// The data blocks of a super block.
#[derive(Debug, Clone)]
struct SuperBlock {
    /// Addresses of all its data blocks.
    block: Block,
    /// Bytes before the bits of written pages, and before the addresses.
    bits_at: usize,
    addresses_at: usize,
    bits_per_block: usize,
}

/// Entries that were read together.
#[derive(Debug, Clone)]
struct Entries {
    /// Number of the first of them, and how many.
    first: u64,
    count: u64,
    /// `None` if they were never written.
    block: Option<Block>,
    /// Bytes before them.
    head: usize,
    /// Number of bytes that were read for them.
    read: u64,
}

impl Entries {
    /// Entries that were never written.
    fn missing(first: u64, count: u64) -> Self {
        Self { first, count, block: None, head: 0, read: 1 }
    }
}

impl Finder {
    pub fn new(entry: Entry) -> Self {
        Self { entry, array: None, above: None, entries: None }
    }

    pub fn find(
        &mut self,
        storage: &Storage,
        address: u64,
        number: u64,
        budget: &mut Budget,
    ) -> Result<Option<Stored>> {
        let array = match self.array.take() {
            Some(array) => array,
            None => Array::read(storage, address, self.entry)?,
        };
        let found = self.find_in(storage, &array, number, budget);
        self.array = Some(array);
        found
    }

    fn find_in(
        &mut self,
        storage: &Storage,
        array: &Array,
        number: u64,
        budget: &mut Budget,
    ) -> Result<Option<Stored>> {
        if number >= array.end {
            return Ok(None);
        }
        let holds =
            |entries: &Entries| number.checked_sub(entries.first).filter(|&i| i < entries.count);
        if self.entries.as_ref().and_then(holds).is_none() {
            self.entries = self.load(storage, array, number, budget)?;
            budget.again(self.entries.as_ref().map_or(0, |entries| entries.read))?;
        }
        let Some(entries) = &self.entries else { return Ok(None) };
        let (Some(i), Some(block)) = (holds(entries), &entries.block) else { return Ok(None) };
        let mut cursor = block.cursor(storage.sizes);
        cursor.skip(entries.head + i as usize * self.entry.bytes(storage))?;
        self.entry.parse(&mut cursor)
    }

    /// Reads the entries around a number; `None` if the array does not reach so far.
    fn load(
        &mut self,
        storage: &Storage,
        array: &Array,
        number: u64,
        budget: &mut Budget,
    ) -> Result<Option<Entries>> {
        let Some(number) = number.checked_sub(array.inline) else {
            return Ok(Some(array.inline_entries(storage)));
        };
        let above = (number / array.smallest).checked_add(1).map_or(63, u64::ilog2);
        if above >= array.supers {
            return Ok(None);
        }
        let (blocks, size) = array.shape(above);
        let start = ((1u64 << above) - 1).saturating_mul(array.smallest);
        let within = number - start;
        let block = within / size;
        let first = array.inline + start + block * size;
        if above < array.direct {
            // Data blocks before those of this super block.
            let before: u64 = (0..above).map(|u| array.shape(u).0).sum();
            let address = array.data_block(storage, before + block)?;
            return array.data(storage, self.entry, first, size, within % size, address, None);
        }
        let address = array.super_block(storage, above)?;
        let Some(address) = address else {
            let (first, count) = (array.inline + start, blocks.saturating_mul(size));
            return Ok(Some(Entries::missing(first, count)));
        };
        if self.above.as_ref().is_none_or(|(known, _)| *known != (address, above)) {
            let read = SuperBlock::read(storage, array, address, above)?;
            budget.again(read.block.bytes.len() as u64)?;
            self.above = Some(((address, above), read));
        }
        let Some((_, found)) = &self.above else { return Ok(None) };
        let address = found.address(storage, block)?;
        let bits = found.bits(block);
        array.data(storage, self.entry, first, size, within % size, address, bits)
    }

    pub fn each(&self, storage: &Storage, root: u64, take: &mut dyn FnMut(Stored)) -> Result<()> {
        let mut finder = Self::new(self.entry);
        let array = Array::read(storage, root, self.entry)?;
        let mut budget = Budget::new(storage);
        let mut number = 0;
        // Blocks and pages that are not there are skipped whole.
        while number < array.end
            && let Some(entries) = finder.load(storage, &array, number, &mut budget)?
        {
            budget.once(entries.read)?;
            if let Some(block) = &entries.block {
                let mut cursor = block.cursor(storage.sizes);
                cursor.skip(entries.head)?;
                for _ in entries.first..array.end.min(entries.first.saturating_add(entries.count)) {
                    if let Some(stored) = self.entry.parse(&mut cursor)? {
                        take(stored);
                    }
                }
            }
            number = match entries.first.checked_add(entries.count) {
                Some(next) if next > number => next,
                _ => return Ok(()),
            };
        }
        Ok(())
    }
}

impl Array {
    fn read(storage: &Storage, address: u64, entry: Entry) -> Result<Self> {
        let sizes = storage.sizes;
        let size = 16 + 6 * sizes.length + sizes.offset;
        let block = storage.block(address, size as u64, WHAT)?;
        let mut cursor = block.checked(sizes, WHAT)?;
        cursor.signature(b"EAHD", WHAT)?;
        cursor.version(&[0], WHAT)?;
        cursor.skip(1)?;
        entry.check(storage, cursor.u8()?.into(), block.at)?;
        let most_bits = u32::from(cursor.u8()?);
        let inline = u64::from(cursor.u8()?);
        let smallest = u64::from(cursor.u8()?);
        let pointers = u64::from(cursor.u8()?);
        let page_bits = u32::from(cursor.u8()?);
        // The numbers and sizes of super blocks and data blocks.
        for _ in 0..4 {
            cursor.length()?;
        }
        let end = cursor.length()?;
        // The number of entries for which there are blocks.
        cursor.length()?;
        let is_sound = (1..=64).contains(&most_bits)
            && smallest.is_power_of_two()
            && smallest.ilog2() <= most_bits
            && pointers.is_power_of_two()
            && pointers >= 2
            && page_bits < 32;
        if !is_sound {
            let what = "the sizes of blocks in an extensible array are impossible";
            return Err(Error::malformed(what).at(block.at));
        }
        let supers = (1 + most_bits - smallest.ilog2()).min(63);
        let direct = (2 * pointers.ilog2()).min(supers);
        let offset_bytes = most_bits.div_ceil(8) as usize;
        let index = cursor.defined("the index block of an extensible array")?;
        let blocks = 2 * (pointers - 1);
        let addresses = (blocks + u64::from(supers - direct)) * sizes.offset as u64;
        let entries = inline * entry.bytes(storage) as u64;
        let size = 10 + sizes.offset as u64 + entries + addresses;
        let index = storage.block(index, size, WHAT)?;
        index.checked(sizes, WHAT)?.signature(b"EAIB", WHAT)?;
        let per_page = 1 << page_bits;
        Ok(Self { inline, smallest, per_page, end, offset_bytes, direct, supers, index })
    }

    /// Number of data blocks of a super block, and of entries in each.
    fn shape(&self, above: u32) -> (u64, u64) {
        (1 << (above / 2), self.smallest.saturating_mul(1 << above.div_ceil(2)))
    }

    fn inline_entries(&self, storage: &Storage) -> Entries {
        let head = 6 + storage.sizes.offset;
        let (count, read) = (self.inline, self.index.bytes.len() as u64);
        Entries { first: 0, count, block: Some(self.index.clone()), head, read }
    }

    /// Number of addresses of data blocks in the index block.
    fn direct_blocks(&self) -> u64 {
        (0..self.direct).map(|above| self.shape(above).0).sum()
    }

    /// An address of the index block, counted from its end.
    fn address_before_end(&self, storage: &Storage, i: u64) -> Result<Option<u64>> {
        let mut cursor = self.index.cursor(storage.sizes);
        let end = cursor.left() - 4;
        let back = (i as usize).saturating_mul(storage.sizes.offset);
        cursor.skip(end.saturating_sub(back))?;
        cursor.address()
    }

    /// Address of a data block that the index block names.
    fn data_block(&self, storage: &Storage, i: u64) -> Result<Option<u64>> {
        let all = self.direct_blocks() + u64::from(self.supers - self.direct);
        self.address_before_end(storage, all - i)
    }

    /// Address of a super block that the index block names.
    fn super_block(&self, storage: &Storage, above: u32) -> Result<Option<u64>> {
        self.address_before_end(storage, (self.supers - above).into())
    }

    /// The entries around entry `within` of a data block, whose first one has the number `first`.
    /// `bits` says which pages were written.
    #[expect(clippy::too_many_arguments, reason = "all of them say which entries are meant")]
    fn data(
        &self,
        storage: &Storage,
        entry: Entry,
        first: u64,
        size: u64,
        within: u64,
        address: Option<u64>,
        bits: Option<&[u8]>,
    ) -> Result<Option<Entries>> {
        let Some(address) = address else {
            return Ok(Some(Entries::missing(first, size)));
        };
        let (sizes, entry_bytes) = (storage.sizes, entry.bytes(storage) as u64);
        let head = 6 + sizes.offset + self.offset_bytes;
        if size <= self.per_page {
            let bytes = size.saturating_mul(entry_bytes).saturating_add(head as u64 + 4);
            let block = storage.block(address, bytes, WHAT)?;
            block.checked(sizes, WHAT)?.signature(b"EADB", WHAT)?;
            return Ok(Some(Entries { first, count: size, block: Some(block), head, read: bytes }));
        }
        let page = within / self.per_page;
        let page_bytes = self.per_page.saturating_mul(entry_bytes).saturating_add(4);
        let before = (head as u64 + 4).saturating_add(page.saturating_mul(page_bytes));
        let (first, count) = (first + page * self.per_page, self.per_page);
        let bit = 0x80 >> (page % 8);
        let is_written = bits.and_then(|bits| bits.get((page / 8) as usize)).map(|b| b & bit != 0);
        let block = storage.block(address.saturating_add(before), page_bytes, WHAT);
        let block = block.and_then(|block| block.checked(sizes, WHAT).map(|_| ()).map(|()| block));
        match (block, is_written) {
            (Ok(block), _) => {
                Ok(Some(Entries { first, count, block: Some(block), head: 0, read: page_bytes }))
            }
            // The bits say less than the checksum: the library mixes up those of several blocks.
            (Err(_), Some(false)) => {
                Ok(Some(Entries { read: page_bytes, ..Entries::missing(first, count) }))
            }
            (Err(error), _) => Err(error),
        }
    }
}

impl SuperBlock {
    fn read(storage: &Storage, array: &Array, address: u64, above: u32) -> Result<Self> {
        let sizes = storage.sizes;
        let (blocks, size) = array.shape(above);
        let bits_at = 6 + sizes.offset + array.offset_bytes;
        let pages = if size > array.per_page { size / array.per_page } else { 0 };
        let bits_per_block = usize::try_from(pages.div_ceil(8)).unwrap_or(usize::MAX);
        let bits = blocks.saturating_mul(bits_per_block as u64);
        let addresses = blocks.saturating_mul(sizes.offset as u64);
        let bytes = (bits_at as u64 + 4).saturating_add(bits).saturating_add(addresses);
        let block = storage.block(address, bytes, WHAT)?;
        block.checked(sizes, WHAT)?.signature(b"EASB", WHAT)?;
        Ok(Self { block, bits_at, addresses_at: bits_at + bits as usize, bits_per_block })
    }

    /// Address of a data block.
    fn address(&self, storage: &Storage, i: u64) -> Result<Option<u64>> {
        let mut cursor = self.block.cursor(storage.sizes);
        cursor.skip(self.addresses_at + i as usize * storage.sizes.offset)?;
        cursor.address()
    }

    /// The bits of a data block that say which of its pages were written.
    fn bits(&self, i: u64) -> Option<&[u8]> {
        let from = self.bits_at + i as usize * self.bits_per_block;
        self.block.bytes.get(from..from + self.bits_per_block).filter(|bits| !bits.is_empty())
    }
}
