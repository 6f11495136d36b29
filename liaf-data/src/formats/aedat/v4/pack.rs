//! Compression of packet bodies, each on its own.

use std::hash::Hasher;

#[cfg(feature = "lz4")]
use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use twox_hash::XxHash32;

use super::build::EVENTS_AT;
use super::inflate::Compression;
use super::lz4_records::{self, Seen};
use super::zstd;
use crate::codec;
use crate::error::{Error, Result};
use crate::feature;

/// Largest block size of an LZ4 frame, which is enough for a whole packet, and its code in the
/// frame header.
const LZ4_BLOCK: usize = 256 << 10;
const LZ4_BLOCK_ID: u8 = 5 << 4;
/// Version 1, with independent blocks.
const LZ4_FLAGS: u8 = 1 << 6 | 1 << 5;
/// This bit in the size of a block means that the block is not compressed.
const LZ4_PLAIN: u32 = 1 << 31;

/// The codec that corresponds to a compression.
pub(crate) fn compression(choice: codec::Compression) -> Result<Compression> {
    match choice {
        codec::Compression::None => Ok(Compression::None),
        codec::Compression::Lz4 => Ok(Compression::Lz4),
        codec::Compression::Zstd => {
            feature::ZSTD.needed_to("compress by ZSTD")?;
            Ok(Compression::Zstd)
        }
        other => Err(Error::caller("AEDAT 4.0 does not support this compression").found(other)),
    }
}

/// A buffer for one compressed body, and the state that is reused for each body.
#[derive(Default)]
pub(crate) struct Packer {
    /// The compressed body.
    pub body: Vec<u8>,
    /// The error, if there was one.
    pub failed: Option<Error>,
    #[cfg(feature = "lz4")]
    lz4: Option<CompressTable>,
    seen: Option<Box<Seen>>,
    zstd: zstd::Compressor,
}

/// The contents of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// A packet of events.
    Events,
    /// Anything else.
    Other,
}

impl Packer {
    /// Compresses `plain` into `body`.
    pub(crate) fn pack(&mut self, compression: Compression, plain: &[u8], kind: Body) {
        self.body.clear();
        self.failed = match compression {
            Compression::None => {
                self.body.extend_from_slice(plain);
                None
            }
            Compression::Lz4 | Compression::Lz4High => self.lz4(plain, kind).err(),
            Compression::Zstd | Compression::ZstdHigh => {
                self.zstd.pack(plain, &mut self.body).err()
            }
        };
    }

    fn lz4(&mut self, plain: &[u8], kind: Body) -> Result<()> {
        self.body.extend(0x184d_2204_u32.to_le_bytes());
        let descriptor = [LZ4_FLAGS, LZ4_BLOCK_ID];
        let mut hash = XxHash32::with_seed(0);
        hash.write(&descriptor);
        self.body.extend(descriptor);
        self.body.push((hash.finish() >> 8) as u8);
        for block in plain.chunks(LZ4_BLOCK) {
            let size_at = self.body.len();
            let at = size_at + 4;
            self.body.resize(at, 0);
            match kind {
                Body::Events => {
                    let seen = self.seen.get_or_insert_default();
                    lz4_records::compress(block, EVENTS_AT, seen, &mut self.body);
                }
                Body::Other => self.lz4_block(block)?,
            }
            let mut entry = (self.body.len() - at) as u32;
            if entry as usize >= block.len() {
                self.body.truncate(at);
                self.body.extend_from_slice(block);
                entry = block.len() as u32 | LZ4_PLAIN;
            }
            self.body[size_at..at].copy_from_slice(&entry.to_le_bytes());
        }
        self.body.extend([0; 4]);
        Ok(())
    }

    /// Appends `plain` as it is, which the caller marks as a block that is not compressed.
    #[cfg(not(feature = "lz4"))]
    fn lz4_block(&mut self, plain: &[u8]) -> Result<()> {
        self.body.extend_from_slice(plain);
        Ok(())
    }

    /// Appends `plain` as an LZ4 block.
    #[cfg(feature = "lz4")]
    fn lz4_block(&mut self, plain: &[u8]) -> Result<()> {
        let table = self.lz4.get_or_insert_with(CompressTable::default);
        let at = self.body.len();
        self.body.resize(at + get_maximum_output_size(plain.len()), 0);
        let size =
            compress_into_with_table(plain, &mut self.body[at..], table).map_err(|error| {
                Error::system("LZ4 compression failed", std::io::Error::other(error))
            })?;
        self.body.truncate(at + size);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::inflate::Inflater;
    use super::*;

    #[test]
    fn bodies_come_back() {
        let mut state = 1_u64;
        let noise: Vec<u8> = (0..300_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
                (state >> 56) as u8
            })
            .collect();
        let mut packer = Packer::default();
        for plain in [&noise[..0], &noise[..1], &noise[..5000], &noise, &[7; 600_000]] {
            for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
                if compression == Compression::Zstd && cfg!(not(feature = "zstd")) {
                    continue;
                }
                for kind in [Body::Events, Body::Other] {
                    packer.pack(compression, plain, kind);
                    assert!(packer.failed.is_none());
                    let mut inflater = Inflater::default();
                    let again = inflater.inflate(compression, &packer.body, 1 << 20).unwrap();
                    assert!(again == plain, "{compression:?}, {kind:?}: {} bytes", plain.len());
                }
            }
        }
    }
}
