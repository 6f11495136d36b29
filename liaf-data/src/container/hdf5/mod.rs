//! HDF5 files in chunks that are packed by us, on many threads, and written as they are.

mod chunk;
mod error;
mod flow;
mod pack;
mod thread;
mod whole;

pub(crate) use chunk::write_chunk;
pub(crate) use flow::Flow;
pub(crate) use pack::Chunk;
pub(crate) use thread::ChunkSink;
pub(crate) use whole::WholeFile;
