//! Event volumes: events divided between the centres of the two nearest bins of their window.

use super::bilinear::{Axis, STATE_BYTES, Volume};
use super::stretch::{MOST_BINS, Span, whole};
use super::{CellOptions, Layout, PolarityChannels, Representation};
use crate::error::{Error, Result};
use crate::frames::Dtype;

/// An event volume, as Prophesee's Metavision SDK and OpenEB call it. An event at time t has the place
///
/// > τ = B · (t − t₀) / (t₁ − t₀) − ½
///
/// and adds 1 − (τ − ⌊τ⌋) to bin ⌊τ⌋ and τ − ⌊τ⌋ to bin ⌊τ⌋ + 1. With polarity split, the channels are
/// `2 · bin + p`, `[2·bins, H, W]`; merged, OFF events are subtracted, `[bins, H, W]`.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `bins` | 5 | B: number of bins, 1 to 1024 |
/// | `border` | `drop` | what is before the centre of the first bin or after that of the last: `drop` loses the part that is outside, `keep` adds it to that bin |
/// | `span` | `window` | t₀ and t₁: start and end of the `window`, or the times of the first and last of its `events` |
pub static EVENT_VOLUME: Representation = Representation {
    name: "event_volume",
    about: "events, divided between the centres of the two nearest of B bins",
    usual_dtype: Dtype::F32,
    parameters: &["bins", "border", "span"],
    layout: |options| {
        let axis = axis(options)?;
        let channels = axis.bins * if axis.signed { 1 } else { 2 };
        let layout = Layout {
            channels,
            needs_times: true,
            needs_window: true,
            state_bytes: channels * STATE_BYTES,
            ..Layout::signed()
        };
        layout.with_dtypes("event_volume", options, &[Dtype::F32])
    },
    start: |options, canvas| {
        let axis = axis(options).unwrap_or(Axis { bins: 0, ..USUAL });
        Box::new(Volume::new(axis, canvas))
    },
};

const USUAL: Axis = Axis {
    span: Span::Window,
    bins: 5,
    steps: 5,
    centred: true,
    keeps_borders: false,
    signed: false,
};

fn axis(options: &CellOptions) -> Result<Axis> {
    let parameters = &options.parameters;
    let bins = whole(parameters, "bins", USUAL.bins, 1..=MOST_BINS)?;
    let keeps_borders = match parameters.get("border") {
        None | Some("drop") => false,
        Some("keep") => true,
        Some(other) => {
            let error = Error::caller("the parameter border is not valid");
            return Err(error.expected("drop or keep").found(other));
        }
    };
    let span = Span::of(parameters, USUAL.span)?;
    let signed = options.polarity == PolarityChannels::Merged;
    Ok(Axis { span, bins, steps: bins, keeps_borders, signed, ..USUAL })
}
