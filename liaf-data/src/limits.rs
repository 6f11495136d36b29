//! The only way from a number in a file to an allocation.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

const MIB: usize = 1 << 20;

/// How much a file may ask for. Every size that comes from a file is checked against one of these
/// before anything is allocated for it.
///
/// ```
/// use liaf_data::Limits;
/// let strangers = Limits { packet_bytes: 1 << 20, ..Limits::default() };
/// assert!(strangers.packet_bytes < Limits::default().packet_bytes);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Text or binary header in front of the data, in bytes. Default 1 MiB.
    pub header_bytes: usize,
    /// One line of a text, in bytes. Default 64 KiB.
    pub line_bytes: usize,
    /// A container that comes through a pipe, or a tensor that is inflated, which are kept in memory,
    /// in bytes. Default 1 GiB.
    pub held_bytes: usize,
    /// One packet after inflation, in bytes. Default 64 MiB.
    pub packet_bytes: usize,
    /// All packets that are inflated at one time, in bytes; one larger packet may pass alone.
    /// Default 32 MiB.
    pub in_flight_bytes: usize,
    /// Frames made of one recording. Default 10⁶.
    pub frames: u64,
    /// Bytes of tensors made of one recording. Default 1 TiB.
    pub output_bytes: u64,
    /// Frames held open for late events, in bytes. Default 64 MiB.
    pub open_frames_bytes: usize,
    /// Events held back to bring them in the order of time, in bytes. Default 256 MiB.
    pub reorder_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Limits {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        header_bytes: MIB,
        line_bytes: 64 << 10,
        held_bytes: 1 << 30,
        packet_bytes: 64 * MIB,
        in_flight_bytes: 32 * MIB,
        frames: 1_000_000,
        output_bytes: 1 << 40,
        open_frames_bytes: 64 * MIB,
        reorder_bytes: 256 * MIB,
    };

    /// `size` as a length that may be allocated, or the error that names both numbers.
    pub(crate) fn check(what: &str, size: u64, limit: usize) -> Result<usize> {
        match usize::try_from(size) {
            Ok(size) if size <= limit => Ok(size),
            _ => Err(Error::limit(format!("{what} is too large"))
                .expected(format!("at most {limit} bytes"))
                .found(format!("{size} bytes"))),
        }
    }
}
