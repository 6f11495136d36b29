//! Named tensors in HDF5: each is a dataset, and all are written as their rows come.

use std::fmt;
use std::path::Path;

use rayon::prelude::*;

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

/// Chunks that are larger than this are compressed one by one, so that they need no more memory.
const LARGE_CHUNK: u64 = 8 << 20;

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

/// The open file and what of its tensors is not yet in it: a few chunks each.
pub(super) struct H5Tensors {
    file: ChunkedFile,
    level: Option<DeflateLevel>,
    /// How many chunks of a tensor are compressed at the same time.
    at_once: usize,
    tensors: Vec<Tensor>,
}

/// The bytes of a tensor that are not in the file yet.
enum Tensor {
    /// All of them until the tensor is complete, when it is written in one piece.
    Whole { bytes: Vec<u8>, missing: usize },
    /// Those of chunks that are full, and of the one that is being filled.
    Chunked(Box<Chunks>),
}

/// The chunks of a tensor that are not in the file yet.
struct Chunks {
    /// Not all of them have been filled.
    chunks: Vec<Chunk>,
    /// Number of full ones, which come first.
    full: usize,
    /// Size of a full one in bytes.
    room_bytes: usize,
    /// First row of the next one.
    next: u64,
}

impl Chunks {
    /// The chunk that is being filled.
    fn open(&mut self) -> &mut Chunk {
        &mut self.chunks[self.full]
    }

    /// Completes the open chunk, which has so many rows.
    fn close(&mut self, rows: usize) {
        let first = self.next;
        let chunk = self.open();
        (chunk.first, chunk.rows) = (first, rows);
        self.next += rows as u64;
        self.full += 1;
    }

    /// Compresses and writes the full chunks, and empties them for later rows.
    fn write(&mut self, file: &mut ChunkedFile) -> Result<()> {
        let full = &mut self.chunks[..self.full];
        match full.len() {
            1 => full[0].pack(),
            _ => full.par_iter_mut().for_each(Chunk::pack),
        }
        for chunk in full {
            std::mem::replace(&mut chunk.outcome, Ok(()))?;
            file.write(chunk)?;
            chunk.raw.clear();
        }
        // The one that is being filled comes first now.
        let open = std::mem::take(&mut self.full) % self.chunks.len();
        self.chunks.swap(0, open);
        Ok(())
    }
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
        let at_once = match level {
            Some(_) if options.parallel => rayon::current_num_threads(),
            _ => 1,
        };
        let file = ChunkedFile::create(file, Vec::new())?;
        Ok(Self { file, level, at_once, tensors: Vec::new() })
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
        let dataset = self.file.add(Chunked { name, element: column.element.into(), rows, row });
        let room_bytes = room * row_bytes as usize;
        let at_once = if room_bytes as u64 > LARGE_CHUNK { 1 } else { self.at_once };
        let chunk = || {
            let mut chunk = Chunk::new(self.level);
            (chunk.dataset, chunk.cell, chunk.room) = (dataset, column.element.bytes(), room);
            chunk
        };
        let chunks = (0..at_once).map(|_| chunk()).collect();
        Ok(Tensor::Chunked(Box::new(Chunks { chunks, full: 0, room_bytes, next: 0 })))
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
            Tensor::Chunked(chunks) => {
                let mut rest = new;
                while !rest.is_empty() {
                    let room_bytes = chunks.room_bytes;
                    let chunk = chunks.open();
                    let (now, later) = rest.split_at(rest.len().min(room_bytes - chunk.raw.len()));
                    chunk.raw.extend_from_slice(now);
                    rest = later;
                    if chunk.raw.len() == room_bytes {
                        let rows = chunk.room;
                        chunks.close(rows);
                    }
                    if chunks.full == chunks.chunks.len() {
                        chunks.write(&mut self.file)?;
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
            let Tensor::Chunked(mut chunks) = tensor else { continue };
            chunks.write(&mut file)?;
            let (room_bytes, is_only) = (chunks.room_bytes, chunks.next == 0);
            let chunk = chunks.open();
            if chunk.raw.is_empty() {
                continue;
            }
            let rows = chunk.raw.len() / (room_bytes / chunk.room);
            if is_only {
                // There is less than one full chunk in total, so the chunk size becomes the number
                // of rows.
                chunk.room = rows;
            } else {
                chunk.raw.resize(room_bytes, 0);
            }
            chunks.close(rows);
            chunks.write(&mut file)?;
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
