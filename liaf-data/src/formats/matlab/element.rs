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
    /// The numbers; `None` for cell arrays, structures, texts, and sparse or complex matrices.
    pub data: Option<Data>,
}

/// The numbers of a matrix.
#[derive(Debug)]
pub(crate) struct Data {
    pub number: Number,
    pub feed: Feed,
    /// Number of bytes of `feed` before the first number.
    pub ahead: u64,
    /// Number of bytes of the numbers.
    pub bytes: u64,
}

/// Structures within structures are read to this depth.
const DEPTH: usize = 8;
/// No more matrices of one element than this are read.
const MATRICES: usize = 1000;

/// Reads the matrices of an element, which may be compressed and is stored in the `bytes` bytes of the
/// file from `start` on: the matrix itself, or those of the fields of a structure, with the names of
/// the structures before their own, as in `TD.x`.
///
/// Returns what was read, and the error after which the rest could not be.
pub(crate) fn matrices(
    source: &mut ByteSource,
    storage: Storage,
    start: u64,
    bytes: u64,
    big: bool,
) -> Result<(Vec<Matrix>, Option<Error>)> {
    if storage != Storage::Stored {
        feature::ZIP.needed_to("read compressed matrices")?;
    }
    let mut walk = Walk { feed: Feed::new(storage, start, bytes), read: 0, big, start };
    let mut found = Vec::new();
    let result = walk.element(source, storage, &mut found);
    Ok((found, result.err()))
}

/// Iterates over the elements within a matrix.
struct Walk {
    feed: Feed,
    read: u64,
    big: bool,
    start: u64,
}

/// Classes of matrices, as their flags have them.
const STRUCTURE: u32 = 2;
/// The flag of a matrix whose numbers have an imaginary part.
const COMPLEX: u32 = 0x800;
/// Double, single and the eight integer classes.
const NUMBERS: std::ops::RangeInclusive<u32> = 6..=15;

impl Walk {
    /// Reads an element of the top level.
    fn element(
        &mut self,
        source: &mut ByteSource,
        storage: Storage,
        found: &mut Vec<Matrix>,
    ) -> Result<()> {
        // The contents of a compressed element are a matrix with a tag of its own.
        if storage != Storage::Stored && self.tag(source)?.kind != MATRIX {
            return Ok(());
        }
        self.matrix(source, None, DEPTH, found)
    }

    /// Reads the contents of a matrix. A field of a structure has the name that is given.
    fn matrix(
        &mut self,
        source: &mut ByteSource,
        name: Option<String>,
        depth: usize,
        found: &mut Vec<Matrix>,
    ) -> Result<()> {
        let flags = self.small_element(source, 16)?;
        let Some(flags) = flags.first_chunk().map(|flags| self.u32_of(*flags)) else {
            return Ok(());
        };
        let class = flags & 0xff;
        let sides = self.small_element(source, 256)?;
        let sides: Vec<u64> =
            sides.as_chunks::<4>().0.iter().map(|bytes| self.u32_of(*bytes).into()).collect();
        let own = self.small_element(source, 1024)?;
        let name = name.unwrap_or_else(|| String::from_utf8_lossy(&own).into_owned());
        if class == STRUCTURE && depth > 0 && sides.iter().all(|&side| side == 1) {
            return self.structure(source, &name, depth - 1, found);
        }
        let mut data = None;
        if NUMBERS.contains(&class) && flags & COMPLEX == 0 {
            let tag = self.tag(source)?;
            let ahead = if tag.small.is_some() { self.read - 4 } else { self.read };
            data = number(tag.kind, self.big).map(|number| {
                let feed = self.feed.again();
                Data { number, feed, ahead, bytes: tag.bytes.into() }
            });
        }
        found.push(Matrix { name, sides, data });
        Ok(())
    }

    /// Reads the fields of a structure of one element.
    fn structure(
        &mut self,
        source: &mut ByteSource,
        name: &str,
        depth: usize,
        found: &mut Vec<Matrix>,
    ) -> Result<()> {
        let length = self.small_element(source, 4)?;
        let length = length.first_chunk().map_or(0, |bytes| self.u32_of(*bytes)) as usize;
        let names = self.small_element(source, 64 << 10)?;
        let names: Vec<String> = names
            .chunks(length.max(1))
            .map(|field| field.split(|&byte| byte == 0).next().unwrap_or_default())
            .map(|field| format!("{name}.{}", String::from_utf8_lossy(field)))
            .collect();
        for field in names {
            if found.len() >= MATRICES {
                break;
            }
            let tag = self.tag(source)?;
            let end = self.read.saturating_add(tag.bytes.into());
            if tag.kind == MATRIX && tag.bytes > 0 && tag.small.is_none() {
                self.matrix(source, Some(field), depth, found)?;
            }
            let Some(rest) = end.checked_sub(self.read) else {
                return Err(Error::malformed("a field of a structure is longer than it says")
                    .at(self.start));
            };
            self.feed.skip(source, rest)?;
            self.read += rest;
        }
        Ok(())
    }

    fn u32_of(&self, bytes: [u8; 4]) -> u32 {
        if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

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
