//! The formats: one folder each. The documentation of its module says what a format is byte by byte, how
//! it is read, and where other readers differ; options are named there as the program `liaf` has them,
//! and [`ReadOptions`](crate::ReadOptions) has a method for each. The pages are in `docs/formats/` of the
//! crate.
//!
//! A format is read by a decoder, which takes bytes in pieces of any size, or by a reader of a
//! container; most formats can be written as well. [`FORMATS`](crate::FORMATS) lists all of them.
//!
//! The public decoders here are those for data that needs no header, as it comes from a camera: words
//! of EVT, records of DAT and of ATIS `.bin`. If the header of a format says how to decode the data,
//! use [`Recording::from_bytes`](crate::Recording::from_bytes) for bytes in memory, and
//! [`Recording::from_reader`](crate::Recording::from_reader) for a pipe or a socket.

pub mod aedat;
pub mod atis;
pub mod csv;
pub mod es;
#[cfg(feature = "hdf5")]
pub mod hdf5;
pub mod matlab;
pub mod mcap;
pub mod numpy;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod prophesee;
mod ros;
pub mod rosbag;

pub use atis::AtisBinDecoder;
pub use prophesee::dat::{DatDecoder, DatVersion};
pub use prophesee::ecf::decode_ecf_chunk;
pub use prophesee::evt2::Evt2Decoder;
pub use prophesee::evt3::Evt3Decoder;
pub use prophesee::evt21::Evt21Decoder;
