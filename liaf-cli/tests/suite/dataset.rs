//! `liaf dataset` as a user meets it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{fixture, liaf, printed, refused};
use tempfile::TempDir;

/// Three classes of eight recordings each.
fn recordings() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..24 {
        let class = folder.path().join("set").join(["box", "mug", "pen"][i % 3]);
        fs::create_dir_all(&class).unwrap();
        fs::copy(fixture("good/aedat2/dvs128.aedat"), class.join(format!("{i}.aedat"))).unwrap();
    }
    folder
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_folder_becomes_one_file() {
    let folder = recordings();
    let (set, out) = (text(&folder.path().join("set")), text(&folder.path().join("out.npz")));
    let args = ["dataset", "folder", &set, "-o", &out, "--window", "50ms", "--size", "8x8"];
    let cut = [&args[..], &["--sample", "100ms", "--split", "time:0.5"]].concat();
    let output = liaf(&cut);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(printed(output), "");
    assert!(said.contains("24 recordings") && said.contains("3 classes"), "{said}");
    assert!(said.contains("out.train.npz: 24 samples of 2 frames"), "{said}");
    assert!(said.contains("class    train     test"), "{said}");
    let again = liaf(&cut);
    assert!(String::from_utf8_lossy(&again.stderr).contains("is complete already"));
    assert!(again.status.success());
    let other = [&args[..], &["--bins", "3", "--split", "time:0.5"]].concat();
    let other: Vec<_> = other.into_iter().filter(|a| *a != "--window" && *a != "50ms").collect();
    refused(&liaf(&other), 2, &["out.train.npz", "exists already", "--force"]);
    let check = liaf(&["dataset", "folder", &set, "--check"]);
    assert!(String::from_utf8_lossy(&check.stderr).contains("mug: 8"));
    assert!(check.status.success());
}

#[test]
fn what_contradicts_itself_is_refused_before_any_work() {
    let folder = recordings();
    let set = text(&folder.path().join("set"));
    let run = |args: &[&str]| liaf(&[&["dataset", "folder", &set, "-o", "x.npz"], args].concat());
    refused(&run(&["--sample", "100ms", "--window", "30ms"]), 2, &["not a multiple of the window"]);
    refused(&run(&["--sample", "100ms", "--steps", "3"]), 2, &["cannot be used with"]);
    refused(&run(&["--split", "half"]), 2, &["random:SEED:FRACTION"]);
    refused(&run(&["--repr", "voxel_grid:bins=0"]), 2, &["bins is out of range"]);
    refused(&run(&["--subset", "scale4"]), 2, &["no subsets"]);
    refused(&liaf(&["dataset", "folder", &set]), 2, &["--output"]);
    refused(&liaf(&["dataset", "imagenet", &set]), 2, &["mnist-dvs"]);
    refused(
        &liaf(&["dataset", "n-mnist", &set, "-o", "x.npz"]),
        2,
        &["no recording of the data set"],
    );
    assert!(!Path::new("x.npz.parts").exists());
}

#[test]
fn texts_become_questions_and_have_no_frames() {
    let folder = tempfile::tempdir().unwrap();
    for split in ["train", "test"] {
        let text = "1 Mary left.\n2 Who left? \tMary\t1\n3 Who came? \tnobody\t1\n";
        fs::write(folder.path().join(format!("qa3_three_{split}.txt")), text).unwrap();
    }
    let (set, out) = (text(folder.path()), text(&folder.path().join("qa.npz")));
    let args = ["dataset", "babi", &set, "-o", &out, "--subset", "qa3"];
    let output = liaf(&args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    for part in ["2 texts", "qa.test.npz: 2 questions about stories of up to 3 words", "qa3_three"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("events"), "{said}");
    let framed = [&args[..], &["--window", "10ms"]].concat();
    refused(&liaf(&framed), 2, &["--window does not apply to the data set babi"]);
}

/// A folder with one recording, which has these lines of text.
fn recording_of(lines: impl Iterator<Item = String>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let class = folder.path().join("set/box");
    fs::create_dir_all(&class).unwrap();
    fs::write(class.join("1.csv"), format!("t,x,y,p\n{}", lines.collect::<String>())).unwrap();
    folder
}

/// What is said about a data set of such a folder, with these options.
fn said_of(folder: &TempDir, options: &[&str]) -> String {
    let (set, out) = (text(&folder.path().join("set")), text(&folder.path().join("out.npz")));
    let args = ["dataset", "folder", &set, "-o", &out, "--force", "--sensor", "8x8"];
    let output = liaf(&[&args[..], options].concat());
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_event_is_said_to_be_in_a_sample_or_not() {
    let folder = recording_of((0..900).map(|i| format!("{},{},1,1\n", 10 * i, i % 9)));
    for (options, said) in [
        (
            &["--steps", "2"][..],
            "178 events in samples, 100 filtered or outside the sensor, 622 in no",
        ),
        (
            &["--sample", "4ms"],
            "712 events in samples, 100 filtered or outside the sensor, 88 in no",
        ),
        (&["--sample", "4ms", "--partial", "pad"], "800 events in samples"),
    ] {
        let options = [options, &["--window", "1ms"]].concat();
        let found = said_of(&folder, &options);
        assert!(found.contains(said), "{options:?}: {found}");
    }
    let folder = recording_of((0..300_000).map(|i| format!("{},1,1,1\n", 10 * i)));
    let found = said_of(&folder, &["--window", "1ms", "--steps", "2", "-j", "1"]);
    assert!(found.contains("the rest of 1 recordings was not needed"), "{found}");
}

#[test]
fn cells_that_could_not_count_are_said() {
    let folder = recording_of((0..600).map(|i| format!("{i},{},1,1\n", i % 2)));
    let found = said_of(&folder, &["--bins", "1"]);
    let said =
        "liaf: warning: 2 cells reached the largest value of their type: choose a wider --dtype";
    assert!(found.contains(said), "{found}");
    let found = said_of(&folder, &["--bins", "1", "--dtype", "u16", "-q"]);
    assert_eq!(found, "");
    assert!(said_of(&folder, &["--bins", "1", "-q"]).contains(said));
}

#[test]
fn events_that_come_late_are_said() {
    // The last 40 events are of the first 5 ms.
    let times = (0..600).map(|i| 1_000 * i).chain((0..40).map(|i| 100 * i));
    let folder = recording_of(times.map(|t| format!("{t},1,1,1\n")));
    let late =
        "liaf: warning: 40 events came before the first window or after one of theirs was closed";
    let found = said_of(&folder, &["--window", "5ms"]);
    assert!(found.contains(late) && !found.contains("--sort"), "{found}");
    let found = said_of(&folder, &["--window", "5ms", "--repr", "events"]);
    assert!(found.contains("640 events in samples") && !found.contains(late), "{found}");
}

#[test]
fn a_bad_recording_costs_itself() {
    let folder = recordings();
    fs::write(folder.path().join("set/mug/broken.aedat"), "#!AER-DAT9.0\n").unwrap();
    let (set, out) = (text(&folder.path().join("set")), folder.path().join("out.npz"));
    let args = ["dataset", "folder", &set, "-o", &text(&out), "--bins", "2", "--size", "4x4"];
    let output = liaf(&args);
    refused(&output, 1, &["broken.aedat", "1 of 25 recordings failed", "24 samples of 2 frames"]);
    assert!(out.exists());
    refused(
        &liaf(&args),
        1,
        &["is complete already", "1 recordings failed when the files were made"],
    );
    let stop = text(&folder.path().join("stop.npz"));
    let args = ["dataset", "folder", &set, "-o", &stop, "--bins", "2", "--on-error", "stop"];
    refused(&liaf(&args), 1, &["broken.aedat"]);
    assert!(!Path::new(&stop).exists());
}

#[test]
fn a_recording_is_never_the_output() {
    let folder = recordings();
    let recording = folder.path().join("set/mug/a.npz");
    fs::copy(fixture("good/numpy/four_stored.npz"), &recording).unwrap();
    let bytes = fs::read(&recording).unwrap();
    let set = text(&folder.path().join("set"));
    let args = ["dataset", "folder", &set, "--bins", "2", "--size", "4x4", "--force", "-o"];
    let onto = text(&recording);
    let onto = [&args[..], &[&*onto]].concat();
    refused(&liaf(&onto), 2, &["a.npz", "is a recording of the set", "name another output"]);
    assert_eq!(fs::read(&recording).unwrap(), bytes);
    // A file that an earlier command left in the folder of the set is none.
    let made = text(&folder.path().join("set/made.npz"));
    let within = [&args[..], &[&*made]].concat();
    assert_eq!(printed(liaf(&within)), "");
    assert_eq!(printed(liaf(&[&within[..], &["--dtype", "u16"]].concat())), "");
}

/// Starts the program.
fn start(set: &str, out: &Path) -> Child {
    let args = ["dataset", "folder", set, "-o", &text(out), "--window", "1ms", "--sample", "20ms"];
    Command::new(env!("CARGO_BIN_EXE_liaf"))
        .args(args)
        .args(["-q", "-j", "2", "--split", "random:1:0.5"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Kills it at ten moments, each followed by another start, and compares what is made in the end.
#[test]
fn killed_ten_times_it_ends_with_the_same_bytes() {
    let folder = recordings();
    let set = text(&folder.path().join("set"));
    let files = |out: &str| -> Vec<PathBuf> {
        ["train", "test"].iter().map(|s| folder.path().join(format!("{out}.{s}.npz"))).collect()
    };
    let begun = Instant::now();
    let whole = start(&set, &folder.path().join("whole.npz")).wait_with_output().unwrap();
    let took = begun.elapsed();
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    let out = folder.path().join("out.npz");
    let mut killed = 0;
    for i in 0..10_u32 {
        let mut child = start(&set, &out);
        // Spread over the time of a whole run; the later ones do less and less work.
        std::thread::sleep(took.mul_f64(f64::from((i * 7) % 10) / 12.0) + Duration::from_millis(1));
        let _ = child.kill();
        let ended = child.wait_with_output().unwrap();
        killed += usize::from(!ended.status.success());
        for file in files("out") {
            assert!(
                !file.exists() || ended.status.success() || fs::metadata(&file).unwrap().len() > 0
            );
        }
    }
    assert!(killed >= 3, "only {killed} were killed before they had ended");
    let last = start(&set, &out).wait_with_output().unwrap();
    assert!(last.status.success(), "{}", String::from_utf8_lossy(&last.stderr));
    for (a, b) in files("out").iter().zip(files("whole")) {
        assert!(fs::read(a).unwrap() == fs::read(b).unwrap(), "{}", a.display());
    }
    assert!(!folder.path().join("out.npz.parts").exists());
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("partial"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
