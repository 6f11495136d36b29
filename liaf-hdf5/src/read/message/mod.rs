//! The messages of object headers, one a file. Specification: HDF5 File Format 3.0, section IV.A.2.

pub(crate) mod dataspace;
pub(crate) mod datatype;
pub(crate) mod fill;
pub(crate) mod filters;
pub(crate) mod layout;
pub(crate) mod link;
