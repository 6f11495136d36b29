//! LZ4, filter 32004: blocks of LZ4 in a frame of the filter's own.
//!
//! All numbers have their most significant byte first (`H5Zlz4.c` of The HDF Group's filter):
//!
//! | bytes | meaning |
//! |---|---|
//! | 0..8 | size of the unpacked chunk |
//! | 8..12 | size of an unpacked block; the last block may be shorter |
//! | then for each block: 4 | size of the packed block, `p` |
//! | `p` | an LZ4 block, or the bytes as they are if `p` is the size of the unpacked block |
//!
//! Bytes after the last block are ignored. `values[0]` is the size of a block that the writer was
//! asked for.

use super::bytes::{array, length, set_length, too_long, too_short, u32_be};
use crate::error::{Error, Result};

/// Undoes the filter.
pub(super) fn undo(packed: &[u8], most: usize, out: &mut Vec<u8>) -> Result<()> {
    let size = length(u64::from_be_bytes(array(packed, 0)?));
    let block = length(u32_be(packed, 8)?);
    if size > most {
        return Err(too_long(most));
    }
    if block == 0 && size > 0 {
        return Err(Error::malformed("the LZ4 blocks of a chunk have no bytes"));
    }
    set_length(out, size)?;
    let mut at = 12;
    for out in out.chunks_mut(block.max(1)) {
        let stored = length(u32_be(packed, at)?);
        let bytes = packed[at + 4..].get(..stored).ok_or_else(too_short)?;
        at += 4 + stored;
        if stored == out.len() {
            out.copy_from_slice(bytes);
        } else {
            undo_block(bytes, out)?;
        }
    }
    Ok(())
}

/// Unpacks one LZ4 block, which must fill `out`.
pub(super) fn undo_block(packed: &[u8], out: &mut [u8]) -> Result<()> {
    match lz4_flex::block::decompress_into(packed, out) {
        Ok(written) if written == out.len() => Ok(()),
        Ok(written) => Err(Error::malformed(format!(
            "an LZ4 block has {written} bytes instead of {}",
            out.len()
        ))),
        Err(error) => Err(Error::malformed(format!("an LZ4 block is damaged: {error}"))),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::filter::testing::noise;

    /// The filter as a writer applies it.
    pub(crate) fn packed(bytes: &[u8], block: usize) -> Vec<u8> {
        let mut out = (bytes.len() as u64).to_be_bytes().to_vec();
        out.extend((block as u32).to_be_bytes());
        for block in bytes.chunks(block.max(1)) {
            let mut packed = lz4_flex::block::compress(block);
            if packed.len() >= block.len() {
                packed = block.to_vec();
            }
            out.extend((packed.len() as u32).to_be_bytes());
            out.extend(packed);
        }
        out
    }

    #[test]
    fn blocks_are_unpacked() {
        let mut out = vec![1, 2];
        for length in [0, 1, 100, 1000, 4096] {
            for bytes in [noise(4, length), vec![7; length]] {
                for block in [1, 100, 1000, 4096, 1 << 30] {
                    let packed = packed(&bytes, block);
                    undo(&packed, length, &mut out).unwrap();
                    assert_eq!(out, bytes);
                    if length > 0 {
                        assert!(undo(&packed, length - 1, &mut out).is_err());
                    }
                    for cut in (0..packed.len()).step_by(7) {
                        assert!(undo(&packed[..cut], length, &mut out).is_err(), "{cut}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_block_is_read_as_its_layout_says() {
        // A literal run of 5, as LZ4 ends its blocks, in a chunk of 5 and in one of 6 bytes.
        let block = [0x50, b'h', b'e', b'l', b'l', b'o'];
        let frame = |size: u8, stored: u8, block: &[u8]| {
            [&[0, 0, 0, 0, 0, 0, 0, size, 0, 0, 0, 9, 0, 0, 0, stored], block].concat()
        };
        let mut out = Vec::new();
        undo(&frame(5, 6, &block), 5, &mut out).unwrap();
        assert_eq!(out, b"hello");
        // Six bytes stored for six bytes are no LZ4 block.
        undo(&frame(6, 6, &block), 6, &mut out).unwrap();
        assert_eq!(out, block);
        let error = undo(&frame(7, 6, &block), 7, &mut out).unwrap_err();
        assert_eq!(error.to_string(), "an LZ4 block has 5 bytes instead of 7");
        assert!(undo(&frame(4, 6, &block), 7, &mut out).is_err());
        let mut no_block = frame(5, 6, &block);
        no_block[11] = 0;
        assert!(undo(&no_block, 5, &mut out).is_err());
    }
}
