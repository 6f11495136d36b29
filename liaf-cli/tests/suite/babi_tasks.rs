//! The script that trains a net for each task of bAbI, on two tasks of a few questions.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::common::printed;
use crate::judge;

/// Questions whose answer is the place that the story names.
fn write_task(folder: &Path, task: u32) {
    for split in ["train", "test"] {
        let mut text = String::new();
        for place in ["home", "away"].iter().cycle().take(80) {
            writeln!(text, "1 Mary went {place}.\n2 Where is Mary? \t{place}\t1").unwrap();
        }
        fs::write(folder.join(format!("qa{task}_miniature_{split}.txt")), text).unwrap();
    }
}

/// Runs the script, and returns what it prints.
fn script(python: &Path, folder: &Path, args: &[&str]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments/babi/tasks.py");
    let mut command = Command::new(python);
    command.current_dir(folder).arg(path).args(["--results", "results.jsonl"]).args(args);
    printed(command.output().unwrap())
}

#[test]
fn every_task_is_trained_once_and_listed() {
    let Some(python) = judge::python("json") else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    [1, 2].iter().for_each(|&task| write_task(folder, task));
    let liaf = env!("CARGO_BIN_EXE_liaf");
    let train = |tasks: &[&str]| {
        let end = ["--liaf", liaf, "--set", "recipe.epochs=2", "--tasks"];
        script(&python, folder, &[&["run", ".", "gated", "gated-gru"], &end[..], tasks].concat());
        fs::read_to_string(folder.join("results.jsonl")).unwrap()
    };
    let first = train(&["1"]);
    let second = train(&["1", "2"]);
    assert!(second.starts_with(&first), "finished runs stay as they are");
    let runs: Vec<Value> = second.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let keys = runs.iter().map(|run| (run["experiment"].as_str().unwrap(), &run["task"]));
    let [one, two] = [Value::from(1), Value::from(2)];
    let expected = [("gated", &one), ("gated-gru", &one), ("gated", &two), ("gated-gru", &two)];
    assert!(keys.eq(expected), "{second}");
    for (run, recurrent) in runs.iter().zip([30_000, 90_000, 30_000, 90_000]) {
        assert_eq!(run["weights"]["recurrent"], recurrent);
        assert_eq!(run["weights"]["gate"], 5_000);
        assert_eq!((&run["epochs"], &run["seed"]), (&2.into(), &0.into()));
        assert!(run["seconds"].as_f64().unwrap() > 0.0);
        assert_eq!(run["validation"]["samples"], 4);
    }
    let accuracy =
        |run: &Value| format!("{:.1}", 100.0 * run["test_accuracy_last"].as_f64().unwrap());
    let row =
        format!("| 2 | {} | – | – | {} | – | 20 | 50 |", accuracy(&runs[2]), accuracy(&runs[3]));
    let table = script(&python, folder, &["table"]);
    assert!(table.contains(&row), "{row} is not in {table}");
    assert!(table.contains("2 tasks only"), "{table}");
}
