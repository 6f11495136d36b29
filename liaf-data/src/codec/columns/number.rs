//! Numbers of any type and byte order, in columns of any stride, and their conversion to events.

use super::time::{self, guess};
use crate::codec::TimeUnit;
use crate::model::EventBatch;

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

/// A value of a column. An integer that does not fit in `i64` becomes `i64::MIN`, which is not
/// valid in any column.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Int(i64),
    Float(f64),
}

const NOT_A_VALUE: i64 = i64::MIN;

impl View<'_> {
    /// Calls `take` with each of the first `n` numbers, or with fewer if the column is shorter.
    #[inline(always)]
    fn each(self, n: usize, mut take: impl FnMut(Value)) {
        macro_rules! all {
            ($type:ty, $value:expr) => {
                self.raw(n, |bytes: [u8; size_of::<$type>()]| {
                    let value = if self.number.big_endian {
                        <$type>::from_be_bytes(bytes)
                    } else {
                        <$type>::from_le_bytes(bytes)
                    };
                    take($value(value));
                })
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

    #[inline(always)]
    fn raw<const N: usize>(self, n: usize, mut take: impl FnMut([u8; N])) {
        if self.stride == N {
            self.bytes.as_chunks::<N>().0.iter().take(n).for_each(|bytes| take(*bytes));
        } else {
            let records = self.bytes.chunks(self.stride.max(1)).take(n);
            records.filter_map(|record| record.first_chunk()).for_each(|bytes| take(*bytes));
        }
    }

    /// The first `n` numbers of the column.
    pub fn floats(self, n: usize) -> Vec<f64> {
        let mut values = Vec::new();
        self.each(n, |value| {
            values.push(match value {
                Value::Int(value) => value as f64,
                Value::Float(value) => value,
            });
        });
        values
    }

    /// The first `n` numbers of the column, where they are whole and fit in `i64`.
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

/// How the values of four columns become events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    pub unit: TimeUnit,
    /// Added to every time, in µs.
    pub offset: i64,
}

/// The rows that could not become events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Unusable {
    pub count: usize,
    /// Index of the first of them.
    pub first: usize,
}

impl Rows {
    /// The first time of a column in µs; `None` if it is not a valid time.
    pub fn first_time(self, t: View<'_>) -> Option<i64> {
        let mut first = None;
        t.each(1, |value| first = micros(value, self.unit));
        first?.checked_add(self.offset)
    }

    /// Appends the events of `n` rows of t, x, y and p to `batch`, and returns which rows are not
    /// events.
    pub fn append(self, [t, x, y, p]: [View<'_>; 4], n: usize, batch: &mut EventBatch) -> Unusable {
        let start = batch.len();
        let mut bad = Vec::new();
        // A row that cannot become an event is only marked here. Such rows are rare, so they are
        // counted and removed afterwards, which keeps this loop simple.
        let mut any = false;
        let (unit, offset) = (self.unit, self.offset);
        t.each(n, |value| {
            let time = micros(value, unit).and_then(|time| time.checked_add(offset));
            any |= time.is_none();
            batch.t.push(time.unwrap_or(NOT_A_VALUE));
        });
        let mut pixel = |view: View<'_>, column: &mut Vec<u16>| {
            view.each(n, |value| {
                let whole = match value {
                    Value::Int(value) => u16::try_from(value).ok(),
                    Value::Float(value) => {
                        let is_pixel = value.fract() == 0.0 && (0.0..=65535.0).contains(&value);
                        is_pixel.then_some(value as u16)
                    }
                };
                if whole.is_none() {
                    any = true;
                    bad.push(column.len() - start);
                }
                column.push(whole.unwrap_or(0));
            });
        };
        pixel(x, &mut batch.x);
        pixel(y, &mut batch.y);
        let unsigned = match p.number.kind {
            Kind::U8 => 0xff,
            Kind::U16 => 0xffff,
            Kind::U32 => 0xffff_ffff,
            _ => -1,
        };
        p.each(n, |value| {
            let on = match value {
                Value::Int(1) | Value::Float(1.0) => Some(1),
                Value::Int(0 | -1) | Value::Float(0.0 | -1.0) => Some(0),
                // This is -1 that was stored in an unsigned type of this size.
                Value::Int(value) if value == unsigned => Some(0),
                _ => None,
            };
            if on.is_none() {
                any = true;
                bad.push(batch.p.len() - start);
            }
            batch.p.push(on.unwrap_or(0));
        });
        // Truncate all columns to the same length, whatever the input was.
        let rows = batch.t.len().min(batch.x.len()).min(batch.y.len()).min(batch.p.len());
        batch.truncate(rows);
        if !any {
            return Unusable::default();
        }
        let times = batch.t[start..].iter().enumerate();
        bad.extend(times.filter(|&(_, &time)| time == NOT_A_VALUE).map(|(i, _)| i));
        bad.sort_unstable();
        bad.dedup();
        let (mut row, mut next) = (0, 0);
        batch.retain(|_| {
            let i = row;
            row += 1;
            let is_bad = i >= start && bad.get(next) == Some(&(i - start));
            next += usize::from(is_bad);
            !is_bad
        });
        Unusable { count: bad.len(), first: bad.first().copied().unwrap_or(0) }
    }
}

#[inline(always)]
fn micros(value: Value, unit: TimeUnit) -> Option<i64> {
    match value {
        Value::Int(NOT_A_VALUE) => None,
        Value::Int(value) if unit == TimeUnit::Microseconds => Some(value),
        Value::Int(value) => {
            let micros = time::scaled(value.unsigned_abs(), 0, unit)?;
            Some(if value < 0 { -micros } else { micros })
        }
        Value::Float(value) => {
            let micros = (value * 10f64.powi(unit.exponent())).round();
            (micros.abs() < 9.2e18).then_some(micros as i64)
        }
    }
}

/// Guesses the unit of these times, the first ones of a file, and returns what the guess is based
/// on.
pub(crate) fn guess_unit(times: &[f64]) -> (TimeUnit, &'static str) {
    let told = times.iter().filter(|time| time.is_finite() && **time != 0.0);
    guess(told.map(|time| time.fract() != 0.0), times.first().copied().unwrap_or(0.0))
}

/// Guesses which of four columns are t, x, y and p from the first numbers of each: p is 0, 1 or -1,
/// and t increases up to the largest values.
pub(crate) fn guess_order(columns: &[Vec<f64>]) -> Option<[usize; 4]> {
    const ORDERS: [[usize; 4]; 4] = [[0, 1, 2, 3], [2, 0, 1, 3], [3, 0, 1, 2], [0, 2, 3, 1]];
    let column = |i: usize| columns.get(i).map_or(&[][..], Vec::as_slice);
    let is_p = |&v: &f64| [0.0, 1.0, -1.0, 255.0, 65535.0, 4_294_967_295.0].contains(&v);
    let may_be_p = |i: usize| column(i).iter().all(is_p);
    let rises = |i: usize| column(i).windows(2).all(|pair| pair[0] <= pair[1]);
    let most = |i: usize| column(i).iter().fold(f64::NEG_INFINITY, |most, &v| most.max(v));
    let possible = ORDERS.iter().filter(|order| may_be_p(order[3]));
    let best = possible.clone().filter(|order| rises(order[0])).rev();
    best.max_by(|a, b| most(a[0]).total_cmp(&most(b[0]))).or(possible.clone().next()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(bytes: &[u8], kind: Kind) -> View<'_> {
        let number = Number::little(kind);
        View { bytes, stride: number.bytes(), number }
    }

    #[test]
    fn rows_that_are_no_events_are_left_out() {
        let t: Vec<u8> =
            [0.5f64, f64::NAN, 1.0, 2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        let x: Vec<u8> = [1i32, 2, -3, 4].iter().flat_map(|v| v.to_le_bytes()).collect();
        let y = [5, 6, 7, 8];
        let p: Vec<u8> = [u32::MAX, 1, 1, 1].iter().flat_map(|v| v.to_le_bytes()).collect();
        let rows = Rows { unit: TimeUnit::Seconds, offset: 3 };
        let mut batch = EventBatch::new();
        let views =
            [view(&t, Kind::F64), view(&x, Kind::I32), view(&y, Kind::U8), view(&p, Kind::U32)];
        for round in 1..3 {
            let unusable = rows.append(views, 4, &mut batch);
            assert_eq!(unusable, Unusable { count: 2, first: 1 });
            assert_eq!(batch.len(), 2 * round);
        }
        assert_eq!(batch.t, [500_003, 2_000_003, 500_003, 2_000_003]);
        assert_eq!((&batch.x[..2], &batch.p[..2]), (&[1, 4][..], &[0, 1][..]));
    }

    #[test]
    fn the_order_of_columns_is_told_by_their_numbers() {
        let t = vec![0.1, 0.2, 0.3, 0.4];
        let (x, y, p) =
            (vec![9.0, 3.0, 7.0, 1.0], vec![4.0, 1.0, 8.0, 2.0], vec![1.0, -1.0, 1.0, 1.0]);
        let order = |columns: [&Vec<f64>; 4]| guess_order(&columns.map(Clone::clone));
        assert_eq!(order([&t, &x, &y, &p]), Some([0, 1, 2, 3]));
        assert_eq!(order([&x, &y, &t, &p]), Some([2, 0, 1, 3]));
        assert_eq!(order([&x, &y, &p, &t]), Some([3, 0, 1, 2]));
        assert_eq!(order([&t, &p, &x, &y]), Some([0, 2, 3, 1]));
        assert_eq!(order([&x, &y, &x, &y]), None);
    }
}
