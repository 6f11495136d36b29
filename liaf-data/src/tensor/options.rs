//! How a tensor file is to be written.

use std::fmt;
use std::str::FromStr;

use crate::container::deflate::Effort;
use crate::error::Error;
use crate::limits::Limits;

/// How much work goes into compression. All of it is deflate, which every reader knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// None.
    None,
    /// Looks for runs of one byte and for nothing else: the fastest, and for frames that are
    /// zeros almost everywhere among the smallest.
    #[default]
    Runs,
    /// A level of zlib, 1 (fast) to 9 (small and very slow).
    Level(u8),
}

impl Compression {
    /// How hard deflate works; `None` if it does not.
    pub(super) fn effort(self) -> Option<Effort> {
        match self {
            Self::None => None,
            Self::Runs => Some(Effort::Runs),
            Self::Level(level) => Some(Effort::Level(level)),
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Runs => f.write_str("runs"),
            Self::Level(level) => level.fmt(f),
        }
    }
}

impl FromStr for Compression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "none" => Ok(Self::None),
            "runs" => Ok(Self::Runs),
            _ => match text.parse() {
                Ok(level @ 1..=9) => Ok(Self::Level(level)),
                _ => Err(Error::caller("not a compression")
                    .expected("none, runs or a level 1 to 9")
                    .found(text)),
            },
        }
    }
}

/// How a tensor file is to be written. The bytes of the file depend on `compress` and
/// `npz_deflate` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorOptions {
    /// Replace an existing file. Default: refuse.
    pub overwrite: bool,
    /// Wait at the end until all bytes are on the disk, so that a power cut cannot lose them.
    /// Default: yes.
    pub sync: bool,
    /// Compress on the current rayon pool, where the caller helps while it has to wait; and write
    /// `.h5` on a thread of its own. Default: yes.
    pub parallel: bool,
    /// How `.h5` is compressed. Default: [`Compression::Runs`].
    pub compress: Compression,
    /// Deflate the members of `.npz` too, as `compress` says, or by [`Compression::Runs`] if that
    /// is none. Default: no.
    pub npz_deflate: bool,
    /// Largest number of frames and bytes, and of bytes being compressed or written at one
    /// time.
    pub limits: Limits,
}

impl Default for TensorOptions {
    fn default() -> Self {
        Self {
            overwrite: false,
            sync: true,
            parallel: true,
            compress: Compression::default(),
            npz_deflate: false,
            limits: Limits::default(),
        }
    }
}
