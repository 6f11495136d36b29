//! AEDAT 2.0: records of 8 bytes, as jAER writes them.
//!
#![doc = include_str!("../../../../docs/formats/aedat2.md")]
//!
//! # In Rust
//!
//! In the options of reading, [`Aedat2Reading`](crate::options::Aedat2Reading),
//! [`ClockReset`] and [`ImuRanges`](crate::options::ImuRanges).

mod bounds;
mod cameras;
mod chips;
mod decode;
mod encode;
mod layout;
mod side;

pub(crate) use chips::{check_has_pixels, chip};
pub(crate) use decode::{Aedat1Decoder, Aedat2Decoder};
use layout::stride_scan;
pub(crate) use layout::{Layout, Reading};

use std::collections::BTreeMap;

use super::TextHeader;
use crate::codec::records::RecordDecoder;
use crate::codec::{Body, ClockReset, Coords, Detection, Format, Opened, ReadOptions, choose};
use crate::error::Result;
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::model::{Finding, Note, RecordingInfo, Report, SensorSize, SensorSource, StreamKind};
use bounds::Bounds;
use cameras::AllCameras;
use chips::EYES;

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
    check_has_pixels(chip).map_err(|error| error.at(0))?;
    let known = chip.and_then(chips::chip);
    let first = header.data.as_chunks().0;
    let layout = known.map_or_else(|| Layout::guess(first, options.sensor), |chip| chip.layout);
    let named = known.map(|chip| chip.sensor);
    let how = if known.is_some() { SensorSource::Device } else { SensorSource::Assumed };
    let (sensor, sensor_source) = how.unless_stated(options.sensor, named.or(layout.only_sensor()));
    let mut notes: Vec<Note> = header.notes.iter().cloned().map(Note::from).collect();
    if known.is_none() {
        notes.push(guessed(chip, layout, options));
    }
    notes.extend(chip.and_then(chips::remark).map(Note::from));
    let mut report = Report::default();
    report.bytes.header = header.end;
    report.bytes.skipped = header.cut;
    report.add(Finding::TruncatedTails, u64::from(header.cut > 0), header.end);
    let start = header.end + header.cut;
    let field = known.map_or_else(|| chips::cameras_of(layout), |chip| chip.cameras);
    let cameras = match field {
        None => vec![0],
        Some(EYES) => vec![0, 1],
        Some(field) => {
            let reading = Reading::new(layout, Some((field, 0)), &as_stored(options))?;
            cameras::found(source, start, first, field, reading)?
        }
    };
    let reading = |camera: u32, options: &ReadOptions| {
        Reading::new(layout, field.map(|field| (field, camera)), options)
    };
    let name = |camera| field.map_or_else(|| "events".into(), |field| field.name(camera));
    let named: Vec<_> = cameras.iter().map(|&camera| (camera, name(camera))).collect();
    let streams = side::streams(layout, sensor, &named);
    let stream = choose(streams.iter(), options.stream.as_ref())?;
    let kind = streams.iter().find(|info| Some(info.id) == stream).map(|info| info.kind);
    let needs_sensor = sensor.is_none() && options.coords == Coords::Canonical;
    let mut details = BTreeMap::new();
    // The number of the camera whose events are read, unless it is one of several streams.
    let camera = match (&cameras[..], stream) {
        ([only], _) => *only,
        (_, Some(id)) if kind == Some(StreamKind::Events) => id as u32,
        _ => cameras.first().copied().unwrap_or(0),
    };
    if cameras.len() == 1 && camera > 0 {
        details.insert("camera", camera.to_string());
    }
    let decoder = |camera| -> Result<_> {
        let reading = reading(camera, options)?;
        Ok(Aedat2Decoder::new(layout, reading, sensor, start, report.clone(), options))
    };
    let body = match kind {
        None if cameras.len() > 1 && !needs_sensor => {
            let decoders = cameras.iter().map(|&camera| Ok((camera as i32, decoder(camera)?)));
            Body::stream(AllCameras::new(decoders.collect::<Result<_>>()?))
        }
        None | Some(StreamKind::Events) => with_stride::<8>(decoder(camera)?, start, options),
        Some(kind) => {
            let kinds = side::Kinds::new(layout, field);
            side::body(kind, kinds, sensor, start, report.clone(), options)
        }
    };
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
        notes,
    };
    Ok(Opened {
        bytes_per_event: 8.0,
        needs_sensor,
        fit_sensor: layout.fit_sensor(),
        bounds: Some(Box::new(Bounds::new(reading(camera, &as_stored(options))?))),
        ..Opened::new(info, body, start, options)
    })
}

/// The same options with coordinates as they are stored.
fn as_stored(options: &ReadOptions) -> ReadOptions {
    ReadOptions { coords: Coords::Raw, ..options.clone() }
}

/// The note that the layout is a guess, because the header names no chip or one that is not known.
fn guessed(chip: Option<&str>, layout: Layout, options: &ReadOptions) -> Note {
    let what = match chip {
        Some(chip) => {
            let class = chip.rsplit('.').next().unwrap_or(chip);
            format!("the header names a chip that is not known, {class}")
        }
        None => "the header names no chip".to_owned(),
    };
    let note = format!("{what}: read as a {}, by the addresses", layout.name());
    match options.sensor {
        Some(_) => note.into(),
        None => Note::new(note).hint(Hint::StateSensor),
    }
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
            _ => |bounds| bounds,
        }
    }
}
