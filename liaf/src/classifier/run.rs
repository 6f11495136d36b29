//! Running a classifier on a recording: as an iterator, or with callbacks.

use std::ops::ControlFlow;

use liaf_data::convert::{Framed, OnProgress, make_frames};
use liaf_data::frames::{Frame, FrameReport, FrameSink};
use liaf_data::recording::Frames;
use liaf_data::{Error as DataError, ErrorKind, Recording, Report};

use super::sample::Seen;
use super::{Classifier, Difference, Prediction};
use crate::error::Result;

impl Classifier {
    /// The predictions for a recording, as an iterator that reads the recording as needed.
    ///
    /// Memory is bounded, whatever the length of the recording. The recording is read once, or twice if
    /// the windows depend on all of it. The last sample may have fewer frames than the others, or the
    /// recording may end within its last one ([`Prediction::complete`]).
    ///
    /// # Errors
    /// As [`check`](Self::check). Each item may be an error as well: one of the recording, or one of
    /// the network, for example if an output is not finite. The iterator ends after an error.
    pub fn run(&mut self, recording: &mut Recording) -> Result<Predictions<'_>> {
        let differences = self.check(recording)?;
        let frames = recording.frames(self.frame_options())?;
        self.watcher.begin();
        Ok(Predictions { classifier: self, frames, is_done: false, differences })
    }

    /// Runs the classifier with callbacks. `each` is called with every prediction, and `progress`
    /// several times per second with the progress of reading; both can stop the run. Returns the report
    /// of the recording.
    ///
    /// # Errors
    /// As [`run`](Self::run); [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) if a callback
    /// returned [`ControlFlow::Break`].
    pub fn run_with(
        &mut self,
        recording: &mut Recording,
        each: &mut dyn FnMut(Prediction) -> ControlFlow<()>,
        progress: &mut OnProgress<'_>,
    ) -> Result<Framed> {
        self.check(recording)?;
        let options = self.frame_options();
        self.watcher.begin();
        let mut watch = Watch { classifier: self, each, failed: None };
        let framed = make_frames(recording, &options, &mut watch, progress);
        if let Some(error) = watch.failed {
            return Err(error.into());
        }
        let framed = framed.map_err(|error| error.in_file_if_any(recording.path()))?;
        match self.end().map(each) {
            Some(ControlFlow::Break(())) => Err(stopped().in_file_if_any(recording.path()).into()),
            _ => Ok(framed),
        }
    }

    /// Processes the next frame; `full` says whether its window is complete.
    fn frame(&mut self, frame: &Frame, full: bool) -> liaf_core::Result<Option<Prediction>> {
        let Self { watcher, names, .. } = self;
        match watcher.frame(frame, full, |class| names[class].clone()) {
            Ok(seen) => Ok(seen.map(|seen| self.prediction(seen))),
            // Errors of layers name the layer; an error of the weights concerns the file.
            Err(error) if error.kind() == liaf_core::ErrorKind::Checkpoint => {
                Err(self.in_file(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Ends the recording. Returns the prediction for an incomplete last sample.
    fn end(&mut self) -> Option<Prediction> {
        self.watcher.end().map(|seen| self.prediction(seen))
    }

    fn prediction(&self, seen: Seen) -> Prediction {
        let Seen { sample, start, end, frames, complete, scores } = seen;
        let prediction = Prediction::new(sample, start..end, frames, scores, &self.names);
        Prediction { complete, ..prediction }
    }
}

fn stopped() -> DataError {
    DataError::new(ErrorKind::Cancelled, "stopped")
}

/// Passes frames to a classifier, and its predictions to a callback.
struct Watch<'a> {
    classifier: &'a mut Classifier,
    each: &'a mut dyn FnMut(Prediction) -> ControlFlow<()>,
    /// The error of the network that ended it.
    failed: Option<liaf_core::Error>,
}

impl Watch<'_> {
    fn take(&mut self, frame: &Frame, full: bool) -> liaf_data::Result<()> {
        match self.classifier.frame(frame, full) {
            Ok(None) => Ok(()),
            Ok(Some(prediction)) => match (self.each)(prediction) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(stopped()),
            },
            Err(error) => {
                self.failed = Some(error);
                Err(stopped())
            }
        }
    }
}

impl FrameSink for Watch<'_> {
    fn frame(&mut self, frame: &Frame) -> liaf_data::Result<()> {
        self.take(frame, true)
    }

    fn partial_frame(&mut self, frame: &Frame) -> liaf_data::Result<()> {
        self.take(frame, false)
    }
}

/// The predictions for a recording, made by [`Classifier::run`].
#[derive(Debug)]
pub struct Predictions<'a> {
    classifier: &'a mut Classifier,
    frames: Frames,
    is_done: bool,
    differences: Vec<Difference>,
}

impl Predictions<'_> {
    /// How the recording differs from those that the network was trained on.
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// The report of everything that was met in the recording so far.
    pub fn report(&self) -> Report {
        self.frames.report()
    }

    /// Where the events of the recording went so far.
    pub fn frame_report(&self) -> &FrameReport {
        self.frames.frame_report()
    }
}

impl Iterator for Predictions<'_> {
    type Item = Result<Prediction>;

    fn next(&mut self) -> Option<Result<Prediction>> {
        while !self.is_done {
            let prediction = match self.frames.next() {
                Some(Ok(frame)) => {
                    let full = self.frames.last_is_full();
                    self.classifier.frame(&frame, full).map_err(Into::into)
                }
                Some(Err(error)) => Err(error.into()),
                None => {
                    self.is_done = true;
                    Ok(self.classifier.end())
                }
            };
            self.is_done |= prediction.is_err();
            if let Some(prediction) = prediction.transpose() {
                return Some(prediction);
            }
        }
        None
    }
}
