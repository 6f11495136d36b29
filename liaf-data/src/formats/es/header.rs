//! The header, which has 16 or 20 bytes.

use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::model::SensorSize;

pub(crate) const MAGIC: &[u8] = b"Event Stream";
/// Number of bytes before the size of the sensor.
const SHORT: usize = 16;

/// The type of the events of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Bytes of any meaning.
    Generic,
    /// A change of brightness.
    Dvs,
    /// A change of brightness, or the crossing of a threshold that measures exposure.
    Atis,
    /// A pixel of an asynchronous display.
    Display,
    /// A pixel with a colour.
    Colour,
}

impl Type {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Dvs => "dvs",
            Self::Atis => "atis",
            Self::Display => "asynchronous display",
            Self::Colour => "colour",
        }
    }

    fn has_size(self) -> bool {
        matches!(self, Self::Dvs | Self::Atis | Self::Colour)
    }
}

/// The contents of the header.
#[derive(Debug)]
pub(crate) struct Header {
    pub kind: Type,
    pub version: String,
    /// `None` if the format has no size, or one side is 0.
    pub sensor: Option<SensorSize>,
    /// Offset at which the events start.
    pub end: u64,
}

impl Header {
    /// Reads the header; the position of the source stays at the beginning.
    pub(crate) fn read(source: &mut ByteSource) -> Result<Self> {
        let head = source.head(SHORT + 4)?;
        let cut = |expected: usize| {
            Error::truncated("the file ends inside its header")
                .at(head.len() as u64)
                .expected(format!("{expected} bytes"))
                .found(format!("{} bytes", head.len()))
        };
        let Some(&[major, minor, patch, kind]) = head.get(MAGIC.len()..SHORT) else {
            return Err(cut(SHORT));
        };
        let version = format!("{major}.{minor}.{patch}");
        if major != 2 {
            return Err(Error::unsupported("unsupported version of Event Stream")
                .at(MAGIC.len() as u64)
                .expected("2.x")
                .found(version));
        }
        let kind = match kind {
            0 => Type::Generic,
            1 => Type::Dvs,
            2 => Type::Atis,
            3 => Type::Display,
            4 => Type::Colour,
            _ => {
                return Err(Error::unsupported("unknown type of events")
                    .at(SHORT as u64 - 1)
                    .expected("0 to 4")
                    .found(kind));
            }
        };
        if !kind.has_size() {
            return Ok(Self { kind, version, sensor: None, end: SHORT as u64 });
        }
        let Some(&[w0, w1, h0, h1]) = head.get(SHORT..SHORT + 4) else {
            return Err(cut(SHORT + 4));
        };
        let size = SensorSize::new(u16::from_le_bytes([w0, w1]), u16::from_le_bytes([h0, h1]));
        let sensor = (size.pixels() > 0).then_some(size);
        Ok(Self { kind, version, sensor, end: SHORT as u64 + 4 })
    }
}
