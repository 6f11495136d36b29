//! The types of the elements of tensors, and the Rust types that correspond to them.

use crate::error::Error;
use crate::frames::Dtype;
use crate::names::names;

/// The type of the elements of a tensor.
///
/// ```
/// use liaf_data::frames::Dtype;
/// use liaf_data::tensor::ElementType;
/// assert_eq!(ElementType::from(Dtype::U16), ElementType::U16);
/// assert_eq!("i64".parse::<ElementType>()?.bytes(), 8);
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ElementType {
    /// True or false, one byte each.
    Bool,
    /// Unsigned 8-bit.
    U8,
    /// Signed 8-bit.
    I8,
    /// Unsigned 16-bit.
    U16,
    /// Signed 16-bit.
    I16,
    /// Unsigned 32-bit.
    U32,
    /// Signed 32-bit.
    I32,
    /// Unsigned 64-bit.
    U64,
    /// Signed 64-bit.
    I64,
    /// 32-bit floating point.
    F32,
    /// 64-bit floating point.
    F64,
}

names!(
    ElementType,
    "unknown type of elements",
    Bool = "bool",
    U8 = "u8",
    I8 = "i8",
    U16 = "u16",
    I16 = "i16",
    U32 = "u32",
    I32 = "i32",
    U64 = "u64",
    I64 = "i64",
    F32 = "f32",
    F64 = "f64",
);

impl ElementType {
    /// Size of one element in bytes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }
}

impl From<Dtype> for ElementType {
    fn from(dtype: Dtype) -> Self {
        match dtype {
            Dtype::U8 => Self::U8,
            Dtype::U16 => Self::U16,
            Dtype::I16 => Self::I16,
            Dtype::F32 => Self::F32,
        }
    }
}

/// A Rust type that the elements of a tensor can have: `bool`, the integers from 8 to 64 bits, `f32`
/// and `f64`. No other types can implement this trait.
pub trait Element: sealed::Coded {
    /// The type of elements that corresponds to this type.
    const TYPE: ElementType;
}

pub(super) mod sealed {
    /// The little-endian bytes of a type of elements.
    pub trait Coded: Copy + Send + Sync + 'static {
        /// Writes the bytes of `values` into `out`, which has room for exactly these.
        fn put(values: &[Self], out: &mut [u8]);

        /// The values that `bytes` encode.
        fn decode(bytes: &[u8]) -> Vec<Self>;

        /// Whether `bytes` encode valid values of this type only.
        fn accepts(_bytes: &[u8]) -> bool {
            true
        }
    }
}

macro_rules! numbers {
    ($($type:ty = $element:ident),+ $(,)?) => { $(
        impl sealed::Coded for $type {
            fn put(values: &[Self], out: &mut [u8]) {
                let slots = out.as_chunks_mut::<{ size_of::<$type>() }>().0;
                for (slot, value) in slots.iter_mut().zip(values) {
                    *slot = value.to_le_bytes();
                }
            }

            fn decode(bytes: &[u8]) -> Vec<Self> {
                let slots = bytes.as_chunks::<{ size_of::<$type>() }>().0;
                slots.iter().map(|slot| <$type>::from_le_bytes(*slot)).collect()
            }
        }

        impl Element for $type {
            const TYPE: ElementType = ElementType::$element;
        }
    )+ };
}

numbers!(
    u8 = U8,
    i8 = I8,
    u16 = U16,
    i16 = I16,
    u32 = U32,
    i32 = I32,
    u64 = U64,
    i64 = I64,
    f32 = F32,
    f64 = F64,
);

impl sealed::Coded for bool {
    fn put(values: &[Self], out: &mut [u8]) {
        for (slot, &value) in out.iter_mut().zip(values) {
            *slot = value.into();
        }
    }

    fn decode(bytes: &[u8]) -> Vec<Self> {
        bytes.iter().map(|&byte| byte != 0).collect()
    }

    fn accepts(bytes: &[u8]) -> bool {
        bytes.iter().all(|&byte| byte <= 1)
    }
}

impl Element for bool {
    const TYPE: ElementType = ElementType::Bool;
}

#[cfg(test)]
mod tests {
    use super::sealed::Coded;
    use super::*;

    fn comes_back<T: Element + PartialEq + std::fmt::Debug>(values: &[T], bytes: &[u8]) {
        let mut out = vec![9; values.len() * T::TYPE.bytes()];
        T::put(values, &mut out);
        assert_eq!(out, bytes);
        assert_eq!(T::decode(&out), values);
        assert_eq!(size_of::<T>(), T::TYPE.bytes());
    }

    #[test]
    fn elements_are_little_endian() {
        comes_back(&[true, false], &[1, 0]);
        comes_back(&[7u8], &[7]);
        comes_back(&[-2i8], &[0xfe]);
        comes_back(&[0x0102u16, 3], &[2, 1, 3, 0]);
        comes_back(&[-2i16], &[0xfe, 0xff]);
        comes_back(&[0x0102_0304u32], &[4, 3, 2, 1]);
        comes_back(&[-1i32], &[0xff; 4]);
        comes_back(&[1u64 << 56], &[0, 0, 0, 0, 0, 0, 0, 1]);
        comes_back(&[i64::MIN], &[0, 0, 0, 0, 0, 0, 0, 0x80]);
        comes_back(&[1f32], &[0, 0, 0x80, 0x3f]);
        comes_back(&[-2f64], &[0, 0, 0, 0, 0, 0, 0, 0xc0]);
        assert!(!bool::accepts(&[0, 1, 2]));
    }
}
