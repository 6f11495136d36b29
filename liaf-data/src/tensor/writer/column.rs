//! Tensors that are being written.

use crate::io::Spool;
use crate::tensor::ElementType;

/// The first axis of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// As many rows as are appended.
    Growing,
    /// Exactly this number of rows.
    Fixed(usize),
    /// There is no axis of rows: the tensor is a single row. If the row has no axes either, the tensor
    /// is a scalar.
    Single,
}

/// A tensor of a [`TensorFileWriter`](super::TensorFileWriter).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorId(pub(super) usize);

/// A tensor that is being written.
#[derive(Debug)]
pub(super) struct Column {
    pub name: String,
    pub element: ElementType,
    pub rows: Rows,
    /// Shape of a row.
    pub row: Vec<u64>,
    /// Size of a row in bytes.
    pub row_bytes: u64,
    /// Number of bytes appended so far.
    pub bytes: u64,
    /// The bytes, unless they are written straight into the file.
    pub spool: Option<Spool>,
}

impl Column {
    /// The shape if there are no further rows.
    pub fn shape(&self) -> Vec<u64> {
        let first = match self.rows {
            Rows::Growing => Some(self.bytes / self.row_bytes.max(1)),
            Rows::Fixed(rows) => Some(rows as u64),
            Rows::Single => None,
        };
        first.into_iter().chain(self.row.iter().copied()).collect()
    }

    /// The size in bytes that the tensor must have, if it is known.
    pub fn fixed_bytes(&self) -> Option<u64> {
        match self.rows {
            Rows::Growing => None,
            Rows::Fixed(rows) => Some(self.row_bytes.saturating_mul(rows as u64)),
            Rows::Single => Some(self.row_bytes),
        }
    }
}
