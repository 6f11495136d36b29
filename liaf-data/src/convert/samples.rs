//! A recording in, the samples of one of its streams out: images, inertial samples or triggers.

use std::path::Path;

use serde_json::json;

use super::pass::{Pass, source};
use super::{OnProgress, Selection};
use crate::frames::{TimePoint, Times, check_stretch};
use crate::reader::StreamKind;
use crate::samples::{self, SampleFile, SampleOptions, SampleWriter, SamplesWritten};
use crate::{
    Error, EventBatch, ReadOptions, Recording, RecordingInfo, Report, Result, Sample, Sink,
};

/// Which samples to write, and how.
#[derive(Debug, Clone, Copy)]
pub struct SampleConvertOptions {
    /// In which kind of file.
    pub file: SampleFile,
    /// Which of them; a crop is not for samples.
    pub selection: Selection,
    /// Written how.
    pub write: SampleOptions,
}

/// What a conversion of samples did.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleConversion {
    /// What the recording says of itself.
    pub info: RecordingInfo,
    /// What was met in it.
    pub report: Report,
    /// Samples in the stretch of time.
    pub kept: u64,
    /// Samples outside it.
    pub out_of_window: u64,
    /// The file; `None` if nothing was to be written.
    pub written: Option<SamplesWritten>,
}

/// Writes the samples of a recording whose chosen stream is not one of events; without `output`, only
/// finds out what there would be.
///
/// A time that counts from the first event does so here too, where there is one stream of events.
///
/// # Errors
/// If the chosen stream is one of events, the file cannot hold its samples, the recording cannot be
/// read, or the file cannot be written; [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) if
/// `progress` said so. No file is left then.
pub fn convert_samples(
    recording: &mut Recording,
    output: Option<&Path>,
    options: &SampleConvertOptions,
    progress: &mut OnProgress<'_>,
) -> Result<SampleConversion> {
    let Selection { from, to, crop } = options.selection;
    if crop.is_some() {
        return Err(Error::caller("samples that are no events cannot be cropped"));
    }
    check_stretch(from, to)?;
    let kind = recording.info().chosen().map_or(StreamKind::Other, |stream| stream.kind);
    options.file.check(kind)?;
    let times = Times::new(from, to, origin(recording, from, to)?);
    let mut reader = recording.samples()?;
    let writer = match output {
        Some(path) => {
            let provenance = json!({
                "liaf": env!("CARGO_PKG_VERSION"),
                "source": source(recording),
                "selection": options.selection,
            });
            Some(samples::create(
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
    Ok(SampleConversion { info, report, kept, out_of_window, written })
}

/// The time from which relative times count: that of the first event.
fn origin(recording: &Recording, from: Option<TimePoint>, to: Option<TimePoint>) -> Result<i64> {
    let is_relative = |point| matches!(point, Some(TimePoint::Relative(_)));
    if !is_relative(from) && !is_relative(to) {
        return Ok(0);
    }
    let fail = |why: &str| {
        Err(Error::caller(format!("times count from the first event, and {why}"))
            .advice("give times of the recording's clock, as in @1000000"))
    };
    let Some(path) = recording.path().filter(|_| recording.is_seekable()) else {
        return fail("a pipe can be read only once");
    };
    let options = ReadOptions { stream: None, ..recording.options().clone() };
    let mut events = Recording::open(path, options)?;
    if !events.info().reads_events() {
        return fail("the recording has not one stream of events");
    }
    match events.first_time()? {
        Some(first) => Ok(first),
        None => fail("there is none"),
    }
}

/// What stands between a reader and a writer.
struct Stage {
    times: Times,
    writer: Option<Box<dyn SampleWriter>>,
    kept: u64,
    out_of_window: u64,
}

impl Sink for Stage {
    fn events(&mut self, _events: &mut EventBatch, _offset: u64) -> Result<()> {
        Ok(())
    }

    fn sample(&mut self, sample: Sample, _offset: u64) -> Result<()> {
        let t = sample.t();
        if t < self.times.first || t > self.times.last {
            self.out_of_window += 1;
            return Ok(());
        }
        self.kept += 1;
        self.writer.as_mut().map_or(Ok(()), |writer| writer.write(&sample))
    }
}
