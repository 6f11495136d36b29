//! Prophesee DAT: records of 8 bytes.
//!
#![doc = include_str!("../../../../docs/formats/dat.md")]

mod decode;
mod encode;
mod header;
mod triggers;

use std::collections::BTreeMap;

pub use decode::DatDecoder;
use decode::{DatRecords, RECORD};
use header::{Header, Kind};
use triggers::TriggerRule;

use super::KEYS;
use crate::codec::side::SideDecoder;
use crate::codec::stride::StrideScan;
use crate::codec::{Body, Format, Opened, ReadOptions, choose};
use crate::error::Result;
use crate::io::ByteSource;
use crate::model::{Finding, Note, RecordingInfo, Report, SensorSource, StreamInfo, StreamKind};

pub(crate) static FORMAT: Format = Format {
    name: "DAT",
    extensions: &["dat"],
    detect: header::detect,
    open,
    write: &[encode::TARGET],
};

/// The two layouts of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DatVersion {
    /// 9 bits of x and 8 of y.
    One,
    /// 14 bits of each.
    #[default]
    Two,
}

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    let header = Header::read(source, options)?;
    let mut report = Report::default();
    report.bytes.header = header.end;
    report.bytes.skipped = header.cut;
    report.add(Finding::TruncatedTails, u64::from(header.cut > 0), header.end);
    let start = header.end + header.cut;
    let (sensor, sensor_source) = SensorSource::Header.unless_stated(options.sensor, header.sensor);
    let (kind, records) = match header.kind {
        Kind::Events => (StreamKind::Events, DatRecords::events(header.version)),
        Kind::Triggers => (StreamKind::Triggers, DatRecords::TRIGGERS),
    };
    let streams = vec![StreamInfo::new(0, kind, kind.name(), sensor)];
    let stream = choose(streams.iter(), options.stream.as_ref())?;
    let body = if kind == StreamKind::Triggers && stream.is_some() {
        Body::stream(SideDecoder::new(TriggerRule::default(), start, report, options))
    } else {
        Body::stream(DatDecoder::with_format(records, start, report, options))
            .with_seek_scan(StrideScan { start, record: RECORD, time: decode::time_of })
    };
    let mut details = BTreeMap::new();
    for &key in KEYS {
        if let Some(value) = header.text.value(key) {
            details.insert(key, value.to_owned());
        }
    }
    let info = RecordingInfo {
        format: FORMAT.name,
        bytes: source.len(),
        sensor,
        sensor_source,
        streams,
        stream,
        details,
        notes: header.text.notes.into_iter().map(Note::from).collect(),
    };
    Ok(Opened { bytes_per_event: 8.0, ..Opened::new(info, body, start, options) })
}
