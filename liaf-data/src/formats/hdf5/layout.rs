//! The positions of the events in an HDF5 file, found by the names of groups and datasets.

use liaf_hdf5::{Dataset, Datatype, ErrorKind, File, Group, NumberKind, Object};

use super::sensor;
use crate::codec::columns::{Kind, Name, Number};
use crate::codec::{ColumnMap, Field, ReadOptions, StreamChoice};
use crate::container::hdf5::error;
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::model::{SensorSize, SensorSource};

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
    /// Records with members: of t, x, y and p, the type and the byte of the record.
    Records(Dataset, [(Number, usize); 4]),
    /// A table with this many columns.
    Table(Dataset, Number, usize),
    /// Separate datasets of t, x, y and p.
    Columns(Box<[(Dataset, Number); 4]>),
}

impl Shape {
    /// Number of rows of the longest dataset.
    pub fn rows(&self) -> u64 {
        let sets = self.datasets();
        let rows = sets.iter().filter_map(|set| match set.shape() {
            [1, rows] | [rows, ..] => Some(*rows),
            [] => None,
        });
        rows.max().unwrap_or(0)
    }

    /// All datasets of the stream.
    pub fn datasets(&self) -> Vec<&Dataset> {
        match self {
            Self::Records(dataset, _) | Self::Table(dataset, ..) => vec![dataset],
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
    pub sensor: Option<(SensorSize, SensorSource)>,
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
        let shape = match found(file.object(place))? {
            Some(Object::Dataset(dataset)) => of_dataset(dataset, wide),
            Some(Object::Group(group)) => of_group(&group)?,
            _ => None,
        };
        if let Some(shape) = shape {
            let group =
                file.group(if matches!(shape, Shape::Columns(_)) { place } else { parent(place) });
            let group = group.ok();
            let number = |name: &str| group.as_ref().and_then(|group| sensor::number(group, name));
            let root = file.root().ok();
            streams.push(Stream {
                name: name.to_owned(),
                place: place.to_owned(),
                shape,
                sensor: sensor::find(file, place),
                t_offset: number("t_offset")
                    .or_else(|| root.and_then(|root| sensor::number(&root, "t_offset"))),
                ms_table: ms_table(file, group.as_ref()),
            });
        }
    }
    Ok(streams)
}

/// What was found; `None` if there is nothing of that name. What is there and cannot be read, such
/// as a link to another file, is an error.
fn found<T>(result: liaf_hdf5::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(error(cause)),
    }
}

/// The table from ms to rows, in the group of the columns or in its parent.
fn ms_table(file: &File, group: Option<&Group>) -> Option<Dataset> {
    let names = ["ms_to_idx", "ms_map_idx"];
    let inside = group.and_then(|group| names.iter().find_map(|name| group.dataset(name).ok()));
    let table = inside.or_else(|| names.iter().find_map(|name| file.dataset(name).ok()));
    table.filter(|table| table.shape().len() == 1)
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
        let dataset =
            found(file.dataset(name))?.ok_or_else(|| wrong("there is no such dataset"))?;
        let number = number_of(dataset.datatype()).filter(|_| is_column(&dataset));
        Ok((dataset, number.ok_or_else(|| wrong("this is not a column of numbers"))?))
    };
    let [t, x, y, p] = Field::ALL.map(open);
    let place = keys.name(Field::T).unwrap_or("/").to_owned();
    let shape = Shape::Columns(Box::new([t?, x?, y?, p?]));
    let sensor = sensor::find(file, parent(&place));
    Ok(Stream { name: "events".into(), place, shape, sensor, t_offset: None, ms_table: None })
}

fn of_dataset(dataset: Dataset, columns: usize) -> Option<Shape> {
    if let Some(number) = number_of(dataset.datatype()) {
        let is_table = matches!(*dataset.shape(), [_, width] if width == columns as u64);
        return is_table.then_some(Shape::Table(dataset, number, columns));
    }
    let Datatype::Compound { members, .. } = dataset.datatype() else { return None };
    let find = |field: Field| {
        let mut named = members.iter().filter(|member| Name::field(&member.name) == Some(field));
        named.find_map(|member| Some((number_of(&member.datatype)?, member.offset)))
    };
    let [t, x, y, p] = Field::ALL.map(find);
    let members = [t?, x?, y?, p?];
    (dataset.shape().len() == 1).then_some(Shape::Records(dataset, members))
}

fn of_group(group: &Group) -> Result<Option<Shape>> {
    let names = group.names().map_err(error)?;
    let mut columns = Vec::new();
    for field in Field::ALL {
        let mut column = None;
        for name in names.iter().filter(|name| Name::field(name) == Some(field)) {
            let Some(Object::Dataset(dataset)) = found(group.object(name))? else { continue };
            let number = number_of(dataset.datatype()).filter(|_| is_column(&dataset));
            column = column.or(number.map(|number| (dataset, number)));
        }
        columns.extend(column);
    }
    Ok(columns.try_into().ok().map(|columns| Shape::Columns(Box::new(columns))))
}

/// Whether a dataset is one column of numbers. MATLAB stores columns with two dimensions, one of
/// which is 1.
fn is_column(dataset: &Dataset) -> bool {
    matches!(dataset.shape(), [_] | [1, _] | [_, 1])
}

/// The type of number, if it is one that columns of events have. A boolean of h5py is an
/// enumeration.
pub(super) fn number_of(datatype: &Datatype) -> Option<Number> {
    let number = match datatype {
        Datatype::Number(number) => *number,
        _ if datatype.is_bool() => return Some(Number::little(Kind::Bool)),
        _ => return None,
    };
    let kind = match (number.kind, number.size) {
        (NumberKind::Signed, 1) => Kind::I8,
        (NumberKind::Signed, 2) => Kind::I16,
        (NumberKind::Signed, 4) => Kind::I32,
        (NumberKind::Signed, 8) => Kind::I64,
        (NumberKind::Unsigned, 1) => Kind::U8,
        (NumberKind::Unsigned, 2) => Kind::U16,
        (NumberKind::Unsigned, 4) => Kind::U32,
        (NumberKind::Unsigned, 8) => Kind::U64,
        (NumberKind::Float, 4) => Kind::F32,
        (NumberKind::Float, 8) => Kind::F64,
        _ => return None,
    };
    Some(Number { kind, big_endian: number.is_big_endian })
}
