//! N-bit, filter 5: only the bits of a number that mean something.
//!
//! `values` are the count of values, whether the bytes are left as they are, the number of elements,
//! and the class of the type; for class 1, an integer or floating-point number, the size of an
//! element in bytes, its byte order (0 least significant byte first, 1 most), how many bits mean
//! something, and how many lie below those (`H5Znbit.c` of the HDF5 library).
//!
//! The packed bytes are those bits of each element, the most significant first, without gaps. All
//! other bits become 0, as they do in the library; what a type says of them (for instance that they
//! repeat the sign) happens afterwards. Types of other classes, which are arrays and compounds, are
//! not read.

use super::bits::BitReader;
use super::bytes::{copy, length, set_length, too_long};
use crate::error::{Error, Result};

/// The class of integers and floating-point numbers.
const ATOMIC: u32 = 1;

/// Whether chunks of a type with these `values` are read.
pub(super) fn is_read(values: &[u32]) -> bool {
    values.get(1).is_some_and(|&as_is| as_is != 0) || values.get(3).is_none_or(|&c| c == ATOMIC)
}

/// Undoes the filter.
pub(super) fn undo(values: &[u32], packed: &[u8], most: usize, out: &mut Vec<u8>) -> Result<()> {
    let &[_, as_is, ..] = values else { return Err(wrong_values()) };
    if as_is != 0 {
        return copy(packed, most, out);
    }
    let &[_, _, count, ATOMIC, size, order, precision, offset] = values else {
        return Err(wrong_values());
    };
    let is_sound = (1..=16).contains(&size)
        && order <= 1
        && precision > 0
        && precision.checked_add(offset).is_some_and(|bits| bits <= 8 * size);
    if !is_sound {
        return Err(wrong_values());
    }
    let size = length(size);
    let total = length(count).checked_mul(size).filter(|&total| total <= most);
    set_length(out, total.ok_or_else(|| too_long(most))?)?;
    let mut bits = BitReader::new(packed);
    for element in out.chunks_exact_mut(size) {
        let high = bits.next(precision.saturating_sub(64))?;
        let low = bits.next(precision.min(64))?;
        let number = (u128::from(high) << 64 | u128::from(low)) << offset;
        if order == 0 {
            element.copy_from_slice(&number.to_le_bytes()[..size]);
        } else {
            element.copy_from_slice(&number.to_be_bytes()[16 - size..]);
        }
    }
    Ok(())
}

fn wrong_values() -> Error {
    Error::malformed("the parameters of the n-bit filter contradict each other")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn undone(values: &[u32], packed: &[u8], most: usize) -> Result<Vec<u8>> {
        let mut out = vec![1; 3];
        undo(values, packed, most, &mut out)?;
        Ok(out)
    }

    #[test]
    fn bits_return_to_their_offset() {
        let packed = [0xab, 0xcd, 0xef];
        let little = [8, 0, 2, 1, 2, 0, 12, 3];
        assert_eq!(undone(&little, &packed, 4).unwrap(), [0xe0, 0x55, 0x78, 0x6f]);
        let big = [8, 0, 2, 1, 2, 1, 12, 3];
        assert_eq!(undone(&big, &packed, 4).unwrap(), [0x55, 0xe0, 0x6f, 0x78]);
        let wide = [8, 0, 1, 1, 16, 0, 80, 0];
        let expected = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(undone(&wide, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 16).unwrap(), expected);
        assert_eq!(undone(&[8, 1, 2, 1, 2, 0, 16, 0], &packed, 3).unwrap(), packed);
        assert_eq!(undone(&little, &packed, 3).unwrap_err().kind(), ErrorKind::Malformed);
        assert_eq!(undone(&little, &packed[..2], 4).unwrap_err().kind(), ErrorKind::Truncated);
    }

    #[test]
    fn values_that_contradict_each_other_are_errors() {
        let good = [8, 0, 2, 1, 2, 0, 12, 3];
        for (at, value) in [
            (2, u32::MAX),
            (3, 2),
            (4, 0),
            (4, 17),
            (4, 1),
            (5, 2),
            (6, 0),
            (6, 14),
            (7, 5),
            (7, u32::MAX),
        ] {
            let mut bad = good;
            bad[at] = value;
            assert!(undone(&bad, &[0; 100], 100).is_err(), "{at} {value}");
        }
        for n in 0..8 {
            assert!(undone(&good[..n], &[0; 100], 100).is_err(), "{n}");
        }
        assert!(is_read(&good) && is_read(&[8, 1, 2, 3]) && !is_read(&[8, 0, 2, 3]));
    }
}
