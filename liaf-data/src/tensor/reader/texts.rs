//! Texts beside the tensors of a file.

use super::TensorFile;
#[cfg(feature = "hdf5")]
use super::h5;
#[cfg(feature = "hdf5")]
use super::index::Place;
use crate::error::{Error, Result};
use crate::tensor::offsets_name;

impl TensorFile {
    /// The texts that [`write_texts`](crate::tensor::TensorFileWriter::write_texts) stored under this name:
    /// strings of a dataset in HDF5, otherwise bytes and offsets. Bytes and offsets are read in HDF5, too.
    ///
    /// # Errors
    /// As [`get`](Self::get), and [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) if the offsets do not
    /// agree with the bytes, or if a text is not UTF-8.
    pub fn texts(&self, name: &str) -> Result<Vec<String>> {
        #[cfg(feature = "hdf5")]
        if let Place::Dataset(dataset) = &self.find(name)?.place
            && let Some(texts) = h5::texts(dataset, self.limits()).transpose()
        {
            return self.locate(texts);
        }
        let bytes = self.get(name)?.to_vec::<u8>()?;
        let offsets = self.get(&offsets_name(name))?.to_vec::<i64>()?;
        self.locate(divided(name, &bytes, &offsets))
    }
}

/// The texts of these bytes, each of which ends where the next one begins.
fn divided(name: &str, bytes: &[u8], offsets: &[i64]) -> Result<Vec<String>> {
    let bounds = [offsets.first(), offsets.last()].map(|offset| offset.copied());
    if bounds != [Some(0), i64::try_from(bytes.len()).ok()] || !offsets.is_sorted() {
        let what = format!("the texts of {name} do not agree with their offsets");
        return Err(Error::malformed(what));
    }
    let text = |pair: &[i64]| {
        let text = str::from_utf8(&bytes[pair[0] as usize..pair[1] as usize]);
        text.map(str::to_owned).map_err(|error| {
            Error::malformed(format!("a text of {name} is not UTF-8")).found(error)
        })
    };
    offsets.windows(2).map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::divided;

    #[test]
    fn texts_are_divided_at_their_offsets() {
        assert_eq!(divided("names", "aßc".as_bytes(), &[0, 1, 1, 4]).unwrap(), ["a", "", "ßc"]);
        assert_eq!(divided("names", b"", &[0]).unwrap(), [""; 0]);
    }

    #[test]
    fn offsets_that_do_not_agree_are_refused() {
        for offsets in [&[][..], &[0, 2], &[1, 4], &[0, 3, 2, 4], &[0, -1, 4], &[0, 5], &[0, 2, 4]]
        {
            assert!(divided("names", "aßc".as_bytes(), offsets).is_err(), "{offsets:?}");
        }
    }
}
