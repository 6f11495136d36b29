//! Filters: how the bytes of a chunk are packed, and how they are unpacked again.

use crate::error::{Error, ErrorKind, Result};

/// One step of the filter pipeline of a dataset, as its header states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The number under which the filter is registered.
    pub id: u16,
    /// The name that the writer gave, if it gave one.
    pub name: Option<String>,
    /// Whether a chunk may do without the filter, for instance because packing made it larger.
    pub is_optional: bool,
    /// The parameters ("client data"), whose meaning depends on the filter.
    pub values: Vec<u32>,
}

/// Unpacks `packed`, which went through one `filter`, into `out`, whose previous content is
/// discarded. The result may have at most `most` bytes; nothing larger is allocated.
pub(crate) fn undo(filter: &Filter, packed: &[u8], most: usize, out: &mut Vec<u8>) -> Result<()> {
    let _ = (packed, most, out);
    Err(Error::new(ErrorKind::Unsupported, format!("filter {} is not read", filter.id)))
}
