//! From frames, one by one, to predictions.

use liaf_core::{Error, Result};
use liaf_data::frames::Frame;

use super::stepper::Step;

/// The result of the network for the sample so far.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub sample: u64,
    pub start: i64,
    pub end: i64,
    pub frames: usize,
    pub scores: Vec<f64>,
}

/// A network that processes the frames of a recording.
pub(super) struct Watcher {
    network: Box<dyn Step>,
    scale: f32,
    /// Number of frames of a sample; `None` if all frames are one sample.
    pub steps: Option<usize>,
    pub each_frame: bool,
    pub plain: bool,
    /// The current sample, which is incomplete.
    open: Option<Seen>,
    /// Number of complete samples.
    complete: u64,
}

impl Watcher {
    pub fn new(network: Box<dyn Step>, scale: f32, steps: Option<usize>) -> Self {
        let (each_frame, plain) = (false, false);
        Self { network, scale, steps, each_frame, plain, open: None, complete: 0 }
    }

    /// Shape of an item of the network's input.
    pub fn item(&self) -> &[usize] {
        self.network.item()
    }

    /// Starts a recording.
    pub fn begin(&mut self) {
        self.open = None;
        self.complete = 0;
    }

    /// Processes the next frame. Returns the result that is due after it, if there is one. `name`
    /// returns the name of a class, for errors.
    ///
    /// # Errors
    /// If the frame does not fit the network, or the output is not finite.
    pub fn frame(&mut self, frame: &Frame, name: impl Fn(usize) -> String) -> Result<Option<Seen>> {
        let (start, frames) = match self.open.take() {
            Some(seen) => (seen.start, seen.frames + 1),
            None => {
                self.network.begin(self.plain);
                (frame.window.start, 1)
            }
        };
        let scores = self.network.step(frame, self.scale)?;
        if let Some(class) = scores.iter().position(|score| !score.is_finite()) {
            return Err(Error::checkpoint(format!(
                "the output of the network for class {} is not finite after {frames} frames of a \
                 sample: {}",
                name(class),
                scores[class]
            ))
            .advice(
                "its weights may contain NaN or infinity, for example because training diverged",
            ));
        }
        let seen = Seen { sample: self.complete, start, end: frame.window.end, frames, scores };
        if self.steps == Some(frames) {
            self.complete += 1;
            return Ok(Some(seen));
        }
        self.open = Some(seen);
        Ok(self.open.clone().filter(|_| self.each_frame))
    }

    /// Ends the recording. Returns the result for the last sample if it is incomplete and was not
    /// returned.
    pub fn end(&mut self) -> Option<Seen> {
        self.open.take().filter(|_| !self.each_frame)
    }
}
