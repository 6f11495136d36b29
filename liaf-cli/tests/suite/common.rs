//! What the tests of the program share.
#![allow(dead_code, reason = "what is shared with other crates is used in part")]

#[path = "../../../liaf-data/src/fixtures.rs"]
mod found;
#[path = "../../../liaf-data/tests/common/tables.rs"]
pub mod tables;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The folder of the bundled recordings.
pub fn fixtures() -> PathBuf {
    found::folder().expect("the folder fixtures, which is in the repository")
}

/// The path of a bundled file.
pub fn fixture(name: &str) -> String {
    fixtures().join(name).canonicalize().unwrap().display().to_string()
}

/// Runs the program, with nothing on standard input.
pub fn liaf(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_liaf"));
    command.args(args).stdin(Stdio::null()).output().unwrap()
}

/// What a run printed that ended well.
#[track_caller]
pub fn printed(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The run ended with this exit code, and said all of this.
#[track_caller]
pub fn refused(output: &Output, code: i32, says: &[&str]) {
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{err}");
    says.iter().for_each(|part| assert!(err.contains(part), "{part:?} is not in {err}"));
}
