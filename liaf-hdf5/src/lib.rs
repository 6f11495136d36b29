//! HDF5 files, read and written in safe Rust.
//!
//! No C library is needed, and no file is trusted: whatever the bytes are, the outcome is an error
//! that says what is wrong and at which byte, memory stays within [`Limits`], and no other file is
//! ever opened.

#![deny(missing_docs)]

mod datatype;
mod error;
mod filter;
mod limits;
mod read;
mod source;
pub mod write;

pub use datatype::{Datatype, Member, Number, NumberKind, Padding};
pub use error::{Error, ErrorKind, Result};
pub use filter::{Filter, Scratch};
pub use limits::Limits;
pub use read::{Attribute, Buffers, Chunk, Chunks, Dataset, Extent, File, Group, Object};
pub use source::Source;
pub use write::{ChunkedDataset, DatasetId, Element, ElementType, FileWriter, Output};
