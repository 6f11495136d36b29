//! The whole way: a recording in, a tensor file or another event file out, batch by batch.

mod adapt;
mod choose;
mod events;
mod pass;
mod reorder;

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::json;

pub use adapt::{Adapt, Order};
pub use choose::Selection;
pub use events::{EventConversion, EventConvertOptions, EventsReport, convert_events};

use crate::frames::{Binner, Frame, FrameOptions, FrameReport, FrameShape, Span, SpanFinder};
use crate::tensor::{self, Container, TensorOptions, TensorSpec, Written};
use crate::{Error, EventReader, Recording, RecordingInfo, Report, Result, SensorSize};
use pass::{Pass, check_something_read, source};

/// What to make of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvertOptions {
    /// Which frames.
    pub frames: FrameOptions,
    /// In which kind of file.
    pub container: Container,
    /// Written how.
    pub tensor: TensorOptions,
}

/// How far a conversion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Which pass over the recording, from 1.
    pub pass: u32,
    /// How many passes there will be.
    pub passes: u32,
    /// Bytes of the recording that are read in this pass.
    pub bytes: u64,
    /// Bytes of the recording; `None` for a pipe.
    pub total: Option<u64>,
    /// Events binned or written so far.
    pub events: u64,
    /// Frames made so far.
    pub frames: u64,
}

/// Hears how far a conversion is, several times a second, and may end it.
pub type OnProgress<'a> = dyn FnMut(&Progress) -> ControlFlow<()> + 'a;

/// What a conversion did.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversion {
    /// What the recording says of itself.
    pub info: RecordingInfo,
    /// What was met in it.
    pub report: Report,
    /// Where its events went.
    pub frames: FrameReport,
    /// C, H and W of every frame.
    pub shape: FrameShape,
    /// Bytes of the tensors before compression.
    pub tensor_bytes: u64,
    /// The file; `None` if nothing was to be written.
    pub written: Option<Written>,
}

/// Makes a tensor file of a recording; without `output`, only finds out what it would hold.
///
/// Memory is bounded whatever the length of the recording. The recording is read once, or twice
/// where the windows depend on all of it, or three times to deflate an `.npz` of such windows.
///
/// ```no_run
/// use liaf_data::convert::{ConvertOptions, convert};
/// use liaf_data::frames::FrameOptions;
/// use liaf_data::tensor::{Container, TensorOptions};
/// use liaf_data::{ReadOptions, Recording};
/// use std::ops::ControlFlow;
///
/// # fn main() -> liaf_data::Result<()> {
/// let mut recording = Recording::open("recording.aedat4", ReadOptions::default())?;
/// let options = ConvertOptions {
///     frames: FrameOptions::default(),
///     container: Container::Npz,
///     tensor: TensorOptions::default(),
/// };
/// let done = convert(&mut recording, Some("frames.npz".as_ref()), &options, &mut |_| {
///     ControlFlow::Continue(())
/// })?;
/// println!("{} frames of {} events", done.frames.frames, done.frames.kept);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the options do not fit the recording, it cannot be read, nothing in it can be, or the file
/// cannot be written; [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) if `progress` said so. No file is left then.
pub fn convert(
    recording: &mut Recording,
    output: Option<&Path>,
    options: &ConvertOptions,
    progress: &mut OnProgress<'_>,
) -> Result<Conversion> {
    let needs_count = options.tensor.npz_deflate && output.is_some();
    let needs_span = options.frames.needs_span();
    let passes = 1 + u32::from(needs_span) + u32::from(needs_count);
    if passes > 1 && !recording.is_seekable() {
        return Err(Error::caller("this needs a first pass over the recording")
            .found("a pipe, which can be read only once")
            .advice("name a file, or choose windows by time or count and no --npz-deflate"));
    }
    let sensor = recording.find_sensor()?;
    let shape = options.frames.check(sensor)?;
    let mut pass = Pass { number: 0, passes, progress };
    let span = if needs_span {
        let mut finder = SpanFinder::new(&options.frames, sensor)?;
        let mut reader = recording.reader()?;
        pass.number += 1;
        while reader.pump(&mut finder)? {
            pass.tell(&*reader, finder.report().kept, 0)?;
        }
        Some(finder.span())
    } else {
        None
    };
    let frames = if needs_count {
        Some(count_frames(recording, options, sensor, span, &mut pass)?)
    } else {
        None
    };
    let spec = TensorSpec {
        shape,
        dtype: options.frames.dtype,
        frames,
        provenance: provenance(recording, options),
    };
    let mut writer = match output {
        Some(path) => Some(tensor::create(path, options.container, &spec, &options.tensor)?),
        None => None,
    };
    let mut reader = recording.reader()?;
    let mut write = |frame: &Frame| writer.as_mut().map_or(Ok(()), |writer| writer.write(frame));
    let binner = bin(&mut *reader, &options.frames, sensor, span, &mut write, &mut pass)?;
    let report = reader.report();
    check_something_read(recording, &report)?;
    let frames = binner.finish(&mut write)?;
    let written = writer.map(|writer| writer.finish()).transpose()?;
    Ok(Conversion {
        info: reader.info().clone(),
        tensor_bytes: options.container.size(&spec, frames.frames),
        report,
        frames,
        shape,
        written,
    })
}

/// How many frames there will be.
fn count_frames(
    recording: &mut Recording,
    options: &ConvertOptions,
    sensor: SensorSize,
    span: Option<Span>,
    pass: &mut Pass<'_, '_>,
) -> Result<u64> {
    let mut reader = recording.reader()?;
    let mut drop = |_: &Frame| Ok(());
    let binner = bin(&mut *reader, &options.frames, sensor, span, &mut drop, pass)?;
    Ok(binner.finish(&mut drop)?.frames)
}

fn bin(
    reader: &mut dyn EventReader,
    options: &FrameOptions,
    sensor: SensorSize,
    span: Option<Span>,
    sink: &mut dyn FnMut(&Frame) -> Result<()>,
    pass: &mut Pass<'_, '_>,
) -> Result<Binner> {
    let mut binner = Binner::new(options, sensor, span)?;
    pass.number += 1;
    let mut sink = |frame: &Frame| sink(frame);
    while reader.pump(&mut binner.to(&mut sink))? {
        pass.tell(reader, binner.report().kept, binner.report().frames)?;
    }
    Ok(binner)
}

/// One JSON text that says what made the file: nothing of clock, host, path or threads.
fn provenance(recording: &Recording, options: &ConvertOptions) -> String {
    let frames = &options.frames;
    json!({
        "liaf": env!("CARGO_PKG_VERSION"),
        "source": source(recording),
        "windows": frames.windows,
        "edge": frames.edge,
        "from": frames.from,
        "to": frames.to,
        "slack_us": frames.slack,
        "crop": frames.crop,
        "size": frames.size,
        "representation": {
            "cells": frames.cells,
            "polarity": frames.polarity,
            "dtype": frames.dtype.name(),
        },
    })
    .to_string()
}
