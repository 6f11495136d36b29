//! Writing of HDF5 files.
