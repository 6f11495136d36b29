//! Scale-offset, filter 6: each number as its distance from the smallest, in few bits.
//!
//! There are 20 `values` (`H5Zscaleoffset.c` of the HDF5 library): the kind (0 floating-point
//! numbers, 2 integers), the factor, the number of elements, the class (0 integer, 1 floating-point),
//! the size of an element in bytes, whether integers are signed, the byte order (0 least significant
//! byte first, 1 most), whether there is a fill value, and from the ninth on that fill value, 4
//! bytes in each with the least significant first.
//!
//! | bytes | meaning |
//! |---|---|
//! | 0..4 | bits of a number, `b`, least significant byte first |
//! | 4 | size of what follows |
//! | 5..13 | the smallest number, as an integer or as the bits of a floating-point number |
//! | 13..21 | nothing |
//! | 21.. | for each element `b` bits, the most significant first, without gaps |
//!
//! If `b` is the size of an element, the elements are there as they were. Otherwise `b` ones stand
//! for the fill value, if there is one, and any other number `n` for the smallest number plus `n` or,
//! with the factor `d` of floating-point numbers, plus `n / 10^d`. An integer with a factor that is
//! its whole size in bits has been left alone: there are no such 21 bytes.

use super::bits::BitReader;
use super::bytes::{array, copy, length, set_length, too_long, too_short, u32_le};
use crate::error::{Error, ErrorKind, Result};

/// Where the numbers begin.
const HEADER: usize = 21;

/// What the values of the filter and the first bytes say.
struct Plan {
    bits: u32,
    smallest: u64,
    /// The fill value, as the bits of a number of the size of an element.
    fill: Option<u64>,
    is_big_endian: bool,
}

/// Undoes the filter.
pub(super) fn undo(values: &[u32], packed: &[u8], most: usize, out: &mut Vec<u8>) -> Result<()> {
    let &[kind, factor, count, class, size, _, order, has_fill, fill_low, fill_high, ..] = values
    else {
        return Err(wrong_values());
    };
    let factor = factor.cast_signed();
    let is_float = match (kind, class) {
        (2, 0) if matches!(size, 1 | 2 | 4 | 8) => false,
        (0, 1) if matches!(size, 4 | 8) => true,
        (1, 1) => {
            let why = "scale-offset with E-scaling is not read";
            return Err(Error::new(ErrorKind::Unsupported, why));
        }
        _ => return Err(wrong_values()),
    };
    if values.len() != 20 || order > 1 || (!is_float && factor > 8 * size.cast_signed()) {
        return Err(wrong_values());
    }
    if !is_float && factor == 8 * size.cast_signed() {
        return copy(packed, most, out);
    }
    let bits = u32_le(packed, 0)?;
    let smallest = u64::from_le_bytes(array(packed, 5)?);
    let stated = u32::from(packed[4]).min(8);
    if bits > 8 * size {
        return Err(Error::malformed(format!(
            "scale-offset has numbers of {bits} bits for elements of {size} bytes"
        )));
    }
    let total = length(count).checked_mul(length(size)).filter(|&total| total <= most);
    set_length(out, total.ok_or_else(|| too_long(most))?)?;
    let numbers = packed.get(HEADER..).unwrap_or(&[]);
    if bits == 8 * size {
        let numbers = numbers.get(..out.len()).ok_or_else(too_short)?;
        out.copy_from_slice(numbers);
        if order == 1 {
            out.chunks_exact_mut(length(size)).for_each(<[u8]>::reverse);
        }
        return Ok(());
    }
    let plan = Plan {
        bits,
        smallest: if stated == 8 { smallest } else { smallest & ((1 << (8 * stated)) - 1) },
        fill: (has_fill == 1).then(|| u64::from(fill_high) << 32 | u64::from(fill_low)),
        is_big_endian: order == 1,
    };
    match (is_float, size) {
        (false, 1) => plan.run(numbers, out, |n| [plan.integer(n) as u8]),
        (false, 2) => plan.run(numbers, out, |n| (plan.integer(n) as u16).to_le_bytes()),
        (false, 4) => plan.run(numbers, out, |n| (plan.integer(n) as u32).to_le_bytes()),
        (false, _) => plan.run(numbers, out, |n| plan.integer(n).to_le_bytes()),
        (true, 4) => {
            // Single precision all the way, like the library: the last bit depends on it.
            let (scale, offset) =
                (10_f32.powf(factor as f32), f32::from_bits(plan.smallest as u32));
            let number = |n: u64| (n as i32 as f32 / scale + offset).to_bits();
            plan.run(numbers, out, |n| n.map_or_else(|fill| fill as u32, number).to_le_bytes())
        }
        (true, _) => {
            let (scale, offset) = (10_f64.powf(factor.into()), f64::from_bits(plan.smallest));
            let number = |n: u64| (n.cast_signed() as f64 / scale + offset).to_bits();
            plan.run(numbers, out, |n| n.map_or_else(|fill| fill, number).to_le_bytes())
        }
    }
}

impl Plan {
    /// Makes each element by `element`, which gets its number, or the fill value as an error.
    fn run<const N: usize>(
        &self,
        numbers: &[u8],
        out: &mut [u8],
        element: impl Fn(std::result::Result<u64, u64>) -> [u8; N],
    ) -> Result<()> {
        let mut reader = BitReader::new(numbers);
        // Fewer than 64 bits: others have been copied.
        let ones = (1_u64 << self.bits) - 1;
        for out in out.as_chunks_mut::<N>().0 {
            let number = reader.next(self.bits)?;
            *out = element(match self.fill {
                Some(fill) if number == ones => Err(fill),
                _ => Ok(number),
            });
            if self.is_big_endian {
                out.reverse();
            }
        }
        Ok(())
    }

    /// An integer; only the lower bytes count, so that the sign makes no difference.
    fn integer(&self, number: std::result::Result<u64, u64>) -> u64 {
        number.map_or_else(|fill| fill, |number| number.wrapping_add(self.smallest))
    }
}

fn wrong_values() -> Error {
    Error::malformed("the parameters of the scale-offset filter contradict each other")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(first: [u32; 10]) -> Vec<u32> {
        [&first[..], &[0; 10]].concat()
    }

    fn packed(bits: u32, smallest: u64, numbers: &[u8]) -> Vec<u8> {
        [&bits.to_le_bytes()[..], &[8], &smallest.to_le_bytes(), &[0; 8], numbers].concat()
    }

    fn undone(values: &[u32], packed: &[u8], most: usize) -> Result<Vec<u8>> {
        let mut out = vec![1; 3];
        undo(values, packed, most, &mut out)?;
        Ok(out)
    }

    #[test]
    fn integers_are_offsets_from_the_smallest() {
        // Four numbers of 4 bits: 0, 1, 14, and 15, which is the fill value -1000 if there is one.
        let packed = packed(4, (-5_i64).cast_unsigned(), &[0x01, 0xef]);
        let fill = (-1000_i32).cast_unsigned();
        let plain = values([2, 0, 4, 0, 2, 1, 0, 0, 0, 0]);
        let expected = |numbers: [i16; 4]| numbers.map(i16::to_le_bytes).concat();
        assert_eq!(undone(&plain, &packed, 8).unwrap(), expected([-5, -4, 9, 10]));
        let filled = values([2, 0, 4, 0, 2, 1, 0, 1, fill, 0]);
        assert_eq!(undone(&filled, &packed, 8).unwrap(), expected([-5, -4, 9, -1000]));
        let big = values([2, 0, 4, 0, 2, 1, 1, 1, fill, 0]);
        let swapped = [-5_i16, -4, 9, -1000].map(i16::to_be_bytes).concat();
        assert_eq!(undone(&big, &packed, 8).unwrap(), swapped);
        assert!(undone(&plain, &packed, 7).is_err());
        assert!(undone(&plain, &packed[..22], 8).is_err());
        // Without bits, all are the smallest.
        let flat = self::packed(0, 7, &[]);
        assert_eq!(undone(&plain, &flat[..13], 8).unwrap(), expected([7; 4]));
    }

    #[test]
    fn floats_are_offsets_in_decimal_digits() {
        let (low, high) = (0x4009_21fb_u32, 0x7ff8_0000_u32);
        let bytes = packed(8, 1.5_f64.to_bits(), &[0, 25, 255]);
        let plain = values([0, 1, 3, 1, 8, 0, 0, 0, 0, 0]);
        assert_eq!(
            undone(&plain, &bytes, 24).unwrap(),
            [1.5_f64, 4.0, 27.0].map(f64::to_le_bytes).concat()
        );
        let filled = values([0, 1, 3, 1, 8, 0, 0, 1, low, high]);
        let out = undone(&filled, &bytes, 24).unwrap();
        assert_eq!(out[16..], [low.to_le_bytes(), high.to_le_bytes()].concat());
        // A negative factor.
        let bytes = packed(8, u64::from(0.5_f32.to_bits()), &[0, 25, 255]);
        let coarse = values([0, (-1_i32).cast_unsigned(), 3, 1, 4, 0, 0, 0, 0, 0]);
        assert_eq!(
            undone(&coarse, &bytes, 24).unwrap(),
            [0.5_f32, 250.5, 2550.5].map(f32::to_le_bytes).concat()
        );
    }

    #[test]
    fn full_numbers_are_copied() {
        let all = values([2, 16, 2, 0, 2, 0, 0, 0, 0, 0]);
        assert_eq!(undone(&all, &[1, 2, 3, 4], 4).unwrap(), [1, 2, 3, 4]);
        let bytes = packed(16, 9, &[1, 2, 3, 4, 5]);
        let full = values([2, 0, 2, 0, 2, 0, 0, 1, 3, 0]);
        assert_eq!(undone(&full, &bytes, 4).unwrap(), [1, 2, 3, 4]);
        let big = values([2, 0, 2, 0, 2, 0, 1, 1, 3, 0]);
        assert_eq!(undone(&big, &bytes, 4).unwrap(), [2, 1, 4, 3]);
        assert!(undone(&full, &bytes[..24], 4).is_err());
    }

    #[test]
    fn values_that_contradict_each_other_are_errors() {
        let good = values([2, 0, 4, 0, 2, 1, 0, 0, 0, 0]);
        let bytes = packed(4, 0, &[0; 100]);
        assert!(undone(&good, &bytes, 100).is_ok());
        for (at, value) in [
            (0, 0),
            (0, 1),
            (0, 3),
            (1, 17),
            (2, u32::MAX),
            (3, 1),
            (4, 0),
            (4, 3),
            (4, 16),
            (6, 2),
        ] {
            let mut bad = good.clone();
            bad[at] = value;
            assert!(undone(&bad, &bytes, 100).is_err(), "{at} {value}");
        }
        assert!(undone(&good[..19], &bytes, 100).is_err());
        assert!(undone(&good, &packed(17, 0, &[0; 100]), 100).is_err());
        let error = undone(&values([1, 0, 4, 1, 4, 0, 0, 0, 0, 0]), &bytes, 100).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}
