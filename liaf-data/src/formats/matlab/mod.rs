//! MATLAB 5 files: the columns `ts`, `x`, `y` and `pol`, as in ASL-DVS.
//!
#![doc = include_str!("../../../docs/formats/mat.md")]

mod element;

use crate::codec::columns::{
    Array, ColumnReader, Kind, Name, Number, Parts, Rows, Source, guess_unit, surely_no_events,
};
use crate::codec::{Body, Detection, Field, FileHead, Format, Opened, ReadOptions};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::model::{
    Finding, RecordingInfo, Report, SensorSize, SensorSource, StreamInfo, StreamKind,
};
use element::{Data, Matrix, Tag};

pub(crate) static FORMAT: Format =
    Format { name: "MAT 5", extensions: &["mat"], detect, open, write: &[] };

const HEADER: u64 = 128;
/// Only this many elements are examined.
const ELEMENTS: usize = 10_000;
const ASL_DVS: SensorSize = SensorSize::new(240, 180);

fn detect(head: &FileHead) -> Detection {
    Detection::magic(head.starts_with(b"MATLAB 5.0 MAT-file"))
}

/// Whether numbers are big-endian.
fn is_big_endian(head: &[u8]) -> Result<bool> {
    match head.get(126..128) {
        Some(b"IM") => Ok(false),
        Some(b"MI") => Ok(true),
        Some(_) => {
            Err(Error::malformed("the byte order is not stated").at(126).expected("IM or MI"))
        }
        None => Err(Error::truncated("the header is incomplete").at(head.len() as u64)),
    }
}

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    let head = source.head(HEADER as usize)?;
    source.hold(options.limits.held_bytes)?;
    let big = is_big_endian(&head)?;
    let length = source.len().unwrap_or(0);
    let mut report = Report::default();
    let mut found: [Option<(Matrix, u64)>; 4] = [const { None }; 4];
    let (mut at, mut names, mut flaw, mut is_sure) = (HEADER, Vec::new(), None, true);
    for _ in 0..ELEMENTS {
        let bytes = source.read_at(at, 8)?;
        let Some(tag) = bytes.first_chunk() else {
            if !bytes.is_empty() {
                flaw = Some(Error::truncated("the last element is incomplete").at(at));
            }
            break;
        };
        let tag = Tag::parse(*tag, big);
        let end = at + 8 + u64::from(tag.bytes);
        if end > length {
            let error = Error::truncated("an element ends after the end of the file")
                .at(at)
                .found(format!("{} bytes", tag.bytes));
            flaw = Some(error);
        }
        let there = (length - at - 8).min(tag.bytes.into());
        if let Some(storage) = element::storage(tag.kind) {
            match element::matrix(source, storage, at + 8, there, big) {
                Ok(Some(matrix)) => {
                    // Structures and lists of several columns may hold events under any name.
                    is_sure &= matrix.data.is_some()
                        && !matrix.sides.iter().any(|side| (3..=6).contains(side));
                    names.push(matrix.name.clone());
                    if let Some(field) = field_of(&matrix.name, options)
                        && let Some(place) = found.get_mut(field.index())
                    {
                        place.get_or_insert((matrix, there));
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    flaw.get_or_insert(error);
                }
            }
        }
        // Compressed elements are not padded.
        at = if tag.kind == element::COMPRESSED { end } else { end.next_multiple_of(8) };
        if at >= length {
            break;
        }
    }
    if let Some(error) = &flaw {
        report.add(Finding::BadParts, 1, error.offset().unwrap_or(0));
        report.note(error);
    }
    let is_asl = ["ts", "pol"].iter().all(|name| names.iter().any(|one| one == name));
    let [Some(t), Some(x), Some(y), Some(p)] = found else {
        return Err(flaw.unwrap_or_else(|| {
            Error::unsupported("the MATLAB file has no columns of events")
                .at(0)
                .found(names.join(", "))
                .hint(Hint::NameColumns { example: "t=NAME,x=NAME,y=NAME,p=NAME".into() })
                .not_a_recording(
                    is_sure
                        && !names.is_empty()
                        && options.columns.map.is_none()
                        && surely_no_events(names.iter().map(String::as_str)),
                )
        }));
    };
    let mut parts = Parts {
        sources: Vec::new(),
        arrays: [Array { source: 0, start: 0, number: Number::little(Kind::U8) }; 4],
        left: u64::MAX,
        checksums: Vec::new(),
        event_bytes: 0,
        file_bytes: length,
        strict: options.strict,
        report,
        flaw,
    };
    let (mut ahead, mut types, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    for (i, (matrix, packed)) in [t, x, y, p].into_iter().enumerate() {
        let rows = column(&matrix)?;
        let name = matrix.name.clone();
        let Data { number, mut feed, ahead: before, bytes } = matrix.data.ok_or_else(|| {
            Error::malformed(format!("{name} is not a matrix of numbers")).at(HEADER)
        })?;
        types.push(format!("{name} {}", number.name()));
        lengths.push(rows.min(bytes / number.bytes() as u64));
        parts.left = parts.left.min(rows);
        if bytes / number.bytes() as u64 != rows {
            let error =
                Error::malformed(format!("the size of {name} does not agree with its dimensions"))
                    .at(feed.start())
                    .expected(format!("{rows} numbers"))
                    .found(format!("{bytes} bytes of {}", number.name()));
            parts.report.add(Finding::BadParts, 1, feed.start());
            parts.report.note(&error);
            parts.flaw.get_or_insert(error);
            parts.left = parts.left.min(bytes / number.bytes() as u64);
        }
        parts.event_bytes += packed;
        parts.arrays[i] = Array { source: i, start: 0, number };
        ahead.push(before);
        feed.skip(source, before)?;
        parts.sources.push(Source { feed, stride: number.bytes() });
    }
    if lengths.iter().any(|&rows| rows != parts.left) {
        let error = Error::malformed("the columns differ in length")
            .at(HEADER)
            .expected(format!("{} rows", parts.left))
            .found(format!("{lengths:?}"));
        parts.report.add(Finding::BadParts, 1, HEADER);
        parts.report.note(&error);
        parts.flaw.get_or_insert(error);
    }
    let (unit, how) = match options.columns.time_unit {
        Some(unit) => (unit, "as stated"),
        None => guess_unit(&parts.sample(source, &ahead)?[0]),
    };
    let sensor = options.sensor;
    let info = RecordingInfo {
        format: FORMAT.name,
        bytes: source.len(),
        sensor,
        sensor_source: sensor.map_or(SensorSource::Unknown, |_| SensorSource::Stated),
        streams: vec![StreamInfo::new(0, StreamKind::Events, "events", sensor)],
        stream: Some(0),
        details: [
            ("columns", types.join(", ")),
            ("time unit", format!("{} ({how})", unit.name())),
            ("byte order", if big { "big-endian" } else { "little-endian" }.to_owned()),
        ]
        .into_iter()
        .collect(),
        notes: Vec::new(),
    };
    let body = Body::blocks(ColumnReader::new(parts, Rows { unit, offset: 0 }));
    Ok(Opened {
        step: 1 << 20,
        bytes_per_event: 4.0,
        fit_sensor: if is_asl { fit_asl_dvs } else { |bounds| bounds },
        ..Opened::new(info, body, 0, options)
    })
}

/// The size of the sensor of ASL-DVS, if the events fit it.
fn fit_asl_dvs(bounds: SensorSize) -> SensorSize {
    if bounds.width <= ASL_DVS.width && bounds.height <= ASL_DVS.height { ASL_DVS } else { bounds }
}

/// The field of an event that a matrix of this name holds.
fn field_of(name: &str, options: &ReadOptions) -> Option<Field> {
    let stated = |field: &Field| {
        options.columns.map.as_ref().and_then(|keys| keys.name(*field)) == Some(name)
    };
    Field::ALL.iter().find(|field| stated(field)).copied().or_else(|| {
        let field = Name::field(name)?;
        let is_free = options.columns.map.as_ref().and_then(|keys| keys.name(field)).is_none();
        is_free.then_some(field)
    })
}

/// The length of a matrix that has one column or one row.
fn column(matrix: &Matrix) -> Result<u64> {
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
