//! HDF5 files whose chunks are compressed by this crate, on many threads, and written directly.

mod chunk;
mod error;
mod flow;
mod pack;
mod read;
mod thread;
mod whole;

pub(crate) use chunk::write_chunk;
pub(crate) use flow::Flow;
pub(crate) use pack::Chunk;
pub(crate) use read::{Shared, error, open};
pub(crate) use thread::ChunkSink;
pub(crate) use whole::WholeFile;
