//! The header: a flatbuffer (`IOHeader`) that contains a text in XML (`infoNode`).

use std::borrow::Cow;
use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use super::flatbuf::{Table, bytes_at};
use super::inflate::Compression;
use crate::codec::ReadOptions;
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::limits::Limits;
use crate::model::{SensorSize, StreamInfo, StreamKind};

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
            Error::truncated("the header is cut short")
                .at(start.len() as u64)
                .expected(format!("{BUFFER} bytes or more"))
        })?;
        let size =
            Limits::check("the header", size.into(), limit).map_err(|error| error.at(SIZE))?;
        let head = source.head(BUFFER as usize + size)?;
        let buffer = &head[BUFFER as usize..];
        if buffer.len() < size {
            return Err(Error::truncated("the header is cut short")
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
        // A negative value means that there is no table, or that the recorder was interrupted
        // before it wrote the table.
        let table = u64::try_from(root.i64(1, -1).map_err(bad)?).ok();
        let text = root.vector(2, 1).map_err(bad)?;
        let mut notes = Vec::new();
        let xml = String::from_utf8_lossy(text);
        if matches!(xml, Cow::Owned(_)) {
            notes.push("the header's infoNode is not UTF-8".to_owned());
        }
        let streams = streams(&xml, &mut notes).unwrap_or_else(|why| {
            notes.push(format!(
                "the header's infoNode cannot be read ({why}): streams are told by their packets"
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

/// No valid `infoNode` has an element with this many attributes, or this many namespaces. The
/// limits matter because the parser compares each of them with all others.
const ATTRIBUTES: usize = 256;
const NAMESPACES: usize = 64;

/// Rejects texts that would take the parser a long time. The attributes of an element are before
/// the next `<`.
fn check_crowds(xml: &str) -> std::result::Result<(), String> {
    if xml.split('<').any(|element| element.matches('=').count() > ATTRIBUTES) {
        return Err(format!("an element has more than {ATTRIBUTES} attributes"));
    }
    if xml.matches("xmlns").count() > NAMESPACES {
        return Err(format!("it has more than {NAMESPACES} namespaces"));
    }
    Ok(())
}

/// The streams that an `infoNode` lists.
fn streams(xml: &str, notes: &mut Vec<String>) -> std::result::Result<Vec<Stream>, String> {
    check_crowds(xml)?;
    let document =
        Document::parse(xml.trim_end_matches('\0')).map_err(|error| error.to_string())?;
    let named = |node: Node<'_, '_>, name: &str| {
        node.has_tag_name("node") && node.attribute("name") == Some(name)
    };
    let mut streams = Vec::new();
    for out in document.descendants().filter(|&node| named(node, "outInfo")) {
        for node in out.children().filter(|node| node.has_tag_name("node")) {
            let Some(id) = node.attribute("name").and_then(|name| name.parse().ok()) else {
                continue;
            };
            let info = node.children().find(|&node| named(node, "info"));
            streams.push(stream(id, node, info, notes));
        }
    }
    Ok(streams)
}

fn stream(
    id: i32,
    node: Node<'_, '_>,
    info: Option<Node<'_, '_>>,
    notes: &mut Vec<String>,
) -> Stream {
    let attr = |node: Node<'_, '_>, key: &str| {
        let mut attrs = node.children().filter(|node| node.has_tag_name("attr"));
        let found = attrs.find(|attr| attr.attribute("key") == Some(key))?;
        found.text().map(|text| text.trim().to_owned())
    };
    let of_info = |key: &str| info.and_then(|info| attr(info, key));
    let sides = of_info("sizeX").zip(of_info("sizeY"));
    let sensor = sides.and_then(|(x, y)| {
        let size = format!("{x}x{y}").parse::<SensorSize>().ok();
        if size.is_none() {
            notes.push(format!("stream {id} has no sensor of {x} by {y} pixels"));
        }
        size
    });
    let kind = match attr(node, "typeIdentifier").as_deref() {
        Some("EVTS") => StreamKind::Events,
        Some("FRME") => StreamKind::Frames,
        Some("IMUS") => StreamKind::Imu,
        Some("TRIG") => StreamKind::Triggers,
        _ => StreamKind::Other,
    };
    let name = attr(node, "originalOutputName").unwrap_or_else(|| id.to_string());
    let mut details = BTreeMap::new();
    for (key, value) in [("source", of_info("source")), ("color_filter", of_info("colorFilter"))] {
        if let Some(value) = value {
            details.insert(key, value);
        }
    }
    let source = details.get("source").cloned();
    Stream {
        info: StreamInfo { source, ..StreamInfo::new(id, kind, name, sensor) },
        module: attr(node, "originalModuleName"),
        details,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = r#"<dv version="2.0"><node name="outInfo" path="/mainloop/">
        <node name="0" path="/"><attr key="typeIdentifier" type="string">EVTS</attr>
          <attr key="originalModuleName" type="string">jAER</attr>
          <node name="info"><attr key="sizeX" type="int">346</attr>
            <attr key="sizeY" type="int">260</attr><attr key="source">DAVIS</attr></node></node>
        <node name="7"><attr key="typeIdentifier">IMUS</attr><node name="info"/></node>
        <node name="x"/></node></dv>"#;

    #[test]
    fn streams_are_listed_with_size_and_source() {
        let streams = streams(XML, &mut Vec::new()).unwrap();
        assert_eq!(streams.len(), 2);
        assert_eq!(streams[0].info.sensor, Some(SensorSize::new(346, 260)));
        assert_eq!(streams[0].info.source.as_deref(), Some("DAVIS"));
        assert_eq!(streams[0].module.as_deref(), Some("jAER"));
        assert_eq!((streams[1].info.id, streams[1].info.kind), (7, StreamKind::Imu));
        assert_eq!(streams[1].info.sensor, None);
    }

    #[test]
    fn garbage_is_said_not_parsed() {
        assert!(streams("<dv><node", &mut Vec::new()).is_err());
        assert!(streams("", &mut Vec::new()).is_err());
    }
}
