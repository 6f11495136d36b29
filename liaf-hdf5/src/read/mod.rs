//! Reading of HDF5 files.

mod attributes;
mod bytes;
mod checksum;
mod chunks;
mod dataset;
mod file;
mod group;
mod header;
mod heap;
mod links;
mod message;
mod storage;
mod superblock;
mod tree;
mod values;

pub use attributes::Attribute;
pub use dataset::{Chunk, Chunks, Dataset};
pub use file::File;
pub use group::{Group, Object};
pub use message::dataspace::Extent;
