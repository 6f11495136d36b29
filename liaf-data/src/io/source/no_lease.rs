//! Systems without leases: no lease is ever granted, so files are read, not mapped.

use std::fs::File;
use std::io;

/// A lease that cannot be had.
pub(crate) enum Lease {}

impl Lease {
    /// Always refused.
    pub(crate) fn take(_file: &File) -> io::Result<Self> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    /// Never called: there is no lease.
    pub(crate) fn begin(&self) -> Option<()> {
        match *self {}
    }
}
