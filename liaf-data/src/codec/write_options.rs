//! Options for writing an event file.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::limits::Limits;

/// How a file is compressed.
///
/// No kind of file supports all of these. A [`Target`](super::Target) lists the compressions that
/// it supports; tensor files support none, runs and deflate. A compression that is not supported is
/// refused with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// No compression.
    None,
    /// Deflate that looks only for runs of one byte. It is the fastest, and for frames that are
    /// almost entirely zero its output is among the smallest.
    Runs,
    /// Deflate with a level of zlib, from 1 (fast) to 9 (small and very slow).
    Deflate(u8),
    /// LZ4, which is fast.
    Lz4,
    /// Zstandard, which gives small files.
    Zstd,
}

impl Compression {
    /// Whether `other` is the same method, at any level.
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

    /// Parses `none`, `runs`, `lz4`, `zstd` or a level of deflate from 1 to 9.
    fn from_str(text: &str) -> Result<Self, Error> {
        match (text, text.parse()) {
            ("none", _) => Ok(Self::None),
            ("runs", _) => Ok(Self::Runs),
            ("lz4", _) => Ok(Self::Lz4),
            ("zstd", _) => Ok(Self::Zstd),
            (_, Ok(level @ 1..=9)) => Ok(Self::Deflate(level)),
            _ => Err(Error::caller("unknown compression")
                .expected("none, runs, lz4, zstd or a level 1 to 9")
                .found(format!("{text:?}"))),
        }
    }
}

/// Options for writing an event file. The bytes of the file depend on `compression` and `wrap`
/// only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// How events are compressed. The default is the first of the target's
    /// [`compressions`](super::Target::compressions).
    pub compression: Option<Compression>,
    /// Accept times that the target cannot store, and store them modulo the range that it has. By
    /// default they are refused.
    pub wrap: bool,
    /// Replace an existing file. By default this is refused.
    pub overwrite: bool,
    /// Wait at the end until all bytes are on the disk. This is the default.
    pub sync: bool,
    /// Compress on the current rayon pool. This is the default.
    pub parallel: bool,
    /// Limits, such as the largest size of a file.
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
