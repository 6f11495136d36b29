//! Tensor files: arrays on disk that h5py, numpy and safetensors can read.
//!
//! A [`TensorFileWriter`] writes files of named tensors: labels, lengths, ragged and sparse arrays,
//! events, and whatever else has rows. A [`TensorFile`] reads them. Both have examples.
//!
//! Frames are written by [`create`] and read by [`LoadedFrames`]. Every container of frames has the
//! same three parts with the same names: `frames` `[T, C, H, W]`, `timestamps` i64 `[T, 2]` (start
//! and end of each window in µs, half-open), and `liaf`, a JSON text that says how the frames were
//! made.

mod cells;
mod container;
mod element;
mod frames_writer;
#[cfg(feature = "hdf5")]
mod h5;
mod intake;
#[cfg(test)]
pub(crate) mod judge;
mod load;
mod options;
mod reader;
mod writer;

use std::path::Path;

pub(crate) use cells::put as put_cells;
pub use container::Container;
pub use element::{Element, ElementType};
pub use load::LoadedFrames;
pub use options::TensorOptions;
pub use reader::{RowReader, Tensor, TensorFile, TensorInfo};
pub use writer::{Rows, TensorFileWriter, TensorId};

pub use crate::codec::Compression;
#[cfg(not(feature = "hdf5"))]
use crate::error::Error;
use crate::error::Result;
use crate::frames::{Dtype, Frame, FrameShape};

/// The key of the provenance.
const PROVENANCE: &str = "liaf";
/// The name of the bytes that keep the tensors of a safetensors file aligned.
const PADDING: &str = "padding";
/// Names that a tensor cannot have, because a container uses them otherwise.
const RESERVED: [&str; 3] = [METADATA, PROVENANCE, PADDING];
/// The entry of a safetensors header that is not a tensor.
const METADATA: &str = "__metadata__";

/// The name of the tensor that says where each of the texts with this name begins.
fn offsets_name(texts: &str) -> String {
    format!("{texts}_offsets")
}

/// A description of the tensor file that is to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorSpec {
    /// The shape of every frame.
    pub shape: FrameShape,
    /// The type of the cells.
    pub dtype: Dtype,
    /// Number of frames T, if it is known before the first one is written.
    pub frames: Option<u64>,
    /// A JSON text that says how the file was made.
    pub provenance: String,
}

/// A summary of a file that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Number of frames T.
    pub frames: u64,
    /// Size of the file in bytes.
    pub bytes: u64,
}

impl Written {
    /// A file of `bytes` bytes with `frames` frames.
    pub fn new(frames: u64, bytes: u64) -> Self {
        Self { frames, bytes }
    }
}

/// Writes frames, one after another, into a file. The file appears under its name when it is
/// complete, or not at all.
///
/// If a writer is dropped without [`finish`](Self::finish), no file remains.
pub trait TensorWriter: Send {
    /// Writes the next frame.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be written,
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if it does not have the announced shape and
    /// type.
    fn write(&mut self, frame: &Frame) -> Result<()>;

    /// Completes the file and moves it to its final name.
    ///
    /// # Errors
    /// As [`write`](Self::write); a file that had this name before is left unchanged.
    fn finish(self: Box<Self>) -> Result<Written>;
}

/// Starts a tensor file that will be named `path`.
///
/// ```
/// use liaf_data::frames::{CellValues, Dtype, Frame, FrameShape, Cells, Window};
/// use liaf_data::tensor::{self, Container, TensorOptions, TensorSpec};
///
/// # fn main() -> liaf_data::Result<()> {
/// # let folder = tempfile::tempdir().expect("folder");
/// # let path = folder.path().join("a.npz");
/// let spec = TensorSpec {
///     shape: FrameShape { channels: 2, height: 1, width: 3 },
///     dtype: Dtype::U16,
///     frames: None,
///     provenance: r#"{"made":"by hand"}"#.into(),
/// };
/// let mut writer = tensor::create(&path, Container::Npz, &spec, &TensorOptions::default())?;
/// writer.write(&Frame {
///     window: Window { start: 0, end: 10_000 },
///     shape: FrameShape { channels: 2, height: 1, width: 3 },
///     cells: Cells::Sparse { index: vec![4], cells: CellValues::U16(vec![7]) },
/// })?;
/// assert_eq!(writer.finish()?.frames, 1);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the spec or the options are not valid, or if
/// the file exists and must not be replaced; [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the
/// announced tensor is too large; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for
/// `.h5` in a build without HDF5; [`ErrorKind::System`](crate::ErrorKind::System) if the folder
/// cannot be written.
pub fn create(
    path: impl AsRef<Path>,
    container: Container,
    spec: &TensorSpec,
    options: &TensorOptions,
) -> Result<Box<dyn TensorWriter>> {
    let path = path.as_ref();
    options.check().map_err(|error| error.in_file(path))?;
    Ok(match container {
        Container::Npz | Container::Npy | Container::Safetensors => {
            Box::new(frames_writer::FramesWriter::create(path, container, spec, options)?)
        }
        #[cfg(feature = "hdf5")]
        Container::H5 => Box::new(h5::H5Writer::create(path, spec, options)?),
        #[cfg(not(feature = "hdf5"))]
        Container::H5 => {
            return Err(Error::unsupported("this build cannot write HDF5")
                .advice("write .npz or .safetensors")
                .hint(crate::hint::Hint::EnableFeature { name: "hdf5".into() })
                .in_file(path));
        }
    })
}
