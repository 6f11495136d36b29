//! Object headers of version 1 (specification IV.A.1.a): what an object is, as a list of messages.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the version, 1 |
//! | 1 | 0 |
//! | 2 | number of messages |
//! | 4 | number of links to the object: 1 |
//! | 4 | number of bytes of all messages |
//! | 4 | 0, so that the messages begin at a multiple of 8 |
//!
//! and for each message
//!
//! | bytes | what |
//! |---|---|
//! | 2 | its type |
//! | 2 | number of bytes of its body, a multiple of 8 |
//! | 1 | flags; bit 0: the body never changes |
//! | 3 | 0 |
//! | … | the body, filled up with 0 |
//!
//! A header is written in one piece, when the object is complete.

use super::output::{Appender, Output};
use crate::error::{Error, Result};

/// The shape of a dataset or an attribute.
pub(super) const DATASPACE: u16 = 0x0001;
/// The type of the elements.
pub(super) const DATATYPE: u16 = 0x0003;
/// What the elements are that were never written.
pub(super) const FILL_VALUE: u16 = 0x0005;
/// Where the elements lie.
pub(super) const LAYOUT: u16 = 0x0008;
/// How chunks are packed.
pub(super) const FILTERS: u16 = 0x000B;
/// A named value.
pub(super) const ATTRIBUTE: u16 = 0x000C;
/// Where the members of a group lie.
pub(super) const SYMBOL_TABLE: u16 = 0x0011;

/// The flag of a message whose body never changes.
pub(super) const CONSTANT: u8 = 1;

/// Most bytes of a message: the largest multiple of 8 that fits 16 bits.
pub(super) const MOST_BYTES: usize = 65_528;

const PREFIX: usize = 16;

/// An object header in the making.
#[derive(Debug)]
pub(super) struct Header {
    messages: u16,
    bytes: Vec<u8>,
}

impl Header {
    pub fn new() -> Self {
        Self { messages: 0, bytes: vec![0; PREFIX] }
    }

    /// Adds a message.
    ///
    /// # Errors
    /// `Caller` if the message is too long, or one too many.
    pub fn add(&mut self, kind: u16, flags: u8, body: &[u8]) -> Result<()> {
        let padded = body.len().next_multiple_of(8);
        if padded > MOST_BYTES {
            return Err(Error::caller(format!(
                "{} bytes in the header of an object, where at most {MOST_BYTES} fit",
                body.len()
            )));
        }
        self.messages = self.messages.checked_add(1).ok_or_else(|| {
            Error::caller("more attributes than the header of an object can have")
        })?;
        self.bytes.extend_from_slice(&kind.to_le_bytes());
        self.bytes.extend_from_slice(&(padded as u16).to_le_bytes());
        self.bytes.extend_from_slice(&[flags, 0, 0, 0]);
        self.bytes.extend_from_slice(body);
        self.bytes.resize(self.bytes.len() + padded - body.len(), 0);
        Ok(())
    }

    /// Writes the header and returns its address.
    pub fn write<S: Output>(mut self, out: &mut Appender<S>) -> Result<u64> {
        // At most 65,535 messages of less than 64 KiB each have less than 4 GiB.
        let bytes = (self.bytes.len() - PREFIX) as u32;
        self.bytes[0] = 1;
        self.bytes[2..4].copy_from_slice(&self.messages.to_le_bytes());
        self.bytes[4] = 1;
        self.bytes[8..12].copy_from_slice(&bytes.to_le_bytes());
        out.append_aligned(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_header_has_the_bytes_of_the_specification() {
        let mut header = Header::new();
        header.add(DATATYPE, CONSTANT, &[7, 8, 9]).unwrap();
        header.add(SYMBOL_TABLE, 0, &[1; 8]).unwrap();
        let mut out = Appender::new(Cursor::new(Vec::new()));
        out.append(b"x").unwrap();
        assert_eq!(header.write(&mut out).unwrap(), 8);
        let bytes = out.finish().unwrap().into_inner();
        assert_eq!(bytes[8..24], [1, 0, 2, 0, 1, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[24..40], [3, 0, 8, 0, 1, 0, 0, 0, 7, 8, 9, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[40..], [0x11, 0, 8, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn what_does_not_fit_a_header_is_refused() {
        let mut header = Header::new();
        header.add(ATTRIBUTE, 0, &vec![0; MOST_BYTES]).unwrap();
        assert!(header.add(ATTRIBUTE, 0, &vec![0; MOST_BYTES + 1]).is_err());
        for _ in 1..u16::MAX {
            header.add(ATTRIBUTE, 0, &[]).unwrap();
        }
        assert!(header.add(ATTRIBUTE, 0, &[]).is_err());
    }
}
