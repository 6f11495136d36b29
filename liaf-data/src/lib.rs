//! Event-camera recordings to frames to tensor files.
#![deny(missing_docs)]

mod decoder;
mod error;
mod event;
pub mod frames;
mod limits;
mod report;
pub mod source;
pub mod tensor;

pub use decoder::{Decoder, Sink};
pub use error::{Error, ErrorKind, Result};
pub use event::{Event, EventBatch, SensorSize};
pub use limits::Limits;
pub use report::{ByteAccount, Oddity, Report, Tally};
