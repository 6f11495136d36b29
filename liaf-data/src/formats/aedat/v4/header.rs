//! The header: a flatbuffer (`IOHeader`) that contains a text in XML (`infoNode`).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::flatbuf::{Table, bytes_at};
use super::inflate::Compression;
use super::xml::streams;
use crate::codec::ReadOptions;
use crate::error::{Error, Result};
use crate::feature;
use crate::io::ByteSource;
use crate::limits::Limits;
use crate::model::StreamInfo;

pub(crate) const MAGIC: &[u8; 14] = b"#!AER-DAT4.0\r\n";
/// Offset of the size of the flatbuffer, to which errors refer.
const SIZE: u64 = MAGIC.len() as u64;
/// Offset at which the flatbuffer starts.
const BUFFER: u64 = SIZE + 4;

/// The contents of the header.
#[derive(Debug)]
pub(crate) struct Header {
    pub compression: Compression,
    /// Offset at which the packets end and the data table starts, if the file was closed properly.
    pub table: Option<u64>,
    /// Offset at which the packets start.
    pub end: u64,
    pub streams: Vec<Stream>,
    pub notes: Vec<String>,
}

/// A stream of packets.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub info: StreamInfo,
    /// The module that wrote the stream.
    pub module: Option<String>,
    /// Other attributes of its node.
    pub details: BTreeMap<&'static str, String>,
}

impl Header {
    pub(crate) fn read(source: &mut ByteSource, options: &ReadOptions) -> Result<Self> {
        let limit = options.limits.header_bytes;
        let start = source.head(BUFFER as usize)?;
        let size = bytes_at(&start, MAGIC.len()).map(u32::from_le_bytes).ok_or_else(|| {
            Error::truncated("the header is incomplete")
                .at(start.len() as u64)
                .expected(format!("{BUFFER} bytes or more"))
        })?;
        let size =
            Limits::check("the header", size.into(), limit).map_err(|error| error.at(SIZE))?;
        let head = source.head(BUFFER as usize + size)?;
        let buffer = &head[BUFFER as usize..];
        if buffer.len() < size {
            return Err(Error::truncated("the header is incomplete")
                .at(SIZE)
                .expected(format!("{size} bytes of header"))
                .found(format!("{} bytes", buffer.len())));
        }
        Self::parse(buffer, options.strict)
    }

    fn parse(buffer: &[u8], strict: bool) -> Result<Self> {
        let bad = |out: super::flatbuf::OutOfBounds| out.into_error(SIZE);
        let root = Table::root(buffer, 0).map_err(bad)?;
        let id = root.i32(0, 0).map_err(bad)?;
        let compression = Compression::from_id(id).ok_or_else(|| {
            Error::unsupported("unknown compression").at(SIZE).expected("0 to 4").found(id)
        })?;
        feature::XML.needed_to("read AEDAT 4.0, whose header is written in XML")?;
        if matches!(compression, Compression::Zstd | Compression::ZstdHigh) {
            feature::ZSTD.needed_to("read packets that are compressed by ZSTD")?;
        }
        // A negative value means that there is no table, or that the recorder was interrupted
        // before it wrote the table.
        let table = u64::try_from(root.i64(1, -1).map_err(bad)?).ok();
        let text = root.vector(2, 1).map_err(bad)?;
        let mut notes = Vec::new();
        let xml = String::from_utf8_lossy(text);
        if matches!(xml, Cow::Owned(_)) {
            notes.push("the header's infoNode is not valid UTF-8".to_owned());
        }
        let streams = streams(&xml, &mut notes).unwrap_or_else(|why| {
            notes.push(format!(
                "the header's infoNode cannot be read ({why}): streams are identified by their packets"
            ));
            Vec::new()
        });
        if strict && let Some(what) = notes.first() {
            return Err(Error::malformed(what).at(SIZE));
        }
        if table.is_none() {
            notes.push(
                "no data table (the recording was interrupted): packets are found by scanning"
                    .into(),
            );
        }
        Ok(Self { compression, table, end: BUFFER + buffer.len() as u64, streams, notes })
    }
}
