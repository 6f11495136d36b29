//! The header of a DAT file: lines of text, then type and size of the records.

use super::DatVersion;
use crate::codec::{Detection, FileHead, ReadOptions};
use crate::error::{Error, Result};
use crate::formats::prophesee;
use crate::io::ByteSource;
use crate::model::SensorSize;

const RECORD: u8 = 8;

/// The type of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Events,
    Triggers,
}

impl Kind {
    fn of(kind: u8) -> Option<Self> {
        match kind {
            0 | 12 => Some(Self::Events),
            14 => Some(Self::Triggers),
            _ => None,
        }
    }
}

/// The contents of the header.
#[derive(Debug)]
pub(crate) struct Header {
    pub text: prophesee::Header,
    pub version: DatVersion,
    pub kind: Kind,
    pub sensor: Option<SensorSize>,
    /// Offset at which the records start.
    pub end: u64,
    /// If the file ends inside the header: the size of the incomplete part.
    pub cut: u64,
}

/// Whether the lines are those of a DAT file: they have its keys, or the type and size of a record
/// follow lines without any key of a RAW file.
pub(crate) fn detect(head: &FileHead) -> Detection {
    Detection::magic(is_dat(head))
}

fn is_dat(head: &FileHead) -> bool {
    if !head.starts_with(b"% ") {
        return false;
    }
    let Ok(Some(text)) = prophesee::Header::parse(&head.bytes, true) else { return false };
    let raw_keys =
        ["evt", "format", "firmware_version", "integrator_name", "plugin_name", "system_ID"];
    if raw_keys.iter().any(|key| text.value(key).is_some()) {
        return false;
    }
    let after = head.bytes.get(text.end as usize..).unwrap_or_default();
    ["Data", "Version", "Width", "Height"].iter().any(|key| text.value(key).is_some())
        || matches!(after, &[kind, RECORD, ..] if Kind::of(kind).is_some())
}

impl Header {
    /// Reads the header; the position of the source stays at the beginning.
    pub(crate) fn read(source: &mut ByteSource, options: &ReadOptions) -> Result<Self> {
        let mut text = prophesee::Header::read(source, options)?;
        let version = match text.value("Version") {
            Some("1") => DatVersion::One,
            Some("2") | None => DatVersion::Two,
            Some(other) => {
                let note = format!("the header's version is {other:?}: read as version 2");
                text.notes.push(note);
                DatVersion::Two
            }
        };
        let sensor = size(&mut text);
        let (end, cut) = (text.end, text.cut);
        let mut header = Self { text, version, kind: Kind::Events, sensor, end, cut };
        if options.data_offset.is_some() {
            // The records start at `end`, so that their type and size are directly before it.
            let head = source.head(end as usize)?;
            if let Some((_, &[kind, RECORD])) = head.split_last_chunk::<2>() {
                header.kind = Kind::of(kind).unwrap_or(Kind::Events);
            }
            return Ok(header);
        }
        let head = source.head(end as usize + 2)?;
        match head.get(end as usize..).unwrap_or_default() {
            [] => {}
            _ if header.cut > 0 => {}
            [_] => header.cut = 1,
            &[kind, size, ..] => {
                header.kind = Kind::of(kind).ok_or_else(|| {
                    Error::unsupported("unsupported type of records")
                        .at(end)
                        .expected("0 (2D), 12 (CD) or 14 (trigger)")
                        .found(kind)
                })?;
                if size != RECORD {
                    return Err(Error::malformed("a record has the wrong size")
                        .at(end + 1)
                        .expected("8 bytes")
                        .found(size));
                }
                header.end += 2;
            }
        }
        if options.strict && header.cut > 0 {
            return Err(Error::truncated("the file ends inside the header").at(header.end));
        }
        Ok(header)
    }
}

/// The size of the sensor according to the header.
fn size(text: &mut prophesee::Header) -> Option<SensorSize> {
    let side = |key| text.value(key).map(|value| value.parse::<u16>().ok().filter(|&n| n > 0));
    match (side("Width"), side("Height")) {
        (Some(Some(width)), Some(Some(height))) => Some(SensorSize::new(width, height)),
        (None, None) => None,
        _ => {
            let [width, height] = ["Width", "Height"].map(|key| text.value(key).unwrap_or("none"));
            let note = format!(
                "the header does not state a valid size of the sensor: width {width}, height {height}"
            );
            text.notes.push(note);
            None
        }
    }
}
