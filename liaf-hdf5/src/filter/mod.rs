//! Filters: how the bytes of a chunk are packed, and how they are unpacked again.
//!
//! A dataset in chunks has a pipeline of filters. On writing, each chunk goes through all of them
//! in order; on reading, they are undone from the last to the first by [`undo_all`]. Each filter is
//! one file of this folder, whose documentation gives the layout of the bytes. None of them trusts
//! the packed bytes: a damaged or hostile chunk is an error, and no result is larger than the
//! caller allows.
//!
//! Lengths, and not checksums, tell most damage: besides Fletcher-32, the checksums are those of
//! zlib, and of Zstandard where the writer asked for them.

mod bits;
mod bitshuffle;
mod blosc;
mod blosclz;
mod bytes;
mod decoders;
mod deflate;
mod fletcher32;
#[cfg(test)]
mod judge;
mod lz4;
mod lzf;
mod matches;
#[cfg(test)]
mod mutations;
mod names;
mod nbit;
mod pipeline;
mod scale_offset;
mod shuffle;
#[cfg(test)]
mod testing;
mod zstd;

pub use pipeline::Scratch;
pub(crate) use pipeline::undo_all;

/// One step of the filter pipeline of a dataset, as its header states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The number under which the filter is registered.
    pub id: u16,
    /// The name that the writer gave, if it gave one.
    pub name: Option<String>,
    /// Whether a chunk may do without the filter, for instance because packing made it larger.
    pub is_optional: bool,
    /// The parameters ("client data"), whose meaning depends on the filter.
    pub values: Vec<u32>,
}
