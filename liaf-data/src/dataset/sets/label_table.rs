//! Labels by a table that names recordings, or parts of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::folder::{Found, natural};
use super::super::{Entry, Labels, Listing, Split, Stretch};
use super::folder::split_name;
use super::table::{Row, Table, check_stretches, lines};
use crate::error::{Error, Result};
use crate::model::{TimePoint, parse_duration};

/// What a line of a table says about a recording.
struct Line {
    stretch: Option<(TimePoint, TimePoint)>,
    class: usize,
    split: Option<Split>,
    line: usize,
}

/// Classes by a table: `file`, `class`, and perhaps start, end and `split`. `window` is the length of a frame
/// in µs.
pub(super) fn by_table(
    path: &Path,
    files: Vec<Found>,
    window: Option<i64>,
    listing: &mut Listing,
) -> Result<()> {
    let table = Table::read(path)?;
    let (file, class) = (table.column("file")?, table.column("class")?);
    let times = Times::of(&table, window).map_err(|error| error.in_file(path))?;
    let split = table.find("split");
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for row in table.rows() {
        if !numbers.contains_key(row.text(class)) {
            numbers.insert(row.text(class).to_owned(), 0);
        }
    }
    let mut classes: Vec<String> = numbers.keys().cloned().collect();
    classes.sort_by(|a, b| natural(a).cmp(&natural(b)).then_with(|| a.cmp(b)));
    for (number, name) in classes.iter().enumerate() {
        numbers.insert(name.clone(), number);
    }
    let named = Named::of(&files);
    let mut by_file: BTreeMap<usize, Vec<Line>> = BTreeMap::new();
    for row in table.rows() {
        let number = named.find(row.text(file), &row)?;
        let class = row.text(class);
        if class.is_empty() {
            return Err(row.error("the class is empty"));
        }
        let class = numbers.get(class).copied().unwrap_or(0);
        let stretch = times.as_ref().map(|times| times.read(&row)).transpose()?;
        let split = match split.map(|column| row.text(column)) {
            None | Some("") => None,
            Some(name) => Some(split_name(name).ok_or_else(|| {
                row.error("this is no split")
                    .expected("train, val or test")
                    .found(format!("{name:?}"))
            })?),
        };
        by_file.entry(number).or_default().push(Line { stretch, class, split, line: row.line });
    }
    let unnamed = files.len() - by_file.len();
    if unnamed > 0 {
        let what = "recordings are not in the table of labels, and are passed over";
        listing.remarks.push(format!("{unnamed} {what}"));
    }
    for (number, rows) in by_file {
        let Found { path: recording, name, bytes } = files[number].clone();
        let splits: BTreeSet<_> = rows.iter().map(|row| row.split).collect();
        let lines = || lines(rows.iter().map(|row| row.line));
        if splits.len() > 1 {
            let what = format!("{}: one recording is in several splits", lines());
            return Err(Error::malformed(what).found(name).in_file(path));
        }
        let labels = match &*rows {
            [Line { stretch: None, class, .. }] => Labels::Class(*class),
            [Line { stretch: None, .. }, ..] => {
                let what = format!("{}: one recording has several classes", lines());
                let error = Error::malformed(what).found(name).in_file(path);
                return Err(error.advice("state the start and end of each"));
            }
            _ => {
                let stretches: Vec<_> = rows
                    .iter()
                    .filter_map(|row| {
                        let (from, to) = row.stretch?;
                        Some((Stretch { class: row.class, from, to }, row.line))
                    })
                    .collect();
                check_stretches(path, &stretches, &mut listing.remarks)?;
                Labels::Stretches(stretches.into_iter().map(|(stretch, _)| stretch).collect())
            }
        };
        let split = splits.into_iter().next().flatten();
        listing.recordings.push(Entry { path: recording, name, split, labels, bytes });
    }
    listing.classes = classes;
    Ok(())
}

/// Files by their names.
struct Named<'a> {
    /// By the path within the folder.
    paths: BTreeMap<&'a str, usize>,
    /// By their own name; `None` if several files have it.
    own: BTreeMap<&'a str, Option<usize>>,
}

impl<'a> Named<'a> {
    fn of(files: &'a [Found]) -> Self {
        let (mut paths, mut own) = (BTreeMap::new(), BTreeMap::new());
        for (number, file) in files.iter().enumerate() {
            paths.entry(&*file.name).or_insert(number);
            own.entry(file.file_name()).and_modify(|one| *one = None).or_insert(Some(number));
        }
        Self { paths, own }
    }

    /// The file with this name: its path within the folder, or its own name if only one file has it.
    fn find(&self, name: &str, row: &Row<'_>) -> Result<usize> {
        if let Some(&number) = self.paths.get(name) {
            return Ok(number);
        }
        match self.own.get(name) {
            Some(Some(number)) => Ok(*number),
            None => Err(row.error("there is no such recording").found(format!("{name:?}"))),
            Some(None) => Err(row
                .error("several recordings have this name")
                .expected("the path within the folder")
                .found(format!("{name:?}"))),
        }
    }
}

/// In which unit a table states the start and end of a stretch.
#[derive(Debug, Clone, Copy)]
enum Unit {
    /// µs on the clock of the recording, or durations after its first event such as `1.5s`.
    Any,
    /// µs on the clock of the recording.
    Us,
    /// Seconds after the first event.
    Seconds,
    /// Frames of this many µs after the first event.
    Frames(i64),
}

/// The columns of start and end.
#[derive(Debug, Clone, Copy)]
struct Times {
    start: usize,
    end: usize,
    unit: Unit,
}

/// The names that these columns can have; those of the unit `Frames` have no length here.
const NAMES: &[(&str, &str, Unit)] = &[
    ("start", "end", Unit::Any),
    ("start_us", "end_us", Unit::Us),
    // Those of DVS128 Gesture.
    ("startTime_usec", "endTime_usec", Unit::Us),
    ("start_s", "end_s", Unit::Seconds),
    ("start_frame", "end_frame", Unit::Frames(0)),
];

impl Times {
    /// The columns of a table, if it has any.
    fn of(table: &Table, window: Option<i64>) -> Result<Option<Self>> {
        let mut found = None;
        for &(start_name, end_name, unit) in NAMES {
            let (start, end) = match (table.find(start_name), table.find(end_name)) {
                (None, None) => continue,
                (Some(start), Some(end)) => (start, end),
                _ => {
                    let what = format!("only one of the columns {start_name} and {end_name}");
                    return Err(Error::malformed(format!("the table has {what}")));
                }
            };
            if found.is_some() {
                return Err(Error::malformed("the table states start and end in several units"));
            }
            let unit = match (unit, window) {
                (Unit::Frames(_), Some(us)) => Unit::Frames(us),
                (Unit::Frames(_), None) => {
                    return Err(Error::caller(
                        "the table counts frames, whose length is not stated",
                    )
                    .expected("windows of a stated duration"));
                }
                _ => unit,
            };
            found = Some(Self { start, end, unit });
        }
        Ok(found)
    }

    fn read(self, row: &Row<'_>) -> Result<(TimePoint, TimePoint)> {
        Ok((self.time(row, self.start)?, self.time(row, self.end)?))
    }

    fn time(self, row: &Row<'_>, column: usize) -> Result<TimePoint> {
        let text = row.text(column);
        let whole = || text.parse::<i64>().ok();
        let (time, expected) = match self.unit {
            Unit::Any => {
                let duration = || parse_duration(text).ok().map(TimePoint::Relative);
                let time = whole().map(TimePoint::Absolute).or_else(duration);
                (time, "a whole number of µs, or a duration such as 1.5s")
            }
            Unit::Us => (whole().map(TimePoint::Absolute), "a whole number of µs"),
            Unit::Seconds => {
                let seconds = parse_duration(&format!("{text}s")).ok();
                (seconds.map(TimePoint::Relative), "seconds, such as 1.5")
            }
            Unit::Frames(us) => {
                let time = whole().filter(|n| *n >= 0).and_then(|n| n.checked_mul(us));
                (time.map(TimePoint::Relative), "the index of a frame")
            }
        };
        time.ok_or_else(|| {
            row.error("this is no time").expected(expected).found(format!("{text:?}"))
        })
    }
}
