//! The search for the matrices of a file that are a list of events.

use super::HEADER;
use super::element::{self, Matrix, Tag};
use crate::codec::columns::Name;
use crate::codec::{ColumnMap, Field, ReadOptions};
use crate::error::{Error, Result};
use crate::io::ByteSource;

/// Only this many elements are examined.
const ELEMENTS: usize = 10_000;
/// The name of the list whose columns are in no structure.
pub(crate) const TOP: &str = "events";

/// A matrix, and the number of bytes of the file that have it.
pub(crate) type Stored = (Matrix, u64);

/// The matrices of a file.
#[derive(Debug, Default)]
pub(crate) struct Matrices {
    pub names: Vec<String>,
    pub all: Vec<Stored>,
    /// What is wrong with the file, if anything is.
    pub flaw: Option<Error>,
}

impl Matrices {
    /// Whether all are numbers, and none a table: structures and lists of several columns may hold events
    /// under any name.
    pub fn are_plain(&self) -> bool {
        self.all.iter().all(|(matrix, _)| {
            matrix.data.is_some() && !matrix.sides.iter().any(|side| (3..=6).contains(side))
        })
    }
}

/// A list of events.
#[derive(Debug)]
pub(crate) struct List {
    /// The structure that has the columns, or the name of the table.
    pub name: String,
    pub shape: Shape,
    /// Whether the columns have the names of ASL-DVS.
    pub is_asl_dvs: bool,
}

/// How the events of a list are stored.
#[derive(Debug)]
pub(crate) enum Shape {
    /// The columns of t, x, y and p.
    Columns(Box<[Stored; 4]>),
    /// A table with this many columns, each row or each column of which is an event.
    Table(Stored, usize),
}

/// Finds all matrices of the file, and those within structures.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn matrices(source: &mut ByteSource, big: bool) -> Result<Matrices> {
    let length = source.len().unwrap_or(0);
    let (mut at, mut file) = (HEADER, Matrices::default());
    for _ in 0..ELEMENTS {
        let bytes = source.read_at(at, 8)?;
        let Some(tag) = bytes.first_chunk() else {
            if !bytes.is_empty() {
                file.flaw = Some(Error::truncated("the last element is incomplete").at(at));
            }
            break;
        };
        let tag = Tag::parse(*tag, big);
        let end = at + 8 + u64::from(tag.bytes);
        if end > length {
            let error = Error::truncated("an element ends after the end of the file")
                .at(at)
                .found(format!("{} bytes", tag.bytes));
            file.flaw = Some(error);
        }
        let there = (length - at - 8).min(tag.bytes.into());
        if let Some(storage) = element::storage(tag.kind) {
            let found = element::matrices(source, storage, at + 8, there, big);
            let (found, error) = found.unwrap_or_else(|error| (Vec::new(), Some(error)));
            if let Some(error) = error {
                file.flaw.get_or_insert(error);
            }
            let share = there / found.len().max(1) as u64;
            for matrix in found {
                file.names.push(matrix.name.clone());
                // Of a compressed structure it is not known how many bytes each field has.
                let stored = match &matrix.data {
                    Some(data) if data.feed.is_stored() => data.bytes.min(there),
                    _ => share,
                };
                file.all.push((matrix, stored));
            }
        }
        // Compressed elements are not padded.
        at = if tag.kind == element::COMPRESSED { end } else { end.next_multiple_of(8) };
        if at >= length {
            break;
        }
    }
    Ok(file)
}

/// The lists of events: the columns of each structure, and those in none; or else the only table.
pub(crate) fn lists(file: &mut Matrices, options: &ReadOptions) -> Vec<List> {
    let keys = options.columns.map.as_ref();
    let parents = parents(&file.names);
    let mut lists = Vec::new();
    for parent in parents {
        let at = Field::ALL.map(|field| {
            let is_wanted = |name: &str| match keys.and_then(|keys| keys.name(field)) {
                Some(key) => name == key || own(name) == key && parent_of(name) == parent,
                None => Name::field(own(name)) == Some(field) && parent_of(name) == parent,
            };
            file.all.iter().position(|(matrix, _)| is_wanted(&matrix.name))
        });
        let [Some(t), Some(x), Some(y), Some(p)] = at else { continue };
        let names = |wanted: &str| {
            file.names.iter().any(|name| own(name) == wanted && parent_of(name) == parent)
        };
        let is_asl_dvs = names("ts") && names("pol");
        let mut take = |index: usize| {
            let (matrix, stored) = &mut file.all[index];
            let taken =
                Matrix { name: matrix.name.clone(), sides: matrix.sides.clone(), data: None };
            (std::mem::replace(matrix, taken), *stored)
        };
        let columns = [take(t), take(x), take(y), take(p)];
        let name = if parent.is_empty() { TOP.to_owned() } else { parent };
        lists.push(List { name, shape: Shape::Columns(Box::new(columns)), is_asl_dvs });
        // Names that the caller gave in full are those of one list.
        if keys.is_some_and(|keys| matches!(keys, ColumnMap::Names(_))) {
            break;
        }
    }
    if lists.is_empty() {
        lists.extend(table(file, options));
    }
    lists
}

/// The only table of the file that may be a list of events.
fn table(file: &mut Matrices, options: &ReadOptions) -> Option<List> {
    let width = match &options.columns.map {
        Some(ColumnMap::Order(order)) => order.len(),
        Some(ColumnMap::Names(_)) => return None,
        None => 4,
    };
    let is_table = |matrix: &Matrix| {
        matrix.data.is_some()
            && matches!(*matrix.sides, [a, b] if a == width as u64 || b == width as u64)
    };
    let mut tables = (0..file.all.len()).filter(|&i| is_table(&file.all[i].0));
    let only = tables.next().filter(|_| tables.next().is_none())?;
    let stored = file.all.swap_remove(only);
    let name = stored.0.name.clone();
    Some(List { name, shape: Shape::Table(stored, width), is_asl_dvs: false })
}

/// The structures that have the matrices of these names, in order; one without a name for those in none.
fn parents(names: &[String]) -> Vec<String> {
    let mut parents: Vec<String> = Vec::new();
    for name in names {
        let parent = parent_of(name);
        if !parents.iter().any(|known| known == parent) {
            parents.push(parent.to_owned());
        }
    }
    parents
}

/// The name of a matrix without the structures that it is in.
fn own(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, own)| own)
}

fn parent_of(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(parent, _)| parent)
}
