//! The superblock, from which everything else is found.
//!
//! Specification: HDF5 File Format 3.0, section II.A. It begins with a signature at byte 0, 512, 1024
//! or a further power of two; before it lies a user block, which belongs to another program.
//! Versions 0 and 1 name the root group by an entry of a symbol table, 2 and 3 by its address.

use super::bytes::{Block, Cursor, Sizes};
use super::storage::Storage;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::source::Source;

/// The first bytes of a superblock.
pub(crate) const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";
/// Bytes of the smallest and of the largest superblock.
const LEAST: usize = 24;
const MOST: usize = 128;

/// What a superblock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Superblock {
    /// Address of the object header of the root group.
    pub root: u64,
    /// Where the file ends, counted from its first byte.
    pub end: u64,
    /// Whether a writer has the file open, or did not close it.
    pub is_open: bool,
}

/// Where the superblock begins; `None` if the bytes are no HDF5 file.
pub(crate) fn find(source: &dyn Source) -> Result<Option<u64>> {
    let mut at = 0u64;
    while at < source.size() {
        let mut start = [0; SIGNATURE.len()];
        let n = source.read_at(at, &mut start);
        let n = n.map_err(|error| Error::system("cannot read", error).at(at))?;
        if start[..n] == SIGNATURE[..] {
            return Ok(Some(at));
        }
        at = if at == 0 { 512 } else { at.saturating_mul(2) };
    }
    Ok(None)
}

/// Reads the superblock, and returns what gives access to the rest of the file.
pub(crate) fn open(source: Box<dyn Source>, limits: Limits) -> Result<(Storage, Superblock)> {
    let base = find(&*source)?;
    let base = base.ok_or_else(|| Error::malformed("the signature of HDF5 is missing").at(0))?;
    let sizes = Sizes { offset: 8, length: 8 };
    let mut storage = Storage::new(source, base, sizes, limits);
    let block = storage.at_most(0, MOST)?;
    if block.bytes.len() < LEAST {
        return Err(Error::malformed("the file ends within the superblock").at(base));
    }
    let mut cursor = block.cursor(sizes);
    cursor.skip(SIGNATURE.len())?;
    let version = cursor.version(&[0, 1, 2, 3], "the superblock")?;
    let superblock = if version < 2 {
        old(&mut cursor, version, &mut storage)
    } else {
        new(&block, version, &mut storage)
    };
    match superblock {
        Ok(superblock) => Ok((storage, superblock)),
        Err(error) => Err(error.fault_at(storage.base)),
    }
}

fn set_sizes(cursor: &mut Cursor<'_>, storage: &mut Storage) -> Result<()> {
    let at = cursor.offset();
    let (offset, length) = (usize::from(cursor.u8()?), usize::from(cursor.u8()?));
    if ![2, 4, 8].contains(&offset) || ![2, 4, 8].contains(&length) {
        let what = format!("addresses of {offset} and lengths of {length} bytes are not read");
        return Err(Error::unsupported(what).at(at));
    }
    storage.sizes = Sizes { offset, length };
    cursor.sizes = storage.sizes;
    Ok(())
}

/// Where the file ends. If the base address is 0, the end counts from the superblock.
fn end(cursor: &mut Cursor<'_>, stated_base: u64, base: u64) -> Result<u64> {
    let end = cursor.defined("the end of the file")?;
    Ok(if stated_base == 0 { end.saturating_add(base) } else { end })
}

fn old(cursor: &mut Cursor<'_>, version: u8, storage: &mut Storage) -> Result<Superblock> {
    // Versions of free space, symbol table, and shared headers.
    cursor.skip(4)?;
    set_sizes(cursor, storage)?;
    // A reserved byte, and sizes of nodes of groups.
    cursor.skip(5)?;
    let flags = cursor.u32()?;
    if version == 1 {
        cursor.skip(4)?;
    }
    let stated = cursor.address()?.unwrap_or(0);
    cursor.address()?;
    let end = end(cursor, stated, storage.base)?;
    if cursor.address()?.is_some() {
        return Err(spread());
    }
    cursor.address()?;
    let root = cursor.defined("the root group")?;
    Ok(Superblock { root, end, is_open: flags & 1 == 1 })
}

fn new(block: &Block, version: u8, storage: &mut Storage) -> Result<Superblock> {
    let mut cursor = block.cursor(storage.sizes);
    cursor.skip(SIGNATURE.len() + 1)?;
    set_sizes(&mut cursor, storage)?;
    let length = SIGNATURE.len() + 4 + 4 * storage.sizes.offset + 4;
    let whole = Block { bytes: block.bytes.iter().take(length).copied().collect(), at: block.at };
    let mut cursor = whole.checked(storage.sizes, "the superblock")?;
    cursor.skip(SIGNATURE.len() + 3)?;
    let flags = cursor.u8()?;
    let stated = cursor.address()?.unwrap_or(0);
    let extension = cursor.address()?;
    let end = end(&mut cursor, stated, storage.base)?;
    let root = cursor.defined("the root group")?;
    if let Some(extension) = extension {
        let header = super::header::read(storage, extension)?;
        if header.first(super::header::DRIVER_INFO).is_some() {
            return Err(spread());
        }
    }
    // Version 3 keeps here whether a writer has the file open.
    Ok(Superblock { root, end, is_open: version == 3 && flags & 1 == 1 })
}

fn spread() -> Error {
    Error::unsupported("the file is one part of several (HDF5's drivers `family` and `multi`)")
}
