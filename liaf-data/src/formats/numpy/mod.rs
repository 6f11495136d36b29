//! NumPy arrays: `.npy` files, and `.npz` archives of several arrays.
//!
#![doc = include_str!("../../../docs/formats/numpy.md")]

mod archive;
mod arrays;
mod encode;
mod folder;
mod found;
mod halves;
mod planner;

use std::collections::BTreeSet;
use std::iter;
use std::path::{Path, PathBuf};

use crate::codec::columns::{
    ColumnReader, Decided, Feed, Halves, Name, Said, Storage, surely_no_events,
};
use crate::codec::{BlockReader, Body, ColumnMap, Detection, Field, Format, Opened, ReadOptions};
use crate::container::npy;
use crate::container::zip::{self, Entry};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::model::{RecordingInfo, SensorSize, StreamInfo, StreamKind};
use arrays::Place;
use folder::ColumnFiles;
use found::Found;
use planner::Plan;

pub(crate) static NPY: Format = Format {
    name: "npy",
    extensions: &["npy"],
    detect: |head| Detection::magic(head.starts_with(npy::MAGIC)),
    open: open_npy,
    write: &[encode::TARGET],
};

pub(crate) static NPZ: Format = Format {
    name: "npz",
    extensions: &["npz"],
    detect: |head| {
        Detection::magic(head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06"))
    },
    open: open_npz,
    write: &[archive::TARGET],
};

fn open_npy(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    source.hold(options.limits.held_bytes)?;
    let length = source.len().unwrap_or(0);
    let feed = Feed::new(Storage::Stored, 0, length);
    let found = Found::read(source, "the array", feed, length, None, options)?;
    if found.is_column() || found.pairs().is_some() {
        let files = source.path().and_then(|path| Some((folder::with_columns_of(path)?, path)));
        if let Some((files, path)) = files {
            if files.times == path {
                return open_columns(source, found, &files, options);
            }
            let times = files.times.display();
            return Err(Error::unsupported(
                "the array is one column of a recording of several files",
            )
            .advice(format!("name the file of the times, {times}, or the folder")));
        }
    }
    let plan = arrays::one(source, found, Said::default(), options)?;
    Ok(opened(NPY.name, source, plan, options))
}

/// Opens a recording of which each column, or x and y together, is a file.
fn open_columns(
    source: &mut ByteSource,
    times: Found,
    files: &ColumnFiles,
    options: &ReadOptions,
) -> Result<Opened> {
    let mut found = vec![times];
    let mut bytes = source.len().unwrap_or(0);
    for path in &files.others {
        let mut file = ByteSource::open(path, options.map)?;
        let length = file.len().unwrap_or(0);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let feed = Feed::new(Storage::Stored, 0, length);
        let one = Found::read(&mut file, &name, feed, length, None, options);
        found.push(Found { file: Some(file), ..one.map_err(|error| error.in_file(path))? });
        bytes += length;
    }
    let mut plan = arrays::several(source, found, files.places, Said::default(), options)?;
    plan.parts.file_bytes = bytes;
    plan.details.push(("files", (1 + files.others.len()).to_string()));
    let mut opened = opened(NPY.name, source, plan, options);
    opened.info.bytes = Some(bytes);
    Ok(opened)
}

/// The file of the times, if a folder has a recording of which each column is a file.
pub(crate) fn times_in(folder: &Path) -> Option<PathBuf> {
    folder::of_columns(folder).map(|files| files.times)
}

/// The files of the recording that is opened by `path`.
pub(crate) fn files_of(path: &Path) -> Vec<PathBuf> {
    match folder::with_columns_of(path) {
        Some(files) => iter::once(files.times).chain(files.others).collect(),
        None => vec![path.to_owned()],
    }
}

/// Finds the arrays of t, x, y and p by their names, or those that the caller named.
fn named<'a>(arrays: &[&'a Entry], options: &ReadOptions) -> Option<(Vec<&'a Entry>, [Place; 4])> {
    let mut entries: Vec<&Entry> = Vec::new();
    let mut place = |entry: &'a Entry, column| {
        let known = entries.iter().position(|one| std::ptr::eq(*one, entry));
        let index = known.unwrap_or_else(|| {
            entries.push(entry);
            entries.len() - 1
        });
        (index, column)
    };
    let pair = || arrays.iter().copied().find(|entry| Name::is_pair(bare(entry)));
    let key_of = |field| options.columns.map.as_ref().and_then(|keys| keys.name(field));
    // One array that the caller named for both has x and y in two columns.
    let is_pair = key_of(Field::X).is_some() && key_of(Field::X) == key_of(Field::Y);
    let mut places = [(0, None); 4];
    for field in Field::ALL {
        let key = key_of(field);
        let own = arrays.iter().copied().find(|entry| match key {
            Some(key) => bare(entry) == key || entry.name == key,
            None => Name::field(bare(entry)) == Some(field),
        });
        places[field.index()] = match (own, field) {
            (Some(entry), Field::X | Field::Y) if is_pair => {
                place(entry, Some(usize::from(field == Field::Y)))
            }
            (Some(entry), _) => place(entry, None),
            (None, Field::X | Field::Y) if key.is_none() => {
                place(pair()?, Some(usize::from(field == Field::Y)))
            }
            (None, _) => return None,
        };
    }
    Some((entries, places))
}

/// Whether a file is named by a number of ten digits, as the simulator of `rpg_vid2e` names its files,
/// whose times are in ns.
fn is_numbered(path: Option<&Path>) -> bool {
    let stem = path.and_then(Path::file_stem).and_then(|stem| stem.to_str());
    stem.is_some_and(|stem| stem.len() == 10 && stem.bytes().all(|byte| byte.is_ascii_digit()))
}

fn open_npz(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    source.hold(options.limits.held_bytes)?;
    let entries = zip::entries(source, &options.limits)?;
    let arrays: Vec<_> = entries.iter().filter(|entry| entry.name.ends_with(".npy")).collect();
    let (arrays, repeated) = last_of_each(arrays);
    let repeated = match repeated {
        Some(error) if options.strict => return Err(error),
        repeated => repeated,
    };
    let names = || arrays.iter().map(|entry| bare(entry)).collect::<Vec<_>>().join(", ");
    if options.columns.map.is_none() {
        let said = Said { sensor: sensor(source, &arrays, options), ..Said::default() };
        if let Some(mut plans) = halves::plans(source, &arrays, said, options)? {
            plans[0].repeated(repeated.as_ref());
            return Ok(opened_halves(source, plans, options));
        }
    }
    if let Some((entries, places)) = named(&arrays, options) {
        let found = entries.into_iter().map(|entry| find(source, entry, options));
        let found = found.collect::<Result<Vec<_>>>()?;
        let sensor = sensor(source, &arrays, options);
        let said = Said { sensor, ..Said::default() };
        let mut plan = arrays::several(source, found, places, said, options)?;
        plan.repeated(repeated.as_ref());
        plan.decided.doubt_unit(options, is_numbered(source.path()));
        return Ok(opened(NPZ.name, source, plan, options));
    }
    let mut lists = Vec::new();
    for entry in &arrays {
        // An archive without a list of events may be anything, including a kind of file that is not
        // supported.
        if let Ok(found) = find(source, entry, options)
            && (found.is_events()
                || (arrays.len() == 1 && matches!(options.columns.map, Some(ColumnMap::Order(_)))))
        {
            lists.push(found);
        }
    }
    if lists.len() == 1
        && let Some(found) = lists.pop()
    {
        let sensor = sensor(source, &arrays, options);
        let said = Said { sensor, ..Said::default() };
        let mut plan = arrays::one(source, found, said, options)?;
        plan.repeated(repeated.as_ref());
        return Ok(opened(NPZ.name, source, plan, options));
    }
    Err(if arrays.is_empty() {
        Error::unsupported("the zip archive has no NumPy arrays").at(0)
    } else if arrays.iter().any(|entry| bare(entry) == "frames") {
        Error::unsupported("the file is a tensor file of frames, not a recording of events")
            .at(0)
            .found(names())
            .not_a_recording(true)
    } else {
        // The error of a single array that cannot be read says why.
        if let [only] = arrays.as_slice() {
            let found = find(source, only, options)?;
            arrays::one(source, found, Said::default(), options)?;
        }
        Error::malformed("it is ambiguous which of the arrays hold events")
            .at(0)
            .expected("t, x, y and p, or one list of events")
            .found(names())
            .hint(Hint::NameColumns { example: "t=NAME,x=NAME,y=NAME,p=NAME".into() })
            .not_a_recording(
                options.columns.map.is_none()
                    && surely_no_events(arrays.iter().map(|entry| bare(entry))),
            )
    })
}

/// The members without those whose name occurs again after them: NumPy reads the last one of a name.
/// Also returns what is wrong with the archive if there are any.
fn last_of_each(members: Vec<&Entry>) -> (Vec<&Entry>, Option<Error>) {
    let mut seen = BTreeSet::new();
    let mut first_repeated = None;
    let mut last: Vec<_> = members.into_iter().rev().collect();
    last.retain(|entry| {
        let is_last = seen.insert(&entry.name);
        if !is_last {
            first_repeated = Some(*entry);
        }
        is_last
    });
    last.reverse();
    let error = first_repeated.map(|entry| {
        Error::malformed("the archive has several arrays of one name")
            .at(entry.offset)
            .expected("one of each name: the last is read, as NumPy does")
            .found(format!("several of {}", bare(entry)))
    });
    (last, error)
}

/// The name of an array without the `.npy` of its member.
fn bare(entry: &Entry) -> &str {
    entry.name.strip_suffix(".npy").unwrap_or(&entry.name)
}

fn find(source: &mut ByteSource, entry: &Entry, options: &ReadOptions) -> Result<Found> {
    let feed = Feed::new(entry.storage()?, entry.data(source)?, entry.packed);
    let sum = Some((entry.crc, entry.size));
    Found::read(source, bare(entry), feed, entry.packed, sum, options)
}

/// The size of the sensor, if there are numbers `width` and `height` beside the events.
fn sensor(source: &mut ByteSource, arrays: &[&Entry], options: &ReadOptions) -> Option<SensorSize> {
    let mut side = |name| {
        let entry = arrays.iter().find(|entry| bare(entry) == name)?;
        let number = find(source, entry, options).ok()?.number(source)?;
        u16::try_from(number).ok().filter(|&side| side > 0)
    };
    Some(SensorSize::new(side("width")?, side("height")?))
}

fn opened(format: &'static str, source: &ByteSource, plan: Plan, options: &ReadOptions) -> Opened {
    let Plan { parts, decided, details } = plan;
    let body = Body::blocks(ColumnReader::new(parts, decided.rows));
    described(format, source, details, decided, body, options)
}

/// Opens a recording of two lists of events, of OFF and of ON.
fn opened_halves(source: &ByteSource, plans: [Plan; 2], options: &ReadOptions) -> Opened {
    let [off, mut on] = plans;
    let lists = [(off.parts, off.decided.rows), (on.parts, on.decided.rows)];
    let lists =
        lists.map(|(parts, rows)| Box::new(ColumnReader::new(parts, rows)) as Box<dyn BlockReader>);
    let body = Body::blocks(Halves::new(lists, source.len().unwrap_or(0)));
    on.decided.notes.retain(|note| !off.decided.notes.contains(note));
    on.decided.notes.extend(off.decided.notes);
    described(NPZ.name, source, on.details, on.decided, body, options)
}

fn described(
    format: &'static str,
    source: &ByteSource,
    forms: Vec<(&'static str, String)>,
    decided: Decided,
    body: Body,
    options: &ReadOptions,
) -> Opened {
    let Decided { sensor, sensor_source, details, notes, .. } = decided;
    let info = RecordingInfo {
        format,
        bytes: source.len(),
        sensor,
        sensor_source,
        streams: vec![StreamInfo::new(0, StreamKind::Events, "events", sensor)],
        stream: Some(0),
        details: forms.into_iter().chain(details).collect(),
        notes,
    };
    Opened { step: 1 << 20, bytes_per_event: 13.0, ..Opened::new(info, body, 0, options) }
}

#[cfg(test)]
mod tests {
    use crate::codec::ReadOptions;
    use crate::model::EventStats;
    use crate::read::Recording;

    #[test]
    fn the_header_of_an_array_is_counted_as_header() {
        for shape in ["(3, 4)", "(9223372036854775808, 4)"] {
            let text = format!("{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}");
            let mut file = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
            file.extend(format!("{text:117}\n").bytes());
            let rows = [[1i64, 5, 3, 1], [7, 6, 3, 0], [9, 4, 2, 1]];
            file.extend(rows.iter().flatten().flat_map(|value| value.to_le_bytes()));
            let mut recording = Recording::from_bytes(file, ReadOptions::default()).unwrap();
            let mut reader = recording.reader().unwrap();
            while reader.pump(&mut EventStats::default()).unwrap() {}
            let report = reader.report();
            assert_eq!(report.events, 3, "{shape}");
            assert_eq!((report.bytes.header, report.bytes.events), (128, 96), "{shape}");
        }
    }
}
