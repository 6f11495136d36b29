//! The script that trains the experiments of a set, on a few digits.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::common::{printed, refused};
use crate::judge;

/// Five pictures of 28x28 of each digit, which differ in the row that is bright.
fn write_digits(path: &Path) {
    let mut text = String::new();
    for (number, digit) in (0..5).flat_map(|number| (0..10).map(move |digit| (number, digit))) {
        for pixel in 0..28 * 28 {
            let light = if pixel / 28 == 2 * digit + number % 2 { 250 } else { 0 };
            write!(text, "{light},").unwrap();
        }
        writeln!(text, "{digit}").unwrap();
    }
    fs::write(path, text).unwrap();
}

/// Runs the script.
fn script(python: &Path, folder: &Path, args: &[&str]) -> Output {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments/run.py");
    let mut command = Command::new(python);
    command.current_dir(folder).arg(path).args(["--results", "results"]).args(args);
    command.output().unwrap()
}

#[test]
fn every_run_is_recorded_once_and_pairs_are_compared() {
    let Some(python) = judge::python("json") else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_digits(&folder.join("mnist_5k.csv.gz"));
    let train = |seeds: &str| {
        let small = ["data.train=4", "data.test=1", "data.steps=2", "recipe.epochs=1"];
        let mut args = vec!["train", "--data", ".", "--liaf", env!("CARGO_BIN_EXE_liaf")];
        small.iter().for_each(|set| args.extend(["--set", set]));
        args.extend(["--jobs", "2", "--seeds", seeds, "static-mnist"]);
        printed(script(&python, folder, &args));
        fs::read_to_string(folder.join("results/static-mnist.jsonl")).unwrap()
    };
    // Every run that fails is named, and stops neither the others of its set nor the next set.
    let none = ["train", "--data", ".", "--liaf", "false", "--seeds", "1", "static-mnist"];
    let done = script(&python, folder, &none);
    refused(&done, 1, &["failed, and not recorded: static-mnist-1, static-mnist-lif-1"]);
    let done = script(&python, folder, &[&none[..], &["objects"]].concat());
    refused(&done, 1, &["not recorded: objects-1, ", ", static-mnist-1, static-mnist-lif-1"]);
    assert!(!folder.join("results/static-mnist.jsonl").exists());
    let first = train("1");
    let second = train("2");
    assert!(second.starts_with(&first), "finished runs stay as they are");
    let runs: Vec<Value> = second.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut keys: Vec<_> = runs
        .iter()
        .map(|run| (run["seed"].as_u64().unwrap(), run["experiment"].as_str().unwrap()))
        .collect();
    keys.sort_unstable();
    let expected = [1, 2].map(|seed| ["static-mnist", "static-mnist-lif"].map(|name| (seed, name)));
    assert_eq!(keys, expected.concat());
    let accuracy = |name: &str, seed: u64| {
        let run = runs.iter().find(|run| run["experiment"] == name && run["seed"] == seed).unwrap();
        assert_eq!(run["epochs"], 1);
        100.0 * run["test_accuracy_last"].as_f64().unwrap()
    };
    let each =
        [1, 2].map(|seed| accuracy("static-mnist", seed) - accuracy("static-mnist-lif", seed));
    // Two pairs: a degree of freedom, and a standard error of half of their distance.
    let (mean, half) = ((each[0] + each[1]) / 2.0, 12.706 * (each[0] - each[1]).abs() / 2.0);
    let shown = format!(
        "2 paired seeds: {mean:+.2} points, 95 % interval of Student's t {:+.2} to {:+.2}",
        mean - half,
        mean + half
    );
    let table = printed(script(&python, folder, &["table", "static-mnist"]));
    assert!(table.contains(&shown), "{shown} is not in {table}");
    assert!(table.contains("| LIF | 2 |"), "{table}");
}
