//! Access to bytes as a slice of elements, without a copy.
#![expect(unsafe_code, reason = "the only way from bytes to numbers without a copy")]

use crate::tensor::Element;

/// The elements that little-endian `bytes` encode. `None` if the bytes are not aligned, are not a whole
/// number of elements or are not all valid values of this type, and on big-endian machines.
pub(super) fn elements<T: Element>(bytes: &[u8]) -> Option<&[T]> {
    if cfg!(target_endian = "big") || !T::accepts(bytes) {
        return None;
    }
    // SAFETY: `Element` is sealed. Its types are numbers, of which all bit patterns are values, and
    // `bool`, for which `accepts` has found that every byte is 0 or 1. None of them has padding.
    let (before, elements, after) = unsafe { bytes.align_to::<T>() };
    (before.is_empty() && after.is_empty()).then_some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_aligned_elements_are_cast() {
        let buffer = [0u8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let start = buffer.as_ptr().align_offset(4);
        let bytes = &buffer[start..start + 8];
        assert_eq!(elements::<u8>(bytes), Some(bytes));
        let first = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        assert_eq!(elements::<u32>(bytes).map(|e| (e.len(), e[0])), Some((2, first)));
        assert_eq!(elements::<u32>(&bytes[..7]), None);
        assert_eq!(elements::<u32>(&buffer[start + 1..start + 9]), None);
        assert_eq!(elements::<bool>(&buffer[..2]), Some(&[false, true][..]));
        assert_eq!(elements::<bool>(&buffer[..3]), None);
        assert_eq!(elements::<f64>(&[]), Some(&[][..]));
    }
}
