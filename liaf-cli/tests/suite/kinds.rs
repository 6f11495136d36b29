//! Kinds of files that a build may be without: read and written, or refused with what is missing.
//!
//! The tests try this build, and the program that the variable `LIAF_PLAIN` names, which was built without optional
//! features.

use std::ffi::OsString;
use std::fs;
use std::process::{Command, Output};

use crate::common::{fixture, printed, refused};

const RECORDING: &str = "good/aedat2/dvs128.aedat";

/// A program, and which optional features it has.
struct Program {
    path: OsString,
    parquet: bool,
    hdf5: bool,
    zip: bool,
    xml: bool,
}

impl Program {
    fn run(&self, args: &[&str]) -> Output {
        Command::new(&self.path).args(args).output().unwrap()
    }
}

fn programs() -> Vec<Program> {
    let own = Program {
        path: env!("CARGO_BIN_EXE_liaf").into(),
        parquet: cfg!(feature = "parquet"),
        hdf5: cfg!(feature = "hdf5"),
        zip: cfg!(feature = "zip"),
        xml: cfg!(feature = "xml"),
    };
    let plain = std::env::var_os("LIAF_PLAIN").map(|path| {
        let (parquet, hdf5, zip, xml) = (false, false, false, false);
        Program { path, parquet, hdf5, zip, xml }
    });
    if plain.is_none() {
        eprintln!("skipped for builds without features: LIAF_PLAIN names no program");
    }
    [own].into_iter().chain(plain).collect()
}

#[test]
fn a_kind_is_written_or_the_feature_that_is_missing_is_named() {
    for program in programs() {
        let folder = tempfile::tempdir().unwrap();
        // Kind, extension, how its files begin, and its feature.
        let optional: [(_, _, &[u8], _, _); 2] = [
            ("parquet", "parquet", b"PAR1", "parquet", program.parquet),
            ("h5-events", "h5", b"\x89HDF", "hdf5", program.hdf5),
        ];
        for (kind, extension, magic, feature, is_there) in optional {
            let output = folder.path().join("a").with_extension(extension);
            let path = output.display().to_string();
            let input = fixture(RECORDING);
            let done = program.run(&["convert", &input, "-o", &path, "--to", kind, "--zero-time"]);
            let feature = format!("feature `{feature}`");
            if is_there {
                printed(done);
                assert!(fs::read(&output).unwrap().starts_with(magic), "{kind}");
            } else {
                refused(&done, 2, &["this build cannot write", &feature]);
                assert!(!output.exists());
            }
            // What the extension alone means.
            if kind == extension {
                let done = program.run(&["convert", &input, "-o", &path, "--force"]);
                if is_there {
                    printed(done);
                } else {
                    refused(&done, 2, &[&path, "this build cannot write", &feature]);
                }
            }
        }
    }
}

#[test]
fn parquet_is_known_and_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    fs::write(&path, b"PAR1 and more").unwrap();
    for program in programs() {
        let done = program.run(&["info", &path.display().to_string()]);
        refused(&done, 1, &["Parquet", "written but not read"]);
    }
}

#[test]
fn archives_are_refused_by_the_name_of_their_feature() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("a.npz");
    let path = output.display().to_string();
    for program in programs().iter().filter(|program| !program.zip) {
        for more in [&[][..], &["--to", "npz-events"]] {
            let input = fixture(RECORDING);
            let args = [&["convert", &input, "-o", &path], more].concat();
            let what = ["this build cannot write zip archives", "feature `zip`"];
            refused(&program.run(&args), 1, &what);
            assert!(!output.exists());
        }
        let done = program.run(&["info", &fixture("good/numpy/four_stored.npz")]);
        refused(&done, 1, &["this build cannot read zip archives", "feature `zip`"]);
    }
}

#[test]
fn recordings_are_refused_by_the_name_of_their_feature() {
    for program in programs() {
        if !program.xml {
            let done = program.run(&["info", &fixture("good/aedat4/dv_lz4.aedat4")]);
            refused(&done, 1, &["this build cannot read AEDAT 4.0", "feature `xml`"]);
        }
        if !program.hdf5 {
            let done = program.run(&["info", &fixture("good/hdf5/rvt.h5")]);
            refused(&done, 1, &["HDF5", "feature `hdf5`"]);
        }
    }
}
