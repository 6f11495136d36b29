//! A frame: a window of time and its cells, stored densely or sparsely.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::names::names;

/// The type of the cells of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// Unsigned 8-bit counts, saturating.
    U8,
    /// Unsigned 16-bit counts, saturating.
    #[default]
    U16,
    /// Signed 16-bit sums, saturating.
    I16,
    /// 32-bit floating point.
    F32,
}

impl Dtype {
    /// Size of one cell in bytes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::F32 => 4,
        }
    }
}

names!(Dtype, "unknown cell type", U8 = "u8", U16 = "u16", I16 = "i16", F32 = "f32");

/// Number of channels, rows and columns of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameShape {
    /// C: 2 if OFF and ON are separate, 1 if polarity is merged or signed.
    pub channels: usize,
    /// H: number of rows.
    pub height: usize,
    /// W: number of columns.
    pub width: usize,
}

impl FrameShape {
    /// Number of cells, `C * H * W`.
    pub const fn cells(self) -> usize {
        self.channels * self.height * self.width
    }
}

/// A half-open interval of time in µs: `start <= t < end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// First µs that belongs to the window.
    pub start: i64,
    /// First µs after the window.
    pub end: i64,
}

/// The values of cells, all of one type.
#[derive(Debug, Clone, PartialEq)]
pub enum CellValues {
    /// Unsigned 8-bit.
    U8(Vec<u8>),
    /// Unsigned 16-bit.
    U16(Vec<u16>),
    /// Signed 16-bit.
    I16(Vec<i16>),
    /// 32-bit floating point.
    F32(Vec<f32>),
}

/// Runs the same code on cells of every type. `CellValues` must be in scope.
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

impl CellValues {
    /// `n` cells that are zero.
    pub fn zeros(dtype: Dtype, n: usize) -> Self {
        match dtype {
            Dtype::U8 => Self::U8(vec![0; n]),
            Dtype::U16 => Self::U16(vec![0; n]),
            Dtype::I16 => Self::I16(vec![0; n]),
            Dtype::F32 => Self::F32(vec![0.0; n]),
        }
    }

    /// The type of the cells.
    pub fn dtype(&self) -> Dtype {
        match self {
            Self::U8(_) => Dtype::U8,
            Self::U16(_) => Dtype::U16,
            Self::I16(_) => Dtype::I16,
            Self::F32(_) => Dtype::F32,
        }
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        each_type!(self, cells => cells.len())
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of cells that are not zero.
    pub(crate) fn nonzero(&self) -> usize {
        fn count<T: Default + PartialEq>(cells: &[T]) -> usize {
            cells.iter().filter(|&cell| *cell != T::default()).count()
        }
        each_type!(self, cells => count(cells))
    }

    /// Calls `put` with the index of every value in this list and the value itself, in order.
    fn each_number(&self, mut put: impl FnMut(usize, f32)) {
        match self {
            Self::U8(cells) => (0..).zip(cells).for_each(|(i, &cell)| put(i, cell.into())),
            Self::U16(cells) => (0..).zip(cells).for_each(|(i, &cell)| put(i, cell.into())),
            Self::I16(cells) => (0..).zip(cells).for_each(|(i, &cell)| put(i, cell.into())),
            Self::F32(cells) => (0..).zip(cells).for_each(|(i, &cell)| put(i, cell)),
        }
    }

    /// Sum of all cells.
    pub fn sum(&self) -> f64 {
        match self {
            Self::U8(cells) => cells.iter().map(|&cell| u64::from(cell)).sum::<u64>() as f64,
            Self::U16(cells) => cells.iter().map(|&cell| u64::from(cell)).sum::<u64>() as f64,
            Self::I16(cells) => cells.iter().map(|&cell| i64::from(cell)).sum::<i64>() as f64,
            Self::F32(cells) => cells.iter().map(|&cell| f64::from(cell)).sum(),
        }
    }
}

/// The cells of one frame of shape `[C, H, W]`, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// All cells: `C * H * W` values.
    Dense(CellValues),
    /// Only the cells that are not zero.
    Sparse {
        /// Indices of these cells in the dense frame, ascending.
        index: Vec<u32>,
        /// The values of these cells, in the same order.
        cells: CellValues,
    },
}

impl Cells {
    /// Writes the values of all `C * H * W` cells into `dense`; cells that are not stored are zero.
    ///
    /// ```
    /// use liaf_data::frames::{CellValues, Cells};
    /// let mut dense = [7.0; 4];
    /// Cells::Sparse { index: vec![2], cells: CellValues::U8(vec![3]) }.fill(&mut dense);
    /// assert_eq!(dense, [0.0, 0.0, 3.0, 0.0]);
    /// ```
    pub fn fill(&self, dense: &mut [f32]) {
        let (index, cells) = match self {
            Self::Dense(cells) => (None, cells),
            Self::Sparse { index, cells } => (Some(index), cells),
        };
        dense.fill(0.0);
        cells.each_number(|i, number| {
            let at = index.map_or(Some(i), |index| index.get(i).map(|&at| at as usize));
            if let Some(cell) = at.and_then(|at| dense.get_mut(at)) {
                *cell = number;
            }
        });
    }
}

/// One frame: its window, its shape and its cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Start and end of the frame in µs.
    pub window: Window,
    /// The shape of the frame, `[C, H, W]`.
    pub shape: FrameShape,
    /// The cells.
    pub cells: Cells,
}

impl Frame {
    /// A frame of zeros whose window is empty.
    pub fn zeros(shape: FrameShape, dtype: Dtype) -> Self {
        let cells = Cells::Dense(CellValues::zeros(dtype, shape.cells()));
        Self { window: Window { start: 0, end: 0 }, shape, cells }
    }

    /// The lengths of the axes, `[C, H, W]`.
    pub fn shape(&self) -> [usize; 3] {
        let FrameShape { channels, height, width } = self.shape;
        [channels, height, width]
    }

    /// The type of the cells.
    pub fn dtype(&self) -> Dtype {
        match &self.cells {
            Cells::Dense(cells) | Cells::Sparse { cells, .. } => cells.dtype(),
        }
    }

    /// The same frame with only the cells that are not zero.
    pub fn to_sparse(&self) -> Self {
        fn pick<T: Copy + Default + PartialEq>(cells: &[T]) -> (Vec<u32>, Vec<T>) {
            let numbered = (0..).zip(cells.iter().copied());
            numbered.filter(|&(_, cell)| cell != T::default()).unzip()
        }
        let Cells::Dense(cells) = &self.cells else { return self.clone() };
        let (index, cells) = match cells {
            CellValues::U8(cells) => on(pick(cells), CellValues::U8),
            CellValues::U16(cells) => on(pick(cells), CellValues::U16),
            CellValues::I16(cells) => on(pick(cells), CellValues::I16),
            CellValues::F32(cells) => on(pick(cells), CellValues::F32),
        };
        Self { cells: Cells::Sparse { index, cells }, ..*self }
    }

    /// The same frame with all its cells. Sparse indices outside the frame are ignored.
    pub fn into_dense(self) -> Self {
        fn put<T: Copy + Default>(n: usize, index: &[u32], cells: &[T]) -> Vec<T> {
            let mut dense = vec![T::default(); n];
            for (&at, &cell) in index.iter().zip(cells) {
                if let Some(slot) = dense.get_mut(at as usize) {
                    *slot = cell;
                }
            }
            dense
        }
        let Self { window, shape, cells } = self;
        let n = shape.cells();
        let cells = match cells {
            Cells::Dense(cells) => cells,
            Cells::Sparse { index, cells } => match cells {
                CellValues::U8(cells) => CellValues::U8(put(n, &index, &cells)),
                CellValues::U16(cells) => CellValues::U16(put(n, &index, &cells)),
                CellValues::I16(cells) => CellValues::I16(put(n, &index, &cells)),
                CellValues::F32(cells) => CellValues::F32(put(n, &index, &cells)),
            },
        };
        Self { window, shape, cells: Cells::Dense(cells) }
    }

    /// All `C * H * W` cells, row-major, as f32, which represents every value of the other types
    /// exactly.
    pub fn to_f32(&self) -> Vec<f32> {
        let mut dense = vec![0.0; self.shape.cells()];
        self.cells.fill(&mut dense);
        dense
    }
}

/// Applies `wrap` to the second value of a pair.
fn on<A, B, C>((a, b): (A, B), wrap: impl FnOnce(B) -> C) -> (A, C) {
    (a, wrap(b))
}
