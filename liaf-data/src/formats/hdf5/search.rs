//! Events in places that no known layout has: groups and records with members that are t, x, y and p.

use liaf_hdf5::{File, Object};

use super::layout::{Shape, Stream, of_dataset, of_group};
use crate::error::Result;

/// Groups further down than this are not looked into.
const DEPTH: usize = 5;
/// The most objects that are looked at.
const MOST: usize = 1000;

/// Whatever in the file has names for t, x, y and p, each by its path. A table without names is not searched
/// for, since many tables of other things have four columns.
pub(super) fn streams(file: &File) -> Result<Vec<Stream>> {
    let mut search = Search { file, looked_at: 0, found: Vec::new() };
    search.group("", 0)?;
    Ok(search.found)
}

struct Search<'a> {
    file: &'a File,
    looked_at: usize,
    found: Vec<Stream>,
}

impl Search<'_> {
    /// Looks at the members of the group at `path`.
    fn group(&mut self, path: &str, depth: usize) -> Result<()> {
        let Ok(group) = self.file.group(if path.is_empty() { "/" } else { path }) else {
            return Ok(());
        };
        // MATLAB keeps what is referred to in groups such as `#refs#`.
        for name in group.names().unwrap_or_default().iter().filter(|name| !name.starts_with('#')) {
            self.looked_at += 1;
            if self.looked_at > MOST {
                break;
            }
            let place = format!("{path}/{name}");
            let shape = match self.file.object(&place) {
                Ok(Object::Dataset(dataset)) => of_dataset(dataset, 4, None),
                Ok(Object::Group(inner)) => match of_group(&inner, None)? {
                    None if depth < DEPTH => {
                        self.group(&place, depth + 1)?;
                        None
                    }
                    shape => shape,
                },
                // What cannot be read here, such as a link to another file, is in no known place of events.
                _ => None,
            };
            let shape =
                shape.filter(|shape| !matches!(shape, Shape::Table(..) | Shape::Turned(..)));
            self.found.extend(shape.map(|shape| Stream::new(self.file, &place, &place, shape)));
        }
        Ok(())
    }
}
