//! Containers that events and tensors share, the reading and the writing side of each together.

pub(crate) mod deflate;
#[cfg(feature = "hdf5")]
pub(crate) mod hdf5;
pub(crate) mod npy;
pub(crate) mod npz;
pub(crate) mod zip;
