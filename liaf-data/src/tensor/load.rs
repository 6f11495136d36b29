//! Reading frames from a `.safetensors` file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::frames::{Dtype, FrameShape};
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
    bytes: Vec<u8>,
    timestamps: Vec<[i64; 2]>,
    provenance: String,
}

/// An entry of the header.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

impl LoadedFrames {
    /// Reads a file that was written by [`create`](super::create), or any other file with a tensor
    /// `frames` of shape `[T, C, H, W]` and type U8, U16, I16 or F32.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) or
    /// [`ErrorKind::Truncated`](crate::ErrorKind::Truncated) if it is not such a file,
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if it is larger than `limits` allow,
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be read.
    pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Self> {
        let path = path.as_ref();
        read(path, limits).map_err(|error| error.in_file(path))
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
        let bytes = self.bytes.get(start * size..end * size).unwrap_or_default();
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

fn read(path: &Path, limits: &Limits) -> Result<LoadedFrames> {
    let mut file = File::open(path).map_err(|error| Error::system("cannot open", error))?;
    let metadata = file.metadata().map_err(|error| Error::system("cannot read", error))?;
    if !metadata.is_file() {
        return Err(Error::caller("is not an ordinary file"));
    }
    let size = metadata.len();
    let mut length = [0; 8];
    fill(&mut file, &mut length, 0)?;
    let length = u64::from_le_bytes(length);
    let header = Limits::check("header", length, limits.header_bytes)?;
    if size.saturating_sub(8) < length {
        return Err(Error::truncated("the file ends in its header").at(size));
    }
    let mut text = vec![0; header];
    fill(&mut file, &mut text, 8)?;
    let header: Map<String, Value> = serde_json::from_slice(&text)
        .map_err(|error| Error::malformed("the header is not JSON").at(8).found(error))?;
    let data = 8 + length;
    let entry = entry(&header, "frames")?
        .ok_or_else(|| Error::malformed("has no tensor `frames`").at(8))?;
    let dtype = match entry.dtype.as_str() {
        "U8" => Dtype::U8,
        "U16" => Dtype::U16,
        "I16" => Dtype::I16,
        "F32" => Dtype::F32,
        other => {
            return Err(Error::unsupported("frames of this type are not read")
                .at(8)
                .expected("U8, U16, I16 or F32")
                .found(other));
        }
    };
    let [t, c, h, w] = entry.shape[..] else {
        return Err(Error::malformed("frames of another shape")
            .at(8)
            .expected("[T, C, H, W]")
            .found(format!("{:?}", entry.shape)));
    };
    if t > limits.frames {
        return Err(Error::limit("too many frames").expected(limits.frames).found(t));
    }
    let axis = |n: u64| {
        let small = u16::try_from(n).map(usize::from);
        small.map_err(|_| Error::malformed("an impossible axis of frames").at(8).found(n))
    };
    let shape = FrameShape { channels: axis(c)?, height: axis(h)?, width: axis(w)? };
    let wanted = t.checked_mul((shape.cells() * dtype.bytes()) as u64);
    let bytes = tensor(&mut file, data, size, &entry, wanted, limits)?;
    let mut timestamps = Vec::new();
    if let Some(entry) = self::entry(&header, "timestamps")? {
        let bytes = tensor(&mut file, data, size, &entry, t.checked_mul(16), limits)?;
        let (numbers, _) = bytes.as_chunks::<8>();
        let pairs = numbers.chunks_exact(2);
        timestamps.extend(pairs.map(|p| [i64::from_le_bytes(p[0]), i64::from_le_bytes(p[1])]));
    }
    let provenance = header.get("__metadata__").and_then(|metadata| metadata.get("liaf"));
    let provenance = provenance.and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(LoadedFrames { frames: t as usize, shape, dtype, bytes, timestamps, provenance })
}

fn entry(header: &Map<String, Value>, name: &str) -> Result<Option<Entry>> {
    header.get(name).map(Entry::deserialize).transpose().map_err(|error| {
        Error::malformed(format!("the entry of tensor {name} is wrong")).at(8).found(error)
    })
}

/// The bytes of a tensor. Their number must fit the shape of the tensor, and they must be within
/// the file.
fn tensor(
    file: &mut File,
    data: u64,
    size: u64,
    entry: &Entry,
    wanted: Option<u64>,
    limits: &Limits,
) -> Result<Vec<u8>> {
    let [start, end] = entry.data_offsets;
    let found = end.checked_sub(start);
    if found.is_none() || found != wanted {
        return Err(Error::malformed("a tensor of another size than its shape")
            .at(8)
            .expected(format!("{} bytes", wanted.unwrap_or(u64::MAX)))
            .found(format!("bytes {start} to {end}")));
    }
    if data.checked_add(end).is_none_or(|end| end > size) {
        return Err(Error::truncated("the file ends in a tensor").at(size));
    }
    let limit = usize::try_from(limits.output_bytes).unwrap_or(usize::MAX);
    let length = Limits::check("tensor", end - start, limit)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| Error::limit("no memory").found(length))?;
    bytes.resize(length, 0);
    fill(file, &mut bytes, data + start)?;
    Ok(bytes)
}

fn fill(file: &mut File, bytes: &mut [u8], at: u64) -> Result<()> {
    let outcome = file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(bytes));
    outcome.map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Error::truncated("the file is too short").at(at),
        _ => Error::system("cannot read", error).at(at),
    })
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
