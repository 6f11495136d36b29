//! Numbers of any count of bits, one after the other, the most significant bit first.

use super::bytes::too_short;
use crate::error::Result;

/// Reads numbers from a slice.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// The next bits, the first of them at the top.
    pending: u64,
    /// How many bits are in `pending`; below them are zeros.
    count: u32,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, pending: 0, count: 0 }
    }

    /// The next `n` bits, at most 32, as a number.
    fn short(&mut self, n: u32) -> Result<u64> {
        if self.count < n {
            // Afterwards there are at least 32 bits, unless the bytes end.
            if let Some((four, rest)) = self.bytes.split_first_chunk() {
                self.push(u32::from_be_bytes(*four).into(), 32);
                self.bytes = rest;
            } else {
                for &byte in std::mem::take(&mut self.bytes) {
                    self.push(byte.into(), 8);
                }
            }
            if self.count < n {
                return Err(too_short());
            }
        }
        let number = if n == 0 { 0 } else { self.pending >> (64 - n) };
        self.pending <<= n;
        self.count -= n;
        Ok(number)
    }

    /// Adds a number of `n` bits. Fewer than 32 bits are pending, so that it fits.
    fn push(&mut self, number: u64, n: u32) {
        self.count += n;
        self.pending |= number << (64 - self.count);
    }

    /// The next `n` bits, at most 64, as a number.
    pub(super) fn next(&mut self, n: u32) -> Result<u64> {
        if n <= 32 {
            return self.short(n);
        }
        let high = self.short(n - 32)?;
        Ok(high << 32 | self.short(32)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::testing::noise;

    #[test]
    fn numbers_equal_those_bit_by_bit() {
        let bytes = noise(3, 37);
        let bit = |i: usize| u64::from(bytes[i / 8] >> (7 - i % 8) & 1);
        for n in 0..=64 {
            let mut reader = BitReader::new(&bytes);
            let whole = (37 * 8_usize).checked_div(n).unwrap_or(5);
            for i in 0..whole {
                let expected = (i * n..(i + 1) * n).fold(0, |number, i| number << 1 | bit(i));
                assert_eq!(reader.next(n as u32).unwrap(), expected, "{n} {i}");
            }
            assert_eq!(reader.next(n as u32).is_err(), n > 0, "{n}");
        }
    }
}
