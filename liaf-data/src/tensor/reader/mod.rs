//! Reading files of named tensors.

mod array;
mod bytes;
mod cast;
#[cfg(feature = "hdf5")]
mod h5;
mod in_order;
mod index;
mod npz;
mod rows;
mod safetensors;
mod tensor;
mod texts;

use std::collections::BTreeMap;
use std::path::Path;

pub(super) use bytes::Bytes;
pub use in_order::RowReader;
pub use tensor::{Tensor, TensorInfo};

use super::{Container, PADDING, PROVENANCE};
use crate::container::npy;
use crate::error::{Error, ErrorKind, Result};
use crate::io::{ByteSource, MapChoice};
use crate::limits::Limits;
use index::{Entry, Place};

/// The name of the array in a `.npy` file, which does not store one. It is the name that NumPy gives to
/// arrays without a name.
const ONLY: &str = "arr_0";

/// An open file of named tensors: `.safetensors`, `.npz`, `.npy` or HDF5, which are recognised by their
/// first bytes. The tensors of an HDF5 file are its datasets, with the names of their groups before
/// theirs, as in `group/dataset`.
///
/// Opening reads the list of tensors. The elements of a tensor are read each time that
/// [`get`](Self::get) is called. What the file states is checked before memory is allocated for it:
/// sizes must agree with shapes, and tensors must be within the file and must not overlap. Checksums of
/// `.npz` are verified. A tensor that is stored without compression may have up to
/// [`Limits::output_bytes`], a compressed one up to [`Limits::held_bytes`].
///
/// [`open`](Self::open) copies tensors into memory. A file that another program may write must not stay
/// mapped while a tensor is in use, because its reader would be killed if the file shrinks. If you know
/// that nobody writes the file, you can borrow the tensors of `.safetensors`, and the uncompressed ones
/// of `.npz` and `.npy`, without a copy; their checksums are then not verified:
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
    /// [`ErrorKind::Malformed`], [`ErrorKind::Truncated`] or [`ErrorKind::Empty`] if it is not a valid
    /// tensor file, [`ErrorKind::Limit`] if it asks for more than `limits` allow,
    /// [`ErrorKind::Unsupported`] for HDF5 without the feature `hdf5`, [`ErrorKind::System`] if it
    /// cannot be read.
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
            #[cfg(feature = "hdf5")]
            {
                let (entries, metadata) = h5::index(source, limits)?;
                return Ok((Container::H5, entries, metadata));
            }
            #[cfg(not(feature = "hdf5"))]
            return Err(Error::unsupported("this build cannot read HDF5")
                .at(0)
                .hint(crate::hint::Hint::EnableFeature { name: "hdf5".into() }));
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

    /// Whether there is a tensor with this name.
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
            #[cfg(feature = "hdf5")]
            Place::Dataset(dataset) => h5::info(dataset),
            #[cfg(feature = "hdf5")]
            Place::Refused(why) => Err(Error::unsupported(why)),
            _ => Ok(array::open(&mut source, place, &self.limits)?.info),
        }))
    }

    /// A tensor with its elements.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`] if there is no tensor with this name; [`ErrorKind::Unsupported`] if its
    /// elements are not plain numbers, for example pickled objects; [`ErrorKind::Malformed`] or
    /// [`ErrorKind::Truncated`] if it is damaged or the file has shrunk; [`ErrorKind::Limit`] if it is
    /// larger than the limits allow; [`ErrorKind::System`] if it cannot be read.
    pub fn get(&self, name: &str) -> Result<Tensor<'_>> {
        let entry = self.find(name)?;
        let (info, bytes) = self.locate(match &entry.place {
            Place::Plain(plain) => plain.read(&self.source, &self.limits),
            #[cfg(feature = "hdf5")]
            Place::Dataset(dataset) => h5::read(dataset, &self.limits),
            #[cfg(feature = "hdf5")]
            Place::Refused(why) => Err(Error::unsupported(why)),
            place => array::read(&self.source, place, &self.limits),
        })?;
        Ok(Tensor::new(entry.name.clone(), info, bytes))
    }

    /// A text that is stored beside the tensors. In `.safetensors` it is the metadata with this key, in
    /// HDF5 the attribute of the root with this name; in `.npz` it is the provenance, whose key is `liaf`.
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
                Error::caller("there is no tensor with this name").expected(names).found(name),
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
    /// Whether this tensor was added by the writer to align the tensors after it.
    fn is_padding(&self) -> bool {
        let is_short = match &self.place {
            Place::Plain(plain) => plain.dtype == "U8" && matches!(plain.shape[..], [0..8]),
            _ => false,
        };
        is_short && self.name == PADDING
    }
}
