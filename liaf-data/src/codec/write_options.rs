//! How an event file is to be written.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::limits::Limits;

/// How a file is compressed.
///
/// No kind of file has all of these. A [`Target`](super::Target) lists the ways it has; tensor files have
/// none, runs and deflate. What a file does not have is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    None,
    /// Deflate that looks for runs of one byte and for nothing else: the fastest, and for frames that are
    /// zeros almost everywhere among the smallest.
    Runs,
    /// Deflate at a level of zlib, 1 (fast) to 9 (small and very slow).
    Deflate(u8),
    /// LZ4: fast.
    Lz4,
    /// Zstandard: small.
    Zstd,
}

impl Compression {
    /// Whether `other` is of the same kind, at whatever level.
    pub(crate) fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Runs => f.write_str("runs"),
            Self::Deflate(level) => level.fmt(f),
            Self::Lz4 => f.write_str("lz4"),
            Self::Zstd => f.write_str("zstd"),
        }
    }
}

impl FromStr for Compression {
    type Err = Error;

    /// Reads `none`, `runs`, `lz4`, `zstd` or a level 1 to 9 of deflate.
    fn from_str(text: &str) -> Result<Self, Error> {
        match (text, text.parse()) {
            ("none", _) => Ok(Self::None),
            ("runs", _) => Ok(Self::Runs),
            ("lz4", _) => Ok(Self::Lz4),
            ("zstd", _) => Ok(Self::Zstd),
            (_, Ok(level @ 1..=9)) => Ok(Self::Deflate(level)),
            _ => Err(Error::caller("not a compression")
                .expected("none, runs, lz4, zstd or a level 1 to 9")
                .found(format!("{text:?}"))),
        }
    }
}

/// How an event file is to be written. Its bytes depend on `compression` and `wrap` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// How events are compressed. Default: the first of the target's
    /// [`compressions`](super::Target::compressions).
    pub compression: Option<Compression>,
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
            compression: None,
            wrap: false,
            overwrite: false,
            sync: true,
            parallel: true,
            limits: Limits::default(),
        }
    }
}
