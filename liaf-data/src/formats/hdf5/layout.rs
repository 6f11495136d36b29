//! The positions of the events in an HDF5 file, found by the names of groups and datasets.

use hdf5::types::{FloatSize, IntSize, TypeDescriptor};
use hdf5::{Dataset, File, Group};

use super::sensor;
use crate::codec::columns::{Kind, Name, Number};
use crate::codec::{ColumnMap, Field, ReadOptions, StreamChoice};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::model::SensorSize;

/// Groups and datasets that may contain events, and the names of their streams.
const PATHS: &[(&str, &str)] = &[
    ("/CD/events", "CD"),
    ("/events", "events"),
    ("/", "events"),
    ("/prophesee/left", "left"),
    ("/prophesee/right", "right"),
    ("/events/left", "left"),
    ("/events/right", "right"),
    ("/davis/left/events", "left"),
    ("/davis/right/events", "right"),
    ("/davis/left", "left"),
    ("/davis/right", "right"),
];

/// How the events of a stream are stored.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Records with members.
    Records(Dataset),
    /// A table with this many columns.
    Table(Dataset, Number, usize),
    /// Separate datasets of t, x, y and p.
    Columns([(Dataset, Number); 4]),
}

impl Shape {
    /// All datasets of the stream.
    pub fn datasets(&self) -> Vec<&Dataset> {
        match self {
            Self::Records(dataset) | Self::Table(dataset, ..) => vec![dataset],
            Self::Columns(columns) => columns.iter().map(|(dataset, _)| dataset).collect(),
        }
    }
}

/// A stream of events.
#[derive(Debug)]
pub(crate) struct Stream {
    pub name: String,
    /// Path of the group or dataset.
    pub place: String,
    pub shape: Shape,
    pub sensor: Option<SensorSize>,
    /// What must be added to the times to get the clock of the images, in µs.
    pub t_offset: Option<i64>,
    /// The table from ms to rows.
    pub ms_table: Option<Dataset>,
}

/// All streams of events in the file.
pub(crate) fn streams(file: &File, options: &ReadOptions) -> Result<Vec<Stream>> {
    if let Some(keys @ ColumnMap::Names(_)) = &options.columns.map {
        return Ok(vec![by_keys(file, keys)?]);
    }
    let mut streams: Vec<Stream> = Vec::new();
    let stated = match &options.stream {
        Some(StreamChoice::Name(name)) if name.starts_with('/') => {
            Some((name.as_str(), name.as_str()))
        }
        _ => None,
    };
    let wide = match &options.columns.map {
        Some(ColumnMap::Order(order)) => order.len(),
        _ => 4,
    };
    for &(place, name) in PATHS.iter().chain(&stated) {
        if streams.iter().any(|stream| stream.place == place) {
            continue;
        }
        let shape = match (file.dataset(place), file.group(place)) {
            (Ok(dataset), _) => of_dataset(dataset, wide),
            (_, Ok(group)) => of_group(&group),
            _ => None,
        };
        if let Some(shape) = shape {
            let group =
                file.group(if matches!(shape, Shape::Columns(_)) { place } else { parent(place) });
            let group = group.ok();
            let number = |name: &str| group.as_ref().and_then(|group| sensor::number(group, name));
            streams.push(Stream {
                name: name.to_owned(),
                place: place.to_owned(),
                shape,
                sensor: sensor::find(file, place),
                t_offset: number("t_offset").or_else(|| sensor::number(file, "t_offset")),
                ms_table: ms_table(file, group.as_ref()),
            });
        }
    }
    Ok(streams)
}

/// The table from ms to rows, in the group of the columns or in its parent.
fn ms_table(file: &File, group: Option<&Group>) -> Option<Dataset> {
    let names = ["ms_to_idx", "ms_map_idx"];
    let inside = group.and_then(|group| names.iter().find_map(|name| group.dataset(name).ok()));
    let table = inside.or_else(|| names.iter().find_map(|name| file.dataset(name).ok()));
    table.filter(|table| table.ndim() == 1)
}

fn parent(place: &str) -> &str {
    match place.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

/// The datasets that the caller named.
fn by_keys(file: &File, keys: &ColumnMap) -> Result<Stream> {
    let open = |field: Field| -> Result<(Dataset, Number)> {
        let wrong = |what: &str| {
            Error::caller(format!("{what} for {field}"))
                .found(keys.name(field).unwrap_or("no name"))
                .hint(Hint::NameColumns { example: "t=/PATH,x=/PATH,y=/PATH,p=/PATH".into() })
        };
        let name = keys.name(field).ok_or_else(|| wrong("a dataset is missing"))?;
        let dataset = file.dataset(name).map_err(|_| wrong("there is no such dataset"))?;
        let number = number_of(&dataset).filter(|_| is_column(&dataset));
        Ok((dataset, number.ok_or_else(|| wrong("this is not a column of numbers"))?))
    };
    let [t, x, y, p] = Field::ALL.map(open);
    let place = keys.name(Field::T).unwrap_or("/").to_owned();
    let shape = Shape::Columns([t?, x?, y?, p?]);
    let sensor = sensor::find(file, parent(&place));
    Ok(Stream { name: "events".into(), place, shape, sensor, t_offset: None, ms_table: None })
}

fn of_dataset(dataset: Dataset, columns: usize) -> Option<Shape> {
    if let Some(number) = number_of(&dataset) {
        let is_table = matches!(dataset.shape().as_slice(), [_, width] if *width == columns);
        return is_table.then_some(Shape::Table(dataset, number, columns));
    }
    let descriptor = dataset.dtype().ok()?.to_descriptor().ok()?;
    let TypeDescriptor::Compound(record) = descriptor else { return None };
    let has = |name: &str| record.fields.iter().any(|field| field.name == name);
    (dataset.ndim() == 1 && ["t", "x", "y", "p"].into_iter().all(has))
        .then_some(Shape::Records(dataset))
}

fn of_group(group: &Group) -> Option<Shape> {
    let names = group.member_names().ok()?;
    let find = |field: Field| {
        let named = names.iter().filter(|name| Name::field(name) == Some(field));
        named.filter_map(|name| group.dataset(name).ok()).find_map(|dataset| {
            let number = number_of(&dataset).filter(|_| is_column(&dataset))?;
            Some((dataset, number))
        })
    };
    let [t, x, y, p] = Field::ALL.map(find);
    Some(Shape::Columns([t?, x?, y?, p?]))
}

/// Whether a dataset is one column of numbers. MATLAB stores columns with two dimensions, one of
/// which is 1.
fn is_column(dataset: &Dataset) -> bool {
    matches!(dataset.shape()[..], [_] | [1, _] | [_, 1])
}

/// The type of the numbers of a dataset.
fn number_of(dataset: &Dataset) -> Option<Number> {
    let kind = match dataset.dtype().ok()?.to_descriptor().ok()? {
        TypeDescriptor::Integer(IntSize::U1) => Kind::I8,
        TypeDescriptor::Integer(IntSize::U2) => Kind::I16,
        TypeDescriptor::Integer(IntSize::U4) => Kind::I32,
        TypeDescriptor::Integer(IntSize::U8) => Kind::I64,
        TypeDescriptor::Unsigned(IntSize::U1) => Kind::U8,
        TypeDescriptor::Unsigned(IntSize::U2) => Kind::U16,
        TypeDescriptor::Unsigned(IntSize::U4) => Kind::U32,
        TypeDescriptor::Unsigned(IntSize::U8) => Kind::U64,
        TypeDescriptor::Float(FloatSize::U4) => Kind::F32,
        TypeDescriptor::Float(FloatSize::U8) => Kind::F64,
        TypeDescriptor::Boolean => Kind::Bool,
        _ => return None,
    };
    Some(Number::little(kind))
}
