//! NumPy's `.npy` format: one array after a header in text.
//!
//! Source: NEP 1 and `numpy/lib/format.py`.

mod read;
mod write;

pub(crate) use read::{Dtype, Header, MAGIC, lengths};
pub(crate) use write::header;
