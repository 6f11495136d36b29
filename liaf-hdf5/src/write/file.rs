//! The writer itself.

use std::io;

use super::dataset::{ChunkedDataset, Dataset, Layout};
use super::element::{Element, ElementType};
use super::objects::{Object, Objects};
use super::output::{Appender, Output};
use super::strings::Strings;
use super::{attribute, dataspace, finish, superblock};
use crate::error::{Error, Result};

/// Numbers are converted and appended in pieces of this many bytes.
const PIECE: usize = 64 << 10;

/// Writes one HDF5 file. See the [module](super) for an example.
///
/// The data of datasets is appended when it comes; everything that describes it waits for
/// [`finish`](Self::finish). In between, memory holds some 24 bytes for each chunk, the name,
/// shape and attributes of each object, and at most 64 KiB of texts.
///
/// Paths are names with slashes between them, from the root on; a slash at the beginning makes no
/// difference. Groups that are missing on the way are made.
///
/// # Errors
/// All methods give `Caller` for what cannot be, and then change nothing; and `System` if the
/// output fails, after which every call that writes fails.
#[derive(Debug)]
pub struct FileWriter<S> {
    out: Appender<S>,
    objects: Objects,
    strings: Strings,
}

/// A dataset in chunks of a [`FileWriter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DatasetId(usize);

impl<S: Output> FileWriter<S> {
    /// Begins a file in `output`, which is empty.
    ///
    /// # Errors
    /// `System` if the output fails.
    pub fn new(output: S) -> Result<Self> {
        let mut out = Appender::new(output);
        // Without a signature this is no HDF5 file yet.
        out.append(&[0; superblock::BYTES])?;
        Ok(Self { out, objects: Objects::new(), strings: Strings::default() })
    }

    /// Number of bytes written so far.
    pub fn length(&self) -> u64 {
        self.out.length()
    }

    /// Makes a group, unless it exists.
    ///
    /// # Errors
    /// `Caller` if the path cannot be, or a part of it is a dataset.
    pub fn group(&mut self, path: &str) -> Result<()> {
        self.objects.group(path).map(|_| ())
    }

    /// Makes a dataset in chunks, none of which is written yet. Elements of chunks that never are
    /// read as 0.
    ///
    /// # Errors
    /// `Caller` if the path is taken or cannot be, or the shapes do not fit each other.
    pub fn create_dataset(&mut self, path: &str, dataset: ChunkedDataset) -> Result<DatasetId> {
        let dataset = Dataset::chunked(dataset).map_err(|error| error.within(path))?;
        self.objects.add(path, dataset).map(DatasetId)
    }

    /// Sets the length of the first axis of a dataset that [can grow](ChunkedDataset::growing).
    ///
    /// # Errors
    /// `Caller` if it cannot grow, or a chunk has been written after that length.
    pub fn resize(&mut self, dataset: DatasetId, rows: u64) -> Result<()> {
        self.objects.dataset(dataset.0)?.resize(rows)
    }

    /// Writes a chunk: `packed` is what the filters of the dataset have made of it, as it is to
    /// stand in the file. `offset` is the index of its first element, which lies inside of the
    /// shape, so a dataset that grows is [resized](Self::resize) before. Chunks come in any order,
    /// but each only once. `skipped` has a bit for each filter that this chunk did not go through,
    /// bit 0 for the first; 0 is the rule.
    ///
    /// # Errors
    /// `Caller` if no chunk begins there, if it has been written before, or if it went through no
    /// filter and has another size than a chunk.
    pub fn write_chunk(
        &mut self,
        dataset: DatasetId,
        offset: &[u64],
        packed: &[u8],
        skipped: u32,
    ) -> Result<()> {
        let Dataset { shape, layout, .. } = self.objects.dataset(dataset.0)?;
        let Layout::Chunked(chunked) = layout else {
            return Err(Error::caller("a dataset in one piece has no chunks"));
        };
        let (number, bytes) = chunked.admit(offset, shape, packed.len(), skipped)?;
        let address = self.out.append(packed)?;
        chunked.chunks.insert(number, address, bytes, skipped);
        Ok(())
    }

    /// Writes a whole dataset in one piece: an array of numbers, the last axis of which is the
    /// fastest. The shape of a single value is `[]`.
    ///
    /// # Errors
    /// `Caller` if the path is taken or cannot be, or `data` is not as long as its shape says.
    pub fn dataset<T: Element>(&mut self, path: &str, data: &[T], shape: &[u64]) -> Result<()> {
        self.check_new(path, T::TYPE, shape, data.len() as u64 * u64::from(T::TYPE.size()))?;
        let address = self.out.align()?;
        append(&mut self.out, data)?;
        self.add_contiguous(path, T::TYPE, shape, address)
    }

    /// Writes a whole dataset in one piece from its bytes, little-endian, for types that are known
    /// only when the program runs.
    ///
    /// # Errors
    /// As [`dataset`](Self::dataset), and `Caller` for [`ElementType::Text`].
    pub fn raw_dataset(
        &mut self,
        path: &str,
        element: ElementType,
        bytes: &[u8],
        shape: &[u64],
    ) -> Result<()> {
        if element == ElementType::Text {
            return Err(Error::caller("texts of any length are written by `strings`").within(path));
        }
        self.check_new(path, element, shape, bytes.len() as u64)?;
        let address = self.out.append_aligned(bytes)?;
        self.add_contiguous(path, element, shape, address)
    }

    /// As [`raw_dataset`](Self::raw_dataset), for bytes that are not in memory all at once: `give`
    /// passes them in pieces, in order, to the function that it gets.
    ///
    /// # Errors
    /// As [`raw_dataset`](Self::raw_dataset); `System` with the error of `give`. The file can no longer
    /// be completed then.
    pub fn raw_dataset_in_pieces(
        &mut self,
        path: &str,
        element: ElementType,
        shape: &[u64],
        give: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
    ) -> Result<()> {
        if element == ElementType::Text {
            return Err(Error::caller("texts of any length are written by `strings`").within(path));
        }
        let sides = shape.iter().copied().chain([u64::from(element.size())]);
        let bytes = sides.fold(1, u64::saturating_mul);
        self.check_new(path, element, shape, bytes)?;
        let address = self.out.align()?;
        let mut given = 0;
        let out = &mut self.out;
        let mut put = |piece: &[u8]| {
            given += piece.len() as u64;
            let appended = out.append(piece).map(drop);
            appended.map_err(|error| error.into_io().unwrap_or_else(|| io::Error::other("no room")))
        };
        give(&mut put).map_err(|error| Error::system("cannot write", error).within(path))?;
        if given != bytes {
            let cause = io::Error::other(format!("{given} bytes in place of {bytes}"));
            return Err(
                Error::system("the pieces are not as long as the shape says", cause).within(path)
            );
        }
        self.add_contiguous(path, element, shape, address)
    }

    /// Writes a whole dataset of UTF-8 texts of any length. The shape of a single text is `[]`.
    ///
    /// # Errors
    /// As [`dataset`](Self::dataset), and `Caller` for a text with a NUL in it.
    pub fn strings<T: AsRef<str>>(&mut self, path: &str, texts: &[T], shape: &[u64]) -> Result<()> {
        let bytes = texts.len() as u64 * u64::from(ElementType::Text.size());
        self.check_new(path, ElementType::Text, shape, bytes)?;
        let references =
            self.strings.write(texts, &mut self.out).map_err(|error| error.within(path))?;
        let address = self.out.append_aligned(&references)?;
        self.add_contiguous(path, ElementType::Text, shape, address)
    }

    /// Gives an object, which exists, an attribute that is a text; `/` is the root.
    ///
    /// # Errors
    /// `Caller` if there is no such object, if it has an attribute of that name, or for a text with
    /// a NUL in it.
    pub fn text_attribute(&mut self, object: &str, name: &str, text: &str) -> Result<()> {
        // Everything but the reference is checked before the text is written.
        self.attribute_of(object, name, ElementType::Text, &[], &[0; 16])?;
        let reference = self.strings.write(&[text], &mut self.out);
        let reference = reference.map_err(|error| error.within(format!("{object}: {name}")))?;
        self.add_attribute(object, name, ElementType::Text, &[], &reference)
    }

    /// Gives an object, which exists, an attribute that is a number.
    ///
    /// # Errors
    /// As [`array_attribute`](Self::array_attribute).
    pub fn attribute<T: Element>(&mut self, object: &str, name: &str, value: T) -> Result<()> {
        self.array_attribute(object, name, &[value], &[])
    }

    /// Gives an object, which exists, an attribute that is a small array of numbers, of less than
    /// 64 KiB.
    ///
    /// # Errors
    /// `Caller` if there is no such object, if it has an attribute of that name, or if the array is
    /// too large or not as long as its shape says.
    pub fn array_attribute<T: Element>(
        &mut self,
        object: &str,
        name: &str,
        data: &[T],
        shape: &[u64],
    ) -> Result<()> {
        let mut bytes = vec![0; data.len() * T::TYPE.size() as usize];
        T::encode(data, &mut bytes);
        self.add_attribute(object, name, T::TYPE, shape, &bytes)
    }

    /// Writes what describes the datasets, and the first bytes of the file last. Returns the
    /// output, flushed, and the number of bytes in it.
    ///
    /// # Errors
    /// `System` if the output fails; `Caller` if an object has more attributes than fit its header.
    pub fn finish(self) -> Result<(S, u64)> {
        let Self { mut out, objects, mut strings } = self;
        strings.finish(&mut out)?;
        let root = finish::write(objects, &mut out)?;
        let bytes = out.length();
        out.overwrite(0, &superblock::encode(root, bytes))?;
        Ok((out.finish()?, bytes))
    }

    /// Checks a dataset in one piece, before anything of it is written.
    fn check_new(&self, path: &str, element: ElementType, shape: &[u64], bytes: u64) -> Result<()> {
        self.objects.check_free(path)?;
        let check = || {
            element.check()?;
            if dataspace::bytes(shape, element.size())? != bytes {
                let size = element.size();
                return Err(Error::caller(format!(
                    "{bytes} bytes are not an array of shape {shape:?} of {size} bytes each"
                )));
            }
            Ok(())
        };
        check().map_err(|error: Error| error.within(path))
    }

    /// Adds the dataset whose bytes have been written, from `address` on.
    fn add_contiguous(
        &mut self,
        path: &str,
        element: ElementType,
        shape: &[u64],
        address: u64,
    ) -> Result<()> {
        let bytes = dataspace::bytes(shape, element.size())?;
        let dataset = Dataset::contiguous(element, shape, address, bytes);
        self.objects.add(path, dataset).map(|_| ())
    }

    fn add_attribute(
        &mut self,
        object: &str,
        name: &str,
        element: ElementType,
        shape: &[u64],
        bytes: &[u8],
    ) -> Result<()> {
        let (owner, message) = self.attribute_of(object, name, element, shape, bytes)?;
        owner.attributes.insert(name.into(), message);
        Ok(())
    }

    /// The object, and the message for the attribute that it can be given.
    fn attribute_of(
        &mut self,
        object: &str,
        name: &str,
        element: ElementType,
        shape: &[u64],
        bytes: &[u8],
    ) -> Result<(&mut Object, Vec<u8>)> {
        let owner = self.objects.at(object)?;
        owner
            .check_attribute(name)
            .and_then(|()| attribute::encode(name, element, shape, bytes))
            .map_err(|error| error.within(object))
            .map(|message| (owner, message))
    }
}

/// Appends the bytes of `data`.
fn append<S: Output, T: Element>(out: &mut Appender<S>, data: &[T]) -> Result<()> {
    if let Some(bytes) = T::bytes(data) {
        return out.append(bytes).map(|_| ());
    }
    let size = T::TYPE.size() as usize;
    let mut piece = vec![0; PIECE.min(data.len() * size)];
    for part in data.chunks(PIECE / size) {
        let bytes = &mut piece[..part.len() * size];
        T::encode(part, bytes);
        out.append(bytes)?;
    }
    Ok(())
}
