//! Adding events to cells. Cells never overflow: a cell that cannot count an event is reported.

use super::{CellValues, FrameOptions, Polarity, Representation};

/// What an event does to its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Add {
    /// Adds 1.
    Count,
    /// Sets the cell to 1.
    Binary,
    /// Adds 1 for ON, subtracts 1 for OFF.
    Signed,
}

impl Add {
    pub fn new(options: &FrameOptions) -> Self {
        match (options.cells, options.polarity) {
            (Representation::Binary, _) => Self::Binary,
            (Representation::Count, Polarity::Signed) => Self::Signed,
            (Representation::Count, Polarity::Split | Polarity::Merged) => Self::Count,
        }
    }

    /// Adds one event to each of the cells with these indices. If `self` is `Signed`, the lowest
    /// bit of an index is the polarity and the others are the index of the cell.
    pub fn apply(self, cells: &mut CellValues, indices: &[u32], lost: &mut Lost) {
        match cells {
            CellValues::U8(cells) => self.to(cells, indices, lost),
            CellValues::U16(cells) => self.to(cells, indices, lost),
            CellValues::I16(cells) => self.to(cells, indices, lost),
            CellValues::F32(cells) => self.to(cells, indices, lost),
        }
    }

    /// Sets the cells with these indices to zero.
    pub fn clear_at(self, cells: &mut CellValues, indices: &[u32]) {
        match cells {
            CellValues::U8(cells) => self.zero(cells, indices),
            CellValues::U16(cells) => self.zero(cells, indices),
            CellValues::I16(cells) => self.zero(cells, indices),
            CellValues::F32(cells) => self.zero(cells, indices),
        }
    }

    fn zero<C: Cell>(self, cells: &mut [C], indices: &[u32]) {
        let doubled = u32::from(self == Self::Signed);
        for &index in indices {
            if let Some(cell) = cells.get_mut((index >> doubled) as usize) {
                *cell = C::ZERO;
            }
        }
    }

    fn to<C: Cell>(self, cells: &mut [C], indices: &[u32], lost: &mut Lost) {
        let n = cells.len();
        match self {
            Self::Count => {
                for &index in indices {
                    match cells.get_mut(index as usize) {
                        Some(cell) if *cell != C::MAX => *cell = cell.up(),
                        _ => lost.mark(index, n),
                    }
                }
            }
            Self::Binary => {
                for &index in indices {
                    if let Some(cell) = cells.get_mut(index as usize) {
                        *cell = C::ONE;
                    }
                }
            }
            Self::Signed => {
                for &index in indices {
                    let Some(cell) = cells.get_mut((index >> 1) as usize) else { continue };
                    let before = *cell;
                    *cell = before.step(index & 1 == 1);
                    if *cell == before {
                        lost.mark(index >> 1, n);
                    }
                }
            }
        }
    }
}

/// A type of number that can count exactly up to `MAX`.
trait Cell: Copy + PartialEq {
    const MAX: Self;
    const ZERO: Self;
    const ONE: Self;

    /// Adds 1 to a number that is below `MAX`.
    fn up(self) -> Self;

    /// Adds or subtracts 1; at the limit of the type, the number stays the same.
    fn step(self, up: bool) -> Self;
}

macro_rules! unsigned_cell {
    ($($number:ty),+) => {$(
        impl Cell for $number {
            const MAX: Self = <$number>::MAX;
            const ZERO: Self = 0;
            const ONE: Self = 1;

            fn up(self) -> Self {
                self.wrapping_add(1)
            }

            fn step(self, up: bool) -> Self {
                if up { self.saturating_add(1) } else { self.saturating_sub(1) }
            }
        }
    )+};
}

unsigned_cell!(u8, u16);

impl Cell for i16 {
    const MAX: Self = Self::MAX;
    const ZERO: Self = 0;
    const ONE: Self = 1;

    fn up(self) -> Self {
        self.wrapping_add(1)
    }

    fn step(self, up: bool) -> Self {
        self.saturating_add(2 * Self::from(up) - 1)
    }
}

impl Cell for f32 {
    const MAX: Self = 16_777_216.0;
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn up(self) -> Self {
        self + 1.0
    }

    fn step(self, up: bool) -> Self {
        (self + (2.0 * Self::from(u8::from(up)) - 1.0))
            .clamp(-<Self as Cell>::MAX, <Self as Cell>::MAX)
    }
}

/// The cells of one frame that could not count one of their events. Each cell is counted once.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// One bit for each cell; empty until the first cell is lost.
    bits: Vec<u64>,
    /// Number of such cells.
    pub cells: u64,
}

impl Lost {
    #[cold]
    fn mark(&mut self, index: u32, cells: usize) {
        self.bits.resize(cells / 64 + 1, 0);
        if let Some(word) = self.bits.get_mut(index as usize / 64) {
            let bit = 1 << (index % 64);
            self.cells += u64::from(*word & bit == 0);
            *word |= bit;
        }
    }

    pub fn clear(&mut self) {
        if self.cells > 0 {
            self.bits.fill(0);
            self.cells = 0;
        }
    }
}

/// Sets every cell to zero.
pub(super) fn clear(cells: &mut CellValues) {
    match cells {
        CellValues::U8(cells) => cells.fill(0),
        CellValues::U16(cells) => cells.fill(0),
        CellValues::I16(cells) => cells.fill(0),
        CellValues::F32(cells) => cells.fill(0.0),
    }
}
