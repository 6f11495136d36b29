//! The `infoNode` of the header, a text in XML that lists the streams.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use super::header::Stream;
use crate::model::{SensorSize, StreamInfo, StreamKind};

/// No valid `infoNode` has an element with this many attributes, or this many namespaces. The
/// limits matter because the parser compares each of them with all others.
const ATTRIBUTES: usize = 256;
const NAMESPACES: usize = 64;

/// Rejects texts that would take the parser a long time. The attributes of an element are before
/// the next `<`.
fn check_crowds(xml: &str) -> Result<(), String> {
    if xml.split('<').any(|element| element.matches('=').count() > ATTRIBUTES) {
        return Err(format!("an element has more than {ATTRIBUTES} attributes"));
    }
    if xml.matches("xmlns").count() > NAMESPACES {
        return Err(format!("it has more than {NAMESPACES} namespaces"));
    }
    Ok(())
}

/// The streams that an `infoNode` lists.
pub(super) fn streams(xml: &str, notes: &mut Vec<String>) -> Result<Vec<Stream>, String> {
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
