//! Event-camera recordings to frames to tensor files.
//!
//! | from | to |
//! |---|---|
//! | AEDAT 1.0, 2.0, 3.x and 4.0, DAT, Event Stream, EVT 2.0, 2.1 and 3.0, ATIS `.bin`, CSV, NumPy, MATLAB 5, HDF5 (see [`FORMATS`]) | events in columns: [`EventBatch`] |
//! | events | frames by window and pixel: [`frames`] |
//! | frames | `.h5` (feature `hdf5`), `.npz`, `.npy`, `.safetensors`: [`tensor`] |
//! | a recording | frames of the camera, inertial samples, triggers: [`samples`] |
//! | a recording | a tensor file, in one call: [`convert`](mod@convert) |
//!
//! ```no_run
//! use liaf_data::{EventBatch, ReadOptions, Recording};
//!
//! # fn main() -> liaf_data::Result<()> {
//! let mut recording = Recording::open("recording.aedat4", ReadOptions::default())?;
//! let mut reader = recording.reader()?;
//! let mut batch = EventBatch::new();
//! while reader.read_into(&mut batch, 65_536)? > 0 {
//!     println!("{} events from {} µs on", batch.len(), batch.t[0]);
//! }
//! println!("{:?}", reader.report());
//! # Ok(())
//! # }
//! ```
//!
//! Time is in µs, x counts from the left and y from the top, p is 1 for ON. A file may be damaged,
//! truncated, lying or of another kind: what is certainly whole is read, the rest is in the
//! [`Report`] or the [`Error`], and memory stays within [`Limits`].
#![deny(missing_docs)]

pub mod convert;
mod decoder;
mod error;
mod event;
mod file;
mod formats;
pub mod frames;
mod limits;
mod memory;
mod parallel;
mod reader;
mod report;
pub mod samples;
pub mod source;
pub mod tensor;
pub mod write;

pub use decoder::{Decoder, Mark, Sink};
pub use error::{Error, ErrorKind, Result};
pub use event::{Event, EventBatch, SensorSize};
pub use file::AtomicFile;
#[cfg(feature = "hdf5")]
pub use formats::hdf5::child as hdf5_child;
pub use formats::{
    Aedat1Decoder, Aedat2Decoder, Aedat3Decoder, Aedat4Decoder, AtisBinDecoder, CsvDecoder,
    DatDecoder, DatVersion, EventStreamDecoder, Evt2Decoder, Evt3Decoder, Evt21Decoder, Evt21Order,
    FORMATS, Format, decode_ecf_chunk,
};
pub use limits::Limits;
pub use reader::{
    Aedat2Reading, AtisOverflow, ClockReset, Coords, EventReader, Field, Fingerprint, ImuRanges,
    Index, Keys, ReadOptions, Recording, RecordingInfo, SampleReader, SensorSource, StreamChoice,
    StreamInfo, StreamKind, Summary, TimeShift, TimeUnit,
};
pub use report::{ByteAccount, Oddity, Report, Samples, Tally};
pub use samples::{Image, ImuSample, Pixels, Sample, Trigger, TriggerKind};
