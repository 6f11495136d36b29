//! Named tensors in HDF5, as h5py reads them.
#![cfg(feature = "hdf5")]
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use crate::judge;
use crate::tensor_named::check_rows;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use liaf_data::tensor::{
    Compression, Container, Element, ElementType, Rows, TensorFile, TensorFileWriter, TensorOptions,
};
use liaf_data::{ErrorKind, Limits};
use serde_json::{Value, json};

const PROVENANCE: &str = r#"{"liaf":"0.1.0","source":"é 猫.aedat4"}"#;

fn options(compression: Compression) -> TensorOptions {
    TensorOptions { sync: false, compression, ..TensorOptions::default() }
}

fn create(path: &Path, compression: Compression) -> TensorFileWriter {
    TensorFileWriter::create(path, Container::H5, &options(compression)).unwrap()
}

fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes.into_iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What h5py finds in these files.
fn judged(python: &Path, paths: &[PathBuf]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/named_tensors.py");
    let output = Command::new(python).arg(script).arg("read").args(paths).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn scalar<T: Element>(file: &mut TensorFileWriter, value: T) {
    file.write(&format!("scalar {}", T::TYPE), &[], &[value]).unwrap();
}

/// A file with a scalar of each type, arrays that grow in turn, and large ones of fixed size.
fn write(path: &Path, compression: Compression, rows: usize) -> Value {
    let mut file = create(path, compression);
    file.set_provenance(PROVENANCE).unwrap();
    let frames = file.add("frames", ElementType::U16, Rows::Growing, &[2, 3]).unwrap();
    let labels = file.add("labels", ElementType::I64, Rows::Growing, &[]).unwrap();
    let flags = file.add("flags", ElementType::Bool, Rows::Fixed(rows), &[]).unwrap();
    let wide = file.add("wide", ElementType::U8, Rows::Growing, &[700_000]).unwrap();
    scalar(&mut file, true);
    scalar(&mut file, 7u8);
    scalar(&mut file, -7i8);
    scalar(&mut file, 7u16);
    scalar(&mut file, -7i16);
    scalar(&mut file, 7u32);
    scalar(&mut file, -7i32);
    scalar(&mut file, 7u64);
    scalar(&mut file, -7i64);
    scalar(&mut file, 7f32);
    scalar(&mut file, 7f64);
    file.write("empty", &[2, 0, 5], &[] as &[f32]).unwrap();
    let large: Vec<u32> = (0..300_000).collect();
    file.write("large", &[300, 1000], &large).unwrap();
    let single = file.add("single", ElementType::U32, Rows::Single, &[300_000]).unwrap();
    file.append(single, &large[..100]).unwrap_err();
    file.append(single, &large).unwrap();
    let cells: Vec<u16> = (0..rows as u16 * 6).collect();
    for row in 0..rows {
        file.append(frames, &cells[6 * row..6 * row + 6]).unwrap();
        file.append(labels, &[row as i64 - 3]).unwrap();
        file.append(flags, &[row % 3 == 1]).unwrap();
        if row < 3 {
            file.append(wide, &vec![row as u8; 700_000]).unwrap();
        }
    }
    assert_eq!(file.finish().unwrap(), path.metadata().unwrap().len());
    let labels = hex((0..rows).flat_map(|row| (row as i64 - 3).to_le_bytes()));
    json!({
        "frames": {
            "dtype": "uint16",
            "shape": [rows, 2, 3],
            "bytes": hex(cells.iter().flat_map(|cell| cell.to_le_bytes())),
        },
        "labels": {"dtype": "int64", "shape": [rows], "bytes": labels},
        "flags": {
            "dtype": "bool",
            "shape": [rows],
            "bytes": hex((0..rows).map(|row| (row % 3 == 1).into())),
        },
        "wide": {
            "dtype": "uint8",
            "shape": [rows.min(3), 700_000],
            "bytes": hex((0..rows.min(3)).flat_map(|row| vec![row as u8; 700_000])),
        },
        "empty": {"dtype": "float32", "shape": [2, 0, 5], "bytes": ""},
        "large": {
            "dtype": "uint32",
            "shape": [300, 1000],
            "bytes": hex(large.iter().flat_map(|n| n.to_le_bytes())),
        },
        "single": {
            "dtype": "uint32",
            "shape": [300_000],
            "bytes": hex(large.iter().flat_map(|n| n.to_le_bytes())),
        },
        "scalar bool": {"dtype": "bool", "shape": [], "bytes": "01"},
        "scalar u8": {"dtype": "uint8", "shape": [], "bytes": "07"},
        "scalar i8": {"dtype": "int8", "shape": [], "bytes": "f9"},
        "scalar u16": {"dtype": "uint16", "shape": [], "bytes": "0700"},
        "scalar i16": {"dtype": "int16", "shape": [], "bytes": "f9ff"},
        "scalar u32": {"dtype": "uint32", "shape": [], "bytes": "07000000"},
        "scalar i32": {"dtype": "int32", "shape": [], "bytes": "f9ffffff"},
        "scalar u64": {"dtype": "uint64", "shape": [], "bytes": "0700000000000000"},
        "scalar i64": {"dtype": "int64", "shape": [], "bytes": "f9ffffffffffffff"},
        "scalar f32": {"dtype": "float32", "shape": [], "bytes": "0000e040"},
        "scalar f64": {"dtype": "float64", "shape": [], "bytes": "0000000000001c40"},
    })
}

#[test]
fn tensors_of_every_type_read_back_in_python() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for compression in [Compression::Runs, Compression::Deflate(4), Compression::None] {
        for rows in [0, 1, 100] {
            let path = folder.path().join(format!("{}.h5", files.len()));
            let expected = write(&path, compression, rows);
            let file = TensorFile::open(&path, &Limits::default()).unwrap();
            for name in file.names() {
                check_rows(&file, name, &file.get(name).unwrap());
            }
            files.push((path, expected, compression, rows));
        }
    }
    let Some(python) = judge::python("numpy, h5py") else { return };
    let paths: Vec<PathBuf> = files.iter().map(|(path, ..)| path.clone()).collect();
    let seen = judged(&python, &paths);
    assert_eq!(seen.len(), files.len());
    for (seen, (_, expected, compression, rows)) in seen.iter().zip(&files) {
        assert!(seen["tensors"] == *expected, "{compression:?}, {rows} rows");
        let metadata = &seen["metadata"];
        assert_eq!(metadata["liaf"], PROVENANCE);
        let gzip = match compression {
            Compression::None => Value::Null,
            _ => "gzip".into(),
        };
        let shuffles = !gzip.is_null();
        let rows = (*rows).max(1);
        for (name, expected) in [
            ("frames", json!([[rows, 2, 3], [null, 2, 3], gzip, shuffles])),
            ("labels", json!([[rows], [null], gzip, shuffles])),
            ("wide", json!([[1, 700_000], [null, 700_000], gzip, false])),
            ("large", json!([[262, 1000], [300, 1000], gzip, shuffles])),
            ("single", json!([[262_144], [300_000], gzip, shuffles])),
            ("scalar u8", json!([null, [], null, false])),
        ] {
            assert_eq!(metadata[name], expected, "{name}");
        }
    }
}

#[test]
fn the_same_calls_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a.h5", "b.h5"].map(|name| folder.path().join(name));
    for path in &paths {
        write(path, Compression::Deflate(4), 10);
    }
    assert!(fs::read(&paths[0]).unwrap() == fs::read(&paths[1]).unwrap());
}

#[test]
fn what_hdf5_cannot_hold_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    let limits = Limits { output_bytes: u64::MAX, ..Limits::default() };
    let options = TensorOptions { limits, ..options(Compression::None) };
    let mut file = TensorFileWriter::create(&path, Container::H5, &options).unwrap();
    let row = file.add("row", ElementType::U8, Rows::Growing, &[1 << 16, 1 << 16]);
    let error = row.unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Caller, Some(&*path)));
    assert!(error.to_string().contains("less than 4 GiB"), "{error}");
    let error = file.set_provenance("a\0b").unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Caller, Some(&*path)));
    let late = file.add("late", ElementType::U8, Rows::Fixed(2), &[]).unwrap();
    file.append(late, &[1u8]).unwrap();
    let error = file.finish().unwrap_err();
    assert!(error.to_string().contains("a tensor is incomplete"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
