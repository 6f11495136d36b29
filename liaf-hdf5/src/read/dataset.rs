//! Datasets: arrays of values.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::attributes::{self, Attribute};
use super::chunks::{Finder, Grid, Stored};
use super::header::{self, Header};
use super::message::dataspace::Extent;
use super::message::layout::{ChunkedLayout, Layout};
use super::message::{datatype, fill, filters, layout};
use super::storage::Storage;
use super::values::{self, Values};
use crate::datatype::Datatype;
use crate::error::{Error, Result};
use crate::filter::{self, Filter, Scratch};
use crate::limits;

/// An array of values in a file.
///
/// Its values are read all at once ([`read`](Self::read), [`integers`](Self::integers),
/// [`floats`](Self::floats), [`texts`](Self::texts)), some rows at a time
/// ([`read_rows`](Self::read_rows)), or chunk by chunk ([`chunks`](Self::chunks)).
#[derive(Clone)]
pub struct Dataset {
    storage: Arc<Storage>,
    name: String,
    header: Arc<Header>,
    extent: Extent,
    datatype: Datatype,
    layout: Layout,
    filters: Arc<[Filter]>,
    fill: Option<Vec<u8>>,
}

impl Dataset {
    pub(crate) fn new(storage: Arc<Storage>, name: String, header: Header) -> Result<Self> {
        let refused = |error: Error| error.within(&name);
        Self::parse(&storage, &header).map_err(refused).map(|parts| {
            let (extent, datatype, layout, filters, fill) = parts;
            let (header, filters) = (Arc::new(header), filters.into());
            Self { storage, name, header, extent, datatype, layout, filters, fill }
        })
    }

    #[expect(clippy::type_complexity, reason = "each part has a type of its own")]
    fn parse(
        storage: &Storage,
        header: &Header,
    ) -> Result<(Extent, Datatype, Layout, Vec<Filter>, Option<Vec<u8>>)> {
        if let Some(message) = header.first(header::EXTERNAL_FILES) {
            return Err(elsewhere("external storage").at(message.at()));
        }
        let of = |kind, what| {
            header.needed(kind, what).and_then(|message| header::resolve(storage, message))
        };
        let message = of(header::LAYOUT, "layout")?;
        let layout = layout::parse(&mut message.cursor(storage))?;
        if layout == Layout::Virtual {
            return Err(elsewhere("a virtual dataset").at(message.at()));
        }
        let extent = Extent::parse(&mut of(header::DATASPACE, "dataspace")?.cursor(storage))?;
        let datatype = datatype::parse(&mut of(header::DATATYPE, "datatype")?.cursor(storage))?;
        let filters = match header.first(header::FILTERS) {
            Some(message) => {
                let message = header::resolve(storage, message)?;
                filters::parse(&mut message.cursor(storage))?
            }
            None => Vec::new(),
        };
        let fill = match (header.first(header::FILL), header.first(header::OLD_FILL)) {
            (Some(message), _) => {
                fill::parse(&mut header::resolve(storage, message)?.cursor(storage))?
            }
            (None, Some(message)) => {
                fill::old(&mut header::resolve(storage, message)?.cursor(storage))?
            }
            (None, None) => None,
        };
        let fill = fill.filter(|fill| fill.len() == datatype.size());
        Ok((extent, datatype, layout, filters, fill))
    }

    /// Its path in the file, such as `/events/t`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many values it has, and how far it can grow.
    pub fn extent(&self) -> &Extent {
        &self.extent
    }

    /// Number of values along each dimension; empty for a scalar, and for no value at all.
    pub fn shape(&self) -> &[u64] {
        self.extent.shape()
    }

    /// What its values are.
    pub fn datatype(&self) -> &Datatype {
        &self.datatype
    }

    /// The filters through which chunks went when they were written, in this order.
    pub fn filters(&self) -> &[Filter] {
        &self.filters
    }

    /// The attribute of this name; `None` if there is none.
    ///
    /// # Errors
    /// If the attributes are damaged or cannot be read.
    pub fn attribute(&self, name: &str) -> Result<Option<Attribute>> {
        attributes::named(&self.storage, &self.header, name)
    }

    /// All attributes.
    ///
    /// # Errors
    /// If the attributes are damaged or cannot be read.
    pub fn attributes(&self) -> Result<Vec<Attribute>> {
        attributes::all(&self.storage, &self.header)
    }

    /// What finds and reads the chunks; `None` if the values are not in chunks.
    ///
    /// # Errors
    /// If the chunks are unlike the dataset.
    pub fn chunks(&self) -> Result<Option<Chunks>> {
        match &self.layout {
            Layout::Chunked(layout) => Chunks::new(self, layout).map(Some),
            _ => Ok(None),
        }
    }

    /// Where the values are in the file, if they lie in one piece: the first byte, counted from the
    /// start of the file, and the number of bytes. `None` if they do not, or were never written.
    pub fn contiguous(&self) -> Option<(u64, u64)> {
        let size = self.extent.values().saturating_mul(self.datatype.size() as u64);
        match self.layout {
            Layout::Contiguous { address: Some(address) } => {
                Some((self.storage.offset(address), size))
            }
            _ => None,
        }
    }

    /// Number of bytes that the values have in the file, packed as they are. Walks the whole index of
    /// chunks.
    ///
    /// # Errors
    /// If the index is damaged.
    pub fn stored_bytes(&self) -> Result<u64> {
        match &self.layout {
            Layout::Compact(bytes) => Ok(bytes.len() as u64),
            Layout::Virtual => Ok(0),
            Layout::Contiguous { .. } => Ok(self.contiguous().map_or(0, |(_, size)| size)),
            Layout::Chunked(layout) => {
                let mut bytes = 0u64;
                let chunks = Chunks::new(self, layout)?;
                chunks.finder.each(&self.storage, &mut |chunk| {
                    bytes = bytes.saturating_add(chunk.bytes);
                })?;
                Ok(bytes)
            }
        }
    }

    /// Whether any value was written; others are [fill values](Self::fill).
    pub fn is_written(&self) -> bool {
        match &self.layout {
            Layout::Compact(_) => true,
            Layout::Contiguous { address } => address.is_some(),
            Layout::Chunked(layout) => layout.address.is_some(),
            Layout::Virtual => false,
        }
    }

    /// The bytes of a value that was never written; `None` if they are 0.
    pub fn fill(&self) -> Option<&[u8]> {
        self.fill.as_deref()
    }

    /// Number of bytes of a row: of all values with one index along the first dimension.
    fn row_bytes(&self) -> u64 {
        let values = self.shape().iter().skip(1).fold(1u64, |n, &side| n.saturating_mul(side));
        values.saturating_mul(self.datatype.size() as u64)
    }

    /// All values as they are in the file, the last dimension first.
    ///
    /// # Errors
    /// If they are damaged, larger than [`Limits`](crate::Limits) allow, or packed by a filter that
    /// is not read.
    pub fn read(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.extent {
            Extent::Null => {}
            Extent::Scalar => self.whole(&mut bytes)?,
            Extent::Array { ref shape, .. } => {
                let rows = shape.first().copied().unwrap_or(0);
                self.read_rows(0..rows, &mut bytes)?;
            }
        }
        Ok(bytes)
    }

    /// The one value of a scalar.
    fn whole(&self, bytes: &mut Vec<u8>) -> Result<()> {
        let limit = self.storage.limits.value_bytes;
        let size = values::size(&self.extent, &self.datatype, limit)?;
        self.run(0, size, bytes)
    }

    /// Some of the values that lie in one piece, counted in bytes.
    fn run(&self, from: u64, size: usize, bytes: &mut Vec<u8>) -> Result<()> {
        let within = |error: Error| error.within(&self.name);
        match &self.layout {
            Layout::Compact(held) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX);
                let held = held.get(from..).and_then(|rest| rest.get(..size));
                let held = held.ok_or_else(|| {
                    within(Error::malformed("there are fewer bytes than values").at(self.header.at))
                })?;
                bytes.clear();
                limits::reserve(bytes, size)?;
                bytes.extend_from_slice(held);
                Ok(())
            }
            Layout::Contiguous { address: Some(address) } => {
                let address = address.checked_add(from);
                let missing = || within(Error::malformed("an impossible address"));
                self.storage.fill(address.ok_or_else(missing)?, size, bytes).map_err(within)
            }
            Layout::Contiguous { address: None } | Layout::Chunked(_) | Layout::Virtual => {
                limits::zeros(bytes, size)?;
                self.fill_in(bytes);
                Ok(())
            }
        }
    }

    /// Overwrites zeros with fill values.
    fn fill_in(&self, zeros: &mut [u8]) {
        if let Some(fill) = &self.fill {
            zeros.chunks_exact_mut(fill.len()).for_each(|value| value.copy_from_slice(fill));
        }
    }

    /// The values of some rows, that is, of some indices along the first dimension, as they are in
    /// the file. What was never written is the fill value.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn read_rows(&self, rows: Range<u64>, bytes: &mut Vec<u8>) -> Result<()> {
        let total = self.shape().first().copied().unwrap_or(0);
        if rows.start > rows.end || rows.end > total {
            let what = format!("rows {} to {} of {total}", rows.start, rows.end);
            return Err(Error::caller(what).within(&self.name));
        }
        let row = self.row_bytes();
        let size = (rows.end - rows.start).saturating_mul(row);
        let size = limits::check("an array of values", size, self.storage.limits.value_bytes);
        let size = size.map_err(|error| error.within(&self.name))?;
        let Some(mut chunks) = self.chunks()? else {
            return self.run(rows.start.saturating_mul(row), size, bytes);
        };
        limits::zeros(bytes, size)?;
        self.fill_in(bytes);
        if size > 0 {
            chunks.copy(rows, bytes)?;
        }
        Ok(())
    }

    /// All values as integers; floats only where they are whole.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if they are no numbers or do not fit, and as for
    /// [`read`](Self::read).
    pub fn integers(&self) -> Result<Vec<i64>> {
        let bytes = self.read()?;
        self.values(&bytes).integers().map_err(|error| error.within(&self.name))
    }

    /// All values as floats.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if they are no numbers, and as for
    /// [`read`](Self::read).
    pub fn floats(&self) -> Result<Vec<f64>> {
        let bytes = self.read()?;
        self.values(&bytes).floats().map_err(|error| error.within(&self.name))
    }

    /// All values as texts, of fixed or variable length; Latin-1 where they are not UTF-8.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if they are no texts, and as for
    /// [`read`](Self::read).
    pub fn texts(&self) -> Result<Vec<String>> {
        let bytes = self.read()?;
        self.values(&bytes).texts().map_err(|error| error.within(&self.name))
    }

    fn values<'a>(&'a self, bytes: &'a [u8]) -> Values<'a> {
        Values { storage: &self.storage, datatype: &self.datatype, bytes }
    }
}

impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Dataset");
        f.field("name", &self.name).field("extent", &self.extent);
        f.field("datatype", &self.datatype).field("filters", &self.filters).finish_non_exhaustive()
    }
}

fn elsewhere(what: &str) -> Error {
    Error::unsupported(format!(
        "the values are in other files ({what}), which are not opened: copy the dataset with h5py \
         or h5repack first"
    ))
}

/// Finds and reads the chunks of a dataset.
#[derive(Clone)]
pub struct Chunks {
    storage: Arc<Storage>,
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
    fn new(dataset: &Dataset, layout: &ChunkedLayout) -> Result<Self> {
        let within = |error: Error| error.at(dataset.header.at).within(&dataset.name);
        let limit = dataset.storage.limits.chunk_bytes;
        let Extent::Array { shape, largest } = &dataset.extent else {
            return Err(within(Error::malformed("chunks of a dataset without dimensions")));
        };
        let value_bytes = dataset.datatype.size();
        let has_filters = !dataset.filters.is_empty();
        let grid = Grid::new(shape, largest, &layout.sides, value_bytes, has_filters);
        let grid = grid.map_err(within)?;
        let size = limits::check("a chunk", grid.bytes, limit).map_err(within)?;
        Ok(Self {
            storage: Arc::clone(&dataset.storage),
            name: dataset.name.clone(),
            finder: Finder::new(grid, layout),
            filters: Arc::clone(&dataset.filters),
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
        let found = found.map_err(|error| error.within(&self.name))?;
        let Some(stored) = found else { return Ok(None) };
        let offset = self.storage.offset(stored.address);
        let limit = self.storage.limits.chunk_bytes;
        let bytes = limits::check("a chunk", stored.bytes, limit)
            .map_err(|error| error.at(offset).within(&self.name))?;
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

    /// Copies the values of these rows to `bytes`, where they have been replaced by fill values.
    fn copy(&mut self, rows: Range<u64>, bytes: &mut [u8]) -> Result<()> {
        let grid = self.finder.grid.clone();
        let (shape, sides) = (&grid.shape, &grid.sides);
        let first: Vec<u64> = std::iter::once(rows.start / sides[0])
            .chain(std::iter::repeat_n(0, sides.len() - 1))
            .collect();
        let end: Vec<u64> = std::iter::once(rows.end.div_ceil(sides[0]))
            .chain(shape.iter().zip(sides).skip(1).map(|(&n, &side)| n.div_ceil(side)))
            .collect();
        let (mut packed, mut raw, mut scratch) = (Vec::new(), Vec::new(), Scratch::default());
        let mut place = first.clone();
        loop {
            if let Some(chunk) = self.find(&place)? {
                self.packed(&chunk, &mut packed)?;
                self.unpack(&chunk, &packed, &mut scratch, &mut raw)?;
                put(&grid, self.value_bytes, &place, &rows, &raw, bytes);
            }
            // The next place, the last dimension first.
            let mut dimension = place.len();
            loop {
                if dimension == 0 {
                    return Ok(());
                }
                dimension -= 1;
                place[dimension] += 1;
                if place[dimension] < end[dimension] {
                    break;
                }
                place[dimension] = first[dimension];
            }
        }
    }
}

/// Copies the values of a chunk to where they are among these rows of the dataset.
fn put(
    grid: &Grid,
    value_bytes: usize,
    place: &[u64],
    rows: &Range<u64>,
    raw: &[u8],
    bytes: &mut [u8],
) {
    // Along each dimension: the values of the dataset that the chunk has, and that are wanted.
    let mut boxes = Vec::with_capacity(place.len());
    for (i, (&at, &side)) in place.iter().zip(&grid.sides).enumerate() {
        let from = at * side;
        let end = from.saturating_add(side).min(grid.shape[i]);
        let (wanted_from, wanted_end) =
            if i == 0 { (from.max(rows.start), end.min(rows.end)) } else { (from, end) };
        if wanted_from >= wanted_end {
            return;
        }
        boxes.push((from, wanted_from, wanted_end));
    }
    let Some(&(origin, from, end)) = boxes.last() else { return };
    let run = (end - from) as usize * value_bytes;
    let rank = boxes.len();
    let mut index: Vec<u64> = boxes.iter().map(|&(_, from, _)| from).collect();
    loop {
        let (mut source, mut target) = (0u64, 0u64);
        for i in 0..rank {
            let (from, _, _) = boxes[i];
            let start = if i == 0 { rows.start } else { 0 };
            source = source * grid.sides[i] + (index[i] - from);
            let length = if i == 0 { rows.end - rows.start } else { grid.shape[i] };
            target = target * length + (index[i] - start);
        }
        let (source, target) = (source as usize * value_bytes, target as usize * value_bytes);
        if let (Some(source), Some(target)) =
            (raw.get(source..source + run), bytes.get_mut(target..target + run))
        {
            target.copy_from_slice(source);
        }
        // The next run: all dimensions but the last one.
        let mut dimension = rank - 1;
        loop {
            if dimension == 0 {
                return;
            }
            dimension -= 1;
            index[dimension] += 1;
            if index[dimension] < boxes[dimension].2 {
                break;
            }
            index[dimension] = boxes[dimension].1;
        }
        debug_assert!(index[rank - 1] == from && origin <= from);
    }
}
