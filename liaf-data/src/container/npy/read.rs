//! Reading the header of a numpy array, which is a Python dictionary in text form.

use crate::codec::TimeUnit;
use crate::codec::columns::{Kind, Number};
use crate::error::{Error, Result};
use crate::limits::Limits;

pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

/// The contents of the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub dtype: Dtype,
    /// The unit of the elements, if they are dates or differences of dates.
    pub unit: Option<TimeUnit>,
    pub fortran: bool,
    pub shape: Vec<u64>,
    /// Whether only spaces and a line feed follow the dictionary.
    pub is_clean: bool,
}

/// The type of the elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dtype {
    Plain(Number),
    /// Records of `bytes` bytes.
    Record {
        fields: Vec<Member>,
        bytes: usize,
    },
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub name: String,
    pub start: usize,
    /// `None` if it cannot be a field of an event: padding, texts, arrays.
    pub number: Option<Number>,
    /// Its unit, if it is a date or a difference of dates.
    pub unit: Option<TimeUnit>,
}

impl Dtype {
    /// Size of an element in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Plain(number) => number.bytes(),
            Self::Record { bytes, .. } => *bytes,
        }
    }
}

/// The lengths of the fixed part of the header and of the text after it, from the first 12 bytes.
pub(crate) fn lengths(head: &[u8], limits: &Limits) -> Result<(usize, usize)> {
    let cut = || Error::truncated("the header of the array is incomplete");
    if !head.starts_with(MAGIC) {
        return Err(Error::malformed("the file is not a NumPy array").expected("\\x93NUMPY"));
    }
    let (fixed, text) = match head.get(6).ok_or_else(cut)? {
        1 => {
            let length = head.get(8..10).and_then(|b| b.first_chunk()).ok_or_else(cut)?;
            (10, u64::from(u16::from_le_bytes(*length)))
        }
        2 | 3 => {
            let length = head.get(8..12).and_then(|b| b.first_chunk()).ok_or_else(cut)?;
            (12, u64::from(u32::from_le_bytes(*length)))
        }
        version => {
            return Err(Error::unsupported("unsupported version of the NumPy format")
                .expected("1, 2 or 3")
                .found(version));
        }
    };
    Ok((fixed, Limits::check("the header of the array", text, limits.header_bytes)?))
}

impl Header {
    /// Parses the text of the header.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(text).map_err(|_| broken("text that is not UTF-8"))?;
        let mut literal = Literal { rest: text };
        let value = literal.value(0)?;
        let is_clean = literal.rest.bytes().all(|byte| matches!(byte, b' ' | b'\n'));
        let Value::Dict(entries) = value else { return Err(broken("no dictionary")) };
        let entry = |name: &str| {
            let found = entries.iter().find(|(key, _)| key == name).map(|(_, value)| value);
            found.ok_or_else(|| broken(&format!("no '{name}'")))
        };
        let fortran = match entry("fortran_order")? {
            Value::Bool(fortran) => *fortran,
            _ => return Err(broken("'fortran_order' that is not True or False")),
        };
        let Value::List(shape) = entry("shape")? else {
            return Err(broken("'shape' that is not a tuple"));
        };
        let side = |value: &Value| match value {
            Value::Int(side) => Ok(*side),
            _ => Err(broken("'shape' with an item that is not a size")),
        };
        Ok(Self {
            dtype: dtype(entry("descr")?)?,
            unit: unit(entry("descr")?),
            fortran,
            shape: shape.iter().map(side).collect::<Result<_>>()?,
            is_clean,
        })
    }
}

fn broken(what: &str) -> Error {
    Error::malformed("the header of the array is invalid").found(what)
}

fn dtype(value: &Value) -> Result<Dtype> {
    let members = match value {
        Value::Text(text) => {
            let (bytes, number) = element(text)?;
            return number.map(Dtype::Plain).ok_or_else(|| {
                Error::unsupported("the type of the array is not supported")
                    .found(format!("{text} of {bytes} bytes"))
            });
        }
        Value::List(members) => members,
        _ => return Err(broken("'descr' that is not a type")),
    };
    let (mut fields, mut start) = (Vec::new(), 0usize);
    for member in members {
        let Value::List(parts) = member else { return Err(broken("a field that is not a tuple")) };
        // A name may be a pair of title and name.
        let name = match parts.first() {
            Some(Value::Text(name)) => name,
            Some(Value::List(pair)) => match pair.last() {
                Some(Value::Text(name)) => name,
                _ => return Err(broken("a field without a name")),
            },
            _ => return Err(broken("a field without a name")),
        };
        let (mut bytes, mut number) = match parts.get(1) {
            Some(Value::Text(text)) => element(text)?,
            Some(inner @ Value::List(_)) => (dtype(inner)?.bytes(), None),
            _ => return Err(broken("a field without a type")),
        };
        if let Some(shape) = parts.get(2) {
            let sides = match shape {
                Value::List(sides) => sides.as_slice(),
                side => std::slice::from_ref(side),
            };
            for side in sides {
                let Value::Int(side) = side else { return Err(broken("a field without a size")) };
                let side = usize::try_from(*side).ok();
                bytes = side.and_then(|n| bytes.checked_mul(n)).ok_or_else(too_large)?;
            }
            number = None;
        }
        let unit = parts.get(1).and_then(unit);
        fields.push(Member { name: name.clone(), start, number, unit });
        start = start.checked_add(bytes).filter(|&n| n <= RECORD).ok_or_else(too_large)?;
    }
    if start == 0 {
        return Err(broken("records of 0 bytes"));
    }
    Ok(Dtype::Record { fields, bytes: start })
}

/// Records larger than this are not events.
const RECORD: usize = 4096;

fn too_large() -> Error {
    Error::limit("the records of the array are too large")
        .expected(format!("at most {RECORD} bytes"))
}

/// The unit of dates (`datetime64`) or differences of dates (`timedelta64`), as in `<M8[us]`.
fn unit(value: &Value) -> Option<TimeUnit> {
    let Value::Text(text) = value else { return None };
    let (kind, unit) = text.strip_suffix(']')?.split_once('[')?;
    (kind.ends_with("M8") || kind.ends_with("m8")).then(|| unit.parse().ok())?
}

/// The size in bytes of an element type such as `<u2`, and the number type that it is.
fn element(text: &str) -> Result<(usize, Option<Number>)> {
    let (order, rest) = match text.as_bytes() {
        [b'<' | b'|' | b'=', ..] => (false, &text[1..]),
        [b'>', ..] => (true, &text[1..]),
        _ => (false, text),
    };
    let (kind, size) = rest.split_at_checked(1).ok_or_else(|| broken("a type without a name"))?;
    if kind == "O" {
        return Err(Error::unsupported("arrays of pickled Python objects are not supported")
            .advice("loading them would run code that the file contains; save arrays of numbers"));
    }
    let digits = size.split('[').next().unwrap_or_default();
    let size: usize = match digits {
        "" => 1,
        digits => digits.parse().map_err(|_| broken(&format!("the unknown type {text:?}")))?,
    };
    let kind = match (kind, size) {
        ("b" | "?", 1) => Some(Kind::Bool),
        ("i", 1) => Some(Kind::I8),
        ("i", 2) => Some(Kind::I16),
        ("i", 4) => Some(Kind::I32),
        ("i", 8) => Some(Kind::I64),
        ("u", 1) => Some(Kind::U8),
        ("u", 2) => Some(Kind::U16),
        ("u", 4) => Some(Kind::U32),
        ("u", 8) => Some(Kind::U64),
        ("f", 4) => Some(Kind::F32),
        ("f", 8) => Some(Kind::F64),
        // Dates in days, or in no unit, are no times of events.
        ("M" | "m", 8) => unit(&Value::Text(text.into())).map(|_| Kind::I64),
        ("U", _) => return Ok((size.saturating_mul(4), None)),
        _ => None,
    };
    Ok((size, kind.map(|kind| Number { kind, big_endian: order })))
}

/// A literal of Python, as far as headers use them.
#[derive(Debug)]
enum Value {
    Text(String),
    Int(u64),
    Bool(bool),
    List(Vec<Value>),
    Dict(Vec<(String, Value)>),
}

struct Literal<'a> {
    rest: &'a str,
}

/// Literals that are nested deeper than this cannot be part of a header.
const DEPTH: usize = 8;

impl Literal<'_> {
    fn next(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let is_there = self.next() == Some(wanted);
        if is_there {
            self.rest = &self.rest[wanted.len_utf8()..];
        }
        is_there
    }

    fn value(&mut self, depth: usize) -> Result<Value> {
        if depth > DEPTH {
            return Err(broken("values that are nested too deeply"));
        }
        match self.next() {
            Some(quote @ ('\'' | '"')) => self.text(quote).map(Value::Text),
            Some('(') => self.list('(', ')', depth),
            Some('[') => self.list('[', ']', depth),
            Some('{') => {
                self.take('{');
                let mut entries = Vec::new();
                while !self.take('}') {
                    let key = match self.next() {
                        Some(quote @ ('\'' | '"')) => self.text(quote)?,
                        _ => return Err(broken("a key that is not a text")),
                    };
                    if !self.take(':') {
                        return Err(broken("a key without a value"));
                    }
                    entries.push((key, self.value(depth + 1)?));
                    if !self.take(',') && self.next() != Some('}') {
                        return Err(broken("a dictionary without an end"));
                    }
                }
                Ok(Value::Dict(entries))
            }
            Some('0'..='9') => {
                let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
                let (digits, rest) = self.rest.split_at(end);
                // Python 2 wrote long integers as `10L`.
                self.rest = rest.strip_prefix('L').unwrap_or(rest);
                digits.parse().map(Value::Int).map_err(|_| broken("a number that is too large"))
            }
            Some('T' | 'F') => {
                for (word, value) in [("True", true), ("False", false)] {
                    if let Some(rest) = self.rest.strip_prefix(word) {
                        self.rest = rest;
                        return Ok(Value::Bool(value));
                    }
                }
                Err(broken("an unknown word"))
            }
            _ => Err(broken("no value where one is expected")),
        }
    }

    fn list(&mut self, open: char, close: char, depth: usize) -> Result<Value> {
        self.take(open);
        let mut values = Vec::new();
        while !self.take(close) {
            values.push(self.value(depth + 1)?);
            if !self.take(',') && self.next() != Some(close) {
                return Err(broken("a list without an end"));
            }
        }
        Ok(Value::List(values))
    }

    fn text(&mut self, quote: char) -> Result<String> {
        let inner = &self.rest[1..];
        let end = inner.find(quote).ok_or_else(|| broken("a text without an end"))?;
        self.rest = &inner[end + 1..];
        Ok(inner[..end].to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_records_and_of_plain_arrays_are_read() {
        let text = b"{'descr': [('t', '<i8'), ('', '|V4'), (('title', 'x'), '>u2'), \
                     ('z', '<f4', (2,)), ('on', '|b1')], 'fortran_order': False, 'shape': (7,), } \n";
        let header = Header::parse(text).unwrap();
        assert_eq!((header.shape, header.fortran, header.is_clean), (vec![7], false, true));
        let Dtype::Record { fields, bytes } = header.dtype else { panic!() };
        assert_eq!(bytes, 8 + 4 + 2 + 8 + 1);
        assert_eq!(fields[2].start, 12);
        assert_eq!(fields[2].number, Some(Number { kind: Kind::U16, big_endian: true }));
        assert_eq!((fields[3].number, fields[4].start), (None, 22));
        let plain = b"{\"shape\": (3L, 4), 'fortran_order': True, 'descr': '<f8'}";
        let header = Header::parse(plain).unwrap();
        assert_eq!((header.shape, header.fortran), (vec![3, 4], true));
        assert_eq!(header.dtype, Dtype::Plain(Number::little(Kind::F64)));
        assert!(!Header::parse(&[&plain[..], b"  \0\n"].concat()).unwrap().is_clean);
    }

    #[test]
    fn broken_headers_are_errors() {
        for text in [
            "",
            "{",
            "{'descr': '<f8'}",
            "{'descr': '<f8', 'fortran_order': 1, 'shape': ()}",
            "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}",
            "{'descr': '<c16', 'fortran_order': False, 'shape': (3,)}",
            "{'descr': [], 'fortran_order': False, 'shape': (3,)}",
            "{'descr': [('x', '<u2', (99999999999,))], 'fortran_order': False, 'shape': (3,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "((((((((((((((((((((((((",
        ] {
            assert!(Header::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
