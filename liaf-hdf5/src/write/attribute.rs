//! Attributes: small named values in the header of an object (specification IV.A.2.m, version 1).
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the version, 1 |
//! | 1 | 0 |
//! | 2 | number of bytes of the name, with the NUL that ends it |
//! | 2 | number of bytes of the datatype message |
//! | 2 | number of bytes of the dataspace message |
//! | … | name, datatype and dataspace, each filled up with 0 to a multiple of 8 |
//! | … | the value |

use super::element::ElementType;
use super::header::MOST_BYTES;
use super::{dataspace, name};
use crate::error::{Error, Result};

/// The message of an attribute, whose value is `bytes`.
///
/// # Errors
/// `Caller` if the name or the shape cannot be, if the number of bytes is not that of the shape, or
/// if the message would be too long for a header.
pub(super) fn encode(
    name: &str,
    element: ElementType,
    shape: &[u64],
    bytes: &[u8],
) -> Result<Vec<u8>> {
    name::check(name)?;
    if bytes.len() as u64 != dataspace::bytes(shape, element.size())? {
        return Err(Error::caller(format!(
            "{} bytes are not an attribute of shape {shape:?}",
            bytes.len()
        )));
    }
    let (mut datatype, mut space) = (Vec::new(), Vec::new());
    element.encode(&mut datatype);
    dataspace::encode(shape, false, &mut space);
    let name_bytes = name.len() + 1;
    let parts = [name_bytes, datatype.len(), space.len()].map(|part| part.next_multiple_of(8));
    let length = 8 + parts.iter().sum::<usize>() + bytes.len();
    if length > MOST_BYTES {
        return Err(Error::caller(format!(
            "an attribute of {length} bytes, where at most {MOST_BYTES} fit: write a dataset"
        )));
    }
    let mut message = Vec::with_capacity(length);
    message.extend_from_slice(&[1, 0]);
    for size in [name_bytes, datatype.len(), space.len()] {
        message.extend_from_slice(&(size as u16).to_le_bytes());
    }
    for part in [name.as_bytes(), &datatype, &space].into_iter().zip(parts) {
        let end = message.len() + part.1;
        message.extend_from_slice(part.0);
        message.resize(end, 0);
    }
    message.extend_from_slice(bytes);
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_has_the_bytes_of_the_specification() {
        let message = encode("count", ElementType::U16, &[2], &[1, 0, 2, 0]).unwrap();
        assert_eq!(message[..8], [1, 0, 6, 0, 12, 0, 24, 0]);
        assert_eq!(&message[8..16], b"count\0\0\0");
        assert_eq!(message[16..32], [0x10, 0, 0, 0, 2, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0]);
        assert_eq!(message[32..36], [1, 1, 1, 0]);
        assert_eq!(message[56..], [1, 0, 2, 0]);
        // The NUL needs eight bytes of its own.
        let message = encode("thirteen", ElementType::U8, &[], &[3]).unwrap();
        assert_eq!(message[..8], [1, 0, 9, 0, 12, 0, 8, 0]);
        assert_eq!(&message[8..24], b"thirteen\0\0\0\0\0\0\0\0");
        assert_eq!(message.len(), 8 + 16 + 16 + 8 + 1);
    }

    #[test]
    fn an_attribute_that_cannot_be_is_refused() {
        let u8s = ElementType::U8;
        assert!(encode("a", u8s, &[65_472], &vec![0; 65_472]).is_ok());
        assert!(encode("a", u8s, &[65_473], &vec![0; 65_473]).is_err());
        assert!(encode(&"a".repeat(70_000), u8s, &[], &[0]).is_err());
        assert!(encode("a", u8s, &[2], &[0]).is_err());
        assert!(encode("", u8s, &[], &[0]).is_err());
        assert!(encode("a\0", u8s, &[], &[0]).is_err());
        // Slashes separate the names of objects; attributes have no paths.
        assert!(encode("a/b", u8s, &[], &[0]).is_ok());
    }
}
