//! MATLAB 5 files: columns of events, in structures or not, and tables of events.
//!
#![doc = include_str!("../../../docs/formats/mat.md")]

mod columns;
mod element;
mod search;

use crate::codec::columns::{ColumnReader, Decided, Said, decide, surely_no_events};
use crate::codec::{Body, Detection, FileHead, Format, Opened, ReadOptions, choose};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::model::{Finding, Note, RecordingInfo, Report, SensorSize, StreamInfo, StreamKind};
use columns::Columns;

pub(crate) static FORMAT: Format =
    Format { name: "MAT 5", extensions: &["mat"], detect, open, write: &[] };

const HEADER: u64 = 128;
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
    let mut file = search::matrices(source, big)?;
    let mut report = Report::default();
    if let Some(error) = &file.flaw {
        report.add(Finding::BadParts, 1, error.offset().unwrap_or(0));
        report.note(error);
    }
    let lists = search::lists(&mut file, options);
    if lists.is_empty() {
        let names = file.names.join(", ");
        let is_plain = file.are_plain();
        return Err(file.flaw.unwrap_or_else(|| {
            Error::unsupported("the MATLAB file has no columns of events")
                .at(0)
                .found(names)
                .hint(Hint::NameColumns { example: "t=NAME,x=NAME,y=NAME,p=NAME".into() })
                .not_a_recording(
                    is_plain
                        && !file.names.is_empty()
                        && options.columns.map.is_none()
                        && surely_no_events(file.names.iter().map(String::as_str)),
                )
        }));
    }
    let streams: Vec<_> = (0..)
        .zip(&lists)
        .map(|(id, list)| StreamInfo::new(id, StreamKind::Events, list.name.clone(), None))
        .collect();
    let chosen = choose(streams.iter(), options.stream.as_ref())?;
    // Without a choice there is no reader; the first list stands in for what is never asked for.
    let at = chosen.and_then(|id| usize::try_from(id).ok()).unwrap_or(0);
    let Some(list) = lists.into_iter().nth(at) else {
        return Err(Error::caller("there is no such stream"));
    };
    let is_asl = list.name == search::TOP && list.is_asl_dvs;
    let Columns { parts, ahead, unit, mut details } =
        columns::read(source, list, (report, file.flaw), options)?;
    let mut parts = parts;
    let mut sample = parts.sample(source, &ahead)?;
    if details.is_table {
        details.order(&mut parts, &sample, options)?;
        sample = parts.sample(source, &ahead)?;
    }
    let said = Said { unit, ..Said::default() };
    let Decided { rows, sensor, sensor_source, details: decided, mut notes, .. } =
        decide(&sample, said, options).map_err(|error| error.at(HEADER))?;
    notes.extend(counts_from_one(&sample));
    let order = if big { "big-endian" } else { "little-endian" };
    let own = [("columns", details.text), ("byte order", order.to_owned())];
    let info = RecordingInfo {
        format: FORMAT.name,
        bytes: source.len(),
        sensor,
        sensor_source,
        streams,
        stream: chosen,
        details: own.into_iter().chain(decided).collect(),
        notes,
    };
    let body = Body::blocks(ColumnReader::new(parts, rows));
    Ok(Opened {
        step: 1 << 20,
        bytes_per_event: 4.0,
        fit_sensor: if is_asl { fit_asl_dvs } else { |bounds| bounds },
        ..Opened::new(info, body, 0, options)
    })
}

/// A note if pixels may be counted from 1, as in MATLAB: no x and no y of many is 0.
fn counts_from_one([_, x, y, _]: &[Vec<f64>; 4]) -> Option<Note> {
    /// Of fewer events none may be at the border of the sensor.
    const ENOUGH: usize = 30;
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    let is_one = x.len() >= ENOUGH && least(x) == 1.0 && least(y) == 1.0;
    is_one
        .then(|| Note::new("x and y begin at 1: the file may count pixels from 1, as MATLAB does"))
}

/// The size of the sensor of ASL-DVS, if the events fit it.
fn fit_asl_dvs(bounds: SensorSize) -> SensorSize {
    if bounds.width <= ASL_DVS.width && bounds.height <= ASL_DVS.height { ASL_DVS } else { bounds }
}
