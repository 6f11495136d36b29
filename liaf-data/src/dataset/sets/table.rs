//! Tables of labels.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::super::Stretch;
use crate::error::{Error, Result};
use crate::formats::csv::fields;
use crate::io::read_text;
use crate::limits::Limits;
use crate::model::TimePoint;
use crate::names::one_of;

/// Most lines or pairs of lines that a message lists.
const LISTED: usize = 10;

/// A CSV table with names in its first line. Values are separated by commas, and may be in quotation marks.
/// Empty lines and those that begin with `#` are passed over.
pub(super) struct Table {
    path: PathBuf,
    text: String,
    names: Vec<String>,
    /// The number of each line with values, and where in the text it is.
    rows: Vec<(usize, Range<usize>)>,
}

/// A row of a table.
pub(super) struct Row<'a> {
    table: &'a Table,
    /// Counted from 1.
    pub line: usize,
    values: Vec<Cow<'a, str>>,
}

impl Table {
    pub fn read(path: &Path) -> Result<Self> {
        let text = read_text("the table", path, Limits::DEFAULT.packet_bytes)?;
        let mut rows = Vec::new();
        let mut start = text.len() - text.trim_start_matches('\u{feff}').len();
        for (line, whole) in (1..).zip(text[start..].split_inclusive('\n')) {
            let values = whole.trim();
            let from = start + (whole.len() - whole.trim_start().len());
            start += whole.len();
            if !values.is_empty() && !values.starts_with('#') {
                rows.push((line, from..from + values.len()));
            }
        }
        if rows.is_empty() {
            return Err(Error::malformed("the table is empty").in_file(path));
        }
        let mut table = Self { path: path.to_owned(), text, names: Vec::new(), rows };
        let (first, range) = table.rows.remove(0);
        let names: Vec<_> = table.values(first, &range)?.into_iter().map(Cow::into_owned).collect();
        for (number, name) in names.iter().enumerate() {
            let is_same = |other: &String| !name.is_empty() && other.eq_ignore_ascii_case(name);
            if names[..number].iter().any(is_same) {
                let what = format!("line {first}: two columns have the same name");
                return Err(Error::malformed(what).found(format!("{name:?}")).in_file(path));
            }
        }
        table.names = names;
        for (line, range) in &table.rows {
            let (found, expected) = (table.values(*line, range)?.len(), table.names.len());
            if found != expected {
                let what = format!("line {line} has another number of values than the first");
                let error = Error::malformed(what).expected(expected).found(found);
                return Err(error.in_file(path));
            }
        }
        Ok(table)
    }

    /// The values of a line.
    fn values(&self, line: usize, range: &Range<usize>) -> Result<Vec<Cow<'_, str>>> {
        fields(&self.text[range.clone()]).ok_or_else(|| {
            Error::malformed(format!("line {line}: the quotation marks do not enclose a value"))
                .expected("a value in \"…\", with \"\" for a quotation mark within it")
                .in_file(&self.path)
        })
    }

    /// The number of the column with this name, whatever its case.
    pub fn column(&self, name: &str) -> Result<usize> {
        self.find(name).ok_or_else(|| {
            let found: Vec<&str> = self.names.iter().map(|name| &**name).collect();
            Error::malformed(format!("the table has no column {name}"))
                .found(one_of(&found))
                .in_file(&self.path)
        })
    }

    pub fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known.eq_ignore_ascii_case(name))
    }

    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, range)| {
            // They were divided without an error before.
            let values = self.values(*line, range).unwrap_or_default();
            Row { table: self, line: *line, values }
        })
    }
}

impl Row<'_> {
    pub fn text(&self, column: usize) -> &str {
        self.values.get(column).map_or("", |value| value)
    }

    pub fn number<T: FromStr>(&self, column: usize) -> Result<T> {
        self.text(column).parse().map_err(|_| {
            let name = self.table.names.get(column).map_or("", |name| name);
            self.error(&format!("{name} is no valid number"))
                .found(format!("{:?}", self.text(column)))
        })
    }

    /// An error about this row.
    pub fn error(&self, what: &str) -> Error {
        Error::malformed(format!("line {}: {what}", self.line)).in_file(&self.table.path)
    }
}

/// The numbers of lines, of which the first are named.
pub(super) fn lines(numbers: impl ExactSizeIterator<Item = usize>) -> String {
    let more = numbers.len().saturating_sub(LISTED);
    let named: Vec<_> = numbers.take(LISTED).map(|line| line.to_string()).collect();
    match more {
        0 => format!("lines {}", named.join(", ")),
        more => format!("lines {} and {more} more", named.join(", ")),
    }
}

/// Refuses stretches that end before they begin, and remarks on those that overlap. Each has its line.
pub(super) fn check_stretches(
    path: &Path,
    stretches: &[(Stretch, usize)],
    remarks: &mut Vec<String>,
) -> Result<()> {
    let mut sorted = Vec::new();
    for (stretch, line) in stretches {
        let (is_absolute, from, to) = match (stretch.from, stretch.to) {
            (TimePoint::Absolute(from), TimePoint::Absolute(to)) => (true, from, to),
            (TimePoint::Relative(from), TimePoint::Relative(to)) => (false, from, to),
            _ => continue,
        };
        if to <= from {
            return Err(Error::malformed(format!(
                "line {line}: the stretch ends before it begins"
            ))
            .expected("an end after the start")
            .found(format!("{from} to {to} µs"))
            .in_file(path));
        }
        sorted.push((is_absolute, from, to, line));
    }
    sorted.sort_unstable();
    let overlapping = sorted.windows(2).filter_map(|pair| match pair {
        [(a, _, end, first), (b, start, _, second)] if a == b && start < end => {
            Some((first, second, end.saturating_sub(*start)))
        }
        _ => None,
    });
    let mut more = 0_usize;
    for (number, (first, second, us)) in overlapping.enumerate() {
        if number < LISTED {
            let lines = format!("the stretches of lines {first} and {second}");
            remarks.push(format!("{}: {lines} overlap by {us} µs", path.display()));
        } else {
            more += 1;
        }
    }
    if more > 0 {
        let what = "more stretches overlap the one before them";
        remarks.push(format!("{}: {more} {what}", path.display()));
    }
    Ok(())
}
