//! What is read is what h5py reads, in files of every kind that HDF5 writes.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::path::Path;

use liaf_hdf5::{Attribute, Datatype, File, Group, Object};
use serde_json::Value;

#[path = "../src/judge.rs"]
mod judge;

#[test]
fn what_h5py_reads_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let Some(lines) = judge::ask("read", &[folder.path().to_str().unwrap()]) else { return };
    let mut wrong = Vec::new();
    let mut opened = Opened::default();
    let mut count = 0;
    for line in lines.lines() {
        let expected: Value = serde_json::from_str(line).unwrap();
        count += 1;
        if let Err(what) = compare(&mut opened, folder.path(), &expected) {
            wrong.push(format!("{line:.200}\n    {what}"));
        }
    }
    assert!(count > 4000, "the judge said little: {count} lines");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

/// The file of the last line, and its group of many members, whose names are read once this way.
#[derive(Default)]
struct Opened {
    name: String,
    file: Option<File>,
    many: Option<Group>,
}

impl Opened {
    /// The object at a path of a file.
    fn object(&mut self, folder: &Path, name: &str, path: &str) -> liaf_hdf5::Result<Object> {
        if self.name != name {
            *self = Self { name: name.to_owned(), ..Self::default() };
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => File::open(folder.join(name))?,
        };
        let file = self.file.insert(file);
        let Some(member) = path.strip_prefix("/many/") else { return file.object(path) };
        if self.many.is_none() {
            self.many = Some(file.group("/many")?);
        }
        self.many.as_ref().expect("it is there").object(member)
    }
}

fn compare(opened: &mut Opened, folder: &Path, expected: &Value) -> Result<(), String> {
    let said = |error: liaf_hdf5::Error| error.to_string();
    let path = expected["path"].as_str().unwrap();
    let mut object = |path| opened.object(folder, expected["file"].as_str().unwrap(), path);
    if let Some(word) = expected["refused"].as_str() {
        let Err(error) = object(path) else { return Err("it was not refused".into()) };
        let text = format!("{:?} {error}", error.kind()).to_lowercase();
        return if text.contains(word) { Ok(()) } else { Err(text) };
    }
    if let Some((path, name)) = path.split_once('@') {
        let attribute = match object(path).map_err(said)? {
            Object::Group(group) => group.attribute(name),
            Object::Dataset(dataset) => dataset.attribute(name),
            _ => return Err("no group and no dataset".into()),
        };
        let attribute = attribute.map_err(said)?.ok_or("there is no such attribute")?;
        return attribute_is(&attribute, expected);
    }
    match object(path).map_err(said)? {
        Object::Group(group) => names_are(&group, expected),
        Object::Dataset(dataset) => {
            shape_is(dataset.shape(), expected)?;
            if let Some(texts) = expected["texts"].as_array() {
                return same(&dataset.texts().map_err(said)?, texts);
            }
            type_is(dataset.datatype(), expected)?;
            bytes_are(&dataset.read().map_err(said)?, expected)
        }
        _ => Err("no group and no dataset".into()),
    }
}

fn names_are(group: &Group, expected: &Value) -> Result<(), String> {
    let names = group.names().map_err(|error| error.to_string())?;
    same(&names, expected["names"].as_array().ok_or("a group")?)
}

fn same(found: &[String], expected: &[Value]) -> Result<(), String> {
    if found.iter().map(String::as_str).eq(expected.iter().filter_map(Value::as_str)) {
        return Ok(());
    }
    Err(format!("found {found:.100?}"))
}

fn attribute_is(attribute: &Attribute, expected: &Value) -> Result<(), String> {
    shape_is(attribute.extent().shape(), expected)?;
    if let Some(texts) = expected["texts"].as_array() {
        return same(&attribute.texts().map_err(|error| error.to_string())?, texts);
    }
    type_is(attribute.datatype(), expected)?;
    bytes_are(attribute.bytes(), expected)
}

fn shape_is(shape: &[u64], expected: &Value) -> Result<(), String> {
    let wanted: Vec<u64> = match expected["shape"].as_array() {
        Some(shape) => shape.iter().filter_map(Value::as_u64).collect(),
        None => Vec::new(),
    };
    if shape == wanted { Ok(()) } else { Err(format!("the shape is {shape:?}")) }
}

/// Compares a type with the name that NumPy has for it.
fn type_is(datatype: &Datatype, expected: &Value) -> Result<(), String> {
    let wanted = expected["dtype"].as_str().unwrap_or_default();
    let found = match datatype {
        _ if datatype.is_bool() => "|b1".into(),
        Datatype::Text { size, .. } => format!("|S{size}"),
        Datatype::Opaque { size, class: "complex" } => format!("<c{size}"),
        Datatype::Compound { members, .. } if wanted.contains('c') => {
            // Before HDF5 2.0 a complex number is a compound of two floats.
            format!("<c{}", 2 * members[0].datatype.size())
        }
        Datatype::Opaque { size, .. } | Datatype::Compound { size, .. } => format!("|V{size}"),
        Datatype::Array { base, .. } => base.number().map_or(String::new(), |n| n.to_string()),
        other => other.number().map_or_else(|| format!("{other:?}"), |number| number.to_string()),
    };
    if found == wanted { Ok(()) } else { Err(format!("the type is {found}")) }
}

fn bytes_are(bytes: &[u8], expected: &Value) -> Result<(), String> {
    let found = (bytes.len() as u64, u64::from(crc32fast::hash(bytes)));
    let wanted = &expected["bytes"];
    let is_it = (wanted[0].as_u64(), wanted[1].as_u64()) == (Some(found.0), Some(found.1));
    if is_it { Ok(()) } else { Err(format!("found {} bytes of CRC {}", found.0, found.1)) }
}
