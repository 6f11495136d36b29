//! `liaf train` and `liaf eval` as a user meets them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use liaf::data::tensor::{Container, TensorFileWriter, TensorOptions};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::{liaf, printed, refused};

const TEXT: &str = "name = 'sides'\n[data]\ntype = 'files'\ntrain = 'a.npz'\nsplit = 'random:1:0.7'\n\
    [network]\ninputs.frames.shape = [1, 4, 4]\nlayers = [\n\
    { type = 'flatten' },\n{ type = 'dense', units = 8 },\n{ type = 'neuron' },\n\
    { type = 'dense', units = 2 },\n{ type = 'aggregate' },\n]\n\
    [recipe]\nepochs = 6\nbatch = 4\noptimizer = { type = 'adam', learning_rate = 0.02 }\n";

/// The same network with spikes.
const SPIKING: &str = "network.layers=[{ type = 'flatten' }, { type = 'dense', units = 8 }, \
    { type = 'neuron', output = 'spike' }, { type = 'dense', units = 2 }, { type = 'aggregate' }]";

/// A folder with an experiment and its samples: events on the left, or on the right.
pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("e.toml"), TEXT).unwrap();
    let options = TensorOptions::default();
    let mut file = TensorFileWriter::create(path("a.npz"), Container::Npz, &options).unwrap();
    file.set_provenance(r#"{"dataset": {"class_names": ["left", "right"]}}"#).unwrap();
    let cell = |i: usize| {
        let (n, t, y, x) = (i / 64, i / 16 % 4, i / 4 % 4, i % 4);
        u8::from(x / 2 == n % 2 && (n / 2 + t + y + x).is_multiple_of(3))
    };
    let cells: Vec<u8> = (0..40 * 64).map(cell).collect();
    file.write("frames", &[40, 4, 1, 4, 4], &cells).unwrap();
    file.write("labels", &[40], &(0..40).map(|n| n % 2).collect::<Vec<i64>>()).unwrap();
    file.finish().unwrap();
    folder
}

/// Runs `liaf train` with the experiment of a folder.
pub fn train(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_liaf"));
    command.current_dir(folder).args(["train", "e.toml"]).args(args);
    command.stdin(Stdio::null()).output().unwrap()
}

fn checkpoints(run: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let mut all: Vec<_> = fs::read_dir(run.join("checkpoints"))
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name(), fs::read(entry.path()).unwrap())
        })
        .collect();
    all.sort();
    all
}

/// The weights of a checkpoint: the tensors, which are after the header.
fn weights(bytes: &[u8]) -> &[u8] {
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    &bytes[8 + header..]
}

#[test]
fn a_network_is_trained_and_evaluated() {
    let folder = folder();
    let output = train(folder.path(), &["--json"]);
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    let summary: Value = serde_json::from_str(&printed(output)).unwrap();
    assert_eq!((&summary["finished"], &summary["epochs"]), (&true.into(), &6.into()));
    assert!(summary["test_accuracy_last"].as_f64().unwrap() > 0.9, "{summary}");
    assert_eq!(err.lines().filter(|line| line.starts_with("epoch ")).count(), 6, "{err}");
    for part in ["28 samples for training", "12 for test", "test accuracy", "samples/s", "left"] {
        assert!(err.contains(part), "{part} is not in {err}");
    }
    let run = folder.path().join("runs/sides");
    let path = run.to_str().unwrap();
    let text = printed(liaf(&["eval", path]));
    assert!(text.starts_with("last: accuracy ") && text.contains("\nbest: accuracy "), "{text}");
    let rows = printed(liaf(&["eval", path, "--json"]));
    let row: Value = serde_json::from_str(rows.lines().next().unwrap()).unwrap();
    assert_eq!(row["accuracy"], summary["test_accuracy_last"]);
    assert_eq!(row["classes"][1]["class"], "right");
    // The same run again, and the whole file as samples.
    refused(&train(folder.path(), &[]), 2, &["a run in this folder already", "--resume"]);
    let all = folder.path().join("a.npz");
    let rows = printed(liaf(&["eval", path, "--json", "--data", all.to_str().unwrap()]));
    assert!(rows.contains("\"samples\":40"), "{rows}");
}

#[test]
fn finished_runs_are_compared() {
    let folder = folder();
    for (out, set) in [
        ("a1", &["recipe.seed=1"][..]),
        ("a2", &["recipe.seed=2"]),
        ("b", &["name=spiking", SPIKING]),
        ("c", &["name=other", "data.split=random:2:0.5"]),
    ] {
        let set = set.iter().flat_map(|key| ["--set", key]);
        let args: Vec<&str> = ["--out", out, "-q"].into_iter().chain(set).collect();
        printed(train(folder.path(), &args));
    }
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_liaf"));
        command.current_dir(folder.path()).arg("compare").args(args);
        command.stdin(Stdio::null()).output().unwrap()
    };
    let table = printed(run(&["a1", "b", "a2"]));
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[1].starts_with("sides ") && lines[1].contains(" ± "), "{table}");
    assert!(lines[1].contains("LIAF 8FC-2FC") && lines[2].contains("LIF 8FC-2FC"), "{table}");
    let rows = printed(run(&["a1", "b", "a2", "--json"]));
    let row: Value = serde_json::from_str(rows.lines().next().unwrap()).unwrap();
    let accuracies = row["runs"].as_array().unwrap();
    let of = |run: &Value| run["summary"]["test_accuracy_last"].as_f64().unwrap();
    let mean = accuracies.iter().map(of).sum::<f64>() / 2.0;
    assert_eq!(row["accuracy_last"]["mean"].as_f64(), Some(mean));
    assert_eq!((&row["weights"], &row["seeds"]), (&(16 * 8 + 8 * 2).into(), &vec![1, 2].into()));
    let csv = printed(run(&["a1", "b", "a2", "--csv"]));
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let csv: Vec<_> = csv.lines().map(cells).collect();
    assert_eq!(csv.len(), 3);
    assert_eq!((csv[0][3].as_str(), &csv[1][3]), ("accuracy_last", &mean.to_string()));
    assert_eq!((csv[2][0].as_str(), csv[2][4].as_str()), ("spiking", ""));
    // The page is one file; other test samples are said.
    let page = folder.path().join("page.html");
    let output = run(&["a1", "a2", "c", "-o", "page.html"]);
    refused(&output, 0, &["warning: not all runs were tested on the same samples"]);
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains("<svg") && !html.contains("src=\"http") && !html.contains("NaN"));
    refused(&run(&["a1", "-o", "page.html"]), 2, &["page.html", "--force"]);
    printed(run(&["a1", "-o", "page.html", "--force"]));
    // No run, an unfinished one, a damaged one.
    refused(&run(&["a1", "."]), 2, &["there is no run in this folder"]);
    refused(&run(&[]), 2, &["RUN"]);
    let summary = folder.path().join("b/summary.json");
    let text = fs::read_to_string(&summary).unwrap();
    fs::write(&summary, text.replace("\"finished\": true", "\"finished\": false")).unwrap();
    refused(&run(&["a1", "b"]), 2, &["b: the run is not finished", "6 epochs"]);
    fs::write(&summary, "{").unwrap();
    refused(&run(&["a1", "b"]), 1, &["summary.json", "damaged"]);
    fs::remove_file(&summary).unwrap();
    refused(&run(&["a1", "b"]), 2, &["b: the run is not finished"]);
}

#[test]
fn samples_of_other_classes_or_made_in_another_way_are_not_evaluated_as_if_they_were_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_liaf"));
        command.current_dir(folder.path()).args(words.split(' '));
        command.stdin(Stdio::null()).output().unwrap()
    };
    printed(run("simulate --set directions --per-class 4 -o set -q"));
    printed(run("dataset folder set -o a.npz --bins 4 --size 8x8 -q"));
    printed(run("dataset folder set -o b.npz --window 20ms --steps 4 --size 8x8 -q"));
    fs::rename(folder.path().join("set/left"), folder.path().join("set/zebra")).unwrap();
    printed(run("dataset folder set -o c.npz --bins 4 --size 8x8 -q"));
    let text = TEXT.replace("[1, 4, 4]", "[2, 8, 8]").replace("units = 2", "units = 5");
    let text = text.replace("epochs = 6", "epochs = 1");
    fs::write(folder.path().join("e.toml"), text).unwrap();
    printed(run("train e.toml --out run -q"));
    let same = run("eval run --data a.npz");
    assert!(same.stderr.is_empty(), "{same:?}");
    refused(&run("eval run --data b.npz"), 0, &["warning", "not made as those", "windows {"]);
    let other = ["c.npz", "other classes", "class 1 is \"right\", and not \"left\""];
    let done = run("eval run --data c.npz");
    refused(&done, 1, &other);
    assert!(done.stdout.is_empty());
    // Training says the same of its samples for test.
    fs::write(
        folder.path().join("e.toml"),
        fs::read_to_string(folder.path().join("e.toml"))
            .unwrap()
            .replace("split = 'random:1:0.7'", "test = 'b.npz'"),
    )
    .unwrap();
    let output = run("train e.toml --out both");
    refused(
        &output,
        0,
        &["note: the samples for test were not made as those for train: windows {"],
    );
    let output = run("train e.toml --out none --set data.test=c.npz");
    refused(&output, 1, &["the classes for test are not those for train", "class 1 is \"right\""]);
}

#[test]
fn a_report_is_complete_in_itself() {
    let folder = folder();
    printed(train(folder.path(), &["--set", "name=<b>odd", "--set", SPIKING]));
    let run = fs::read_dir(folder.path().join("runs")).unwrap().next().unwrap().unwrap().path();
    let html = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(html.contains("&lt;b&gt;odd") && !html.contains("<b>odd"));
    // Nothing is loaded from elsewhere.
    let outside = ["src=\"", "href=\"", "url("].iter().flat_map(|key| html.split(key).skip(1));
    outside.for_each(|at| assert!(at.starts_with("data:"), "{}", &at[..40]));
    if cfg!(feature = "png") {
        assert!(html.contains("src=\"data:image/png;base64,iVBOR"), "no animation");
    }
    for part in ["spikes per neuron and step", "neuron3: potentials", "<th>bytes</th>", "[recipe]"]
    {
        assert!(html.contains(part), "{part}");
    }
    for plot in ["accuracy", "loss", "potentials"] {
        let svg = fs::read_to_string(run.join(format!("plots/{plot}.svg"))).unwrap();
        assert!(
            svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"")
                && svg.ends_with("</svg>\n")
        );
    }
}

#[test]
fn mistakes_name_the_line_or_the_option() {
    let folder = folder();
    for (args, code, says) in [
        (&["--set", "recipe.epochs"][..], 2, "a key and a value"),
        (&["--set", "recipe.epochs=0"], 1, "set recipe.epochs: invalid epochs"),
        (&["--set", "recipe.epoch=1"], 1, "set recipe.epoch: unknown field `epoch`"),
        (&["--set", "data.train=none.npz"], 1, "none.npz"),
        (&["--set", "data.split=random:1:0.0"], 1, "e.toml:2: "),
        (&["--set", "network.layers=[]"], 1, "no layers"),
        (&["--max-memory", "0"], 1, "too much memory"),
        (&["--max-memory", "0"], 1, "(--max-memory 1 allows it)"),
        (&["--save-every", "nan"], 2, "--save-every"),
    ] {
        refused(&train(folder.path(), args), code, &[says]);
    }
    // Other limits have nothing to do with it.
    let long = [TEXT, &"# long\n".repeat(3_000_000)].concat();
    fs::write(folder.path().join("e.toml"), long).unwrap();
    let output = train(folder.path(), &[]);
    refused(&output, 1, &["the experiment is too long"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("--max-memory"));
    fs::write(folder.path().join("e.toml"), TEXT).unwrap();
    assert!(!folder.path().join("runs").exists(), "nothing is left of a run that did not begin");
    printed(train(folder.path(), &["--check"]));
    assert!(!folder.path().join("runs").exists());
    let path = folder.path().to_str().unwrap();
    refused(&liaf(&["eval", path]), 1, &["no checkpoints"]);
}

/// Starts a long run, and waits until it has written a checkpoint after this number of lines.
#[cfg(unix)]
fn begin(folder: &Path, out: &str, threads: &str, lines: usize) -> std::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_liaf"));
    command.current_dir(folder).args(["train", "e.toml", "--resume", "--save-every", "0"]);
    command.args(["--set", "recipe.epochs=30", "-j", threads, "--out", out, "-q"]);
    let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    let metrics = folder.join(out).join("metrics.jsonl");
    let known = || fs::read_to_string(&metrics).map_or(0, |text| text.lines().count());
    while known() < lines && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

#[cfg(unix)]
#[test]
fn a_run_that_is_killed_or_interrupted_ends_with_the_same_weights() {
    let folder = folder();
    let whole = train(folder.path(), &["--set", "recipe.epochs=30", "--out", "whole", "-j", "2"]);
    printed(whole);
    let reference = checkpoints(&folder.path().join("whole"));
    for (out, signal, code, stops) in
        [("killed", "KILL", None, &[3, 40, 90][..]), ("asked", "INT", Some(130), &[20, 60])]
    {
        for (number, &lines) in stops.iter().enumerate() {
            let mut child = begin(folder.path(), out, ["1", "3"][number % 2], lines);
            let id = child.id().to_string();
            assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
            let ended = child.wait().unwrap();
            assert_eq!(ended.code(), code, "the run should not have ended before");
        }
        let end = ["--resume", "--set", "recipe.epochs=30", "--out", out, "-j", "1"];
        printed(train(folder.path(), &end));
        let own = checkpoints(&folder.path().join(out));
        let (last, reference) = (own.last().unwrap(), reference.last().unwrap());
        assert_eq!(last.0, reference.0);
        assert!(weights(&last.1) == weights(&reference.1), "{out}: other weights");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_checkpoint_before() {
    let folder = folder();
    // Files of at most 3 KiB: too small for a checkpoint.
    let run = format!("ulimit -f 6; exec {} train e.toml", env!("CARGO_BIN_EXE_liaf"));
    let mut command = Command::new("sh");
    let output = command.current_dir(folder.path()).args(["-c", &run]).output().unwrap();
    refused(&output, 1, &["checkpoints"]);
    let left = fs::read_dir(folder.path().join("runs/sides/checkpoints")).unwrap().count();
    assert_eq!(left, 0, "no partial checkpoint");
}
