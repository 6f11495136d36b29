//! The formats: one folder each. The byte layout of a format is described in its module.
//!
//! A format reads with a decoder that takes bytes in pieces of any size, or with a reader of a
//! container; most are written as well. [`FORMATS`](crate::FORMATS) lists them all.

pub mod aedat;
pub mod atis;
pub mod csv;
pub mod es;
#[cfg(feature = "hdf5")]
pub mod hdf5;
pub mod matlab;
pub mod numpy;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod prophesee;

pub use aedat::v2::{Aedat1Decoder, Aedat2Decoder};
pub use aedat::v3::Aedat3Decoder;
pub use aedat::v4::Aedat4Decoder;
pub use atis::AtisBinDecoder;
pub use csv::CsvDecoder;
pub use es::EventStreamDecoder;
pub use prophesee::dat::{DatDecoder, DatVersion};
pub use prophesee::ecf::decode_ecf_chunk;
pub use prophesee::evt2::Evt2Decoder;
pub use prophesee::evt3::Evt3Decoder;
pub use prophesee::evt21::Evt21Decoder;
