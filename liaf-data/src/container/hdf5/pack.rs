//! A chunk of a dataset, and its compression.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::container::deflate::{Deflate, DeflateLevel, Wrap};
use crate::error::{Error, Result};

/// A chunk and everything that is needed to compress it. Chunks are reused.
pub(crate) struct Chunk {
    /// Number of the chunk in the file, in the order in which chunks are written.
    pub(crate) index: u64,
    /// Number of the dataset that it belongs to, if there are several.
    pub(crate) dataset: usize,
    /// First row of the dataset that is in the chunk.
    pub(crate) first: u64,
    /// The cells of all rows of the chunk; empty if the chunk was never filled.
    pub(crate) raw: Vec<u8>,
    /// Size of a cell in bytes. If it is more than one, the bytes are shuffled before compression:
    /// all first bytes come first, then all second bytes, and so on. Small numbers then have their
    /// high bytes in long runs.
    pub(crate) cell: usize,
    /// Number of rows of a full chunk, for which `raw` has room.
    pub(crate) room: usize,
    /// Number of rows in `raw`.
    pub(crate) rows: usize,
    /// Whether the chunk has been written, if `outcome` is `Ok`.
    pub(crate) written: bool,
    /// The result of compressing and writing the chunk.
    pub(crate) outcome: Result<()>,
    packer: Option<Packer>,
}

struct Packer {
    shuffled: Vec<u8>,
    packed: Vec<u8>,
    deflate: Deflate,
}

impl Chunk {
    /// An empty chunk that is compressed if there is a `level`.
    pub(crate) fn new(level: Option<DeflateLevel>) -> Self {
        let packer = level.map(|level| Packer {
            shuffled: Vec::new(),
            packed: Vec::new(),
            deflate: Deflate::new(level, Wrap::Zlib),
        });
        Self {
            index: 0,
            dataset: 0,
            first: 0,
            raw: Vec::new(),
            cell: 1,
            room: 0,
            rows: 0,
            written: false,
            outcome: Ok(()),
            packer,
        }
    }

    /// Compresses `raw`, if the chunk is to be compressed. A panic becomes an error in `outcome`,
    /// so that it reaches the thread that waits for this chunk.
    pub(crate) fn pack(&mut self) {
        if let Some(packer) = &mut self.packer {
            self.outcome = catch_unwind(AssertUnwindSafe(|| packer.pack(&self.raw, self.cell)))
                .unwrap_or_else(|_| Err(lost("the compressor panicked")));
        }
    }

    /// The bytes as they are stored in the file.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.packer.as_ref().map_or(&self.raw, |packer| &packer.packed)
    }
}

impl Packer {
    fn pack(&mut self, raw: &[u8], cell: usize) -> Result<()> {
        // Shifts instead of indices allow the compiler to vectorise this.
        let shuffled = &mut self.shuffled;
        match cell {
            2 => shuffle(raw, shuffled, |cell, byte| (u16::from_le_bytes(cell) >> byte) as u8),
            4 => shuffle(raw, shuffled, |cell, byte| (u32::from_le_bytes(cell) >> byte) as u8),
            8 => shuffle(raw, shuffled, |cell, byte| (u64::from_le_bytes(cell) >> byte) as u8),
            _ => return self.deflate.pack(raw, &mut self.packed),
        }
        self.deflate.pack(shuffled, &mut self.packed)
    }
}

/// Writes the first bytes of all cells of `N` bytes, then the second bytes, and so on. `byte`
/// returns the byte of a cell that starts at a bit.
fn shuffle<const N: usize>(raw: &[u8], out: &mut Vec<u8>, byte: impl Fn([u8; N], u32) -> u8) {
    let cells = raw.as_chunks::<N>().0;
    out.resize(raw.len(), 0);
    for (plane, bit) in out.chunks_exact_mut(cells.len().max(1)).zip((0..).step_by(8)) {
        for (slot, &cell) in plane.iter_mut().zip(cells) {
            *slot = byte(cell, bit);
        }
    }
}

/// The error for a chunk that was not returned as it should have been.
pub(crate) fn lost(why: &str) -> Error {
    Error::system("a chunk was lost", std::io::Error::other(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffling_sorts_bytes_by_place() {
        let (mut packer, raw) =
            (Chunk::new(Some(DeflateLevel::Runs)).packer.unwrap(), [1, 2, 3, 4, 5, 6, 7, 8]);
        for (cell, shuffled) in
            [(2, [1, 3, 5, 7, 2, 4, 6, 8]), (4, [1, 5, 2, 6, 3, 7, 4, 8]), (8, raw)]
        {
            packer.pack(&raw, cell).unwrap();
            assert_eq!(packer.shuffled, shuffled);
        }
        packer.pack(&[raw, raw].concat(), 8).unwrap();
        assert_eq!(packer.shuffled, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8]);
    }
}
