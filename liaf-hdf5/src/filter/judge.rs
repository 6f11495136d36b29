//! Chunks that the HDF5 library and its plugins packed, unpacked here.
//!
//! `tests/judges/filters.py` writes them.

use std::fs;

use super::{Filter, Scratch, undo_all};
use crate::judge;

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
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_str().unwrap();
    if judge::ask("filters", &[at]).is_none() {
        return;
    }
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
