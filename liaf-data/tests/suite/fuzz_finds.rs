//! What fuzzing found once must hold now: every file of `fixtures/fuzz` is given to its target again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says what it expects by unwrapping it"
)]
#![allow(dead_code, missing_docs, unused_imports, reason = "the fuzz targets' own code")]

use crate::common;

#[allow(unexpected_cfgs, reason = "features of the fuzz targets, which this crate does not have")]
#[path = "../../../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn finds_of_fuzzing_are_no_more() {
    let mut replayed = 0;
    for path in files(&common::fixtures().join("fuzz")) {
        let (target, finds) = match path.file_name().unwrap().to_str().unwrap() {
            "README.md" => continue,
            name if path.is_dir() => (name.to_owned(), files(&path)),
            _ => ("probe_any".to_owned(), vec![path.clone()]),
        };
        for find in finds {
            let bytes = fs::read(&find).unwrap();
            println!("{}", find.display());
            fuzz::run(&target, &bytes);
            replayed += 1;
        }
    }
    println!("{replayed} finds of fuzzing replayed");
}

#[test]
fn every_target_is_known_and_holds_of_nothing_and_of_zeros() {
    let targets = files(&common::root().join("fuzz/fuzz_targets"));
    assert!(targets.len() >= 30, "only {} targets", targets.len());
    for target in targets {
        let name = target.file_stem().unwrap().to_str().unwrap().to_owned();
        // This one needs the C library.
        if name == "against_libhdf5" {
            continue;
        }
        for bytes in [&b""[..], &[0; 100]] {
            fuzz::run(&name, bytes);
        }
    }
}
