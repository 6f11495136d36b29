//! The rows of a tensor, one after another.

use std::ops::Range;

use super::TensorFile;
use super::array::{self, OpenArray};
use super::bytes::{Aligned, Bytes};
use super::index::Place;
use super::rows::extent;
use super::tensor::Tensor;
use crate::error::Result;
use crate::io::ByteSource;
use crate::limits::Limits;

impl TensorFile {
    /// A reader of the rows of a tensor in their order. [`rows`](Self::rows) decompresses a compressed array
    /// of `.npz` as a whole at each call; this reader does it once, in memory for the rows alone, and
    /// verifies the checksum after the last row.
    ///
    /// ```
    /// use liaf_data::Limits;
    /// use liaf_data::tensor::{Container, TensorFile, TensorFileWriter, TensorOptions};
    /// # fn main() -> liaf_data::Result<()> {
    /// # let folder = tempfile::tempdir().expect("folder");
    /// # let path = folder.path().join("a.npz");
    /// let options = TensorOptions { npz_deflate: true, ..TensorOptions::default() };
    /// let mut file = TensorFileWriter::create(&path, Container::Npz, &options)?;
    /// file.write("counts", &[3, 2], &[1u16, 2, 3, 4, 5, 6])?;
    /// file.finish()?;
    ///
    /// let file = TensorFile::open(&path, &Limits::default())?;
    /// let mut counts = file.rows_in_order("counts")?;
    /// assert_eq!(counts.rows(0..1)?.as_slice::<u16>()?, [1, 2]);
    /// assert_eq!(counts.rows(1..3)?.as_slice::<u16>()?, [3, 4, 5, 6]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`info`](Self::info).
    pub fn rows_in_order(&self, name: &str) -> Result<RowReader<'_>> {
        let stream = self.locate(Stream::open(self, &self.find(name)?.place))?;
        Ok(RowReader { file: self, name: name.to_owned(), stream })
    }
}

/// Reads the rows of a tensor in their order; made by [`TensorFile::rows_in_order`].
#[derive(Debug)]
pub struct RowReader<'a> {
    file: &'a TensorFile,
    name: String,
    /// The elements, if they have to be decompressed in order.
    stream: Option<Stream>,
}

impl<'a> RowReader<'a> {
    /// These rows. Others may be left out before them; rows before those of the last call are read as well,
    /// but what is compressed is then decompressed from its start again.
    ///
    /// # Errors
    /// As [`TensorFile::rows`].
    pub fn rows(&mut self, rows: Range<usize>) -> Result<Tensor<'a>> {
        let Self { file, name, stream } = self;
        let Some(packed) = stream else { return file.rows(name, rows) };
        file.check_rows(name, &packed.array.info, &rows)?;
        if packed.is_after(&rows) {
            let place = &file.find(name)?.place;
            *stream = file.locate(Stream::open(file, place))?;
            return self.rows(rows);
        }
        let bytes = file.locate(packed.rows(&rows, file.limits()))?;
        let mut info = packed.array.info.clone();
        info.shape[0] = rows.len();
        Ok(Tensor::new(name.clone(), info, Bytes::Owned(bytes)))
    }
}

/// A compressed array, of which some elements have been decompressed.
#[derive(Debug)]
struct Stream {
    source: ByteSource,
    array: OpenArray,
    /// Number of bytes of elements that have been decompressed, and of rows.
    at: u64,
    done: usize,
}

impl Stream {
    /// `None` if the rows can be read without those before them, or not in order.
    fn open(file: &TensorFile, place: &Place) -> Result<Option<Self>> {
        if !matches!(place, Place::Member(_)) {
            return Ok(None);
        }
        let mut source = file.source.again()?;
        let array = array::open(&mut source, place, file.limits())?;
        let is_in_order = !array.feed.is_stored() && !array.fortran;
        Ok(is_in_order.then_some(Self { source, array, at: 0, done: 0 }))
    }

    /// Whether some of these rows have been passed already.
    fn is_after(&self, rows: &Range<usize>) -> bool {
        rows.start < self.done && !rows.is_empty()
    }

    fn rows(&mut self, rows: &Range<usize>, limits: &Limits) -> Result<Aligned> {
        let Self { source, array, at, done } = self;
        let (start, length) = extent(&array.info, rows, limits)?;
        Limits::check("rows of a compressed tensor", length as u64, limits.held_bytes)?;
        if rows.is_empty() {
            return Aligned::with_capacity(0);
        }
        array.feed.skip(source, start.saturating_sub(*at))?;
        let mut bytes = array::fill(source, &mut array.feed, length)?;
        (*at, *done) = (start + length as u64, rows.end);
        if *at == array.bytes {
            array.check_sum()?;
        }
        if array.big_endian {
            bytes.reverse(array.info.dtype.bytes());
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::tensor::{Container, TensorFileWriter, TensorOptions};

    /// A compressed array of 1,000 rows of 8 numbers.
    fn packed() -> (tempfile::TempDir, std::path::PathBuf, Vec<i64>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        let options = TensorOptions { npz_deflate: true, ..TensorOptions::default() };
        let mut file = TensorFileWriter::create(&path, Container::Npz, &options).unwrap();
        let numbers: Vec<i64> = (0..8_000).map(|i| i * i % 977).collect();
        file.write("numbers", &[1_000, 8], &numbers).unwrap();
        file.finish().unwrap();
        (folder, path, numbers)
    }

    #[test]
    #[cfg_attr(not(feature = "zip"), ignore = "writes .npz")]
    fn compressed_rows_are_read_in_memory_for_themselves() {
        let (_folder, path, numbers) = packed();
        let limits = Limits { held_bytes: 6_400, ..Limits::default() };
        let file = TensorFile::open(&path, &limits).unwrap();
        assert!(file.rows("numbers", 0..1).is_err(), "all rows are more than may be held");
        let mut reader = file.rows_in_order("numbers").unwrap();
        for start in (0..1_000).step_by(100) {
            let rows = reader.rows(start..start + 100).unwrap();
            assert_eq!(rows.shape(), [100, 8]);
            assert_eq!(rows.to_vec::<i64>().unwrap(), numbers[8 * start..8 * start + 800]);
        }
        assert!(reader.rows(0..101).is_err(), "more than may be held");
        for rows in [3..5, 900..901, 4..4, 0..2, 999..1_000] {
            let found = reader.rows(rows.clone()).unwrap().to_vec::<i64>().unwrap();
            assert_eq!(found, numbers[8 * rows.start..8 * rows.end], "{rows:?}");
        }
        assert!(reader.rows(999..1_001).is_err());
        assert!(file.rows_in_order("others").is_err());
    }

    #[test]
    #[cfg_attr(not(feature = "zip"), ignore = "writes .npz")]
    fn a_wrong_checksum_is_found_at_the_last_row() {
        let (_folder, path, _) = packed();
        let mut bytes = fs::read(&path).unwrap();
        let name = bytes.windows(4).position(|part| part == b"PK\x01\x02").unwrap();
        // The checksum is in the directory, 16 bytes after the start of its entry.
        bytes[name + 16] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let file = TensorFile::open(&path, &Limits::default()).unwrap();
        let mut reader = file.rows_in_order("numbers").unwrap();
        reader.rows(0..999).unwrap();
        let error = reader.rows(999..1_000).unwrap_err().to_string();
        assert!(error.contains("checksum"), "{error}");
    }
}
