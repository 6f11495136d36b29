//! Shapes: what they may be, and the dataspace message (specification IV.A.2.b).
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the version, 1 |
//! | 1 | number of dimensions; 0 for a single value |
//! | 1 | 1 if the largest lengths follow |
//! | 5 | 0 |
//! | 8 each | the lengths |
//! | 8 each | the largest lengths; all bits set for one without an end |

use crate::error::{Error, Result};

/// Most dimensions of a dataset, by the specification.
const MOST_DIMENSIONS: usize = 32;

/// The largest length of an axis without an end.
const UNLIMITED: u64 = u64::MAX;

/// Number of elements of an array of this shape.
///
/// # Errors
/// `Caller` if there are too many dimensions, or more elements than a file can have bytes.
pub(super) fn elements(shape: &[u64]) -> Result<u64> {
    if shape.len() > MOST_DIMENSIONS {
        return Err(Error::caller(format!(
            "a shape has {} dimensions, and HDF5 has at most {MOST_DIMENSIONS}",
            shape.len()
        )));
    }
    // An axis of length 0 makes the product 0, but the others are checked all the same.
    let most = i64::MAX as u64;
    let product = shape.iter().try_fold(1u64, |product, &length| {
        product.checked_mul(length.max(1)).filter(|&product| product <= most)
    });
    let product =
        product.ok_or_else(|| Error::caller(format!("too many elements: the shape {shape:?}")))?;
    Ok(if shape.contains(&0) { 0 } else { product })
}

/// Number of bytes of an array.
///
/// # Errors
/// As [`elements`].
pub(super) fn bytes(shape: &[u64], element: u32) -> Result<u64> {
    let bytes = elements(shape)?.checked_mul(element.into());
    bytes
        .filter(|&bytes| bytes <= i64::MAX as u64)
        .ok_or_else(|| Error::caller(format!("too many bytes: the shape {shape:?}")))
}

/// Appends the dataspace message. If `is_growing`, the first axis has no end.
pub(super) fn encode(shape: &[u64], is_growing: bool, out: &mut Vec<u8>) {
    let has_largest = !shape.is_empty();
    out.extend_from_slice(&[1, shape.len() as u8, has_largest.into(), 0, 0, 0, 0, 0]);
    out.extend(shape.iter().flat_map(|length| length.to_le_bytes()));
    for (axis, &length) in shape.iter().enumerate() {
        let largest = if is_growing && axis == 0 { UNLIMITED } else { length };
        out.extend_from_slice(&largest.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dataspace_messages_have_the_bytes_of_the_specification() {
        let mut message = Vec::new();
        encode(&[], false, &mut message);
        assert_eq!(message, [1, 0, 0, 0, 0, 0, 0, 0]);
        message.clear();
        encode(&[3, 4], true, &mut message);
        assert_eq!(message[..8], [1, 2, 1, 0, 0, 0, 0, 0]);
        let numbers: Vec<u64> =
            message[8..].as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes)).collect();
        assert_eq!(numbers, [3, 4, u64::MAX, 4]);
        message.clear();
        encode(&[3], false, &mut message);
        assert_eq!(message[8..], [3, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn shapes_are_multiplied_without_overflow() {
        assert_eq!(elements(&[]).unwrap(), 1);
        assert_eq!(elements(&[2, 3, 4]).unwrap(), 24);
        assert_eq!(elements(&[5, 0]).unwrap(), 0);
        assert_eq!(bytes(&[2, 3], 4).unwrap(), 24);
        assert_eq!(elements(&[1; 32]).unwrap(), 1);
        for shape in [&[1; 33][..], &[1 << 32, 1 << 32], &[u64::MAX], &[0, 1 << 40, 1 << 40]] {
            assert_eq!(elements(shape).unwrap_err().kind(), crate::ErrorKind::Caller, "{shape:?}");
        }
        assert!(bytes(&[1 << 60], 8).is_err());
    }
}
