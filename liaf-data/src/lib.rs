//! Event-camera recordings to frames to tensor files.
//!
//! | from | to |
//! |---|---|
//! | AEDAT 1.0, 2.0, 3.x and 4.0, DAT, Event Stream, EVT 2.0, 2.1 and 3.0, ATIS `.bin`, CSV, NumPy, MATLAB 5, HDF5 (see [`FORMATS`]) | events in columns: [`EventBatch`] |
//! | events | frames by window and pixel: [`frames`] |
//! | frames | `.h5` (feature `hdf5`), `.npz`, `.npy`, `.safetensors`: [`tensor`] |
//! | a recording | frames of the camera, inertial readings, triggers: [`measurements`] |
//! | a recording | a tensor file, in one call: [`convert`](mod@convert) |
//!
//! ```no_run
//! use liaf_data::{ReadOptions, Recording};
//!
//! # fn main() -> liaf_data::Result<()> {
//! let mut recording = Recording::open("recording.aedat4", ReadOptions::default())?;
//! for batch in recording.batches()? {
//!     for event in &batch? {
//!         println!("{} µs: pixel ({}, {}), polarity {}", event.t, event.x, event.y, event.p);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Time is in µs, x counts from the left and y from the top, p is 1 for ON. A file may be damaged,
//! truncated, lying or of another kind: what is certainly whole is read, the rest is in the
//! [`Report`] or the [`Error`], and memory stays within [`Limits`].
#![deny(missing_docs)]

mod codec;
mod container;
pub mod convert;
mod error;
pub mod filter;
pub mod formats;
pub mod frames;
mod hint;
pub mod io;
mod limits;
pub mod measurements;
mod model;
mod names;
mod read;
mod registry;
mod selected;
pub mod tensor;
mod unsupported;
pub mod write;

pub use codec::{
    Aedat2Reading, AedatOptions, AtisOptions, AtisOverflow, Checkpoint, ClockReset, ColumnMap,
    ColumnOptions, Coords, Decoder, EventSink, Evt21Order, EvtOptions, Field, Format, ImuRanges,
    ReadOptions, StreamChoice, TimeShift, TimeUnit,
};
pub use error::{Error, ErrorKind, Result};
#[cfg(feature = "hdf5")]
pub use formats::hdf5::worker as hdf5_worker;
pub use hint::Hint;
pub use io::AtomicFile;
pub use limits::Limits;
pub use model::{
    ByteAccount, Event, EventBatch, EventColumns, EventIter, EventSlice, EventStats, Finding,
    FindingCount, Fingerprint, Image, ImuReading, IntoEvents, Measurement, MeasurementCount, Note,
    Pixels, Polarity, RecordingInfo, Report, SensorSize, SensorSource, StreamInfo, StreamKind,
    TimeSpan, Trigger, TriggerKind,
};
pub use names::Named;
pub use read::{EventReader, Index, MeasurementReader, Recording};
pub use registry::FORMATS;
pub use selected::{Batches, Events, Frames, Selected};
