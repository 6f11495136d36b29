//! Object headers: the messages that describe a group, a dataset or a named datatype.
//!
//! Specification: HDF5 File Format 3.0, sections IV.A.1 and IV.A.2. Version 1 has no signature; a
//! header of version 2 begins with `OHDR` and its further parts with `OCHK`, each with a checksum.
//! Messages of either go on elsewhere where a continuation message says so.

use std::collections::HashSet;

use super::bytes::{Block, Cursor};
use super::storage::Storage;
use crate::error::{Error, Result};
use crate::limits;

pub(crate) const DATASPACE: u16 = 0x01;
pub(crate) const LINK_INFO: u16 = 0x02;
pub(crate) const DATATYPE: u16 = 0x03;
pub(crate) const OLD_FILL: u16 = 0x04;
pub(crate) const FILL: u16 = 0x05;
pub(crate) const LINK: u16 = 0x06;
pub(crate) const EXTERNAL_FILES: u16 = 0x07;
pub(crate) const LAYOUT: u16 = 0x08;
pub(crate) const FILTERS: u16 = 0x0b;
pub(crate) const ATTRIBUTE: u16 = 0x0c;
const CONTINUATION: u16 = 0x10;
pub(crate) const SYMBOL_TABLE: u16 = 0x11;
pub(crate) const DRIVER_INFO: u16 = 0x14;
pub(crate) const ATTRIBUTE_INFO: u16 = 0x15;

/// Flag of a message whose content is in another object.
const SHARED: u8 = 1 << 1;
/// Flag of a message without which the object must not be read, if the message is not known.
const MUST_BE_KNOWN: u8 = 1 << 7;
/// The largest type of message that is known.
const LAST: u16 = 0x19;
/// Most parts of one header.
const PARTS: usize = 4096;
/// Most messages of one header that are kept: HDF5 itself counts no more attributes or links.
const MESSAGES: usize = 1 << 17;
/// A message whose room is free.
const NOTHING: u16 = 0;

/// One message.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub kind: u16,
    pub is_shared: bool,
    block: Block,
}

impl Message {
    /// A cursor over the content.
    pub fn cursor(&self, storage: &Storage) -> Cursor<'_> {
        self.block.cursor(storage.sizes)
    }

    /// Byte of the file at which the content begins.
    pub fn at(&self) -> u64 {
        self.block.at
    }
}

/// All messages of an object.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub messages: Vec<Message>,
    /// Byte of the file at which the header begins.
    pub at: u64,
    /// Number of bytes in all its parts.
    pub bytes: u64,
}

impl Header {
    /// The first message of a kind.
    pub fn first(&self, kind: u16) -> Option<&Message> {
        self.all(kind).next()
    }

    /// All messages of a kind.
    pub fn all(&self, kind: u16) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(move |message| message.kind == kind)
    }

    /// The first message of a kind that every such object has.
    pub fn needed(&self, kind: u16, what: &str) -> Result<&Message> {
        let missing = || Error::malformed(format!("the object has no {what}")).at(self.at);
        self.first(kind).ok_or_else(missing)
    }
}

/// Collects the parts of a header.
struct Parts<'a> {
    storage: &'a Storage,
    messages: Vec<Message>,
    /// Parts that are still to be read: address and length.
    next: Vec<(u64, u64)>,
    seen: HashSet<u64>,
    bytes: u64,
}

/// Reads the object header at an address.
pub(crate) fn read(storage: &Storage, address: u64) -> Result<Header> {
    let at = storage.offset(address);
    let mut parts = Parts {
        storage,
        messages: Vec::new(),
        next: Vec::new(),
        seen: HashSet::from([address]),
        bytes: 0,
    };
    let start = storage.at_most(address, 64).map_err(|error| error.within("an object header"))?;
    if start.bytes.starts_with(b"OHDR") {
        parts.second(address, &start)?;
    } else {
        parts.first(address, &start)?;
    }
    Ok(Header { messages: parts.messages, at, bytes: parts.bytes })
}

impl Parts<'_> {
    /// A header of version 1.
    fn first(&mut self, address: u64, start: &Block) -> Result<()> {
        let mut cursor = start.cursor(self.storage.sizes);
        cursor.version(&[1], "an object header")?;
        cursor.skip(1)?;
        let mut left = cursor.u16()?;
        cursor.skip(4)?;
        let size = cursor.u32()?;
        self.next.push((address.saturating_add(16), size.into()));
        while let Some((address, size)) = self.next.pop() {
            let block = self.part(address, size)?;
            let mut cursor = block.cursor(self.storage.sizes);
            while cursor.left() >= 8 && left > 0 {
                left -= 1;
                let (kind, size) = (cursor.u16()?, cursor.u16()?);
                let flags = cursor.u8()?;
                cursor.skip(3)?;
                self.message(kind, flags, cursor.part(size.into())?)?;
            }
        }
        Ok(())
    }

    /// A header of version 2.
    fn second(&mut self, address: u64, start: &Block) -> Result<()> {
        let mut cursor = start.cursor(self.storage.sizes);
        cursor.skip(4)?;
        cursor.version(&[2], "an object header")?;
        let flags = cursor.u8()?;
        if flags & 0x20 != 0 {
            // Times of access, change and birth.
            cursor.skip(16)?;
        }
        if flags & 0x10 != 0 {
            // How many attributes are kept here.
            cursor.skip(4)?;
        }
        let size = cursor.uint(1 << (flags & 3))?;
        let prefix = cursor.offset() - start.at;
        self.next.push((address, size.saturating_add(prefix + 4)));
        let mut is_first = true;
        while let Some((address, size)) = self.next.pop() {
            let block = self.part(address, size)?;
            let mut cursor = block.checked(self.storage.sizes, "an object header")?;
            if is_first {
                cursor.skip(prefix as usize)?;
            } else {
                cursor.signature(b"OCHK", "a part of an object header")?;
            }
            is_first = false;
            let head = if flags & 4 == 0 { 4 } else { 6 };
            while cursor.left() >= head {
                let (kind, size) = (cursor.u8()?, cursor.u16()?);
                let message_flags = cursor.u8()?;
                cursor.skip(head - 4)?;
                self.message(kind.into(), message_flags, cursor.part(size.into())?)?;
            }
        }
        Ok(())
    }

    fn part(&mut self, address: u64, size: u64) -> Result<Block> {
        self.bytes = self.bytes.saturating_add(size);
        let what = "an object header";
        limits::check(what, self.bytes, self.storage.limits.metadata_bytes)
            .map_err(|error| error.at(self.storage.place(address)))?;
        self.storage.block(address, size, what)
    }

    fn message(&mut self, kind: u16, flags: u8, mut content: Cursor<'_>) -> Result<()> {
        let at = content.offset();
        if kind == NOTHING {
            return Ok(());
        }
        if self.messages.len() >= MESSAGES {
            let what = format!("an object header has more than {MESSAGES} messages");
            return Err(Error::limit(what).at(at));
        }
        if kind == CONTINUATION {
            let address = content.defined("the rest of an object header")?;
            let size = content.length()?;
            if !self.seen.insert(address) || self.seen.len() > PARTS {
                let what = "an object header goes round in a circle, or has too many parts";
                return Err(Error::malformed(what).at(at));
            }
            self.next.push((address, size));
        } else if kind > LAST && flags & MUST_BE_KNOWN != 0 {
            let what = format!("a message of type {kind} in an object header is not known");
            return Err(Error::unsupported(what).at(at));
        }
        let block = Block { bytes: content.rest().to_vec(), at };
        self.messages.push(Message { kind, is_shared: flags & SHARED != 0, block });
        Ok(())
    }
}

/// The message itself, which may be in another object: a named datatype.
pub(crate) fn resolve(storage: &Storage, message: &Message) -> Result<Message> {
    if !message.is_shared {
        return Ok(message.clone());
    }
    shared(storage, &mut message.cursor(storage), message.kind)
}

/// The message of this kind to which a reference points.
fn shared(storage: &Storage, cursor: &mut Cursor<'_>, kind: u16) -> Result<Message> {
    let at = cursor.offset();
    let address = shared_address(cursor)?;
    at_address(&read(storage, address)?, kind, at)
}

/// The address of the object header that has the message to which a reference points.
pub(crate) fn shared_address(cursor: &mut Cursor<'_>) -> Result<u64> {
    let at = cursor.offset();
    let version = cursor.version(&[1, 2, 3], "a shared message")?;
    let place = cursor.u8()?;
    if version == 1 {
        cursor.skip(6)?;
    }
    if version == 3 && place == 1 {
        let what =
            "messages that are shared in a heap of the file (H5Pset_shared_mesg) are not read";
        return Err(Error::unsupported(what).at(at));
    }
    cursor.defined("a shared message")
}

/// The message of this kind that others share; `at` is the byte of the reference to it.
pub(crate) fn at_address(header: &Header, kind: u16, at: u64) -> Result<Message> {
    let found = header.needed(kind, "message of the type that another shares")?;
    if found.is_shared {
        return Err(Error::malformed("a shared message points to another shared one").at(at));
    }
    Ok(found.clone())
}
