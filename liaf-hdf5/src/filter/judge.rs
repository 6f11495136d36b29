//! Chunks that the HDF5 library and its plugins packed, unpacked here.
//!
//! `tests/judges/filters.py` writes them. Without a Python that has h5py and hdf5plugin the test
//! does nothing, and says so, unless `LIAF_REQUIRE_JUDGES` is 1.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Filter, Scratch, undo_all};

/// A Python that has `modules`: `LIAF_PYTHON`, or the one in the workspace's `.venv`.
fn python(modules: &str) -> Option<PathBuf> {
    let python = match env::var_os("LIAF_PYTHON") {
        Some(python) => PathBuf::from(python),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin/python"),
    };
    let why = match Command::new(&python).args(["-c", &format!("import {modules}")]).output() {
        Ok(output) if output.status.success() => return Some(python),
        Ok(_) => format!("{} lacks one of {modules}", python.display()),
        Err(error) => format!("{}: {error}", python.display()),
    };
    assert!(env::var("LIAF_REQUIRE_JUDGES").as_deref() != Ok("1"), "no judge: {why}");
    eprintln!("skipped: {why}");
    None
}

/// One chunk, as a line of `cases.txt` describes it.
struct Case<'a> {
    name: &'a str,
    mask: u32,
    filters: Vec<Filter>,
    packed: &'a [u8],
    raw: &'a [u8],
}

fn cases<'a>(lines: &'a str, bytes: &'a [u8]) -> Vec<Case<'a>> {
    let numbers = |text: &str| -> Vec<usize> {
        text.split(',').map(|number| number.parse().expect("a number")).collect()
    };
    let slice = |text: &str| {
        let place = numbers(text);
        &bytes[place[0]..place[0] + place[1]]
    };
    let filter = |text: &str| {
        let numbers = numbers(text);
        let values = numbers[1..].iter().map(|&value| value as u32).collect();
        Filter { id: numbers[0] as u16, name: None, is_optional: true, values }
    };
    let case = |line: &'a str| {
        let parts: Vec<&str> = line.split('\t').collect();
        Case {
            name: parts[0],
            mask: parts[1].parse().expect("a mask"),
            filters: parts[2].split(';').filter(|text| !text.is_empty()).map(filter).collect(),
            packed: slice(parts[3]),
            raw: slice(parts[4]),
        }
    };
    lines.lines().map(case).collect()
}

#[test]
fn chunks_of_the_library_are_unpacked() {
    let Some(python) = python("numpy, h5py, hdf5plugin") else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/filters.py");
    let output = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bytes = fs::read(folder.path().join("bytes.bin")).unwrap();
    let lines = fs::read_to_string(folder.path().join("cases.txt")).unwrap();
    let cases = cases(&lines, &bytes);
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    let mut counts = [0; 2];
    for case in &cases {
        let Case { name, mask, filters, packed, raw } = case;
        let undone = undo_all(filters, *mask, packed, raw.len(), &mut scratch, &mut out);
        if let Err(error) = undone {
            let lacks_zstd = cfg!(not(feature = "zstd")) && error.to_string().contains("ZSTD");
            assert!(lacks_zstd, "{name}: {error}");
            continue;
        }
        assert!(out == *raw, "{name}");
        for size in [raw.len() - 1, raw.len() + 1] {
            let undone = undo_all(filters, *mask, packed, size, &mut scratch, &mut out);
            assert!(undone.is_err(), "{name}");
        }
        counts[usize::from(*mask == 0)] += 1;
    }
    // Most are packed; some could not be made shorter, so that a filter was left out.
    assert!(counts[0] > 100 && counts[1] > 4000, "{counts:?}");
}
