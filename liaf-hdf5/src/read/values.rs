//! Values as numbers and texts of Rust.

use super::budget::Budget;
use super::bytes::text_of;
use super::heap::global::{GlobalHeap, REFERENCE};
use super::message::dataspace::Extent;
use super::storage::Storage;
use crate::datatype::{Datatype, Number, NumberKind, Padding};
use crate::error::{Error, Result};
use crate::limits;

/// Values of one datatype, as they are in the file.
pub(crate) struct Values<'a> {
    pub storage: &'a Storage,
    pub datatype: &'a Datatype,
    pub bytes: &'a [u8],
}

/// Number of bytes of all values.
pub(crate) fn size(extent: &Extent, datatype: &Datatype, limit: usize) -> Result<usize> {
    let size = extent.values().saturating_mul(datatype.size() as u64);
    limits::check("an array of values", size, limit)
}

impl Values<'_> {
    fn number(&self) -> Result<Number> {
        self.datatype.number().ok_or_else(|| Error::not_found("the values are no numbers"))
    }

    pub fn integers(&self) -> Result<Vec<i64>> {
        let number = self.number()?;
        let wrong = || Error::not_found("a value is not an integer of 64 bits");
        let mut values = self.room(number)?;
        for bytes in self.bytes.chunks_exact(number.size) {
            values.push(match number.kind {
                NumberKind::Float => {
                    let value = float(number, bytes);
                    let is_whole = value.fract() == 0.0 && value.abs() < 9.2e18;
                    is_whole.then_some(value as i64).ok_or_else(wrong)?
                }
                NumberKind::Signed => signed(number, bytes),
                NumberKind::Unsigned => {
                    i64::try_from(unsigned(number, bytes)).map_err(|_| wrong())?
                }
            });
        }
        Ok(values)
    }

    pub fn floats(&self) -> Result<Vec<f64>> {
        let number = self.number()?;
        let mut values = self.room(number)?;
        values.extend(self.bytes.chunks_exact(number.size).map(|bytes| match number.kind {
            NumberKind::Float => float(number, bytes),
            NumberKind::Signed => signed(number, bytes) as f64,
            NumberKind::Unsigned => unsigned(number, bytes) as f64,
        }));
        Ok(values)
    }

    /// Room for all values as numbers of 8 bytes.
    fn room<T>(&self, number: Number) -> Result<Vec<T>> {
        let count = self.bytes.len() / number.size;
        let bytes = (count as u64).saturating_mul(size_of::<T>() as u64);
        limits::check("an array of numbers", bytes, self.storage.limits.value_bytes)?;
        let mut values = Vec::new();
        limits::reserve(&mut values, count)?;
        Ok(values)
    }

    pub fn texts(&self) -> Result<Vec<String>> {
        let mut left = self.storage.limits.value_bytes;
        // Many values may refer to one long text, and even an empty one needs memory.
        let mut keep = |text: String| {
            let bytes = text.len() + size_of::<String>();
            left = left
                .checked_sub(bytes)
                .ok_or_else(|| Error::limit("the texts need more memory than is allowed"))?;
            Ok(text)
        };
        match self.datatype {
            Datatype::Text { size, padding } => {
                let texts = self.bytes.chunks_exact((*size).max(1));
                texts.map(|bytes| keep(fixed(bytes, *padding))).collect()
            }
            Datatype::VarText => {
                let (mut heap, mut budget) = (GlobalHeap::default(), Budget::new(self.storage));
                let references = self.bytes.chunks_exact(REFERENCE);
                references
                    .map(|reference| {
                        let bytes = heap.get(self.storage, reference, 1, &mut budget)?;
                        keep(fixed(bytes, Padding::NulTerminated))
                    })
                    .collect()
            }
            _ => Err(Error::not_found("the values are no texts")),
        }
    }
}

fn fixed(bytes: &[u8], padding: Padding) -> String {
    let is_pad = |&byte: &u8| byte == if padding == Padding::Spaces { b' ' } else { 0 };
    let end = match padding {
        Padding::NulTerminated => bytes.iter().position(is_pad).unwrap_or(bytes.len()),
        Padding::Nuls | Padding::Spaces => {
            bytes.iter().rposition(|byte| !is_pad(byte)).map_or(0, |last| last + 1)
        }
    };
    text_of(&bytes[..end])
}

fn unsigned(number: Number, bytes: &[u8]) -> u64 {
    let add = |value: u64, &byte: &u8| (value << 8) | u64::from(byte);
    if number.is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
}

fn signed(number: Number, bytes: &[u8]) -> i64 {
    let unused = 64 - 8 * number.size.min(8) as u32;
    (unsigned(number, bytes).wrapping_shl(unused) as i64).wrapping_shr(unused)
}

fn float(number: Number, bytes: &[u8]) -> f64 {
    let bits = unsigned(number, bytes);
    match number.size {
        2 => half(bits as u16),
        4 => f64::from(f32::from_bits(bits as u32)),
        _ => f64::from_bits(bits),
    }
}

/// The value of a float of 16 bits.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, mantissa) = (i32::from(bits >> 10) & 31, f64::from(bits & 1023));
    sign * match exponent {
        0 => mantissa * 2f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + mantissa / 1024.0) * 2f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_of_16_bits() {
        let known =
            [(0x3c00, 1.0), (0xc000, -2.0), (0x7bff, 65504.0), (0x0001, 5.960_464_477_539_063e-8)];
        for (bits, value) in known {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7e00).is_nan() && half(0xfc00) == f64::NEG_INFINITY);
    }

    #[test]
    fn numbers_of_either_byte_order() {
        let number = |size, is_big_endian| Number { kind: NumberKind::Signed, size, is_big_endian };
        assert_eq!(signed(number(2, true), &[0xff, 0xfe]), -2);
        assert_eq!(signed(number(2, false), &[0xff, 0xfe]), -257);
        assert_eq!(signed(number(8, false), &i64::MIN.to_le_bytes()), i64::MIN);
    }

    #[test]
    fn texts_end_where_their_padding_begins() {
        assert_eq!(fixed(b"ab\0c", Padding::NulTerminated), "ab");
        assert_eq!(fixed(b"a\0b\0\0", Padding::Nuls), "a\0b");
        assert_eq!(fixed(b"ab  ", Padding::Spaces), "ab");
        assert_eq!(fixed(b"\xe9t\xe9", Padding::Nuls), "été");
    }
}
