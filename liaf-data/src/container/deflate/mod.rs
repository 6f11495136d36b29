//! Deflate compression. Only this module depends on the library that implements it.

use crate::codec::Compression;

#[cfg(not(feature = "zip"))]
pub(crate) use absent::Deflate;
#[cfg(feature = "zip")]
pub(crate) use zlib::Deflate;

/// The effort of compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeflateLevel {
    /// Only runs of one byte are found.
    Runs,
    /// A level of zlib, from 1 to 9.
    Level(u8),
}

impl DeflateLevel {
    /// The level for this compression; `None` if it is not deflate.
    pub(crate) fn of(compression: Compression) -> Option<Self> {
        match compression {
            Compression::Runs => Some(Self::Runs),
            Compression::Deflate(level) => Some(Self::Level(level)),
            Compression::None | Compression::Lz4 | Compression::Zstd => None,
        }
    }

    /// The level as a number. Runs have the level that is closest to them, for interfaces that need
    /// a number.
    #[cfg_attr(not(feature = "zip"), expect(dead_code, reason = "nothing is compressed"))]
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Runs => 6,
            Self::Level(level) => level.clamp(1, 9),
        }
    }
}

/// The format around the compressed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrap {
    /// Nothing, as in zip archives.
    None,
    /// zlib's header and checksum, as in HDF5.
    #[cfg_attr(not(feature = "zip"), expect(dead_code, reason = "only HDF5 writes it"))]
    Zlib,
}

#[cfg(feature = "zip")]
mod zlib;

/// Replaces the compressor in a build without it. Files that would be compressed are then refused, with
/// an error that names the feature, before anything is written.
#[cfg(not(feature = "zip"))]
mod absent {
    use super::{DeflateLevel, Wrap};
    use crate::error::Result;
    use crate::feature;

    pub(crate) struct Deflate;

    impl Deflate {
        pub(crate) fn new(_level: DeflateLevel, _wrap: Wrap) -> Self {
            Self
        }

        pub(crate) fn add(&mut self, _bytes: &[u8], _out: &mut Vec<u8>) -> Result<()> {
            feature::ZIP.needed_to("compress by deflate")
        }

        pub(crate) fn end(&mut self, _out: &mut Vec<u8>) -> Result<()> {
            feature::ZIP.needed_to("compress by deflate")
        }
    }
}
