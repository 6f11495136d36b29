//! The values of chunks.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::chunks::{Finder, Grid, Stored};
use super::message::dataspace::Extent;
use super::message::layout::ChunkedLayout;
use super::slab::{self, Slab};
use super::storage::Storage;
use crate::error::{Error, ErrorKind, Result};
use crate::filter::{self, Filter, Scratch};
use crate::limits;

/// How many times as much as may be read at once may be unpacked for it.
const UNPACKED: u64 = 8;
/// How many times as many bytes as the file the chunks within it may have. A damaged index may state
/// the sizes of a few wrongly.
const OVERLAP: u64 = 4;
/// What looking for a chunk counts as, in unpacked bytes.
const LOOK: u64 = 1 << 10;

/// Finds and reads the chunks of a dataset.
#[derive(Clone)]
pub struct Chunks {
    storage: Arc<Storage>,
    /// Tells datasets apart, so that [`Buffers`] can be used for several.
    id: u64,
    name: String,
    finder: Finder,
    filters: Arc<[Filter]>,
    is_plain_at_the_end: bool,
    value_bytes: usize,
    /// Size of a chunk without filters, in bytes.
    size: usize,
}

/// A chunk in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chunk {
    /// Its first byte, counted from the start of the file.
    pub offset: u64,
    /// Size in the file, in bytes.
    pub bytes: usize,
    /// Bit `i` is set if filter `i` was left out.
    pub mask: u32,
    stored: Stored,
}

impl Chunks {
    /// The chunks of values of this many bytes.
    pub(super) fn new(
        storage: &Arc<Storage>,
        name: &str,
        (extent, value_bytes): (&Extent, usize),
        layout: &ChunkedLayout,
        filters: &Arc<[Filter]>,
    ) -> Result<Self> {
        let Extent::Array { shape, largest } = extent else {
            return Err(Error::malformed("chunks of a dataset without dimensions"));
        };
        if layout.value_bytes != value_bytes as u64 {
            let what = format!(
                "chunks of values of {} bytes in a dataset of values of {value_bytes}",
                layout.value_bytes
            );
            return Err(Error::malformed(what));
        }
        let grid = Grid::new(shape, largest, &layout.sides, value_bytes, !filters.is_empty())?;
        let size = limits::check("a chunk", grid.bytes, storage.limits.chunk_bytes)?;
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Ok(Self {
            storage: Arc::clone(storage),
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            name: name.to_owned(),
            finder: Finder::new(storage, grid, layout),
            filters: Arc::clone(filters),
            is_plain_at_the_end: layout.is_plain_at_the_end,
            value_bytes,
            size,
        })
    }

    /// Number of values along each dimension of a chunk.
    pub fn sides(&self) -> &[u64] {
        &self.finder.grid.sides
    }

    /// Size of a chunk without filters, in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The chunk at a place in the grid of chunks, with a number for each dimension: in one
    /// dimension, value `i` is in chunk `i / side`. `None` if it was never written.
    ///
    /// # Errors
    /// If the index is damaged, or the chunk is larger than [`Limits`](crate::Limits) allow.
    pub fn find(&mut self, place: &[u64]) -> Result<Option<Chunk>> {
        let found = self.finder.find(&self.storage, place);
        let found = found.map_err(|error| self.placed(error).within(&self.name))?;
        let Some(stored) = found else { return Ok(None) };
        let offset = self.storage.offset(stored.address);
        let limit = self.storage.limits.chunk_bytes;
        let bytes = limits::check("a chunk", stored.bytes, limit)
            .map_err(|error| error.at(offset.min(self.storage.size)).within(&self.name))?;
        let mut mask = stored.mask;
        if self.is_plain_at_the_end && self.finder.grid.is_partial(place) {
            mask = u32::MAX;
        }
        Ok(Some(Chunk { offset, bytes, mask, stored }))
    }

    /// Reads the bytes of a chunk as they are in the file.
    ///
    /// # Errors
    /// If the file ends before the chunk does, or the system refuses to read.
    pub fn packed(&self, chunk: &Chunk, bytes: &mut Vec<u8>) -> Result<()> {
        let read = self.storage.fill(chunk.stored.address, chunk.bytes, bytes);
        read.map_err(|error| error.within(&self.name))
    }

    /// Unpacks the bytes of a chunk, which [`packed`](Self::packed) has read. The result has
    /// [`size`](Self::size) bytes.
    ///
    /// # Errors
    /// If the bytes are damaged, or were packed by a filter that is not read.
    pub fn unpack(
        &self,
        chunk: &Chunk,
        packed: &[u8],
        scratch: &mut Scratch,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        filter::undo_all(&self.filters, chunk.mask, packed, self.size, scratch, bytes)
            .map_err(|error| error.at(chunk.offset).within(&self.name))
    }

    /// Gives an error that has no place that of the index.
    fn placed(&self, error: Error) -> Error {
        match self.finder.at() {
            Some(at) => error.fault_at(self.storage.place(at)),
            None => error,
        }
    }

    /// Number of bytes that all chunks have in the file. Walks the whole index.
    ///
    /// # Errors
    /// If the index is damaged.
    pub fn stored_bytes(&self) -> Result<u64> {
        let mut bytes = 0u64;
        let all = self.finder.each(&self.storage, &mut |chunk| {
            bytes = bytes.saturating_add(chunk.bytes);
        });
        all.map(|()| bytes).map_err(|error| self.placed(error).within(&self.name))
    }

    /// Checks that chunks do not lie over one another: together they are hardly larger than the file
    /// then. A small file can otherwise have any number of chunks that are all at one place. Walks the
    /// whole index, unless it is damaged: what cannot be found is an error when it is read.
    ///
    /// # Errors
    /// [`Limit`](crate::ErrorKind::Limit) if the chunks that lie within the file have more than four
    /// times its bytes.
    pub fn check_overlap(&self) -> Result<()> {
        let (size, mut bytes) = (self.storage.size, 0u64);
        let all = self.finder.each(&self.storage, &mut |chunk| {
            let end = self.storage.offset(chunk.address).checked_add(chunk.bytes);
            if end.is_some_and(|end| end <= size) {
                bytes = bytes.saturating_add(chunk.bytes);
            }
        });
        let is_circle = all.is_err_and(|error| error.kind() == ErrorKind::Limit);
        if is_circle || bytes > size.saturating_mul(OVERLAP) {
            let error = Error::limit("its chunks lie over one another");
            return Err(self.placed(error).within(&self.name));
        }
        Ok(())
    }

    /// Copies the values within a range along each dimension to `bytes`, the last dimension first.
    /// Where a chunk was never written, `bytes` stay as they are. Returns how many of the chunks
    /// that were looked for were never written. The chunk that was unpacked last stays in `buffers`:
    /// further values of it are there without unpacking it again.
    ///
    /// # Errors
    /// If the ranges are not within the dataset, `bytes` has another size than they have, a chunk
    /// cannot be read, or too much would have to be unpacked ([`Limits`](crate::Limits)).
    pub fn read_slab(
        &mut self,
        ranges: &[Range<u64>],
        buffers: &mut Buffers,
        bytes: &mut [u8],
    ) -> Result<u64> {
        let (shape, sides) = (self.finder.grid.shape.clone(), self.finder.grid.sides.clone());
        let slab = Slab::new(&shape, ranges, self.value_bytes);
        let slab = slab.map_err(|error| error.within(&self.name))?;
        if slab.bytes() != bytes.len() as u64 {
            let what = format!("{} bytes for values of {}", bytes.len(), slab.bytes());
            return Err(Error::caller(what).within(&self.name));
        }
        if bytes.is_empty() {
            return Ok(0);
        }
        let first: Vec<u64> = ranges.iter().zip(&sides).map(|(r, &side)| r.start / side).collect();
        let end: Vec<u64> =
            ranges.iter().zip(&sides).map(|(r, &side)| r.end.div_ceil(side)).collect();
        let mut missing = 0;
        let mut place = first.clone();
        let filters = self.filters.len().max(1) as u64;
        let mut work = (self.storage.limits.value_bytes as u64).saturating_mul(UNPACKED);
        loop {
            let mut cost = LOOK;
            match self.find(&place)? {
                Some(chunk) => {
                    if buffers.holds != Some((self.id, chunk)) {
                        cost += filters * self.size as u64;
                        buffers.holds = None;
                        self.packed(&chunk, &mut buffers.packed)?;
                        let Buffers { packed, scratch, raw, holds } = buffers;
                        self.unpack(&chunk, packed, scratch, raw)?;
                        *holds = Some((self.id, chunk));
                    }
                    slab.put(&place, &sides, &buffers.raw, bytes);
                }
                None => missing += 1,
            }
            work = work.checked_sub(cost).ok_or_else(|| {
                let what = "the chunks hold far more than the values that are read";
                self.placed(Error::limit(what)).within(&self.name)
            })?;
            if !slab::advance(&mut place, &first, &end) {
                return Ok(missing);
            }
        }
    }
}

/// Memory that is used again from chunk to chunk. One thread uses one.
#[derive(Default)]
pub struct Buffers {
    packed: Vec<u8>,
    raw: Vec<u8>,
    scratch: Scratch,
    /// The dataset and the chunk whose values `raw` has.
    holds: Option<(u64, Chunk)>,
}
