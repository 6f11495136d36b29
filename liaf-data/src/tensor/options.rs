//! Options for writing a tensor file.

use crate::codec::Compression;
use crate::error::{Error, Result};
use crate::limits::Limits;

/// Options for writing a tensor file. The bytes of the file depend on `compression` and
/// `npz_deflate` only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorOptions {
    /// Replace an existing file. By default this is refused.
    pub overwrite: bool,
    /// Wait at the end until all bytes are on the disk, so that a power failure cannot lose them.
    /// This is the default.
    pub sync: bool,
    /// Compress on the current rayon pool, where the caller helps while it has to wait, and write
    /// `.h5` files on a separate thread. This is the default.
    pub parallel: bool,
    /// How `.h5` files are compressed. Default: [`Compression::Runs`].
    pub compression: Compression,
    /// Also compress the members of `.npz` files, with `compression`, or with [`Compression::Runs`]
    /// if that is none. By default they are not compressed.
    pub npz_deflate: bool,
    /// Limits on the number of frames and bytes, and on the number of bytes that are being
    /// compressed or written at the same time.
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
    /// Returns an error for a compression that tensor files do not support.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) unless it is none, runs or a level from 1 to
    /// 9.
    pub fn check(&self) -> Result<()> {
        match self.compression {
            Compression::None | Compression::Runs | Compression::Deflate(1..=9) => Ok(()),
            other => Err(Error::caller("tensor files do not support this compression")
                .expected("none, runs or a level 1 to 9")
                .found(other)),
        }
    }
}
