//! Decoding of a line of text to an event.

use crate::codec::columns::scaled;
use crate::codec::{Field, TimeUnit};
use crate::model::Event;

/// Lines with more columns than this are not events.
pub const COLUMNS: usize = 16;

/// The positions of the fields of an event in a line, and the unit of its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// Number of columns of a line.
    pub count: usize,
    /// Indices of the columns of t, x, y and p.
    pub at: [usize; 4],
    pub unit: TimeUnit,
}

/// The meaning of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    Event(Event),
    /// An empty line or a comment.
    Nothing,
    Bad(Fault),
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The line has this wrong number of columns.
    Columns(usize),
    /// This field of the event is not valid.
    Field(Field),
    /// The line is longer than allowed.
    TooLong,
}

/// A decimal number: `mantissa / 10^decimals`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Decimal {
    mantissa: u64,
    decimals: u32,
}

/// Decodes the line at the start of `bytes`, if it is an event in the simplest form: unsigned
/// numbers with one separator between them. Returns the event and the length of the line.
#[inline(always)]
pub(crate) fn plain(bytes: &[u8], columns: &Columns) -> Option<(Event, usize)> {
    // With a constant of four columns, which most files have, the loops are unrolled.
    if columns.count == 4 {
        plain_of::<4>(bytes, columns)
    } else {
        plain_of::<COLUMNS>(bytes, columns)
    }
}

#[inline(always)]
fn plain_of<const MOST: usize>(bytes: &[u8], columns: &Columns) -> Option<(Event, usize)> {
    let mut values = [Decimal::default(); MOST];
    let count = if MOST == 4 { 4 } else { columns.count };
    let (mut rest, last) = (bytes, count - 1);
    for (i, value) in values.iter_mut().take(count).enumerate() {
        let (decimal, [end, after @ ..]) = digits(rest)? else { return None };
        *value = decimal;
        rest = match (*end, i < last) {
            (b',' | b' ' | b'\t' | b';', true) | (b'\n', false) => after,
            (b'\r', false) => after.strip_prefix(b"\n")?,
            _ => return None,
        };
    }
    let [t, x, y, p] = columns.at.map(|i| values[i % MOST]);
    let pixels = (x.mantissa | y.mantissa) <= 0xffff && p.mantissa <= 1;
    if !pixels || x.decimals | y.decimals | p.decimals != 0 {
        return None;
    }
    let t = scaled(t.mantissa, t.decimals, columns.unit)?;
    let event = Event { t, x: x.mantissa as u16, y: y.mantissa as u16, p: p.mantissa as u8 };
    Some((event, bytes.len() - rest.len()))
}

/// Parses at least one and at most 18 digits, with an optional point among them. Returns what
/// follows them.
#[inline(always)]
fn digits(bytes: &[u8]) -> Option<(Decimal, &[u8])> {
    let (mantissa, rest) = run(0, bytes);
    let whole = bytes.len() - rest.len();
    if whole == 0 || whole > 18 {
        return None;
    }
    let [b'.', fraction @ ..] = rest else {
        return Some((Decimal { mantissa, decimals: 0 }, rest));
    };
    let (mantissa, rest) = run(mantissa, fraction);
    let decimals = fraction.len() - rest.len();
    (whole + decimals <= 18).then_some((Decimal { mantissa, decimals: decimals as u32 }, rest))
}

/// Appends the digits at the start of `bytes` to a number. Returns what follows them.
#[inline(always)]
fn run(mut number: u64, mut bytes: &[u8]) -> (u64, &[u8]) {
    while let [byte, rest @ ..] = bytes
        && let digit = byte.wrapping_sub(b'0')
        && digit <= 9
    {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        bytes = rest;
    }
    (number, bytes)
}

/// Decodes a line of any form, with or without its line end.
pub fn any(line: &[u8], columns: &Columns) -> Line {
    let line = line.trim_ascii();
    if is_nothing(line) {
        return Line::Nothing;
    }
    let mut fields = [&line[..0]; COLUMNS];
    let count = split(line, &mut fields);
    if count != columns.count {
        return Line::Bad(Fault::Columns(count));
    }
    let [t, x, y, p] = columns.at.map(|i| fields[i % COLUMNS]);
    let Some(t) = time(t, columns.unit) else { return Line::Bad(Fault::Field(Field::T)) };
    let Some(x) = coordinate(x) else { return Line::Bad(Fault::Field(Field::X)) };
    let Some(y) = coordinate(y) else { return Line::Bad(Fault::Field(Field::Y)) };
    let Some(p) = polarity(p) else { return Line::Bad(Fault::Field(Field::P)) };
    Line::Event(Event { t, x, y, p })
}

/// Whether a trimmed line is empty or a comment.
pub fn is_nothing(line: &[u8]) -> bool {
    matches!(line, [] | [b'#' | b'%', ..] | [b'/', b'/', ..])
}

/// Splits a trimmed line at `,`, `;`, spaces and tabs; spaces around another separator belong to
/// it. Returns the number of fields, including those that do not fit into `fields`.
pub fn split<'a>(line: &'a [u8], fields: &mut [&'a [u8]]) -> usize {
    let mut count = 0;
    let mut rest = line;
    loop {
        let end = rest.iter().position(|&byte| matches!(byte, b',' | b';' | b' ' | b'\t'));
        let (field, after) = rest.split_at(end.unwrap_or(rest.len()));
        if let Some(slot) = fields.get_mut(count) {
            *slot = field;
        }
        count += 1;
        if end.is_none() {
            return count;
        }
        rest = after.trim_ascii_start();
        if let [b',' | b';', after @ ..] = rest {
            rest = after.trim_ascii_start();
        }
    }
}

/// Parses a number with an optional sign and exponent.
pub fn float(text: &[u8]) -> Option<f64> {
    let plain = text.iter().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    std::str::from_utf8(text).ok().filter(|_| plain)?.parse().ok()
}

/// Parses a time in µs. Without an exponent the result is exact, rounded to the nearest µs.
fn time(text: &[u8], unit: TimeUnit) -> Option<i64> {
    let (negative, number) = match text {
        [b'-', number @ ..] => (true, number),
        [b'+', number @ ..] => (false, number),
        number => (false, number),
    };
    let micros = match exact(number) {
        Some(Decimal { mantissa, decimals }) => scaled(mantissa, decimals, unit)?,
        None => {
            let micros = float(number)? * 10f64.powi(unit.exponent());
            (micros.abs() < i64::MAX as f64).then_some(micros.round() as i64)?
        }
    };
    Some(if negative { -micros } else { micros })
}

/// Parses digits with an optional point. Digits after the point are used as far as they fit.
fn exact(text: &[u8]) -> Option<Decimal> {
    let mut number = Decimal::default();
    let (mut point, mut any) = (false, false);
    for &byte in text {
        match byte {
            b'0'..=b'9' => {
                any = true;
                let more = number.mantissa.checked_mul(10);
                match more.and_then(|mantissa| mantissa.checked_add(u64::from(byte - b'0'))) {
                    Some(mantissa) if number.decimals < 30 => {
                        number.mantissa = mantissa;
                        number.decimals += u32::from(point);
                    }
                    _ if point => {}
                    _ => return None,
                }
            }
            b'.' if !point => point = true,
            _ => return None,
        }
    }
    any.then_some(number)
}

/// Parses a whole number from 0 to 65535, in any notation.
fn coordinate(text: &[u8]) -> Option<u16> {
    let value = float(text)?;
    (value.fract() == 0.0 && (0.0..=65535.0).contains(&value)).then_some(value as u16)
}

/// Parses 0, 1, -1, True or False.
pub fn polarity(text: &[u8]) -> Option<u8> {
    match text {
        b"0" | b"-1" | b"False" | b"false" | b"FALSE" => Some(0),
        b"1" | b"True" | b"true" | b"TRUE" => Some(1),
        _ => match float(text)? {
            1.0 => Some(1),
            0.0 | -1.0 => Some(0),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TXYP: Columns = Columns { count: 4, at: [0, 1, 2, 3], unit: TimeUnit::Microseconds };

    #[test]
    fn every_way_of_writing_a_line_is_one_event() {
        let event = Line::Event(Event { t: 1500, x: 3, y: 40, p: 1 });
        let seconds = Columns { unit: TimeUnit::Seconds, ..TXYP };
        for text in [
            "0.0015 3 40 1",
            "0.0015,3,40,1\r",
            "  0.0015 ; 3\t40 , True ",
            "1.5e-3,3.0,40.,1.0",
            "+0.00150000000000000000000000001 3 4e1 1",
            "000.0015 03 040 1",
        ] {
            assert_eq!(any(text.as_bytes(), &seconds), event, "{text}");
        }
        let text = b"1500\t3,40;1\r\nmore";
        let expected = Event { t: 1500, x: 3, y: 40, p: 1 };
        assert_eq!(plain(text, &TXYP), Some((expected, 13)));
        let back = Event { t: -7, x: 0, y: 65535, p: 0 };
        assert_eq!(any(b"-7,0,65535,-1", &TXYP), Line::Event(back));
    }

    #[test]
    fn what_is_no_event_says_what_is_wrong() {
        for (text, fault) in [
            ("1 2 3", Fault::Columns(3)),
            ("1,2,3,,1", Fault::Columns(5)),
            ("1,,3,1", Fault::Field(Field::X)),
            ("nan 2 3 1", Fault::Field(Field::T)),
            ("1 nan 3 1", Fault::Field(Field::X)),
            ("1 -2 3 1", Fault::Field(Field::X)),
            ("1 2 65536 1", Fault::Field(Field::Y)),
            ("1 2 3.5 1", Fault::Field(Field::Y)),
            ("1 2 3 2", Fault::Field(Field::P)),
            ("1 2 3 \0", Fault::Field(Field::P)),
            ("99999999999999999999 2 3 1e400", Fault::Field(Field::T)),
            ("1.2.3 2 3 1", Fault::Field(Field::T)),
        ] {
            assert_eq!(any(text.as_bytes(), &TXYP), Line::Bad(fault), "{text:?}");
            assert_eq!(plain(format!("{text}\n").as_bytes(), &TXYP), None, "{text:?}");
        }
        for text in ["", "  \r", "# t x y p", "% 1 2 3 1", "// no"] {
            assert_eq!(any(text.as_bytes(), &TXYP), Line::Nothing, "{text:?}");
        }
    }
}
