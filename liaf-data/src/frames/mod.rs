//! Frames: arrays in which events are accumulated by window and pixel.
//!
//! [`FrameOptions`] describe the frames, a [`Binner`] makes them batch by batch, and a
//! [`FrameSink`] receives them. If the windows depend on the whole recording, a first pass with a
//! [`SpanFinder`] is needed.

mod add;
mod binner;
mod check;
mod count;
mod event_triggered;
mod frame;
mod grid;
mod open;
mod options;
mod parse;
mod recipe;
mod report;
mod rule;
mod select;
mod span;
mod time;

pub use crate::model::{Crop, TimePoint, TimeSpan};
pub use binner::{Binner, BinnerSink, FrameSink};
pub use frame::{CellValues, Cells, Dtype, Frame, FrameShape, Window};
pub use options::{Edge, FrameOptions, Polarity, Representation, WindowRule};
pub use parse::parse_duration;
pub use recipe::{CellRecipe, FrameRecipe, Provenance, SampleRecipe};
pub use report::FrameReport;
pub use span::SpanFinder;
