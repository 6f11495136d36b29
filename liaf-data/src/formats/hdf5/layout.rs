//! The positions of the events in an HDF5 file, found by the names of groups and datasets.

use liaf_hdf5::{Dataset, Datatype, ErrorKind, File, Group, NumberKind, Object};

use super::{said, search, sensor};
use crate::codec::columns::{Kind, Name, Number, half_of};
use crate::codec::{ColumnMap, Field, PolarityValues, ReadOptions, StreamChoice, TimeUnit};
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
    /// A table with this many columns, each row of which is an event.
    Table(Dataset, Number, usize),
    /// A table with this many rows, each column of which is an event.
    Turned(Dataset, Number, usize),
    /// Separate datasets of t, x, y and p.
    Columns(Box<[(Dataset, Number); 4]>),
    /// Datasets of t, of x and y in two columns, and of p.
    Pairs(Box<[(Dataset, Number); 3]>),
    /// Events that all are ON, or all are OFF.
    Half(Box<Three>, bool),
    /// The events of OFF and of ON, each in datasets of their own.
    Halves(Box<[Shape; 2]>),
}

/// How t, x and y are stored of events whose polarities are not.
#[derive(Debug)]
pub(crate) enum Three {
    /// Separate datasets.
    Columns(Box<[(Dataset, Number); 3]>),
    /// Records with members: the type and the byte of the record.
    Records(Dataset, [(Number, usize); 3]),
    /// A table of three columns.
    Table(Dataset, Number),
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
            Self::Records(dataset, _) | Self::Table(dataset, ..) | Self::Turned(dataset, ..) => {
                vec![dataset]
            }
            Self::Columns(columns) => columns.iter().map(|(dataset, _)| dataset).collect(),
            Self::Pairs(columns) => columns.iter().map(|(dataset, _)| dataset).collect(),
            Self::Half(three, _) => match &**three {
                Three::Columns(columns) => columns.iter().map(|(dataset, _)| dataset).collect(),
                Three::Records(dataset, _) | Three::Table(dataset, _) => vec![dataset],
            },
            Self::Halves(halves) => halves.iter().flat_map(Shape::datasets).collect(),
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
    /// The unit of the times.
    pub unit: Option<TimeUnit>,
    /// The values of OFF and ON.
    pub polarity: Option<PolarityValues>,
    /// What must be added to the times to get the clock of the images, in µs.
    pub t_offset: Option<i64>,
    /// The table from ms to rows.
    pub ms_table: Option<Dataset>,
}

/// All streams of events in the file.
pub(crate) fn streams(file: &File, options: &ReadOptions) -> Result<Vec<Stream>> {
    let keys = options.columns.map.as_ref().filter(|map| matches!(map, ColumnMap::Names(_)));
    // The names are those of datasets, or else of members or datasets where events usually are.
    if let Some(keys) = keys.filter(|keys| names_datasets(file, keys)) {
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
            Some(Object::Dataset(dataset)) => of_dataset(dataset, wide, keys),
            Some(Object::Group(group)) => of_group(&group, keys)?,
            _ => None,
        };
        streams.extend(shape.map(|shape| Stream::new(file, place, name, shape)));
    }
    match keys {
        Some(keys) if streams.is_empty() => Ok(vec![by_keys(file, keys)?]),
        None if streams.is_empty() => search::streams(file),
        _ => Ok(streams),
    }
}

impl Stream {
    /// The stream of the group or dataset at `place`.
    pub fn new(file: &File, place: &str, name: &str, shape: Shape) -> Self {
        let is_group = matches!(shape, Shape::Columns(_) | Shape::Pairs(_) | Shape::Halves(_));
        let group = file.group(if is_group { place } else { parent(place) });
        let group = group.ok();
        let number = |name: &str| group.as_ref().and_then(|group| sensor::number(group, name));
        let root = file.root().ok();
        Self {
            name: name.to_owned(),
            place: place.to_owned(),
            unit: said::time_unit(&shape),
            polarity: said::polarities(&shape),
            shape,
            sensor: sensor::find(file, place),
            t_offset: number("t_offset")
                .or_else(|| root.and_then(|root| sensor::number(&root, "t_offset"))),
            ms_table: ms_table(file, group.as_ref()),
        }
    }
}

/// A dataset of a type that is not read, where a group in a usual place has datasets with the names of
/// t, x, y and p.
pub(crate) fn unread_column(file: &File) -> Option<Dataset> {
    PATHS.iter().find_map(|(place, _)| {
        let group = file.group(place).ok()?;
        let names = group.names().ok()?;
        let column = |field| {
            let name = names.iter().find(|name| Name::field(name) == Some(field))?;
            group.dataset(name).ok()
        };
        let columns = Field::ALL.map(column).into_iter().collect::<Option<Vec<_>>>()?;
        columns.into_iter().find(|column| number_of(column.datatype()).is_none())
    })
}

/// Whether a name is that of a field of an event: the one that the caller stated, or a usual one.
fn is_named(name: &str, field: Field, keys: Option<&ColumnMap>) -> bool {
    match keys.and_then(|keys| keys.name(field)) {
        Some(key) => name == key,
        None => Name::field(name) == Some(field),
    }
}

/// Whether every name that the caller stated is that of a dataset.
fn names_datasets(file: &File, keys: &ColumnMap) -> bool {
    let mut stated = Field::ALL.iter().filter_map(|&field| keys.name(field));
    stated.all(|name| matches!(file.object(name), Ok(Object::Dataset(_))))
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
    // A field that is not stated has a usual name beside those that are.
    let beside = Field::ALL.iter().find_map(|&field| keys.name(field)).map_or("/", parent);
    let group = found(file.group(beside))?;
    let usual = |field: Field| -> Option<String> {
        let names = group.as_ref()?.names().ok()?;
        let name = names.into_iter().find(|name| Name::field(name) == Some(field))?;
        Some(format!("{}/{name}", beside.trim_end_matches('/')))
    };
    let open = |field: Field| -> Result<(Dataset, Number)> {
        let wrong = |what: &str| {
            Error::caller(format!("{what} for {field}"))
                .found(keys.name(field).unwrap_or("no name"))
                .hint(Hint::NameColumns { example: "t=/PATH,x=/PATH,y=/PATH,p=/PATH".into() })
        };
        let name = keys.name(field).map(str::to_owned).or_else(|| usual(field));
        let name = name.ok_or_else(|| wrong("a dataset is missing"))?;
        let dataset =
            found(file.dataset(&name))?.ok_or_else(|| wrong("there is no such dataset"))?;
        let number = number_of(dataset.datatype()).filter(|_| is_column(&dataset));
        Ok((dataset, number.ok_or_else(|| wrong("this is not a column of numbers"))?))
    };
    let [t, x, y, p] = Field::ALL.map(open);
    let place = keys.name(Field::T).unwrap_or("/").to_owned();
    let shape = Shape::Columns(Box::new([t?, x?, y?, p?]));
    let sensor = sensor::find(file, parent(&place));
    Ok(Stream {
        name: "events".into(),
        place,
        unit: said::time_unit(&shape),
        polarity: said::polarities(&shape),
        shape,
        sensor,
        t_offset: None,
        ms_table: None,
    })
}

pub(super) fn of_dataset(
    dataset: Dataset,
    columns: usize,
    keys: Option<&ColumnMap>,
) -> Option<Shape> {
    if let Some(number) = number_of(dataset.datatype()) {
        return match *dataset.shape() {
            [_, width] if width == columns as u64 => Some(Shape::Table(dataset, number, columns)),
            [width, _] if width == columns as u64 => Some(Shape::Turned(dataset, number, columns)),
            _ => None,
        };
    }
    let [t, x, y, p] = Field::ALL.map(|field| member(&dataset, field, keys));
    let members = [t?, x?, y?, p?];
    (dataset.shape().len() == 1).then_some(Shape::Records(dataset, members))
}

pub(super) fn of_group(group: &Group, keys: Option<&ColumnMap>) -> Result<Option<Shape>> {
    let names = group.names().map_err(error)?;
    let mut columns = Vec::new();
    for field in Field::ALL {
        let mut column = None;
        for name in names.iter().filter(|name| is_named(name, field, keys)) {
            let Some(Object::Dataset(dataset)) = found(group.object(name))? else { continue };
            let number = number_of(dataset.datatype()).filter(|_| is_column(&dataset));
            column = column.or(number.map(|number| (dataset, number)));
        }
        columns.push(column);
    }
    if let [Some(t), None, None, Some(p)] = columns.as_slice()
        && let Some(xy) = pairs(group, &names)?
    {
        return Ok(Some(Shape::Pairs(Box::new([t.clone(), xy, p.clone()]))));
    }
    let columns = columns.into_iter().collect::<Option<Vec<_>>>();
    let columns = columns.and_then(|columns| columns.try_into().ok());
    match (columns, keys) {
        (Some(columns), _) => Ok(Some(Shape::Columns(Box::new(columns)))),
        (None, None) => halves(group, &names),
        (None, Some(_)) => Ok(None),
    }
}

/// The events of OFF and of ON, if a group has both: in groups (`pos/t`) or datasets (`pos`) of their own, or
/// by their names (`t_pos`).
fn halves(group: &Group, names: &[String]) -> Result<Option<Shape>> {
    let mut halves = Vec::new();
    for is_on in [false, true] {
        let mut columns = [const { None }; 3];
        let mut whole = None;
        for name in names {
            let Some((_, rest)) = half_of(name).filter(|(is, _)| *is == is_on) else { continue };
            match found(group.object(name))? {
                Some(Object::Dataset(dataset)) if rest.is_empty() => whole = three_in(dataset),
                Some(Object::Dataset(dataset)) => take(&mut columns, &rest, dataset),
                Some(Object::Group(inner)) if rest.is_empty() => {
                    for name in inner.names().map_err(error)? {
                        if let Some(Object::Dataset(dataset)) = found(inner.object(&name))? {
                            take(&mut columns, &name, dataset);
                        }
                    }
                }
                _ => {}
            }
        }
        let three = match columns {
            [Some(t), Some(x), Some(y)] => Some(Three::Columns(Box::new([t, x, y]))),
            _ => whole,
        };
        let Some(three) = three else { return Ok(None) };
        halves.push(Shape::Half(Box::new(three), is_on));
    }
    Ok(halves.try_into().ok().map(|halves| Shape::Halves(Box::new(halves))))
}

/// Puts a dataset in the place of its field, if it is a column of t, x or y and the first one.
fn take(columns: &mut [Option<(Dataset, Number)>; 3], name: &str, dataset: Dataset) {
    let number = number_of(dataset.datatype()).filter(|_| is_column(&dataset));
    let field = Name::field(name).filter(|field| *field != Field::P);
    if let (Some(field), Some(number)) = (field, number) {
        columns[field.index()].get_or_insert((dataset, number));
    }
}

/// One dataset that has t, x and y of events.
fn three_in(dataset: Dataset) -> Option<Three> {
    if let Some(number) = number_of(dataset.datatype()) {
        return matches!(dataset.shape(), [_, 3]).then_some(Three::Table(dataset, number));
    }
    let [t, x, y] = [Field::T, Field::X, Field::Y].map(|field| member(&dataset, field, None));
    let members = [t?, x?, y?];
    (dataset.shape().len() == 1).then_some(Three::Records(dataset, members))
}

/// The type of the member that is a field of an event, and its byte in a record.
fn member(dataset: &Dataset, field: Field, keys: Option<&ColumnMap>) -> Option<(Number, usize)> {
    let Datatype::Compound { members, .. } = dataset.datatype() else { return None };
    let mut named = members.iter().filter(|member| is_named(&member.name, field, keys));
    named.find_map(|member| Some((number_of(&member.datatype)?, member.offset)))
}

/// The dataset of a group that has x and y in two columns.
fn pairs(group: &Group, names: &[String]) -> Result<Option<(Dataset, Number)>> {
    for name in names.iter().filter(|name| Name::is_pair(name)) {
        if let Some(Object::Dataset(dataset)) = found(group.object(name))?
            && let Some(number) = number_of(dataset.datatype())
            && matches!(dataset.shape(), [_, 2])
        {
            return Ok(Some((dataset, number)));
        }
    }
    Ok(None)
}

/// Whether a dataset is one column of numbers. MATLAB stores columns with two dimensions, one of
/// which is 1.
fn is_column(dataset: &Dataset) -> bool {
    matches!(dataset.shape(), [_] | [1, _] | [_, 1])
}

/// The type of number, if it is one that columns of events have, or that of the values of an enumeration. A
/// boolean of h5py is an enumeration.
pub(super) fn number_of(datatype: &Datatype) -> Option<Number> {
    let number = match datatype {
        Datatype::Number(number) => *number,
        _ if datatype.is_bool() => return Some(Number::little(Kind::Bool)),
        Datatype::Enum { base, .. } => return number_of(base),
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
