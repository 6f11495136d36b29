//! How an event file is to be written.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::limits::Limits;

/// How events are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Packing {
    /// Not at all.
    None,
    /// LZ4: fast.
    Lz4,
    /// Zstandard: small.
    Zstd,
    /// Deflate at a level of zlib, 1 (fast) to 9 (small and very slow).
    Deflate(u8),
}

impl Packing {
    /// Whether `other` is of the same kind, at whatever level.
    pub(crate) fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Lz4 => f.write_str("lz4"),
            Self::Zstd => f.write_str("zstd"),
            Self::Deflate(level) => level.fmt(f),
        }
    }
}

impl FromStr for Packing {
    type Err = Error;

    /// Reads `none`, `lz4`, `zstd` or a level 1 to 9 of deflate.
    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "none" => Self::None,
            "lz4" => Self::Lz4,
            "zstd" => Self::Zstd,
            _ => match text.parse() {
                Ok(level @ 1..=9) => Self::Deflate(level),
                _ => {
                    return Err(Error::caller("not a compression of events")
                        .expected("none, lz4, zstd or a level 1 to 9")
                        .found(text));
                }
            },
        })
    }
}

/// How an event file is to be written. Its bytes depend on `packing` and `wrap` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// How events are compressed. Default: the target's first [`packing`](super::Target::packings).
    pub packing: Option<Packing>,
    /// Take times that the target cannot hold and keep them modulo what it can. Default: refuse.
    pub wrap: bool,
    /// Replace an existing file. Default: refuse.
    pub overwrite: bool,
    /// Wait at the end until all bytes are on the disk. Default: yes.
    pub sync: bool,
    /// Compress on the current rayon pool. Default: yes.
    pub parallel: bool,
    /// Largest number of bytes.
    pub limits: Limits,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            packing: None,
            wrap: false,
            overwrite: false,
            sync: true,
            parallel: true,
            limits: Limits::default(),
        }
    }
}
