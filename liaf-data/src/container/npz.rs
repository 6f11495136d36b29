//! An array in a `.npz` archive whose length is known only at its end.

use crc32fast::Hasher;

use super::deflate::{Deflate, DeflateLevel, Wrap};
use super::zip::{Member, Method, Zip};
use crate::error::Result;
use crate::io::AtomicFile;

/// Bytes that are deflated together: what comes out depends on how they are cut.
const PIECE: usize = 64 << 10;

/// An array in the making: a header that may change at the end, and what follows it.
///
/// In a deflated array the header stands in a block of its own that is stored as it is, so that it
/// can be patched there too.
pub(crate) struct Array {
    member: Member,
    /// Where the header is.
    header_at: u64,
    deflate: Option<Deflate>,
    /// What waits to be deflated, and what is.
    plain: Vec<u8>,
    packed: Vec<u8>,
    /// Of what follows the header.
    crc: Hasher,
    size: u64,
}

impl Array {
    /// Begins the array `name`, such as `t.npy`, at the end of `out`; stored if there is no `level`.
    pub(crate) fn start(
        out: &mut AtomicFile,
        name: &'static str,
        header: &[u8],
        level: Option<DeflateLevel>,
    ) -> Result<Self> {
        let method = if level.is_some() { Method::Deflated } else { Method::Stored };
        let member = Zip::start(out, name, method)?;
        if level.is_some() {
            out.append(&stored_block(header.len()))?;
        }
        let header_at = out.length();
        out.append(header)?;
        Ok(Self {
            member,
            header_at,
            deflate: level.map(|level| Deflate::new(level, Wrap::None)),
            plain: Vec::new(),
            packed: Vec::new(),
            crc: Hasher::new(),
            size: 0,
        })
    }

    /// Adds bytes of the elements; nothing else may be appended to `out` meanwhile.
    pub(crate) fn append(&mut self, out: &mut AtomicFile, bytes: &[u8]) -> Result<()> {
        self.crc.update(bytes);
        self.size += bytes.len() as u64;
        if self.deflate.is_none() {
            return out.append(bytes);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let n = rest.len().min(PIECE - self.plain.len());
            self.plain.extend_from_slice(&rest[..n]);
            rest = &rest[n..];
            if self.plain.len() == PIECE {
                self.deflate(out)?;
            }
        }
        Ok(())
    }

    /// Deflates what waits.
    fn deflate(&mut self, out: &mut AtomicFile) -> Result<()> {
        let Some(deflate) = &mut self.deflate else { return Ok(()) };
        let added = deflate.add(&self.plain, &mut self.packed);
        self.plain.clear();
        added.map_err(|error| error.in_file(out.target()))?;
        out.append(&self.packed)?;
        self.packed.clear();
        Ok(())
    }

    /// Completes the array under its final `header`, as long as the first one.
    pub(crate) fn end(mut self, zip: &mut Zip, out: &mut AtomicFile, header: &[u8]) -> Result<()> {
        self.deflate(out)?;
        if let Some(deflate) = &mut self.deflate {
            deflate.end(&mut self.packed).map_err(|error| error.in_file(out.target()))?;
            out.append(&self.packed)?;
        }
        out.patch(self.header_at, header)?;
        let mut crc = Hasher::new();
        crc.update(header);
        crc.combine(&self.crc);
        zip.end(out, self.member, crc.finalize(), header.len() as u64 + self.size)
    }
}

/// What stands in front of `length` bytes, at most 65,535, that a deflated stream holds as they are:
/// not the last block, stored, and its length twice.
fn stored_block(length: usize) -> [u8; 5] {
    let [low, high] = (length as u16).to_le_bytes();
    [0, low, high, !low, !high]
}
