//! The columns of a text, from its header, or else from its first lines.

use super::line::{self, COLUMNS, Columns};
use crate::codec::columns::{Name, guess, surely_no_events};
use crate::codec::{ColumnMap, Field, ReadOptions};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::model::SensorSize;

/// Number of bytes that are examined to find the columns; more if a longer comment precedes the
/// data.
const SAMPLE: usize = 64 << 10;
/// The byte order mark of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How the lines of a text are decoded.
#[derive(Debug)]
pub(crate) struct Layout {
    pub columns: Columns,
    pub sensor: Option<SensorSize>,
    /// Offset at which the data starts.
    pub start: u64,
    /// Number of the first line of data, counted from 1.
    pub line: u64,
    /// What was found, and how, as text for users.
    pub details: Vec<(&'static str, String)>,
}

/// The lines at the start of a text.
#[derive(Debug, Default)]
struct Sample<'a> {
    /// Number of lines examined.
    seen: u64,
    /// The end of the header: its length in bytes and in lines.
    start: usize,
    line: u64,
    names: Option<Vec<Option<Name>>>,
    names_text: String,
    sensor: Option<SensorSize>,
    /// The lines of numbers, split into fields.
    rows: Vec<Vec<&'a [u8]>>,
}

impl Layout {
    pub fn read(source: &mut ByteSource, options: &ReadOptions) -> Result<Self> {
        let most = options.limits.header_bytes.max(SAMPLE);
        let mut size = SAMPLE;
        loop {
            let head = source.head(size)?;
            let all = head.len() < size;
            let sample = Sample::read(&head, all);
            if !sample.rows.is_empty() || all || size >= most {
                return Self::learn(&sample, options);
            }
            size = (2 * size).min(most);
        }
    }

    fn learn(sample: &Sample<'_>, options: &ReadOptions) -> Result<Self> {
        let here = |error: Error| error.at(sample.start as u64);
        let count = match (&sample.names, sample.rows.first()) {
            (Some(names), _) => names.len(),
            (None, Some(row)) => row.len(),
            (None, None) => 4,
        };
        let (at, order) = match &options.columns.map {
            Some(ColumnMap::Order(order)) => (stated(order, count).map_err(here)?, "as stated"),
            keys => match &sample.names {
                Some(names) => (
                    named(names, &sample.names_text, keys.as_ref()).map_err(here)?,
                    "by their names",
                ),
                None if keys.is_some() => {
                    return Err(here(Error::caller("the columns have no names"))
                        .hint(Hint::NameColumns { example: "x,y,p,t".into() }));
                }
                None if count == 4 => {
                    guess_order(&sample.rows).ok_or_else(|| here(unclear(count)))?
                }
                None => return Err(here(unclear(count))),
            },
        };
        let name_of =
            |field: Field| sample.names.as_ref().and_then(|names| *names.get(at[field.index()])?);
        let (unit, how) =
            match (options.columns.time_unit, name_of(Field::T).and_then(|name| name.unit)) {
                (Some(unit), _) => (unit, "as stated"),
                (None, Some(unit)) => (unit, "by its name"),
                (None, None) => {
                    let times = sample.rows.iter().filter_map(|row| row.get(at[0]).copied());
                    let first = times.clone().find_map(line::float).unwrap_or(0.0);
                    guess(
                        times.filter(|text| line::float(text).is_some()).map(is_fractional),
                        first,
                    )
                }
            };
        let mut letters = vec!["_"; count];
        for field in Field::ALL {
            letters[at[field.index()]] = field.letter();
        }
        let size = |field| name_of(field).and_then(|name| name.size);
        let named = size(Field::X).zip(size(Field::Y)).map(|(w, h)| SensorSize::new(w, h));
        Ok(Self {
            columns: Columns { count, at, unit },
            sensor: named.or(sample.sensor),
            start: sample.start as u64,
            line: sample.line + 1,
            details: vec![
                ("columns", format!("{} ({order})", letters.join(","))),
                ("time unit", format!("{} ({how})", unit.name())),
            ],
        })
    }
}

fn unclear(count: usize) -> Error {
    Error::malformed("the meaning of the columns is ambiguous")
        .expected("names, or the four columns t, x, y and p")
        .found(format!("{count} columns"))
        .hint(Hint::NameColumns { example: "t,x,y,p".into() })
        // Poses, inertial readings and calibrations have more columns than any text of events.
        .not_a_recording(count > 6)
}

/// The order that the caller specified.
fn stated(order: &[Option<Field>], count: usize) -> Result<[usize; 4]> {
    if order.len() != count {
        return Err(Error::caller("the number of columns in the file differs from the stated one")
            .expected(order.len())
            .found(count));
    }
    let at = |field| order.iter().position(|&column| column == Some(field)).unwrap_or(0);
    Ok(Field::ALL.map(at))
}

/// The order that follows from the names.
fn named(names: &[Option<Name>], text: &str, keys: Option<&ColumnMap>) -> Result<[usize; 4]> {
    let mut raw = [&b""[..]; COLUMNS];
    let count = line::split(text.as_bytes(), &mut raw);
    let words = || raw.iter().take(count).filter_map(|name| std::str::from_utf8(name).ok());
    let mut at = [0; 4];
    for field in Field::ALL {
        let column = match keys.and_then(|keys| keys.name(field)) {
            Some(key) => raw.iter().position(|name| name.eq_ignore_ascii_case(key.as_bytes())),
            None => names.iter().position(|name| name.is_some_and(|name| name.field == field)),
        };
        at[field.index()] = column.filter(|&column| column < names.len()).ok_or_else(|| {
            Error::malformed(format!("no column has a name for {field} of an event"))
                .found(text)
                .hint(Hint::NameColumns { example: format!("{field}=NAME") })
                .not_a_recording(keys.is_none() && surely_no_events(words()))
        })?;
    }
    Ok(at)
}

/// The order that follows from the numbers: `t,x,y,p`, or another one if p or t cannot be in these
/// columns.
fn guess_order(rows: &[Vec<&[u8]>]) -> Option<([usize; 4], &'static str)> {
    const TXYP: [usize; 4] = [0, 1, 2, 3];
    const XYPT: [usize; 4] = [3, 0, 1, 2];
    const XYTP: [usize; 4] = [2, 0, 1, 3];
    let column = |i: usize| rows.iter().filter_map(move |row| row.get(i).copied());
    let is_p = |i| column(i).all(|text| line::polarity(text).is_some());
    let values = |i| column(i).filter_map(line::float);
    let rises = |i| values(i).zip(values(i).skip(1)).all(|(before, after)| before <= after);
    let most = |i| values(i).fold(f64::NEG_INFINITY, f64::max);
    if rows.is_empty() {
        return Some((TXYP, "taken as usual"));
    }
    let first = (is_p(3), rises(0));
    let third = (is_p(2), rises(3));
    Some(match (first, third) {
        // Both columns may be times: the one with larger values is the time.
        ((true, true), (true, true)) if most(3) > most(0) => (XYPT, "guessed from the numbers"),
        ((true, true), _) => (TXYP, "guessed from the numbers"),
        (_, (true, true)) => (XYPT, "guessed from the numbers"),
        ((true, false), _) if rises(2) => (XYTP, "guessed from the numbers"),
        ((true, false), _) => (TXYP, "guessed from the numbers"),
        (_, (true, false)) => (XYPT, "guessed from the numbers"),
        // Damaged lines are dropped later, but a text without any polarity is a table of something
        // else.
        _ if rows.iter().any(|row| row.get(3).is_some_and(|p| line::polarity(p).is_some())) => {
            (TXYP, "taken as usual")
        }
        _ => return None,
    })
}

/// Whether a time is written with a fraction. `12.0` counts as a whole number that was converted
/// from a float.
fn is_fractional(text: &[u8]) -> bool {
    match text.iter().position(|&byte| byte == b'.') {
        Some(point) => {
            let decimals = &text[point + 1..];
            match decimals.iter().position(|byte| matches!(byte, b'e' | b'E')) {
                Some(_) => line::float(text).is_some_and(|value| value.fract() != 0.0),
                None => decimals.len() > 1 || decimals.iter().any(|&digit| digit != b'0'),
            }
        }
        None => line::float(text).is_some_and(|value| value.fract() != 0.0),
    }
}

impl<'a> Sample<'a> {
    /// Examines the lines of `head`. The last line is complete only if the file ends there.
    fn read(head: &'a [u8], all: bool) -> Self {
        let mark = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let mut sample = Self { start: mark, ..Self::default() };
        let mut at = mark;
        while at < head.len() {
            let end = head[at..].iter().position(|&byte| byte == b'\n').map(|end| at + end + 1);
            let Some(end) = end.or(all.then_some(head.len())) else { break };
            sample.seen += 1;
            sample.line(head[at..end].trim_ascii(), end);
            at = end;
        }
        sample
    }

    /// Examines a trimmed line that ends at `end`.
    fn line(&mut self, text: &'a [u8], end: usize) {
        let is_first = self.rows.is_empty();
        if line::is_nothing(text) {
            if is_first {
                self.comment(text, end);
            }
            return;
        }
        let mut fields = [&text[..0]; COLUMNS];
        let count = line::split(text, &mut fields);
        let Some(fields) = fields.get(..count) else { return };
        let numbers = fields.iter().filter(|field| is_number(field)).count();
        match fields {
            [width, height] if is_first && self.sensor.is_none() => {
                let side = |text| line::float(text).filter(|v| (1.0..=65535.0).contains(v));
                if let (Some(width), Some(height)) = (side(width), side(height)) {
                    self.sensor = Some(SensorSize::new(width as u16, height as u16));
                    self.header(end);
                }
            }
            _ if numbers == count && count > 2 => self.rows.push(fields.to_vec()),
            _ if numbers == 0 && is_first && self.names.is_none() => {
                self.names = Some(names(fields));
                self.names_text = String::from_utf8_lossy(text).into_owned();
                self.header(end);
            }
            _ => {}
        }
    }

    /// Examines a comment, which may have the names of the columns or the size of the sensor
    /// (`%geometry:1280,720`).
    fn comment(&mut self, text: &'a [u8], end: usize) {
        let text = text.trim_ascii_start();
        let words = text.iter().position(|byte| !b"#%/ \t".contains(byte)).unwrap_or(text.len());
        let text = &text[words..];
        let mut fields = [&text[..0]; COLUMNS];
        let count = line::split(text, &mut fields);
        if let Some(fields) = fields.get(..count)
            && count >= 4
            && fields.iter().all(|field| Name::field(&String::from_utf8_lossy(field)).is_some())
        {
            self.names = Some(names(fields));
            self.names_text = String::from_utf8_lossy(text).into_owned();
        }
        let lower = text.to_ascii_lowercase();
        if let Some(size) = lower.strip_prefix(b"geometry") {
            let size = String::from_utf8_lossy(size).replace([':', '=', ' '], "").replace(',', "x");
            self.sensor = size.parse().ok().or(self.sensor);
        }
        self.header(end);
    }

    /// Makes this line, and all lines before it, part of the header.
    fn header(&mut self, end: usize) {
        self.line = self.seen;
        self.start = end;
    }
}

fn names(fields: &[&[u8]]) -> Vec<Option<Name>> {
    fields.iter().map(|field| Name::parse(&String::from_utf8_lossy(field))).collect()
}

/// Whether a field may be a number of an event.
fn is_number(field: &[u8]) -> bool {
    line::float(field).is_some() || line::polarity(field).is_some()
}

/// Whether a text starts like a table of events: with names of columns, or with a line of 3 to 16
/// numbers.
pub(crate) fn is_table(head: &[u8]) -> bool {
    let sample = Sample::read(head, true);
    let named = sample.names.is_some_and(|names| {
        Field::ALL.iter().filter(|&&f| names.iter().flatten().any(|n| n.field == f)).count() >= 3
    });
    named || !sample.rows.is_empty()
}
