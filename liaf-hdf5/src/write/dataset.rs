//! Datasets: what a caller says of one in chunks, and the messages that all have in their headers.
//!
//! The data layout message (specification IV.A.2.i) has version 3. Of a dataset in one piece it is
//!
//! | bytes | what |
//! |---|---|
//! | 1, 1 | the version, 3; 1 for one piece |
//! | 8 | address of the elements; all bits set if there are none |
//! | 8 | number of bytes |
//!
//! and of a dataset in chunks
//!
//! | bytes | what |
//! |---|---|
//! | 1, 1 | the version, 3; 2 for chunks |
//! | 1 | number of dimensions and one more |
//! | 8 | address of the B-tree; all bits set if there are no chunks |
//! | 4 each | the shape of a chunk, and number of bytes of an element |
//!
//! The fill value message (IV.A.2.f, version 2) says that elements which were never written are 0:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the version, 2 |
//! | 1 | when room is made for elements: 2, when they are written; 3, chunk by chunk |
//! | 1 | when it is filled: 2, if there is a value to fill with; 0, always, as for references |
//! | 1, 4 | 1, and 0 bytes of a value: 0 |

use super::btree::UNDEFINED;
use super::chunks::{Chunks, Grid};
use super::dataspace;
use super::element::ElementType;
use crate::error::{Error, Result};
use crate::filter::Filter;

/// What a dataset in chunks is to be.
///
/// ```
/// use liaf_hdf5::{ChunkedDataset, ElementType, Filter};
///
/// // Frames that come 16 at a time, of which nobody knows how many there will be.
/// let frames = ChunkedDataset::new(ElementType::U16, &[0, 2, 32, 32], &[16, 2, 32, 32])
///     .growing()
///     .filters(&[Filter::shuffle(2), Filter::deflate(4)]);
/// ```
#[derive(Debug, Clone)]
pub struct ChunkedDataset {
    element: ElementType,
    shape: Vec<u64>,
    chunk: Vec<u32>,
    is_growing: bool,
    filters: Vec<Filter>,
}

impl ChunkedDataset {
    /// A dataset of this shape in chunks of that shape. Chunks at the end of an axis are as large
    /// as all others: what is after the end is not read.
    pub fn new(element: ElementType, shape: &[u64], chunk: &[u32]) -> Self {
        Self {
            element,
            shape: shape.into(),
            chunk: chunk.into(),
            is_growing: false,
            filters: Vec::new(),
        }
    }

    /// Lets the first axis grow by [`FileWriter::resize`](super::FileWriter::resize), here and in
    /// every program that opens the file later. Its largest length is stated as unlimited.
    #[must_use]
    pub fn growing(mut self) -> Self {
        self.is_growing = true;
        self
    }

    /// The filters through which the caller sends each chunk before it is written, in this order.
    #[must_use]
    pub fn filters(mut self, filters: &[Filter]) -> Self {
        self.filters = filters.into();
        self
    }

    fn check(&self) -> Result<()> {
        let Self { element, shape, chunk, is_growing, .. } = self;
        element.check()?;
        if *element == ElementType::Text {
            return Err(Error::caller("text of any length is not written in chunks"));
        }
        dataspace::bytes(shape, element.size())?;
        if shape.is_empty() {
            return Err(Error::caller("a single value cannot be cut into chunks"));
        }
        if shape.len() != chunk.len() {
            return Err(Error::caller(format!(
                "chunks of shape {chunk:?} in a dataset of shape {shape:?}"
            )));
        }
        for (axis, (&length, &side)) in shape.iter().zip(chunk).enumerate() {
            let can_grow = *is_growing && axis == 0;
            // libhdf5 refuses to open a dataset whose chunks are longer than an axis can ever be.
            if side == 0 || (!can_grow && length > 0 && u64::from(side) > length) {
                return Err(Error::caller(format!(
                    "chunks of shape {chunk:?} do not fit a dataset of shape {shape:?}"
                )));
            }
        }
        let sides: Vec<u64> = chunk.iter().map(|&side| side.into()).collect();
        let bytes = dataspace::bytes(&sides, element.size())?;
        if u32::try_from(bytes).is_err() {
            return Err(Error::caller(format!(
                "a chunk of {bytes} bytes, which must be below 4 GiB"
            )));
        }
        Ok(())
    }
}

/// A dataset of the file.
#[derive(Debug)]
pub(super) struct Dataset {
    pub element: ElementType,
    pub shape: Vec<u64>,
    pub layout: Layout,
}

#[derive(Debug)]
pub(super) enum Layout {
    /// In one piece at this address.
    Contiguous {
        address: u64,
        bytes: u64,
    },
    Chunked(Box<Chunked>),
}

#[derive(Debug)]
pub(super) struct Chunked {
    pub grid: Grid,
    pub chunks: Chunks,
    pub filters: Vec<Filter>,
    pub is_growing: bool,
    /// Number of bytes of a chunk without filters.
    bytes: u64,
}

impl Dataset {
    pub fn contiguous(element: ElementType, shape: &[u64], address: u64, bytes: u64) -> Self {
        let address = if bytes == 0 { UNDEFINED } else { address };
        Self { element, shape: shape.into(), layout: Layout::Contiguous { address, bytes } }
    }

    pub fn chunked(spec: ChunkedDataset) -> Result<Self> {
        spec.check()?;
        super::filters::check(&spec.filters)?;
        let ChunkedDataset { element, shape, chunk, is_growing, filters } = spec;
        let grid = Grid::new(&shape, &chunk, element.size());
        let bytes = chunk.iter().fold(u64::from(element.size()), |n, &side| n * u64::from(side));
        let chunks = Chunks::default();
        let layout = Chunked { grid, chunks, filters, is_growing, bytes };
        Ok(Self { element, shape, layout: Layout::Chunked(Box::new(layout)) })
    }

    /// Sets the length of the first axis.
    pub fn resize(&mut self, rows: u64) -> Result<()> {
        let Layout::Chunked(chunked) = &self.layout else {
            return Err(Error::caller("a dataset in one piece cannot be resized"));
        };
        if !chunked.is_growing {
            return Err(Error::caller("a dataset that was not created as growing"));
        }
        let mut shape = self.shape.clone();
        shape[0] = rows;
        dataspace::bytes(&shape, self.element.size())?;
        if let Some(last) = chunked.chunks.last()
            && chunked.grid.first_row(last) >= rows
        {
            return Err(Error::caller(format!(
                "{rows} rows, but a chunk that begins at row {} has been written",
                chunked.grid.first_row(last)
            )));
        }
        self.shape = shape;
        Ok(())
    }

    /// Appends the data layout message. `address` is that of the tree, if there are chunks.
    pub fn encode_layout(&self, address: u64, out: &mut Vec<u8>) {
        match &self.layout {
            Layout::Contiguous { address, bytes } => {
                out.extend_from_slice(&[3, 1]);
                out.extend_from_slice(&address.to_le_bytes());
                out.extend_from_slice(&bytes.to_le_bytes());
            }
            Layout::Chunked(chunked) => {
                let chunk = chunked.grid.chunk();
                out.extend_from_slice(&[3, 2, chunk.len() as u8 + 1]);
                out.extend_from_slice(&address.to_le_bytes());
                out.extend(chunk.iter().flat_map(|side| side.to_le_bytes()));
                out.extend_from_slice(&self.element.size().to_le_bytes());
            }
        }
    }

    /// The fill value message.
    pub fn fill_value(&self) -> [u8; 8] {
        let room = if matches!(self.layout, Layout::Chunked(_)) { 3 } else { 2 };
        let fill = if self.element == ElementType::Text { 0 } else { 2 };
        [2, room, fill, 1, 0, 0, 0, 0]
    }
}

impl Chunked {
    /// The number of a chunk that may be written: `packed` bytes at `offset`, to which the filters
    /// were not applied whose bits are set in `skipped`.
    pub fn admit(
        &self,
        offset: &[u64],
        shape: &[u64],
        packed: usize,
        skipped: u32,
    ) -> Result<(u64, u32)> {
        let number = self.grid.number(offset, shape)?;
        let bytes = u32::try_from(packed)
            .map_err(|_| Error::caller(format!("a packed chunk of {packed} bytes")))?;
        let all = u32::MAX.checked_shr(32 - self.filters.len() as u32).unwrap_or(0);
        if skipped & !all != 0 {
            return Err(Error::caller(format!(
                "a filter mask of {skipped:#b} for {} filters",
                self.filters.len()
            )));
        }
        if skipped == all && u64::from(bytes) != self.bytes {
            return Err(Error::caller(format!(
                "a chunk of {bytes} bytes without filters, where one has {}",
                self.bytes
            )));
        }
        if self.chunks.contains(number) {
            return Err(Error::caller(format!("the chunk at {offset:?} has been written before")));
        }
        Ok((number, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn spec(shape: &[u64], chunk: &[u32]) -> ChunkedDataset {
        ChunkedDataset::new(ElementType::U16, shape, chunk)
    }

    #[test]
    fn the_layout_has_the_bytes_of_the_specification() {
        let mut message = Vec::new();
        Dataset::contiguous(ElementType::U8, &[5], 0x1234, 5).encode_layout(0, &mut message);
        assert_eq!(message, [3, 1, 0x34, 0x12, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
        message.clear();
        let empty = Dataset::contiguous(ElementType::U8, &[0], 0x1234, 0);
        empty.encode_layout(0, &mut message);
        assert_eq!(message[2..10], [0xff; 8]);
        message.clear();
        let chunked = Dataset::chunked(spec(&[0, 4], &[70_000, 4]).growing()).unwrap();
        chunked.encode_layout(0x980, &mut message);
        let mut expected = vec![3, 2, 3, 0x80, 9, 0, 0, 0, 0, 0, 0];
        expected.extend_from_slice(&[0x70, 0x11, 1, 0, 4, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(message, expected);
        assert_eq!(chunked.fill_value(), [2, 3, 2, 1, 0, 0, 0, 0]);
        assert_eq!(empty.fill_value(), [2, 2, 2, 1, 0, 0, 0, 0]);
        let text = Dataset::contiguous(ElementType::Text, &[], 8, 16);
        assert_eq!(text.fill_value(), [2, 2, 0, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn chunks_that_cannot_be_are_refused() {
        assert!(Dataset::chunked(spec(&[0, 4], &[9, 4]).growing()).is_ok());
        assert!(Dataset::chunked(spec(&[0, 4], &[9, 4])).is_ok());
        let texts = ChunkedDataset::new(ElementType::Text, &[4], &[4]);
        let wrong = [
            spec(&[], &[]),
            spec(&[4], &[]),
            spec(&[4], &[0]),
            spec(&[4], &[5]),
            spec(&[4, 4], &[4, 5]).growing(),
            spec(&[1 << 40], &[1 << 31]),
            spec(&[1; 33], &[1; 33]),
            spec(&[1 << 62, 1 << 62], &[1, 1]),
            texts,
        ];
        for spec in wrong {
            let error = Dataset::chunked(spec.clone()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Caller, "{spec:?}");
        }
    }

    #[test]
    fn a_chunk_is_admitted_once_and_with_the_right_size() {
        let filters = [Filter::shuffle(2), Filter::deflate(1)];
        let mut dataset = Dataset::chunked(spec(&[8], &[4]).growing().filters(&filters)).unwrap();
        let shape = dataset.shape.clone();
        let Layout::Chunked(chunked) = &mut dataset.layout else { panic!("in chunks") };
        assert_eq!(chunked.admit(&[4], &shape, 3, 0).unwrap(), (1, 3));
        assert_eq!(chunked.admit(&[4], &shape, 3, 1).unwrap(), (1, 3));
        assert_eq!(chunked.admit(&[4], &shape, 8, 3).unwrap(), (1, 8));
        assert!(chunked.admit(&[4], &shape, 3, 3).is_err());
        assert!(chunked.admit(&[4], &shape, 8, 4).is_err());
        assert!(chunked.admit(&[8], &shape, 3, 0).is_err());
        chunked.chunks.insert(1, 100, 3, 0);
        assert!(chunked.admit(&[4], &shape, 3, 0).is_err());
        assert!(dataset.resize(4).is_err());
        dataset.resize(5).unwrap();
        assert!(dataset.resize(u64::MAX).is_err());
        assert_eq!(dataset.shape, [5]);
        assert!(Dataset::chunked(spec(&[8], &[4])).unwrap().resize(9).is_err());
        assert!(Dataset::contiguous(ElementType::U8, &[5], 8, 5).resize(6).is_err());
    }
}
