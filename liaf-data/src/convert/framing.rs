//! Conversion of a recording to a sequence of frames.

use super::OnProgress;
use super::kept::check_something_kept;
use super::pass::{Part, Pass, check_something_read};
use crate::error::{Error, Result};
use crate::frames::{
    Binner, FrameOptions, FrameReport, FrameShape, FrameSink, SpanFinder, TimeSpan,
};
use crate::model::{RecordingInfo, Report, SensorSize};
use crate::read::{EventReader, Recording};

/// The result of making frames from a recording.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Framed {
    /// What the recording says about itself.
    pub info: RecordingInfo,
    /// What was met in the recording.
    pub report: Report,
    /// Where its events went.
    pub frames: FrameReport,
    /// The shape of every frame.
    pub shape: FrameShape,
    /// Whether the recording, or its chosen part, was read to its end, and not only until the sink was
    /// [done](FrameSink::is_done).
    pub is_whole: bool,
}

/// Makes frames from a recording and passes each of them to `sink` as soon as it is complete.
///
/// Memory is bounded whatever the length of the recording. The recording is read once, or twice if
/// the windows depend on all of it or its events are sorted (three times for both, if there are
/// filters).
///
/// ```no_run
/// use liaf_data::convert::make_frames;
/// use liaf_data::frames::{Frame, FrameOptions};
/// use liaf_data::{ReadOptions, Recording};
/// use std::ops::ControlFlow;
///
/// # fn main() -> liaf_data::Result<()> {
/// let mut recording = Recording::open("recording.aedat4", ReadOptions::default())?;
/// let mut dense = vec![0.0; 2 * 260 * 346];
/// let mut sink = |frame: &Frame| {
///     frame.cells.fill(&mut dense);
///     println!("{} events until {} µs", dense.iter().sum::<f32>(), frame.window.end);
///     Ok(())
/// };
/// make_frames(&mut recording, &FrameOptions::default(), &mut sink, &mut |_| {
///     ControlFlow::Continue(())
/// })?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the options do not fit the recording, if the recording cannot be read or nothing in it can be
/// used; errors of the sink; [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) if `progress`
/// asked for it.
pub fn make_frames(
    recording: &mut Recording,
    options: &FrameOptions,
    sink: &mut dyn FrameSink,
    progress: &mut OnProgress<'_>,
) -> Result<Framed> {
    Framing::begin(recording, options, progress)?.run(sink)
}

/// A recording and the frames that are to be made from it.
pub(crate) struct Framing<'a, 'b> {
    pub recording: &'a mut Recording,
    pub shape: FrameShape,
    /// The options, with the interval of time on the recording's clock if that is known.
    options: FrameOptions,
    part: Part,
    sensor: SensorSize,
    span: Option<TimeSpan>,
    pass: Pass<'a, 'b>,
}

impl<'a, 'b> Framing<'a, 'b> {
    /// Checks the options and, if the windows need it, makes the first pass.
    pub fn begin(
        recording: &'a mut Recording,
        options: &FrameOptions,
        progress: &'a mut OnProgress<'b>,
    ) -> Result<Self> {
        if options.needs_span() && !recording.is_seekable() {
            let (what, advice) = match options.sort {
                true => ("sorting by time", "name a file"),
                false => ("this", "name a file, or choose windows by time or count"),
            };
            return Err(Error::caller(format!("{what} needs a first pass over the recording"))
                .found("a pipe, which can be read only once")
                .advice(advice));
        }
        let sensor = recording.find_sensor()?;
        let shape = options.check(sensor)?;
        let part = Part::find(recording, &options.selection)?;
        let options = FrameOptions { selection: part.selection.clone(), ..options.clone() };
        let passes = 1 + u32::from(options.needs_span());
        let pass = Pass { number: 0, passes, progress };
        let mut framing = Self { recording, shape, options, part, sensor, span: None, pass };
        if framing.options.needs_span() {
            let span = framing.find_span(SpanFinder::new(&framing.options, sensor)?)?;
            framing.span = Some(span);
            if framing.options.needs_span_again(&span) {
                framing.pass.passes += 1;
                let finder = SpanFinder::again(&framing.options, sensor, &span)?;
                framing.span = Some(framing.find_span(finder)?);
            }
        }
        Ok(framing)
    }

    fn find_span(&mut self, mut finder: SpanFinder) -> Result<TimeSpan> {
        let mut reader = self.part.reader(self.recording)?;
        self.pass.number += 1;
        while reader.pump(&mut finder)? {
            self.pass.tell(&reader, finder.report().kept, 0)?;
        }
        check_something_read(self.recording.path(), &reader.report())?;
        finder.finish()
    }

    /// Makes one pass over the recording and passes its frames to `sink`. An interval of time without events
    /// is explained, or is an error.
    pub fn run(mut self, sink: &mut dyn FrameSink) -> Result<Framed> {
        let mut framed = self.run_any(sink)?;
        let Framed { report, frames, .. } = &mut framed;
        check_something_kept(self.recording, &self.part, report, frames.kept)?;
        Ok(framed)
    }

    /// As [`run`](Self::run), for an interval of time that may have no events.
    pub fn run_any(&mut self, sink: &mut dyn FrameSink) -> Result<Framed> {
        let (mut reader, mut binner) = self.last_pass()?;
        self.pass.number += 1;
        let mut is_whole = true;
        while is_whole && reader.pump(&mut binner.to(sink))? {
            self.pass.tell(&reader, binner.report().kept, binner.report().frames)?;
            is_whole = !sink.is_done() || reader.is_all_read();
        }
        let report = reader.report();
        check_something_read(self.recording.path(), &report)?;
        let frames = match is_whole {
            true => binner.finish(sink)?,
            false => binner.report().clone(),
        };
        let info = reader.info().clone();
        Ok(Framed { info, report, frames, shape: self.shape, is_whole })
    }

    /// The reader and the binner of the pass that makes the frames.
    pub fn last_pass(&mut self) -> Result<(EventReader, Binner)> {
        let binner = Binner::new(&self.options, self.sensor, self.span)?;
        Ok((self.part.reader(self.recording)?, binner))
    }
}
