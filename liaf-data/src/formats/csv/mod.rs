//! Text with one event on each line, in columns: CSV and its kin.
//!
#![doc = include_str!("../../../docs/formats/csv.md")]
//!
//! # In Rust
//!
//! What was inferred is in [`RecordingInfo::details`].

mod commas;
mod decode;
mod digits;
mod e2vid;
mod encode;
mod fast;
mod layout;
mod line;
mod lines;
mod number;
mod order;
mod polarity;
mod sample;
mod seek_scan;
mod segment;
mod split;
mod tail;

pub(crate) use decode::CsvDecoder;
pub(crate) use split::fields;

use crate::codec::{Body, Detection, FileHead, Format, Opened, ReadOptions, Target};
use crate::error::Result;
use crate::io::ByteSource;
use crate::model::{RecordingInfo, Report, StreamInfo, StreamKind};
use layout::Layout;
use seek_scan::LineScan;

pub(crate) static FORMAT: Format =
    Format { name: "CSV", extensions: &["csv", "txt"], detect, open, write: TARGETS };

static TARGETS: &[Target] = &[encode::TARGET, e2vid::TARGET];

fn detect(head: &FileHead) -> Detection {
    Detection::maybe(!head.starts_with(b"#!AER-DAT") && sample::is_table(&head.bytes))
}

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    let layout = Layout::read(source, options)?;
    let (sensor, sensor_source) = (layout.sensor, layout.sensor_source);
    let mut report = Report::default();
    report.bytes.header = layout.start;
    let info = RecordingInfo {
        format: FORMAT.name,
        bytes: source.len(),
        sensor,
        sensor_source,
        streams: vec![StreamInfo::new(0, StreamKind::Events, "events", sensor)],
        stream: Some(0),
        details: layout.details.into_iter().collect(),
        notes: layout.notes,
    };
    let body =
        Body::stream(CsvDecoder::new(layout.columns, layout.start, layout.line, report, options))
            .with_seek_scan(LineScan { start: layout.start, columns: layout.columns });
    Ok(Opened { bytes_per_event: 12.0, ..Opened::new(info, body, layout.start, options) })
}
