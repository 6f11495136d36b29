//! Conversion of one stream of measurements of a recording: images, readings of inertial sensors,
//! or triggers.

use std::path::Path;

use serde_json::json;

use super::OnProgress;
use super::pass::{Pass, source};
use crate::codec::{EventSink, ReadOptions};
use crate::error::{Error, Result};
use crate::filter::Selection;
use crate::hint::Hint;
use crate::measurements::{
    self, MeasurementFile, MeasurementOptions, MeasurementWriter, MeasurementsWritten,
};
use crate::model::{
    EventBatch, Measurement, RecordingInfo, Report, StreamKind, TimePoint, Times, check_stretch,
};
use crate::read::Recording;

/// Which measurements are written, and how.
#[derive(Debug, Clone)]
pub struct MeasurementConvertOptions {
    /// The kind of file.
    pub file: MeasurementFile,
    /// Which measurements are kept. Only its times apply to
    /// measurements: anything else is refused.
    pub selection: Selection,
    /// How the file is written.
    pub write: MeasurementOptions,
}

/// The result of a conversion of measurements.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MeasurementConversion {
    /// What the recording says about itself.
    pub info: RecordingInfo,
    /// What was met in the recording.
    pub report: Report,
    /// Number of measurements within the interval of time.
    pub kept: u64,
    /// Number of measurements outside it.
    pub out_of_window: u64,
    /// The new file; `None` if nothing was to be written.
    pub written: Option<MeasurementsWritten>,
}

/// Writes the measurements of a recording whose chosen stream has no events. Without `output`, this
/// only finds out what would be written.
///
/// Relative times count from the first event here as well, if there is one stream of events.
///
/// # Errors
/// If the chosen stream is a stream of events, if the file cannot store its measurements, if the
/// recording cannot be read, or if the file cannot be written;
/// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) if `progress` asked for it. No file is
/// left in these cases.
pub fn convert_measurements(
    recording: &mut Recording,
    output: Option<&Path>,
    options: &MeasurementConvertOptions,
    progress: &mut OnProgress<'_>,
) -> Result<MeasurementConversion> {
    let Selection { from, to, crop, polarity, filters } = &options.selection;
    let (from, to) = (*from, *to);
    if crop.is_some() || polarity.is_some() || !filters.is_empty() {
        return Err(Error::caller("measurements can only be chosen by time")
            .expected("no crop, polarity or filter"));
    }
    check_stretch(from, to)?;
    let kind = recording.info().chosen().map_or(StreamKind::Other, |stream| stream.kind);
    options.file.check(kind)?;
    let times = Times::new(from, to, origin(recording, from, to)?);
    let mut reader = recording.measurements()?;
    let writer = match output {
        Some(path) => {
            let provenance = json!({
                "liaf": env!("CARGO_PKG_VERSION"),
                "source": source(recording),
                "selection": options.selection,
            });
            Some(measurements::create(
                path,
                options.file,
                kind,
                &provenance.to_string(),
                &options.write,
            )?)
        }
        None => None,
    };
    let mut stage = Stage { times, writer, kept: 0, out_of_window: 0 };
    let mut pass = Pass { number: 1, passes: 1, progress };
    while reader.pump(&mut stage)? {
        pass.tell_at(reader.position(), reader.info().bytes, stage.kept, 0)?;
    }
    let Stage { writer, kept, out_of_window, .. } = stage;
    let written = writer.map(|writer| writer.finish()).transpose()?;
    let (info, report) = (reader.info().clone(), reader.report());
    Ok(MeasurementConversion { info, report, kept, out_of_window, written })
}

/// The time from which relative times count: that of the first event.
fn origin(recording: &Recording, from: Option<TimePoint>, to: Option<TimePoint>) -> Result<i64> {
    let is_relative = |point| matches!(point, Some(TimePoint::Relative(_)));
    if !is_relative(from) && !is_relative(to) {
        return Ok(0);
    }
    let fail = |why: &str| {
        Err(Error::caller(format!("times are relative to the first event, and {why}"))
            .hint(Hint::ClockTimes))
    };
    if !recording.is_seekable() {
        return fail("a pipe can be read only once");
    }
    let options = ReadOptions { stream: None, ..recording.options().clone() };
    let mut events = recording.with_options(options)?;
    if !events.info().reads_events() {
        return fail("the recording does not have exactly one stream of events");
    }
    match events.first_time()? {
        Some(first) => Ok(first),
        None => fail("there is no event"),
    }
}

/// The stage between the reader and the writer.
struct Stage {
    times: Times,
    writer: Option<Box<dyn MeasurementWriter>>,
    kept: u64,
    out_of_window: u64,
}

impl EventSink for Stage {
    fn events(&mut self, _events: &mut EventBatch, _offset: u64) -> Result<()> {
        Ok(())
    }

    fn measurement(&mut self, measurement: Measurement, _offset: u64) -> Result<()> {
        let t = measurement.t();
        if !self.times.contain(t) {
            self.out_of_window += 1;
            return Ok(());
        }
        self.kept += 1;
        self.writer.as_mut().map_or(Ok(()), |writer| writer.write(&measurement))
    }
}
