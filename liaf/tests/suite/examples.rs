//! The examples run, and do what they say.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use crate::common::{RECORDINGS, TIMED, fixture, network, recipe, save};

#[path = "../../examples/classes_over_time.rs"]
mod classes_over_time;
#[path = "../../examples/classify_recording.rs"]
mod classify_recording;
#[path = "../../examples/recording_to_class.rs"]
mod recording_to_class;
#[path = "../../examples/tensor_file.rs"]
mod tensor_file;

#[test]
fn a_recording_is_classified() {
    classify_recording::main().unwrap();
    let all = classify_recording::run().unwrap();
    for ((class, _), seen) in classify_recording::CLASSES.iter().zip(&all) {
        let right = seen.iter().filter(|name| name == class).count();
        assert!(seen.len() > 5 && 10 * right >= 9 * seen.len(), "{class}: {seen:?}");
    }
    assert_eq!(all.len(), 2);
}

/// The current folder belongs to the process: one test at a time changes it.
static CURRENT_FOLDER: Mutex<()> = Mutex::new(());

fn in_folder(folder: impl AsRef<Path>, work: impl FnOnce()) {
    let _guard = CURRENT_FOLDER.lock().unwrap();
    std::env::set_current_dir(folder).unwrap();
    work();
    // The folder may be removed after this.
    std::env::set_current_dir(root()).unwrap();
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The example names a bundled recording by its path in the workspace.
#[test]
fn a_recording_becomes_classes() {
    in_folder(root(), || recording_to_class::main().unwrap());
}

/// The example names files in the current folder.
#[test]
fn a_trained_network_says_what_it_sees_over_time() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = recipe().to_json().unwrap();
    save(&folder.path().join("net.safetensors"), network::<f32>(TIMED), Some(&recipe));
    fs::copy(fixture(RECORDINGS[0]), folder.path().join("recording.aedat4")).unwrap();
    in_folder(folder.path(), || classes_over_time::main().unwrap());
}

#[test]
fn every_example_runs_here() {
    let examples = fs::read_dir(root().join("liaf/examples")).unwrap();
    assert_eq!(examples.count(), 4, "an example that is not run here");
}

#[test]
fn the_second_program_of_the_readme_is_an_example() {
    let path = root().join("liaf/examples/classes_over_time.rs");
    let example = fs::read_to_string(path).unwrap();
    // In an example `main` is public and documented, so that a test can call it.
    let lines = example.split_once("\n\n").unwrap().1.lines();
    let program: String = lines
        .filter(|line| !line.starts_with("///"))
        .map(|line| format!("{}\n", line.trim_start_matches("pub ")))
        .collect();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&format!("```rust\n{program}```\n")), "README shows something else");
    assert_eq!(readme.matches("```rust\n").count(), 2, "a program that no test holds");
}

#[test]
fn a_tensor_file_goes_through_a_network() {
    tensor_file::main().unwrap();
    let (batch, outputs) = tensor_file::run().unwrap();
    assert!(batch.len() > 1);
    assert_eq!(batch.view().shape()[1..], [8, 2, 32, 32]);
    assert_eq!(outputs.shape(), [batch.len(), 4]);
    assert!(outputs.iter().all(|output| output.is_finite()));
    // The second sample begins with the second half of the first one.
    let (first, second) = (batch.view(), batch.view());
    let half = |of: usize, range: std::ops::Range<usize>| {
        first.index_axis(ndarray::Axis(0), of).slice_axis(ndarray::Axis(0), range.into()).to_owned()
    };
    assert_eq!(half(0, 4..8), half(1, 0..4));
    assert!(second.sum() > 0.0);
}
