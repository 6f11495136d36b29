//! The filter pipeline: what was done to the bytes of each chunk, in this order.

use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::read::bytes::{Cursor, text_of};

/// HDF5 has at most this many filters in a pipeline.
const MOST: u8 = 32;

pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Vec<Filter>> {
    let version = cursor.version(&[1, 2], "a filter pipeline")?;
    let at = cursor.offset();
    let count = cursor.u8()?;
    if count > MOST {
        return Err(Error::malformed(format!("{count} filters in a pipeline")).at(at));
    }
    if version == 1 {
        cursor.skip(6)?;
    }
    (0..count).map(|_| one(cursor, version)).collect()
}

fn one(cursor: &mut Cursor<'_>, version: u8) -> Result<Filter> {
    let id = cursor.u16()?;
    // In version 2 the filters of HDF5 itself, below 256, have no name.
    let name_bytes = if version == 2 && id < 256 { 0 } else { cursor.u16()? };
    let (flags, count) = (cursor.u16()?, cursor.u16()?);
    let name_bytes = usize::from(name_bytes);
    let padded = if version == 1 { name_bytes.next_multiple_of(8) } else { name_bytes };
    let name = cursor.take(padded)?;
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    let values = (0..count).map(|_| cursor.u32()).collect::<Result<_>>()?;
    if version == 1 && count % 2 == 1 {
        // The last pipeline of a message may lack the padding.
        cursor.skip(cursor.left().min(4))?;
    }
    let name = (!name.is_empty()).then(|| text_of(name));
    Ok(Filter { id, name, is_optional: flags & 1 == 1, values })
}
