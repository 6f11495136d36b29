//! Finds the Python installation whose libraries verify the files in tests.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python that has `modules`: `LIAF_PYTHON`, or the one in the workspace's `.venv`. Returns
/// `None`, with a message on stderr, if there is none; panics instead if `LIAF_REQUIRE_JUDGES` is
/// 1.
pub fn python(modules: &str) -> Option<PathBuf> {
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
