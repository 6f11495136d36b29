//! HDF5 files that surely hold no events, such as weights, depth maps and tables of labels.

use liaf_hdf5::{Datatype, File, Group, Object};

use crate::codec::columns::surely_no_events;

/// A file with more objects than this, or deeper groups, is not examined to the end.
const OBJECTS: usize = 2000;
const DEPTH: usize = 8;

/// Whether nothing in the file can be events under names that are not known: neither the datasets of a
/// group, nor the members of a record, nor a table of a few columns. What cannot be examined may be.
pub(super) fn surely_no_recording(file: &File) -> bool {
    let mut left = OBJECTS;
    file.root().is_ok_and(|root| is_other(&root, DEPTH, &mut left))
}

fn is_other(group: &Group, depth: usize, left: &mut usize) -> bool {
    let Ok(names) = group.names() else { return false };
    if depth == 0 || names.len() > *left || !surely_no_events(names.iter().map(String::as_str)) {
        return false;
    }
    *left -= names.len();
    names.iter().all(|name| match group.object(name) {
        Ok(Object::Group(group)) => is_other(&group, depth - 1, left),
        Ok(Object::Dataset(dataset)) => match dataset.datatype() {
            Datatype::Compound { members, .. } => {
                surely_no_events(members.iter().map(|member| member.name.as_str()))
            }
            _ => !matches!(dataset.shape(), [a, b] if [a, b].iter().any(|&n| (3..=6).contains(n))),
        },
        Ok(Object::Datatype) => true,
        Ok(_) | Err(_) => false,
    })
}
