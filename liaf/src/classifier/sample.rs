//! From frames, one by one, to predictions.

use liaf_core::graph::MemoryEstimate;
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
    pub complete: bool,
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
    /// The current sample, which is incomplete, and whether the window of its last frame is complete.
    open: Option<(Seen, bool)>,
    /// Number of samples that have all their frames.
    whole: u64,
}

impl Watcher {
    pub fn new(network: Box<dyn Step>, scale: f32, steps: Option<usize>) -> Self {
        let (each_frame, plain) = (false, false);
        Self { network, scale, steps, each_frame, plain, open: None, whole: 0 }
    }

    /// Shape of an item of the network's input.
    pub fn item(&self) -> &[usize] {
        self.network.item()
    }

    /// The memory that the network needs, and its multiply-accumulates for each frame.
    pub fn needs(&self) -> (MemoryEstimate, u64) {
        self.network.needs()
    }

    /// Starts a recording.
    pub fn begin(&mut self) {
        self.open = None;
        self.whole = 0;
    }

    /// Processes the next frame; `full` says whether its window is complete. Returns the result that is
    /// due after it, if there is one. `name` returns the name of a class, for errors.
    ///
    /// # Errors
    /// If the frame does not fit the network, or the output is not finite.
    pub fn frame(
        &mut self,
        frame: &Frame,
        full: bool,
        name: impl Fn(usize) -> String,
    ) -> Result<Option<Seen>> {
        let (start, frames) = match self.open.take() {
            Some((seen, _)) => (seen.start, seen.frames + 1),
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
        let (sample, end) = (self.whole, frame.window.end);
        let mut seen = Seen { sample, start, end, frames, complete: false, scores };
        if self.steps == Some(frames) {
            self.whole += 1;
            seen.complete = full;
            return Ok(Some(seen));
        }
        let given = self.each_frame.then(|| seen.clone());
        self.open = Some((seen, full));
        Ok(given)
    }

    /// Ends the recording. Returns the result for the last sample if it is incomplete and was not
    /// returned.
    pub fn end(&mut self) -> Option<Seen> {
        let (seen, full) = self.open.take().filter(|_| !self.each_frame)?;
        // A sample of the whole recording has all frames that there are.
        Some(Seen { complete: full && self.steps.is_none(), ..seen })
    }
}
