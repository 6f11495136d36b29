//! Decoding of a line of text to an event.

use std::borrow::Cow;

use super::commas;
use super::number::{self, Decimal};
use super::split::{next, next_of, unquoted};
use crate::codec::columns::{Meaning, Pixel, Pixels, PolarityReading};
use crate::codec::{Field, TimeUnit};
use crate::model::Event;

/// Lines with more columns than this are not events.
pub(crate) const COLUMNS: usize = 16;
/// The slot for columns that are not a field of an event.
const UNUSED: u8 = 4;

/// The positions of the fields of an event in a line, and how the fields are written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Columns {
    /// Number of columns of a line.
    pub count: usize,
    /// Indices of the columns of t, x, y and p.
    pub at: [usize; 4],
    /// For each column, the index of its field of an event, or [`UNUSED`].
    pub slots: [u8; COLUMNS],
    pub unit: TimeUnit,
    pub polarity: PolarityReading,
    pub pixels: Pixels,
    /// The separator between columns, if it is certain that spaces may be inside a column.
    pub separator: Option<u8>,
    /// Whether times have decimal commas. Then nothing else than the separator divides columns.
    pub has_decimal_commas: bool,
    /// The byte that ends a line.
    pub line_end: u8,
}

impl Columns {
    /// Columns with whole pixels and the usual polarities, that any separators divide, in lines that end
    /// in LF.
    pub fn new(count: usize, at: [usize; 4], unit: TimeUnit) -> Self {
        let mut slots = [UNUSED; COLUMNS];
        for (column, field) in at.into_iter().zip(0..) {
            if let Some(slot) = slots.get_mut(column) {
                *slot = field;
            }
        }
        Self {
            count,
            at,
            slots,
            unit,
            polarity: PolarityReading::USUAL,
            pixels: Pixels::default(),
            separator: None,
            has_decimal_commas: false,
            line_end: b'\n',
        }
    }

    /// Length of the line at the start of `bytes`, with its end if there is one.
    #[inline(always)]
    pub fn line_len(&self, bytes: &[u8]) -> usize {
        let end = bytes.iter().position(|&byte| byte == self.line_end);
        end.map_or(bytes.len(), |end| end + 1)
    }

    /// The text of a time with a decimal point, if it has one.
    pub fn time<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        if self.has_decimal_commas { commas::with_point(text) } else { Cow::Borrowed(text) }
    }
}

/// The meaning of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Line {
    Event(Event),
    /// An empty line or a comment.
    Nothing,
    Bad(Fault),
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// The line has this wrong number of columns.
    Columns(usize),
    /// This field of the event is not valid.
    Field(Field),
    /// This field has a fraction, but should be a pixel.
    Fraction(Field),
    /// The polarity is neither a number nor a word that is known.
    Word,
    /// The rounded pixel is outside of every sensor.
    Outside,
    /// The polarity is a number that contradicts the first lines.
    Contradiction(f64),
    /// The line is longer than allowed.
    TooLong,
}

impl Fault {
    /// Whether reading ends here even if it is lenient.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Contradiction(_))
    }

    /// What should have been there.
    pub fn expected(self, columns: &Columns) -> String {
        match self {
            Self::Columns(_) => format!("{} columns", columns.count),
            Self::Field(Field::T) => "a time".into(),
            Self::Field(Field::P) | Self::Contradiction(_) => columns.polarity.describe(),
            Self::Word => format!("a number, or one of the words {}", number::words()),
            Self::Field(_) | Self::Fraction(_) => "a whole number from 0 to 65535".into(),
            Self::Outside => "a pixel from 0 to 65535".into(),
            Self::TooLong => "a shorter line".into(),
        }
    }
}

/// A field of a line: its text, and its number if it is an unsigned decimal.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Value<'a> {
    pub text: &'a [u8],
    number: Option<Decimal>,
}

impl Value<'_> {
    pub fn as_f64(self) -> Option<f64> {
        self.number.map(Decimal::as_f64).or_else(|| number::float(self.text))
    }
}

/// The columns of a line that are fields of an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values<'a> {
    /// t, x, y, p, and the last column that is none of them.
    pub fields: [Value<'a>; 5],
    /// Number of columns.
    pub count: usize,
    /// Number of columns up to the last one that is not empty.
    pub filled: usize,
}

impl<'a> Values<'a> {
    /// Splits a trimmed line at `only`, or at any separator.
    #[inline(always)]
    pub fn of(line: &'a [u8], columns: &Columns, only: Option<u8>) -> Self {
        let mut values = Self { fields: [Value::default(); 5], count: 0, filled: 0 };
        let mut rest = line;
        loop {
            let number = Decimal::at_start(rest);
            let (value, after) = match number {
                // Most columns are numbers, with a separator after them.
                Some((number, after @ ([] | [b',' | b';' | b' ' | b'\t', ..])))
                    if only.is_none() =>
                {
                    let text = &rest[..rest.len() - after.len()];
                    (Value { text, number: Some(number) }, next_of(after))
                }
                _ => {
                    let (text, after) = next(rest, only);
                    (Value { text: unquoted(text), number: None }, after)
                }
            };
            let slot = columns.slots.get(values.count).copied().unwrap_or(UNUSED);
            if let Some(field) = values.fields.get_mut(usize::from(slot)) {
                *field = value;
            }
            values.count += 1;
            if !value.text.is_empty() {
                values.filled = values.count;
            }
            match after {
                Some(after) => rest = after,
                None => return values,
            }
        }
    }

    /// Whether the line has as many columns as it should. Separators after the last of them do not
    /// count.
    fn are_of(&self, columns: &Columns) -> bool {
        self.count == columns.count || self.count > columns.count && self.filled <= columns.count
    }
}

/// The columns of a trimmed line: divided by any separators, or by the one that is certain if only
/// that gives the right number of columns, or if there are decimal commas.
#[inline(always)]
pub(crate) fn values<'a>(line: &'a [u8], columns: &Columns) -> Result<Values<'a>, Fault> {
    let values =
        Values::of(line, columns, columns.separator.filter(|_| columns.has_decimal_commas));
    if values.are_of(columns) {
        return Ok(values);
    }
    let divided = columns.separator.map(|only| Values::of(line, columns, Some(only)));
    divided.filter(|values| values.are_of(columns)).ok_or(Fault::Columns(values.count))
}

/// Decodes a line, with or without its end.
#[inline(always)]
pub(crate) fn parse(line: &[u8], columns: &Columns) -> Line {
    let line = line.trim_ascii();
    if is_nothing(line) {
        return Line::Nothing;
    }
    let [t, x, y, p, _] = match values(line, columns) {
        Ok(values) => values.fields,
        Err(fault) => return Line::Bad(fault),
    };
    let time = match t.number {
        Some(number) => number.micros(columns.unit),
        None => number::time(&columns.time(t.text), columns.unit),
    };
    let Some(t) = time else { return Line::Bad(Fault::Field(Field::T)) };
    let pixel =
        coordinate(x, columns, Field::X).and_then(|x| Ok((x, coordinate(y, columns, Field::Y)?)));
    let event = pixel.and_then(|(x, y)| Ok(Event { t, x, y, p: polarity(p, columns)? }));
    event.map_or_else(Line::Bad, Line::Event)
}

#[inline(always)]
fn coordinate(value: Value<'_>, columns: &Columns, field: Field) -> Result<u16, Fault> {
    let is_whole = |number: &Decimal| number.decimals == 0 && !columns.pixels.rounds();
    if let Some(number) = value.number.filter(is_whole) {
        return u16::try_from(number.mantissa).map_err(|_| Fault::Field(field));
    }
    let number = value.as_f64().ok_or(Fault::Field(field))?;
    match columns.pixels.pixel(number) {
        Pixel::At(at) => Ok(at),
        Pixel::Outside => Err(Fault::Outside),
        Pixel::Invalid if number.fract() != 0.0 && number > 0.0 => Err(Fault::Fraction(field)),
        Pixel::Invalid => Err(Fault::Field(field)),
    }
}

#[inline(always)]
fn polarity(value: Value<'_>, columns: &Columns) -> Result<u8, Fault> {
    // Most polarities are one of these, which need not be parsed as floats.
    let usual = match (value.number, value.text) {
        (Some(Decimal { mantissa, decimals: 0 }), _) => i64::try_from(mantissa).ok(),
        (_, b"-1") => Some(-1),
        _ => None,
    };
    if let Some(p) = usual.and_then(|value| columns.polarity.polarity(value)) {
        return Ok(p);
    }
    if let Some(p) = number::word(value.text) {
        return Ok(p);
    }
    let number = value.as_f64().ok_or(Fault::Word)?;
    match columns.polarity.meaning(number) {
        Meaning::On => Ok(1),
        Meaning::Off => Ok(0),
        Meaning::Nothing => Err(Fault::Field(Field::P)),
        Meaning::Contradiction => Err(Fault::Contradiction(number)),
    }
}

/// Whether a trimmed line is empty or a comment.
pub(crate) fn is_nothing(line: &[u8]) -> bool {
    matches!(line, [] | [b'#' | b'%', ..] | [b'/', b'/', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(unit: TimeUnit) -> Columns {
        Columns::new(4, [0, 1, 2, 3], unit)
    }

    #[test]
    fn every_way_of_writing_a_line_is_one_event() {
        let event = Line::Event(Event { t: 1500, x: 3, y: 40, p: 1 });
        for text in [
            "0.0015 3 40 1",
            "0.0015,3,40,1\r",
            "  0.0015 ; 3\t40 , True ",
            "0.0015,3,40,pos",
            "1.5e-3,3.0,40.,1.0",
            "+0.00150000000000000000000000001 3 4e1 1",
            "000.0015 03 040 1",
            "0.0015,3,40,1,",
            "0.0015;3;40;1; ;\r\n",
            "\"0.0015\",\"3\",\"40\",\"1\"",
        ] {
            assert_eq!(parse(text.as_bytes(), &columns(TimeUnit::Seconds)), event, "{text}");
        }
        let back = Event { t: -7, x: 0, y: 65535, p: 0 };
        let micros = columns(TimeUnit::Microseconds);
        assert_eq!(parse(b"-7,0,65535,-1", &micros), Line::Event(back));
        assert_eq!(micros.line_len(b"1500\t3,40;1\r\nmore"), 13);
    }

    #[test]
    fn what_is_no_event_says_what_is_wrong() {
        for (text, fault) in [
            ("1 2 3", Fault::Columns(3)),
            ("1,2,3,", Fault::Word),
            ("1,2,3,,1", Fault::Columns(5)),
            ("1,2,3,1,,x", Fault::Columns(6)),
            ("1,,3,1", Fault::Field(Field::X)),
            ("nan 2 3 1", Fault::Field(Field::T)),
            ("1 nan 3 1", Fault::Field(Field::X)),
            ("1 -2 3 1", Fault::Field(Field::X)),
            ("1 2 65536 1", Fault::Field(Field::Y)),
            ("1 2 3.5 1", Fault::Fraction(Field::Y)),
            ("1 2 3 2", Fault::Field(Field::P)),
            ("1 2 3 \0", Fault::Word),
            ("1 2 3 T", Fault::Word),
            ("99999999999999999999 2 3 1e400", Fault::Field(Field::T)),
            ("1.2.3 2 3 1", Fault::Field(Field::T)),
        ] {
            let micros = columns(TimeUnit::Microseconds);
            assert_eq!(parse(text.as_bytes(), &micros), Line::Bad(fault), "{text:?}");
        }
        for text in ["", "  \r", "# t x y p", "% 1 2 3 1", "// no"] {
            let micros = columns(TimeUnit::Microseconds);
            assert_eq!(parse(text.as_bytes(), &micros), Line::Nothing, "{text:?}");
        }
    }

    #[test]
    fn spaces_are_part_of_a_column_where_another_separator_is_certain() {
        let micros = Columns::new(5, [0, 1, 2, 3], TimeUnit::Microseconds);
        let certain = Columns { separator: Some(b','), ..micros };
        let event = Line::Event(Event { t: 1, x: 2, y: 3, p: 1 });
        assert_eq!(parse(b"1, 2, 3, 1, a red car", &certain), event);
        assert_eq!(parse(b"1 2 3 1 car", &certain), event);
        assert_eq!(parse(b"1, 2, 3, 1, a red car", &micros), Line::Bad(Fault::Columns(7)));
    }
}
