//! Systems without leases: no lease is ever granted, so that files are read instead of mapped.

use std::fs::File;
use std::io;

/// A lease that cannot exist.
pub(crate) enum Lease {}

impl Lease {
    /// Always returns an error.
    pub(crate) fn take(_file: &File) -> io::Result<Self> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    /// Never called, as there is no lease.
    pub(crate) fn begin(&self) -> Option<()> {
        match *self {}
    }
}
