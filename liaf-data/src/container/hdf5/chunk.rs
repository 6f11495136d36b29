//! The one function of the HDF5 library that its safe wrapper lacks.

#![expect(unsafe_code, reason = "H5Dwrite_chunk is a function of C")]

use hdf5::Dataset;
use hdf5_sys::h5d::H5Dwrite_chunk;
use hdf5_sys::h5p::H5P_DEFAULT;

/// Writes one chunk without applying any filters: `bytes` are the contents after the filters, as
/// they are stored in the file. `offset` is the index of the first cell of the chunk, with one
/// number per dimension.
///
/// # Errors
/// Errors of the library, for instance if `offset` is outside the dataset.
pub(crate) fn write_chunk(dataset: &Dataset, offset: &[u64], bytes: &[u8]) -> hdf5::Result<()> {
    if dataset.ndim() != offset.len() {
        return Err("the dataset has another number of dimensions than the offset".into());
    }
    let filters_left_out = 0;
    hdf5::sync::sync(|| {
        // SAFETY: the library's lock is held until `sync` returns. `dataset` is an open dataset, and
        // `offset` has a number for each of its dimensions; the library reads `bytes.len()`
        // bytes from `bytes` and writes to neither.
        let status = unsafe {
            H5Dwrite_chunk(
                dataset.id(),
                H5P_DEFAULT,
                filters_left_out,
                offset.as_ptr(),
                bytes.len(),
                bytes.as_ptr().cast(),
            )
        };
        hdf5::h5check(status).map(|_| ())
    })
}
