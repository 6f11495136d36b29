//! HDF5: the layouts of Prophesee and of the data sets in use, read and written by the crate [`liaf_hdf5`].
//!
#![doc = include_str!("../../../docs/formats/hdf5.md")]

mod block;
mod ecf;
mod encode;
mod layout;
mod ms_table;
mod other;
mod rows;
mod said;
mod search;
mod sensor;
mod table;
mod triggers;

use std::collections::BTreeMap;

use liaf_hdf5::{File, Filter};

use crate::codec::columns::{
    Array, Decided, Halves, Pixels, Rows, Said, decide, guess_order, guess_three, is_contradicted,
};
use crate::codec::{
    BlockReader, Body, ColumnMap, Detection, Field, Format, Opened, ReadOptions, StreamChoice,
};
use crate::container::hdf5::{self, Shared};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::model::{RecordingInfo, SensorSource, StreamInfo, StreamKind};
use ecf::EcfReader;
use layout::{Shape, Stream, Three};
use ms_table::MsTable;
use rows::RowReader;
use triggers::{TriggerReader, Triggers};

pub(crate) static FORMAT: Format = Format {
    name: "HDF5",
    extensions: &["h5", "hdf5"],
    detect: |head| Detection::magic(base(&head.bytes).is_some()),
    open,
    write: &[encode::TARGET],
};

const MAGIC: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Where the HDF5 file begins: at 0, 512, 1024 or 2048, behind what another format put there.
fn base(head: &[u8]) -> Option<u64> {
    let at = [0usize, 512, 1024, 2048];
    at.into_iter()
        .find(|&at| head.get(at..).is_some_and(|b| b.starts_with(MAGIC)))
        .map(|at| at as u64)
}

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    source.hold(options.limits.held_bytes)?;
    let (file, shared) = hdf5::open(source, &options.limits)?;
    if options.strict && file.missing_bytes() > 0 {
        return Err(rows::cut(source.len().unwrap_or(0), file.missing_bytes()));
    }
    let mut streams = layout::streams(&file, options)?;
    if streams.is_empty() {
        return Err(match file.missing_bytes() {
            0 => nothing(&file),
            missing => rows::cut(source.len().unwrap_or(0), missing),
        });
    }
    let triggers = Triggers::find(&file);
    // Their stream is the one after those of events.
    let wants_triggers = triggers.is_some()
        && match &options.stream {
            Some(StreamChoice::Id(id)) => usize::try_from(*id) == Ok(streams.len()),
            Some(StreamChoice::Name(name)) => name == StreamKind::Triggers.name(),
            Some(StreamChoice::AllEvents) | None => false,
        };
    let chosen = match (&options.stream, streams.len()) {
        _ if wants_triggers => None,
        (None | Some(StreamChoice::AllEvents), 1) => Some(0),
        (None | Some(StreamChoice::AllEvents), _) => None,
        (Some(choice), _) => Some(choose(&streams, choice).ok_or_else(|| {
            let names = streams.iter().map(|stream| &*stream.name);
            let names = names.chain(triggers.as_ref().map(|_| StreamKind::Triggers.name()));
            let names: Vec<_> =
                (0..).zip(names).map(|(id, name): (i32, _)| format!("{id} ({name})")).collect();
            Error::caller(format!("there is no stream {choice}")).expected(names.join(", "))
        })?),
    };
    let mut info = RecordingInfo {
        format: FORMAT.name,
        bytes: source.len(),
        sensor: options.sensor,
        sensor_source: options.sensor.map_or(SensorSource::Unknown, |_| SensorSource::Stated),
        streams: (0..)
            .zip(&streams)
            .map(|(id, stream)| {
                let sensor = stream.sensor.map(|(sensor, _)| sensor);
                StreamInfo::new(id, StreamKind::Events, stream.name.clone(), sensor)
            })
            .collect(),
        stream: chosen.or(wants_triggers.then_some(streams.len())).map(|i| i as i32),
        details: BTreeMap::new(),
        notes: Vec::new(),
    };
    if triggers.is_some() {
        let kind = StreamKind::Triggers;
        info.streams.push(StreamInfo::new(streams.len() as i32, kind, kind.name(), None));
    }
    let events = streams.iter().map(|stream| stream.shape.rows()).fold(0, u64::saturating_add);
    // Without a choice there is no reader; the first stream stands in for what is never asked for.
    let stream = streams.swap_remove(chosen.unwrap_or(0));
    if let (None, Some(_), Some((sensor, how))) = (options.sensor, chosen, stream.sensor) {
        (info.sensor, info.sensor_source) = (Some(sensor), how);
    }
    let root = file.root().ok();
    for key in ["version", "serial_number", "plugin_name", "integrator_name", "date", "format"] {
        if let Some(value) = root.as_ref().and_then(|root| sensor::text(root, key)) {
            info.details.insert(key, value);
        }
    }
    info.details.insert("events", stream.place.clone());
    if stream.ms_table.is_some() {
        info.details.insert("index", "a table from ms to rows; a hint, no more".into());
    }
    let offset = match (stream.t_offset, options.columns.t_offset) {
        (Some(offset), true) => {
            info.details.insert("t_offset", format!("{offset} µs, added"));
            offset
        }
        (Some(offset), false) => {
            info.details.insert("t_offset", format!("{offset} µs, not added"));
            0
        }
        (None, true) => return Err(Error::caller("the file has no t_offset that could be added")),
        (None, false) => 0,
    };
    let body = match triggers {
        Some(triggers) if wants_triggers => {
            Body::blocks(TriggerReader::new(triggers, shared, offset, events, options)?)
        }
        triggers => read(stream, triggers.as_ref(), (&file, shared), offset, &mut info, options)?,
    };
    Ok(Opened { step: 1 << 20, bytes_per_event: 4.0, ..Opened::new(info, body, 0, options) })
}

fn choose(streams: &[Stream], choice: &StreamChoice) -> Option<usize> {
    match choice {
        StreamChoice::Id(id) => usize::try_from(*id).ok().filter(|&id| id < streams.len()),
        StreamChoice::Name(name) => {
            streams.iter().position(|stream| stream.name == *name || stream.place == *name)
        }
        StreamChoice::AllEvents => None,
    }
}

/// What reads the stream.
fn read(
    stream: Stream,
    triggers: Option<&Triggers>,
    (file, shared): (&File, Shared),
    offset: i64,
    info: &mut RecordingInfo,
    options: &ReadOptions,
) -> Result<Body> {
    let Stream { name, place, shape, .. } = stream;
    let Shape::Halves(halves) = shape else {
        let stream = Stream { name, place, shape, ..stream };
        let at = (file, shared);
        return read_list(stream, triggers, at, None, offset, info, options).map(Body::Blocks);
    };
    let [off, on] = *halves;
    let mut list = |shape, all| {
        let (name, place) = (name.clone(), place.clone());
        let half = Stream { name, place, shape, ms_table: None, ..stream };
        read_list(half, None, (file, shared.clone()), Some(all), offset, info, options)
    };
    let lists = [list(off, Array::ALL_OFF)?, list(on, Array::ALL_ON)?];
    Ok(Body::blocks(Halves::new(lists, info.bytes.unwrap_or(0))))
}

/// What reads one list of events; `all` are its polarities, if all are the same.
fn read_list(
    stream: Stream,
    triggers: Option<&Triggers>,
    (file, shared): (&File, Shared),
    all: Option<Array>,
    offset: i64,
    info: &mut RecordingInfo,
    options: &ReadOptions,
) -> Result<Box<dyn BlockReader>> {
    let filters = stream.shape.datasets().first().map_or(&[][..], |set| set.filters());
    if !filters.is_empty() {
        let names: Vec<_> = filters.iter().map(filter_name).collect();
        info.details.insert("filters", names.join(", "));
    }
    for dataset in stream.shape.datasets() {
        if let Some(chunks) = dataset.chunks().map_err(hdf5::error)? {
            chunks.check_overlap().map_err(hdf5::error)?;
        }
    }
    let missing = file.missing_bytes();
    if let (Shape::Records(dataset, _), [Filter { id: ecf::FILTER, .. }]) = (&stream.shape, filters)
        && let Some(chunks) = dataset.chunks().map_err(hdf5::error)?
    {
        let rows = dataset.shape().first().copied().unwrap_or(0);
        let name = dataset.name().to_owned();
        let mut reader = EcfReader::new(chunks, (name, rows), shared, offset, options);
        if missing > 0 {
            reader.is_cut(missing);
        }
        if let Some(triggers) = triggers {
            reader.beside(|report| triggers.beside(report, info.bytes.unwrap_or(0)));
        }
        return Ok(Box::new(reader));
    }
    for dataset in stream.shape.datasets() {
        if let Some(filter) = dataset.filters().iter().find(|filter| !filter.is_read()) {
            let name = dataset.name();
            return Err(Error::unsupported(format!(
                "{name} is packed by a filter that is not read"
            ))
            .found(filter_name(filter))
            .advice(STORE_AGAIN));
        }
    }
    let is_table = match &stream.shape {
        Shape::Table(..) | Shape::Turned(..) => true,
        Shape::Half(three, _) => matches!(**three, Three::Table(..)),
        _ => false,
    };
    let (unit, polarity, (size, how)) = (stream.unit, stream.polarity, stream.sensor.unzip());
    if let Some(names) = said::unknown_polarities(&stream.shape)
        && options.columns.polarity.is_none()
    {
        return Err(Error::unsupported(format!(
            "the names of the polarities of {} are not known",
            stream.place
        ))
        .expected("on and off, or pos and neg")
        .found(names)
        .hint(Hint::StatePolarity));
    }
    let rows = Rows::new(&options.columns);
    let mut reader = RowReader::new(stream.shape, rows, shared, options)?;
    if missing > 0 {
        reader.is_cut(missing);
    }
    if let Some(triggers) = triggers {
        reader.beside(|report| triggers.beside(report, info.bytes.unwrap_or(0)));
    }
    reader.table = stream.ms_table.map(MsTable);
    let mut sample = reader.sample();
    if is_table && let Ok(columns) = &sample {
        let (order, how) = match &options.columns.map {
            Some(ColumnMap::Order(order)) => {
                let at = |f| order.iter().position(|&column| column == Some(f)).unwrap_or(0);
                (Field::ALL.map(at), "as stated")
            }
            _ => {
                let guessed = match all {
                    Some(_) => guess_three(columns),
                    None => guess_order(columns),
                };
                let order = guessed.ok_or_else(|| {
                    Error::malformed(format!(
                        "what the columns of {} hold is not clear",
                        stream.place
                    ))
                    .hint(Hint::NameColumns { example: "x,y,t,p".into() })
                })?;
                (order, "guessed from the numbers")
            }
        };
        let mut letters = vec!["_"; order.iter().max().map_or(4, |most| most + 1).max(4)];
        for (field, column) in Field::ALL.into_iter().zip(order) {
            letters[column] = field.letter();
        }
        letters.truncate(if all.is_some() { 3 } else { letters.len() });
        info.details.insert("columns", format!("{} ({how})", letters.join(",")));
        reader.set_order(order);
        sample = reader.sample();
    }
    // Where no row can be read, the reader will say what is wrong.
    let sample = sample.unwrap_or_default();
    // Other data sets have the same groups as those whose cameras are known.
    let is_wrong =
        |assumed| is_contradicted(assumed, [&sample[1], &sample[2]], Pixels::of(&options.columns));
    let (size, how) = match (size, how) {
        (Some(assumed), Some(SensorSource::Assumed)) if is_wrong(assumed) => {
            let chosen = info.stream;
            for stream in info.streams.iter_mut().filter(|one| Some(one.id) == chosen) {
                stream.sensor = None;
            }
            (None, None)
        }
        known => known,
    };
    let said = Said { unit, sensor: size, offset, polarity, all };
    let Decided { rows, sensor, sensor_source, details, notes, .. } =
        decide(&sample, said, options)?;
    let (sensor, sensor_source) = match (sensor_source, how) {
        (SensorSource::Header, Some(how)) => (sensor, how),
        (stated, _) => (sensor, stated),
    };
    info.details.extend(details);
    // Without a choice the stream only stands in for one.
    if let Some(chosen) = info.stream {
        (info.sensor, info.sensor_source) = (sensor, sensor_source);
        for note in notes {
            // Of two lists, both may say it.
            if !info.notes.contains(&note) {
                info.notes.push(note);
            }
        }
        if let (Some(stream), SensorSource::Header) =
            (info.streams.iter_mut().find(|stream| stream.id == chosen), sensor_source)
        {
            stream.sensor = sensor;
        }
    }
    reader.set_rows(rows);
    Ok(Box::new(reader))
}

/// How to store a file again, with chunks and a filter that everybody reads. `h5repack` is no advice:
/// where its library lacks the filter it leaves the dataset out, and ends without an error.
const STORE_AGAIN: &str = "Python stores it again: import h5py, hdf5plugin; \
    a, b = h5py.File('OLD.h5'), h5py.File('NEW.h5', 'w'); b.attrs.update(a.attrs); \
    a.visititems(lambda n, x: (b.create_dataset(n, data=x[()], chunks=x.chunks and True, \
    compression=x.chunks and 'gzip') if hasattr(x, 'shape') else b.require_group(n))\
    .attrs.update(x.attrs))";

fn filter_name(filter: &Filter) -> String {
    if filter.id == ecf::FILTER { "ECF".into() } else { filter.label() }
}

/// The file holds no events where they are looked for.
fn nothing(file: &File) -> Error {
    if let Some(dataset) = layout::unread_column(file) {
        return Error::unsupported(format!("the type of {} is not supported", dataset.name()))
            .expected("whole numbers, f32, f64 or bool");
    }
    let names = file.root().and_then(|root| root.names()).unwrap_or_default();
    let is_ours = names.iter().any(|name| name == "frames");
    let error = if is_ours {
        Error::unsupported("a tensor file of frames, not a recording of events")
    } else {
        Error::unsupported("no events are where HDF5 recordings have them")
    };
    let shown: Vec<_> = names.iter().take(20).map(|name| format!("/{name}")).collect();
    error
        .found(shown.join(", "))
        .hint(Hint::NameColumns { example: "t=/PATH,x=/PATH,y=/PATH,p=/PATH".into() })
        .not_a_recording(is_ours || other::surely_no_recording(file))
}
