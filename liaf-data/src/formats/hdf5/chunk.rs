//! The one function for reading that the safe wrapper of HDF5 lacks.

#![expect(unsafe_code, reason = "H5Dget_chunk_info_by_coord is a function of C")]

use hdf5::Dataset;
use hdf5_sys::h5d::H5Dget_chunk_info_by_coord;

/// The position of a chunk in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Relative to the base address of the file; `None` if the chunk was never written.
    pub address: Option<u64>,
    pub bytes: u64,
    /// A bit for each filter that was not applied.
    pub mask: u32,
}

/// After this many consecutive chunks that cannot be read, the rest is not tried: a few bytes can
/// claim any number of chunks.
pub(crate) const MOST_DAMAGED: u32 = 64;

/// The message about the rest of a dataset that is not tried.
pub(crate) fn given_up(rows: u64, name: &str) -> String {
    format!(
        "{MOST_DAMAGED} chunks in a row cannot be read: {rows} rows of {name} after them are not tried"
    )
}

/// Finds the chunk that contains the value with this index, one number per dimension. Looking up a
/// chunk by its number instead takes a time that grows with the number.
///
/// # Errors
/// Errors of the library, and if `index` does not have a number for each dimension.
pub(crate) fn chunk_of(dataset: &Dataset, index: &[u64]) -> hdf5::Result<Chunk> {
    if dataset.ndim() != index.len() || index.is_empty() {
        return Err("the dataset has another number of dimensions than the offset".into());
    }
    let (mut mask, mut address, mut bytes) = (0, 0, 0);
    hdf5::sync::sync(|| {
        // SAFETY: the library's lock is held until `sync` returns. `dataset` is an open dataset,
        // and `index` has a number for each of its dimensions; the library writes one value to each
        // of the three others.
        let status = unsafe {
            let index = index.as_ptr();
            H5Dget_chunk_info_by_coord(dataset.id(), index, &mut mask, &mut address, &mut bytes)
        };
        hdf5::h5check(status)
    })?;
    // If all bits are set, there is no address.
    Ok(Chunk { address: (address != u64::MAX).then_some(address), bytes, mask })
}
