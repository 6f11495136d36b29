//! What filters keep between chunks, so that they allocate nothing in the long run.

use super::deflate::Inflater;
use super::zstd::Zstd;

/// Decompressors and buffers. One thread uses one.
#[derive(Default)]
pub(super) struct Decoders {
    pub(super) inflater: Inflater,
    pub(super) zstd: Zstd,
    /// One block, decompressed and still shuffled.
    pub(super) block: Vec<u8>,
    /// One block in planes of bytes, between two steps of a shuffle of bits.
    pub(super) planes: Vec<u8>,
}
