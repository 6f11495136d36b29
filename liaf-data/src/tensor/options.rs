//! How a tensor file is to be written.

use crate::codec::Compression;
use crate::error::{Error, Result};
use crate::limits::Limits;

/// How a tensor file is to be written. The bytes of the file depend on `compression` and
/// `npz_deflate` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorOptions {
    /// Replace an existing file. Default: refuse.
    pub overwrite: bool,
    /// Wait at the end until all bytes are on the disk, so that a power cut cannot lose them.
    /// Default: yes.
    pub sync: bool,
    /// Compress on the current rayon pool, where the caller helps while it has to wait; and write
    /// `.h5` on a thread of its own. Default: yes.
    pub parallel: bool,
    /// How `.h5` is compressed. Default: [`Compression::Runs`].
    pub compression: Compression,
    /// Deflate the members of `.npz` too, as `compression` says, or by [`Compression::Runs`] if that
    /// is none. Default: no.
    pub npz_deflate: bool,
    /// Largest number of frames and bytes, and of bytes being compressed or written at one
    /// time.
    pub limits: Limits,
}

impl Default for TensorOptions {
    fn default() -> Self {
        Self {
            overwrite: false,
            sync: true,
            parallel: true,
            compression: Compression::Runs,
            npz_deflate: false,
            limits: Limits::default(),
        }
    }
}

impl TensorOptions {
    /// Refuses a compression that tensor files do not have.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) unless it is none, runs or a level 1 to 9.
    pub fn check(&self) -> Result<()> {
        match self.compression {
            Compression::None | Compression::Runs | Compression::Deflate(1..=9) => Ok(()),
            other => Err(Error::caller("tensor files are not compressed in this way")
                .expected("none, runs or a level 1 to 9")
                .found(other)),
        }
    }
}
