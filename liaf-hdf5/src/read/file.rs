//! An open file.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::dataset::Dataset;
use super::group::{Group, Object};
use super::storage::Storage;
use super::superblock::{self, Superblock};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::source::Source;

/// An HDF5 file that is open for reading.
///
/// Nothing but this file is ever opened: links to other files and values in other files are errors
/// that say so. It can be cloned, and used by several threads, at no cost.
#[derive(Clone)]
pub struct File {
    storage: Arc<Storage>,
    superblock: Superblock,
    /// The root, once it has been opened, so that its members are read only once.
    root: Arc<OnceLock<Group>>,
}

impl File {
    /// Opens a file.
    ///
    /// # Errors
    /// [`System`](crate::ErrorKind::System) if the file cannot be read,
    /// [`Malformed`](crate::ErrorKind::Malformed) if it is no HDF5 file.
    #[cfg(unix)]
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let file = std::fs::File::open(path);
        let file = file.map_err(|error| Error::system("cannot open the file", error))?;
        Self::from_source(Box::new(file), Limits::default())
    }

    /// Opens a file whose bytes come from anywhere.
    ///
    /// ```
    /// # fn main() -> liaf_hdf5::Result<()> {
    /// use liaf_hdf5::{ErrorKind, File, Limits};
    /// let error = File::from_source(Box::new(b"not HDF5".to_vec()), Limits::default()).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Malformed);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn from_source(source: Box<dyn Source>, limits: Limits) -> Result<Self> {
        let (storage, superblock) = superblock::open(source, limits)?;
        Ok(Self { storage: Arc::new(storage), superblock, root: Arc::default() })
    }

    /// Whether bytes are the beginning of an HDF5 file, which may have a user block of up to
    /// `bytes.len()` bytes before it.
    pub fn is_hdf5(bytes: &[u8]) -> bool {
        matches!(superblock::find(&bytes.to_vec()), Ok(Some(_)))
    }

    /// The group that holds everything else.
    ///
    /// # Errors
    /// If its object header is damaged.
    pub fn root(&self) -> Result<Group> {
        if let Some(root) = self.root.get() {
            return Ok(root.clone());
        }
        let root = Group::open(Arc::clone(&self.storage), "/".into(), self.superblock.root)?;
        Ok(self.root.get_or_init(|| root).clone())
    }

    /// The object at a path such as `/events/t`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if there is none;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a link to another file.
    pub fn object(&self, path: &str) -> Result<Object> {
        self.root()?.object(path)
    }

    /// The group at a path.
    ///
    /// # Errors
    /// As for [`object`](Self::object), and [`NotFound`](crate::ErrorKind::NotFound) if the object is
    /// no group.
    pub fn group(&self, path: &str) -> Result<Group> {
        self.root()?.group(path)
    }

    /// The dataset at a path.
    ///
    /// # Errors
    /// As for [`object`](Self::object), and [`NotFound`](crate::ErrorKind::NotFound) if the object is
    /// no dataset.
    pub fn dataset(&self, path: &str) -> Result<Dataset> {
        self.root()?.dataset(path)
    }

    /// Number of bytes before the HDF5 file proper, which belong to another program.
    pub fn user_block(&self) -> u64 {
        self.storage.base
    }

    /// Number of bytes that are missing at the end of a file that was cut short.
    pub fn missing_bytes(&self) -> u64 {
        self.superblock.end.saturating_sub(self.storage.size)
    }

    /// Whether a program has the file open for writing, or ended without closing it.
    pub fn is_open_for_writing(&self) -> bool {
        self.superblock.is_open
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("superblock", &self.superblock).finish_non_exhaustive()
    }
}
