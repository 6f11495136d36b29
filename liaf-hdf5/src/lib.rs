//! HDF5 files, read and written in safe Rust.

mod error;
mod filter;
pub mod write;

pub use error::{Error, ErrorKind, Result};
pub use filter::Filter;
pub use write::{ChunkedDataset, DatasetId, Element, ElementType, FileWriter, Output};
