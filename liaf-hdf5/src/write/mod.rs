//! Writing of HDF5 files.
//!
//! A [`FileWriter`] goes forward through its [`Output`]: data is appended as it comes, in bounded
//! memory, and the length of a growing dataset need not be known before the end. What it writes is
//! the oldest form of HDF5 (superblock 0, object headers 1, groups as symbol tables, B-trees of
//! version 1), which all versions of the library read, and extend. There is no time in it: the same
//! calls give the same bytes.
//!
//! ```
//! use std::io::Cursor;
//! use liaf_hdf5::{ChunkedDataset, ElementType, FileWriter};
//!
//! # fn main() -> liaf_hdf5::Result<()> {
//! let mut file = FileWriter::new(Cursor::new(Vec::new()))?;
//! let events = ChunkedDataset::new(ElementType::U16, &[0], &[4]).growing();
//! let x = file.create_dataset("events/x", events)?;
//! file.resize(x, 4)?;
//! file.write_chunk(x, &[0], &[1, 0, 2, 0, 3, 0, 4, 0], 0)?;
//! file.resize(x, 5)?;
//! file.write_chunk(x, &[4], &[5, 0, 0, 0, 0, 0, 0, 0], 0)?;
//!
//! file.dataset("weights", &[0.5f32, 0.25], &[2, 1])?;
//! file.strings("edges", &["input", "output"], &[1, 2])?;
//! file.text_attribute("/", "made_by", "an example")?;
//! file.attribute("events", "width", 346u16)?;
//! let (cursor, bytes) = file.finish()?;
//! assert_eq!(cursor.get_ref().len() as u64, bytes);
//! # Ok(())
//! # }
//! ```
//!
//! In the file come first 96 bytes for the superblock, then data, and at the end, for each object,
//! the tree of its chunks or the nodes of its members, and its header. Sections are those of the
//! "HDF5 File Format Specification Version 3.0" of The HDF Group; each file here has the byte
//! layout of one of them.

mod attribute;
mod btree;
mod chunks;
mod dataset;
mod dataspace;
mod element;
mod file;
mod filters;
mod finish;
mod group;
mod header;
mod name;
mod objects;
mod output;
mod strings;
mod superblock;

pub use dataset::ChunkedDataset;
pub use element::{Element, ElementType};
pub use file::{DatasetId, FileWriter};
pub use output::Output;
