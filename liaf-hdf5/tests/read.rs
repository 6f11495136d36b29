//! What is read is what h5py reads, in files of every kind that HDF5 writes.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::path::Path;
use std::process::Command;

use liaf_hdf5::{Attribute, Datatype, File, Group, Object};
use serde_json::Value;

/// The Python that judges; `None`, with a message, if there is none.
fn python() -> Option<std::ffi::OsString> {
    let why = match std::env::var_os("LIAF_PYTHON") {
        Some(python) => {
            let check =
                Command::new(&python).args(["-c", "import h5py, hdf5plugin, numpy"]).output();
            match check {
                Ok(output) if output.status.success() => return Some(python),
                _ => "the Python that LIAF_PYTHON names lacks h5py, hdf5plugin or numpy",
            }
        }
        None => "LIAF_PYTHON is not set",
    };
    assert!(std::env::var("LIAF_REQUIRE_JUDGES").as_deref() != Ok("1"), "no judge: {why}");
    eprintln!("skipped: {why}");
    None
}

#[test]
fn what_h5py_reads_is_read() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/read.py");
    let output = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut wrong = Vec::new();
    let lines = String::from_utf8(output.stdout).unwrap();
    let mut count = 0;
    for line in lines.lines() {
        let expected: Value = serde_json::from_str(line).unwrap();
        count += 1;
        if let Err(what) = compare(folder.path(), &expected) {
            wrong.push(format!("{line:.200}\n    {what}"));
        }
    }
    assert!(count > 4000, "the judge said little: {count} lines");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

fn compare(folder: &Path, expected: &Value) -> Result<(), String> {
    let said = |error: liaf_hdf5::Error| error.to_string();
    let file = File::open(folder.join(expected["file"].as_str().unwrap())).map_err(said)?;
    let path = expected["path"].as_str().unwrap();
    if let Some(word) = expected["refused"].as_str() {
        let Err(error) = file.object(path) else { return Err("it was not refused".into()) };
        let text = format!("{:?} {error}", error.kind()).to_lowercase();
        return if text.contains(word) { Ok(()) } else { Err(text) };
    }
    if let Some((path, name)) = path.split_once('@') {
        let attribute = match file.object(path).map_err(said)? {
            Object::Group(group) => group.attribute(name),
            Object::Dataset(dataset) => dataset.attribute(name),
            _ => return Err("no group and no dataset".into()),
        };
        let attribute = attribute.map_err(said)?.ok_or("there is no such attribute")?;
        return attribute_is(&attribute, expected);
    }
    match file.object(path).map_err(said)? {
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
