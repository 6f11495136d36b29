//! AEDAT 1.0: records of 6 bytes of a DVS128.
//!
#![doc = include_str!("../../../../docs/formats/aedat1.md")]
//!
//! # In Rust
//!
//! The ways to read an address are [`Aedat2Reading`](crate::options::Aedat2Reading).

use std::collections::BTreeMap;

use super::TextHeader;
use super::v2::{Aedat1Decoder, Layout, Reading, check_has_pixels, chip, with_stride};
use crate::codec::{Coords, Detection, FileHead, Format, Opened, ReadOptions};
use crate::error::Result;
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::model::{Finding, Note, RecordingInfo, Report, SensorSource, StreamInfo, StreamKind};

pub(crate) static FORMAT: Format =
    Format { name: "AEDAT 1.0", extensions: &["aedat", "dat"], detect, open, write: &[] };

const RECORD: usize = 6;
/// Number of bytes that a decoder is given at a time: as many as fit in the cache of one core.
const STEP: usize = 192 << 10;
const PARALLEL_STEP: usize = 6 << 20;
/// If this many records are all of row 0, the file is probably not from a camera.
const ROWS: usize = 256;

fn detect(head: &FileHead) -> Detection {
    if head.starts_with(b"#!AER-DAT") {
        return Detection::magic(head.starts_with(b"#!AER-DAT1."));
    }
    if head.starts_with(b"# ") && !head.stated {
        // Comment lines without a version, as in the earliest files, or in any text.
        let named = FORMAT.extensions.contains(&&*head.extension);
        return Detection::maybe(named && head.is_unknown);
    }
    head.headerless(FORMAT.extensions, RECORD, time)
}

fn time(record: &[u8]) -> u32 {
    record.last_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    let header = TextHeader::read(source, options, Some(RECORD))?;
    let named = header.value("AEChip").or(header.value("HardwareInterface")).map(str::to_owned);
    let named = named.as_deref();
    check_has_pixels(named).map_err(|error| error.at(0))?;
    let layout = Layout::Dvs128;
    let is_named = named.and_then(chip).is_some_and(|chip| chip.layout == layout);
    let how = if is_named { SensorSource::Device } else { SensorSource::Assumed };
    let (sensor, sensor_source) = how.unless_stated(options.sensor, layout.only_sensor());
    let mut report = Report::default();
    report.bytes.header = header.end;
    report.bytes.skipped = header.cut;
    report.add(Finding::TruncatedTails, u64::from(header.cut > 0), header.end);
    let start = header.end + header.cut;
    let reading = Reading::new(layout, None, options)?;
    let decoder = Aedat1Decoder::new(layout, reading, sensor, start, report, options);
    let mut details = BTreeMap::from([("layout", "DVS128".to_owned())]);
    let mut notes: Vec<Note> = header.notes.into_iter().map(Note::from).collect();
    if start == 0 {
        notes.push("the file has no header: it is read as a DVS128 recording, as jAER does".into());
    } else if let (Some(named), false) = (named, is_named) {
        let note = format!("the header names {named}: AEDAT 1.0 is read as that of a DVS128");
        notes.push(note.into());
    }
    if start > 0 && !header.version.is_empty() {
        details.insert("version", header.version);
    }
    let records = header.data.as_chunks::<RECORD>().0;
    if records.len() >= ROWS && records.iter().all(|record| record[0] == 0) {
        let note = Note::new(
            "all addresses at the beginning are of row 0: this looks like a recording of an auditory \
             sensor, whose addresses are channels and whose ticks may not be µs",
        );
        notes.push(note.hint(Hint::RawCoords));
    }
    let info = RecordingInfo {
        format: FORMAT.name,
        bytes: source.len(),
        sensor,
        sensor_source,
        streams: vec![StreamInfo::new(0, StreamKind::Events, "events", sensor)],
        stream: Some(0),
        details,
        notes,
    };
    let body = with_stride::<6>(decoder, start, options);
    Ok(Opened {
        step: if options.parallel { PARALLEL_STEP } else { STEP },
        bytes_per_event: RECORD as f64,
        needs_sensor: sensor.is_none() && options.coords == Coords::Canonical,
        ..Opened::new(info, body, start, options)
    })
}
