//! Unpacking of files that gzip, ZSTD, xz or bzip2 packed, and of a member of a zip archive.
//!
//! Sources: RFC 1952 (gzip), RFC 8878 (ZSTD), "The .xz File Format" 1.2.1 of the Tukaani project.

mod body;
mod bzip2;
mod codec;
mod gzip;
#[cfg(all(test, feature = "zstd"))]
mod tests;
mod unpacker;
mod xz;
#[cfg(feature = "zip")]
mod zip;
#[cfg(not(feature = "zip"))]
#[path = "zip_absent.rs"]
mod zip;
mod zstd;

pub(crate) use body::{BodyFault, bunzip2};
use codec::Codec;
use unpacker::Unpacker;
pub(crate) use zip::{Member, first_member};

use crate::error::Result;
use crate::feature::{self, Feature};
use crate::io::{ByteSource, Unpack, Wrapper};
use crate::limits::Limits;

/// A kind of packed file with one file in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

impl Packing {
    /// The kind of packed file that begins with `head`.
    pub fn of(head: &[u8]) -> Option<Self> {
        [Self::Gzip, Self::Zstd, Self::Xz, Self::Bzip2].into_iter().find(|kind| kind.begins(head))
    }

    /// Whether `bytes` are the beginning of a part of such a file. Most of these files have one part.
    fn begins(self, bytes: &[u8]) -> bool {
        match self {
            // The method is deflate, and the reserved flags are 0.
            Self::Gzip => matches!(bytes, [0x1f, 0x8b, 8, flags, ..] if flags & 0xe0 == 0),
            // A frame of data, or one to be skipped.
            Self::Zstd => {
                matches!(bytes, [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
            }
            Self::Xz => bytes.starts_with(b"\xfd7zXZ\0"),
            Self::Bzip2 => matches!(bytes, [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..]),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "ZSTD",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        }
    }

    fn feature(self) -> Feature {
        match self {
            Self::Gzip => feature::ZIP,
            Self::Zstd => feature::ZSTD,
            Self::Xz => feature::XZ,
            Self::Bzip2 => feature::BZIP2,
        }
    }

    fn codec(self, limits: &Limits) -> Result<Box<dyn Codec>> {
        self.feature().needed_to(&format!("read {} files", self.name()))?;
        Ok(match self {
            Self::Gzip => Box::new(gzip::Gzip::new()),
            Self::Zstd => Box::new(zstd::Zstd::new(limits)?),
            Self::Xz => Box::new(xz::Xz::new(limits)),
            Self::Bzip2 => Box::new(bzip2::Bzip2::new()),
        })
    }
}

/// A [`Packing`], with the limits for what is unpacked.
pub(crate) struct Packer {
    pub packing: Packing,
    pub limits: Limits,
}

impl Wrapper for Packer {
    fn name(&self) -> &'static str {
        self.packing.name()
    }

    fn unpack(&self, source: ByteSource) -> Result<Box<dyn Unpack>> {
        let codec = self.packing.codec(&self.limits)?;
        let packing = self.packing;
        let follows = Box::new(move |bytes: &[u8]| packing.begins(bytes));
        Ok(Box::new(Unpacker::new(source, codec, packing.name(), Some(follows), &self.limits)))
    }
}
