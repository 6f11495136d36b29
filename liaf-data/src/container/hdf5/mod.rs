//! HDF5 files whose chunks are compressed on many threads, and written in order.

mod file;
mod flow;
mod pack;
mod read;
mod thread;

pub(crate) use file::{Chunked, ChunkedFile, FileSpec};
pub(crate) use flow::Flow;
pub(crate) use pack::Chunk;
pub(crate) use read::{Shared, error, open, open_for};
pub(crate) use thread::ChunkSink;
