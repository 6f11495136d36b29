//! The checksum of the members of zip archives, CRC-32.

#[cfg(feature = "zip")]
pub(crate) use crc32fast::Hasher as Crc32;

/// Replaces the checksum in a build without zip archives. It computes nothing, and nothing is compared
/// with it.
#[cfg(not(feature = "zip"))]
#[derive(Debug, Clone, Default)]
pub(crate) struct Crc32;

#[cfg(not(feature = "zip"))]
impl Crc32 {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn update(&mut self, _bytes: &[u8]) {}

    pub(crate) fn combine(&mut self, _after: &Self) {}

    pub(crate) fn finalize(self) -> u32 {
        0
    }
}
