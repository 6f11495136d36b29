//! Frames: events gathered by time window and pixel.

mod frame;

pub use frame::{Cells, Dtype, Frame, FrameShape, Frames, Window};
