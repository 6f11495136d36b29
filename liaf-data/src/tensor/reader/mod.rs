//! Reading files of named tensors.

mod array;
mod bytes;
mod cast;
mod index;
mod npz;
mod safetensors;
mod tensor;

use std::collections::BTreeMap;
use std::path::Path;

pub(super) use bytes::Bytes;
pub use tensor::{Tensor, TensorInfo};

use super::{Container, PADDING, PROVENANCE};
use crate::container::npy;
use crate::error::{Error, ErrorKind, Result};
use crate::io::{ByteSource, MapChoice};
use crate::limits::Limits;
use index::{Entry, Place};

/// The name of the array of a `.npy` file, which has none. It is the name that NumPy gives to
/// arrays without a name.
const ONLY: &str = "arr_0";

/// An open file of named tensors: `.safetensors`, `.npz` or `.npy`, which its first bytes tell
/// apart.
///
/// Opening reads what is in the file; the elements of a tensor are read when it is asked for, each
/// time. What the file says of itself is checked before memory is taken for it: sizes must fit the
/// shapes, and tensors must lie one after another within the file. Checksums of `.npz` are
/// compared. A tensor that is stored as it is takes at most [`Limits::output_bytes`], a compressed
/// one [`Limits::held_bytes`].
///
/// [`open`](Self::open) copies tensors into memory. A file that another program may write cannot
/// stay mapped for as long as a tensor is in use: its reader would be killed when the file shrinks.
/// Whoever knows that nobody writes the file can have the tensors of `.safetensors` and those of
/// `.npz` and `.npy` that are not compressed without a copy, and then without comparing checksums:
///
/// ```
/// use liaf_data::Limits;
/// use liaf_data::io::{ByteSource, MapChoice};
/// use liaf_data::tensor::{Container, TensorFile, TensorFileWriter, TensorOptions};
///
/// # fn main() -> liaf_data::Result<()> {
/// # let folder = tempfile::tempdir().expect("folder");
/// # let path = folder.path().join("a.safetensors");
/// let options = TensorOptions::default();
/// let mut file = TensorFileWriter::create(&path, Container::Safetensors, &options)?;
/// file.write("weights", &[2, 3], &[0.5f32, 1.5, 2.5, 3.5, 4.5, 5.5])?;
/// file.write("labels", &[2], &[7i64, 3])?;
/// file.finish()?;
///
/// let file = TensorFile::open(&path, &Limits::default())?;
/// assert_eq!(file.names().collect::<Vec<_>>(), ["labels", "weights"]);
/// let labels = file.get("labels")?;
/// assert_eq!(labels.as_slice::<i64>()?, [7, 3]);
///
/// // SAFETY: nobody writes the file.
/// let map = unsafe { MapChoice::always() };
/// let file = TensorFile::from_source(ByteSource::open(&path, map)?, &Limits::default())?;
/// assert_eq!(file.get("weights")?.as_slice::<f32>()?[5], 5.5);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TensorFile {
    source: ByteSource,
    container: Container,
    limits: Limits,
    entries: Vec<Entry>,
    metadata: BTreeMap<String, String>,
}

impl TensorFile {
    /// Opens a file.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`], [`ErrorKind::Truncated`] or [`ErrorKind::Empty`] if it is not a
    /// sound tensor file, [`ErrorKind::Limit`] if it asks for more than `limits` allow,
    /// [`ErrorKind::Unsupported`] for HDF5, [`ErrorKind::System`] if it cannot be read.
    pub fn open(path: impl AsRef<Path>, limits: &Limits) -> Result<Self> {
        Self::from_source(ByteSource::open(path, MapChoice::LEASED)?, limits)
    }

    /// Opens a file whose bytes come from `source`: a file that may be mapped, memory, or a pipe,
    /// which is read into memory.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_source(mut source: ByteSource, limits: &Limits) -> Result<Self> {
        let path = source.path().map(Path::to_path_buf);
        let opened = Self::read_index(&mut source, limits);
        let (container, entries, metadata) = match (opened, path) {
            (Err(error), Some(path)) => return Err(error.in_file(path)),
            (opened, _) => opened?,
        };
        Ok(Self { source, container, limits: *limits, entries, metadata })
    }

    fn read_index(
        source: &mut ByteSource,
        limits: &Limits,
    ) -> Result<(Container, Vec<Entry>, BTreeMap<String, String>)> {
        source.hold(limits.held_bytes)?;
        let head = source.read_at(0, 8)?;
        if head.is_empty() {
            return Err(Error::new(ErrorKind::Empty, "the file is empty").at(0));
        }
        if head.starts_with(b"\x89HDF") {
            return Err(Error::unsupported("tensors are not read from HDF5")
                .at(0)
                .advice("convert to .npz or .safetensors"));
        }
        if head.starts_with(b"PK") {
            let (entries, metadata) = npz::index(source, limits)?;
            return Ok((Container::Npz, entries, metadata));
        }
        if head.starts_with(npy::MAGIC) {
            let entry = Entry { name: ONLY.into(), place: Place::WholeFile };
            array::open(source, &entry.place, limits)?;
            return Ok((Container::Npy, vec![entry], BTreeMap::new()));
        }
        let (entries, metadata) = safetensors::index(source, limits)?;
        Ok((Container::Safetensors, entries, metadata))
    }

    /// The kind of the file.
    pub fn container(&self) -> Container {
        self.container
    }

    /// The names of all tensors, in the order of the file. The tensor of a `.npy` file, which has no
    /// name, is `arr_0`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|entry| !entry.is_padding()).map(|entry| entry.name.as_str())
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// Type and shape of a tensor, without its elements.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn info(&self, name: &str) -> Result<TensorInfo> {
        let place = &self.find(name)?.place;
        self.locate(self.source.again().and_then(|mut source| match place {
            Place::Plain(plain) => plain.info(),
            _ => Ok(array::open(&mut source, place, &self.limits)?.info),
        }))
    }

    /// A tensor with its elements.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`] if there is no tensor of this name; [`ErrorKind::Unsupported`] if its
    /// elements are not plain numbers, pickled objects in particular; [`ErrorKind::Malformed`] or
    /// [`ErrorKind::Truncated`] if it is damaged or the file has shrunk; [`ErrorKind::Limit`] if it
    /// is larger than the limits allow; [`ErrorKind::System`] if it cannot be read.
    pub fn get(&self, name: &str) -> Result<Tensor<'_>> {
        let entry = self.find(name)?;
        let (info, bytes) = self.locate(match &entry.place {
            Place::Plain(plain) => plain.read(&self.source, &self.limits),
            place => array::read(&self.source, place, &self.limits),
        })?;
        Ok(Tensor::new(entry.name.clone(), info, bytes))
    }

    /// A text that is stored beside the tensors: in `.safetensors` the metadata of this key, in
    /// `.npz` the provenance, whose key is `liaf`.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// The text that says how the file was made, for
    /// [`Provenance::parse`](crate::frames::Provenance::parse) if it has frames.
    pub fn provenance(&self) -> Option<&str> {
        self.metadata(PROVENANCE)
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    fn find(&self, name: &str) -> Result<&Entry> {
        self.entry(name).ok_or_else(|| {
            let names = self.names().collect::<Vec<_>>().join(", ");
            self.in_file(
                Error::caller("there is no tensor of this name").expected(names).found(name),
            )
        })
    }

    fn locate<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.map_err(|error| self.in_file(error))
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn in_file(&self, error: Error) -> Error {
        error.in_file_if_any(self.source.path())
    }
}

impl Entry {
    /// Whether this is not a tensor of the user, but keeps others aligned.
    fn is_padding(&self) -> bool {
        let is_short = match &self.place {
            Place::Plain(plain) => plain.dtype == "U8" && matches!(plain.shape[..], [0..8]),
            _ => false,
        };
        is_short && self.name == PADDING
    }
}
