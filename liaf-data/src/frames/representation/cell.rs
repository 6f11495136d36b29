//! Numbers that count exactly, and the cells of a frame that cannot count any further.

use super::super::{CellValues, Cells, Frame};

/// A type of number that can count exactly up to `MAX`.
pub(super) trait Cell: Copy + PartialEq {
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

/// Runs the same code on cells of every type.
macro_rules! each_type {
    ($values:expr, $cells:ident => $work:expr) => {
        match $values {
            CellValues::U8($cells) => $work,
            CellValues::U16($cells) => $work,
            CellValues::I16($cells) => $work,
            CellValues::F32($cells) => $work,
        }
    };
}
pub(super) use each_type;

/// The dense cells of a frame. Frames that accumulators make are dense.
pub(super) fn dense(frame: &mut Frame) -> Option<&mut CellValues> {
    match &mut frame.cells {
        Cells::Dense(cells) => Some(cells),
        Cells::Sparse { .. } => None,
    }
}

/// Sets the cells with these indices to zero, or all of them.
pub(super) fn clear(frame: &mut Frame, touched: Option<impl Iterator<Item = u32>>) {
    fn zero<C: Cell>(cells: &mut [C], touched: Option<impl Iterator<Item = u32>>) {
        match touched {
            None => cells.fill(C::ZERO),
            Some(touched) => touched.for_each(|index| {
                if let Some(cell) = cells.get_mut(index as usize) {
                    *cell = C::ZERO;
                }
            }),
        }
    }
    if let Some(values) = dense(frame) {
        each_type!(values, cells => zero(cells, touched));
    }
}
