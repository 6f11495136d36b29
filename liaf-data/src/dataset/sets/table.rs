//! Tables of labels.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::super::Stretch;
use crate::error::{Error, Result};
use crate::io::read_text;
use crate::limits::Limits;
use crate::model::TimePoint;
use crate::names::one_of;

/// A CSV table with names in its first line. Values are separated by commas and are not quoted.
pub(super) struct Table {
    path: PathBuf,
    names: Vec<String>,
    rows: Vec<(usize, Vec<String>)>,
}

/// A row of a table.
pub(super) struct Row<'a> {
    table: &'a Table,
    /// Counted from 1.
    pub line: usize,
    values: &'a [String],
}

impl Table {
    pub fn read(path: &Path) -> Result<Self> {
        let text = read_text("the table", path, Limits::DEFAULT.packet_bytes)?;
        let split = |line: &str| line.split(',').map(|value| value.trim().to_owned()).collect();
        let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
        let mut lines = lines.map(|(i, line)| (i + 1, line.trim()));
        let mut lines =
            lines.by_ref().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let Some((_, names)) = lines.next() else {
            return Err(Error::malformed("the table is empty").in_file(path));
        };
        let names: Vec<String> = split(names);
        let rows: Vec<(usize, Vec<String>)> =
            lines.map(|(line, text)| (line, split(text))).collect();
        for (line, values) in &rows {
            if values.len() != names.len() {
                let what = format!("line {line} has another number of values than the first");
                let error = Error::malformed(what).expected(names.len()).found(values.len());
                return Err(error.in_file(path));
            }
        }
        Ok(Self { path: path.to_owned(), names, rows })
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
        self.rows.iter().map(|(line, values)| Row { table: self, line: *line, values })
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
    for pair in sorted.windows(2) {
        let [(a, _, end, first), (b, start, _, second)] = pair else { continue };
        if a == b && start < end {
            let us = end - start;
            remarks.push(format!(
                "{}: the stretches of lines {first} and {second} overlap by {us} µs",
                path.display()
            ));
        }
    }
    Ok(())
}
