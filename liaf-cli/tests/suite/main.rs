//! The program as a user meets it: what it prints, what it writes, and how it ends. All tests are one
//! program, because each program of tests has to be linked with the whole library.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]
#![allow(missing_docs, reason = "a test")]

mod applies;
mod babi_tasks;
mod browser;
mod choices;
mod common;
mod convert;
mod cost;
mod dataset;
#[cfg(target_os = "linux")]
mod dataset_faults;
mod dataset_parts;
#[cfg(unix)]
mod ending;
mod events;
mod experiment_runs;
mod folders;
mod hostile;
mod info;
#[path = "../../../liaf-data/src/tensor/judge.rs"]
mod judge;
mod kinds;
mod many;
mod measurements;
mod nothing_left;
mod options;
mod outputs;
#[cfg(all(feature = "bzip2", feature = "xz", feature = "zip", feature = "zstd"))]
mod packed;
#[cfg(all(unix, feature = "hdf5"))]
mod pages;
mod predict;
mod replaced;
mod shell;
mod simulate;
mod sorting;
mod train;
mod truth;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{fixture, fixtures, tables};

const LZ4: &str = "good/aedat4/dv_lz4.aedat4";
const STEREO: &str = "good/aedat4/dv_stereo_zstd.aedat4";

#[cfg(feature = "hdf5")]
const CONTAINERS: &[&str] = &["h5", "npz", "npy", "safetensors"];
#[cfg(not(feature = "hdf5"))]
const CONTAINERS: &[&str] = &["npz", "npy", "safetensors"];

/// The program in a folder of its own, where outputs go.
struct Liaf(TempDir);

impl Liaf {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_liaf"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Done {
        Done(self.command(args).output().unwrap())
    }

    /// As `run`, with `bytes` on standard input.
    fn run_on(&self, bytes: &[u8], args: &[&str]) -> Done {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that refuses does not read to the end.
        let _ = child.stdin.take().unwrap().write_all(bytes);
        Done(child.wait_with_output().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Every file below the folder, hidden ones too, sorted.
    fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, root: &Path, files: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, root, files);
                } else {
                    files.push(path.strip_prefix(root).unwrap().display().to_string());
                }
            }
        }
        let mut files = Vec::new();
        walk(self.0.path(), self.0.path(), &mut files);
        files.sort();
        files
    }
}

struct Done(Output);

impl Done {
    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.0.status.code(), Some(code), "{}\n{}", self.out(), self.err());
        self
    }

    fn out(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    fn err(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// Standard error has all of `parts`.
    #[track_caller]
    fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.err().contains(part), "{part:?} is not in:\n{}", self.err());
        }
        self
    }

    fn json(&self) -> Vec<Value> {
        self.out().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// An AEDAT 2.0 recording of about `bytes` bytes: a bundled one again and again, each time later.
fn large_recording(path: &Path, bytes: usize) {
    let small = fs::read(fixture("good/aedat2/dvs128.aedat")).unwrap();
    let header = small.len() % 8 + {
        // The header is text and ends before the first record, whose first byte is 0.
        let text = small.iter().take_while(|&&byte| byte != 0).count();
        (text - small.len() % 8) / 8 * 8
    };
    let (header, records) = small.split_at(header);
    let records = records.as_chunks::<8>().0;
    let mut large = header.to_vec();
    for round in 0..(bytes / records.as_flattened().len()) as u32 {
        for record in records {
            let [a, b, c, d, time @ ..] = *record;
            let time = u32::from_be_bytes(time).wrapping_add(round * 400_000).to_be_bytes();
            large.extend_from_slice(&[[a, b, c, d], time].concat());
        }
    }
    fs::write(path, large).unwrap();
}
