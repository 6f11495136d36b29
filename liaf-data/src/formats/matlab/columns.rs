//! The columns of a list of events, to be read together.

use super::HEADER;
use super::element::{Data, Matrix};
use super::search::{List, Shape, Stored};
use crate::codec::columns::{Array, Kind, Name, Number, Parts, Source, guess_order};
use crate::codec::{ColumnMap, Field, ReadOptions, TimeUnit};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::model::{Finding, Report};

/// The columns of a list of events.
pub(crate) struct Columns {
    pub parts: Parts,
    /// Number of bytes before the first number of each source.
    pub ahead: Vec<u64>,
    /// The unit in the name of the times.
    pub unit: Option<TimeUnit>,
    pub details: Details,
}

/// What the columns are, as text.
pub(crate) struct Details {
    pub text: String,
    /// Whether it is still to be found out which column is which.
    pub is_table: bool,
}

/// The columns of a list.
///
/// # Errors
/// If a matrix of the list does not have numbers or is not a column.
pub(crate) fn read(
    source: &mut ByteSource,
    list: List,
    (report, flaw): (Report, Option<Error>),
    options: &ReadOptions,
) -> Result<Columns> {
    let parts = Parts {
        sources: Vec::new(),
        arrays: [Array { source: 0, start: 0, number: Number::little(Kind::U8) }; 4],
        left: u64::MAX,
        checksums: Vec::new(),
        event_bytes: 0,
        file_bytes: source.len().unwrap_or(0),
        strict: options.strict,
        report,
        flaw,
    };
    let details = Details { text: String::new(), is_table: false };
    let columns = Columns { parts, ahead: Vec::new(), unit: None, details };
    match list.shape {
        Shape::Columns(four) => columns.four(source, *four),
        Shape::Table(stored, width) => columns.table(source, stored, width),
    }
}

impl Columns {
    fn four(mut self, source: &mut ByteSource, four: [Stored; 4]) -> Result<Self> {
        let (mut types, mut lengths) = (Vec::new(), Vec::new());
        self.unit = Name::parse(own(&four[0].0.name)).and_then(|name| name.unit);
        for (i, (matrix, stored)) in four.into_iter().enumerate() {
            let rows = length(&matrix)?;
            let name = matrix.name.clone();
            let data = numbers(matrix)?;
            types.push(format!("{name} {}", data.number.name()));
            let there = data.bytes / data.number.bytes() as u64;
            lengths.push(rows.min(there));
            self.parts.left = self.parts.left.min(rows).min(there);
            self.check(&name, rows, &data);
            self.parts.event_bytes += stored;
            self.parts.arrays[i] = Array { source: i, start: 0, number: data.number };
            self.add(source, &data, 0, data.number.bytes())?;
        }
        if lengths.iter().any(|&rows| rows != self.parts.left) {
            let error = Error::malformed("the columns differ in length")
                .at(HEADER)
                .expected(format!("{} rows", self.parts.left))
                .found(format!("{lengths:?}"));
            self.flaw(error, HEADER);
        }
        self.details.text = types.join(", ");
        Ok(self)
    }

    /// MATLAB stores the numbers of a column one after another.
    fn table(mut self, source: &mut ByteSource, table: Stored, width: usize) -> Result<Self> {
        let (matrix, stored) = table;
        let name = matrix.name.clone();
        let (rows, is_turned) = match *matrix.sides {
            [rows, columns] if columns == width as u64 => (rows, false),
            [_, rows] => (rows, true),
            _ => (0, false),
        };
        let data = numbers(matrix)?;
        let (number, size) = (data.number, data.number.bytes());
        let all = rows.saturating_mul(width as u64);
        self.check(&name, all, &data);
        let there = data.bytes / size as u64;
        self.parts.left = if is_turned { rows.min(there / width as u64) } else { rows };
        if !is_turned && there < all {
            // Only the last column is cut, and all that are before it are whole.
            let before = rows.saturating_mul(width as u64 - 1);
            self.parts.left = there.saturating_sub(before).min(rows);
        }
        self.parts.event_bytes = stored;
        if is_turned {
            self.add(source, &data, 0, size * width)?;
        } else {
            for column in 0..width as u64 {
                let ahead = rows.saturating_mul(size as u64).saturating_mul(column);
                self.add(source, &data, ahead, size)?;
            }
        }
        for (i, array) in self.parts.arrays.iter_mut().enumerate() {
            *array = match is_turned {
                true => Array { source: 0, start: i * size, number },
                false => Array { source: i, start: 0, number },
            };
        }
        let text = format!("{name}, {rows} rows of {}", number.name());
        self.details = Details { text, is_table: true };
        Ok(self)
    }

    /// Adds the numbers from byte `from` of the data on.
    fn add(
        &mut self,
        source: &mut ByteSource,
        data: &Data,
        from: u64,
        stride: usize,
    ) -> Result<()> {
        let ahead = data.ahead.saturating_add(from);
        let mut feed = data.feed.again();
        feed.skip(source, ahead)?;
        self.ahead.push(ahead);
        self.parts.sources.push(Source { feed, stride, file: None });
        Ok(())
    }

    fn check(&mut self, name: &str, numbers: u64, data: &Data) {
        if data.bytes / data.number.bytes() as u64 != numbers {
            let start = data.feed.start();
            let error =
                Error::malformed(format!("the size of {name} does not agree with its dimensions"))
                    .at(start)
                    .expected(format!("{numbers} numbers"))
                    .found(format!("{} bytes of {}", data.bytes, data.number.name()));
            self.flaw(error, start);
        }
    }

    fn flaw(&mut self, error: Error, at: u64) {
        self.parts.report.add(Finding::BadParts, 1, at);
        self.parts.report.note(&error);
        self.parts.flaw.get_or_insert(error);
    }
}

impl Details {
    /// Finds out which column of a table is which.
    ///
    /// # Errors
    /// If the numbers do not tell.
    pub fn order(
        &mut self,
        parts: &mut Parts,
        sample: &[Vec<f64>; 4],
        options: &ReadOptions,
    ) -> Result<()> {
        let (order, how) = match &options.columns.map {
            Some(ColumnMap::Order(stated)) => {
                let at = |f| stated.iter().position(|&column| column == Some(f)).unwrap_or(0);
                (Field::ALL.map(at), "as stated")
            }
            _ => {
                let order = guess_order(sample).ok_or_else(|| {
                    Error::malformed("the meaning of the columns is ambiguous")
                        .at(HEADER)
                        .hint(Hint::NameColumns { example: "x,y,t,p".into() })
                })?;
                (order, "guessed from the numbers")
            }
        };
        let width = order.iter().max().map_or(4, |most| most + 1).max(4);
        let size = parts.arrays[0].number.bytes();
        let is_turned = parts.sources.len() == 1;
        let number = parts.arrays[0].number;
        parts.arrays = order.map(|column| match is_turned {
            true => Array { source: 0, start: column * size, number },
            false => Array { source: column, start: 0, number },
        });
        let mut letters = vec!["_"; width];
        for (field, column) in Field::ALL.into_iter().zip(order) {
            letters[column] = field.letter();
        }
        self.text = format!("{} ({how}): {}", letters.join(","), self.text);
        Ok(())
    }
}

/// The numbers of a matrix.
fn numbers(matrix: Matrix) -> Result<Data> {
    let name = matrix.name;
    let wrong = || Error::malformed(format!("{name} is not a matrix of real numbers")).at(HEADER);
    matrix.data.ok_or_else(wrong)
}

/// The length of a matrix that has one column or one row.
fn length(matrix: &Matrix) -> Result<u64> {
    let long: Vec<_> = matrix.sides.iter().filter(|&&side| side != 1).collect();
    match long.as_slice() {
        [] => Ok(1),
        [rows] => Ok(**rows),
        _ if matrix.sides.contains(&0) => Ok(0),
        _ => Err(Error::malformed(format!(
            "the matrix {} must have one column or one row",
            matrix.name
        ))
        .at(HEADER)
        .found(format!("dimensions {:?}", matrix.sides))),
    }
}

fn own(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, own)| own)
}
