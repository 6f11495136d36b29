//! A record of Prophesee's `/CD/events`. Each member has the widest type that files use for it.

/// The members are found by their names; the library converts the stored types.
#[derive(hdf5::H5Type, Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Record {
    pub t: i64,
    pub x: i64,
    pub y: i64,
    pub p: i64,
}
