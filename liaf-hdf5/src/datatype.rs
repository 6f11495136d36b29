//! Datatypes: what the bytes of a value mean.

use std::fmt;

/// What the bytes of a value mean.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Datatype {
    /// A number that fills its bytes: an integer in two's complement, or a float of IEEE 754.
    Number(Number),
    /// A number with an unusual layout, such as 12 bits in two bytes, or a float of another kind.
    UnusualNumber {
        /// Size in bytes.
        size: usize,
    },
    /// A text of a fixed number of bytes.
    Text {
        /// Size in bytes.
        size: usize,
        /// What follows a text that is shorter.
        padding: Padding,
    },
    /// A text of any length, which is in a heap.
    VarText,
    /// Any number of values, which are in a heap.
    VarArray(Box<Self>),
    /// Several values side by side.
    Compound {
        /// Size in bytes, gaps included.
        size: usize,
        /// The values.
        members: Vec<Member>,
    },
    /// One of several values that have names.
    Enum {
        /// The number that stands for a name.
        base: Box<Self>,
        /// Names, and the bytes that stand for them.
        members: Vec<(String, Vec<u8>)>,
    },
    /// An array of a fixed number of values.
    Array {
        /// Number of values along each dimension.
        shape: Vec<u32>,
        /// What each value is.
        base: Box<Self>,
    },
    /// Bits, with their byte order.
    Bits(Number),
    /// Bytes of which nothing else is known, or that this crate does not look into: opaque values,
    /// references, times, complex numbers.
    Opaque {
        /// Size in bytes.
        size: usize,
        /// What HDF5 calls it.
        class: &'static str,
    },
}

/// What follows a text that is shorter than its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Padding {
    /// A NUL ends it; what comes after has no meaning.
    NulTerminated,
    /// NULs up to the end.
    Nuls,
    /// Spaces up to the end, as in Fortran.
    Spaces,
}

/// A value of a compound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where in the compound it begins, in bytes.
    pub offset: usize,
    /// What it is.
    pub datatype: Datatype,
}

/// A type of number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    /// Integer or float.
    pub kind: NumberKind,
    /// Size in bytes: 1, 2, 4 or 8; 2, 4 or 8 for floats.
    pub size: usize,
    /// Whether the first byte is the highest one.
    pub is_big_endian: bool,
}

/// Integer or float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NumberKind {
    /// An integer with a sign, in two's complement.
    Signed,
    /// An integer without a sign.
    Unsigned,
    /// A float of IEEE 754.
    Float,
}

impl Datatype {
    /// Size of a value in the dataset, in bytes. What is in a heap counts as the 16 bytes that refer
    /// to it.
    pub fn size(&self) -> usize {
        match self {
            Self::Number(number) | Self::Bits(number) => number.size,
            Self::UnusualNumber { size }
            | Self::Text { size, .. }
            | Self::Compound { size, .. }
            | Self::Opaque { size, .. } => *size,
            Self::VarText | Self::VarArray(_) => 16,
            Self::Enum { base, .. } => base.size(),
            Self::Array { shape, base } => {
                shape.iter().fold(base.size(), |size, &side| size.saturating_mul(side as usize))
            }
        }
    }

    /// The number that this type is, or that stands for its names. Bits count as integers.
    pub fn number(&self) -> Option<Number> {
        match self {
            Self::Number(number) | Self::Bits(number) => Some(*number),
            Self::Enum { base, .. } => base.number(),
            _ => None,
        }
    }

    /// Whether this is what h5py makes of booleans: an enumeration of `FALSE` and `TRUE`.
    pub fn is_bool(&self) -> bool {
        matches!(self, Self::Enum { members, .. } if members.len() == 2
        && members.iter().all(|(name, value)| {
            let wanted = match name.as_str() {
                "FALSE" => 0,
                "TRUE" => 1,
                _ => return false,
            };
            value[..] == [wanted]
        }))
    }
}

impl fmt::Display for Number {
    /// As NumPy writes it: `<u2`, `>f8`, `|i1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match (self.size, self.is_big_endian) {
            (1, _) => '|',
            (_, true) => '>',
            (_, false) => '<',
        };
        let kind = match self.kind {
            NumberKind::Signed => 'i',
            NumberKind::Unsigned => 'u',
            NumberKind::Float => 'f',
        };
        write!(f, "{order}{kind}{}", self.size)
    }
}
