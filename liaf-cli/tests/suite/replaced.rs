//! What a command never replaces: the files that it reads, and files that exist, without `--force`.

use std::fs;

use crate::common::{printed, refused};
use crate::train;

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
