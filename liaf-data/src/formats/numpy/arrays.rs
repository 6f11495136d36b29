//! The plan for arrays of t, x, y and p, in any of their forms.

use super::found::Found;
use super::planner::{Plan, Planner};
use crate::codec::columns::{
    Array, Name, Number, Said, guess_order, guess_three, half_of, surely_no_events,
};
use crate::codec::{ColumnMap, Field, ReadOptions, TimeUnit};
use crate::container::npy::Dtype;
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::ByteSource;

/// A plan for a single array that is a list of events.
pub(crate) fn one(
    source: &mut ByteSource,
    found: Found,
    mut said: Said,
    options: &ReadOptions,
) -> Result<Plan> {
    let here = found.feed.start();
    let planner = match found.header.dtype.clone() {
        Dtype::Record { .. } => records(source, found, &mut said, options)?,
        Dtype::Plain(number) => {
            table(source, found, number, said, options).map_err(|error| error.at(here))?
        }
    };
    planner.finish(source, said, options).map_err(|error| error.at(here))
}

/// Where a field of the events is: the index of the array, and the column if the array has two of them.
pub(crate) type Place = (usize, Option<usize>);

/// A plan for arrays that hold t, x, y and p at these places.
pub(crate) fn several(
    source: &mut ByteSource,
    found: Vec<Found>,
    places: [Place; 4],
    mut said: Said,
    options: &ReadOptions,
) -> Result<Plan> {
    let (times, polarities) = (places[0].0, places[3].0);
    said.unit = found.get(times).and_then(|one| one.header.unit.or_else(|| unit_of(&one.name)));
    let here = found.get(polarities).map_or(0, |one| one.feed.start());
    let mut planner = Planner::new(source, options);
    let length = |one: &Found| one.pairs().filter(|_| !one.is_column()).unwrap_or(one.elements());
    let rows = found.iter().map(length).min().unwrap_or(0);
    let mut types = vec![String::new(); 4];
    for (i, one) in found.into_iter().enumerate() {
        let Dtype::Plain(number) = one.header.dtype else {
            return Err(
                one.here(Error::unsupported(format!("{} is an array of records", one.name)))
            );
        };
        let fields: Vec<_> = Field::ALL.into_iter().filter(|f| places[f.index()].0 == i).collect();
        let columns: Vec<_> = fields.iter().filter_map(|f| places[f.index()].1).collect();
        let is_pair = !columns.is_empty();
        if is_pair && one.pairs().is_none() || !is_pair && !one.is_column() {
            let shape = if is_pair { "two columns" } else { "one dimension" };
            return Err(one.here(
                Error::malformed(format!("the array {} must have {shape}", one.name))
                    .found(format!("shape {:?}", one.header.shape)),
            ));
        }
        if length(&one) != rows {
            let error = Error::malformed("the arrays differ in length")
                .expected(format!("{rows} rows"))
                .found(format!("{} of {}", length(&one), one.name));
            planner.flaw(one.here(error));
        }
        for field in &fields {
            types[field.index()] = format!("{field} {}", number.name());
        }
        if is_pair {
            let geometry = (number, length(&one), 2);
            let arrays = planner.columns(source, one, geometry, &columns)?;
            for (field, array) in fields.iter().zip(arrays) {
                planner.parts.arrays[field.index()] = array;
            }
            continue;
        }
        planner.parts.event_bytes += one.event_bytes();
        let index = planner.parts.sources.len();
        let body = one.elements().saturating_mul(number.bytes() as u64);
        planner.check(&one, body, vec![index]);
        for field in &fields {
            planner.parts.arrays[field.index()] = Array { source: index, start: 0, number };
        }
        planner.add(one.feed, number.bytes(), one.ahead, one.file);
    }
    if let Some(all) = said.all {
        planner.parts.arrays[Field::P.index()] = all;
    }
    planner.parts.left = rows;
    types.retain(|text| !text.is_empty());
    planner.details.push(("arrays", types.join(", ")));
    planner.finish(source, said, options).map_err(|error| error.at(here))
}

/// The unit in the name of an array or a member of times.
fn unit_of(name: &str) -> Option<TimeUnit> {
    let own = Name::parse(name);
    // An array of one of two lists has the polarity in its name.
    own.or_else(|| Name::parse(&half_of(name)?.1)).and_then(|name| name.unit)
}

/// An array of records whose members have names.
fn records(
    source: &mut ByteSource,
    found: Found,
    said: &mut Said,
    options: &ReadOptions,
) -> Result<Planner> {
    let mut planner = Planner::new(source, options);
    let Dtype::Record { fields, bytes } = &found.header.dtype else { return Ok(planner) };
    let names = || {
        let named = fields.iter().filter(|one| !one.name.is_empty());
        named.map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let mut types = Vec::new();
    for field in Field::ALL {
        if let (Field::P, Some(all)) = (field, said.all) {
            planner.parts.arrays[field.index()] = all;
            continue;
        }
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
        if let Some(one) = member.filter(|one| one.number.is_none()) {
            return Err(found.here(
                Error::unsupported(format!("the type of the member {} is not supported", one.name))
                    .expected("whole numbers, f32, f64 or bool"),
            ));
        }
        let member = member.and_then(|one| Some((one, one.number?))).ok_or_else(|| {
            found.here(
                Error::malformed(format!("no member of the records is {field} of an event"))
                    .found(names())
                    .hint(Hint::NameColumns { example: format!("{field}=NAME") })
                    .not_a_recording(
                        options.columns.map.is_none()
                            && surely_no_events(fields.iter().map(|one| one.name.as_str())),
                    ),
            )
        })?;
        if field == Field::T {
            said.unit = member.0.unit.or_else(|| unit_of(&member.0.name));
        }
        types.push(format!("{field} {}", member.1.name()));
        let array = Array { source: 0, start: member.0.start, number: member.1 };
        planner.parts.arrays[field.index()] = array;
    }
    planner.details.push(("records", format!("{} of {bytes} bytes", types.join(", "))));
    planner.parts.left = found.elements();
    planner.parts.event_bytes = found.event_bytes();
    planner.check(&found, found.body(), vec![0]);
    planner.add(found.feed, *bytes, found.ahead, found.file);
    Ok(planner)
}

/// Whether a plain array of this shape is surely no list of events: it is a list of numbers, frames, or
/// a matrix in which neither side is the number of columns that events may have.
fn is_other_array(shape: &[u64]) -> bool {
    match shape {
        &[rows, columns] => ![rows, columns].iter().any(|side| (3..=6).contains(side)),
        _ => true,
    }
}

/// A plain array of two dimensions: each event is a row, or each event is a column.
fn table(
    source: &mut ByteSource,
    found: Found,
    number: Number,
    said: Said,
    options: &ReadOptions,
) -> Result<Planner> {
    let wrong = |error: Error| error.found(format!("shape {:?}", found.header.shape));
    let &[rows, columns] = found.header.shape.as_slice() else {
        return Err(wrong(Error::unsupported("the array is not a list of events"))
            .advice("a file of frames is a tensor file, not a recording")
            .not_a_recording(is_other_array(&found.header.shape)));
    };
    let stated = match &options.columns.map {
        Some(ColumnMap::Order(order)) => Some(order),
        Some(ColumnMap::Names(_)) => {
            return Err(Error::caller("the columns of the array have no names")
                .hint(Hint::NameColumns { example: "x,y,t,p".into() }));
        }
        None => None,
    };
    let width = stated.map_or(if said.all.is_some() { 3 } else { 4 }, |order| order.len() as u64);
    let rows = match (rows, columns) {
        (rows, columns) if columns == width => rows,
        (columns, rows) if columns == width => rows,
        _ => {
            return Err(wrong(Error::malformed("the array is not a list of events"))
                .expected(format!("rows of {width} columns"))
                .hint(Hint::NameColumns { example: "t,x,y,p".into() })
                .not_a_recording(stated.is_none() && is_other_array(&found.header.shape)));
        }
    };
    let mut planner = Planner::new(source, options);
    planner.parts.left = rows;
    // The column of t, x, y and p. A guess needs to look at all columns first.
    let mut order = [0, 1, 2, 3];
    if let Some(stated) = stated {
        let at = |field| stated.iter().position(|&column| column == Some(field)).unwrap_or(0);
        order = Field::ALL.map(at);
    }
    let wanted = &order[..4.min(width as usize)];
    let arrays = planner.columns(source, found, (number, rows, width), wanted)?;
    planner.parts.arrays.iter_mut().zip(arrays).for_each(|(place, array)| *place = array);
    let how = if stated.is_some() {
        "as stated"
    } else {
        let sample = planner.parts.sample(source, &planner.ahead)?;
        let guessed = match said.all {
            Some(_) => guess_three(&sample),
            None => guess_order(&sample),
        };
        order = guessed.ok_or_else(|| {
            Error::malformed("the meaning of the columns is ambiguous")
                .hint(Hint::NameColumns { example: "x,y,t,p".into() })
        })?;
        let arrays = planner.parts.arrays;
        planner.parts.arrays = order.map(|column| arrays[column]);
        if let Some(all) = said.all {
            planner.parts.arrays[Field::P.index()] = all;
        }
        "guessed from the numbers"
    };
    let mut letters = vec!["_"; width as usize];
    for (field, column) in Field::ALL.into_iter().zip(order) {
        if let Some(letter) = letters.get_mut(column) {
            *letter = field.letter();
        }
    }
    planner.details.push(("columns", format!("{} ({how})", letters.join(","))));
    planner.details.push(("arrays", format!("{rows} rows of {}", number.name())));
    Ok(planner)
}
