//! The search for the arrays of t, x, y and p.

use crate::codec::columns::{
    Array, Checksum, Feed, Name, Number, Parts, Rows, Source, View, guess_order, guess_unit,
};
use crate::codec::{ColumnMap, Field, ReadOptions};
use crate::container::npy::{self, Dtype, Header};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::model::{Finding, Report};

/// An array whose header has been read; its feed continues with the elements.
#[derive(Debug)]
pub(crate) struct Found {
    pub name: String,
    pub header: Header,
    feed: Feed,
    /// Size of the header in bytes.
    ahead: u64,
    /// Number of compressed bytes in the file.
    packed: u64,
    /// Checksum and number of decompressed bytes, including the header, if the file has them.
    sum: Option<(u32, u64)>,
}

impl Found {
    /// Reads the header at the start of `feed`, which corresponds to `packed` bytes of the file.
    pub fn read(
        source: &mut ByteSource,
        name: &str,
        mut feed: Feed,
        packed: u64,
        sum: Option<(u32, u64)>,
        options: &ReadOptions,
    ) -> Result<Self> {
        let start = feed.start();
        let here = |error: Error| error.at(start);
        let mut bytes = Vec::new();
        feed.read(source, 12, &mut bytes)?;
        if let Some(fault) = feed.fault() {
            return Err(fault);
        }
        let (fixed, text) = npy::lengths(&bytes, &options.limits).map_err(here)?;
        // The text may be shorter than the two bytes of it that have already been read.
        let ahead = fixed + text;
        feed = feed.again();
        bytes.clear();
        feed.read(source, ahead, &mut bytes)?;
        let text = bytes
            .get(fixed..ahead)
            .ok_or_else(|| here(Error::truncated("the header of the array is incomplete")))?;
        let header = Header::parse(text).map_err(here)?;
        Ok(Self { name: name.to_owned(), header, feed, ahead: ahead as u64, packed, sum })
    }

    /// Whether the array alone is a list of events.
    pub fn is_events(&self) -> bool {
        match &self.header.dtype {
            Dtype::Record { fields, .. } => Field::ALL
                .iter()
                .all(|&f| fields.iter().any(|one| Name::field(&one.name) == Some(f))),
            Dtype::Plain(_) => self.header.shape.len() == 2 && self.header.shape.contains(&4),
        }
    }

    /// The value of the array, if it is a single whole number.
    pub fn number(mut self, source: &mut ByteSource) -> Option<i64> {
        let Dtype::Plain(number) = self.header.dtype else { return None };
        let mut bytes = Vec::new();
        self.feed
            .read(source, number.bytes(), &mut bytes)
            .ok()
            .filter(|()| self.elements() == 1)?;
        let view = View { bytes: &bytes, stride: number.bytes(), number };
        let value = *view.floats(1).first()?;
        (value.fract() == 0.0).then_some(value as i64)
    }

    fn elements(&self) -> u64 {
        self.header.shape.iter().fold(1, |n: u64, &side| n.saturating_mul(side))
    }

    /// Whether the array has one dimension, not counting dimensions of size 1.
    fn is_column(&self) -> bool {
        self.header.shape.iter().filter(|&&side| side != 1).count() <= 1
    }

    fn here(&self, error: Error) -> Error {
        error.at(self.feed.start())
    }

    /// Number of bytes of the file that hold the elements. In a compressed array the header is
    /// compressed with them.
    fn event_bytes(&self) -> u64 {
        match self.feed.is_stored() {
            true => self.packed.saturating_sub(self.ahead),
            false => self.packed,
        }
    }

    /// Size of the elements in bytes.
    fn body(&self) -> u64 {
        self.elements().saturating_mul(self.header.dtype.bytes() as u64)
    }
}

/// How the events are read from the arrays.
pub(crate) struct Plan {
    pub parts: Parts,
    pub rows: Rows,
    pub details: Vec<(&'static str, String)>,
}

impl Plan {
    /// Counts and notes that the archive has several arrays of one name.
    pub fn repeated(&mut self, error: Option<&Error>) {
        if let Some(error) = error {
            self.parts.report.add(Finding::BadParts, 1, error.offset().unwrap_or(0));
            self.parts.report.note(error);
        }
    }
}

/// Builds a plan.
struct Planner {
    parts: Parts,
    /// Number of bytes before the first record of each source.
    ahead: Vec<u64>,
    details: Vec<(&'static str, String)>,
}

fn unclean() -> Error {
    Error::malformed("unexpected text follows the dictionary in the header of the array")
        .expected("spaces")
}

/// A plan for a single array that is a list of events.
pub(crate) fn one(source: &mut ByteSource, found: Found, options: &ReadOptions) -> Result<Plan> {
    let here = found.feed.start();
    let planner = match found.header.dtype.clone() {
        Dtype::Record { .. } => records(source, found, options)?,
        Dtype::Plain(number) => {
            table(source, found, number, options).map_err(|error| error.at(here))?
        }
    };
    planner.finish(source, options)
}

/// A plan for arrays of t, x, y and p, in this order.
pub(crate) fn four(
    source: &mut ByteSource,
    found: [Found; 4],
    options: &ReadOptions,
) -> Result<Plan> {
    let mut planner = Planner::new(source, options);
    let rows = found.iter().map(Found::elements).min().unwrap_or(0);
    let mut types = Vec::new();
    for (i, (one, field)) in found.into_iter().zip(Field::ALL).enumerate() {
        let Dtype::Plain(number) = one.header.dtype else {
            return Err(
                one.here(Error::unsupported(format!("{} is an array of records", one.name)))
            );
        };
        if !one.is_column() {
            return Err(one.here(
                Error::malformed(format!("the array {} must have one dimension", one.name))
                    .found(format!("shape {:?}", one.header.shape)),
            ));
        }
        if one.elements() != rows {
            let error = Error::malformed("the arrays differ in length")
                .expected(format!("{rows} rows"))
                .found(format!("{} of {}", one.elements(), one.name));
            planner.flaw(one.here(error));
        }
        types.push(format!("{field} {}", number.name()));
        planner.parts.event_bytes += one.event_bytes();
        let (body, index) = (one.elements().saturating_mul(number.bytes() as u64), i);
        planner.check(&one, body, vec![index]);
        planner.parts.arrays[i] = Array { source: i, start: 0, number };
        planner.add(one.feed, number.bytes(), one.ahead);
    }
    planner.parts.left = rows;
    planner.details.push(("arrays", types.join(", ")));
    planner.finish(source, options)
}

/// An array of records whose members have names.
fn records(source: &mut ByteSource, found: Found, options: &ReadOptions) -> Result<Planner> {
    let mut planner = Planner::new(source, options);
    let Dtype::Record { fields, bytes } = &found.header.dtype else { return Ok(planner) };
    let names = || {
        let named = fields.iter().filter(|one| !one.name.is_empty());
        named.map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let mut types = Vec::new();
    for field in Field::ALL {
        let member = match &options.columns.map {
            Some(ColumnMap::Order(order)) => {
                let at = order.iter().position(|&column| column == Some(field));
                at.and_then(|at| fields.iter().filter(|one| !one.name.is_empty()).nth(at))
            }
            keys => match keys.as_ref().and_then(|keys| keys.name(field)) {
                Some(name) => fields.iter().find(|one| one.name == name),
                None => fields.iter().find(|one| Name::field(&one.name) == Some(field)),
            },
        };
        let member = member.and_then(|one| Some((one, one.number?))).ok_or_else(|| {
            found.here(
                Error::malformed(format!("no member of the records is {field} of an event"))
                    .found(names())
                    .hint(Hint::NameColumns { example: format!("{field}=NAME") }),
            )
        })?;
        types.push(format!("{field} {}", member.1.name()));
        let array = Array { source: 0, start: member.0.start, number: member.1 };
        planner.parts.arrays[field.index()] = array;
    }
    planner.details.push(("records", format!("{} of {bytes} bytes", types.join(", "))));
    planner.parts.left = found.elements();
    planner.parts.event_bytes = found.event_bytes();
    planner.check(&found, found.body(), vec![0]);
    planner.add(found.feed, *bytes, found.ahead);
    Ok(planner)
}

/// A plain array of two dimensions: each event is a row, or each event is a column.
fn table(
    source: &mut ByteSource,
    found: Found,
    number: Number,
    options: &ReadOptions,
) -> Result<Planner> {
    let wrong = |error: Error| error.found(format!("shape {:?}", found.header.shape));
    let &[rows, columns] = found.header.shape.as_slice() else {
        return Err(wrong(Error::unsupported("the array is not a list of events"))
            .advice("a file of frames is a tensor file, not a recording"));
    };
    let stated = match &options.columns.map {
        Some(ColumnMap::Order(order)) => Some(order),
        Some(ColumnMap::Names(_)) => {
            return Err(Error::caller("the columns of the array have no names")
                .hint(Hint::NameColumns { example: "x,y,t,p".into() }));
        }
        None => None,
    };
    let width = stated.map_or(4, |order| order.len() as u64);
    let (rows, is_turned) = match (rows, columns) {
        (rows, columns) if columns == width => (rows, false),
        (columns, rows) if columns == width => (rows, true),
        _ => {
            return Err(wrong(Error::malformed("the array is not a list of events"))
                .expected(format!("rows of {width} columns"))
                .hint(Hint::NameColumns { example: "t,x,y,p".into() }));
        }
    };
    let mut planner = Planner::new(source, options);
    planner.parts.left = rows;
    planner.parts.event_bytes = found.event_bytes();
    let size = number.bytes();
    // The column of t, x, y and p. A guess needs to look at all columns first.
    let mut order = [0, 1, 2, 3];
    if let Some(stated) = stated {
        let at = |field| stated.iter().position(|&column| column == Some(field)).unwrap_or(0);
        order = Field::ALL.map(at);
    }
    if found.header.fortran == is_turned {
        for (array, column) in planner.parts.arrays.iter_mut().zip(order) {
            *array = Array { source: 0, start: column * size, number };
        }
        planner.check(&found, found.body(), vec![0]);
        planner.add(found.feed, width as usize * size, found.ahead);
    } else {
        // Whole columns are stored one after another: they are read in parallel.
        let bytes = rows.saturating_mul(size as u64);
        let mut by_place = order;
        by_place.sort_unstable();
        if width == 4 {
            planner.check(&found, found.body(), vec![0, 1, 2, 3]);
        } else if !found.header.is_clean {
            planner.flaw(found.here(unclean()));
        }
        if let Some(sum) = planner.parts.checksums.last_mut() {
            (sum.before, _) = found.feed.sum();
            sum.bytes = found.body();
        }
        for column in by_place {
            let ahead = found.ahead.saturating_add(bytes.saturating_mul(column as u64));
            let mut feed = found.feed.again();
            feed.skip(source, ahead)?;
            feed.limit(bytes);
            feed.reset_sum();
            planner.add(feed, size, ahead);
        }
        for (array, column) in planner.parts.arrays.iter_mut().zip(order) {
            let source = by_place.iter().position(|&one| one == column).unwrap_or(0);
            *array = Array { source, start: 0, number };
        }
    }
    let how = if stated.is_some() {
        "as stated"
    } else {
        let sample = planner.parts.sample(source, &planner.ahead)?;
        order = guess_order(&sample).ok_or_else(|| {
            Error::malformed("the meaning of the columns is ambiguous")
                .hint(Hint::NameColumns { example: "x,y,t,p".into() })
        })?;
        let arrays = planner.parts.arrays;
        planner.parts.arrays = order.map(|column| arrays[column]);
        "guessed from the numbers"
    };
    let mut letters = vec!["_"; width as usize];
    for (field, column) in Field::ALL.into_iter().zip(order) {
        letters[column] = field.letter();
    }
    planner.details.push(("columns", format!("{} ({how})", letters.join(","))));
    planner.details.push(("arrays", format!("{rows} rows of {}", number.name())));
    Ok(planner)
}

impl Planner {
    fn new(source: &ByteSource, options: &ReadOptions) -> Self {
        let nowhere =
            Array { source: 0, start: 0, number: Number::little(crate::codec::columns::Kind::U8) };
        let parts = Parts {
            sources: Vec::new(),
            arrays: [nowhere; 4],
            left: 0,
            checksums: Vec::new(),
            event_bytes: 0,
            file_bytes: source.len().unwrap_or(0),
            strict: options.strict,
            report: Report::default(),
            flaw: None,
        };
        Self { parts, ahead: Vec::new(), details: Vec::new() }
    }

    fn add(&mut self, feed: Feed, stride: usize, ahead: u64) {
        self.parts.sources.push(Source { feed, stride });
        self.ahead.push(ahead);
    }

    fn flaw(&mut self, error: Error) {
        self.parts.report.add(Finding::BadParts, 1, error.offset().unwrap_or(0));
        self.parts.report.note(&error);
        self.parts.flaw.get_or_insert(error);
    }

    /// Stores the checksum of an array, and notes if its header or its size is not what it should
    /// be.
    fn check(&mut self, found: &Found, body: u64, sources: Vec<usize>) {
        if !found.header.is_clean {
            self.flaw(found.here(unclean()));
        }
        let claimed = found.ahead.saturating_add(body);
        let there = found.sum.map_or(found.packed, |(_, bytes)| bytes);
        if there > claimed {
            let extra = there - claimed;
            let error = Error::malformed("bytes follow the array")
                .at(found.feed.start().saturating_add(claimed.min(found.packed)))
                .found(format!("{extra} bytes"));
            self.flaw(error);
            if found.feed.is_stored() {
                self.parts.report.bytes.skipped += extra;
                self.parts.event_bytes = self.parts.event_bytes.saturating_sub(extra);
            }
        }
        if let Some((crc, bytes)) = found.sum {
            self.parts.checksums.push(Checksum {
                name: found.name.clone(),
                at: found.feed.start(),
                sources,
                before: crate::io::Crc32::new(),
                bytes,
                crc,
            });
        }
    }

    fn finish(mut self, source: &mut ByteSource, options: &ReadOptions) -> Result<Plan> {
        let (unit, how) = match options.columns.time_unit {
            Some(unit) => (unit, "as stated"),
            None => guess_unit(&self.parts.sample(source, &self.ahead)?[0]),
        };
        self.details.push(("time unit", format!("{} ({how})", unit.name())));
        Ok(Plan { parts: self.parts, rows: Rows { unit, offset: 0 }, details: self.details })
    }
}
