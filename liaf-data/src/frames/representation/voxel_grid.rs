//! Voxel grids: signed events, divided between the two nearest of evenly spaced times.

use super::bilinear::{Axis, STATE_BYTES, Volume};
use super::stretch::{MOST_BINS, Span, whole};
use super::{CellOptions, Layout, Representation};
use crate::error::{Error, Result};
use crate::frames::Dtype;

/// A voxel grid (Zhu et al., CVPR 2019, arXiv 1812.08156, eq. 1–2; Rebecq et al., E2VID, 2019), of
/// shape `[bins, H, W]`. An event at time t and of sign p' = ±1 has the place
///
/// > τ = N · (t − t₀) / (t₁ − t₀)
///
/// and adds p'·(1 − (τ − ⌊τ⌋)) to bin ⌊τ⌋ and p'·(τ − ⌊τ⌋) to bin ⌊τ⌋ + 1. What would be in a bin that
/// does not exist is lost. If all times are equal, every event is in bin 0.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `bins` | 5 | B: number of bins, 1 to 1024 |
/// | `norm` | `b-1` | N: `b-1` (B − 1: the first event is in the first bin and the last in the last, as in E2VID) or `b` (B, as in tonic's `ToVoxelGrid`) |
/// | `span` | `events` | t₀ and t₁: times of the first and last of the `events` of the window, or start and end of the `window` itself |
///
/// tonic 1.7.0 counts OFF events as +1 if polarity is a bool, and divides by zero if all times are equal.
pub static VOXEL_GRID: Representation = Representation {
    name: "voxel_grid",
    about: "signed events, divided between the two nearest of B times: channels are bins",
    usual_dtype: Dtype::F32,
    parameters: &["bins", "norm", "span"],
    layout: |options| {
        let axis = axis(options)?;
        let layout = Layout {
            channels: axis.bins,
            needs_times: true,
            needs_window: true,
            state_bytes: axis.bins * STATE_BYTES,
            ..Layout::signed()
        };
        layout.with_dtypes("voxel_grid", options, &[Dtype::F32])
    },
    start: |options, canvas| {
        let axis = axis(options).unwrap_or(Axis { bins: 0, ..USUAL });
        Box::new(Volume::new(axis, canvas))
    },
};

const USUAL: Axis = Axis {
    span: Span::Events,
    bins: 5,
    steps: 4,
    centred: false,
    keeps_borders: false,
    signed: true,
};

fn axis(options: &CellOptions) -> Result<Axis> {
    let parameters = &options.parameters;
    let bins = whole(parameters, "bins", USUAL.bins, 1..=MOST_BINS)?;
    let steps = match parameters.get("norm") {
        None | Some("b-1" | "B-1") => bins - 1,
        Some("b" | "B") => bins,
        Some(other) => {
            let error = Error::caller("the parameter norm is not valid");
            return Err(error.expected("b or b-1").found(other));
        }
    };
    Ok(Axis { span: Span::of(parameters, USUAL.span)?, bins, steps, ..USUAL })
}
