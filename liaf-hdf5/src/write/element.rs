//! The elements of datasets and attributes: their types, and how Rust's numbers become them.
//!
//! The datatype message (specification IV.A.2.d) has eight bytes that all classes share, and then
//! the properties of the class:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the version, 1, in the upper half; the class in the lower one |
//! | 3 | bits whose meaning depends on the class |
//! | 4 | size of an element in bytes |
//! | … | properties |
//!
//! | class | bits | properties |
//! |---|---|---|
//! | 0, integer | bit 3: signed | bit offset `u16`, number of bits `u16` |
//! | 1, float | bit 5: the leading 1 is implied; bits 8 to 15: bit of the sign | bit offset `u16`, number of bits `u16`, first bit and number of bits of exponent and mantissa, four times `u8`, bias `u32` |
//! | 3, text of fixed length | bits 0 to 3: 1, filled with NUL; bits 4 to 7: 1, UTF-8 | none |
//! | 8, enumeration | number of members | the type of the numbers; the names, each filled with NUL to a multiple of 8; the numbers |
//! | 9, variable length | bit 0: text; bit 8: UTF-8 | the type of a character, an unsigned byte |
//!
//! All numbers are little-endian.

use crate::error::{Error, Result};

/// The type of the elements of a dataset or of an attribute that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ElementType {
    /// Unsigned, 8 bits.
    U8,
    /// Unsigned, 16 bits, little-endian, as all numbers here.
    U16,
    /// Unsigned, 32 bits.
    U32,
    /// Unsigned, 64 bits.
    U64,
    /// Signed, 8 bits.
    I8,
    /// Signed, 16 bits.
    I16,
    /// Signed, 32 bits.
    I32,
    /// Signed, 64 bits.
    I64,
    /// Floating point, 32 bits.
    F32,
    /// Floating point, 64 bits.
    F64,
    /// True or false, which HDF5 lacks: an enumeration of the numbers `FALSE` = 0 and `TRUE` = 1 of
    /// 8 bits each, which h5py and PyTables take for `bool`.
    Bool,
    /// UTF-8 text of at most this many bytes, filled up with NUL.
    FixedText(u32),
    /// UTF-8 text of any length. The dataset holds references to the texts, which lie elsewhere in
    /// the file: use [`FileWriter::strings`](super::FileWriter::strings).
    Text,
}

impl ElementType {
    /// Number of bytes of an element in the dataset; 16 for [`Text`](Self::Text), whose elements
    /// are references.
    pub fn size(self) -> u32 {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
            Self::FixedText(bytes) => bytes,
            Self::Text => 16,
        }
    }

    /// Checks what the variants cannot say themselves.
    pub(super) fn check(self) -> Result<()> {
        match self {
            Self::FixedText(0) => Err(Error::caller("text of a fixed length has at least 1 byte")),
            _ => Ok(()),
        }
    }

    /// Appends the datatype message.
    pub(super) fn encode(self, out: &mut Vec<u8>) {
        match self {
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => self.integer(0, out),
            Self::I8 | Self::I16 | Self::I32 | Self::I64 => self.integer(1 << 3, out),
            Self::F32 => self.float(out, [23, 8, 0, 23], 127),
            Self::F64 => self.float(out, [52, 11, 0, 52], 1023),
            Self::FixedText(_) => self.head(3, [0x11, 0, 0], out),
            Self::Bool => {
                self.head(8, [2, 0, 0], out);
                Self::I8.encode(out);
                out.extend_from_slice(b"FALSE\0\0\0TRUE\0\0\0\0\x00\x01");
            }
            Self::Text => {
                self.head(9, [1, 1, 0], out);
                Self::U8.encode(out);
            }
        }
    }

    fn head(self, class: u8, bits: [u8; 3], out: &mut Vec<u8>) {
        out.push(1 << 4 | class);
        out.extend_from_slice(&bits);
        out.extend_from_slice(&self.size().to_le_bytes());
    }

    fn integer(self, bits: u8, out: &mut Vec<u8>) {
        self.head(0, [bits, 0, 0], out);
        self.bits(out);
    }

    /// `fields` are the first bit and the number of bits of the exponent, and of the mantissa.
    fn float(self, out: &mut Vec<u8>, fields: [u8; 4], bias: u32) {
        self.head(1, [1 << 5, 8 * self.size() as u8 - 1, 0], out);
        self.bits(out);
        out.extend_from_slice(&fields);
        out.extend_from_slice(&bias.to_le_bytes());
    }

    /// The offset of the first bit and the number of bits.
    fn bits(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&(8 * self.size() as u16).to_le_bytes());
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A type of Rust whose values can be elements: the integers up to 64 bits, `f32`, `f64` and
/// `bool`.
pub trait Element: Copy + sealed::Sealed {
    /// Its type in the file.
    const TYPE: ElementType;

    /// The bytes of `data`, if they need no conversion.
    #[doc(hidden)]
    fn bytes(_: &[Self]) -> Option<&[u8]> {
        None
    }

    /// Writes the bytes of all elements of `data` to `out`, which has room for exactly these.
    #[doc(hidden)]
    fn encode(data: &[Self], out: &mut [u8]);
}

macro_rules! element {
    ($($number:ident $variant:ident),*) => {$(
        impl sealed::Sealed for $number {}

        impl Element for $number {
            const TYPE: ElementType = ElementType::$variant;

            fn encode(data: &[Self], out: &mut [u8]) {
                for (slot, value) in out.as_chunks_mut().0.iter_mut().zip(data) {
                    *slot = value.to_le_bytes();
                }
            }
        }
    )*};
}

element!(u16 U16, u32 U32, u64 U64, i8 I8, i16 I16, i32 I32, i64 I64, f32 F32, f64 F64);

impl sealed::Sealed for u8 {}

impl Element for u8 {
    const TYPE: ElementType = ElementType::U8;

    fn bytes(data: &[Self]) -> Option<&[u8]> {
        Some(data)
    }

    fn encode(data: &[Self], out: &mut [u8]) {
        out.copy_from_slice(data);
    }
}

impl sealed::Sealed for bool {}

impl Element for bool {
    const TYPE: ElementType = ElementType::Bool;

    fn encode(data: &[Self], out: &mut [u8]) {
        for (slot, &value) in out.iter_mut().zip(data) {
            *slot = value.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The messages as libhdf5 writes them for files that its oldest version reads.
    #[test]
    fn datatype_messages_have_the_bytes_of_the_specification() {
        let text = [0x19, 1, 1, 0, 16, 0, 0, 0, 0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0];
        let float = [0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0];
        let double = [0x11, 0x20, 63, 0, 8, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3, 0, 0];
        let boolean =
            b"\x18\x02\0\0\x01\0\0\0\x10\x08\0\0\x01\0\0\0\0\0\x08\0FALSE\0\0\0TRUE\0\0\0\0\0\x01";
        for (element, expected) in [
            (ElementType::U16, &[0x10, 0, 0, 0, 2, 0, 0, 0, 0, 0, 16, 0][..]),
            (ElementType::I64, &[0x10, 8, 0, 0, 8, 0, 0, 0, 0, 0, 64, 0]),
            (ElementType::F32, &float),
            (ElementType::F64, &double),
            (ElementType::Bool, boolean),
            (ElementType::FixedText(300), &[0x13, 0x11, 0, 0, 44, 1, 0, 0]),
            (ElementType::Text, &text),
        ] {
            let mut message = Vec::new();
            element.encode(&mut message);
            assert_eq!(message, expected, "{element:?}");
        }
        assert!(ElementType::FixedText(0).check().is_err());
    }

    #[test]
    fn numbers_become_little_endian_bytes() {
        let mut out = [9; 4];
        u16::encode(&[0x0102, 0xfffe], &mut out);
        assert_eq!(out, [2, 1, 0xfe, 0xff]);
        f32::encode(&[1.0], &mut out);
        assert_eq!(out, [0, 0, 0x80, 0x3f]);
        bool::encode(&[true, false, true, true], &mut out);
        assert_eq!(out, [1, 0, 1, 1]);
        u8::encode(&[4, 3, 2, 1], &mut out);
        assert_eq!(out, [4, 3, 2, 1]);
    }
}
