//! The elements of a MATLAB 5 file: a type, a number of bytes, and the bytes, padded to a multiple
//! of 8.

use crate::codec::columns::{Feed, Kind, Number, Storage};
use crate::error::{Error, Result};
use crate::feature;
use crate::io::ByteSource;

pub(crate) const MATRIX: u32 = 14;
pub(crate) const COMPRESSED: u32 = 15;

/// The tag at the beginning of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag {
    pub kind: u32,
    pub bytes: u32,
    /// Data of at most four bytes are stored in the tag itself.
    pub small: Option<[u8; 4]>,
}

impl Tag {
    /// Parses the eight bytes of a tag.
    pub fn parse(bytes: [u8; 8], big: bool) -> Self {
        let [a, b, c, d, e, f, g, h] = bytes;
        let u32_of =
            |bytes| if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        let first = u32_of([a, b, c, d]);
        // A small element has its number of bytes in the upper half of the type.
        if first >> 16 != 0 {
            return Self { kind: first & 0xffff, bytes: first >> 16, small: Some([e, f, g, h]) };
        }
        Self { kind: first, bytes: u32_of([e, f, g, h]), small: None }
    }
}

/// The number type of the data of an element of this type.
pub(crate) fn number(kind: u32, big_endian: bool) -> Option<Number> {
    let kind = match kind {
        1 => Kind::I8,
        2 => Kind::U8,
        3 => Kind::I16,
        4 => Kind::U16,
        5 => Kind::I32,
        6 => Kind::U32,
        7 => Kind::F32,
        9 => Kind::F64,
        12 => Kind::I64,
        13 => Kind::U64,
        _ => return None,
    };
    Some(Number { kind, big_endian })
}

/// A matrix of numbers.
#[derive(Debug)]
pub(crate) struct Matrix {
    pub name: String,
    pub sides: Vec<u64>,
    /// The real part; `None` for cell arrays, structures, texts and sparse matrices.
    pub data: Option<Data>,
}

/// The real part of a matrix.
#[derive(Debug)]
pub(crate) struct Data {
    pub number: Number,
    pub feed: Feed,
    /// Number of bytes of `feed` before the first number.
    pub ahead: u64,
    /// Number of bytes of the numbers.
    pub bytes: u64,
}

/// Reads a matrix whose element, which may be compressed, is stored in the `bytes` bytes of the
/// file from `start` on.
pub(crate) fn matrix(
    source: &mut ByteSource,
    storage: Storage,
    start: u64,
    bytes: u64,
    big: bool,
) -> Result<Option<Matrix>> {
    if storage != Storage::Stored {
        feature::ZIP.needed_to("read compressed matrices")?;
    }
    let mut walk = Walk { feed: Feed::new(storage, start, bytes), read: 0, big, start };
    if storage != Storage::Stored {
        // The contents are a matrix with a tag of its own.
        match walk.tag(source)? {
            tag if tag.kind == MATRIX => {}
            _ => return Ok(None),
        }
    }
    let flags = walk.small_element(source, 16)?;
    let class = match (big, flags.first_chunk::<4>()) {
        (true, Some(flags)) => u32::from_be_bytes(*flags) & 0xff,
        (false, Some(flags)) => u32::from_le_bytes(*flags) & 0xff,
        _ => return Ok(None),
    };
    let sides = walk.small_element(source, 256)?;
    let side =
        |bytes: &[u8; 4]| if big { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) };
    let sides: Vec<u64> =
        sides.as_chunks::<4>().0.iter().map(|bytes| u64::from(side(bytes))).collect();
    let name = walk.small_element(source, 1024)?;
    let name = String::from_utf8_lossy(&name).into_owned();
    // Only double, single and the eight integer classes are supported.
    if !(6..=15).contains(&class) {
        return Ok(Some(Matrix { name, sides, data: None }));
    }
    let tag = walk.tag(source)?;
    let ahead = if tag.small.is_some() { walk.read - 4 } else { walk.read };
    let Some(number) = number(tag.kind, big) else {
        return Ok(Some(Matrix { name, sides, data: None }));
    };
    let feed = walk.feed.again();
    Ok(Some(Matrix {
        name,
        sides,
        data: Some(Data { number, feed, ahead, bytes: tag.bytes.into() }),
    }))
}

/// Iterates over the elements within a matrix.
struct Walk {
    feed: Feed,
    read: u64,
    big: bool,
    start: u64,
}

impl Walk {
    fn take(&mut self, source: &mut ByteSource, n: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.feed.read(source, n, &mut bytes)?;
        self.read += bytes.len() as u64;
        if bytes.len() < n {
            return Err(self.feed.fault().unwrap_or_else(|| {
                Error::truncated("a matrix ends within its header").at(self.start)
            }));
        }
        Ok(bytes)
    }

    fn tag(&mut self, source: &mut ByteSource) -> Result<Tag> {
        let bytes = self.take(source, 8)?;
        let bytes = bytes.first_chunk().copied().unwrap_or([0; 8]);
        Ok(Tag::parse(bytes, self.big))
    }

    /// The contents of an element of at most `most` bytes.
    fn small_element(&mut self, source: &mut ByteSource, most: u32) -> Result<Vec<u8>> {
        let tag = self.tag(source)?;
        if let Some(small) = tag.small {
            return Ok(small.into_iter().take(tag.bytes.min(4) as usize).collect());
        }
        if tag.bytes > most {
            return Err(Error::malformed("the header of a matrix is invalid")
                .at(self.start)
                .expected(format!("an element of at most {most} bytes"))
                .found(format!("{} bytes", tag.bytes)));
        }
        let mut bytes = self.take(source, (tag.bytes as usize).next_multiple_of(8))?;
        bytes.truncate(tag.bytes as usize);
        Ok(bytes)
    }
}

/// How an element of the top level is stored, if it may be a matrix.
pub(crate) fn storage(kind: u32) -> Option<Storage> {
    match kind {
        MATRIX => Some(Storage::Stored),
        COMPRESSED => Some(Storage::Zlib),
        _ => None,
    }
}
