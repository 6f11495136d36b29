//! The one call for reading that the safe wrapper of HDF5 does not have.

#![expect(unsafe_code, reason = "H5Dget_chunk_info_by_coord is a function of C")]

use hdf5::Dataset;
use hdf5_sys::h5d::H5Dget_chunk_info_by_coord;

/// Where a chunk lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// From the base address of the file; `None` if the chunk was never written.
    pub address: Option<u64>,
    pub bytes: u64,
    /// A bit for each filter that was left out.
    pub mask: u32,
}

/// Chunks that cannot be read, one after the other, behind which no more are tried: a few bytes can
/// claim any number of them.
pub(crate) const MOST_DAMAGED: u32 = 64;

/// What is said of the rest of a dataset that is not tried.
pub(crate) fn given_up(rows: u64, name: &str) -> String {
    format!(
        "{MOST_DAMAGED} chunks in a row cannot be read: {rows} rows of {name} behind them are not tried"
    )
}

/// The chunk in which the value at `place` stands. By index the same takes a time that grows with the
/// index.
///
/// # Errors
/// Those of the library, and if `place` has not a number for each dimension.
pub(crate) fn chunk_of(dataset: &Dataset, place: &[u64]) -> hdf5::Result<Chunk> {
    if dataset.ndim() != place.len() || place.is_empty() {
        return Err("the dataset has another number of dimensions than the offset".into());
    }
    let (mut mask, mut address, mut bytes) = (0, 0, 0);
    hdf5::sync::sync(|| {
        // SAFETY: the library's lock is held until `sync` returns. `dataset` is an open dataset, and
        // `place` has a number for each of its dimensions; the library writes one value to each of the
        // three others.
        let status = unsafe {
            let place = place.as_ptr();
            H5Dget_chunk_info_by_coord(dataset.id(), place, &mut mask, &mut address, &mut bytes)
        };
        hdf5::h5check(status)
    })?;
    // All bits set: no address.
    Ok(Chunk { address: (address != u64::MAX).then_some(address), bytes, mask })
}
