//! Datasets: arrays of values.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::attributes::{self, Attribute};
use super::chunk_reader::{Buffers, Chunks};
use super::header::{self, Header};
use super::message::dataspace::Extent;
use super::message::layout::Layout;
use super::message::{datatype, fill, filters, layout};
use super::slab::Slab;
use super::storage::Storage;
use super::values::{self, Values};
use crate::datatype::Datatype;
use crate::error::{Error, Result};
use crate::filter::Filter;
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
            Layout::Chunked(layout) => {
                let made = Chunks::new(
                    &self.storage,
                    &self.name,
                    (&self.extent, self.datatype.size()),
                    layout,
                    &self.filters,
                );
                made.map(Some).map_err(|error| error.at(self.header.at).within(&self.name))
            }
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
            Layout::Chunked(_) => self.chunks()?.map_or(Ok(0), |chunks| chunks.stored_bytes()),
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
        self.fill.as_deref().filter(|fill| fill.len() == self.datatype.size())
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
                let ranges: Vec<_> = shape.iter().map(|&length| 0..length).collect();
                self.read_slab(&ranges, &mut bytes)?;
            }
        }
        Ok(bytes)
    }

    /// The one value of a scalar.
    fn whole(&self, bytes: &mut Vec<u8>) -> Result<()> {
        let limit = self.storage.limits.value_bytes;
        let size = values::size(&self.extent, &self.datatype, limit)
            .map_err(|error| error.at(self.header.at).within(&self.name))?;
        self.run(0, size, bytes)
    }

    /// Some of the values that lie in one piece, counted in bytes.
    fn run(&self, from: u64, size: usize, bytes: &mut Vec<u8>) -> Result<()> {
        let within = |error: Error| error.fault_at(self.header.at).within(&self.name);
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
                self.check_fill()
            }
        }
    }

    /// Overwrites zeros with fill values.
    fn fill_in(&self, zeros: &mut [u8]) {
        if let Some(fill) = self.fill() {
            zeros.chunks_exact_mut(fill.len()).for_each(|value| value.copy_from_slice(fill));
        }
    }

    /// Checks that what was never written has a value. libhdf5 takes bytes that it never set for what a
    /// fill value lacks.
    fn check_fill(&self) -> Result<()> {
        match &self.fill {
            Some(fill) if fill.len() != self.datatype.size() => {
                let (bytes, size) = (fill.len(), self.datatype.size());
                let what =
                    format!("a fill value of {bytes} bytes in a dataset of values of {size}");
                Err(Error::malformed(what).at(self.header.at).within(&self.name))
            }
            _ => Ok(()),
        }
    }

    /// The values of some rows, that is, of some indices along the first dimension, as they are in
    /// the file. What was never written is the fill value.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn read_rows(&self, rows: Range<u64>, bytes: &mut Vec<u8>) -> Result<()> {
        let mut ranges: Vec<Range<u64>> = self.shape().iter().map(|&length| 0..length).collect();
        let Some(first) = ranges.first_mut() else {
            return Err(Error::caller("a scalar has no rows").within(&self.name));
        };
        *first = rows;
        self.read_slab(&ranges, bytes)
    }

    /// The values within a range along each dimension, as they are in the file, the last dimension
    /// first. What was never written is the fill value.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn read_slab(&self, ranges: &[Range<u64>], bytes: &mut Vec<u8>) -> Result<()> {
        let within = |error: Error| error.within(&self.name);
        let value_bytes = self.datatype.size();
        let slab = Slab::new(self.shape(), ranges, value_bytes).map_err(within)?;
        let limit = self.storage.limits.value_bytes;
        let size = limits::check("an array of values", slab.bytes(), limit)
            .map_err(|error| within(error.at(self.header.at)))?;
        bytes.clear();
        if size == 0 {
            return Ok(());
        }
        if let Some(mut chunks) = self.chunks()? {
            limits::zeros(bytes, size)?;
            self.fill_in(bytes);
            let missing = chunks.read_slab(ranges, &mut Buffers::default(), bytes)?;
            return if missing > 0 { self.check_fill() } else { Ok(()) };
        }
        if let Some(from) = slab.one_run() {
            return self.run(from, size, bytes);
        }
        limits::zeros(bytes, size)?;
        let mut piece = Vec::new();
        let mut at = 0;
        slab.runs(&mut |from, length| {
            self.run(from, length, &mut piece)?;
            bytes[at..at + length].copy_from_slice(&piece);
            at += length;
            Ok(())
        })
    }

    /// All values as integers; floats only where they are whole.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if they are no numbers or do not fit, and as for
    /// [`read`](Self::read).
    pub fn integers(&self) -> Result<Vec<i64>> {
        let bytes = self.read()?;
        self.values(&bytes)
            .integers()
            .map_err(|error| error.fault_at(self.header.at).within(&self.name))
    }

    /// The values of some rows as integers; floats only where they are whole.
    ///
    /// # Errors
    /// As for [`integers`](Self::integers).
    pub fn row_integers(&self, rows: Range<u64>) -> Result<Vec<i64>> {
        let mut bytes = Vec::new();
        self.read_rows(rows, &mut bytes)?;
        self.values(&bytes)
            .integers()
            .map_err(|error| error.fault_at(self.header.at).within(&self.name))
    }

    /// All values as floats.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if they are no numbers, and as for
    /// [`read`](Self::read).
    pub fn floats(&self) -> Result<Vec<f64>> {
        let bytes = self.read()?;
        self.values(&bytes)
            .floats()
            .map_err(|error| error.fault_at(self.header.at).within(&self.name))
    }

    /// All values as texts, of fixed or variable length; Latin-1 where they are not UTF-8.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if they are no texts, and as for
    /// [`read`](Self::read).
    pub fn texts(&self) -> Result<Vec<String>> {
        let bytes = self.read()?;
        self.values(&bytes)
            .texts()
            .map_err(|error| error.fault_at(self.header.at).within(&self.name))
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
