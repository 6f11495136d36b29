//! Event-camera recordings to frames to tensor files.
#![deny(missing_docs)]

pub mod convert;
mod decoder;
mod error;
mod event;
mod formats;
pub mod frames;
mod limits;
mod memory;
mod parallel;
mod reader;
mod report;
pub mod source;
pub mod tensor;

pub use decoder::{Decoder, Sink};
pub use error::{Error, ErrorKind, Result};
pub use event::{Event, EventBatch, SensorSize};
pub use formats::{Aedat2Decoder, Aedat4Decoder, Evt3Decoder, FORMATS, Format};
pub use limits::Limits;
pub use reader::{
    Aedat2Reading, Coords, EventReader, Fingerprint, ReadOptions, Recording, RecordingInfo,
    SensorSource, StreamChoice, StreamInfo, StreamKind, Summary,
};
pub use report::{ByteAccount, Oddity, Report, Tally};
