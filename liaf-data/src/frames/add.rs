//! Adding events to cells, without overflow and without a loss unsaid.

use super::{CellValues, FrameOptions, Polarity, Representation};

/// What an event does to its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Add {
    /// One more.
    Count,
    /// Sets it to 1.
    Binary,
    /// One more for ON, one less for OFF.
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

    /// Adds one event to each of `places`, which are doubled if `self` is signed.
    pub fn apply(self, cells: &mut CellValues, places: &[u32], lost: &mut Lost) {
        match cells {
            CellValues::U8(cells) => self.to(cells, places, lost),
            CellValues::U16(cells) => self.to(cells, places, lost),
            CellValues::I16(cells) => self.to(cells, places, lost),
            CellValues::F32(cells) => self.to(cells, places, lost),
        }
    }

    /// Sets the cells at `places` to zero.
    pub fn clear_at(self, cells: &mut CellValues, places: &[u32]) {
        match cells {
            CellValues::U8(cells) => self.zero(cells, places),
            CellValues::U16(cells) => self.zero(cells, places),
            CellValues::I16(cells) => self.zero(cells, places),
            CellValues::F32(cells) => self.zero(cells, places),
        }
    }

    fn zero<C: Cell>(self, cells: &mut [C], places: &[u32]) {
        let doubled = u32::from(self == Self::Signed);
        for &place in places {
            if let Some(cell) = cells.get_mut((place >> doubled) as usize) {
                *cell = C::ZERO;
            }
        }
    }

    fn to<C: Cell>(self, cells: &mut [C], places: &[u32], lost: &mut Lost) {
        let n = cells.len();
        match self {
            Self::Count => {
                for &place in places {
                    match cells.get_mut(place as usize) {
                        Some(cell) if *cell != C::MAX => *cell = cell.up(),
                        _ => lost.checkpoint(place, n),
                    }
                }
            }
            Self::Binary => {
                for &place in places {
                    if let Some(cell) = cells.get_mut(place as usize) {
                        *cell = C::ONE;
                    }
                }
            }
            Self::Signed => {
                for &place in places {
                    let Some(cell) = cells.get_mut((place >> 1) as usize) else { continue };
                    let before = *cell;
                    *cell = before.step(place & 1 == 1);
                    if *cell == before {
                        lost.checkpoint(place >> 1, n);
                    }
                }
            }
        }
    }
}

/// A number that counts exactly up to `MAX`.
trait Cell: Copy + PartialEq {
    const MAX: Self;
    const ZERO: Self;
    const ONE: Self;

    /// One more than a number below `MAX`.
    fn up(self) -> Self;

    /// One more or one less, or the same at the end.
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

/// The cells of one frame that lost something, each once.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// One bit a cell; empty until one is lost.
    bits: Vec<u64>,
    /// How many cells.
    pub cells: u64,
}

impl Lost {
    #[cold]
    fn checkpoint(&mut self, place: u32, cells: usize) {
        self.bits.resize(cells / 64 + 1, 0);
        if let Some(word) = self.bits.get_mut(place as usize / 64) {
            let bit = 1 << (place % 64);
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
