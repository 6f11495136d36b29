//! The lines at the start of a text: its header, and the first lines of numbers.

use super::line::{COLUMNS, is_nothing};
use super::number::{Decimal, float, word};
use super::split;
use crate::codec::Field;
use crate::codec::columns::Name;
use crate::model::SensorSize;

/// The byte order mark of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines at the start of a text.
#[derive(Debug, Clone)]
pub(crate) struct Sample<'a> {
    /// Number of lines examined.
    seen: u64,
    /// The end of the header: its length in bytes and in lines.
    pub start: usize,
    pub line: u64,
    /// The byte that ends a line.
    pub line_end: u8,
    /// The line of names, if there is one.
    pub names: Option<&'a [u8]>,
    /// The comments in the header, without the marks before their text.
    pub comments: Vec<&'a [u8]>,
    pub sensor: Option<SensorSize>,
    /// The size of the sensor is a line of two numbers, as the text files of the University of Zurich
    /// have it.
    pub has_size_line: bool,
    /// The lines after the header that have three or more numbers.
    pub rows: Vec<&'a [u8]>,
}

impl<'a> Sample<'a> {
    /// Examines the lines of `head`. The last line is complete only if the file ends there.
    pub fn read(head: &'a [u8], all: bool) -> Self {
        let mark = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let is_mac = !head.contains(&b'\n') && head.contains(&b'\r');
        let mut sample = Self {
            seen: 0,
            start: mark,
            line: 0,
            line_end: if is_mac { b'\r' } else { b'\n' },
            names: None,
            comments: Vec::new(),
            sensor: None,
            has_size_line: false,
            rows: Vec::new(),
        };
        let mut at = mark;
        while at < head.len() {
            let end = head[at..].iter().position(|&byte| byte == sample.line_end);
            let Some(end) = end.map(|end| at + end + 1).or(all.then_some(head.len())) else {
                break;
            };
            sample.seen += 1;
            sample.add(head[at..end].trim_ascii(), end);
            at = end;
        }
        sample
    }

    /// This sample with other rows.
    pub fn with_rows<'b>(&'b self, rows: Vec<&'b [u8]>) -> Sample<'b> {
        Sample { rows, ..self.clone() }
    }

    /// Examines a trimmed line that ends at `end`.
    fn add(&mut self, text: &'a [u8], end: usize) {
        let is_first = self.rows.is_empty();
        if is_nothing(text) {
            if is_first {
                self.comment(text, end);
            }
            return;
        }
        let (count, numbers) = count(text);
        match (count, numbers) {
            (2, 2) if is_first && self.sensor.is_none() => {
                let side = |text| float(text).filter(|v| (1.0..=65535.0).contains(v));
                let mut sides = split::columns(text, None).map(side);
                if let (Some(Some(width)), Some(Some(height))) = (sides.next(), sides.next()) {
                    self.sensor = Some(SensorSize::new(width as u16, height as u16));
                    self.has_size_line = true;
                    self.header(end);
                }
            }
            (_, 3..) if count <= COLUMNS => self.rows.push(text),
            (1..=COLUMNS, _) if is_first => {
                // pandas calls the column of an index `Unnamed: 0`, which has a number in it.
                let known_here = known(text);
                let are_names = numbers == 0 || known_here >= 3;
                if are_names && known_here > self.names.map_or(-1, known) {
                    self.names = Some(text);
                    self.header(end);
                }
            }
            _ => {}
        }
    }

    /// Examines a comment, which may have the names of the columns or the size of the sensor
    /// (`%geometry:1280,720`).
    fn comment(&mut self, text: &'a [u8], end: usize) {
        let text = text.trim_ascii_start();
        let words = text.iter().position(|byte| !b"#%/! \t".contains(byte)).unwrap_or(text.len());
        let text = &text[words..];
        let lower = text.to_ascii_lowercase();
        if let Some(size) = lower.strip_prefix(b"geometry") {
            let size = String::from_utf8_lossy(size).replace([':', '=', ' '], "").replace(',', "x");
            self.sensor = size.parse().ok().or(self.sensor);
        } else if count(text).0 <= 2 * COLUMNS && known(text) >= 3 {
            self.comments.push(text);
        }
        self.header(end);
    }

    /// Makes this line, and all lines before it, part of the header.
    fn header(&mut self, end: usize) {
        self.line = self.seen;
        self.start = end;
    }
}

/// The number of columns of a trimmed line without the empty ones at its end, and how many of them are
/// numbers.
fn count(text: &[u8]) -> (usize, usize) {
    let (mut count, mut numbers) = (0, 0);
    for (column, i) in split::columns(text, None).zip(1..) {
        numbers += usize::from(is_number(column));
        if !column.is_empty() {
            count = i;
        }
    }
    (count, numbers)
}

/// Whether a column may be a number of an event. A word for a polarity is one, except for `on`, which is a
/// name as well.
fn is_number(column: &[u8]) -> bool {
    let is_plain = matches!(Decimal::at_start(column), Some((_, [])));
    let is_word =
        || word(column).is_some() && Name::field(&String::from_utf8_lossy(column)).is_none();
    is_plain || float(column).is_some() || is_word()
}

/// Whether a line of three or more numbers has nothing else but words for polarities.
fn is_row(line: &[u8]) -> bool {
    let (count, _) = count(line);
    let mut columns = split::columns(line, None).take(count);
    columns.all(|column| is_number(column) || word(column).is_some())
}

/// How many fields of an event a line of names has, divided in the way that gives most.
fn known(text: &[u8]) -> i32 {
    let known = |only| {
        let names = split::names(text, only);
        let names = names.iter().filter_map(|name| parse_name(name));
        let fields: Vec<_> = names.map(|name| name.field).collect();
        Field::ALL.iter().filter(|field| fields.contains(field)).count() as i32
    };
    known(None).max(known(split::separator(text)))
}

/// What the name of a column says. In a comment of v2e it may be introduced by words, and the unit by
/// another word: `Format is time (float s)`.
pub(crate) fn parse_name(name: &[u8]) -> Option<Name> {
    let name = String::from_utf8_lossy(name).to_lowercase();
    let name = name.strip_prefix("format is ").unwrap_or(&name);
    Name::parse(name).or_else(|| {
        let (before, unit) = name.strip_suffix(')')?.split_once('(')?;
        Name::parse(&format!("{before} ({})", unit.split_whitespace().last()?))
    })
}

/// Whether a text starts like a table of events: with names of columns, or with a line of 3 to 16
/// numbers.
pub(crate) fn is_table(head: &[u8]) -> bool {
    let sample = Sample::read(head, true);
    sample.names.is_some_and(|names| known(names) >= 3) || sample.rows.iter().any(|row| is_row(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::TimeUnit;

    #[test]
    fn names_in_comments_of_v2e_are_understood() {
        let name = parse_name(b"Format is time (float s)").unwrap();
        assert_eq!((name.field, name.unit), (Field::T, Some(TimeUnit::Seconds)));
        assert_eq!(parse_name(b"polarity (0=off, 1=on)").unwrap().field, Field::P);
        for text in [&b"signal/noise (1/0)"[..], b"t (ticks)", b"Format is", b"t ("] {
            assert_eq!(parse_name(text), None);
        }
    }

    #[test]
    fn the_header_ends_where_the_numbers_begin() {
        let text = b"#!events.txt\n# Format is t, x, y, p\nrecorded at noon\nt,x,y,p\nlost\n1,2,3,1\n5 6\n";
        let sample = Sample::read(text, true);
        assert_eq!(sample.names, Some(&b"t,x,y,p"[..]));
        assert_eq!(sample.comments, [&b"Format is t, x, y, p"[..]]);
        assert_eq!((sample.line, sample.rows.len(), sample.line_end), (4, 1, b'\n'));
        assert!(text[sample.start..].starts_with(b"lost\n"));
        let sample = Sample::read(b"\xef\xbb\xbf346 260\r0.5 3 4 1\r", true);
        assert_eq!((sample.sensor, sample.line_end), (Some(SensorSize::new(346, 260)), b'\r'));
        assert!(sample.has_size_line && sample.start == 11);
    }

    #[test]
    fn a_name_may_have_a_number_in_it() {
        for names in ["Unnamed: 0,t,x,y,p", "level 0;level 1;t;x;y;p"] {
            let text = format!("{names}\n0,1,2,3,1\n");
            let sample = Sample::read(text.as_bytes(), true);
            assert_eq!((sample.names, sample.rows.len()), (Some(names.as_bytes()), 1), "{names}");
        }
        let sample = Sample::read(b"camera 1, on\n0,1,2,3,1\n", true);
        assert_eq!((sample.names, sample.start), (None, 0));
    }

    #[test]
    fn tables_are_told_from_other_texts() {
        for text in [
            "t,x,y,p\n",
            "time (us);X Addr;Y Addr\n",
            "1 2 3\n",
            "On/Off,X,Y\r",
            "t,x@9,y@9,on",
            "1 2 3 ON\n",
        ] {
            assert!(is_table(text.as_bytes()), "{text:?}");
        }
        for text in ["", "a b\n1 2\n", "#!/usr/bin/env python\nx = 1, 2\n", "see 1 2 3 there\n"] {
            assert!(!is_table(text.as_bytes()), "{text:?}");
        }
    }
}
