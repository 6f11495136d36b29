//! Frames: events gathered by window and pixel.
//!
//! [`FrameOptions`] say what frames to make; a [`Binner`] makes them, batch by batch; a
//! [`FrameSink`] takes them. Windows that depend on the whole recording need a first pass with a
//! [`SpanFinder`].

mod add;
mod anchored;
mod binner;
mod check;
mod count;
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

pub(crate) use check::{check_crop, check_stretch};
pub(crate) use select::Times;

pub use binner::{Binner, BinnerSink, FrameSink};
pub use frame::{Cells, Dtype, Frame, FrameShape, Frames, Window};
pub use options::{Crop, Edge, FrameOptions, Polarity, Representation, TimePoint, WindowRule};
pub use parse::parse_duration;
pub use recipe::{CellRecipe, FrameRecipe, Provenance, SampleRecipe};
pub use report::FrameReport;
pub use span::{Span, SpanFinder};
