//! Kinds of event files that a build may be without: written, or refused with what is missing.

use std::fs;

use crate::common::{fixture, liaf, printed, refused};

const RECORDING: &str = "good/aedat2/dvs128.aedat";
/// Kind, extension, how its files begin, its feature, and whether this build has it.
const OPTIONAL: &[(&str, &str, &[u8], &str, bool)] = &[
    ("parquet", "parquet", b"PAR1", "parquet", cfg!(feature = "parquet")),
    ("h5-events", "h5", b"\x89HDF", "hdf5", cfg!(feature = "hdf5")),
];

#[test]
fn a_kind_is_written_or_the_feature_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for &(kind, extension, magic, feature, is_there) in OPTIONAL {
        let output = folder.path().join("a").with_extension(extension);
        let path = output.display().to_string();
        let input = fixture(RECORDING);
        let done = liaf(&["convert", &input, "-o", &path, "--to", kind, "--zero-time"]);
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
            let done = liaf(&["convert", &input, "-o", &path, "--force"]);
            if is_there {
                printed(done);
            } else {
                refused(&done, 2, &[&path, "this build cannot write", &feature]);
            }
        }
    }
}

#[test]
fn parquet_is_known_and_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    fs::write(&path, b"PAR1 and more").unwrap();
    refused(&liaf(&["info", &path.display().to_string()]), 1, &["Parquet", "written but not read"]);
}

#[cfg(not(feature = "zip"))]
#[test]
fn archives_are_refused_by_the_name_of_their_feature() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("a.npz");
    let path = output.display().to_string();
    for more in [&[][..], &["--to", "npz-events"]] {
        let done = liaf(&[&["convert", &fixture(RECORDING), "-o", &path], more].concat());
        refused(&done, 1, &["this build cannot write zip archives", "feature `zip`"]);
        assert!(!output.exists());
    }
    let done = liaf(&["info", &fixture("good/numpy/four_stored.npz")]);
    refused(&done, 1, &["this build cannot read zip archives", "feature `zip`"]);
}

#[cfg(not(feature = "xml"))]
#[test]
fn aedat4_is_refused_by_the_name_of_its_feature() {
    let done = liaf(&["info", &fixture("good/aedat4/dv_lz4.aedat4")]);
    refused(&done, 1, &["this build cannot read AEDAT 4.0", "feature `xml`"]);
}

#[cfg(not(feature = "hdf5"))]
#[test]
fn hdf5_is_known_without_its_feature() {
    let file = fixture("good/hdf5/rvt.h5");
    refused(&liaf(&["info", &file]), 1, &["HDF5", "feature `hdf5`"]);
}
