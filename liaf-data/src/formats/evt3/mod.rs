//! Prophesee EVT 3.0 RAW: a text header of `% key value` lines, then words of 16 bits,
//! little-endian, whose upper four bits say what they are.
//!
//! | bits 15–12 | word | bits 11–0 |
//! |---|---|---|
//! | 0x0 | `ADDR_Y` | row 10–0 |
//! | 0x2 | `ADDR_X` | polarity 11, column 10–0: one event |
//! | 0x3 | `VECT_BASE_X` | polarity 11, column 10–0 of the next vector |
//! | 0x4 | `VECT_12` | an event at base + i for each bit i set; then base += 12 |
//! | 0x5 | `VECT_8` | the same with bits 7–0; then base += 8 |
//! | 0x6 | `TIME_LOW` | time bits 11–0 |
//! | 0x8 | `TIME_HIGH` | time bits 23–12; a new value sets the low bits to 0 |
//! | 0xA | `EXT_TRIGGER` | |
//! | 0x7, 0xD, 0xE, 0xF | `CONTINUED_4`, `IMU`, `OTHERS`, `CONTINUED_12` | |
//! | 0x1, 0x9, 0xB, 0xC | reserved; 0x9999 is padding of some cameras | |
//!
//! Time is in µs and wraps every 2²⁴ µs: a `TIME_HIGH` lower than the one before by 2048 or more
//! begins a new round. Nothing is subtracted from it. Source: Prophesee's format pages, and their
//! decoder in OpenEB where the pages are silent.
//!
//! Every word goes to one part of the byte account: `EXT_TRIGGER`, `CONTINUED`, `IMU` and `OTHERS`
//! to `other`; reserved words, padding, vectors without a base and half a word at the end to
//! `skipped`; all else to `events`, even where its events come before the first `TIME_HIGH` and are
//! dropped. So `skipped` is more than 0 only where something breaks the format. A vector before the
//! first `TIME_HIGH` counts as events before time, with or without a base: a recording may begin
//! between the two.

mod cut;
mod decode;
mod fast;
mod header;
mod registers;
#[cfg(test)]
mod tests;

pub use decode::Evt3Decoder;

use std::collections::BTreeMap;

use super::{Body, Format, Head, Opened};
use crate::reader::{ReadOptions, RecordingInfo, SensorSource, StreamInfo, StreamKind};
use crate::source::ByteSource;
use crate::{Error, Oddity, Report, Result};
use header::Header;

pub(super) static FORMAT: Format = Format { name: "EVT 3.0", extensions: &["raw"], detect, open };

/// Bytes a decoder gets at once: on one thread as much as stays in cache.
const STEP: usize = 256 << 10;
const PARALLEL_STEP: usize = 8 << 20;

fn detect(head: &Head) -> bool {
    // What is missing of the header beyond these bytes is told apart by what is there.
    let header = Header::parse(&head.bytes, true);
    header
        .is_ok_and(|header| header.and_then(|header| header.encoding()).as_deref() == Some("EVT3"))
}

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    let mut header = Header::read(source, options)?;
    let mut report = Report::default();
    report.bytes.header = header.end;
    if header.cut > 0 {
        report.bytes.skipped = header.cut;
        report.add(Oddity::TruncatedTails, 1, header.end);
        if options.strict {
            return Err(Error::truncated("the file ends inside a header line").at(header.end));
        }
    }
    let start = header.end + header.cut;
    let (sensor, sensor_source) = match options.sensor {
        Some(stated) => (Some(stated), SensorSource::Stated),
        None => match (header.geometry()?, header.device()) {
            (Some(stated), _) => (Some(stated), SensorSource::Header),
            (None, Some(known)) => (Some(known), SensorSource::Device),
            (None, None) => (None, SensorSource::Unknown),
        },
    };
    let mut details = BTreeMap::new();
    for &key in header::KEYS {
        if let Some(value) = header.value(key) {
            details.insert(key, value.to_owned());
        }
    }
    let info = RecordingInfo {
        format: FORMAT.name,
        bytes: source.len(),
        sensor,
        sensor_source,
        streams: vec![StreamInfo::new(0, StreamKind::Events, "events", sensor)],
        stream: Some(0),
        details,
        notes: header.notes,
    };
    Ok(Opened {
        info,
        body: Body::stream(Evt3Decoder::with_report(start, report, options)),
        data_offset: start,
        step: if options.parallel { PARALLEL_STEP } else { STEP },
        bytes_per_event: 2.0,
        needs_sensor: false,
        fit_sensor: |bounds| bounds,
        bounds: None,
    })
}
