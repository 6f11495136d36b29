//! What a frame is: a window of time and its cells, dense or sparse.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::names::names;

/// Type of one cell of a frame.
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
    /// Bytes of one cell.
    pub const fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::F32 => 4,
        }
    }
}

names!(Dtype, "not a cell type", U8 = "u8", U16 = "u16", I16 = "i16", F32 = "f32");

/// Channels, rows and columns of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameShape {
    /// C: 2 for OFF and ON apart, 1 for merged or signed polarity.
    pub channels: usize,
    /// H: rows.
    pub height: usize,
    /// W: columns.
    pub width: usize,
}

impl FrameShape {
    /// Number of cells, `C * H * W`.
    pub const fn cells(self) -> usize {
        self.channels * self.height * self.width
    }
}

/// A half-open stretch of time in µs: `start <= t < end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// First µs that belongs to it.
    pub start: i64,
    /// First µs that does not.
    pub end: i64,
}

/// Values of cells, all of one type.
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

impl CellValues {
    /// `n` cells of zero.
    pub fn zeros(dtype: Dtype, n: usize) -> Self {
        match dtype {
            Dtype::U8 => Self::U8(vec![0; n]),
            Dtype::U16 => Self::U16(vec![0; n]),
            Dtype::I16 => Self::I16(vec![0; n]),
            Dtype::F32 => Self::F32(vec![0.0; n]),
        }
    }

    /// The type of every cell.
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
        match self {
            Self::U8(cells) => cells.len(),
            Self::U16(cells) => cells.len(),
            Self::I16(cells) => cells.len(),
            Self::F32(cells) => cells.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives `put` every cell's place in this list and its number, in order.
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
    /// Every cell: `C * H * W` values.
    Dense(CellValues),
    /// The cells that are not zero: their places in the dense frame, ascending, and their values.
    Sparse {
        /// SeekState, ascending.
        index: Vec<u32>,
        /// Values, one a place.
        cells: CellValues,
    },
}

impl Cells {
    /// Writes every cell as a number into `dense`, `C * H * W` of them, zeros where there is none.
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
            if let Some(place) = at.and_then(|at| dense.get_mut(at)) {
                *place = number;
            }
        });
    }
}

/// One frame: its window and its cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Start and end in µs.
    pub window: Window,
    /// CellValues of shape `[C, H, W]`.
    pub cells: Cells,
}
