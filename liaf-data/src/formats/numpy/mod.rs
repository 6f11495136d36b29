//! NumPy arrays: `.npy` files, and `.npz` archives of several arrays.
//!
#![doc = include_str!("../../../docs/formats/numpy.md")]

mod archive;
mod arrays;
mod encode;

use std::collections::BTreeSet;

use crate::codec::columns::{ColumnReader, Feed, Name, Storage};
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
    let (arrays, repeated) = last_of_each(arrays);
    let repeated = match repeated {
        Some(error) if options.strict => return Err(error),
        repeated => repeated,
    };
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
        let mut plan = arrays::four(source, [t?, x?, y?, p?], options)?;
        plan.repeated(repeated.as_ref());
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
        let mut plan = arrays::one(source, found, options)?;
        plan.repeated(repeated.as_ref());
        let sensor = sensor(source, &arrays, options);
        return Ok(opened(NPZ.name, source, plan, sensor, options));
    }
    Err(if arrays.is_empty() {
        Error::unsupported("the zip archive has no NumPy arrays").at(0)
    } else if arrays.iter().any(|entry| bare(entry) == "frames") {
        Error::unsupported("the file is a tensor file of frames, not a recording of events")
            .at(0)
            .found(names())
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
