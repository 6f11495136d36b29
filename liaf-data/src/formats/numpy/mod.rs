//! NumPy arrays: `.npy` files, and `.npz` archives of several arrays.
//!
#![doc = include_str!("../../../docs/formats/numpy.md")]

mod archive;
mod arrays;
mod encode;

use crate::codec::columns::{ColumnReader, Feed, Name, Storage, surely_no_events};
use crate::codec::{Body, ColumnMap, Detection, Field, Format, Opened, ReadOptions};
use crate::container::npy;
use crate::container::zip::{self, Entry};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::model::{RecordingInfo, SensorSize, SensorSource, StreamInfo, StreamKind};
use arrays::{Found, Plan};

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
    let plan = arrays::one(source, found, options)?;
    Ok(opened(NPY.name, source, plan, None, options))
}

fn open_npz(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    source.hold(options.limits.held_bytes)?;
    let entries = zip::entries(source, &options.limits)?;
    let arrays: Vec<_> = entries.iter().filter(|entry| entry.name.ends_with(".npy")).collect();
    let names = || arrays.iter().map(|entry| bare(entry)).collect::<Vec<_>>().join(", ");
    let by_name = Field::ALL.map(|field| {
        let key = match &options.columns.map {
            Some(keys) => keys.name(field),
            None => None,
        };
        arrays.iter().copied().find(|entry| match key {
            Some(key) => bare(entry) == key || entry.name == key,
            None => Name::field(bare(entry)) == Some(field),
        })
    });
    if let [Some(t), Some(x), Some(y), Some(p)] = by_name {
        let [t, x, y, p] = [t, x, y, p].map(|entry| find(source, entry, options));
        let plan = arrays::four(source, [t?, x?, y?, p?], options)?;
        let sensor = sensor(source, &arrays, options);
        return Ok(opened(NPZ.name, source, plan, sensor, options));
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
        let plan = arrays::one(source, found, options)?;
        let sensor = sensor(source, &arrays, options);
        return Ok(opened(NPZ.name, source, plan, sensor, options));
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
            arrays::one(source, found, options)?;
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

fn opened(
    format: &'static str,
    source: &ByteSource,
    plan: Plan,
    sensor: Option<SensorSize>,
    options: &ReadOptions,
) -> Opened {
    let (sensor, sensor_source) = SensorSource::Header.unless_stated(options.sensor, sensor);
    let info = RecordingInfo {
        format,
        bytes: source.len(),
        sensor,
        sensor_source,
        streams: vec![StreamInfo::new(0, StreamKind::Events, "events", sensor)],
        stream: Some(0),
        details: plan.details.into_iter().collect(),
        notes: Vec::new(),
    };
    let body = Body::blocks(ColumnReader::new(plan.parts, plan.rows));
    Opened { step: 1 << 20, bytes_per_event: 13.0, ..Opened::new(info, body, 0, options) }
}
