//! The safetensors format: the length of the header, the header in JSON, and the elements of all
//! tensors one after another, without gaps.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::index::{self, Entry, Place, Plain};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::limits::Limits;
use crate::tensor::METADATA;

/// An entry of the header.
#[derive(Deserialize)]
struct Described {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// The header as it is written. A JSON library would silently keep only one of two entries with the
/// same name.
struct Header {
    tensors: Vec<(String, Described)>,
    metadata: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Header, A::Error> {
        let mut header = Header { tensors: Vec::new(), metadata: BTreeMap::new() };
        let mut names = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format!("two tensors have the name {name:?}")));
            }
            if name == METADATA {
                header.metadata = map.next_value()?;
            } else {
                header.tensors.push((name, map.next_value()?));
            }
        }
        Ok(header)
    }
}

/// All tensors and the metadata of the file.
pub(super) fn index(
    source: &mut ByteSource,
    limits: &Limits,
) -> Result<(Vec<Entry>, BTreeMap<String, String>)> {
    let size = source.len().unwrap_or(0);
    let head = source.read_at(0, 8)?;
    let Some(length) = head.first_chunk() else {
        return Err(Error::truncated("the file is too short to be a tensor file").at(size));
    };
    let length = u64::from_le_bytes(*length);
    let header = Limits::check("header", length, limits.header_bytes).map_err(|error| {
        error.at(0).advice(
            "a .safetensors file begins with the length of its header; .npz and .npy files are told \
             by their first bytes",
        )
    })?;
    let text = source.read_at(8, header)?;
    if text.len() < header {
        return Err(Error::truncated("the file ends inside its header").at(size));
    }
    let header: Header = serde_json::from_slice(&text).map_err(|error| {
        Error::malformed("the header does not describe tensors").at(8).found(error)
    })?;
    let data = 8 + length;
    let entry = |(name, described)| entry(name, described, data, size);
    let mut entries = header.tensors.into_iter().map(entry).collect::<Result<Vec<_>>>()?;
    entries.sort_by_key(|(_, plain)| (plain.start, plain.bytes));
    let mut end = data;
    for (name, plain) in &entries {
        if plain.start != end {
            return Err(Error::malformed(format!(
                "tensor {name} does not start where the one before it ends"
            ))
            .at(8)
            .expected(format!("byte {}", end - data))
            .found(format!("byte {}", plain.start - data)));
        }
        end += plain.bytes;
    }
    if end != size {
        return Err(Error::malformed("there are bytes after the last tensor")
            .at(end)
            .expected(format!("{end} bytes"))
            .found(format!("{size} bytes")));
    }
    let entries =
        entries.into_iter().map(|(name, plain)| Entry { name, place: Place::Plain(plain) });
    Ok((entries.collect(), header.metadata))
}

/// An entry of the header, provided that its size agrees with its shape and its bytes are within the
/// file.
fn entry(name: String, described: Described, data: u64, size: u64) -> Result<(String, Plain)> {
    let Described { dtype, shape, data_offsets: [start, end] } = described;
    let bytes = end.checked_sub(start);
    let plain = Plain { dtype, shape, start: 0, bytes: bytes.unwrap_or(0) };
    let wanted = match plain.element() {
        Some(element) => Some(index::size(&plain.shape, element).map_err(|error| error.at(8))?),
        None => bytes,
    };
    if bytes.is_none() || bytes != wanted {
        return Err(Error::malformed(format!(
            "the size of tensor {name} does not agree with its shape"
        ))
        .at(8)
        .expected(format!("{} bytes", wanted.unwrap_or(0)))
        .found(format!("bytes {start} to {end}")));
    }
    if data.checked_add(end).is_none_or(|end| end > size) {
        return Err(Error::truncated(format!("the file ends inside tensor {name}")).at(size));
    }
    Ok((name, Plain { start: data + start, ..plain }))
}
