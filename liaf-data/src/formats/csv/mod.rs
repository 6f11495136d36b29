//! Text with one event on each line, in columns: CSV and its kin.
//!
#![doc = include_str!("../../../docs/formats/csv.md")]
//!
//! # In Rust
//!
//! What was inferred is in [`RecordingInfo::details`].

mod decode;
mod digits;
mod encode;
mod fast;
mod layout;
mod line;
mod seek_scan;

pub(crate) use decode::CsvDecoder;

use crate::codec::{Body, Detection, FileHead, Format, Opened, ReadOptions};
use crate::error::Result;
use crate::io::ByteSource;
use crate::model::{RecordingInfo, Report, SensorSource, StreamInfo, StreamKind};
use layout::Layout;
use seek_scan::LineScan;

pub(crate) static FORMAT: Format =
    Format { name: "CSV", extensions: &["csv", "txt"], detect, open, write: &[encode::TARGET] };

fn detect(head: &FileHead) -> Detection {
    Detection::maybe(!head.starts_with(b"#!") && layout::is_table(&head.bytes))
}

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    let layout = Layout::read(source, options)?;
    let (sensor, sensor_source) = SensorSource::Header.unless_stated(options.sensor, layout.sensor);
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
        notes: Vec::new(),
    };
    let body =
        Body::stream(CsvDecoder::new(layout.columns, layout.start, layout.line, report, options))
            .with_seek_scan(LineScan { start: layout.start, columns: layout.columns });
    Ok(Opened { bytes_per_event: 12.0, ..Opened::new(info, body, layout.start, options) })
}
