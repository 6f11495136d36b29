//! The columns of a text, from its header, or else from its first lines.

use super::commas::DecimalCommas;
use super::line::{self, COLUMNS, Columns, Fault, Line, Value};
use super::number::is_fractional;
use super::order::guess_order;
use super::polarity;
use super::sample::{Sample, parse_name};
use super::split;
use crate::codec::columns::{Name, Pixels, guess, slow, surely_no_events, turned_if_needed};
use crate::codec::{ColumnMap, Field, ReadOptions, TimeUnit};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::model::{Note, SensorSize, SensorSource};

/// Number of bytes that are examined to find the columns; more if a longer comment precedes the
/// data.
const SAMPLE: usize = 64 << 10;

/// How the lines of a text are decoded.
#[derive(Debug)]
pub(crate) struct Layout {
    pub columns: Columns,
    pub sensor: Option<SensorSize>,
    pub sensor_source: SensorSource,
    /// Offset at which the data starts.
    pub start: u64,
    /// Number of the first line of data, counted from 1.
    pub line: u64,
    /// What was found, and how, as text for users.
    pub details: Vec<(&'static str, String)>,
    /// What users should know about it.
    pub notes: Vec<Note>,
}

/// The names of the columns, as they are written and as they are understood.
struct Names<'a> {
    /// The line that has them.
    line: &'a [u8],
    texts: Vec<&'a [u8]>,
    names: Vec<Option<Name>>,
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
                let layout = Self::of_sample(source, &sample, options);
                return layout.map_err(|error| error.at(sample.start as u64));
            }
            size = (2 * size).min(most);
        }
    }

    fn of_sample(
        source: &mut ByteSource,
        sample: &Sample<'_>,
        options: &ReadOptions,
    ) -> Result<Self> {
        let Some(commas) = DecimalCommas::find(&sample.rows)? else {
            return Self::learn(source, sample, None, options);
        };
        let rows = commas.with_points(&sample.rows);
        let sample = sample.with_rows(rows.iter().map(Vec::as_slice).collect());
        Self::learn(source, &sample, Some(commas), options)
    }

    /// Finds the columns from a sample whose rows have decimal points, in place of the commas that are in
    /// the file.
    fn learn(
        source: &mut ByteSource,
        sample: &Sample<'_>,
        commas: Option<DecimalCommas>,
        options: &ReadOptions,
    ) -> Result<Self> {
        let separator = commas.map(|commas| commas.separator).or_else(|| separator(sample));
        let first = sample.rows.first().map(|row| width(row));
        let names = Names::find(sample, separator, first);
        let (count, at, order) = order(sample, first, names.as_ref(), options)?;
        let columns = Columns {
            separator,
            has_decimal_commas: commas.is_some(),
            line_end: sample.line_end,
            pixels: Pixels::of(&options.columns),
            ..Columns::new(count, at, TimeUnit::Microseconds)
        };
        let [t, ..] = at;
        if commas.is_some_and(|commas| commas.column != t) {
            return Err(Error::malformed("numbers other than times have decimal commas")
                .expected("commas in times, or none")
                .found(excerpt(sample.rows.first().copied().unwrap_or_default())));
        }
        let name_of = |field: Field| *names.as_ref()?.names.get(at[field.index()])?;
        let mut notes = Vec::new();
        let (unit, how) =
            match (options.columns.time_unit, name_of(Field::T).and_then(|name| name.unit)) {
                (Some(unit), _) => (unit, "as stated"),
                (None, Some(unit)) => (unit, "by its name"),
                (None, None) => {
                    let guessed = unit_of(&sample.rows, &columns);
                    if guessed.0 == TimeUnit::Microseconds {
                        notes.extend(slow(&numbers(&sample.rows, &columns, Field::T)));
                    }
                    guessed
                }
            };
        let columns = Columns { unit, ..columns };
        let polarity = polarity::decide(source, sample.start, &columns, options)?;
        notes.extend(polarity.notes());
        let columns = Columns { polarity, ..columns };
        if !options.strict {
            check(&sample.rows, &columns)?;
        }
        let size = |field| name_of(field).and_then(|name| name.size);
        let named = size(Field::X).zip(size(Field::Y)).map(|(w, h)| SensorSize::new(w, h));
        let (sensor, sensor_source, turned) =
            sensor(named.or(sample.sensor), &sample.rows, &columns, options);
        notes.extend(turned);
        let mut details = vec![
            ("columns", format!("{} ({order})", letters(&columns).join(","))),
            ("time unit", format!("{} ({how})", unit.name())),
            ("polarity", polarity.describe()),
        ];
        details.extend(commas.map(|_| ("decimal mark", "comma".to_owned())));
        let (start, line) = (sample.start as u64, sample.line + 1);
        Ok(Self { columns, sensor, sensor_source, start, line, details, notes })
    }
}

/// The separator of columns that is certain: that of the names, or else of the first rows.
fn separator(sample: &Sample<'_>) -> Option<u8> {
    let mut of_rows = sample.rows.iter().filter_map(|row| split::separator(row));
    let of_names = sample.names.and_then(split::separator);
    let is_used = |separator: &u8| sample.rows.iter().any(|row| row.contains(separator));
    of_names.filter(is_used).or_else(|| of_rows.next())
}

/// The number of columns, the indices of t, x, y and p, and how they are known. `first` is the number of
/// columns of the first row.
fn order(
    sample: &Sample<'_>,
    first: Option<usize>,
    names: Option<&Names<'_>>,
    options: &ReadOptions,
) -> Result<(usize, [usize; 4], &'static str)> {
    let count = names.map(|names| names.texts.len()).or(first).unwrap_or(4);
    Ok(match (&options.columns.map, names) {
        (Some(ColumnMap::Order(order)), _) => {
            let at = stated(order, first.unwrap_or(count), count)?;
            (order.len(), at, "as stated")
        }
        (keys, Some(names)) => (count, names.order(keys.as_ref())?, "by their names"),
        (Some(_), None) => {
            return Err(Error::caller("the columns have no names")
                .hint(Hint::NameColumns { example: "x,y,p,t".into() }));
        }
        (None, None) if count == 4 => {
            let guessed = guess_order(&sample.rows, sample.has_size_line);
            let (at, how) = guessed.ok_or_else(|| no_order(&sample.rows))?;
            (count, at, how)
        }
        (None, None) => return Err(unclear(count)),
    })
}

/// The letter of each column, or `_`.
fn letters(columns: &Columns) -> Vec<&'static str> {
    let mut letters = vec!["_"; columns.count];
    for field in Field::ALL {
        if let Some(letter) = letters.get_mut(columns.at[field.index()]) {
            *letter = field.letter();
        }
    }
    letters
}

/// The size of the sensor that the options or the file state, turned if the first events fit only then.
fn sensor(
    stated: Option<SensorSize>,
    rows: &[&[u8]],
    columns: &Columns,
    options: &ReadOptions,
) -> (Option<SensorSize>, SensorSource, Option<Note>) {
    let stated = stated.map(|size| columns.pixels.sensor(size));
    let (sensor, source) = SensorSource::Header.unless_stated(options.sensor, stated);
    let (Some(stated), SensorSource::Header) = (sensor, source) else {
        return (sensor, source, None);
    };
    let [x, y] = [Field::X, Field::Y].map(|field| numbers(rows, columns, field));
    let (size, note) = turned_if_needed(stated, [&x, &y], columns.pixels);
    (Some(size), source, note)
}

/// The number of columns of a row, without empty ones at its end.
fn width(row: &[u8]) -> usize {
    let filled = split::columns(row, None).zip(1..).filter(|(column, _)| !column.is_empty());
    filled.last().map_or(0, |(_, count)| count)
}

/// The values of a field in these rows.
fn values<'a>(
    rows: &[&'a [u8]],
    columns: &Columns,
    field: Field,
) -> impl Iterator<Item = (Value<'a>, f64)> + Clone {
    let of = move |row: &&'a [u8]| {
        let value = *line::values(row, columns).ok()?.fields.get(field.index())?;
        Some((value, value.as_f64()?))
    };
    rows.iter().filter_map(of)
}

fn numbers(rows: &[&[u8]], columns: &Columns, field: Field) -> Vec<f64> {
    values(rows, columns, field).map(|(_, number)| number).collect()
}

/// The unit of the times of these rows, and how it is known.
fn unit_of(rows: &[&[u8]], columns: &Columns) -> (TimeUnit, &'static str) {
    let times = values(rows, columns, Field::T);
    let first = times.clone().next().map_or(0.0, |(_, number)| number);
    guess(times.map(|(value, _)| is_fractional(value.text)), first)
}

/// Checks that there is an event among the first lines.
///
/// # Errors
/// If there is none, with what is wrong with the first line.
fn check(rows: &[&[u8]], columns: &Columns) -> Result<()> {
    let mut fault = None;
    for row in rows {
        match line::parse(row, columns) {
            Line::Event(_) => return Ok(()),
            Line::Bad(bad) => fault = fault.or(Some((bad, row))),
            Line::Nothing => {}
        }
    }
    let Some((fault, row)) = fault else { return Ok(()) };
    let what = format!("none of the first {} lines of numbers is an event", rows.len());
    let error = Error::malformed(what).expected(fault.expected(columns)).found(excerpt(row));
    Err(match fault {
        Fault::Fraction(_) => error.hint(Hint::RoundPixels),
        Fault::Field(Field::P) => error.hint(Hint::StatePolarity),
        // Neither numbers nor another order can be stated for a word.
        Fault::Word => error,
        _ => error.hint(Hint::NameColumns { example: "t,x,y,p".into() }),
    })
}

/// The beginning of a line, for a message.
fn excerpt(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

fn unclear(count: usize) -> Error {
    Error::malformed("the meaning of the columns is ambiguous")
        .expected("names, or the four columns t, x, y and p")
        .found(format!("{count} columns"))
        .hint(Hint::NameColumns { example: "t,x,y,p".into() })
        // Poses, inertial readings and calibrations have more columns than any text of events.
        .not_a_recording(count > 6)
}

/// The error for four columns that are not t, x, y and p in a known order.
fn no_order(rows: &[&[u8]]) -> Error {
    let first = rows.first().map(|row| excerpt(row)).unwrap_or_default();
    Error::malformed("the meaning of the four columns is ambiguous")
        .expected("names, or t,x,y,p or x,y,p,t or x,y,t,p, where p has two values")
        .found(first)
        .hint(Hint::NameColumns { example: "p,t,x,y".into() })
}

/// The order that the caller specified. A line may have `narrow` or `wide` columns, where names say one
/// number and the first line another.
fn stated(order: &[Option<Field>], narrow: usize, wide: usize) -> Result<[usize; 4]> {
    if ![narrow, wide].contains(&order.len()) {
        return Err(Error::caller("the number of columns in the file differs from the stated one")
            .expected(order.len())
            .found(narrow));
    }
    let at = |field| order.iter().position(|&column| column == Some(field)).unwrap_or(0);
    Ok(Field::ALL.map(at))
}

impl<'a> Names<'a> {
    /// The names in the line of names, or else in a comment. Where the data shows what separates columns
    /// and how many there are, the names are divided in the same way.
    fn find(sample: &Sample<'a>, separator: Option<u8>, count: Option<usize>) -> Option<Self> {
        let ways = |line| [separator, split::separator(line), None];
        if let Some(line) = sample.names {
            let worth = |names: &Self| {
                let has_count = count.is_none_or(|count| names.texts.len() == count);
                usize::from(has_count) + usize::from(names.order(None).is_ok())
            };
            // Of equally good ways the first is taken.
            let ways = ways(line).map(|only| Self::divide(line, only)).into_iter().rev();
            return ways.max_by_key(worth);
        }
        // A comment is prose, unless it names all fields and all columns.
        let names = sample
            .comments
            .iter()
            .rev()
            .flat_map(|&line| ways(line).map(|only| Self::divide(line, only)));
        let fits = |names: &Self| match count {
            Some(count) => names.texts.len() == count,
            None => names.names.iter().all(Option::is_some),
        };
        names.filter(fits).find(|names| names.order(None).is_ok())
    }

    fn divide(line: &'a [u8], only: Option<u8>) -> Self {
        let mut texts = split::names(line, only);
        texts.truncate(COLUMNS);
        let names = texts.iter().map(|name| parse_name(name)).collect();
        Self { line, texts, names }
    }

    /// The order that follows from the names.
    fn order(&self, keys: Option<&ColumnMap>) -> Result<[usize; 4]> {
        let words = || self.texts.iter().filter_map(|name| std::str::from_utf8(name).ok());
        let mut at = [0; 4];
        for field in Field::ALL {
            let mut names = self.names.iter();
            let column = match keys.and_then(|keys| keys.name(field)) {
                Some(key) => self.texts.iter().position(|name| is_called(name, key)),
                None => names.position(|name| name.is_some_and(|name| name.field == field)),
            };
            at[field.index()] = column.ok_or_else(|| {
                Error::malformed(format!("no column has a name for {field} of an event"))
                    .found(String::from_utf8_lossy(self.line))
                    .hint(Hint::NameColumns { example: format!("{field}=NAME") })
                    .not_a_recording(keys.is_none() && surely_no_events(words()))
            })?;
        }
        Ok(at)
    }
}

/// Whether a column has this name, or has it with something in brackets after it.
fn is_called(name: &[u8], key: &str) -> bool {
    let bracket = name.iter().position(|byte| b"([".contains(byte)).unwrap_or(name.len());
    let is_key = |name: &[u8]| name.trim_ascii().eq_ignore_ascii_case(key.trim().as_bytes());
    is_key(name) || is_key(&name[..bracket])
}
