//! Cells that are numbers: exact counting, detection of cells that reached the limit of their type, and
//! an accumulator of such cells.

use super::{Accumulator, CellOptions, Closed, Placed};
use crate::frames::frame::each_type;
use crate::frames::{CellValues, Cells, Frame, FrameShape, Window};

/// A type of number that can count exactly up to `MAX`.
pub(super) trait Cell: Copy + PartialEq {
    const MAX: Self;
    const ZERO: Self;
    const ONE: Self;

    /// Adds 1 to a number that is below `MAX`.
    fn up(self) -> Self;

    /// This count, or `MAX` if it is larger.
    fn of_count(count: u32) -> Self;

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

            fn of_count(count: u32) -> Self {
                Self::try_from(count).unwrap_or(Self::MAX)
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

    fn of_count(count: u32) -> Self {
        Self::try_from(count).unwrap_or(Self::MAX)
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

    fn of_count(count: u32) -> Self {
        (count as Self).min(<Self as Cell>::MAX)
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
    pub fn mark(&mut self, index: u32, cells: usize) {
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

/// The accumulator of a representation whose cells are numbers that each event changes by 1. It reuses
/// the memory of one frame.
#[derive(Debug)]
pub(super) struct Numbers {
    frame: Frame,
    lost: Lost,
    /// Adds events, given by their indices, to the cells.
    add: fn(&mut CellValues, &[u32], &mut Lost),
    /// Number of the lowest bits of an index that do not belong to the index of the cell.
    polarity_bits: u32,
}

impl Numbers {
    /// Cells that are zero.
    pub fn new(
        options: &CellOptions,
        shape: FrameShape,
        polarity_bits: u32,
        add: fn(&mut CellValues, &[u32], &mut Lost),
    ) -> Self {
        let frame = Frame::zeros(shape, options.dtype);
        Self { frame, lost: Lost::default(), add, polarity_bits }
    }
}

impl Accumulator for Numbers {
    fn add(&mut self, events: Placed<'_>) {
        if let Cells::Dense(cells) = &mut self.frame.cells {
            (self.add)(cells, events.index, &mut self.lost);
        }
    }

    fn close(&mut self, window: Window) -> Closed<'_> {
        self.frame.window = window;
        Closed { frame: &self.frame, saturated_cells: self.lost.cells }
    }

    fn clear(&mut self, touched: Option<&[u32]>) {
        self.lost.clear();
        if let Cells::Dense(values) = &mut self.frame.cells {
            each_type!(values, cells => clear(cells, touched, self.polarity_bits));
        }
    }
}

/// Sets the cells with these indices to zero, or all of them.
fn clear<C: Cell>(cells: &mut [C], touched: Option<&[u32]>, polarity_bits: u32) {
    match touched {
        None => cells.fill(C::ZERO),
        Some(touched) => touched.iter().for_each(|index| {
            if let Some(cell) = cells.get_mut((index >> polarity_bits) as usize) {
                *cell = C::ZERO;
            }
        }),
    }
}
