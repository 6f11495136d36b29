//! The bundled recordings are complete, listed, and usable without LIAF as their page says.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use crate::common;
use crate::judge;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Paths of all files below a folder, from `root`; none if there is no such folder.
fn files(root: &Path, folder: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(root.join(folder)).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            found.append(&mut files(root, &name));
        } else {
            found.insert(name);
        }
    }
    found
}

#[test]
fn every_file_has_a_checksum_and_every_checksum_a_file() {
    let root = common::fixtures();
    let mut expected: BTreeSet<String> = ["bad", "cases", "fuzz", "good", "more", "packed"]
        .iter()
        .flat_map(|f| files(&root, f))
        .collect();
    expected.retain(|name| !name.ends_with("/README.md"));
    let tensors = files(&root, "reference").into_iter().filter(|f| f.ends_with(".safetensors"));
    expected.extend(tensors);
    expected.insert("more.toml".to_owned());
    let sums = fs::read_to_string(root.join("SHA256SUMS")).unwrap();
    let names = sums.lines().map(|line| line.split_once("  ").unwrap().1.to_owned());
    let names: Vec<String> = names.collect();
    assert_eq!(names.iter().cloned().collect::<BTreeSet<_>>(), expected);
    assert!(names.is_sorted() && names.len() == expected.len(), "order, or a file listed twice");
}

#[test]
fn the_checksums_are_those_of_the_files() {
    let check = Command::new("sha256sum")
        .args(["--check", "--quiet", "--strict", "SHA256SUMS"])
        .current_dir(common::fixtures())
        .output();
    match check {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(error) => eprintln!("skipped: sha256sum: {error}"),
    }
}

#[test]
fn every_recording_has_its_row_in_the_table_of_its_folder() {
    let root = common::fixtures();
    for (kind, folder) in [("case", "good"), ("bad", "bad")] {
        let rows = common::tables::rows(&root, kind);
        let names = rows.iter().map(|row| row["file"].as_str().unwrap().to_owned());
        let named: BTreeSet<String> = names.filter(|name| !name.starts_with("more/")).collect();
        assert_eq!(named, files(&root, folder));
    }
    for table in files(&root, "cases") {
        let format = table.strip_prefix("cases/").unwrap().strip_suffix(".toml").unwrap();
        let text = fs::read_to_string(root.join(&table)).unwrap();
        for line in text.lines().filter_map(|line| line.strip_prefix("file = ")) {
            assert_eq!(line.split('/').nth(1), Some(format), "{line} in {table}");
        }
    }
}

/// What stands between ```` ```python ```` and the end of that block.
fn python_program(page: &str) -> &str {
    let (_, rest) = page.split_once("```python\n").unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_python_program_of_the_page_runs() {
    let Some(python) = judge::python("numpy, tomllib") else { return };
    let page = fs::read_to_string(common::fixtures().join("README.md")).unwrap();
    let program = python_program(&page);
    let run = |program: &str| {
        Command::new(&python).args(["-c", program]).current_dir(common::root()).output().unwrap()
    };
    let output = run(program);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = fs::read_to_string(common::fixtures().join("cases/atis_bin.toml")).unwrap();
    let rows = rows.lines().filter(|line| line.starts_with("file = ")).count();
    assert_eq!(printed.lines().count(), rows, "{printed}");
    // A reader that takes the polarity the other way around is found out.
    let wrong = program.replace("high >> 7", "1 - (high >> 7)");
    assert!(wrong != program && !run(&wrong).status.success());
}
