//! Writing an array into a `.npz` archive, when the length of the array is known only at its end.

use super::deflate::{Deflate, DeflateLevel, Wrap};
use super::zip::{Member, Method, Zip};
use crate::error::Result;
use crate::feature;
use crate::io::{AtomicFile, Crc32};

/// Number of bytes that are compressed together. The compressed bytes depend on it.
const PIECE: usize = 64 << 10;

/// An array that is being written: a header that may change at the end, and the elements.
///
/// In a compressed array the header is stored in an uncompressed block of its own, so that it can
/// be patched there as well.
pub(crate) struct Array {
    member: Member,
    /// Offset of the header.
    header_at: u64,
    deflate: Option<Deflate>,
    /// Bytes that wait for compression, and compressed bytes.
    plain: Vec<u8>,
    packed: Vec<u8>,
    /// The checksum of the bytes after the header.
    crc: Crc32,
    size: u64,
}

impl Array {
    /// Starts the array `name`, such as `t.npy`, at the end of `out`. Without a `level` it is not
    /// compressed.
    pub(crate) fn start(
        out: &mut AtomicFile,
        name: &str,
        header: &[u8],
        level: Option<DeflateLevel>,
    ) -> Result<Self> {
        feature::ZIP.needed_to("write zip archives")?;
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
            crc: Crc32::new(),
            size: 0,
        })
    }

    /// Appends bytes of the elements. Nothing else may be appended to `out` before the array ends.
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

    /// Compresses the bytes that wait.
    fn deflate(&mut self, out: &mut AtomicFile) -> Result<()> {
        let Some(deflate) = &mut self.deflate else { return Ok(()) };
        let added = deflate.add(&self.plain, &mut self.packed);
        self.plain.clear();
        added.map_err(|error| error.in_file(out.target()))?;
        out.append(&self.packed)?;
        self.packed.clear();
        Ok(())
    }

    /// Completes the array with its final `header`, which must be as long as the first one.
    pub(crate) fn end(mut self, zip: &mut Zip, out: &mut AtomicFile, header: &[u8]) -> Result<()> {
        self.deflate(out)?;
        if let Some(deflate) = &mut self.deflate {
            deflate.end(&mut self.packed).map_err(|error| error.in_file(out.target()))?;
            out.append(&self.packed)?;
        }
        out.patch(self.header_at, header)?;
        let mut crc = Crc32::new();
        crc.update(header);
        crc.combine(&self.crc);
        zip.end(out, self.member, crc.finalize(), header.len() as u64 + self.size)
    }
}

/// The header of an uncompressed block of `length` bytes, at most 65,535, in a deflate stream:
/// flags for "not the last block, stored", then the length and its complement.
fn stored_block(length: usize) -> [u8; 5] {
    let [low, high] = (length as u16).to_le_bytes();
    [0, low, high, !low, !high]
}
