//! Bitshuffle, filter 32008: the bits of the elements of a block, transposed.
//!
//! `values` are the version (two numbers), the size of an element in bytes `k`, the number of
//! elements of a block (0 for the default), and the compression: 0 or nothing for none, 2 for LZ4,
//! 3 for Zstandard (`bshuf_h5filter.c` and `bitshuffle.c` of Bitshuffle).
//!
//! Blocks have a multiple of 8 elements. By default they have 8192 bytes, but at least 128 elements.
//! The last block has what is left, rounded down to a multiple of 8 elements; the elements after it,
//! fewer than 8, stay as they are. A block of `n` elements is `8 * k` rows of `n / 8` bytes: row
//! `8 * i + j` has bit `j` of byte `i` of each element, and of its bytes the lowest bit first.
//!
//! With compression, the blocks follow a header of 12 bytes: the size of the unpacked chunk in
//! bytes (8 bytes) and the size of a block in bytes (4), which replaces that in `values`. Each
//! packed block comes after its own size (4 bytes). All these numbers have their most significant
//! byte first. The elements after the last block follow without a size.

use super::bytes::{array, length, set_length, too_long, too_short, u32_be};
use super::decoders::Decoders;
use super::shuffle::unshuffle;
use super::{lz4, zstd};
use crate::error::{Error, ErrorKind, Result};

/// How the blocks are packed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Codec {
    None,
    Lz4,
    Zstd,
}

/// Whether Zstandard is needed to read what has these `values`.
pub(super) fn needs_zstd(values: &[u32]) -> bool {
    values.get(4) == Some(&3)
}

/// Undoes the filter.
pub(super) fn undo(
    values: &[u32],
    packed: &[u8],
    most: usize,
    decoders: &mut Decoders,
    out: &mut Vec<u8>,
) -> Result<()> {
    let codec = match values.get(4) {
        None | Some(0) => Codec::None,
        Some(2) => Codec::Lz4,
        Some(3) => Codec::Zstd,
        Some(other) => {
            let why = format!("compression {other} inside bitshuffle is not read");
            return Err(Error::new(ErrorKind::Unsupported, why));
        }
    };
    let element = length(values.get(2).copied().unwrap_or(0));
    if element == 0 {
        return Err(Error::malformed("the bitshuffle filter does not give a size of elements"));
    }
    let (size, mut block, mut at) = if codec == Codec::None {
        (packed.len(), length(values.get(3).copied().unwrap_or(0)), 0)
    } else {
        let size = length(u64::from_be_bytes(array(packed, 0)?));
        (size, length(u32_be(packed, 8)?) / element, 12)
    };
    if size > most {
        return Err(too_long(most));
    }
    if size % element != 0 {
        return Err(Error::malformed(format!(
            "a chunk of {size} bytes has no whole number of elements of {element} bytes"
        )));
    }
    if block == 0 {
        block = (8192 / element / 8 * 8).max(128);
    }
    if block % 8 != 0 {
        return Err(Error::malformed(format!(
            "a bitshuffle block has {block} elements, not a multiple of 8"
        )));
    }
    set_length(out, size)?;
    let (blocks, rest) = out.split_at_mut(size - size / element % 8 * element);
    for out in blocks.chunks_mut(block.saturating_mul(element)) {
        let stored = match codec {
            Codec::None => out.len(),
            Codec::Lz4 | Codec::Zstd => {
                at += 4;
                length(u32_be(packed, at - 4)?)
            }
        };
        let bytes = packed[at..].get(..stored).ok_or_else(too_short)?;
        at += stored;
        let Decoders { block, planes, zstd, .. } = decoders;
        if codec == Codec::None {
            bitunshuffle(element, bytes, planes, out)?;
            continue;
        }
        set_length(block, out.len())?;
        match codec {
            Codec::Zstd => zstd::undo_block(bytes, zstd, block)?,
            _ => lz4::undo_block(bytes, block)?,
        }
        bitunshuffle(element, block, planes, out)?;
    }
    rest.copy_from_slice(packed[at..].get(..rest.len()).ok_or_else(too_short)?);
    Ok(())
}

/// Transposes the bits of one block of a multiple of 8 elements back. `rows` and `out` have the same
/// length; `planes` is used in between.
pub(super) fn bitunshuffle(
    element: usize,
    rows: &[u8],
    planes: &mut Vec<u8>,
    out: &mut [u8],
) -> Result<()> {
    // The 8 rows of one byte of the elements are interleaved byte by byte, which is what the filter
    // "shuffle" undoes for elements of 8 bytes. Each 8 bytes are then one byte of 8 elements, with
    // their bits as a matrix of 8 by 8. Transposed, they are a plane of bytes as "shuffle" makes it.
    let plane = rows.len() / element;
    if plane == 0 {
        return Ok(());
    }
    let to_planes = |planes: &mut [u8]| {
        for (rows, plane) in rows.chunks_exact(plane).zip(planes.chunks_exact_mut(plane)) {
            unshuffle(8, rows, plane);
            for bits in plane.as_chunks_mut().0 {
                *bits = transposed(u64::from_le_bytes(*bits)).to_le_bytes();
            }
        }
    };
    if element == 1 {
        to_planes(out);
        return Ok(());
    }
    set_length(planes, rows.len())?;
    to_planes(planes);
    unshuffle(element, planes, out);
    Ok(())
}

/// The matrix of 8 by 8 bits, transposed: squares of 1, 2, and 4 bits change places across the
/// diagonal.
#[inline(always)]
fn transposed(mut bits: u64) -> u64 {
    for (shift, mask) in
        [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)]
    {
        let swapped = (bits ^ (bits >> shift)) & mask;
        bits ^= swapped ^ (swapped << shift);
    }
    bits
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::filter::testing::noise;

    /// One block as a writer transposes it, bit by bit from the definition.
    pub(crate) fn bitshuffled(element: usize, bytes: &[u8]) -> Vec<u8> {
        let n = bytes.len() / element;
        let mut out = vec![0; bytes.len()];
        for (i, byte) in bytes.iter().enumerate() {
            let (index, i) = (i / element, i % element);
            for j in 0..8 {
                out[(8 * i + j) * (n / 8) + index / 8] |= (byte >> j & 1) << (index % 8);
            }
        }
        out
    }

    /// The filter as a writer applies it.
    pub(crate) fn packed(values: &[u32], block: usize, bytes: &[u8]) -> Vec<u8> {
        let element = values[2] as usize;
        let mut out = Vec::new();
        if values[4] != 0 {
            out.extend((bytes.len() as u64).to_be_bytes());
            out.extend(((block * element) as u32).to_be_bytes());
        }
        let whole = bytes.len() / element / 8 * 8 * element;
        for block in bytes[..whole].chunks(block * element) {
            let shuffled = bitshuffled(element, block);
            let packed = match values[4] {
                2 => lz4_flex::block::compress(&shuffled),
                #[cfg(feature = "zstd")]
                3 => ::zstd::bulk::compress(&shuffled, 3).unwrap(),
                _ => {
                    out.extend(shuffled);
                    continue;
                }
            };
            out.extend((packed.len() as u32).to_be_bytes());
            out.extend(packed);
        }
        out.extend(&bytes[whole..]);
        out
    }

    #[test]
    fn bits_return_to_their_elements() {
        // Eight elements of one byte with the values 1, 2, 4, …: a matrix with a diagonal of ones.
        let mut out = Vec::new();
        let diagonal = [1, 2, 4, 8, 16, 32, 64, 128];
        let undone = |packed: &[u8], out: &mut Vec<u8>| {
            undo(&[0, 4, 1, 0], packed, 100, &mut Decoders::default(), out)
        };
        undone(&diagonal, &mut out).unwrap();
        assert_eq!(out, diagonal);
        // The lowest bit of all elements, and two elements after the block.
        undone(&[255, 0, 0, 0, 0, 0, 0, 0, 9, 7], &mut out).unwrap();
        assert_eq!(out, [1, 1, 1, 1, 1, 1, 1, 1, 9, 7]);
    }

    #[test]
    fn every_size_and_compression_is_undone() {
        let codecs: &[u32] = if cfg!(feature = "zstd") { &[0, 2, 3] } else { &[0, 2] };
        let (mut decoders, mut out) = (Decoders::default(), Vec::new());
        for &codec in codecs {
            for element in [1, 2, 3, 4, 8, 12, 100] {
                for n in [0, 1, 7, 8, 9, 16, 127, 128, 129, 1000] {
                    for (stated, block) in
                        [(0, (8192 / element / 8 * 8).max(128)), (8, 8), (64, 64)]
                    {
                        let values = [0, 4, element as u32, stated, codec];
                        let bytes = noise(9, n * element);
                        let packed = packed(&values, block, &bytes);
                        undo(&values, &packed, bytes.len(), &mut decoders, &mut out).unwrap();
                        assert!(out == bytes, "{codec} {element} {n} {block}");
                    }
                }
            }
        }
    }

    #[test]
    fn sizes_that_cannot_be_are_errors() {
        let error = |values: &[u32], packed: &[u8]| {
            undo(values, packed, 64, &mut Decoders::default(), &mut Vec::new()).unwrap_err()
        };
        assert!(error(&[0, 4], &[0; 8]).to_string().contains("size of elements"));
        assert!(error(&[0, 4, 0], &[0; 8]).to_string().contains("size of elements"));
        assert!(error(&[0, 4, 3], &[0; 8]).to_string().contains("whole number"));
        assert!(error(&[0, 4, 2, 12], &[0; 8]).to_string().contains("multiple of 8"));
        assert_eq!(error(&[0, 4, 2, 8, 1], &[0; 8]).kind(), ErrorKind::Unsupported);
        assert_eq!(error(&[0, 4, 2, 8, 2], &[0; 11]).kind(), ErrorKind::Truncated);
        assert!(error(&[0, 4, 1], &[0; 65]).to_string().contains("unpacks to more"));
        let huge = [0xff; 40];
        assert!(error(&[0, 4, 2, 8, 2], &huge).to_string().contains("unpacks to more"));
        assert!(
            undo(&[0, 4, u32::MAX, u32::MAX - 7], &[], 64, &mut Decoders::default(), &mut vec![])
                .is_ok()
        );
    }
}
