//! Blosc, filter 32001: blocks that are shuffled and then compressed.
//!
//! The bytes are one chunk of Blosc 1 (`README_CHUNK_FORMAT.rst` and `blosc.c` of C-Blosc), whose
//! numbers have their least significant byte first:
//!
//! | bytes | meaning |
//! |---|---|
//! | 0 | version of the format, 2 |
//! | 1 | version of the format of the codec, 1 |
//! | 2 | flags |
//! | 3 | size of an element |
//! | 4..8 | size of the unpacked chunk |
//! | 8..12 | size of an unpacked block; the last block may be shorter |
//! | 12..16 | size of the packed chunk, with this header |
//! | 16.. | for each block, the offset in the chunk where it starts (4 bytes) |
//!
//! Flags: 1 the bytes are shuffled, 2 the unpacked bytes follow the header as they are, 4 the bits
//! are shuffled, 16 blocks are not split; the upper 3 bits are the codec: 0 BloscLZ, 1 LZ4 (and
//! LZ4HC), 2 Snappy, which is not read, 3 zlib, 4 Zstandard.
//!
//! A block is split in as many parts as an element has bytes if it is not the shorter last one,
//! elements have at most 16 bytes, a block has at least 128 of them, and no flag says otherwise.
//! Each part is its packed size (4 bytes) and then its packed bytes, or the bytes as they are if that
//! size equals the unpacked size. The bits of a block are only shuffled if it has a multiple of 8
//! elements. Its bytes after the last whole element are never shuffled.
//!
//! What the `values` of the filter say stands in the chunk as well.

use super::bitshuffle::bitunshuffle;
use super::bytes::{length, set_length, too_long, too_short, u32_le};
use super::decoders::Decoders;
use super::shuffle::unshuffle;
use super::{blosclz, lz4, zstd};
use crate::error::{Error, ErrorKind, Result};

const HEADER: usize = 16;
const SHUFFLED: u8 = 1;
const STORED: u8 = 2;
const BITS_SHUFFLED: u8 = 4;
const UNKNOWN: u8 = 8;
const NOT_SPLIT: u8 = 16;

/// What the header says.
struct Header {
    flags: u8,
    element: usize,
    codec: Codec,
}

#[derive(Clone, Copy)]
enum Codec {
    BloscLz,
    Lz4,
    Zlib,
    Zstd,
}

/// Undoes the filter.
pub(super) fn undo(
    packed: &[u8],
    most: usize,
    decoders: &mut Decoders,
    out: &mut Vec<u8>,
) -> Result<()> {
    let Some(&[version, codec_version, flags, element]) = packed.first_chunk() else {
        return Err(too_short());
    };
    let size = length(u32_le(packed, 4)?);
    let block = length(u32_le(packed, 8)?);
    let packed = packed.get(..length(u32_le(packed, 12)?)).ok_or_else(too_short)?;
    if version != 2 {
        let why = format!("version {version} of the format of Blosc is not read");
        return Err(Error::new(ErrorKind::Unsupported, why));
    }
    if size > most {
        return Err(too_long(most));
    }
    set_length(out, size)?;
    if size == 0 {
        return Ok(());
    }
    if block == 0 || block > size || element == 0 || flags & UNKNOWN != 0 {
        return Err(Error::malformed("the header of a Blosc chunk contradicts itself"));
    }
    if flags & STORED != 0 {
        let bytes = packed.get(HEADER..).filter(|bytes| bytes.len() == size);
        out.copy_from_slice(bytes.ok_or_else(too_short)?);
        return Ok(());
    }
    let codec = codec(flags >> 5)?;
    if codec_version != 1 {
        let why = format!("version {codec_version} of a codec of Blosc is not read");
        return Err(Error::new(ErrorKind::Unsupported, why));
    }
    let header = Header { flags, element: element.into(), codec };
    let starts = packed.get(HEADER..HEADER + 4 * size.div_ceil(block)).ok_or_else(too_short)?;
    for (start, out) in starts.as_chunks().0.iter().zip(out.chunks_mut(block)) {
        let start = length(u32::from_le_bytes(*start));
        let bytes = packed.get(start..).ok_or_else(too_short)?;
        undo_block(&header, bytes, out.len() < block, decoders, out)?;
    }
    Ok(())
}

fn codec(number: u8) -> Result<Codec> {
    Ok(match number {
        0 => Codec::BloscLz,
        1 => Codec::Lz4,
        2 => return Err(Error::unsupported("Snappy inside Blosc is not read")),
        3 => Codec::Zlib,
        4 if zstd::IS_READ => Codec::Zstd,
        4 => return Err(super::names::without_zstd()),
        _ => return Err(Error::unsupported(format!("codec {number} inside Blosc is not read"))),
    })
}

/// Unpacks the block that starts at the first of `packed` and fills `out`.
fn undo_block(
    header: &Header,
    packed: &[u8],
    is_short: bool,
    decoders: &mut Decoders,
    out: &mut [u8],
) -> Result<()> {
    let element = header.element;
    let is_split = header.flags & NOT_SPLIT == 0 && element <= 16 && out.len() / element >= 128;
    let parts = if is_split && !is_short { element } else { 1 };
    if !out.len().is_multiple_of(parts) {
        return Err(Error::malformed("a Blosc block cannot be split into equal parts"));
    }
    let Decoders { inflater, zstd, block, planes } = decoders;
    let mut undo_parts = |out: &mut [u8]| {
        let mut at = 0;
        for out in out.chunks_exact_mut(out.len() / parts) {
            let stored = length(u32_le(packed, at)?);
            let bytes = packed[at + 4..].get(..stored).ok_or_else(too_short)?;
            at += 4 + stored;
            if stored == out.len() {
                out.copy_from_slice(bytes);
                continue;
            }
            match header.codec {
                Codec::BloscLz => blosclz::undo_block(bytes, out),
                Codec::Lz4 => lz4::undo_block(bytes, out),
                Codec::Zlib => inflater.undo_block(bytes, out),
                Codec::Zstd => zstd::undo_block(bytes, zstd, out),
            }?;
        }
        Ok(())
    };
    let elements = out.len() / element;
    if header.flags & SHUFFLED != 0 && element > 1 {
        set_length(block, out.len())?;
        undo_parts(block)?;
        unshuffle(element, block, out);
    } else if header.flags & BITS_SHUFFLED != 0 && elements > 0 && elements.is_multiple_of(8) {
        set_length(block, out.len())?;
        undo_parts(block)?;
        let (rows, rest) = block.split_at(elements * element);
        let (out, out_rest) = out.split_at_mut(rows.len());
        bitunshuffle(element, rows, planes, out)?;
        out_rest.copy_from_slice(rest);
    } else {
        undo_parts(out)?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::filter::bitshuffle::tests::bitshuffled;
    use crate::filter::shuffle::tests::shuffled;
    use crate::filter::testing::noise;

    /// A chunk of blocks whose parts are not compressed, or are packed by `pack`.
    pub(crate) fn chunk(
        flags: u8,
        element: u8,
        block: usize,
        bytes: &[u8],
        pack: impl Fn(&[u8]) -> Vec<u8>,
    ) -> Vec<u8> {
        let n = usize::from(element);
        let count = bytes.len().div_ceil(block);
        let (mut starts, mut blocks) = (Vec::new(), Vec::new());
        for raw in bytes.chunks(block) {
            starts.extend(((HEADER + 4 * count + blocks.len()) as u32).to_le_bytes());
            let whole = raw.len() / n * n;
            let mixed = match flags & 5 {
                1 => shuffled(n, raw),
                4 if raw.len() / n % 8 == 0 => {
                    [&bitshuffled(n, &raw[..whole]), &raw[whole..]].concat()
                }
                _ => raw.to_vec(),
            };
            let is_split = flags & 16 == 0 && n <= 16 && raw.len() / n >= 128 && raw.len() == block;
            for part in mixed.chunks(if is_split { raw.len() / n } else { raw.len() }) {
                let packed = pack(part);
                blocks.extend((packed.len() as u32).to_le_bytes());
                blocks.extend(packed);
            }
        }
        let mut out = vec![2, 1, flags, element];
        for number in [bytes.len(), block, HEADER + starts.len() + blocks.len()] {
            out.extend((number as u32).to_le_bytes());
        }
        [out, starts, blocks].concat()
    }

    fn undone(packed: &[u8], most: usize) -> Result<Vec<u8>> {
        let mut out = vec![1; 3];
        undo(packed, most, &mut Decoders::default(), &mut out)?;
        Ok(out)
    }

    /// All bytes as one literal, as LZ4 writes what does not compress.
    fn lz4(part: &[u8]) -> Vec<u8> {
        lz4_flex::block::compress(part)
    }

    #[test]
    fn blocks_splits_and_shuffles_are_undone() {
        for element in [1, 2, 3, 4, 8, 16, 17, 255] {
            for n in [1, 7, 8, 127, 128, 129, 400] {
                for rest in [0, element - 1] {
                    let bytes = noise(8, n * element + rest);
                    for block in [1, 8, 128, n].map(|elements| elements * element) {
                        for flags in [0, 1, 4, 16, 17, 20] {
                            let block = block.min(bytes.len());
                            let stored = chunk(flags, element as u8, block, &bytes, <[u8]>::to_vec);
                            assert!(undone(&stored, bytes.len()).unwrap() == bytes);
                            let packed = chunk(flags | 1 << 5, element as u8, block, &bytes, lz4);
                            assert!(undone(&packed, bytes.len()).unwrap() == bytes);
                            assert!(undone(&packed, bytes.len() - 1).is_err());
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_chunk_is_read_as_its_layout_says() {
        // BloscLZ: "ab", then 6 from 2 before, then "c".
        let block = [1, b'a', b'b', 0x80, 1, 0, b'c'];
        let header = [2, 1, 0, 1, 9, 0, 0, 0, 9, 0, 0, 0, 31, 0, 0, 0, 20, 0, 0, 0, 7, 0, 0, 0];
        assert_eq!(undone(&[&header[..], &block].concat(), 9).unwrap(), b"ababababc");
        let stored = [2, 1, 2, 1, 3, 0, 0, 0, 3, 0, 0, 0, 19, 0, 0, 0, 7, 8, 9, 10];
        assert_eq!(undone(&stored, 3).unwrap(), [7, 8, 9]);
        let empty = [2, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0];
        assert!(undone(&empty, 3).unwrap().is_empty());
    }

    #[test]
    fn headers_that_cannot_be_are_errors() {
        let good = chunk(1 | 1 << 5, 4, 1024, &noise(8, 3000), lz4);
        assert!(undone(&good, 3000).is_ok());
        let with = |at: usize, byte: u8| {
            let mut bad = good.clone();
            bad[at] = byte;
            undone(&bad, 3000).unwrap_err()
        };
        assert_eq!(with(0, 3).kind(), ErrorKind::Unsupported);
        assert_eq!(with(1, 2).kind(), ErrorKind::Unsupported);
        assert_eq!(with(2, 2 << 5).to_string(), "Snappy inside Blosc is not read");
        assert_eq!(with(2, 5 << 5).kind(), ErrorKind::Unsupported);
        assert_eq!(with(2, 8 | 1 << 5).kind(), ErrorKind::Malformed);
        assert_eq!(with(3, 0).kind(), ErrorKind::Malformed);
        assert_eq!(with(3, 3).to_string(), "a Blosc block cannot be split into equal parts");
        assert!(with(7, 1).to_string().contains("unpacks to more"));
        assert_eq!(with(11, 1).kind(), ErrorKind::Malformed);
        assert_eq!(with(14, 1).kind(), ErrorKind::Truncated);
        assert_eq!(with(19, 1).kind(), ErrorKind::Truncated);
        for cut in 0..good.len() {
            assert_eq!(undone(&good[..cut], 3000).unwrap_err().kind(), ErrorKind::Truncated);
        }
    }

    #[test]
    fn other_codecs_are_called() {
        let bytes = vec![5; 2000];
        let zlib = |part: &[u8]| {
            let mut deflate = zlib_rs::Deflate::new(6, true, 15);
            let mut out = vec![0; 4000];
            deflate.compress(part, &mut out, zlib_rs::DeflateFlush::Finish).unwrap();
            out.truncate(deflate.total_out() as usize);
            out
        };
        let packed = chunk(1 | 3 << 5, 4, 1024, &bytes, zlib);
        assert_eq!(undone(&packed, 2000).unwrap(), bytes);
        #[cfg(feature = "zstd")]
        {
            let zstd = |part: &[u8]| ::zstd::bulk::compress(part, 3).unwrap();
            let packed = chunk(1 | 4 << 5, 4, 1024, &bytes, zstd);
            assert_eq!(undone(&packed, 2000).unwrap(), bytes);
        }
    }
}
