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
use super::matches::{literals, repeat};
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
///
/// A block is made of sequences ("LZ4 Block Format Description"): a token, whose upper 4 bits are
/// the number of bytes that follow as they are, and its lower 4 bits the length of a repetition
/// minus 4; these bytes; and the distance of the repetition (2 bytes, the least significant first).
/// If either number is 15, bytes follow the token or the distance that are added to it; the last of
/// them is the first that is not 255. The last sequence ends after its bytes.
pub(super) fn undo_block(packed: &[u8], out: &mut [u8]) -> Result<()> {
    let (mut from, mut at) = (0, 0);
    loop {
        (from, at) = run(packed, from, out, at);
        let token = usize::from(*packed.get(from).ok_or_else(too_short)?);
        from += 1;
        let mut length = token >> 4;
        if length == 15 {
            length = extended(length, packed, &mut from)?;
        }
        if length > packed.len() - from {
            return Err(too_short());
        }
        literals::<32>(packed, from, out, at, length).ok_or_else(wrong_length)?;
        from += length;
        at += length;
        let Some(distance) = packed.get(from..from + 2) else { break };
        let distance = usize::from(u16::from_le_bytes([distance[0], distance[1]]));
        from += 2;
        let mut length = (token & 15) + 4;
        if length == 15 + 4 {
            length = extended(length, packed, &mut from)?;
        }
        if distance == 0 || distance > at {
            return Err(Error::malformed("an LZ4 repetition starts before its block"));
        }
        if length > out.len() - at {
            return Err(wrong_length());
        }
        repeat(out, at, distance, length);
        at += length;
    }
    if from != packed.len() {
        return Err(too_short());
    }
    if at != out.len() {
        return Err(wrong_length());
    }
    Ok(())
}

/// Goes through sequences in the middle of a block, up to the first that is long, damaged, or close
/// to an end. Returns where that is in both slices.
///
/// Almost all sequences of a block are such, so this decides how fast LZ4 is.
#[inline(always)]
fn run(packed: &[u8], mut from: usize, out: &mut [u8], mut at: usize) -> (usize, usize) {
    // The longest of them: a token, 14 bytes, and a distance make a repetition of 18 bytes. Bytes are
    // read and written 16 at once, so that there must be a few more in both slices.
    const READ: usize = 1 + 16 + 2;
    const WRITTEN: usize = 14 + 18 + 16;
    while let Some(sequence) = packed.get(from..).and_then(|rest| rest.first_chunk::<READ>())
        && let Some(window) = out.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<WRITTEN>())
    {
        let token = sequence[0];
        let (literals, length) = (usize::from(token >> 4), usize::from(token & 15) + 4);
        if literals == 15 || length == 19 {
            break;
        }
        window[..16].copy_from_slice(&sequence[1..17]);
        let distance =
            usize::from(u16::from_le_bytes([sequence[1 + literals], sequence[2 + literals]]));
        let to = at + literals;
        if distance == 0 || distance > to {
            break;
        }
        let source = to - distance;
        if distance >= 8 {
            // Most repetitions are short. A load of bytes that are just being stored waits for
            // them, so none is done in vain.
            out.copy_within(source..source + 8, to);
            if length > 8 {
                out.copy_within(source + 8..source + 16, to + 8);
                out.copy_within(source + 16..source + 18, to + 16);
            }
        } else {
            repeat(out, to, distance, length);
        }
        from += 3 + literals;
        at = to + length;
    }
    (from, at)
}

/// A length and the bytes at `from` that are added to it.
fn extended(mut length: usize, packed: &[u8], from: &mut usize) -> Result<usize> {
    loop {
        let more = *packed.get(*from).ok_or_else(too_short)?;
        *from += 1;
        length = length.saturating_add(more.into());
        if more != 255 {
            return Ok(length);
        }
    }
}

fn wrong_length() -> Error {
    Error::malformed("an LZ4 block does not have the length of its block")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::filter::testing::{Random, noise};

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
        assert_eq!(error.to_string(), "an LZ4 block does not have the length of its block");
        assert!(undo(&frame(4, 6, &block), 7, &mut out).is_err());
        let mut no_block = frame(5, 6, &block);
        no_block[11] = 0;
        assert!(undo(&no_block, 5, &mut out).is_err());
    }

    #[test]
    fn sequences_of_all_kinds_are_followed() {
        let mut out = vec![0; 7 + 300 + 40 + 20];
        // 7 bytes, and 4 + 15 + 255 + 26 from 3 before; 20 + 20 bytes, and 20 from 30 before; the
        // end has no bytes of its own.
        let mut packed = vec![0x7f, 1, 2, 3, 4, 5, 6, 7, 3, 0, 255, 26, 0xff, 25];
        packed.extend(100..140);
        packed.extend([30, 0, 1, 0]);
        undo_block(&packed, &mut out).unwrap();
        assert_eq!(out[..10], [1, 2, 3, 4, 5, 6, 7, 5, 6, 7]);
        assert!(out[7..307].chunks(3).all(|three| three == [5, 6, 7]));
        assert_eq!(out[307..347], (100..140).collect::<Vec<u8>>());
        assert_eq!(out[347..], (110..130).collect::<Vec<u8>>());
        let mut error =
            |packed: &[u8], length: usize| undo_block(packed, &mut out[..length]).unwrap_err();
        let length = 367;
        for cut in 0..packed.len() {
            assert!(error(&packed[..cut], length).to_string().len() > 10, "{cut}");
        }
        assert!(error(&packed, length - 1).to_string().contains("length of its block"));
        packed[8] = 8;
        assert!(error(&packed, length).to_string().contains("before its block"));
        packed[8] = 0;
        assert!(error(&packed, length).to_string().contains("before its block"));
    }

    #[test]
    fn blocks_are_those_of_another_implementation() {
        let mut random = Random::new(5);
        let mut counts = [0; 2];
        for round in 0..400 {
            // Repetitions of all distances and lengths among bytes of few values.
            let mut bytes = noise(round, 1 + random.below(40));
            while bytes.len() < 2000 {
                let distance = 1 + random.below(bytes.len().min(70));
                for _ in 0..random.below(60) {
                    bytes.push(bytes[bytes.len() - distance]);
                }
                bytes.extend(noise(random.next(), random.below(24)));
            }
            let mut packed = lz4_flex::block::compress(&bytes);
            let mut out = vec![0; bytes.len()];
            undo_block(&packed, &mut out).unwrap();
            assert!(out == bytes);
            for _ in 0..20 {
                let at = random.below(packed.len());
                let old = std::mem::replace(&mut packed[at], random.below(256) as u8);
                let mut theirs = vec![0; bytes.len()];
                let is_whole = lz4_flex::block::decompress_into(&packed, &mut theirs)
                    .is_ok_and(|written| written == theirs.len());
                assert_eq!(undo_block(&packed, &mut out).is_ok(), is_whole);
                assert!(!is_whole || out == theirs);
                counts[usize::from(is_whole)] += 1;
                packed[at] = old;
            }
        }
        assert!(counts[0] > 1000 && counts[1] > 1000, "{counts:?}");
    }
}
