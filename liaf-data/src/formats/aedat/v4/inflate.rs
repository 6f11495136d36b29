//! Decompression of packet bodies into a buffer that is reused and never grows beyond a limit.

use std::hash::Hasher;

use twox_hash::XxHash32;

use super::flatbuf::bytes_at;
use super::lz4::{self, BlockError};
use super::zstd::Decompressor;
use crate::container::unpack::BodyFault;

/// How the packets of a file are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Lz4,
    Lz4High,
    Zstd,
    ZstdHigh,
}

impl Compression {
    pub(crate) fn from_id(id: i32) -> Option<Self> {
        Some(match id {
            0 => Self::None,
            1 => Self::Lz4,
            2 => Self::Lz4High,
            3 => Self::Zstd,
            4 => Self::ZstdHigh,
            _ => return None,
        })
    }

    pub(crate) fn id(self) -> i32 {
        self as i32
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Lz4 => "LZ4",
            Self::Lz4High => "LZ4_HIGH",
            Self::Zstd => "ZSTD",
            Self::ZstdHigh => "ZSTD_HIGH",
        }
    }

    /// A low estimate of the number of bytes per event.
    pub(crate) fn bytes_per_event(self) -> f64 {
        match self {
            Self::None => 16.0,
            Self::Lz4 | Self::Lz4High => 5.0,
            Self::Zstd | Self::ZstdHigh => 2.5,
        }
    }

    /// The first bytes of every body.
    pub(crate) fn magic(self) -> Option<[u8; 4]> {
        match self {
            Self::None => None,
            Self::Lz4 | Self::Lz4High => Some([0x04, 0x22, 0x4d, 0x18]),
            Self::Zstd | Self::ZstdHigh => Some([0x28, 0xb5, 0x2f, 0xfd]),
        }
    }
}

/// Decompresses bodies, one at a time, into a buffer that is reused.
#[derive(Default)]
pub(crate) struct Inflater {
    buffer: Vec<u8>,
    /// Number of bytes of the buffer that are the contents of the last body.
    filled: usize,
    zstd: Decompressor,
    work: usize,
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater").field("buffer", &self.buffer.len()).finish_non_exhaustive()
    }
}

impl Inflater {
    /// About how many bytes were read and written for the last body, whether it was valid or not.
    pub(crate) fn work(&self) -> usize {
        self.work
    }

    /// The contents of `body`, if that was the last body and was valid.
    pub(crate) fn content<'a>(&'a self, compression: Compression, body: &'a [u8]) -> &'a [u8] {
        match compression {
            Compression::None => body,
            _ => &self.buffer[..self.filled],
        }
    }

    /// The decompressed contents of `body`, at most `cap` bytes.
    pub(crate) fn inflate<'a>(
        &'a mut self,
        compression: Compression,
        body: &'a [u8],
        cap: usize,
    ) -> Result<&'a [u8], BodyFault> {
        self.work = 0;
        match compression {
            Compression::None if body.len() > cap => Err(BodyFault::TooLarge),
            Compression::None => Ok(body),
            Compression::Lz4 | Compression::Lz4High => self.lz4(body, cap),
            Compression::Zstd | Compression::ZstdHigh => {
                self.filled = self.zstd.inflate(body, cap, &mut self.buffer, &mut self.work)?;
                Ok(&self.buffer[..self.filled])
            }
        }
    }

    /// Decompresses an LZ4 frame with linked or independent blocks. Source: the LZ4 Frame Format,
    /// 1.6.
    fn lz4(&mut self, body: &[u8], cap: usize) -> Result<&[u8], BodyFault> {
        let frame = Lz4Frame::parse(body)?;
        let mut rest = &body[frame.header..];
        let mut filled = 0;
        loop {
            let (size, after) = rest.split_first_chunk().ok_or(CUT)?;
            let size = u32::from_le_bytes(*size);
            if size == 0 {
                rest = after;
                break;
            }
            let stored = size >> 31 == 1;
            let size = (size & 0x7fff_ffff) as usize;
            let (data, after) = after.split_at_checked(size).ok_or(CUT)?;
            rest = after;
            self.work += size;
            if frame.block_checksum {
                rest = check_sum(data, rest)?;
            }
            if size > frame.block_bytes {
                return Err(BodyFault::Damaged("an LZ4 block is larger than its frame allows"));
            }
            // One byte more than the limit distinguishes a body that is too large from one that
            // just fits.
            let most = frame.block_bytes.min((cap + 1).saturating_sub(filled));
            room(&mut self.buffer, filled, most);
            self.work += most.min(size.saturating_mul(256));
            if stored {
                let end = size.min(most);
                self.buffer[filled..filled + end].copy_from_slice(&data[..end]);
                filled += end;
            } else {
                // In a frame with linked blocks, matches may refer to earlier blocks.
                let first = if frame.linked { 0 } else { filled };
                let out = &mut self.buffer[first..filled + most];
                filled = match lz4::decode(data, out, filled - first) {
                    Ok(end) => first + end,
                    Err(BlockError::Full) if most < frame.block_bytes => {
                        return Err(BodyFault::TooLarge);
                    }
                    Err(_) => {
                        return Err(BodyFault::Damaged("an LZ4 block cannot be decompressed"));
                    }
                };
            }
            if filled > cap {
                return Err(BodyFault::TooLarge);
            }
        }
        self.filled = filled;
        let content = &self.buffer[..filled];
        if frame.content_bytes.is_some_and(|size| size != filled as u64) {
            return Err(BodyFault::Damaged(
                "the size of the contents of the LZ4 frame is not as stated",
            ));
        }
        if frame.content_checksum {
            rest = check_sum(content, rest)?;
        }
        if !rest.is_empty() {
            return Err(TRAILING);
        }
        Ok(content)
    }
}

/// Makes room in `buffer` for `more` bytes after the first `filled` bytes.
pub(super) fn room(buffer: &mut Vec<u8>, filled: usize, more: usize) {
    if buffer.len() < filled + more {
        buffer.resize(filled + more, 0);
    }
}

pub(super) const CUT: BodyFault = BodyFault::Damaged("the compressed body is incomplete");
pub(super) const TRAILING: BodyFault = BodyFault::Damaged("bytes follow the compressed frame");

/// The descriptor of an LZ4 frame.
struct Lz4Frame {
    header: usize,
    linked: bool,
    block_checksum: bool,
    content_checksum: bool,
    block_bytes: usize,
    content_bytes: Option<u64>,
}

impl Lz4Frame {
    fn parse(body: &[u8]) -> Result<Self, BodyFault> {
        let [flags, block] = bytes_at(body, 4).ok_or(CUT)?;
        if flags >> 6 != 1 || flags & 0b10 != 0 || block & 0x8f != 0 {
            return Err(BodyFault::Damaged("the LZ4 frame has an unknown version"));
        }
        if flags & 1 != 0 {
            return Err(BodyFault::Damaged("the LZ4 frame requires a dictionary"));
        }
        let sized = flags >> 3 & 1 == 1;
        let end = 6 + if sized { 8 } else { 0 };
        let [sum] = bytes_at(body, end).ok_or(CUT)?;
        if (xxh32(&body[4..end]) >> 8) as u8 != sum {
            return Err(BodyFault::Damaged("the LZ4 frame's header checksum is wrong"));
        }
        let block_bytes = match block >> 4 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            _ => return Err(BodyFault::Damaged("the LZ4 frame has an unknown block size")),
        };
        Ok(Self {
            header: end + 1,
            linked: flags >> 5 & 1 == 0,
            block_checksum: flags >> 4 & 1 == 1,
            content_checksum: flags >> 2 & 1 == 1,
            block_bytes,
            content_bytes: bytes_at(body, 6).filter(|_| sized).map(u64::from_le_bytes),
        })
    }
}

fn xxh32(bytes: &[u8]) -> u32 {
    let mut hash = XxHash32::with_seed(0);
    hash.write(bytes);
    hash.finish_32()
}

/// Compares the checksum at the start of `rest` with that of `data`; returns what follows the
/// checksum.
fn check_sum<'a>(data: &[u8], rest: &'a [u8]) -> Result<&'a [u8], BodyFault> {
    let (sum, rest) = rest.split_first_chunk().ok_or(CUT)?;
    if u32::from_le_bytes(*sum) != xxh32(data) {
        return Err(BodyFault::Damaged("an LZ4 checksum is wrong"));
    }
    Ok(rest)
}
