//! The directory of a zip archive, and the positions of its members.
//!
//! Source: PKWARE's APPNOTE.TXT, 4.3 and 4.5.3.

use crate::codec::columns::Storage;
use crate::error::{Error, Result};
use crate::feature;
use crate::io::ByteSource;
use crate::limits::Limits;

/// Size of the end record, and length of the longest comment after it.
const END: usize = 22;
const COMMENT: usize = 0xffff;

/// A file in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub name: String,
    pub method: u16,
    pub is_encrypted: bool,
    pub crc: u32,
    pub packed: u64,
    pub size: u64,
    /// Offset of its local header.
    pub offset: u64,
}

impl Entry {
    /// How its bytes are stored.
    pub fn storage(&self) -> Result<Storage> {
        match self.method {
            _ if self.is_encrypted => {
                Err(Error::unsupported("a member of the archive is encrypted").at(self.offset))
            }
            0 if self.packed == self.size => Ok(Storage::Stored),
            0 => Err(Error::malformed("a stored member has two different sizes").at(self.offset)),
            8 => Ok(Storage::Deflate),
            method => Err(Error::unsupported(
                "the compression of a member of the archive is not supported",
            )
            .at(self.offset)
            .expected("0 (stored) or 8 (deflated)")
            .found(method)),
        }
    }

    /// Offset of its first byte, which follows the local header.
    pub fn data(&self, source: &mut ByteSource) -> Result<u64> {
        let header = source.read_at(self.offset, 30)?;
        if !header.starts_with(b"PK\x03\x04") || header.len() < 30 {
            return Err(Error::malformed(
                "a member of the archive is not at the offset in the directory",
            )
            .at(self.offset));
        }
        let extra = u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
        let start = self.offset + 30 + extra;
        let end = start.checked_add(self.packed);
        let length = source.len().unwrap_or(0);
        if end.is_none_or(|end| end > length) {
            return Err(Error::malformed("a member of the archive ends after the end of the file")
                .at(self.offset)
                .found(format!("{} bytes", self.packed)));
        }
        Ok(start)
    }
}

/// All members of the archive.
pub(crate) fn entries(source: &mut ByteSource, limits: &Limits) -> Result<Vec<Entry>> {
    feature::ZIP.needed_to("read zip archives")?;
    let length = source.len().unwrap_or(0);
    let from = length.saturating_sub((END + COMMENT) as u64);
    let tail = source.read_at(from, END + COMMENT)?;
    let is_end = |at: &usize| {
        let rest = &tail[*at..];
        rest.starts_with(b"PK\x05\x06")
            && rest.len() >= END
            && rest.len() == END + usize::from(u16_at(rest, 20))
    };
    let end = (0..tail.len().saturating_sub(END - 1)).rev().find(is_end).ok_or_else(|| {
        Error::truncated("the zip archive has no directory at its end")
            .at(length)
            .advice("the copy or the writer may have been interrupted")
    })?;
    let record = &tail[end..];
    let at = from + end as u64;
    let (mut size, mut start) = (u64::from(u32_at(record, 12)), u64::from(u32_at(record, 16)));
    if size == u64::from(u32::MAX) || start == u64::from(u32::MAX) {
        (size, start) = zip64(source, at)?.unwrap_or((size, start));
    }
    let size = Limits::check("the directory of the archive", size, limits.header_bytes)
        .map_err(|error| error.at(at))?;
    let directory = source.read_at(start, size)?;
    if directory.len() < size || start.saturating_add(size as u64) > at {
        return Err(
            Error::malformed("the directory of the archive is not at the stated offset").at(at)
        );
    }
    let mut entries = Vec::new();
    let mut rest = directory.as_slice();
    while !rest.is_empty() {
        let offset = start + (size - rest.len()) as u64;
        let (entry, after) =
            entry(rest).filter(|(entry, _)| entry.offset < length).ok_or_else(|| {
                Error::malformed("the directory of the archive is damaged").at(offset)
            })?;
        entries.push(entry);
        rest = after;
    }
    Ok(entries)
}

/// Size and offset of the directory from the Zip64 end record, if there is one.
fn zip64(source: &mut ByteSource, end: u64) -> Result<Option<(u64, u64)>> {
    let Some(at) = end.checked_sub(20) else { return Ok(None) };
    let locator = source.read_at(at, 20)?;
    if !locator.starts_with(b"PK\x06\x07") || locator.len() < 20 {
        return Ok(None);
    }
    let record = source.read_at(u64_at(&locator, 8), 56)?;
    let is_whole = record.starts_with(b"PK\x06\x06") && record.len() == 56;
    Ok(is_whole.then(|| (u64_at(&record, 40), u64_at(&record, 48))))
}

/// Parses the first entry of the directory; also returns the rest of the directory.
fn entry(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    let fixed = bytes.get(..46).filter(|fixed| fixed.starts_with(b"PK\x01\x02"))?;
    let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(u16_at(fixed, at)));
    let name_bytes = bytes.get(46..46 + name)?;
    let mut fields = bytes.get(46 + name..46 + name + extra)?;
    let rest = bytes.get(46 + name + extra + comment..)?;
    let mut wide = &fields[..0];
    while let Some(head) = fields.get(..4) {
        let size = usize::from(u16_at(head, 2));
        let content = fields.get(4..4 + size)?;
        if u16_at(head, 0) == 1 {
            wide = content;
        }
        fields = &fields[4 + size..];
    }
    // Values that do not fit in 32 bits are in the Zip64 field, in this order.
    let mut long = |at| match u32_at(fixed, at) {
        u32::MAX => {
            let (value, after) = wide.split_first_chunk::<8>()?;
            wide = after;
            Some(u64::from_le_bytes(*value))
        }
        short => Some(u64::from(short)),
    };
    let (size, packed, offset) = (long(24)?, long(20)?, long(42)?);
    let entry = Entry {
        name: String::from_utf8_lossy(name_bytes).into_owned(),
        method: u16_at(fixed, 10),
        is_encrypted: u16_at(fixed, 8) & 1 == 1,
        crc: u32_at(fixed, 16),
        packed,
        size,
        offset,
    };
    Some((entry, rest))
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes_at(bytes, at))
}
