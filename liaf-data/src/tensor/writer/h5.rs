//! Named tensors in HDF5: each is a dataset, and all are written as their rows come.

use std::fmt;
use std::path::Path;

use liaf_hdf5::ElementType as Stored;

use super::column::{Column, Rows};
use crate::container::deflate::DeflateLevel;
use crate::container::hdf5::{Chunk, ChunkSink, Chunked, ChunkedFile, FileSpec};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::tensor::{ElementType, TensorOptions};

/// A chunk contains as many rows as fit into this many bytes, and at least one. A tensor of a
/// fixed size that is no larger than this is written in one piece.
const CHUNK_BYTES: u64 = 1 << 20;

impl From<ElementType> for Stored {
    fn from(element: ElementType) -> Self {
        match element {
            ElementType::Bool => Self::Bool,
            ElementType::U8 => Self::U8,
            ElementType::I8 => Self::I8,
            ElementType::U16 => Self::U16,
            ElementType::I16 => Self::I16,
            ElementType::U32 => Self::U32,
            ElementType::I32 => Self::I32,
            ElementType::U64 => Self::U64,
            ElementType::I64 => Self::I64,
            ElementType::F32 => Self::F32,
            ElementType::F64 => Self::F64,
        }
    }
}

/// The open file and what of its tensors is not yet in it: less than one chunk each.
pub(super) struct H5Tensors {
    file: ChunkedFile,
    level: Option<DeflateLevel>,
    tensors: Vec<Tensor>,
}

/// The bytes of a tensor that are not in the file yet.
enum Tensor {
    /// All of them until the tensor is complete, when it is written in one piece.
    Whole { bytes: Vec<u8>, missing: usize },
    /// Those of the chunk that is being filled.
    Chunked { chunk: Box<Chunk>, room_bytes: usize },
}

impl fmt::Debug for H5Tensors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "H5Tensors({:?})", self.file)
    }
}

impl H5Tensors {
    pub(super) fn create(path: &Path, options: &TensorOptions) -> Result<Self> {
        let level = DeflateLevel::of(options.compression);
        let file = FileSpec {
            path,
            overwrite: options.overwrite,
            sync: options.sync,
            provenance: None,
            level,
            // Bytes are counted before they are compressed.
            limits: Limits { output_bytes: u64::MAX, ..options.limits },
        };
        Ok(Self { file: ChunkedFile::create(file, Vec::new())?, level, tensors: Vec::new() })
    }

    /// Adds a tensor, the next one after those before it.
    pub(super) fn add(&mut self, column: &Column) -> Result<()> {
        let tensor = match column.fixed_bytes() {
            Some(0) => {
                self.write_whole(column, &[])?;
                Tensor::Whole { bytes: Vec::new(), missing: 0 }
            }
            Some(bytes) if bytes <= CHUNK_BYTES => {
                Tensor::Whole { bytes: Vec::new(), missing: bytes as usize }
            }
            _ => self.add_chunked(column)?,
        };
        self.tensors.push(tensor);
        Ok(())
    }

    fn add_chunked(&mut self, column: &Column) -> Result<Tensor> {
        // A single row that is larger than a chunk is cut along its own first axis.
        let (rows, row) = match (column.rows, column.row.split_first()) {
            (Rows::Growing, _) => (None, &column.row[..]),
            (Rows::Fixed(rows), _) => (Some(rows as u64), &column.row[..]),
            (Rows::Single, Some((&rows, row))) => (Some(rows), row),
            (Rows::Single, None) => (Some(1), &column.row[..]),
        };
        let row_bytes = row.iter().product::<u64>() * column.element.bytes() as u64;
        if u32::try_from(row_bytes).is_err() {
            return Err(Error::caller(format!("a row of {} is too large for HDF5", column.name))
                .expected("less than 4 GiB")
                .found(format!("{row_bytes} bytes")));
        }
        let room = (CHUNK_BYTES / row_bytes).max(1).min(rows.unwrap_or(u64::MAX)) as usize;
        let (name, row) = (column.name.clone(), row.to_vec());
        let mut chunk = Chunk::new(self.level);
        chunk.dataset = self.file.add(Chunked { name, element: column.element.into(), rows, row });
        (chunk.cell, chunk.room) = (column.element.bytes(), room);
        Ok(Tensor::Chunked { chunk: Box::new(chunk), room_bytes: room * row_bytes as usize })
    }

    /// Appends bytes to a tensor, of which there are no more than it has.
    pub(super) fn append(&mut self, tensor: usize, column: &Column, new: &[u8]) -> Result<()> {
        match &mut self.tensors[tensor] {
            Tensor::Whole { bytes, missing } => {
                bytes.extend_from_slice(new);
                *missing -= new.len();
                if *missing > 0 {
                    return Ok(());
                }
                let bytes = std::mem::take(bytes);
                self.write_whole(column, &bytes)
            }
            Tensor::Chunked { chunk, room_bytes } => {
                let mut rest = new;
                while !rest.is_empty() {
                    let (now, later) = rest.split_at(rest.len().min(*room_bytes - chunk.raw.len()));
                    chunk.raw.extend_from_slice(now);
                    rest = later;
                    if chunk.raw.len() == *room_bytes {
                        chunk.rows = chunk.room;
                        write(&mut self.file, chunk)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Writes the provenance and what is left in the chunks, completes the file and returns its
    /// size.
    pub(super) fn finish(self, provenance: Option<&str>) -> Result<u64> {
        let Self { mut file, tensors, .. } = self;
        if let Some(provenance) = provenance {
            file.set_provenance(provenance)?;
        }
        for tensor in tensors {
            let Tensor::Chunked { mut chunk, room_bytes } = tensor else { continue };
            if chunk.raw.is_empty() {
                continue;
            }
            chunk.rows = chunk.raw.len() / (room_bytes / chunk.room);
            if chunk.first == 0 {
                // There is less than one full chunk in total, so the chunk size becomes the number
                // of rows.
                chunk.room = chunk.rows;
            } else {
                chunk.raw.resize(room_bytes, 0);
            }
            write(&mut file, &mut chunk)?;
        }
        file.finish()
    }

    /// The length of strings that hold these texts, in bytes. HDF5 has no strings of no bytes.
    pub(super) fn width_of<T: AsRef<str>>(texts: &[T]) -> usize {
        texts.iter().map(|text| text.as_ref().len()).max().unwrap_or(0).max(1)
    }

    /// Writes a dataset of strings of `width` bytes, which zeros fill up.
    pub(super) fn write_strings<T: AsRef<str>>(
        &mut self,
        name: &str,
        texts: &[T],
        width: usize,
    ) -> Result<()> {
        let element = u32::try_from(width).map(Stored::FixedText);
        let element = element.map_err(|_| Error::caller("a text is too long").found(width))?;
        let mut bytes = Vec::with_capacity(texts.len().saturating_mul(width));
        for (number, text) in (1..).zip(texts) {
            bytes.extend_from_slice(text.as_ref().as_bytes());
            bytes.resize(number * width, 0);
        }
        self.file.raw_dataset(name, element, &bytes, &[texts.len() as u64])
    }

    fn write_whole(&mut self, column: &Column, bytes: &[u8]) -> Result<()> {
        self.file.raw_dataset(&column.name, column.element.into(), bytes, &column.shape())
    }
}

/// Compresses and writes a chunk, and empties it for the next rows.
fn write(file: &mut ChunkedFile, chunk: &mut Chunk) -> Result<()> {
    chunk.pack();
    std::mem::replace(&mut chunk.outcome, Ok(()))?;
    file.write(chunk)?;
    chunk.first += chunk.rows as u64;
    chunk.raw.clear();
    Ok(())
}
