//! The end of a file: trees of chunks, headers and groups.

use std::collections::BTreeMap;

use super::btree::{self, UNDEFINED};
use super::dataset::{Dataset, Layout};
use super::group::{self, Address};
use super::header::{
    ATTRIBUTE, CONSTANT, DATASPACE, DATATYPE, FILL_VALUE, FILTERS, Header, LAYOUT,
};
use super::objects::{Kind, Objects};
use super::output::{Appender, Output};
use super::{dataspace, filters};
use crate::error::Result;

/// Writes what describes the objects and returns where the root is.
pub(super) fn write<S: Output>(objects: Objects, out: &mut Appender<S>) -> Result<Address> {
    let mut all = objects.into_all();
    let nowhere = Address { header: UNDEFINED, group: None };
    let mut addresses = vec![nowhere; all.len()];
    // The members of a group have larger numbers than the group, so they are written before it.
    while let Some(object) = all.pop() {
        let attributes = object.attributes;
        addresses[all.len()] = match object.kind {
            Kind::Dataset(dataset) => {
                Address { header: write_dataset(dataset, &attributes, out)?, group: None }
            }
            Kind::Group(members) => {
                let members = members.iter().map(|(name, &number)| (&**name, addresses[number]));
                group::write(members, attributes.values().map(Vec::as_slice), out)?
            }
        };
    }
    Ok(addresses[0])
}

/// Writes the tree of the chunks, if there are any, and the header, whose address is returned.
fn write_dataset<S: Output>(
    mut dataset: Dataset,
    attributes: &BTreeMap<Box<str>, Vec<u8>>,
    out: &mut Appender<S>,
) -> Result<u64> {
    let mut header = Header::new();
    let (mut tree, mut is_growing, mut packed) = (UNDEFINED, false, Vec::new());
    if let Layout::Chunked(chunked) = &mut dataset.layout {
        is_growing = chunked.is_growing;
        if !chunked.filters.is_empty() {
            filters::encode(&chunked.filters, &mut packed);
        }
        let chunks = std::mem::take(&mut chunked.chunks);
        if chunks.last().is_some() {
            tree = btree::write(&chunks.into_tree(&chunked.grid), out)?;
        }
    }
    let mut message = Vec::new();
    dataspace::encode(&dataset.shape, is_growing, &mut message);
    header.add(DATASPACE, 0, &message)?;
    message.clear();
    dataset.element.encode(&mut message);
    header.add(DATATYPE, CONSTANT, &message)?;
    header.add(FILL_VALUE, CONSTANT, &dataset.fill_value())?;
    if !packed.is_empty() {
        header.add(FILTERS, CONSTANT, &packed)?;
    }
    message.clear();
    dataset.encode_layout(tree, &mut message);
    header.add(LAYOUT, 0, &message)?;
    for attribute in attributes.values() {
        header.add(ATTRIBUTE, 0, attribute)?;
    }
    header.write(out)
}
