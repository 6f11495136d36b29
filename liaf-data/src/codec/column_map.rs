//! Which column or array holds which field of an event, and the unit of its times.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// One of the four fields of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// The time.
    T,
    /// The column of the pixel, from the left.
    X,
    /// The row of the pixel, from the top.
    Y,
    /// The polarity.
    P,
}

impl Field {
    /// All four fields, in the order of their indices.
    pub const ALL: [Self; 4] = [Self::T, Self::X, Self::Y, Self::P];

    /// The letter of the field: `t`, `x`, `y` or `p`.
    pub fn letter(self) -> &'static str {
        match self {
            Self::T => "t",
            Self::X => "x",
            Self::Y => "y",
            Self::P => "p",
        }
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }

    fn from_letter(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.letter() == text)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letter())
    }
}

/// Which columns or arrays hold t, x, y and p. It is needed for formats that do not define this
/// themselves, such as text tables and numpy archives.
///
/// ```
/// use liaf_data::options::{Field, ColumnMap};
/// let order: ColumnMap = "x,y,_,p,t".parse()?;
/// assert_eq!(order, ColumnMap::Order(vec![
///     Some(Field::X), Some(Field::Y), None, Some(Field::P), Some(Field::T),
/// ]));
/// let names: ColumnMap = "t=/cam/ts,x=/cam/xs,y=/cam/ys,p=/cam/ps".parse()?;
/// assert!(matches!(names, ColumnMap::Names(_)));
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum ColumnMap {
    /// The field of each column, from the first column on; a column that is `None` is not read.
    Order(Vec<Option<Field>>),
    /// The names of the columns, arrays or datasets that hold t, x, y and p, in this order. A field
    /// that is `None` is found by its usual names.
    Names([Option<String>; 4]),
}

impl ColumnMap {
    pub(crate) fn name(&self, field: Field) -> Option<&str> {
        match self {
            Self::Order(_) => None,
            Self::Names(names) => names[field.index()].as_deref(),
        }
    }
}

impl fmt::Display for ColumnMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = match self {
            Self::Order(order) => {
                order.iter().map(|field| field.map_or("_", Field::letter).to_owned()).collect()
            }
            Self::Names(names) => {
                let named = Field::ALL.iter().zip(names);
                named
                    .filter_map(|(field, name)| Some(format!("{field}={}", name.as_ref()?)))
                    .collect()
            }
        };
        f.write_str(&parts.join(","))
    }
}

impl From<ColumnMap> for String {
    fn from(map: ColumnMap) -> Self {
        map.to_string()
    }
}

impl TryFrom<String> for ColumnMap {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl FromStr for ColumnMap {
    type Err = Error;

    /// Parses `t,x,y,p` in the order of the columns, with `_` for a column to ignore, or
    /// `t=NAME,x=NAME,…`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |what: &str| {
            Error::caller(what)
                .expected(
                    "t, x, y and p once each, as in x,y,_,p,t, or t=NAME,x=NAME,y=NAME,p=NAME",
                )
                .found(format!("{text:?}"))
        };
        let parts: Vec<_> = text.split(',').map(str::trim).collect();
        let mut names = [const { None }; 4];
        if text.contains('=') {
            for part in parts {
                let (letter, name) = part
                    .split_once('=')
                    .ok_or_else(|| wrong("an entry is not of the form FIELD=NAME"))?;
                let field = Field::from_letter(letter.trim())
                    .ok_or_else(|| wrong("an entry begins with an unknown field"))?;
                if names[field.index()].replace(name.trim().to_owned()).is_some() {
                    return Err(wrong("a field is given twice"));
                }
            }
            return Ok(Self::Names(names));
        }
        let order = parts.into_iter().map(|part| match Field::from_letter(part) {
            None if part != "_" => Err(wrong("an entry is not a field of an event")),
            field => Ok(field),
        });
        let order = order.collect::<Result<Vec<_>, _>>()?;
        if Field::ALL
            .iter()
            .any(|&field| order.iter().flatten().filter(|&&f| f == field).count() != 1)
        {
            return Err(wrong("a field of the events is missing or given twice"));
        }
        Ok(Self::Order(order))
    }
}

/// The unit of the times in a file that does not state it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TimeUnit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds. This unit is never guessed.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Microseconds.
    #[serde(rename = "us", alias = "µs")]
    Microseconds,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanoseconds,
}

impl TimeUnit {
    /// The usual symbol of the unit: `s`, `ms`, `µs` or `ns`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
            Self::Nanoseconds => "ns",
        }
    }

    /// The unit is 10 to the power of this number, in µs.
    pub(crate) fn exponent(self) -> i32 {
        match self {
            Self::Seconds => 6,
            Self::Milliseconds => 3,
            Self::Microseconds => 0,
            Self::Nanoseconds => -3,
        }
    }
}

impl FromStr for TimeUnit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "s" => Ok(Self::Seconds),
            "ms" => Ok(Self::Milliseconds),
            "us" | "µs" => Ok(Self::Microseconds),
            "ns" => Ok(Self::Nanoseconds),
            _ => Err(Error::caller("unknown unit of time").expected("s, ms, us or ns").found(text)),
        }
    }
}
