//! Some rows of a tensor, without the others.

use std::ops::Range;

use super::TensorFile;
use super::array;
use super::bytes::{self, Bytes};
#[cfg(feature = "hdf5")]
use super::h5;
use super::index::{Place, Plain};
use super::tensor::{Tensor, TensorInfo};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::limits::Limits;

impl TensorFile {
    /// Some rows of a tensor: its elements with these indices on the first axis. Only their bytes are
    /// read, or, in HDF5, the chunks that hold them; a compressed array of `.npz` is read whole, for
    /// which [`rows_in_order`](Self::rows_in_order) is better. Checksums
    /// of `.npz` are not verified, since they are those of whole arrays.
    ///
    /// ```
    /// use liaf_data::Limits;
    /// use liaf_data::tensor::{Container, TensorFile, TensorFileWriter, TensorOptions};
    /// # fn main() -> liaf_data::Result<()> {
    /// # let folder = tempfile::tempdir().expect("folder");
    /// # let path = folder.path().join("a.npz");
    /// let options = TensorOptions::default();
    /// let mut file = TensorFileWriter::create(&path, Container::Npz, &options)?;
    /// file.write("counts", &[3, 2], &[1u16, 2, 3, 4, 5, 6])?;
    /// file.finish()?;
    ///
    /// let file = TensorFile::open(&path, &Limits::default())?;
    /// let rows = file.rows("counts", 1..3)?;
    /// assert_eq!(rows.shape(), [2, 2]);
    /// assert_eq!(rows.as_slice::<u16>()?, [3, 4, 5, 6]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get), and [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the tensor does not
    /// have these rows.
    pub fn rows(&self, name: &str, rows: Range<usize>) -> Result<Tensor<'_>> {
        let mut info = self.info(name)?;
        self.check_rows(name, &info, &rows)?;
        let entry = self.find(name)?;
        let limits = self.limits();
        let bytes = self.locate(match &entry.place {
            Place::Plain(plain) => plain_rows(&self.source, plain, &info, &rows, limits),
            #[cfg(feature = "hdf5")]
            Place::Dataset(dataset) => h5::rows(dataset, &rows, &info, limits),
            #[cfg(feature = "hdf5")]
            Place::Refused(why) => Err(Error::unsupported(why)),
            place => array::rows(&self.source, place, &rows, limits),
        })?;
        info.shape[0] = rows.len();
        Ok(Tensor::new(entry.name.clone(), info, bytes))
    }

    /// Returns an error if the tensor does not have these rows.
    pub(super) fn check_rows(
        &self,
        name: &str,
        info: &TensorInfo,
        rows: &Range<usize>,
    ) -> Result<()> {
        let all = info.shape.first().copied();
        if rows.start <= rows.end && all.is_some_and(|all| rows.end <= all) {
            return Ok(());
        }
        let error = Error::caller(format!("the tensor {name} does not have these rows"));
        let expected = format!("0..{}", all.unwrap_or(0));
        Err(self.in_file(error.expected(expected).found(format!("{rows:?}"))))
    }
}

/// The offset of the first of these rows from the first element, and their size, in bytes.
pub(super) fn extent(
    info: &TensorInfo,
    rows: &Range<usize>,
    limits: &Limits,
) -> Result<(u64, usize)> {
    let row = info
        .shape
        .iter()
        .skip(1)
        .fold(info.dtype.bytes() as u64, |size, &side| size.saturating_mul(side as u64));
    let length = bytes::checked_length(row.saturating_mul(rows.len() as u64), limits)?;
    Ok((row.saturating_mul(rows.start as u64), length))
}

fn plain_rows<'a>(
    source: &'a ByteSource,
    plain: &Plain,
    info: &TensorInfo,
    rows: &Range<usize>,
    limits: &Limits,
) -> Result<Bytes<'a>> {
    let (start, length) = extent(info, rows, limits)?;
    bytes::stored(source, plain.start.saturating_add(start), length)
}
