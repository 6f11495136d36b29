//! Frames: arrays in which events are accumulated by window and pixel.
//!
//! [`FrameOptions`] describe the frames, a [`Binner`] makes them batch by batch, and a
//! [`FrameSink`] receives them. If the windows depend on the whole recording, a first pass with a
//! [`SpanFinder`] is needed.

#[cfg(feature = "ndarray")]
mod array;
mod binner;
mod check;
mod count;
mod event_triggered;
mod frame;
mod grid;
mod most;
mod names;
mod open;
mod options;
mod place;
mod recipe;
mod report;
mod representation;
mod rule;
mod select;
mod span;
mod time;

pub use crate::model::{Crop, TimePoint, TimeSpan, parse_duration};
#[cfg(feature = "ndarray")]
pub use array::CellType;
pub use binner::{Binner, BinnerSink, FrameSink};
pub use frame::{CellValues, Cells, Dtype, Frame, FrameShape, Window};
pub use options::{Edge, FrameOptions, WindowRule};
pub use recipe::{CellRecipe, FrameRecipe, Provenance, SampleRecipe};
pub use report::{FrameCounts, FrameReport};
pub use representation::{
    AVERAGED_TIMESTAMPS, Accumulator, BINA_REP, BINARY, COUNT, CUMULATIVE, Canvas, CellOptions,
    Closed, EVENT_VOLUME, HATS, Layout, Placed, PolarityChannels, PolarityIndex, REPRESENTATIONS,
    Representation, SAE, SIGNED, STACKED_HISTOGRAM, TIME_SURFACE, Tiles, VOXEL_GRID,
};
pub use span::SpanFinder;
