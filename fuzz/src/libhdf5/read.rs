//! What libhdf5 reads.

use std::ffi::CStr;
use std::ptr;

use hdf5_sys::h5d::{H5Dclose, H5Dget_space, H5Dget_type, H5Dopen2, H5Dread};
use hdf5_sys::h5e::H5Eset_auto2;
use hdf5_sys::h5f::{H5F_ACC_RDONLY, H5Fclose, H5Fopen};
use hdf5_sys::h5i::hid_t;
use hdf5_sys::h5p::H5P_DEFAULT;
use hdf5_sys::h5s::{H5S_ALL, H5Sclose, H5Sget_simple_extent_npoints};
use hdf5_sys::h5t::{H5Tclose, H5Tget_size};

use super::{Expected, MOST};

/// Reads the same datasets, and says what is different.
pub(super) fn difference(path: &CStr, expected: &[Expected]) -> Option<String> {
    // SAFETY: the texts end with NUL, and what is closed was opened here.
    unsafe {
        H5Eset_auto2(0, None, ptr::null_mut());
        let file = H5Fopen(path.as_ptr(), H5F_ACC_RDONLY, H5P_DEFAULT);
        if file < 0 {
            return None;
        }
        let mut found = None;
        for Expected { name, bytes } in expected {
            let theirs = values(file, name);
            if let Some(theirs) = theirs.filter(|theirs| theirs != bytes) {
                let at = theirs.iter().zip(bytes).position(|(a, b)| a != b);
                let (n, m) = (bytes.len(), theirs.len());
                found =
                    Some(format!("{name:?}: {n} and {m} bytes, the first that differs is {at:?}"));
            }
        }
        H5Fclose(file);
        found
    }
}

/// The bytes of a dataset; `None` if libhdf5 refuses it, or if there are none or too many.
///
/// # Safety
/// `file` is an open file.
unsafe fn values(file: hid_t, name: &CStr) -> Option<Vec<u8>> {
    // SAFETY: the buffer has as many bytes as libhdf5 says it will fill.
    unsafe {
        let dataset = H5Dopen2(file, name.as_ptr(), H5P_DEFAULT);
        if dataset < 0 {
            return None;
        }
        let (datatype, space) = (H5Dget_type(dataset), H5Dget_space(dataset));
        let size = if datatype < 0 || space < 0 {
            0
        } else {
            H5Tget_size(datatype) as i128 * i128::from(H5Sget_simple_extent_npoints(space))
        };
        let mut values = None;
        if size > 0 && size <= MOST as i128 {
            let mut buffer = vec![0u8; size as usize];
            let to = buffer.as_mut_ptr().cast();
            if H5Dread(dataset, datatype, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) >= 0 {
                values = Some(buffer);
            }
        }
        H5Tclose(datatype);
        H5Sclose(space);
        H5Dclose(dataset);
        values
    }
}
