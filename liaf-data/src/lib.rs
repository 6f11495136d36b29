//! Reads the recordings of event cameras, bins their events into frames, and writes tensor files and
//! event files.
//!
//! | to … | look at |
//! |---|---|
//! | read the events of a recording of any format (see [`FORMATS`]) | [`Recording`], [`ReadOptions`], [`EventBatch`] |
//! | choose events by time, rectangle and polarity, and filter them | [`Recording::between`], [`filter`] |
//! | make frames by window and pixel, as arrays of `ndarray` | [`Recording::frames`], [`frames`] |
//! | write tensor files (`.npz`, `.npy`, `.safetensors`, `.h5`) | [`recording::Frames::write`], [`tensor`] |
//! | write another event file | [`Recording::write`], [`write`](mod@write) |
//! | read images of the camera, inertial readings and triggers | [`Recording::measurements`], [`measurements`] |
//! | convert whole files, with all options and progress | [`convert`](mod@convert) |
//! | decode bytes from a socket | [`decode`], [`formats`] |
//! | make events without a camera | [`simulate`] |
//!
//! The example `read_events`:
//!
//! ```no_run
#![doc = include_str!("../examples/read_events.rs")]
//! ```
//!
//! Times are in µs, x counts from the left and y from the top, p is 1 for ON. A file may be damaged,
//! truncated or of another kind, and its header may state wrong sizes: everything that is certainly
//! intact is read, the rest is counted in the [`Report`] or reported as an [`Error`], and memory stays
//! within [`Limits`].
//!
//! # Features
//!
//! | feature | without it |
//! |---|---|
//! | `xml` (default) | AEDAT 4.0 is not read |
//! | `zstd` (default) | packets of AEDAT 4.0 compressed by ZSTD are neither read nor written, and recordings inside ZSTD files are not read |
//! | `lz4` (default) | in AEDAT 4.0 files with LZ4, everything except events is stored without compression |
//! | `xz`, `bzip2` (default) | recordings inside xz and bzip2 files are not read |
//! | `zip` (default) | `.npz`, recordings inside gzip and zip files, and compressed MATLAB matrices are refused |
//! | `png` (default) | images of cameras are not written as PNG |
//! | `ndarray` (default) | frames and tensors have no views as arrays |
//! | `hdf5` (default) | HDF5 is neither read nor written |
//! | `parquet` | Parquet is not written |
//!
//! A function that needs a missing feature returns an error that names the feature
//! ([`ErrorKind::Unsupported`], [`Hint::EnableFeature`]).
#![deny(missing_docs)]

mod codec;
mod container;
pub mod convert;
pub mod dataset;
mod error;
mod feature;
pub mod filter;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod formats;
pub mod frames;
mod hint;
pub mod io;
mod limits;
pub mod measurements;
pub mod model;
mod names;
mod printable;
mod read;
mod registry;
mod selected;
pub mod simulate;
pub mod tensor;
mod unsupported;
pub mod write;

pub use codec::{EventSink, Format, ReadOptions};
pub use error::{Error, ErrorKind, Result};
pub use hint::Hint;
pub use limits::Limits;
pub use model::{Event, EventBatch, Polarity, Report, SensorSize};
pub use printable::{Printable, printable};
pub use read::{EventReader, Recording};
pub use registry::FORMATS;

/// The types of the options for reading.
pub mod options {
    pub use crate::codec::{
        Aedat2Reading, AedatOptions, AtisOptions, AtisOverflow, ClockReset, ColumnMap,
        ColumnOptions, Coords, Evt21Order, EvtOptions, Field, ImuRanges, PolarityValues,
        StreamChoice, TimeShift, TimeUnit,
    };
    pub use crate::names::Named;
}

/// Iterators over a recording, parts of it, and its index.
pub mod recording {
    pub use crate::read::{Index, MeasurementReader, columns_in, files_of};
    pub use crate::selected::{Batches, Events, Frames, Selected};
}

/// Decoding of bytes that come from a socket or another source than a file. The decoders of the formats
/// are in [`formats`].
pub mod decode {
    pub use crate::codec::{Checkpoint, Decoder};
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
