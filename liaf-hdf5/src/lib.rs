//! HDF5 files, read and written in safe Rust.

mod error;
mod filter;
mod write;

pub use error::{Error, ErrorKind, Result};
pub use filter::Filter;
