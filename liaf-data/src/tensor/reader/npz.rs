//! The `.npz` format: a zip archive of NumPy arrays.

use std::collections::BTreeMap;

use super::array;
use super::index::{Entry, Place};
use crate::container::zip;
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::limits::Limits;
use crate::tensor::{ElementType, PROVENANCE};

/// Size of the local header of a member without its name.
const LOCAL_HEADER: u64 = 30;

/// All arrays of the archive, and the provenance.
pub(super) fn index(
    source: &mut ByteSource,
    limits: &Limits,
) -> Result<(Vec<Entry>, BTreeMap<String, String>)> {
    let mut members = zip::entries(source, limits)?;
    members.sort_by_key(|member| member.offset);
    // Members that share bytes could make a small file inflate to any size.
    for pair in members.windows(2) {
        let end = pair[0].offset.saturating_add(LOCAL_HEADER).saturating_add(pair[0].packed);
        if end > pair[1].offset {
            return Err(Error::malformed("two members of the archive overlap")
                .at(pair[1].offset)
                .found(format!("{} and {}", pair[0].name, pair[1].name)));
        }
    }
    let is_empty = members.is_empty();
    let mut entries = Vec::new();
    for member in members {
        let Some(name) = member.name.strip_suffix(".npy") else { continue };
        entries.push(Entry { name: name.to_owned(), place: Place::Member(member) });
    }
    if entries.is_empty() && !is_empty {
        return Err(Error::unsupported("the zip archive has no NumPy arrays").at(0));
    }
    let mut names: Vec<_> = entries.iter().map(|entry| &entry.name).collect();
    names.sort();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::malformed("two arrays have the same name").at(0).found(pair[0]));
    }
    let mut metadata = BTreeMap::new();
    if let Some(at) = entries.iter().position(|entry| entry.name == PROVENANCE)
        && let Some(text) = text(source, &entries[at].place, limits)?
    {
        metadata.insert(PROVENANCE.to_owned(), text);
        entries.remove(at);
    }
    Ok((entries, metadata))
}

/// The text whose bytes are in the array; `None` if the array cannot be a text.
fn text(source: &ByteSource, place: &Place, limits: &Limits) -> Result<Option<String>> {
    let info = match array::open(&mut source.again()?, place, limits) {
        Ok(open) => open.info,
        // An array that is not a text is not the provenance. Asking for it as a tensor returns the
        // error.
        Err(_) => return Ok(None),
    };
    let (ElementType::U8, [length]) = (info.dtype, &info.shape[..]) else { return Ok(None) };
    Limits::check("the provenance", *length as u64, limits.header_bytes)?;
    let (_, bytes) = array::read(source, place, limits)?;
    Ok(String::from_utf8(bytes.as_slice().to_vec()).ok())
}
