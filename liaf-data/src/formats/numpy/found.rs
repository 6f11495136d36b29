//! An array of a file, whose header has been read.

use crate::codec::columns::{Feed, Name, View};
use crate::codec::{Field, ReadOptions};
use crate::container::npy::{self, Dtype, Header};
use crate::error::{Error, Result};
use crate::io::ByteSource;

/// An array whose header has been read; its feed continues with the elements.
#[derive(Debug)]
pub(crate) struct Found {
    pub name: String,
    pub header: Header,
    pub feed: Feed,
    /// Size of the header in bytes.
    pub ahead: u64,
    /// Number of compressed bytes in the file.
    pub packed: u64,
    /// Checksum and number of decompressed bytes, including the header, if the file has them.
    pub sum: Option<(u32, u64)>,
    /// The file of the array, if it is not the one that was opened.
    pub file: Option<ByteSource>,
}

impl Found {
    /// Reads the header at the start of `feed`, which corresponds to `packed` bytes of the file.
    pub fn read(
        source: &mut ByteSource,
        name: &str,
        mut feed: Feed,
        packed: u64,
        sum: Option<(u32, u64)>,
        options: &ReadOptions,
    ) -> Result<Self> {
        let start = feed.start();
        let here = |error: Error| error.at(start);
        let mut bytes = Vec::new();
        feed.read(source, 12, &mut bytes)?;
        if let Some(fault) = feed.fault() {
            return Err(fault);
        }
        let (fixed, text) = npy::lengths(&bytes, &options.limits).map_err(here)?;
        // The text may be shorter than the two bytes of it that have already been read.
        let ahead = fixed + text;
        feed = feed.again();
        bytes.clear();
        feed.read(source, ahead, &mut bytes)?;
        let text = bytes
            .get(fixed..ahead)
            .ok_or_else(|| here(Error::truncated("the header of the array is incomplete")))?;
        let header = Header::parse(text).map_err(here)?;
        Ok(Self {
            name: name.to_owned(),
            header,
            feed,
            ahead: ahead as u64,
            packed,
            sum,
            file: None,
        })
    }

    /// Whether the array alone is a list of events.
    pub fn is_events(&self) -> bool {
        match &self.header.dtype {
            Dtype::Record { fields, .. } => Field::ALL
                .iter()
                .all(|&f| fields.iter().any(|one| Name::field(&one.name) == Some(f))),
            Dtype::Plain(_) => self.header.shape.len() == 2 && self.header.shape.contains(&4),
        }
    }

    /// The number of rows, if the array has x and y in two columns: N x 2 or 2 x N.
    pub fn pairs(&self) -> Option<u64> {
        match (&self.header.dtype, self.header.shape.as_slice()) {
            (Dtype::Plain(_), &[rows, 2] | &[2, rows]) => Some(rows),
            _ => None,
        }
    }

    /// The value of the array, if it is a single whole number.
    pub fn number(mut self, source: &mut ByteSource) -> Option<i64> {
        let Dtype::Plain(number) = self.header.dtype else { return None };
        let mut bytes = Vec::new();
        self.feed
            .read(source, number.bytes(), &mut bytes)
            .ok()
            .filter(|()| self.elements() == 1)?;
        let view = View { bytes: &bytes, stride: number.bytes(), number };
        let value = *view.floats(1).first()?;
        (value.fract() == 0.0).then_some(value as i64)
    }

    pub fn elements(&self) -> u64 {
        self.header.shape.iter().fold(1, |n: u64, &side| n.saturating_mul(side))
    }

    /// Whether the array has one dimension, not counting dimensions of size 1.
    pub fn is_column(&self) -> bool {
        self.header.shape.iter().filter(|&&side| side != 1).count() <= 1
    }

    pub fn here(&self, error: Error) -> Error {
        error.at(self.feed.start())
    }

    /// Number of bytes of the file that hold the elements. In a compressed array the header is
    /// compressed with them.
    pub fn event_bytes(&self) -> u64 {
        match self.feed.is_stored() {
            true => self.packed.saturating_sub(self.ahead),
            false => self.packed,
        }
    }

    /// Size of the elements in bytes.
    pub fn body(&self) -> u64 {
        self.elements().saturating_mul(self.header.dtype.bytes() as u64)
    }
}
