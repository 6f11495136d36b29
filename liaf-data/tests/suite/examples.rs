//! The examples run, and the documents show them as they are.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]
#![cfg(feature = "ndarray")]

use std::fs;
use std::path::Path;

#[path = "../../examples/check_a_reader.rs"]
mod check_a_reader;
#[path = "../../examples/filter_and_write.rs"]
mod filter_and_write;
#[path = "../../examples/frames_as_arrays.rs"]
mod frames_as_arrays;
#[path = "../../examples/in_parallel.rs"]
mod in_parallel;
#[path = "../../examples/read_events.rs"]
mod read_events;
#[path = "../../examples/slice_by_time.rs"]
mod slice_by_time;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The examples name the bundled recordings by their paths in the workspace. This is the only test
/// that depends on the current folder.
#[test]
fn every_example_runs() {
    std::env::set_current_dir(root()).unwrap();
    check_a_reader::main().unwrap();
    read_events::main().unwrap();
    frames_as_arrays::main().unwrap();
    filter_and_write::main().unwrap();
    in_parallel::main().unwrap();
    slice_by_time::main().unwrap();
    let examples = fs::read_dir("liaf-data/examples").unwrap();
    assert_eq!(examples.count(), 6, "an example that is not run here");
}

/// An example as documents show it. In the file `main` is public and documented, so that the test
/// above can call it.
fn shown(name: &str) -> String {
    let example = root().join("liaf-data/examples").join(name);
    let example = fs::read_to_string(example).unwrap();
    let program = example.split_once("\n\n").unwrap().1;
    let (before, main) = program.split_once("pub fn main").unwrap();
    let lines = before.trim_end().lines().collect::<Vec<_>>();
    let documented = lines.iter().rev().take_while(|line| line.starts_with("///")).count();
    let before = lines[..lines.len() - documented].join("\n");
    format!("```rust\n{before}\nfn main{main}```\n")
}

#[test]
fn the_documents_show_the_examples() {
    let shows = [("README.md", "read_events.rs"), ("fixtures/README.md", "check_a_reader.rs")];
    for (page, example) in shows {
        let text = fs::read_to_string(root().join(page)).unwrap();
        assert!(text.contains(&shown(example)), "{page} shows something else than {example}");
    }
}
