//! Which tiles a plane consists of, and which of them are processed together.

use std::ops::Range;

/// Number of tiles in a block, unless one row has more.
const BLOCK: usize = 48;

/// The output of a convolution, or the gradient with respect to it, in tiles of 2×2.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tiling {
    /// Number of steps.
    pub steps: usize,
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Number of rows and columns of tiles in one plane. The last ones may reach beyond the plane.
    pub tiles: [usize; 2],
    /// Number of rows of tiles in a block.
    block: usize,
}

/// Rows of tiles of one step that are in one block.
#[derive(Debug)]
pub(super) struct Run {
    pub step: usize,
    pub rows: Range<usize>,
    /// Index, in the block, of the first tile.
    pub first: usize,
}

impl Tiling {
    pub(super) fn new(output: [usize; 2], steps: usize) -> Self {
        let tiles = output.map(|size| size.div_ceil(2));
        let rows = steps * tiles[0];
        let most = (BLOCK / tiles[1].max(1)).max(1);
        // Blocks of equal size, up to one row.
        let block = rows.div_ceil(rows.div_ceil(most).max(1)).max(1);
        Self { steps, output, tiles, block }
    }

    /// The most tiles in a block.
    pub(super) fn most_tiles(&self) -> usize {
        self.block * self.tiles[1]
    }

    /// The most rows of tiles in a run.
    pub(super) fn most_rows(&self) -> usize {
        self.block.min(self.tiles[0])
    }

    /// The rows of tiles of each block, counted through all steps.
    pub(super) fn blocks(self) -> impl Iterator<Item = Range<usize>> {
        let end = self.steps * self.tiles[0];
        (0..end).step_by(self.block).map(move |start| start..(start + self.block).min(end))
    }

    /// The runs of a block.
    pub(super) fn runs(self, block: Range<usize>) -> impl Iterator<Item = Run> {
        let [height, width] = self.tiles;
        (block.start / height..block.end.div_ceil(height)).map(move |step| {
            let from = block.start.max(step * height);
            let to = block.end.min((step + 1) * height);
            let rows = from - step * height..to - step * height;
            Run { step, rows, first: (from - block.start) * width }
        })
    }
}
