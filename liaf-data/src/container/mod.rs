//! Container formats that events and tensors share, each with its reading and its writing side.

pub(crate) mod deflate;
#[cfg(feature = "hdf5")]
pub(crate) mod hdf5;
pub(crate) mod npy;
pub(crate) mod npz;
pub(crate) mod unpack;
pub(crate) mod zip;
