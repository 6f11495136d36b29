//! Fill values: what a value that was never written is.

use crate::error::Result;
use crate::read::bytes::Cursor;

/// The bytes of one value; `None` if it is 0 in all of them.
pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Option<Vec<u8>>> {
    let version = cursor.version(&[1, 2, 3], "a fill value")?;
    let is_there = if version == 3 {
        cursor.u8()? & 0x20 != 0
    } else {
        // When room is made, and when it is filled.
        cursor.skip(2)?;
        cursor.u8()? != 0 || version == 1
    };
    if is_there { old(cursor) } else { Ok(None) }
}

/// The same for the older message, which has the value alone.
pub(crate) fn old(cursor: &mut Cursor<'_>) -> Result<Option<Vec<u8>>> {
    let size = cursor.u32()? as usize;
    let value = cursor.take(size)?;
    Ok((size > 0).then(|| value.to_vec()))
}
