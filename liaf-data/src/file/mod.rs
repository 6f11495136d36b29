//! Files that appear whole under their name or not at all, and what several kinds of them are made of.

mod atomic;
mod deflate;
#[cfg(feature = "hdf5")]
pub(crate) mod h5;
mod npy;
mod npz;
mod stale;
mod zip;

pub use atomic::AtomicFile;
pub(crate) use deflate::Effort;
#[cfg(feature = "hdf5")]
pub(crate) use deflate::{Deflate, Wrap};
pub(crate) use npy::header as npy_header;
pub(crate) use npz::Array as NpzArray;
pub(crate) use zip::Zip;
