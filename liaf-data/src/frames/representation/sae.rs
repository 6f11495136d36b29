//! The surface of active events: when each cell had its latest event.

use super::latest::{self, Latest, Memory};
use super::{Layout, Representation};
use crate::frames::Dtype;

/// The surface of active events (Benosman et al., 2014): the time of the latest event of each cell, of
/// all windows up to this one, in µs after the end of the window. Times are therefore −1 or less, and 0
/// means that the cell has had no event. The time on the recording's clock is the end of the window plus
/// the cell. f32 is exact for the last 16.7 s.
pub static SAE: Representation = Representation {
    name: "sae",
    about: "the time of its latest event so far, in µs after the end of the window (so -1 or less; 0 if none)",
    usual_dtype: Dtype::F32,
    parameters: &[],
    layout: |options| {
        let layout = latest::layout(Layout::of_polarity(options.polarity));
        layout.with_dtypes("sae", options, &[Dtype::F32])
    },
    start: |_, canvas| Box::new(Latest::new(canvas, Times { end: 0.0 })),
};

/// Stores the time itself.
#[derive(Debug, Clone)]
struct Times {
    /// The end of the window.
    end: f64,
}

impl Memory for Times {
    const NOTHING: f64 = f64::NEG_INFINITY;

    fn go_to(&mut self, end: f64, _stored: &mut [f64]) {
        self.end = end;
    }

    fn of_event(&self, t: f64) -> f64 {
        t
    }

    fn cell(&self, stored: f64) -> f32 {
        if stored == Self::NOTHING { 0.0 } else { (stored - self.end) as f32 }
    }
}
