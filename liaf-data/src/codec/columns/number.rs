//! Numbers of any type and byte order, in columns of any stride.

/// A type of number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F32,
    F64,
}

/// A type of number together with its byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    pub kind: Kind,
    pub big_endian: bool,
}

impl Number {
    pub const fn little(kind: Kind) -> Self {
        Self { kind, big_endian: false }
    }

    /// Size of a number in bytes.
    pub fn bytes(self) -> usize {
        match self.kind {
            Kind::Bool | Kind::I8 | Kind::U8 => 1,
            Kind::I16 | Kind::U16 => 2,
            Kind::I32 | Kind::U32 | Kind::F32 => 4,
            Kind::I64 | Kind::U64 | Kind::F64 => 8,
        }
    }

    /// The name of the type, such as `u16`.
    pub fn name(self) -> &'static str {
        match self.kind {
            Kind::Bool => "bool",
            Kind::I8 => "i8",
            Kind::I16 => "i16",
            Kind::I32 => "i32",
            Kind::I64 => "i64",
            Kind::U8 => "u8",
            Kind::U16 => "u16",
            Kind::U32 => "u32",
            Kind::U64 => "u64",
            Kind::F32 => "f32",
            Kind::F64 => "f64",
        }
    }
}

/// A column of numbers, one at the start of every `stride` bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub bytes: &'a [u8],
    pub stride: usize,
    pub number: Number,
}

/// Largest number of values of a [`constant`] column.
const CONSTANT: usize = 64 << 10;

/// A column of so many values that all are 0 or, if `is_on`, 1: the polarities of events that are stored
/// apart from those of the other polarity.
pub(crate) fn constant(is_on: bool, values: usize) -> View<'static> {
    static OFF: [u8; CONSTANT] = [0; CONSTANT];
    static ON: [u8; CONSTANT] = [1; CONSTANT];
    let bytes = if is_on { &ON } else { &OFF };
    View { bytes: &bytes[..values.min(CONSTANT)], stride: 1, number: Number::little(Kind::U8) }
}

/// A value of a column. An integer that does not fit in `i64` becomes `i64::MIN`, which is not
/// valid in any column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    Int(i64),
    Float(f64),
}

impl Value {
    pub fn float(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

pub(super) const NOT_A_VALUE: i64 = i64::MIN;

impl View<'_> {
    /// The first number, if there is one that is a valid integer.
    #[cfg(feature = "hdf5")]
    pub fn first(self) -> Option<i64> {
        let mut first = None;
        self.each(1, |value| first = Some(value));
        match first? {
            Value::Int(value) if value != NOT_A_VALUE => Some(value),
            _ => None,
        }
    }

    /// Calls `take` with each of the first `n` numbers, or with fewer if the column is shorter.
    #[inline(always)]
    pub(super) fn each(self, n: usize, take: impl FnMut(Value)) {
        self.append(n, &mut Vec::new(), take);
    }

    /// Appends what `convert` makes of each of the first `n` numbers, or of fewer if the column is
    /// shorter.
    #[inline(always)]
    pub(super) fn append<T>(
        self,
        n: usize,
        column: &mut Vec<T>,
        mut convert: impl FnMut(Value) -> T,
    ) {
        macro_rules! all {
            ($type:ty, $value:expr) => {
                // Of two loops neither has to ask for the order of the bytes.
                if self.number.big_endian {
                    self.raw(n, column, |bytes| convert($value(<$type>::from_be_bytes(bytes))))
                } else {
                    self.raw(n, column, |bytes| convert($value(<$type>::from_le_bytes(bytes))))
                }
            };
        }
        fn int<T: Into<i64>>(value: T) -> Value {
            Value::Int(value.into())
        }
        match self.number.kind {
            Kind::Bool | Kind::U8 => all!(u8, int),
            Kind::I8 => all!(i8, int),
            Kind::I16 => all!(i16, int),
            Kind::I32 => all!(i32, int),
            Kind::I64 => all!(i64, int),
            Kind::U16 => all!(u16, int),
            Kind::U32 => all!(u32, int),
            Kind::U64 => {
                all!(u64, |v| Value::Int(i64::try_from(v).unwrap_or(NOT_A_VALUE)));
            }
            Kind::F32 => all!(f32, |v| Value::Float(f64::from(v))),
            Kind::F64 => all!(f64, Value::Float),
        }
    }

    /// The iterators know how long they are, so that the loops need not ask whether there is room.
    #[inline(always)]
    fn raw<const N: usize, T>(
        self,
        n: usize,
        column: &mut Vec<T>,
        mut convert: impl FnMut([u8; N]) -> T,
    ) {
        if self.stride == N {
            column
                .extend(self.bytes.as_chunks::<N>().0.iter().take(n).map(|bytes| convert(*bytes)));
            return;
        }
        let records = self.bytes.chunks_exact(self.stride.max(N));
        // Of the last record there may be no more than this number.
        let last = records.remainder().first_chunk().filter(|_| records.len() < n);
        let number = |record: &[u8]| *record.first_chunk().unwrap_or(&[0; N]);
        column.extend(records.take(n).map(|record| convert(number(record))));
        column.extend(last.map(|bytes| convert(*bytes)));
    }

    /// The first `n` numbers of the column.
    pub fn floats(self, n: usize) -> Vec<f64> {
        let mut values = Vec::new();
        self.each(n, |value| values.push(value.float()));
        values
    }

    /// The first `n` numbers of the column, where they are whole and fit in `i64`.
    #[cfg(feature = "hdf5")]
    pub fn integers(self, n: usize) -> Vec<Option<i64>> {
        let mut values = Vec::new();
        self.each(n, |value| {
            values.push(match value {
                Value::Int(value) => Some(value).filter(|&value| value != NOT_A_VALUE),
                Value::Float(value) => {
                    (value.fract() == 0.0 && value.abs() < 9.2e18).then_some(value as i64)
                }
            });
        });
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_stride_are_found_up_to_the_end_of_the_bytes() {
        let bytes = [0, 1, 9, 0, 2, 9, 0, 3];
        let number = Number { kind: Kind::U16, big_endian: true };
        let view = View { bytes: &bytes, stride: 3, number };
        // Of the last record there is only the number.
        assert_eq!(view.floats(9), [1.0, 2.0, 3.0]);
        assert_eq!(view.floats(3), [1.0, 2.0, 3.0]);
        assert_eq!(view.floats(2), [1.0, 2.0]);
        assert_eq!(View { bytes: &bytes[..7], ..view }.floats(9), [1.0, 2.0]);
        let dense = View { stride: 2, ..view };
        assert_eq!(dense.floats(9), [1.0, 2304.0, 521.0, 3.0]);
        assert_eq!(dense.floats(1), [1.0]);
        assert!(View { bytes: &[], ..view }.floats(9).is_empty());
    }
}
