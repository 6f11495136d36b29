//! One chunk of frames, and how it is packed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::file::{Deflate, Effort, Wrap};
use crate::{Error, Result};

/// How the bytes of a chunk are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packing {
    pub(super) effort: Effort,
    /// Bytes of a cell if first bytes are put with first bytes, second with second, and so on.
    pub(super) shuffle: Option<usize>,
}

/// A chunk and everything needed to pack it; used again and again.
pub(super) struct Chunk {
    /// Its place among the chunks of the file.
    pub(super) index: u64,
    /// The cells of as many frames as a chunk has; empty if the chunk was never filled.
    pub(super) raw: Vec<u8>,
    /// Frames a chunk; `raw` has room for as many.
    pub(super) room: usize,
    /// Frames that are in `raw`.
    pub(super) frames: usize,
    /// Whether it has been to the file, if `outcome` is good.
    pub(super) written: bool,
    /// What came of packing and writing it.
    pub(super) outcome: Result<()>,
    packer: Option<Packer>,
}

struct Packer {
    shuffle: Option<usize>,
    shuffled: Vec<u8>,
    packed: Vec<u8>,
    deflate: Deflate,
}

impl Chunk {
    /// An empty chunk that is to be packed, or not if `packing` is `None`.
    pub(super) fn new(packing: Option<Packing>) -> Self {
        let packer = packing.map(|packing| Packer {
            shuffle: packing.shuffle.filter(|&bytes| bytes > 1),
            shuffled: Vec::new(),
            packed: Vec::new(),
            deflate: Deflate::new(packing.effort, Wrap::Zlib),
        });
        Self {
            index: 0,
            raw: Vec::new(),
            room: 0,
            frames: 0,
            written: false,
            outcome: Ok(()),
            packer,
        }
    }

    /// Packs `raw`, if it is to be packed. A panic is an outcome like any other, as it must reach
    /// the one who waits for this chunk.
    pub(super) fn pack(&mut self) {
        if let Some(packer) = &mut self.packer {
            self.outcome = catch_unwind(AssertUnwindSafe(|| packer.pack(&self.raw)))
                .unwrap_or_else(|_| Err(lost("the compressor panicked")));
        }
    }

    /// The bytes as they stand in the file.
    pub(super) fn bytes(&self) -> &[u8] {
        self.packer.as_ref().map_or(&self.raw, |packer| &packer.packed)
    }
}

impl Packer {
    fn pack(&mut self, raw: &[u8]) -> Result<()> {
        let shuffled = &mut self.shuffled;
        match self.shuffle {
            Some(2) => shuffle(raw, shuffled, |cell| u16::from_le_bytes(cell).into()),
            Some(4) => shuffle(raw, shuffled, u32::from_le_bytes),
            _ => return self.deflate.pack(raw, &mut self.packed),
        }
        self.deflate.pack(shuffled, &mut self.packed)
    }
}

/// The first bytes of all cells of `N` bytes, then the second bytes, and so on.
fn shuffle<const N: usize>(raw: &[u8], out: &mut Vec<u8>, number: impl Fn([u8; N]) -> u32) {
    let cells = raw.as_chunks::<N>().0;
    out.resize(raw.len(), 0);
    for (byte, plane) in out.chunks_exact_mut(cells.len().max(1)).enumerate() {
        // Shifts instead of indices, so that the compiler takes many cells at a time.
        for (slot, &cell) in plane.iter_mut().zip(cells) {
            *slot = (number(cell) >> (8 * byte)) as u8;
        }
    }
}

/// A chunk did not come back as it should.
pub(super) fn lost(why: &str) -> Error {
    Error::system("a chunk was lost", std::io::Error::other(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffling_sorts_bytes_by_place() {
        let mut out = Vec::new();
        shuffle(&[1, 2, 3, 4, 5, 6], &mut out, |cell| u16::from_le_bytes(cell).into());
        assert_eq!(out, [1, 3, 5, 2, 4, 6]);
        shuffle(&[1, 2, 3, 4, 5, 6, 7, 8], &mut out, u32::from_le_bytes);
        assert_eq!(out, [1, 5, 2, 6, 3, 7, 4, 8]);
    }
}
