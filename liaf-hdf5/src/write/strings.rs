//! Texts of any length, which lie in collections of the global heap (specification III.E).
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `GCOL` |
//! | 1, 3 | the version, 1; 0 |
//! | 8 | number of bytes of the collection, at least 4,096 |
//!
//! and for each text
//!
//! | bytes | what |
//! |---|---|
//! | 2 | its number in the collection, from 1 on |
//! | 2, 4 | number of references: 1; 0 |
//! | 8 | number of bytes |
//! | … | the bytes, filled up with 0 to a multiple of 8 |
//!
//! If at least 16 bytes are left, an object of number 0 takes them up; its number of bytes includes
//! its own 16. A dataset or an attribute holds, for each text, its number of bytes (4), the address
//! of the collection (8) and the number in it (4). An empty text is an object, too, because a
//! reference to nothing reads as a null pointer in C.
//!
//! A collection stays open for the texts of later calls until one does not fit. Its address has to
//! be known before it is full, so what is there is written at the end of each call, and overwritten
//! once when the collection is closed.

use super::output::{Appender, Output};
use crate::error::{Error, Result};

/// Fewest bytes of a collection, and the unit of its size.
const LEAST: usize = 4096;
/// Most bytes of a collection of several texts.
const MOST: usize = 64 << 10;
/// Number of bytes before the first object, and before the bytes of every object.
const HEAD: usize = 16;
/// Number of bytes of a reference.
pub(super) const REFERENCE: usize = 16;

/// The texts that were written, of which the last may be in an open collection.
#[derive(Debug, Default)]
pub(super) struct Strings {
    open: Option<Collection>,
}

#[derive(Debug)]
struct Collection {
    address: u64,
    /// The whole collection, of which the first `used` bytes are taken.
    bytes: Vec<u8>,
    used: usize,
    count: u16,
    is_in_file: bool,
    /// Whether texts were added since the collection was last written.
    is_changed: bool,
}

impl Strings {
    /// Writes `texts` and returns the references to them, one after the other.
    ///
    /// # Errors
    /// `Caller` for a text with a NUL in it, where C would end it, or of 4 GiB or more; nothing is
    /// written then.
    pub fn write<S: Output, T: AsRef<str>>(
        &mut self,
        texts: &[T],
        out: &mut Appender<S>,
    ) -> Result<Vec<u8>> {
        let mut left = 0;
        for text in texts {
            let text = text.as_ref();
            if text.contains('\0') {
                return Err(Error::caller("a text with a NUL in it, which ends texts in HDF5"));
            }
            if u32::try_from(text.len()).is_err() {
                return Err(Error::caller("a text of 4 GiB or more"));
            }
            left += object_bytes(text);
        }
        let mut references = Vec::with_capacity(texts.len() * REFERENCE);
        for text in texts {
            let text = text.as_ref();
            let (address, number) = self.put(text, left, out)?;
            left -= object_bytes(text);
            references.extend_from_slice(&(text.len() as u32).to_le_bytes());
            references.extend_from_slice(&address.to_le_bytes());
            references.extend_from_slice(&u32::from(number).to_le_bytes());
        }
        self.place(out)?;
        Ok(references)
    }

    /// Writes what is still open.
    pub fn finish<S: Output>(&mut self, out: &mut Appender<S>) -> Result<()> {
        self.close(out)
    }

    /// Returns the address of a collection and the number of the text in it. `left` is the number
    /// of bytes that this text and those after it will need.
    fn put<S: Output>(
        &mut self,
        text: &str,
        left: usize,
        out: &mut Appender<S>,
    ) -> Result<(u64, u16)> {
        let needed = object_bytes(text);
        if let Some(open) = self.open.as_mut().filter(|open| open.has_room(needed)) {
            return Ok((open.address, open.add(text)));
        }
        if HEAD + needed > MOST {
            // It gets a collection of its own, and the open one stays open.
            self.place(out)?;
            let mut own = Collection::new(out.align()?, HEAD + needed);
            let number = own.add(text);
            own.append(out)?;
            return Ok((own.address, number));
        }
        self.close(out)?;
        let size = (HEAD + left).next_multiple_of(LEAST).min(MOST);
        let open = self.open.insert(Collection::new(out.align()?, size));
        Ok((open.address, open.add(text)))
    }

    /// Makes sure that the open collection has its place in the file, before anything else is
    /// appended.
    fn place<S: Output>(&mut self, out: &mut Appender<S>) -> Result<()> {
        match &mut self.open {
            Some(open) if !open.is_in_file => open.append(out),
            _ => Ok(()),
        }
    }

    fn close<S: Output>(&mut self, out: &mut Appender<S>) -> Result<()> {
        match self.open.take() {
            Some(mut open) if !open.is_in_file => open.append(out),
            Some(open) if open.is_changed => out.overwrite(open.address, &open.bytes),
            _ => Ok(()),
        }
    }
}

impl Collection {
    /// An empty collection of at least `size` bytes.
    fn new(address: u64, size: usize) -> Self {
        let mut bytes = vec![0; size.max(LEAST)];
        bytes[..8].copy_from_slice(b"GCOL\x01\0\0\0");
        let size = bytes.len() as u64;
        bytes[8..16].copy_from_slice(&size.to_le_bytes());
        Self { address, bytes, used: HEAD, count: 0, is_in_file: false, is_changed: false }
    }

    fn has_room(&self, object: usize) -> bool {
        object <= self.bytes.len() - self.used
    }

    /// Adds a text, for which there is room, and returns its number.
    fn add(&mut self, text: &str) -> u16 {
        // 64 KiB hold at most 4,095 objects.
        self.count += 1;
        let object = &mut self.bytes[self.used..];
        object[..2].copy_from_slice(&self.count.to_le_bytes());
        object[2] = 1;
        object[8..16].copy_from_slice(&(text.len() as u64).to_le_bytes());
        object[HEAD..HEAD + text.len()].copy_from_slice(text.as_bytes());
        self.used += object_bytes(text);
        let free = &mut self.bytes[self.used..];
        if free.len() >= HEAD {
            let size = free.len() as u64;
            free[8..16].copy_from_slice(&size.to_le_bytes());
        }
        self.is_changed = true;
        self.count
    }

    fn append<S: Output>(&mut self, out: &mut Appender<S>) -> Result<()> {
        let address = out.append(&self.bytes)?;
        debug_assert_eq!(address, self.address);
        (self.is_in_file, self.is_changed) = (true, false);
        Ok(())
    }
}

/// Number of bytes of a text in a collection.
fn object_bytes(text: &str) -> usize {
    HEAD + text.len().next_multiple_of(8)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn reference(references: &[u8], i: usize) -> (u32, u64, u32) {
        let bytes = &references[16 * i..][..16];
        let (length, address) = (bytes[..4].try_into().unwrap(), bytes[4..12].try_into().unwrap());
        let number = bytes[12..].try_into().unwrap();
        (u32::from_le_bytes(length), u64::from_le_bytes(address), u32::from_le_bytes(number))
    }

    #[test]
    fn a_collection_has_the_bytes_of_the_specification() {
        let mut out = Appender::new(Cursor::new(Vec::new()));
        let mut strings = Strings::default();
        let references = strings.write(&["abc", ""], &mut out).unwrap();
        assert_eq!(reference(&references, 0), (3, 0, 1));
        assert_eq!(reference(&references, 1), (0, 0, 2));
        assert_eq!(out.length(), 4096);
        // Something else follows, and the collection is filled further.
        out.append(b"else").unwrap();
        let references = strings.write(&["é"], &mut out).unwrap();
        assert_eq!(reference(&references, 0), (2, 0, 3));
        strings.finish(&mut out).unwrap();
        let bytes = out.finish().unwrap().into_inner();
        assert_eq!(bytes.len(), 4100);
        assert_eq!(bytes[..16], *b"GCOL\x01\0\0\0\0\x10\0\0\0\0\0\0");
        assert_eq!(bytes[16..40], *b"\x01\0\x01\0\0\0\0\0\x03\0\0\0\0\0\0\0abc\0\0\0\0\0");
        assert_eq!(bytes[40..56], *b"\x02\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0");
        assert_eq!(bytes[56..80], *b"\x03\0\x01\0\0\0\0\0\x02\0\0\0\0\0\0\0\xc3\xa9\0\0\0\0\0\0");
        let mut free = [0; 16];
        free[8..].copy_from_slice(&(4096u64 - 80).to_le_bytes());
        assert_eq!(bytes[80..96], free);
    }

    #[test]
    fn texts_fill_collections_and_large_ones_get_their_own() {
        let mut out = Appender::new(Cursor::new(Vec::new()));
        let mut strings = Strings::default();
        let large = "x".repeat(100_000);
        let texts = [&large[..16], &large, &large[..24]];
        let references = strings.write(&texts, &mut out).unwrap();
        // The size of the first is that of all texts, but no more than 64 KiB.
        assert_eq!(reference(&references, 0), (16, 0, 1));
        assert_eq!(reference(&references, 1), (100_000, 65_536, 1));
        assert_eq!(reference(&references, 2), (24, 0, 2));
        assert_eq!(out.length(), 65_536 + 16 + 16 + 100_000);
        let many = vec!["12345678"; 10_000];
        let references = strings.write(&many, &mut out).unwrap();
        // At 24 bytes each, the first collection has room for 2,727 more.
        assert_eq!(reference(&references, 0), (8, 0, 3));
        let second = reference(&references, 2727);
        assert_eq!((second.1, second.2), (165_568, 1));
        let end = reference(&references, 9_999);
        assert!(end.1 > second.1 && end.1.is_multiple_of(8));
        strings.finish(&mut out).unwrap();
        let bytes = out.finish().unwrap().into_inner();
        assert_eq!(bytes[16..18], [1, 0]);
        assert_eq!(&bytes[second.1 as usize..][..4], b"GCOL");
    }

    #[test]
    fn a_nul_is_refused_before_anything_is_written() {
        let mut out = Appender::new(Cursor::new(Vec::new()));
        assert!(Strings::default().write(&["fine", "a\0b"], &mut out).is_err());
        assert_eq!(out.length(), 0);
    }

    #[test]
    fn a_collection_that_is_exactly_full_has_no_free_object() {
        let mut out = Appender::new(Cursor::new(Vec::new()));
        let text = "x".repeat(4096 - 32);
        Strings::default().write(&[&text], &mut out).unwrap();
        let bytes = out.finish().unwrap().into_inner();
        assert_eq!((bytes.len(), bytes[4095]), (4096, b'x'));
    }
}
