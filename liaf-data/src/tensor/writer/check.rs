//! Checks of tensors before they are written.

use super::column::{Column, Rows};
use crate::container::zip::LONGEST_NAME;
use crate::error::{Error, Result};
use crate::tensor::{ElementType, RESERVED};

/// NumPy before version 2 reads arrays of up to this number of axes.
const MOST_AXES: usize = 32;

/// The longest name of a tensor in bytes. In an archive, `.npy` follows.
const MOST_NAME: usize = LONGEST_NAME - ".npy".len();

/// A new tensor, or an error if it cannot have this shape.
pub(super) fn column(
    name: &str,
    element: ElementType,
    rows: Rows,
    row: &[usize],
) -> Result<Column> {
    check_name(name)?;
    let axes = row.len() + usize::from(rows != Rows::Single);
    if axes > MOST_AXES {
        return Err(Error::caller("the tensor has too many axes")
            .expected(format!("at most {MOST_AXES}"))
            .found(axes));
    }
    let row: Vec<u64> = row.iter().map(|&side| side as u64).collect();
    let size = |first: u64| {
        let bytes = first.checked_mul(element.bytes() as u64)?;
        row.iter().try_fold(bytes, |product, &side| product.checked_mul(side))
    };
    let first = match rows {
        Rows::Fixed(rows) => rows as u64,
        Rows::Growing | Rows::Single => 1,
    };
    let (Some(row_bytes), Some(_)) = (size(1), size(first)) else {
        return Err(Error::caller("the tensor is too large").found(format!("{rows:?} {row:?}")));
    };
    if rows == Rows::Growing && row_bytes == 0 {
        return Err(Error::caller("the rows of a growing tensor must not be empty")
            .expected("rows with elements, or a fixed number of rows")
            .found(format!("{row:?}")));
    }
    Ok(Column { name: name.into(), element, rows, row, row_bytes, bytes: 0, spool: None })
}

/// Returns an error unless `name` can be the name of a tensor in every container. In an archive it
/// is the name of a file, which some tools unpack.
pub(super) fn check_name(name: &str) -> Result<()> {
    let is_unsafe = name.is_empty()
        || name.len() > MOST_NAME
        || name.starts_with('.')
        || name.contains(|c: char| matches!(c, '/' | '\\' | ':') || c.is_control());
    if is_unsafe {
        return Err(Error::caller("invalid name of a tensor")
            .expected("a valid file name without folders")
            .found(format!("{name:?}")));
    }
    if RESERVED.contains(&name) {
        return Err(Error::caller("the name of the tensor is reserved").found(name));
    }
    Ok(())
}

/// Returns an error if `bytes` bytes of this type cannot be appended to `column`.
pub(super) fn append(column: &Column, element: Option<ElementType>, bytes: u64) -> Result<()> {
    let name = &column.name;
    if let Some(element) = element
        && element != column.element
    {
        return Err(Error::caller(format!("the elements have another type than those of {name}"))
            .expected(column.element)
            .found(element));
    }
    let is_whole = bytes == 0 || (column.row_bytes > 0 && bytes.is_multiple_of(column.row_bytes));
    if !is_whole {
        return Err(Error::caller(format!("the bytes are not a whole number of rows of {name}"))
            .expected(format!("a multiple of {} bytes", column.row_bytes))
            .found(format!("{bytes} bytes")));
    }
    if let Some(most) = column.fixed_bytes()
        && bytes > most - column.bytes
    {
        return Err(Error::caller(format!("there are more rows than {name} can have"))
            .expected(format!("{:?}", column.shape()))
            .found(format!("{} bytes", column.bytes + bytes)));
    }
    Ok(())
}
