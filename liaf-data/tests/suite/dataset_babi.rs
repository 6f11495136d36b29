//! The data set bAbI: its texts become numbers that an independent reader in Python finds again.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::fs;
use std::path::Path;
use std::process::Command;

use liaf_data::dataset::{
    Build, Built, DataSet, ListOptions, Listing, SourceKind, SplitRule, verify,
};
use liaf_data::tensor::{TensorFile, TensorOptions};
use liaf_data::{ErrorKind, Limits, Result};
use tempfile::TempDir;

use crate::common;
use crate::judge;

/// Stories in the form of a task, with `questions` questions, two of them about each story.
fn stories(questions: usize) -> String {
    let (people, places) = (["Mary", "John", "mary"], ["hall", "office", "garden", "north pole"]);
    let mut text = String::new();
    for i in 0..questions {
        let (who, place) = (people[i % 3], places[i / 2 % 4]);
        let line = if i % 2 == 0 { 1 } else { 4 };
        let more = if i % 5 == 0 { "Then, he rested." } else { "The end." };
        text += &format!("{line} {who} went to the {place}.\n{} {more}\n", line + 1);
        text += &format!("{} Where is {who}? \t{place},{who}\t{line}\n", line + 2);
    }
    text
}

/// The folder as it is unpacked, with two of its tasks in two of its folders.
fn miniature() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("tasks/en/qa1_single-supporting-fact_train.txt", 5),
        ("tasks/en/qa1_single-supporting-fact_test.txt", 8),
        ("tasks/en/qa12_conjunction_train.txt", 3),
        ("tasks/en/qa12_conjunction_test.txt", 2),
        ("tasks/en-valid-10k/qa1_train.txt", 12),
        ("tasks/en-valid-10k/qa1_valid.txt", 4),
        ("tasks/en-valid-10k/qa1_test.txt", 2),
        ("tasks/README.txt", 0),
    ];
    for (name, questions) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, stories(questions)).unwrap();
    }
    folder
}

fn list(folder: &Path, subset: &str) -> Result<Listing> {
    let subset = (!subset.is_empty()).then(|| subset.to_owned());
    DataSet::named("babi")?.list(folder, &ListOptions { subset, ..ListOptions::default() })
}

fn run(build: &Build, listing: &Listing) -> Result<Built> {
    build.run(listing, &|_| {}, &|| true)
}

/// What the independent reader says about two files.
fn judged(texts: &Path, built: &Built, tasks: &[&str]) -> Option<String> {
    let python = judge::python("numpy, h5py")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/babi.py");
    let mut command = Command::new(python);
    command.arg(script).arg(texts);
    let output = command.args(built.files.iter().map(|file| &file.0)).args(tasks).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

/// A kind of file that this build can write.
fn best() -> &'static str {
    if cfg!(feature = "hdf5") { "h5" } else { "npz" }
}

#[test]
fn a_miniature_has_the_questions_of_its_texts() {
    let folder = miniature();
    let listing = list(folder.path(), "").unwrap();
    assert_eq!(listing.source, SourceKind::Texts);
    for said in [
        "the folders tasks/en-valid-10k are passed over",
        "the file of task 2 to train is missing",
        "qa12_conjunction_test.txt has 2 questions, of 1000",
    ] {
        assert!(listing.remarks.iter().any(|r| r.contains(said)), "{said}: {:?}", listing.remarks);
    }
    for extension in ["npz", best()] {
        let out = folder.path().join(format!("all.{extension}"));
        let built = run(&Build::new("babi", &out).unwrap(), &listing).unwrap();
        let samples: Vec<_> = built.files.iter().map(|(_, samples, _)| *samples).collect();
        assert_eq!(samples, [8, 10]);
        let rows: Vec<_> = built.classes.iter().map(|row| (&*row.class, row.samples)).collect();
        let expected =
            [("qa1_single-supporting-fact", [0, 5, 0, 8]), ("qa12_conjunction", [0, 3, 0, 2])];
        assert_eq!(rows, expected);
        let texts = folder.path().join("tasks/en");
        if let Some(said) = judged(&texts, &built, &["1", "12"]) {
            assert!(said.starts_with("8 10 "), "{said}");
        }
    }
    let file = TensorFile::open(folder.path().join("all.train.npz"), &Limits::default()).unwrap();
    let numbers = |name: &str| file.get(name).unwrap().to_vec::<i64>().unwrap();
    let about: serde_json::Value = serde_json::from_str(file.provenance().unwrap()).unwrap();
    let words = |name: &str, n: usize| -> String {
        let width = file.get(name).unwrap().shape()[1];
        let row = &numbers(name)[n * width..(n + 1) * width];
        let word = |&i: &i64| about["dataset"]["vocabulary"][i as usize].as_str().unwrap();
        row.iter().map(word).collect::<Vec<_>>().join(" ").trim_end().to_owned()
    };
    // The second question is about the same story, which has gone on.
    assert_eq!(words("story", 0), "Mary went to the hall . Then , he rested .");
    let second = "Mary went to the hall . Then , he rested . John went to the hall . The end .";
    assert_eq!(
        (words("story", 1), words("question", 1)),
        (second.into(), "Where is John ?".into())
    );
    assert_eq!(
        (numbers("lengths")[..2].to_vec(), numbers("task")),
        (vec![11, 20], [[1; 5].as_slice(), &[12; 3]].concat())
    );
}

#[test]
fn a_subset_names_a_task_a_folder_or_both() {
    let folder = miniature();
    let names = |subset: &str| -> Vec<String> {
        let listing = list(folder.path(), subset).unwrap();
        listing.recordings.into_iter().map(|entry| entry.name).collect()
    };
    let first = ["tasks/en/qa12_conjunction_test.txt", "tasks/en/qa12_conjunction_train.txt"];
    assert_eq!(names("qa12"), first);
    assert_eq!(names("en/qa12"), first);
    let valid = ["tasks/en-valid-10k/qa1_test.txt", "tasks/en-valid-10k/qa1_train.txt"];
    assert_eq!(names("en-valid-10k"), valid);
    let listing = list(folder.path(), "en-valid-10k").unwrap();
    for said in ["1 files are neither to train nor to test", "has 12 questions, of 9000"] {
        assert!(listing.remarks.iter().any(|r| r.contains(said)), "{said}: {:?}", listing.remarks);
    }
    let inner = list(&folder.path().join("tasks/en"), "qa1").unwrap();
    assert_eq!(inner.recordings.len(), 2);
    assert!(inner.remarks.iter().all(|r| !r.contains("missing")), "{:?}", inner.remarks);
    for (subset, said) in [
        ("qa21", "no such task"),
        ("hn", "tasks in several folders: expected a subset that names one of"),
        ("qa3", "no recording of the data set babi was found"),
    ] {
        let error = list(folder.path(), subset).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Caller);
        assert!(error.to_string().contains(said), "{subset}: {error}");
    }
}

#[test]
fn files_that_are_there_are_checked_and_others_refused() {
    let folder = miniature();
    let listing = list(folder.path(), "qa1").unwrap();
    let out = folder.path().join("out.safetensors");
    let build = Build::new("babi", &out).unwrap();
    let first = run(&build, &listing).unwrap();
    let bytes = |built: &Built| -> Vec<Vec<u8>> {
        built.files.iter().map(|file| fs::read(&file.0).unwrap()).collect()
    };
    let made = bytes(&first);
    assert!(run(&build, &listing).unwrap().was_complete);
    assert_eq!(verify(&first.files[0].0).unwrap().samples, 5);
    let mut damaged = made[0].clone();
    // The first word of the first story, after the header and its length.
    let header = u64::from_le_bytes(*damaged.first_chunk().unwrap()) as usize;
    damaged[8 + header] ^= 1;
    fs::write(folder.path().join("damaged.safetensors"), damaged).unwrap();
    assert!(verify(folder.path().join("damaged.safetensors")).is_err());
    fs::remove_file(&first.files[1].0).unwrap();
    let again = run(&build, &listing).unwrap();
    assert!(!again.was_complete && bytes(&again) == made);
    let both = list(folder.path(), "").unwrap();
    assert!(run(&build, &both).unwrap_err().to_string().contains("exists already"));
    let tensor = TensorOptions { overwrite: true, ..TensorOptions::default() };
    run(&Build { tensor, ..build.clone() }, &both).unwrap();

    let one = Build {
        split: SplitRule::None,
        ..Build::new("babi", folder.path().join("one.npz")).unwrap()
    };
    assert_eq!(run(&one, &listing).unwrap().classes[0].samples, [13, 0, 0, 0]);
    let first = Build { split: SplitRule::First { fraction: 0.5 }, ..one.clone() };
    assert!(run(&first, &listing).unwrap_err().to_string().contains("says itself what trains"));
    let limits = Limits { output_bytes: 1_000, ..Limits::default() };
    let tensor = TensorOptions { limits, ..TensorOptions::default() };
    let small = Build { tensor, output: folder.path().join("small.npz"), ..one.clone() };
    assert_eq!(run(&small, &listing).unwrap_err().kind(), ErrorKind::Limit);

    let bad = folder.path().join("tasks/en/qa1_single-supporting-fact_test.txt");
    fs::write(&bad, "1 Mary left.\nWhere is she?\toffice\t1\n").unwrap();
    let error =
        run(&Build { output: folder.path().join("x.npz"), ..one.clone() }, &listing).unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("line 2: this line has no number") && said.contains("qa1_single"),
        "{said}"
    );
    fs::write(&bad, b"1 Mary \xff left.\n").unwrap();
    let error = run(&Build { output: folder.path().join("x.npz"), ..one }, &listing).unwrap_err();
    assert!(error.to_string().contains("no text in UTF-8"), "{error}");
    assert!(!folder.path().join("x.npz").exists());
}

/// All 20 tasks as they were published, each with a vocabulary of its own.
#[test]
fn the_published_tasks_have_a_thousand_questions_to_train_and_to_test() {
    let Some(data) = common::shared_data() else { return };
    let texts = data.join("babi/en");
    if !texts.exists() {
        eprintln!("skipped: no texts at {}", texts.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let listing = list(&data.join("babi"), "").unwrap();
    assert_eq!(listing.remarks, [""; 0]);
    assert_eq!(listing.recordings.len(), 40);
    for task in 1..=20 {
        let number = task.to_string();
        let listing = list(&data.join("babi"), &format!("qa{number}")).unwrap();
        assert_eq!((listing.recordings.len(), &*listing.remarks), (2, &[][..]));
        let out = folder.path().join(format!("qa{number}.npz"));
        let built = run(&Build::new("babi", &out).unwrap(), &listing).unwrap();
        let samples: Vec<_> = built.files.iter().map(|file| file.1).collect();
        assert_eq!(samples, [1000, 1000], "task {number}");
        // These have answers of several words, names in both cases, and short stories.
        if [4, 15, 19].contains(&task) {
            let said = judged(&texts, &built, &[&number]);
            assert!(said.is_none_or(|said| said.starts_with("1000 1000 ")));
        }
    }
}
