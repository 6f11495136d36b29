//! Reading frames from a tensor file.

use std::path::Path;

use super::reader::{Bytes, TensorFile};
use super::{Container, ElementType};
use crate::error::{Error, Result};
use crate::frames::{Dtype, FrameShape};
use crate::hint::Hint;
use crate::limits::Limits;

/// The frames of a tensor file, in memory.
///
/// ```
/// use liaf_data::frames::{CellValues, Dtype, Frame, FrameShape, Cells, Window};
/// use liaf_data::tensor::{self, Container, LoadedFrames, TensorOptions, TensorSpec};
///
/// # fn main() -> liaf_data::Result<()> {
/// # let folder = tempfile::tempdir().expect("folder");
/// # let path = folder.path().join("a.safetensors");
/// let shape = FrameShape { channels: 2, height: 1, width: 3 };
/// let spec = TensorSpec { shape, dtype: Dtype::U16, frames: None, provenance: "{}".into() };
/// let format = Container::Safetensors;
/// let mut writer = tensor::create(&path, format, &spec, &TensorOptions::default())?;
/// writer.write(&Frame {
///     window: Window { start: 0, end: 10_000 },
///     shape: FrameShape { channels: 2, height: 1, width: 3 },
///     cells: Cells::Sparse { index: vec![4], cells: CellValues::U16(vec![7]) },
/// })?;
/// writer.finish()?;
///
/// let frames = LoadedFrames::read(&path, &liaf_data::Limits::default())?;
/// assert_eq!((frames.len(), frames.shape()), (1, shape));
/// assert_eq!(frames.cells(0..1), [0.0, 0.0, 0.0, 0.0, 7.0, 0.0]);
/// assert_eq!(frames.timestamps(), [[0, 10_000]]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct LoadedFrames {
    frames: usize,
    shape: FrameShape,
    dtype: Dtype,
    bytes: Bytes<'static>,
    timestamps: Vec<[i64; 2]>,
    provenance: String,
}

impl LoadedFrames {
    /// Reads a `.safetensors`, `.npz`, `.npy` or `.h5` file that was written by [`create`](super::create),
    /// or any other with a tensor `frames` of shape `[T, C, H, W]` and type u8, u16, i16 or f32; in
    /// `.npy` it is the only tensor.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed),
    /// [`ErrorKind::Truncated`](crate::ErrorKind::Truncated) or
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if it is not such a file,
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if it is larger than `limits` allow,
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be read.
    pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Self> {
        TensorFile::open(path, limits)?.frames()
    }

    /// Number of frames.
    pub fn len(&self) -> usize {
        self.frames
    }

    /// Whether there are no frames.
    pub fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// The shape of every frame.
    pub fn shape(&self) -> FrameShape {
        self.shape
    }

    /// Start and end of each window in µs, half-open; empty if the file does not have them.
    pub fn timestamps(&self) -> &[[i64; 2]] {
        &self.timestamps
    }

    /// The JSON text that says how the file was made, for
    /// [`Provenance::parse`](crate::frames::Provenance::parse); empty if the file does not have it.
    pub fn provenance(&self) -> &str {
        &self.provenance
    }

    /// The cells of the frames in this range, as far as they exist: `[T, C, H, W]`.
    pub fn cells(&self, frames: std::ops::Range<usize>) -> Vec<f32> {
        let size = self.shape.cells() * self.dtype.bytes();
        let (start, end) = (frames.start.min(self.frames), frames.end.min(self.frames));
        let bytes = self.bytes.as_slice().get(start * size..end * size).unwrap_or_default();
        match self.dtype {
            Dtype::U8 => bytes.iter().map(|&b| f32::from(b)).collect(),
            Dtype::U16 => words(bytes, |b| f32::from(u16::from_le_bytes(b))),
            Dtype::I16 => words(bytes, |b| f32::from(i16::from_le_bytes(b))),
            Dtype::F32 => words(bytes, f32::from_le_bytes),
        }
    }
}

fn words<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&word| number(word)).collect()
}

impl TensorFile {
    /// The tensor `frames`, and `timestamps` if there is one; in a `.npy` file the only tensor.
    ///
    /// # Errors
    /// As [`LoadedFrames::read`].
    pub fn frames(&self) -> Result<LoadedFrames> {
        load(self).map_err(|error| self.in_file(error))
    }
}

fn load(file: &TensorFile) -> Result<LoadedFrames> {
    let at = header(file);
    let only = if file.container() == Container::Npy { file.names().next() } else { None };
    let name = only.unwrap_or("frames");
    if !file.contains(name) {
        return Err(Error::malformed("the file has no tensor `frames`").at(at));
    }
    let info = file.info(name)?;
    let dtype = match info.dtype {
        ElementType::U8 => Dtype::U8,
        ElementType::U16 => Dtype::U16,
        ElementType::I16 => Dtype::I16,
        ElementType::F32 => Dtype::F32,
        other => {
            return Err(Error::unsupported("the type of the frames is not supported")
                .at(at)
                .expected("u8, u16, i16 or f32")
                .found(other));
        }
    };
    let [t, c, h, w] = info.shape[..] else {
        return Err(Error::malformed("the tensor `frames` has the wrong number of axes")
            .at(at)
            .expected("[T, C, H, W]")
            .found(format!("{:?}", info.shape)));
    };
    if t as u64 > file.limits().frames {
        return Err(Error::limit("too many frames")
            .expected(file.limits().frames)
            .found(t)
            .hint(Hint::raise("frames", t as u64)));
    }
    let axis = |n: usize| {
        let small = u16::try_from(n).map(usize::from);
        small.map_err(|_| Error::malformed("an axis of the frames is too long").at(at).found(n))
    };
    let shape = FrameShape { channels: axis(c)?, height: axis(h)?, width: axis(w)? };
    let timestamps = if file.contains("timestamps") { timestamps(file, t)? } else { Vec::new() };
    let bytes = file.get(name)?.into_bytes().into_owned();
    let provenance = file.provenance().unwrap_or_default().to_owned();
    Ok(LoadedFrames { frames: t, shape, dtype, bytes, timestamps, provenance })
}

/// Offset of the header that states type and shape of the tensors, for errors.
fn header(file: &TensorFile) -> u64 {
    if file.container() == Container::Safetensors { 8 } else { 0 }
}

/// Start and end of each of `t` windows.
fn timestamps(file: &TensorFile, t: usize) -> Result<Vec<[i64; 2]>> {
    let tensor = file.get("timestamps")?;
    if tensor.dtype() != ElementType::I64 || tensor.shape() != [t, 2] {
        return Err(Error::malformed("the tensor `timestamps` has the wrong type or shape")
            .at(header(file))
            .expected(format!("i64 [{t}, 2]"))
            .found(format!("{} {:?}", tensor.dtype(), tensor.shape())));
    }
    let numbers = tensor.to_vec::<i64>()?;
    Ok(numbers.as_chunks().0.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn file(header: &str, data: usize) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.resize(bytes.len() + data, 1);
        bytes
    }

    fn refused(bytes: &[u8]) -> ErrorKind {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        std::fs::write(&path, bytes).unwrap();
        let error = LoadedFrames::read(&path, &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("a.safetensors"), "{error}");
        error.kind()
    }

    #[test]
    fn headers_that_lie_are_refused() {
        let entry = |shape: &str, end: &str| {
            format!(r#"{{"frames":{{"dtype":"U8","shape":{shape},"data_offsets":[0,{end}]}}}}"#)
        };
        let huge = u64::MAX.to_string();
        let good = file(&entry("[2,1,1,3]", "6"), 6);
        assert_eq!(refused(&good[..good.len() - 1]), ErrorKind::Truncated);
        assert_eq!(refused(&good[..20]), ErrorKind::Truncated);
        assert_eq!(refused(b"abc"), ErrorKind::Truncated);
        assert_eq!(refused(&[255; 64]), ErrorKind::Limit);
        assert_eq!(refused(&file("{}", 0)), ErrorKind::Malformed);
        assert_eq!(refused(&file("nothing", 0)), ErrorKind::Malformed);
        assert_eq!(refused(&file(&entry("[2,1,3]", "6"), 6)), ErrorKind::Malformed);
        assert_eq!(refused(&file(&entry("[2,1,1,4]", "6"), 6)), ErrorKind::Malformed);
        assert_eq!(refused(&file(&entry("[2,1,1,99999999]", "6"), 6)), ErrorKind::Malformed);
        assert_eq!(refused(&file(&entry("[2,1,1,3]", &huge), 6)), ErrorKind::Malformed);
        assert_eq!(refused(&file(&entry(&format!("[{huge},1,1,3]"), "6"), 6)), ErrorKind::Limit);
        assert_eq!(refused(&file(&good_of("F64"), 48)), ErrorKind::Unsupported);
    }

    fn good_of(dtype: &str) -> String {
        format!(r#"{{"frames":{{"dtype":"{dtype}","shape":[2,1,1,3],"data_offsets":[0,48]}}}}"#)
    }
}
