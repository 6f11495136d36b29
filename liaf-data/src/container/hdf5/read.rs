//! Opening of HDF5 files for reading, through the byte sources of this crate.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use liaf_hdf5::File;

use crate::error::{Error, ErrorKind, Result};
use crate::io::ByteSource;
use crate::limits::Limits;

/// Opens the HDF5 file in `source`, which stays as it is. What comes through a pipe must have been
/// [held](ByteSource::hold) before.
///
/// # Errors
/// If the file is no HDF5 file, or cannot be read.
pub(crate) fn open(source: &ByteSource, limits: &Limits) -> Result<(File, Shared)> {
    open_for(source, limits.packet_bytes, liaf_hdf5::Limits::DEFAULT.value_bytes)
}

/// The same with limits on the size of a chunk, and of all values that are read at once.
pub(crate) fn open_for(
    source: &ByteSource,
    chunk_bytes: usize,
    value_bytes: usize,
) -> Result<(File, Shared)> {
    let size = source.len().unwrap_or(0);
    let shared = Shared { source: Arc::new(Mutex::new(source.again()?)), size };
    let limits =
        liaf_hdf5::Limits::default().with_chunk_bytes(chunk_bytes).with_value_bytes(value_bytes);
    let file = File::from_source(Box::new(shared.clone()), limits).map_err(error)?;
    Ok((file, shared))
}

/// A source that several threads read.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    source: Arc<Mutex<ByteSource>>,
    size: u64,
}

impl Shared {
    fn source(&self) -> MutexGuard<'_, ByteSource> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remarks on how reading went.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.source().notes().to_vec()
    }
}

impl liaf_hdf5::Source for Shared {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.source().read_into(at, buffer).map_err(io::Error::other)
    }
}

/// The error of this crate for one of reading or writing HDF5.
pub(crate) fn error(error: liaf_hdf5::Error) -> Error {
    use liaf_hdf5::ErrorKind as Kind;
    let (what, offset) = (error.what().to_owned(), error.offset());
    let kind = match error.kind() {
        Kind::Truncated | Kind::Shrank => ErrorKind::Truncated,
        Kind::Unsupported => ErrorKind::Unsupported,
        Kind::Limit => ErrorKind::Limit,
        Kind::NotFound | Kind::Caller => ErrorKind::Caller,
        Kind::System => {
            let cause = error.into_io().unwrap_or_else(|| io::ErrorKind::Other.into());
            // An error of a byte source comes back as it was.
            return match cause.downcast::<Error>() {
                Ok(error) => error,
                Err(cause) => at(Error::system(what, cause), offset),
            };
        }
        _ => ErrorKind::Malformed,
    };
    at(Error::new(kind, what), offset)
}

fn at(error: Error, offset: Option<u64>) -> Error {
    match offset {
        Some(offset) => error.at(offset),
        None => error,
    }
}
