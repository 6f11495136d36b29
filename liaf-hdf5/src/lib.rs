//! HDF5 files, read and written in safe Rust.
//!
//! No C library is needed, and no file is trusted: whatever the bytes are, the outcome is an error
//! that says what is wrong and at which byte, memory stays within [`Limits`], and no other file is
//! ever opened. Links to other files, external storage and virtual datasets are refused by name.
//!
//! | to | use |
//! |---|---|
//! | open a file, bytes, or any other [`Source`] | [`File::open`], [`File::from_source`] |
//! | find groups, datasets and attributes | [`File::group`], [`File::dataset`], [`Group::names`], [`Dataset::attribute`] |
//! | read all values as numbers or texts | [`Dataset::integers`], [`Dataset::floats`], [`Dataset::texts`] |
//! | read values as they are stored, or a part of them | [`Dataset::read`], [`Dataset::read_rows`], [`Dataset::read_slab`] |
//! | find, read and unpack chunks one by one | [`Dataset::chunks`], [`Chunks`] |
//! | write a file | [`FileWriter`], [`mod@write`] |
//!
//! ```
//! use std::io::Cursor;
//! use liaf_hdf5::{File, FileWriter, Limits};
//!
//! # fn main() -> liaf_hdf5::Result<()> {
//! let mut writer = FileWriter::new(Cursor::new(Vec::new()))?;
//! writer.dataset("events/x", &[3u16, 1, 4], &[3])?;
//! writer.attribute("events", "width", 346u16)?;
//! let (bytes, _) = writer.finish()?;
//!
//! let file = File::from_source(Box::new(bytes.into_inner()), Limits::default())?;
//! let events = file.group("events")?;
//! assert_eq!(events.names()?, ["x"]);
//! assert_eq!(events.dataset("x")?.integers()?, [3, 1, 4]);
//! let width = events.attribute("width")?.expect("it was written");
//! assert_eq!(width.integers()?, [346]);
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `zstd` (on by default) chunks are read that are packed by Zstandard.

#![deny(missing_docs)]

mod datatype;
mod error;
mod filter;
#[cfg(test)]
mod judge;
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
