//! An HDF5 file of datasets that are written by chunks. It appears when it is complete, or not at all.

use std::io;
use std::path::{Path, PathBuf};

use liaf_hdf5::{ChunkedDataset, DatasetId, Element, ElementType, FileWriter, Filter, Output};

use super::pack::Chunk;
use super::thread::ChunkSink;
use crate::codec::check_size;
use crate::container::deflate::DeflateLevel;
use crate::error::{Error, Result};
use crate::io::AtomicFile;
use crate::limits::Limits;

/// A dataset in chunks of whole rows.
#[derive(Debug, Clone)]
pub(crate) struct Chunked {
    /// Its name, with those of the groups before it.
    pub(crate) name: String,
    pub(crate) element: ElementType,
    /// Number of rows; `None` if it grows.
    pub(crate) rows: Option<u64>,
    /// Shape of a row, which is what all axes but the first have.
    pub(crate) row: Vec<u64>,
}

impl Chunked {
    /// A dataset that grows along its first axis.
    pub(crate) fn growing(name: &str, element: ElementType, row: &[usize]) -> Self {
        let row = row.iter().map(|&side| side as u64).collect();
        Self { name: name.into(), element, rows: None, row }
    }
}

/// What is said of a file when it is begun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileSpec<'a> {
    pub(crate) path: &'a Path,
    pub(crate) overwrite: bool,
    pub(crate) sync: bool,
    /// The text of the attribute `liaf` of the root, if there is one.
    pub(crate) provenance: Option<&'a str>,
    /// How the chunks are compressed that are written.
    pub(crate) level: Option<DeflateLevel>,
    /// All chunks together may have `output_bytes` bytes.
    pub(crate) limits: Limits,
}

/// The open file. It takes [`Chunk`]s of all its datasets in chunks, in any order.
#[derive(Debug)]
pub(crate) struct ChunkedFile {
    file: FileWriter<AtomicFile>,
    /// The datasets in chunks by their numbers, with nothing before the first chunk, which says how
    /// many rows a chunk has.
    chunked: Vec<(Chunked, Option<DatasetId>)>,
    level: Option<DeflateLevel>,
    limits: Limits,
    /// Size of all chunks so far, in bytes.
    bytes: u64,
    path: PathBuf,
}

impl ChunkedFile {
    /// Begins a file.
    pub(crate) fn create(spec: FileSpec<'_>, chunked: Vec<Chunked>) -> Result<Self> {
        let FileSpec { path, level, limits, .. } = spec;
        if spec.provenance.is_some_and(|provenance| provenance.contains('\0')) {
            return Err(Error::caller("the provenance holds a zero character").in_file(path));
        }
        let out = AtomicFile::create(path, spec.overwrite, spec.sync)?;
        let begin = || {
            let mut file = FileWriter::new(out)?;
            if let Some(provenance) = spec.provenance {
                file.text_attribute("/", "liaf", provenance)?;
            }
            Ok(file)
        };
        Ok(Self {
            file: begin().map_err(|error| failed(error, path))?,
            chunked: chunked.into_iter().map(|chunked| (chunked, None)).collect(),
            level,
            limits,
            bytes: 0,
            path: path.into(),
        })
    }

    /// Adds a dataset in chunks, and returns its number.
    pub(crate) fn add(&mut self, chunked: Chunked) -> usize {
        self.chunked.push((chunked, None));
        self.chunked.len() - 1
    }

    /// Writes a whole dataset in one piece.
    pub(crate) fn dataset<T: Element>(
        &mut self,
        name: &str,
        data: &[T],
        shape: &[u64],
    ) -> Result<()> {
        self.file.dataset(name, data, shape).map_err(|error| failed(error, &self.path))
    }

    /// Writes a whole dataset in one piece from its bytes, little-endian.
    pub(crate) fn raw_dataset(
        &mut self,
        name: &str,
        element: ElementType,
        bytes: &[u8],
        shape: &[u64],
    ) -> Result<()> {
        let written = self.file.raw_dataset(name, element, bytes, shape);
        written.map_err(|error| failed(error, &self.path))
    }

    /// Writes a whole dataset in one piece from its bytes, little-endian, which `give` passes in pieces
    /// and in order to the function that it gets.
    pub(crate) fn dataset_in_pieces(
        &mut self,
        name: &str,
        element: ElementType,
        shape: &[u64],
        give: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>,
    ) -> Result<()> {
        let path = &self.path;
        let system = |error| failed(liaf_hdf5::Error::system("cannot write", error), path);
        let written = self.file.raw_dataset_in_pieces(name, element, shape, |put| {
            give(&mut |bytes| put(bytes).map_err(system)).map_err(io::Error::other)
        });
        written.map_err(|error| failed(error, path))
    }

    /// Sets the attribute `liaf` of the root, once.
    pub(crate) fn set_provenance(&mut self, text: &str) -> Result<()> {
        let written = self.file.text_attribute("/", "liaf", text);
        written.map_err(|error| failed(error, &self.path))
    }

    /// Completes the file and returns its size. Datasets without rows have chunks of one row.
    pub(crate) fn finish(mut self) -> Result<u64> {
        for dataset in 0..self.chunked.len() {
            self.made(dataset, 1)?;
        }
        let (out, _) = self.file.finish().map_err(|error| failed(error, &self.path))?;
        out.finish()
    }

    /// The dataset in chunks of this number; a new one has chunks of `room` rows.
    fn made(&mut self, dataset: usize, room: usize) -> Result<DatasetId> {
        let (chunked, made) = self
            .chunked
            .get_mut(dataset)
            .ok_or_else(|| Error::caller("no dataset of this number").in_file(&self.path))?;
        if let Some(made) = *made {
            return Ok(made);
        }
        let sides = [room as u64].into_iter().chain(chunked.row.iter().copied());
        let chunk: std::result::Result<Vec<u32>, _> = sides.map(u32::try_from).collect();
        let chunk =
            chunk.map_err(|_| Error::caller("a row is too large for HDF5").in_file(&self.path))?;
        let shape: Vec<u64> =
            [chunked.rows.unwrap_or(0)].into_iter().chain(chunked.row.iter().copied()).collect();
        let mut filters = Vec::new();
        if let Some(level) = self.level {
            if chunked.element.size() > 1 {
                filters.push(Filter::shuffle(chunked.element.size()));
            }
            filters.push(Filter::deflate(level.number().into()));
        }
        let mut spec = ChunkedDataset::new(chunked.element, &shape, &chunk).filters(&filters);
        if chunked.rows.is_none() {
            spec = spec.growing();
        }
        let id = self
            .file
            .create_dataset(&chunked.name, spec)
            .map_err(|error| failed(error, &self.path))?;
        *made = Some(id);
        Ok(id)
    }
}

impl ChunkSink for ChunkedFile {
    /// Writes `chunk`, after extending its dataset to include its rows.
    fn write(&mut self, chunk: &Chunk) -> Result<()> {
        self.bytes += chunk.bytes().len() as u64;
        check_size(self.bytes, &self.limits, &self.path)?;
        let id = self.made(chunk.dataset, chunk.room)?;
        let Chunked { rows, row, .. } = &self.chunked[chunk.dataset].0;
        let mut offset = vec![0; 1 + row.len()];
        offset[0] = chunk.first;
        let resized = match rows {
            Some(_) => Ok(()),
            None => self.file.resize(id, chunk.first + chunk.rows as u64),
        };
        resized
            .and_then(|()| self.file.write_chunk(id, &offset, chunk.bytes(), 0))
            .map_err(|error| failed(error, &self.path))
    }
}

impl Output for AtomicFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        Self::append(self, bytes).map_err(io::Error::other)
    }

    fn overwrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.patch(offset, bytes).map_err(io::Error::other)
    }
}

/// The error that a file at `path` was not written. Those of [`AtomicFile`] come back as they were.
fn failed(error: liaf_hdf5::Error, path: &Path) -> Error {
    super::error(error).in_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(path: &Path) -> FileSpec<'_> {
        let limits = Limits { output_bytes: 10, ..Limits::DEFAULT };
        FileSpec {
            path,
            overwrite: false,
            sync: false,
            provenance: Some("{}"),
            level: None,
            limits,
        }
    }

    #[test]
    fn errors_say_whose_fault_it_is_and_name_the_file() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.h5");
        let zero = FileSpec { provenance: Some("a\0b"), ..spec(&path) };
        let error = ChunkedFile::create(zero, vec![]).expect_err("zero");
        assert_eq!((error.kind(), error.path()), (crate::ErrorKind::Caller, Some(&*path)));

        let growing = Chunked::growing("x", ElementType::U8, &[]);
        let mut file = ChunkedFile::create(spec(&path), vec![growing]).expect("begun");
        let error = file.dataset("y", &[1u8], &[2]).expect_err("another shape");
        assert_eq!((error.kind(), error.path()), (crate::ErrorKind::Caller, Some(&*path)));
        let mut chunk = Chunk::new(None);
        (chunk.room, chunk.rows) = (6, 6);
        chunk.raw = vec![0; 6];
        file.write(&chunk).expect("within the limit");
        let error = file.write(&chunk).expect_err("12 bytes");
        assert_eq!((error.kind(), error.path()), (crate::ErrorKind::Limit, Some(&*path)));
        chunk.dataset = 1;
        (file.bytes, chunk.raw) = (0, vec![]);
        assert_eq!(file.write(&chunk).expect_err("one").kind(), crate::ErrorKind::Caller);
        drop(file);
        assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 0);
    }

    #[test]
    fn an_error_of_the_disk_is_that_of_the_file() {
        let path = Path::new("a.h5");
        let own = Error::system("cannot write", io::Error::from(io::ErrorKind::StorageFull));
        let own = own.in_file("b.h5");
        let error = failed(liaf_hdf5::Error::system("there", io::Error::other(own)), path);
        assert_eq!(error.path(), Some(Path::new("b.h5")));
        assert_eq!(error.cause().map(io::Error::kind), Some(io::ErrorKind::StorageFull));
        let other = io::Error::from(io::ErrorKind::Interrupted);
        let error = failed(liaf_hdf5::Error::system("there", other), path);
        assert_eq!((error.kind(), error.path()), (crate::ErrorKind::System, Some(path)));
    }
}
