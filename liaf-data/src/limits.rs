//! Limits that every size in a file must pass before memory is allocated for it.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

const MIB: usize = 1 << 20;

/// How much memory and output a file may cause. Every size that comes from a file is checked against
/// one of these limits before memory is allocated for it.
///
/// ```
/// use liaf_data::Limits;
/// let strangers = Limits { packet_bytes: 1 << 20, ..Limits::default() };
/// assert!(strangers.packet_bytes < Limits::default().packet_bytes);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Size of a text or binary header before the data, in bytes. Default 1 MiB.
    pub header_bytes: usize,
    /// Length of a line of a text file, in bytes. Default 64 KiB.
    pub line_bytes: usize,
    /// Size of data that is kept in memory as a whole, in bytes: a container that comes through a pipe,
    /// or a tensor that is inflated. Default 1 GiB.
    pub held_bytes: usize,
    /// Size of a packet after decompression, in bytes. Default 64 MiB.
    pub packet_bytes: usize,
    /// Size of all packets that are decompressed at the same time, in bytes. A single packet may be
    /// larger. Default 32 MiB.
    pub in_flight_bytes: usize,
    /// Size of what is unpacked from a gzip, ZSTD, xz, bzip2 or zip file that has a recording inside, in
    /// bytes. It bounds the time that unpacking takes, and the temporary file for formats that are not read
    /// in order. Default 1 TiB.
    pub unpacked_bytes: u64,
    /// How many times larger than the packed bytes what is unpacked from them may be, after the first
    /// 64 MiB. Default 1100, which is more than gzip can reach.
    pub unpacked_ratio: u64,
    /// Size of the window of earlier bytes to which a packed file may refer, in bytes. Default 128 MiB.
    pub window_bytes: usize,
    /// Number of frames made of one recording. Default 10⁶.
    pub frames: u64,
    /// Size of the tensors made of one recording, in bytes. Default 1 TiB.
    pub output_bytes: u64,
    /// Size of all frames that are kept open for late events, in bytes. Default 64 MiB.
    pub open_frames_bytes: usize,
    /// Size of all events that are held back, in bytes: to be sorted by time, or because a representation
    /// needs all events of a window at once. Default 256 MiB.
    pub reorder_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Limits {
    /// The default limits.
    pub const DEFAULT: Self = Self {
        header_bytes: MIB,
        line_bytes: 64 << 10,
        held_bytes: 1 << 30,
        packet_bytes: 64 * MIB,
        in_flight_bytes: 32 * MIB,
        unpacked_bytes: 1 << 40,
        unpacked_ratio: 1100,
        window_bytes: 128 * MIB,
        frames: 1_000_000,
        output_bytes: 1 << 40,
        open_frames_bytes: 64 * MIB,
        reorder_bytes: 256 * MIB,
    };

    /// Returns `size` as a length that may be allocated, or an error with both numbers if it is above
    /// `limit`.
    pub(crate) fn check(what: &str, size: u64, limit: usize) -> Result<usize> {
        match usize::try_from(size) {
            Ok(size) if size <= limit => Ok(size),
            _ => Err(Error::limit(format!("{what} is too large"))
                .expected(format!("at most {limit} bytes"))
                .found(format!("{size} bytes"))),
        }
    }
}
