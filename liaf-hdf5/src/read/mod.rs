//! Reading of HDF5 files.

mod attributes;
mod budget;
mod bytes;
mod checksum;
mod chunk_reader;
mod chunks;
mod dataset;
mod file;
mod group;
mod header;
mod heap;
#[cfg(test)]
mod hostile;
mod links;
mod message;
mod slab;
mod storage;
mod superblock;
mod tree;
mod values;

pub use attributes::Attribute;
pub use chunk_reader::{Buffers, Chunk, Chunks};
pub use dataset::Dataset;
pub use file::File;
pub use group::{Group, Object};
pub use message::dataspace::Extent;
