//! The filters of a dataset in chunks, and the filter pipeline message (specification IV.A.2.l,
//! version 1).
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the version, 1 |
//! | 1 | number of filters |
//! | 6 | 0 |
//!
//! and for each filter, in the order in which chunks go through them when they are written,
//!
//! | bytes | what |
//! |---|---|
//! | 2 | the number of the filter |
//! | 2 | number of bytes of its name, a multiple of 8; 0 for none |
//! | 2 | flags; bit 0: a chunk may do without it |
//! | 2 | number of values |
//! | … | the name, filled up with NUL |
//! | 4 each | the values, and 4 bytes of 0 if their number is odd |

use crate::error::{Error, Result};
use crate::filter::Filter;

/// Most filters of a dataset: a chunk has one bit for each.
const MOST: usize = 32;

impl Filter {
    /// Sorts the bytes of a chunk: first the first bytes of all elements, then all second bytes,
    /// and so on. Elements have this many bytes.
    pub fn shuffle(element_bytes: u32) -> Self {
        Self::named(2, "shuffle", element_bytes)
    }

    /// Packs a chunk by deflate, as a stream of zlib, at this level.
    pub fn deflate(level: u32) -> Self {
        Self::named(1, "deflate", level)
    }

    fn named(id: u16, name: &str, value: u32) -> Self {
        Self { id, name: Some(name.into()), is_optional: true, values: vec![value] }
    }
}

/// Checks that the message can be written.
pub(super) fn check(filters: &[Filter]) -> Result<()> {
    if filters.len() > MOST {
        return Err(Error::caller(format!(
            "{} filters, where at most {MOST} can be",
            filters.len()
        )));
    }
    for filter in filters {
        let name = filter.name.as_deref().unwrap_or_default();
        if name.contains('\0') || name.len() > 255 {
            return Err(Error::caller(format!("the name of a filter is {name:?}")));
        }
        if filter.values.len() > 1024 {
            return Err(Error::caller(format!("{} values of a filter", filter.values.len())));
        }
    }
    Ok(())
}

/// Appends the filter pipeline message.
pub(super) fn encode(filters: &[Filter], out: &mut Vec<u8>) {
    out.extend_from_slice(&[1, filters.len() as u8, 0, 0, 0, 0, 0, 0]);
    for filter in filters {
        let name = filter.name.as_deref().unwrap_or_default();
        let name_bytes = if name.is_empty() { 0 } else { (name.len() + 1).next_multiple_of(8) };
        let numbers = [
            filter.id,
            name_bytes as u16,
            u16::from(filter.is_optional),
            filter.values.len() as u16,
        ];
        out.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        let end = out.len() + name_bytes;
        out.extend_from_slice(name.as_bytes());
        out.resize(end, 0);
        out.extend(filter.values.iter().flat_map(|value| value.to_le_bytes()));
        if filter.values.len() % 2 == 1 {
            out.extend_from_slice(&[0; 4]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pipeline_has_the_bytes_of_the_specification() {
        let mut message = Vec::new();
        let other = Filter { id: 32_000, name: None, is_optional: false, values: vec![1, 2] };
        encode(&[Filter::shuffle(2), Filter::deflate(4), other], &mut message);
        let expected = b"\x01\x03\0\0\0\0\0\0\
            \x02\0\x08\0\x01\0\x01\0shuffle\0\x02\0\0\0\0\0\0\0\
            \x01\0\x08\0\x01\0\x01\0deflate\0\x04\0\0\0\0\0\0\0\
            \0\x7d\0\0\0\0\x02\0\x01\0\0\0\x02\0\0\0";
        assert_eq!(message, expected);
    }

    #[test]
    fn filters_that_cannot_be_are_refused() {
        assert!(check(&vec![Filter::deflate(1); 32]).is_ok());
        assert!(check(&vec![Filter::deflate(1); 33]).is_err());
        let with = |name: &str, values| Filter {
            id: 300,
            name: Some(name.into()),
            is_optional: false,
            values: vec![0; values],
        };
        assert!(check(&[with("a\0", 0)]).is_err());
        assert!(check(&[with(&"a".repeat(256), 0)]).is_err());
        assert!(check(&[with("a", 1025)]).is_err());
        assert!(check(&[with("", 1024)]).is_ok());
    }
}
