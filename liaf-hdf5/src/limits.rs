//! The only way from a number in a file to an allocation.

use crate::error::{Error, Result};

const MIB: usize = 1 << 20;

/// How much a file may ask for. Every size that comes from a file is checked against one of these
/// before anything is allocated for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// One chunk of a dataset, packed or unpacked, in bytes. Default 64 MiB.
    pub chunk_bytes: usize,
    /// One block of metadata (an object header, a node of an index, a heap), in bytes.
    /// Default 16 MiB.
    pub metadata_bytes: usize,
    /// Values that are read at once: all values of a dataset, a range of rows, or all attributes of
    /// an object, in bytes; and the same values as numbers or texts of Rust. Eight times as many may
    /// be unpacked for them, where chunks hold more than is wanted. Default 1 GiB.
    pub value_bytes: usize,
    /// Members of one group, or attributes of one object. The names of the members may have 64 bytes
    /// each, on the average. Default 2^20.
    pub members: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Limits {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        chunk_bytes: 64 * MIB,
        metadata_bytes: 16 * MIB,
        value_bytes: 1 << 30,
        members: 1 << 20,
    };

    /// The same limits with another [`chunk_bytes`](Self::chunk_bytes).
    #[must_use]
    pub fn with_chunk_bytes(self, chunk_bytes: usize) -> Self {
        Self { chunk_bytes, ..self }
    }

    /// The same limits with another [`value_bytes`](Self::value_bytes).
    #[must_use]
    pub fn with_value_bytes(self, value_bytes: usize) -> Self {
        Self { value_bytes, ..self }
    }
}

/// `size` as a length that may be allocated.
pub(crate) fn check(what: &str, size: u64, limit: usize) -> Result<usize> {
    match usize::try_from(size) {
        Ok(size) if size <= limit => Ok(size),
        _ => Err(Error::limit(format!(
            "{what} is too large: {size} bytes, and at most {limit} are allowed"
        ))),
    }
}

/// Makes `bytes` hold `len` zeros. Memory that is not there is an error.
pub(crate) fn zeros(bytes: &mut Vec<u8>, len: usize) -> Result<()> {
    bytes.clear();
    reserve(bytes, len)?;
    bytes.resize(len, 0);
    Ok(())
}

/// Reserves room for `more` values.
pub(crate) fn reserve<T>(values: &mut Vec<T>, more: usize) -> Result<()> {
    values.try_reserve(more).map_err(|_| {
        let bytes = more.saturating_mul(size_of::<T>());
        Error::limit(format!("there is no memory for {bytes} bytes"))
    })
}
