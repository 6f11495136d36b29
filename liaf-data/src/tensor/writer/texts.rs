//! Texts beside the tensors of a file, such as the names of recordings.

use super::{Out, TensorFileWriter};
#[cfg(feature = "hdf5")]
use super::{check, h5::H5Tensors};
use crate::error::{Error, Result};
use crate::tensor::offsets_name;

impl TensorFileWriter {
    /// Adds texts, which [`TensorFile::texts`](crate::tensor::TensorFile::texts) reads. In `.h5` they are a
    /// dataset of strings of fixed length, as long as the longest text, which NumPy and h5py read as `S`.
    /// Elsewhere they are two tensors: their UTF-8 bytes, one after another, as u8 with this name, and, with
    /// `_offsets` after the name, i64 `[n + 1]`: where each begins and the last ends.
    ///
    /// ```
    /// use liaf_data::Limits;
    /// use liaf_data::tensor::{Container, TensorFile, TensorFileWriter, TensorOptions};
    /// # fn main() -> liaf_data::Result<()> {
    /// # let folder = tempfile::tempdir().expect("folder");
    /// # let path = folder.path().join("a.npz");
    /// let mut file = TensorFileWriter::create(&path, Container::Npz, &TensorOptions::default())?;
    /// file.write_texts("names", &["left.raw", "right.raw"])?;
    /// file.finish()?;
    ///
    /// let file = TensorFile::open(&path, &Limits::default())?;
    /// assert_eq!(file.texts("names")?, ["left.raw", "right.raw"]);
    /// assert_eq!(file.get("names_offsets")?.to_vec::<i64>()?, [0, 8, 17]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`write`](Self::write), and [`ErrorKind::Caller`](crate::ErrorKind::Caller) for a text with a zero
    /// character, which fills strings up in HDF5.
    pub fn write_texts<T: AsRef<str>>(&mut self, name: &str, texts: &[T]) -> Result<()> {
        if let Some(text) = texts.iter().find(|text| text.as_ref().contains('\0')) {
            let error = Error::caller("a text holds a zero character");
            return Err(error.found(format!("{:?}", text.as_ref())).in_file(&self.path));
        }
        match &mut self.out {
            Out::Ordered { .. } => self.write_joined(name, texts),
            #[cfg(feature = "hdf5")]
            Out::Chunked(_) => self.write_strings(name, texts),
        }
    }

    /// Writes all texts as one tensor of bytes, and another of offsets.
    fn write_joined<T: AsRef<str>>(&mut self, name: &str, texts: &[T]) -> Result<()> {
        let (mut bytes, mut offsets) = (Vec::new(), vec![0_i64]);
        for text in texts {
            bytes.extend_from_slice(text.as_ref().as_bytes());
            offsets.push(bytes.len() as i64);
        }
        self.write(name, &[bytes.len()], &bytes)?;
        self.write(&offsets_name(name), &[offsets.len()], &offsets).map(drop)
    }

    /// Writes the texts as a dataset of strings.
    #[cfg(feature = "hdf5")]
    fn write_strings<T: AsRef<str>>(&mut self, name: &str, texts: &[T]) -> Result<()> {
        self.check_not_started("texts must be added before any rows")?;
        check::check_name(name).map_err(|error| error.in_file(&self.path))?;
        self.check_free(name)?;
        let width = H5Tensors::width_of(texts);
        self.claim((texts.len() as u64).saturating_mul(width as u64))?;
        let Out::Chunked(tensors) = &mut self.out else { return Ok(()) };
        tensors.write_strings(name, texts, width).map_err(|error| error.in_file(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use crate::Limits;
    use crate::tensor::{
        Container, ElementType, Rows, TensorFile, TensorFileWriter, TensorOptions,
    };

    fn containers() -> Vec<Container> {
        let mut all = vec![Container::Safetensors];
        all.extend(cfg!(feature = "zip").then_some(Container::Npz));
        all.extend(cfg!(feature = "hdf5").then_some(Container::H5));
        all
    }

    fn create(container: Container) -> (tempfile::TempDir, PathBuf, TensorFileWriter) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let file = TensorFileWriter::create(&path, container, &TensorOptions::default());
        (folder, path, file.unwrap())
    }

    #[test]
    fn texts_come_back_from_every_container() {
        for container in containers() {
            let (_folder, path, mut file) = create(container);
            let texts = ["", "a/ß.raw", "the longest of them", ""];
            file.write_texts("names", &texts).unwrap();
            file.write_texts::<&str>("none", &[]).unwrap();
            file.write_texts("empty", &[""]).unwrap();
            file.finish().unwrap();
            let file = TensorFile::open(&path, &Limits::default()).unwrap();
            assert_eq!(file.texts("names").unwrap(), texts, "{container:?}");
            assert_eq!(file.texts("none").unwrap(), [""; 0], "{container:?}");
            assert_eq!(file.texts("empty").unwrap(), [""], "{container:?}");
            assert!(file.texts("others").is_err(), "{container:?}");
        }
    }

    #[test]
    fn texts_that_cannot_be_stored_are_refused() {
        for container in containers() {
            let (_folder, _, mut file) = create(container);
            file.add("taken", ElementType::U8, Rows::Growing, &[]).unwrap();
            for (name, text) in [("names", "a\0b"), ("taken", "a"), ("liaf", "a"), ("a/b", "a")] {
                assert!(file.write_texts(name, &[text]).is_err(), "{container:?} {name} {text:?}");
            }
        }
    }
}
