//! What a command never replaces: the files that it reads, and files that exist, without `--force`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::common::{fixture, printed, refused};
use crate::simulate::npy;
use crate::train;

/// Runs the program in a folder. Words are divided at spaces.
fn run(folder: &TempDir, words: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_liaf"));
    command.current_dir(folder.path()).args(words.split(' '));
    command.stdin(Stdio::null()).output().unwrap()
}

/// A folder with one input or more for every command, and a finished run in `run`.
fn inputs() -> TempDir {
    let folder = train::folder();
    let path = |name: &str| folder.path().join(name);
    printed(train::train(folder.path(), &["--set", "recipe.epochs=1", "--out", "run", "-q"]));
    fs::copy(path("e.toml"), path("experiment.toml")).unwrap();
    fs::copy(fixture("good/aedat2/dvs128.aedat"), path("a.aedat")).unwrap();
    fs::write(path("hot.csv"), "x,y\n1,1\n").unwrap();
    fs::write(path("hot.train.npz"), "x,y\n1,1\n").unwrap();
    fs::write(path("labels.npz"), "file,class\npen/a.npz,pen\n").unwrap();
    ["e_t.npy", "e_xy.npy", "e_p.npy"].iter().for_each(|name| fs::write(path(name), "").unwrap());
    npy(&path("p.npy"), "(16, 16)", &[[40; 128], [200; 128]].concat());
    let row = |digit: usize| format!("{}{digit}\n", "0,16,".repeat(32));
    fs::create_dir_all(path("digits/7")).unwrap();
    fs::write(path("digits/7/7_0000.csv"), (0..10).map(row).collect::<String>()).unwrap();
    fs::create_dir_all(path("set/pen")).unwrap();
    printed(run(&folder, "convert a.aedat -o set/pen/a.npz --to npz-events -q"));
    printed(run(&folder, "dataset folder set -o s.npz --bins 2 --size 8x8 --part 1/1 -q"));
    fs::hard_link(path("run/summary.json"), path("link.html")).unwrap();
    folder
}

#[test]
fn no_command_replaces_a_file_that_it_reads() {
    let folder = inputs();
    for (words, file) in [
        ("convert a.aedat -o a.aedat --force", "a.aedat"),
        ("convert a.aedat -o ./hot.csv --filter mask:file=hot.csv --force", "hot.csv"),
        ("info a.aedat --hot-pixels a.aedat --force", "a.aedat"),
        ("info e_t.npy --hot-pixels e_p.npy --force", "e_p.npy"),
        ("simulate p.npy -o p.npy --to npy-events --force", "p.npy"),
        ("simulate p.npy -o ./p.npy --to npy-events --force", "p.npy"),
        (
            "simulate --set mnist-dvs --data digits/7/7_0000.csv --digit-scale 4 -o digits --to csv --force",
            "digits/7/7_0000.csv",
        ),
        ("dataset folder set -o set/pen/a.npz --bins 2 --force", "set/pen/a.npz"),
        ("dataset folder set -o labels.npz --bins 2 --labels labels.npz --force", "labels.npz"),
        (
            "dataset folder set -o hot.npz --bins 2 --split random:1:0.5 --filter mask:file=hot.train.npz --force",
            "hot.train.npz",
        ),
        ("dataset merge s.part-1-of-1.npz -o s.part-1-of-1.npz --force", "s.part-1-of-1.npz"),
        ("compare run -o run/report.html --force", "run/report.html"),
        ("compare run -o link.html --force", "run/summary.json"),
        ("compare run -o run/summary.json --force", "run/summary.json"),
        ("compare run -o run/experiment.toml --force", "run/experiment.toml"),
        ("train experiment.toml --out .", "experiment.toml"),
        ("train experiment.toml --out . --resume", "experiment.toml"),
        ("train experiment.toml --out . --check", "experiment.toml"),
        ("train run/experiment.toml --out run --resume", "run/experiment.toml"),
    ] {
        let path = folder.path().join(file);
        let before = fs::read(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
        let output = run(&folder, words);
        assert_eq!(output.stdout, b"", "{words}");
        assert_eq!(output.status.code(), Some(2), "{words}: {output:?}");
        assert!(fs::read(&path).unwrap() == before, "{words}");
    }
}

/// Of several recordings, an output that exists costs its recording alone; other commands have one output.
#[test]
fn an_output_that_exists_is_kept_and_nothing_is_done() {
    let folder = inputs();
    for name in ["mine.csv", "mine.npz", "mine.html"] {
        fs::write(folder.path().join(name), "mine").unwrap();
    }
    for (words, code, says) in [
        ("convert a.aedat -o mine.npz", 1, "--force"),
        ("info a.aedat --hot-pixels mine.csv", 2, "--force"),
        ("simulate p.npy -o mine.csv", 2, "--force"),
        ("dataset folder set -o mine.npz --bins 2", 2, "--force"),
        ("dataset merge s.part-1-of-1.npz -o mine.npz", 2, "--force"),
        ("compare run -o mine.html", 2, "--force"),
        ("train e.toml --out run", 2, "--resume"),
    ] {
        let output = run(&folder, words);
        refused(&output, code, &[says]);
        assert_eq!(output.stdout, b"", "{words}");
    }
    for name in ["mine.csv", "mine.npz", "mine.html"] {
        assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), "mine");
    }
}

#[test]
fn a_run_does_not_replace_the_files_of_others() {
    let folder = train::folder();
    let there = |name: &str| folder.path().join("there").join(name);
    let resumed: [&[&str]; 3] = [&[], &["--resume"], &["--check"]];
    for name in ["report.html", "summary.json", "metrics.jsonl", "experiment.toml"] {
        fs::create_dir_all(there("")).unwrap();
        fs::write(there(name), "mine").unwrap();
        for more in resumed {
            let output = train::train(folder.path(), &[&["--out", "there"], more].concat());
            refused(&output, 2, &[&format!("there/{name}"), "not of a run", "another folder"]);
        }
        assert_eq!(fs::read_to_string(there(name)).unwrap(), "mine");
        assert_eq!(fs::read_dir(there("")).unwrap().count(), 1, "{name}");
        fs::remove_dir_all(there("")).unwrap();
    }
    for name in ["plots", "checkpoints"] {
        fs::create_dir_all(there(name)).unwrap();
        refused(&train::train(folder.path(), &["--out", "there"]), 2, &[name, "not of a run"]);
        fs::remove_dir_all(there("")).unwrap();
    }
    // A program that locks the folder has not made it that of a run.
    fs::create_dir_all(there("")).unwrap();
    fs::write(there(".lock"), "").unwrap();
    fs::write(there("report.html"), "mine").unwrap();
    let output = train::train(folder.path(), &["--out", "there", "--resume"]);
    refused(&output, 2, &["there/report.html", "not of a run"]);
    fs::remove_dir_all(there("")).unwrap();
    // Other files are left alone, and a copy of a run without hidden files is a run.
    fs::create_dir_all(there("")).unwrap();
    fs::write(there("notes.txt"), "mine").unwrap();
    let short = ["--set", "recipe.epochs=1", "--out", "there", "-q"];
    printed(train::train(folder.path(), &short));
    assert_eq!(fs::read_to_string(there("notes.txt")).unwrap(), "mine");
    fs::remove_file(there(".lock")).unwrap();
    refused(&train::train(folder.path(), &short), 2, &["there is a run in this folder already"]);
    let longer = ["--set", "recipe.epochs=2", "--out", "there", "-q", "--resume"];
    printed(train::train(folder.path(), &longer));
}

#[test]
fn the_page_of_a_comparison_is_an_html_file() {
    let folder = inputs();
    for (output, says) in [
        ("-", "standard output has the table"),
        ("page.txt", "ends in .html"),
        ("page", "ends in .html"),
        ("./-", "ends in .html"),
        ("none/page.html", "none/page.html"),
    ] {
        let code = if says.starts_with("none") { 1 } else { 2 };
        let done = run(&folder, &format!("compare run -o {output}"));
        refused(&done, code, &[says]);
        assert_eq!(done.stdout, b"");
        assert!(!Path::new(&folder.path().join(output)).exists());
    }
    assert!(!printed(run(&folder, "compare run -o page.HTML")).is_empty());
}

#[test]
fn accuracies_that_cannot_be_are_damage() {
    let folder = inputs();
    let path = folder.path().join("run/summary.json");
    let text = fs::read_to_string(&path).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&text).unwrap();
    for key in ["test_accuracy_last", "test_accuracy_best"] {
        for (wrong, found) in [("null", "null"), ("7.5", "7.5"), ("-0.1", "-0.1")] {
            let mut summary = summary.clone();
            summary[key] = serde_json::from_str(wrong).unwrap();
            fs::write(&path, summary.to_string()).unwrap();
            let says = format!("{key} is {found}, and not from 0 to 1");
            refused(&run(&folder, "compare run"), 1, &["summary.json", "damaged", &says]);
        }
    }
}
