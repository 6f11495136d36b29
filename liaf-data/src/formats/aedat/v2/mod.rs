//! AEDAT 2.0: records of 8 bytes, as jAER writes them.
//!
#![doc = include_str!("../../../../docs/formats/aedat2.md")]
//!
//! # In Rust
//!
//! In the options of reading, [`Aedat2Reading`](crate::options::Aedat2Reading),
//! [`ClockReset`] and [`ImuRanges`](crate::options::ImuRanges).

mod bounds;
mod decode;
mod encode;
mod layout;
mod side;

pub(crate) use decode::{Aedat1Decoder, Aedat2Decoder};
use layout::stride_scan;
pub(crate) use layout::{Layout, Reading, chip};

use std::collections::BTreeMap;

use super::TextHeader;
use crate::codec::records::RecordDecoder;
use crate::codec::{Body, ClockReset, Coords, Detection, Format, Opened, ReadOptions, choose};
use crate::error::Result;
use crate::io::ByteSource;
use crate::model::{Finding, Note, RecordingInfo, Report, SensorSize, SensorSource, StreamKind};
use bounds::Bounds;

pub(crate) static FORMAT: Format = Format {
    name: "AEDAT 2.0",
    extensions: &["aedat", "aedat2"],
    detect: |head| Detection::magic(head.starts_with(b"#!AER-DAT2.")),
    open,
    write: &[encode::TARGET],
};

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    let header = TextHeader::read(source, options, Some(8))?;
    let chip = header.value("AEChip").or(header.value("HardwareInterface"));
    let known = chip.and_then(layout::chip);
    let layout = match known {
        Some((layout, _)) => layout,
        None => Layout::guess(header.data.as_chunks().0, options.sensor),
    };
    let named = known.map(|(_, sensor)| sensor).or(layout.only_sensor());
    let (sensor, sensor_source) = SensorSource::Device.unless_stated(options.sensor, named);
    let reading = Reading::new(layout, options)?;
    let mut report = Report::default();
    report.bytes.header = header.end;
    report.bytes.skipped = header.cut;
    report.add(Finding::TruncatedTails, u64::from(header.cut > 0), header.end);
    let start = header.end + header.cut;
    let streams = side::streams(layout, sensor);
    let stream = choose(streams.iter(), options.stream.as_ref())?;
    let kind = streams.iter().find(|info| Some(info.id) == stream).map(|info| info.kind);
    let body = match kind {
        None | Some(StreamKind::Events) => {
            let decoder = Aedat2Decoder::new(layout, reading, sensor, start, report, options);
            with_stride::<8>(decoder, start, options)
        }
        Some(kind) => side::body(kind, layout, sensor, start, report, options),
    };
    let mut details = BTreeMap::new();
    for (name, key) in
        [("chip", "AEChip"), ("hardware", "HardwareInterface"), ("created", "Creation date")]
    {
        if let Some(value) = header.value(key) {
            details.insert(name, value.to_owned());
        }
    }
    details.insert("version", header.version);
    details.insert("layout", layout.name().to_owned());
    let info = RecordingInfo {
        format: FORMAT.name,
        bytes: source.len(),
        sensor,
        sensor_source,
        streams,
        stream,
        details,
        notes: header.notes.into_iter().map(Note::from).collect(),
    };
    Ok(Opened {
        bytes_per_event: 8.0,
        needs_sensor: sensor.is_none() && options.coords == Coords::Canonical,
        fit_sensor: layout.fit_sensor(),
        bounds: Some(Box::new(Bounds::new(layout, options)?)),
        ..Opened::new(info, body, start, options)
    })
}

/// A decoder with a search for seek points, which is possible if the clock of the file only wraps.
pub(crate) fn with_stride<const N: usize>(
    decoder: RecordDecoder<decode::AddressRecords, N>,
    start: u64,
    options: &ReadOptions,
) -> Body
where
    [u8; N]: layout::Word,
{
    let body = Body::stream(decoder);
    match options.aedat.clock_reset {
        ClockReset::Keep => body.with_seek_scan(stride_scan::<[u8; N]>(start)),
        ClockReset::Rebase | ClockReset::Error => body,
    }
}

impl Layout {
    /// The smallest chip of this layout that contains a bounding box.
    fn fit_sensor(self) -> fn(SensorSize) -> SensorSize {
        match self {
            Self::Davis => layout::fit_davis,
            Self::Dvs128 | Self::Dvs640 => |bounds| bounds,
        }
    }
}
