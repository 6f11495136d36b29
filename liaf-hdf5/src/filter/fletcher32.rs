//! Fletcher-32, filter 3: a checksum after the bytes.
//!
//! The chunk is followed by 4 bytes, the checksum with its least significant byte first. It is that
//! of `H5_checksum_fletcher32` in the HDF5 library: the bytes are taken as words of 16 bits with the
//! most significant byte first, where a last odd byte is the upper half of a word. `sum1` is the sum
//! of the words and `sum2` the sum of all values that `sum1` had, both modulo 65535; a sum that is
//! a multiple of 65535 is 65535, and 0 only if all words are 0. The checksum is
//! `sum2 << 16 | sum1`, and both sums start at 0.
//!
//! Before version 1.6.3, the library on little-endian machines took the words with the least
//! significant byte first, which swaps the two bytes of each sum. As the library does, both are
//! accepted.

use super::bytes::too_short;
use crate::error::{Error, Result};

const LANES: usize = 8;
/// How many words each lane adds before its sums are reduced. The second sum is then at most
/// 65535 * 256 * 257 / 2, which fits 32 bits.
const ROUNDS: usize = 256;

/// Verifies the checksum and returns the bytes before it.
pub(super) fn verified(packed: &[u8]) -> Result<&[u8]> {
    let (bytes, stored) = packed.split_last_chunk().ok_or_else(too_short)?;
    let stored = u32::from_le_bytes(*stored);
    let computed = checksum(bytes);
    let swapped = (computed & 0x00ff_00ff) << 8 | (computed >> 8) & 0x00ff_00ff;
    if stored != computed && stored != swapped {
        return Err(Error::malformed(format!(
            "the Fletcher-32 checksum of the chunk is {stored:08x}, but its bytes have \
             {computed:08x}"
        )));
    }
    Ok(bytes)
}

/// The checksum of `bytes`.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let (mut sum1, mut sum2) = (0_u64, 0_u64);
    // Lane l of round r has word r * LANES + l. Each lane has its own two sums, so that the loop
    // is made of plain additions of vectors. A word with w words after it counts w + 1 times in
    // sum2; the lane counts it once for each round that is left, and what that is too much, l times
    // for each word of lane l, is subtracted at the end.
    let (blocks, rest) = bytes.as_chunks::<{ 2 * LANES }>();
    for block in blocks.chunks(ROUNDS) {
        let (mut first, mut second) = ([0_u32; LANES], [0_u32; LANES]);
        for words in block {
            for (lane, word) in words.as_chunks().0.iter().enumerate() {
                first[lane] += u32::from(u16::from_be_bytes(*word));
                second[lane] += first[lane];
            }
        }
        sum2 += (block.len() * LANES) as u64 * sum1;
        for lane in 0..LANES {
            sum1 += u64::from(first[lane]);
            sum2 += LANES as u64 * u64::from(second[lane]) - lane as u64 * u64::from(first[lane]);
        }
        (sum1, sum2) = (fold(sum1), fold(sum2));
    }
    for word in rest.chunks(2) {
        let low = word.get(1).copied().unwrap_or(0);
        sum1 += u64::from(u16::from_be_bytes([word[0], low]));
        sum2 += sum1;
    }
    (fold(sum2) as u32) << 16 | fold(sum1) as u32
}

/// A number of 16 bits that is the same modulo 65535, and 0 only for 0.
fn fold(mut sum: u64) -> u64 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::testing::noise;

    /// The definition, word by word.
    fn plain(bytes: &[u8]) -> u32 {
        let (mut sum1, mut sum2) = (0_u64, 0_u64);
        for word in bytes.chunks(2) {
            sum1 += u64::from(word[0]) << 8 | u64::from(word.get(1).copied().unwrap_or(0));
            sum2 += sum1;
        }
        (fold(sum2) as u32) << 16 | fold(sum1) as u32
    }

    #[test]
    fn checksums_are_those_of_the_definition() {
        assert_eq!(checksum(&[]), 0);
        assert_eq!(checksum(&[1]), 0x0100_0100);
        assert_eq!(checksum(&[1, 2, 3, 4]), 0x0508_0406);
        assert_eq!(checksum(&[0xff, 0xff]), 0xffff_ffff);
        let lengths = (0..70).chain([4095, 4096, 4097, 8192, 12_345]);
        for length in lengths {
            for bytes in [vec![0; length], vec![0xff; length], noise(5, length)] {
                assert_eq!(checksum(&bytes), plain(&bytes), "{length}");
            }
        }
    }

    #[test]
    fn both_orders_are_accepted_and_damage_is_not() {
        let bytes = noise(2, 1001);
        let sum = checksum(&bytes).to_le_bytes();
        let [a, b, c, d] = sum;
        for order in [[a, b, c, d], [b, a, d, c]] {
            let packed = [&bytes[..], &order].concat();
            assert_eq!(verified(&packed).unwrap(), bytes);
        }
        let mut packed = [&bytes[..], &sum].concat();
        for at in [0, 500, 1000, 1001, 1004] {
            packed[at] ^= 0x10;
            let error = verified(&packed).unwrap_err();
            assert!(error.to_string().contains("checksum"), "{error}");
            packed[at] ^= 0x10;
        }
        assert!(verified(&[0; 3]).is_err());
        assert!(verified(&[0; 4]).unwrap().is_empty());
    }
}
