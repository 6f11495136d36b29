//! How a tensor file is to be written.

use crate::Limits;

/// How a tensor file is to be written. The bytes of the file depend on `compress` and
/// `npz_deflate` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorOptions {
    /// Replace an existing file. Default: refuse.
    pub overwrite: bool,
    /// Wait at the end until all bytes are on the disk, so that a power cut cannot lose them.
    /// Default: yes.
    pub sync: bool,
    /// Compress on the current rayon pool; the caller helps while it has to wait. Default: yes.
    pub parallel: bool,
    /// Deflate level of `.h5`, 1 (fast) to 9 (small), or none. Default:
    /// [`LEVEL`](Self::LEVEL).
    pub compress: Option<u8>,
    /// Deflate the members of `.npz`, at the level `compress`. Needs the number of frames before
    /// the first one. Default: no.
    pub npz_deflate: bool,
    /// Largest number of frames and bytes, and of bytes being compressed at one time.
    pub limits: Limits,
}

impl TensorOptions {
    /// The usual deflate level.
    pub const LEVEL: u8 = 4;
}

impl Default for TensorOptions {
    fn default() -> Self {
        Self {
            overwrite: false,
            sync: true,
            parallel: true,
            compress: Some(Self::LEVEL),
            npz_deflate: false,
            limits: Limits::default(),
        }
    }
}
