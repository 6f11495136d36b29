//! One record of Prophesee's `/CD/events`, as wide as any type of its members.

/// Members by their names; the library widens what is stored.
#[derive(hdf5::H5Type, Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Record {
    pub t: i64,
    pub x: i64,
    pub y: i64,
    pub p: i64,
}
