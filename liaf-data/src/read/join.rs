//! Recordings in pieces, each of them a file, that are read as one.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::joined::JoinedReader;
use super::recording::Recording;
use crate::codec::{Body, Coords, Opened, ReadOptions, TimeShift};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::model::{Note, RecordingInfo, Report};

/// The pieces of a recording, in order of time.
#[derive(Debug)]
pub(super) struct Pieces {
    pub list: Vec<Piece>,
    /// After how many µs the clock of the format starts again, if it does; it does so in each piece.
    pub period: Option<i64>,
    /// The pieces are not in the order of their names.
    is_reordered: bool,
}

/// A piece of a recording.
#[derive(Debug)]
pub(super) struct Piece {
    pub path: PathBuf,
    /// Its size; `None` if it is packed.
    pub bytes: Option<u64>,
    /// The time of its first event, as stored; `None` if it has no events.
    pub first: Option<i64>,
}

/// Formats with a clock that starts again, and after how many bits it does. In files that are a piece of a
/// recording, the number of earlier restarts is not stored.
const CLOCKS: [(&str, u32); 6] = [
    ("EVT 3.0", 24),
    ("EVT 2.0", 34),
    ("EVT 2.1", 34),
    ("DAT", 32),
    ("AEDAT 1.0", 32),
    ("AEDAT 2.0", 32),
];

impl Recording {
    /// Opens several files that are the pieces of one recording, such as one `.npz` for each image of a
    /// simulation, or the files `_0001.raw`, `_0002.raw`, … of a long recording. They are read one after
    /// the other.
    ///
    /// The pieces are put in the order of the times of their first events or, if the clock of the format
    /// starts again after some time, in the natural order of their names, in which `9.npz` is before
    /// `10.npz`. Where such a clock starts again between two pieces, the times of the later ones are
    /// continued. Only one file is open at a time.
    ///
    /// ```
    /// # fn main() -> liaf_data::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let [first, second] = ["0.csv", "1.csv"].map(|name| folder.path().join(name));
    /// use liaf_data::{ReadOptions, Recording};
    ///
    /// std::fs::write(&first, "t,x,y,p\n1,5,6,0\n2,5,7,1\n")?;
    /// std::fs::write(&second, "t,x,y,p\n3,5,6,1\n")?;
    /// let mut recording = Recording::join([second, first], ReadOptions::new())?;
    /// assert_eq!(recording.read_all()?.t(), [1, 2, 3]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if there is no piece, if one of them is a pipe, or
    /// if their formats, sensors or streams differ, or what their numbers mean as times and polarities; while reading, if events of a piece are earlier than
    /// those of the piece before it. And as [`open`](Self::open).
    pub fn join<P: AsRef<Path>>(
        paths: impl IntoIterator<Item = P>,
        options: ReadOptions,
    ) -> Result<Self> {
        if options.evt.time_shift != TimeShift::None {
            return Err(Error::caller("pieces whose times are shifted cannot be joined")
                .expected("the times as they are stored")
                .found(options.evt.time_shift.to_string()));
        }
        let mut paths: Vec<PathBuf> =
            paths.into_iter().map(|path| path.as_ref().to_path_buf()).collect();
        paths.sort_by(|a, b| natural(&a.to_string_lossy(), &b.to_string_lossy()));
        let mut known: Option<(RecordingInfo, PathBuf)> = None;
        let (mut list, mut said) = (Vec::new(), Said::default());
        for path in paths {
            // Stored coordinates need no sensor, which may not be known before all pieces are.
            let stored = ReadOptions { coords: Coords::Raw, ..options.clone() };
            let mut recording = Self::open(&path, stored)?;
            if !recording.is_seekable() {
                return Err(Error::caller("a pipe cannot be joined").in_file(path));
            }
            let first = match recording.info().reads_events() {
                true => recording.first_time()?,
                false => None,
            };
            let info = recording.info();
            list.push(Piece { path: path.clone(), bytes: info.bytes, first });
            said.check(info, &path)?;
            match &known {
                Some((first, of)) => is_of(first, info).map_err(|(what, expected, found)| {
                    differ(what, format!("{expected} as in {}", of.display()), found, &path)
                })?,
                None => known = Some((info.clone(), path)),
            }
        }
        let Some((info, _)) = known else {
            return Err(Error::caller("there are no pieces to join"));
        };
        let clock = CLOCKS.iter().find(|(format, _)| *format == info.format);
        let period = clock.map(|(_, bits)| 1 << bits);
        let is_reordered = period.is_none() && sort(&mut list);
        let pieces = Arc::new(Pieces { list, period, is_reordered });
        let (source, opened) = pieces.open(&options)?;
        Self::of_pieces(pieces, source, opened, options)
    }
}

/// Puts the pieces in the order of their first times. Those without events stay after the piece before
/// them. Returns whether the order was another one.
fn sort(list: &mut [Piece]) -> bool {
    let mut last = i64::MIN;
    let mut keys = list.iter().map(|piece| {
        last = piece.first.unwrap_or(last);
        last
    });
    if keys.by_ref().is_sorted() {
        return false;
    }
    list.sort_by_key(|piece| piece.first);
    true
}

/// Whether `info` may be that of another piece of the recording with `first`; otherwise what differs.
fn is_of(
    first: &RecordingInfo,
    info: &RecordingInfo,
) -> std::result::Result<(), (&'static str, String, String)> {
    if first.format != info.format {
        return Err(("formats", first.format.into(), info.format.into()));
    }
    if let (Some(a), Some(b)) = (first.sensor, info.sensor)
        && a != b
    {
        return Err(("sensors", a.to_string(), b.to_string()));
    }
    if first.stream != info.stream {
        let name = |info: &RecordingInfo| {
            info.chosen().map_or_else(|| "none".to_owned(), |stream| stream.name.clone())
        };
        return Err(("streams", name(first), name(info)));
    }
    Ok(())
}

/// The error for pieces that are not of one recording.
fn differ(what: &str, expected: impl fmt::Display, found: impl fmt::Display, path: &Path) -> Error {
    Error::caller(format!("the pieces have different {what}"))
        .expected(expected)
        .found(found)
        .in_file(path)
}

/// What was found out from the numbers of the pieces, each on its own.
#[derive(Debug, Default)]
struct Said {
    /// The unit of the times, and the piece.
    unit: Option<(String, PathBuf)>,
    /// What a number means as a polarity, and the first piece that says so.
    polarity: BTreeMap<String, (String, PathBuf)>,
}

impl Said {
    /// Compares a piece with those before it: columns of numbers do not say what they mean, and a piece may have too
    /// few rows to tell.
    fn check(&mut self, info: &RecordingInfo, path: &Path) -> Result<()> {
        let detail = |key| {
            let text: &str = info.details.get(key)?;
            Some(text.split_once(" (").map_or(text, |(what, _)| what))
        };
        if let Some(unit) = detail("time unit") {
            let (first, of) = self.unit.get_or_insert_with(|| (unit.into(), path.into()));
            if first != unit {
                let expected = format!("{first} as in {}", of.display());
                return Err(differ("units of time", expected, unit, path).hint(Hint::StateTimeUnit));
            }
        }
        for meaning in detail("polarity").into_iter().flat_map(|text| text.split(", ")) {
            let Some((number, side)) = meaning.split_once(" = ") else { continue };
            let first = self.polarity.entry(number.into());
            let (first, of) = first.or_insert_with(|| (side.into(), path.into()));
            if first != side {
                let expected = format!("{number} = {first} as in {}", of.display());
                return Err(
                    differ("values of polarity", expected, meaning, path).hint(Hint::StatePolarity)
                );
            }
        }
        Ok(())
    }
}

impl Pieces {
    /// Opens all pieces as one recording.
    pub fn open(self: &Arc<Self>, options: &ReadOptions) -> Result<(ByteSource, Opened)> {
        let [first, ..] = self.list.as_slice() else {
            return Err(Error::caller("there are no pieces to join"));
        };
        let piece = Recording::open(&first.path, options.clone())?;
        let mut info = piece.info().clone();
        info.bytes = self.list.iter().map(|piece| piece.bytes).sum();
        info.details.remove("packed");
        info.details.insert("pieces", self.list.len().to_string());
        if self.is_reordered {
            info.notes
                .push(Note::new("the pieces are in the order of their times, not of their names"));
        }
        let Some((_, opened)) = piece.into_fresh() else {
            return Err(Error::caller("a piece cannot be read twice").in_file(&first.path));
        };
        let reader = JoinedReader::new(self.clone(), options.clone(), Report::default());
        let body = Body::blocks(reader);
        let (needs_sensor, fit_sensor) = (opened.needs_sensor, opened.fit_sensor);
        let opened = Opened { needs_sensor, fit_sensor, ..Opened::new(info, body, 0, options) };
        // The reader of the pieces opens its own sources.
        Ok((ByteSource::from_bytes([]), opened))
    }
}

/// The order of names in which numbers count by their value.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (digits_a, digits_b) = (digits(a), digits(b));
        if digits_a > 0 && digits_b > 0 {
            let (number_a, number_b) = (&a[..digits_a], &b[..digits_b]);
            let value = |number: &'_ str| number.trim_start_matches('0').len();
            let order = value(number_a)
                .cmp(&value(number_b))
                .then_with(|| {
                    number_a.trim_start_matches('0').cmp(number_b.trim_start_matches('0'))
                })
                .then(digits_a.cmp(&digits_b));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (&a[digits_a..], &b[digits_b..]);
            continue;
        }
        let (mut rest_a, mut rest_b) = (a.chars(), b.chars());
        match (rest_a.next(), rest_b.next()) {
            (Some(x), Some(y)) if x == y => (a, b) = (rest_a.as_str(), rest_b.as_str()),
            (x, y) => return x.cmp(&y),
        }
    }
}

/// Number of digits at the beginning.
fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_by_their_value() {
        let mut names =
            ["a10.npz", "a9.npz", "a09.npz", "b1", "a", "a9b", "0000000010", "0000000009"];
        names.sort_by(|a, b| natural(a, b));
        let wanted = ["0000000009", "0000000010", "a", "a9.npz", "a9b", "a09.npz", "a10.npz", "b1"];
        assert_eq!(names, wanted);
        assert_eq!(natural("é2", "é10"), Ordering::Less);
    }
}
