//! Buffers and numbers that all filters need.

use crate::error::{Error, Result};

/// Results up to this length are allocated at once; larger ones grow as the packed bytes prove
/// that they are needed.
pub(super) const AT_ONCE: usize = 8 << 20;

/// Gives `out` exactly `length` bytes, whose values are unspecified: what is there is not cleared,
/// so that a buffer that is used again costs nothing.
pub(super) fn set_length(out: &mut Vec<u8>, length: usize) -> Result<()> {
    if length <= out.len() {
        out.truncate(length);
        return Ok(());
    }
    if length > out.capacity() {
        // Frees the old buffer first: its bytes are of no use, so nothing should copy them.
        *out = Vec::new();
    }
    grow(out, length)
}

/// Makes `out` longer, up to `length`, and keeps the bytes that it has.
pub(super) fn grow(out: &mut Vec<u8>, length: usize) -> Result<()> {
    let more = length.saturating_sub(out.len());
    if out.try_reserve_exact(more).is_err() {
        return Err(Error::limit(format!("no memory for a chunk of {length} bytes")));
    }
    out.resize(length, 0);
    Ok(())
}

/// Replaces the content of `out` by `bytes`, which may be at most `most`.
pub(super) fn copy(bytes: &[u8], most: usize, out: &mut Vec<u8>) -> Result<()> {
    if bytes.len() > most {
        return Err(too_long(most));
    }
    set_length(out, bytes.len())?;
    out.copy_from_slice(bytes);
    Ok(())
}

/// The error of a chunk that unpacks to more than it may.
pub(super) fn too_long(most: usize) -> Error {
    Error::malformed(format!("the chunk unpacks to more than {most} bytes"))
}

/// The error of a chunk whose packed bytes end before its content does.
pub(super) fn too_short() -> Error {
    Error::truncated("the packed bytes of the chunk end too early")
}

/// The `N` bytes at `at`.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N]> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or_else(too_short)
}

/// The unsigned integer of 4 bytes at `at`, least significant byte first.
pub(super) fn u32_le(bytes: &[u8], at: usize) -> Result<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

/// The unsigned integer of 4 bytes at `at`, most significant byte first.
pub(super) fn u32_be(bytes: &[u8], at: usize) -> Result<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

/// A number of the file as a length; on machines where it does not fit it is certainly too large.
pub(super) fn length(number: impl TryInto<usize>) -> usize {
    number.try_into().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn lengths_are_set_with_and_without_new_memory() {
        let mut out = vec![7; 3];
        set_length(&mut out, 2).unwrap();
        assert_eq!(out, [7, 7]);
        grow(&mut out, 4).unwrap();
        assert_eq!(out, [7, 7, 0, 0]);
        set_length(&mut out, 1000).unwrap();
        assert_eq!(out.len(), 1000);
        copy(&[1, 2, 3], 3, &mut out).unwrap();
        assert_eq!(out, [1, 2, 3]);
        assert_eq!(copy(&[1, 2, 3], 2, &mut out).unwrap_err().kind(), ErrorKind::Malformed);
    }

    #[test]
    fn memory_that_is_not_there_is_an_error() {
        let error = set_length(&mut Vec::new(), usize::MAX / 2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
    }

    #[test]
    fn numbers_outside_are_errors() {
        let bytes = [1, 2, 3, 4, 5];
        assert_eq!(u32_le(&bytes, 1).unwrap(), 0x0504_0302);
        assert_eq!(u32_be(&bytes, 1).unwrap(), 0x0203_0405);
        for at in [2, 5, 6, usize::MAX] {
            assert_eq!(u32_le(&bytes, at).unwrap_err().kind(), ErrorKind::Truncated, "{at}");
        }
    }
}
