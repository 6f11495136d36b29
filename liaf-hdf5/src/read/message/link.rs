//! Links: the names of the members of a group, and what they lead to.

use crate::error::Result;
use crate::read::bytes::{Cursor, text_of};

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// The object header at this address.
    Object(u64),
    /// The object at this path of the same file.
    Path(String),
    /// An object of another file.
    OtherFile { file: String, path: String },
    /// Something that only the program that wrote it knows.
    Unknown(u8),
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub name: String,
    pub target: Target,
}

pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Link> {
    cursor.version(&[1], "a link")?;
    let flags = cursor.u8()?;
    let kind = if flags & 0x08 != 0 { cursor.u8()? } else { 0 };
    if flags & 0x04 != 0 {
        // The place in the order of creation.
        cursor.skip(8)?;
    }
    if flags & 0x10 != 0 {
        // ASCII or UTF-8, which is a superset.
        cursor.skip(1)?;
    }
    let length = cursor.uint(1 << (flags & 3))?;
    let name = text_of(cursor.take(usize::try_from(length).unwrap_or(usize::MAX))?);
    let target = match kind {
        0 => Target::Object(cursor.defined("a member of a group")?),
        1 => {
            let length = cursor.u16()?;
            Target::Path(text_of(cursor.take(length.into())?))
        }
        64 => {
            let length = cursor.u16()?;
            let mut value = cursor.part(length.into())?;
            value.skip(1)?;
            Target::OtherFile { file: value.text()?, path: value.text()? }
        }
        other => Target::Unknown(other),
    };
    Ok(Link { name, target })
}
