//! HDF5: the layouts of Prophesee and of the data sets in use.
//!
//! | layout | where |
//! |---|---|
//! | Prophesee | `/CD/events`, records x, y, p, t; chunks in ECF (filter 36559) or anything else |
//! | DSEC, RVT, Gen1, 1 Mpx | `/events/{x,y,p,t}`, `/ms_to_idx`, `/t_offset`; `height`, `width` |
//! | M3ED | `/prophesee/{left,right}/{x,y,p,t}`, `calib/resolution` |
//! | MVSEC | `/davis/{left,right}/events`, rows of x, y, t in seconds, p |
//! | RPG, E2VID | `/events/{xs,ys,ts,ps}`, ts in seconds, `sensor_resolution` |
//! | v2e | `/events`, rows of t, x, y, p in u32, where p = -1 is 4294967295 |
//!
//! What has other names is read with `--keys`, or `--stream /PATH`. Two cameras are two streams. Chunks
//! in ECF are read from the file by us, outside of the library's lock, and decoded on all threads by
//! [`prophesee::ecf`](super::prophesee::ecf), never by a plugin; everything else comes through the library, Blosc included.

mod chunk;
mod ecf;
mod encode;
mod layout;
mod ms_table;
mod record;
mod rows;
mod sensor;
mod slab;
mod wire;
pub mod worker;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hdf5::File;
use hdf5::filters::Filter;

use crate::codec::columns::{Rows, guess_order, guess_unit};
use crate::codec::{
    Body, ColumnMap, Detection, Field, FileHead, Format, Opened, ReadOptions, StreamChoice,
    TimeUnit,
};
use crate::error::{Error, ErrorKind, Result};
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::model::{RecordingInfo, SensorSource, StreamInfo, StreamKind};
use ecf::EcfReader;
use layout::{Shape, Stream};
use ms_table::MsTable;
use rows::RowReader;

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
    let Some(program) = &options.hdf5_program else { return open_here(source, options) };
    source.hold(options.limits.held_bytes)?;
    if let (Some(path), true) = (source.path(), source.is_file()) {
        return worker::open(program, path, true, source.len(), options);
    }
    let held = write_out(source)?;
    let opened = worker::open(program, &held, false, source.len(), options);
    let _ = std::fs::remove_file(&held);
    opened
}

/// Opens the file in this process.
fn open_here(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    let head = source.head(FileHead::BYTES)?;
    source.hold(options.limits.held_bytes)?;
    let base = base(&head).unwrap_or(0);
    let file_bytes = source.len().unwrap_or(0);
    let file = open_file(source)?;
    let mut streams = layout::streams(&file, options)?;
    if streams.is_empty() {
        return Err(nothing(&file));
    }
    let chosen = match (&options.stream, streams.len()) {
        (None | Some(StreamChoice::AllEvents), 1) => Some(0),
        (None | Some(StreamChoice::AllEvents), _) => None,
        (Some(choice), _) => Some(choose(&streams, choice).ok_or_else(|| {
            let names: Vec<_> =
                (0..).zip(&streams).map(|(id, s)| format!("{id} ({})", s.name)).collect();
            Error::caller(format!("there is no event stream {choice}")).expected(names.join(", "))
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
                StreamInfo::new(id, StreamKind::Events, stream.name.clone(), stream.sensor)
            })
            .collect(),
        stream: chosen.map(|i| i as i32),
        details: BTreeMap::new(),
        notes: Vec::new(),
    };
    // Without a choice there is no reader; the first stream stands in for what is never asked for.
    let stream = streams.swap_remove(chosen.unwrap_or(0));
    if let (None, Some(_), Some(sensor)) = (options.sensor, chosen, stream.sensor) {
        (info.sensor, info.sensor_source) = (Some(sensor), SensorSource::Header);
    }
    let root = file.group("/").ok();
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
    let body = read(stream, base, offset, file_bytes, &mut info, options)?;
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
    base: u64,
    offset: i64,
    file_bytes: u64,
    info: &mut RecordingInfo,
    options: &ReadOptions,
) -> Result<Body> {
    let filters = stream.shape.datasets().first().map_or(Vec::new(), |set| set.filters());
    if !filters.is_empty() {
        let names: Vec<_> = filters.iter().map(filter_name).collect();
        info.details.insert("filters", names.join(", "));
    }
    if let (Shape::Records(dataset), [Filter::User(ecf::FILTER, _)]) = (&stream.shape, &filters[..])
        && let Some([chunk]) = dataset.chunk().as_deref()
    {
        let chunk = (*chunk).max(1) as u64;
        let dataset = dataset.clone();
        let reader = EcfReader::new(dataset, chunk, base, offset, file_bytes, options);
        return Ok(Body::blocks(reader));
    }
    for dataset in stream.shape.datasets() {
        let filters = dataset.filters();
        if let Some(filter) = filters.iter().find(|filter| matches!(filter, Filter::User(..))) {
            let name = dataset.name();
            return Err(Error::unsupported(format!(
                "{name} is packed by a filter that is not read"
            ))
            .found(filter_name(filter))
            .advice("h5repack -f GZIP=1 packs it again"));
        }
    }
    let is_table = matches!(stream.shape, Shape::Table(..));
    let rows = Rows { unit: TimeUnit::Microseconds, offset };
    let mut reader = RowReader::new(stream.shape, rows, base, file_bytes, options)?;
    reader.table = stream.ms_table.map(MsTable);
    let mut sample = reader.sample();
    if is_table && let Ok(columns) = &sample {
        let (order, how) = match &options.columns.map {
            Some(ColumnMap::Order(order)) => {
                let at = |f| order.iter().position(|&column| column == Some(f)).unwrap_or(0);
                (Field::ALL.map(at), "as stated")
            }
            _ => {
                let order = guess_order(columns).ok_or_else(|| {
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
        info.details.insert("columns", format!("{} ({how})", letters.join(",")));
        reader.set_order(order);
        sample = reader.sample();
    }
    let (unit, how) = match (options.columns.time_unit, &sample) {
        (Some(unit), _) => (unit, "as stated"),
        (None, Ok([t, ..])) => guess_unit(t),
        // The reader will say what is wrong.
        (None, Err(_)) => (TimeUnit::Microseconds, "unknown"),
    };
    info.details.insert("time unit", format!("{} ({how})", unit.name()));
    reader.rows.unit = unit;
    Ok(Body::blocks(reader))
}

fn filter_name(filter: &Filter) -> String {
    match filter {
        Filter::User(ecf::FILTER, _) => "ECF".into(),
        Filter::User(32000, _) => "filter 32000 (LZF)".into(),
        Filter::User(32004, _) => "filter 32004 (LZ4)".into(),
        Filter::User(32008, _) => "filter 32008 (bitshuffle)".into(),
        Filter::User(32015, _) => "filter 32015 (ZSTD)".into(),
        Filter::User(id, _) => format!("filter {id}"),
        Filter::Deflate(_) => "deflate".into(),
        Filter::Shuffle => "shuffle".into(),
        other => format!("{other:?}").split(['(', ' ']).next().unwrap_or_default().to_lowercase(),
    }
}

/// Opens the file by the library; what is in memory goes to a file without a name first.
fn open_file(source: &mut ByteSource) -> Result<File> {
    let held = match source.path() {
        Some(path) if source.is_file() => return open_path(path).map_err(|e| refused(&e, source)),
        _ => write_out(source)?,
    };
    let file = open_path(&held).map_err(|error| refused(&error, source));
    let _ = std::fs::remove_file(&held);
    file
}

/// Opens a file, and waits a little for one that is locked: a program that was just started holds
/// the locks of the one that started it, of files that are closed meanwhile too.
fn open_path(path: &Path) -> hdf5::Result<File> {
    let is_locked = |error: &hdf5::Error| said(error).contains(LOCKED);
    for _ in 0..25 {
        match File::open(path) {
            Err(error) if is_locked(&error) => std::thread::sleep(Duration::from_millis(20)),
            other => return other,
        }
    }
    File::open(path)
}

const LOCKED: &str = "unable to lock file";

/// All that the library says.
fn said(error: &hdf5::Error) -> String {
    let stack = error.stack().map(|stack| {
        stack.iter().map(|frame| frame.desc().to_owned()).collect::<Vec<_>>().join("; ")
    });
    stack.unwrap_or_default() + &error.to_string()
}

/// Writes the bytes to a new file in the folder for such.
fn write_out(source: &mut ByteSource) -> Result<PathBuf> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("liaf-{}-{number}.h5", std::process::id());
    let path: PathBuf = Path::new(&std::env::temp_dir()).join(name);
    let cannot = |error| Error::system("cannot write a copy for HDF5", error).in_file(&path);
    let mut out =
        std::fs::OpenOptions::new().write(true).create_new(true).open(&path).map_err(cannot)?;
    let mut at = 0;
    loop {
        let piece = source.read_at(at, 1 << 20)?;
        if piece.is_empty() {
            return Ok(path);
        }
        at += piece.len() as u64;
        if let Err(error) = out.write_all(&piece) {
            let _ = std::fs::remove_file(&path);
            return Err(cannot(error));
        }
    }
}

/// Why the library did not open the file.
fn refused(error: &hdf5::Error, source: &ByteSource) -> Error {
    let text = error.to_string();
    let all = said(error);
    if all.contains(LOCKED) {
        return Error::system(
            "another program has the file open for writing",
            std::io::Error::other(text),
        );
    }
    if all.contains("truncated file") || all.contains("already open for write") {
        return Error::truncated("this HDF5 file was left by an interrupted writer or copy")
            .at(source.len().unwrap_or(0))
            .found(text)
            .advice("HDF5 has no journal: write or copy it again");
    }
    Error::new(ErrorKind::Malformed, "HDF5 cannot open the file").at(0).found(text)
}

/// The file holds no events where they are looked for.
fn nothing(file: &File) -> Error {
    let names = file.member_names().unwrap_or_default();
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
}
