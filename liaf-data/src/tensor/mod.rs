//! Tensor files: frames on disk, readable by h5py, numpy and safetensors.
//!
//! Every container holds the same three things under the same names: `frames` `[T, C, H, W]`,
//! `timestamps` i64 `[T, 2]` (start and end of each window in µs, half-open), and `liaf`, one JSON
//! text that says what made them.

use crate::Result;
use crate::frames::{Dtype, Frame, FrameShape};

/// What a tensor file is going to hold.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorSpec {
    /// C, H and W of every frame.
    pub shape: FrameShape,
    /// Type of every cell.
    pub dtype: Dtype,
    /// Number of frames T, if it is known before the first one is written.
    pub frames: Option<u64>,
    /// One JSON text that says what made the file.
    pub provenance: String,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Number of frames T.
    pub frames: u64,
    /// Bytes of the whole file.
    pub bytes: u64,
}

/// Writes frames, one after the other, into a file that appears whole under its name or not at all.
///
/// Dropping a writer without [`finish`](Self::finish) leaves nothing behind.
pub trait TensorWriter: Send {
    /// Adds the next frame.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be written,
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if it is not of the stated shape and type.
    fn write(&mut self, frame: &Frame) -> Result<()>;

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// As [`write`](Self::write); the file of that name, if there was one, is then as it was.
    fn finish(self: Box<Self>) -> Result<Written>;
}
