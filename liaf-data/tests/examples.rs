//! The examples run, and the documents show them as they are.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]
#![cfg(feature = "ndarray")]

use std::fs;
use std::path::Path;

#[path = "../examples/filter_and_write.rs"]
mod filter_and_write;
#[path = "../examples/frames_as_arrays.rs"]
mod frames_as_arrays;
#[path = "../examples/in_parallel.rs"]
mod in_parallel;
#[path = "../examples/read_events.rs"]
mod read_events;
#[path = "../examples/slice_by_time.rs"]
mod slice_by_time;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The examples name the bundled recordings by their paths in the workspace. This is the only test
/// that depends on the current folder.
#[test]
fn every_example_runs() {
    std::env::set_current_dir(root()).unwrap();
    read_events::main().unwrap();
    frames_as_arrays::main().unwrap();
    filter_and_write::main().unwrap();
    in_parallel::main().unwrap();
    slice_by_time::main().unwrap();
    let examples = fs::read_dir("liaf-data/examples").unwrap();
    assert_eq!(examples.count(), 5, "an example that is not run here");
}

#[test]
fn the_first_program_of_the_readme_is_an_example() {
    let example = fs::read_to_string(root().join("liaf-data/examples/read_events.rs")).unwrap();
    // In an example `main` is public and documented, so that the test above can call it.
    let lines = example.split_once("\n\n").unwrap().1.lines();
    let program: String = lines
        .filter(|line| !line.starts_with("///"))
        .map(|line| format!("{}\n", line.trim_start_matches("pub ")))
        .collect();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&format!("```rust\n{program}```\n")), "README shows something else");
}
