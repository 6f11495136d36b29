//! `liaf predict` as a user meets it, with small networks that are trained here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use liaf::core::graph::{Inputs, Mode};
use liaf::core::train::{TrainConfig, Trainer};
use liaf::core::{Network, NetworkConfig, Real, Workspace};
use liaf::data::Limits;
use liaf::data::frames::{Provenance, SampleRecipe};
use liaf::data::tensor::LoadedFrames;
use ndarray::{ArrayD, Axis, IxDyn};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::{fixture, fixtures, liaf, tables};

/// Two recordings that a network can tell apart: of other density and other places.
const CLASSES: [(&str, &str); 2] =
    [("dots", "good/aedat4/dv_lz4.aedat4"), ("more, \"dots\"", "good/aedat2/dvs128.aedat")];

const CONVOLUTION: &str = "[inputs.frames]\nshape = [2, 16, 16]\n\
    [[layers]]\ntype = 'conv2d'\nchannels = 4\nkernel = 3\npadding = 1\n\
    [[layers]]\ntype = 'neuron'\n[[layers]]\ntype = 'avg_pool'\nkernel = 4\n\
    [[layers]]\ntype = 'flatten'\n[[layers]]\ntype = 'dense'\nunits = 2\n";
const MEAN: &str = "[[layers]]\ntype = 'aggregate'\n";

#[track_caller]
fn out(args: &[&str]) -> String {
    crate::common::printed(liaf(args))
}

#[track_caller]
fn refused(args: &[&str], code: i32, says: &[&str]) {
    crate::common::refused(&liaf(args), code, says);
}

/// A recording's frames as `liaf convert` makes them.
fn frames(folder: &Path, recording: &str) -> LoadedFrames {
    let path = folder.join("frames.safetensors");
    let name = path.to_str().unwrap();
    let how = ["--window", "5ms", "--size", "16x16", "--dtype", "u8"];
    out(&[&["convert", &fixture(recording), "-o", name, "--force", "-q"][..], &how].concat());
    LoadedFrames::read(&path, &Limits::default()).unwrap()
}

fn sequence<R: Real>(
    frames: &LoadedFrames,
    scale: f32,
    range: std::ops::Range<usize>,
) -> ArrayD<R> {
    let numbers = frames.cells(range.clone());
    let numbers = numbers.into_iter().map(|cell| R::of(f64::from(cell * scale))).collect();
    ArrayD::from_shape_vec(IxDyn(&[1, range.len(), 2, 16, 16]), numbers).unwrap()
}

/// A folder with `net.safetensors`, which has learned the two recordings in samples of 4 frames.
struct Trained {
    folder: TempDir,
    recipe: SampleRecipe,
}

impl Trained {
    fn new<R: Real>(network: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let all = CLASSES.map(|(_, recording)| frames(folder.path(), recording));
        let made = Provenance::parse(all[0].provenance()).unwrap();
        assert_eq!(made.frames, Provenance::parse(all[1].provenance()).unwrap().frames);
        let recipe = SampleRecipe {
            scale: 0.3,
            steps: Some(4),
            classes: CLASSES.map(|(name, _)| name.to_owned()).into(),
            ..SampleRecipe::new(made.frames)
        };
        let config = TrainConfig::from_toml(
            "optimizer = { type = 'adam', learning_rate = 0.02 }\nema = 0.7",
        );
        let network = NetworkConfig::from_toml(network).unwrap().build::<R>(3).unwrap();
        let mut trainer = Trainer::new(network, config.unwrap()).unwrap();
        trainer.notes_mut().insert(SampleRecipe::NOTE.into(), recipe.to_json().unwrap());
        let (mut parts, mut labels) = (Vec::new(), Vec::new());
        for (label, frames) in all.iter().enumerate() {
            for start in (0..frames.len() - 4).step_by(4) {
                parts.push(sequence::<R>(frames, recipe.scale, start..start + 4));
                labels.push(label);
            }
        }
        let parts: Vec<_> = parts.iter().map(|part| part.view()).collect();
        let batch = ndarray::concatenate(Axis(0), &parts).unwrap();
        for _ in 0..40 {
            trainer.step(&Inputs::of("frames", batch.view()), &labels).unwrap();
        }
        trainer.save(folder.path().join("net.safetensors")).unwrap();
        Self { folder, recipe }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("net.safetensors")
    }

    fn args<'a>(&self, path: &'a str, recording: &'a str, others: &[&'a str]) -> Vec<&'a str> {
        [&["predict", path, recording], others].concat()
    }

    /// The rows of a recording.
    fn rows(&self, recording: &str, others: &[&str]) -> Vec<Value> {
        let (path, recording) = (self.path(), fixture(recording));
        let args = [others, &["--json"]].concat();
        let text = out(&self.args(path.to_str().unwrap(), &recording, &args));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Puts another text in the place of the checkpoint's note, or none.
    fn with_note(&self, name: &str, note: Option<&str>) -> PathBuf {
        let mut trainer = Trainer::<f32>::resume(self.path()).unwrap();
        trainer.notes_mut().clear();
        if let Some(note) = note {
            trainer.notes_mut().insert(SampleRecipe::NOTE.into(), note.into());
        }
        let path = self.folder.path().join(name);
        trainer.save(&path).unwrap();
        path
    }
}

fn scores(row: &Value) -> Vec<f64> {
    row["scores"].as_array().unwrap().iter().map(|score| score.as_f64().unwrap()).collect()
}

/// The outputs of `predict` after every frame are those of a pass over the sequences so far, bit for
/// bit, made of a file of frames.
fn equals_the_sequence<R: Real>(network: &str) {
    let trained = Trained::new::<R>(network);
    let (network, _) = Network::<R>::from_checkpoint(trained.path()).unwrap();
    let timed = network.output_shape().timed;
    let mode = Mode::eval().plain();
    for (_, recording) in CLASSES {
        let frames = frames(trained.folder.path(), recording);
        for steps in [0, 4, 7] {
            let text = steps.to_string();
            let rows = trained.rows(recording, &["--plain", "--each-frame", "--steps", &text]);
            assert_eq!(rows.len(), frames.len());
            for (at, row) in rows.iter().enumerate() {
                let first = if steps == 0 { 0 } else { at - at % steps };
                let input = sequence::<R>(&frames, trained.recipe.scale, first..at + 1);
                let input = Inputs::of("frames", input.view());
                let mut space = Workspace::new();
                let output = network.forward(&input, mode, &mut space).unwrap().into_output();
                let expected: Vec<f64> = if timed {
                    let of = |class| output.index_axis(Axis(2), class).to_owned();
                    let mean = |class| of(class).iter().map(|x| x.f64()).sum::<f64>();
                    (0..2).map(|class| mean(class) / (at + 1 - first) as f64).collect()
                } else {
                    output.iter().map(|x| x.f64()).collect()
                };
                assert_eq!(scores(row), expected, "{recording}, frame {at} of samples of {steps}");
                assert_eq!(row["frames"], at + 1 - first);
                assert_eq!(row["start_us"], frames.timestamps()[first][0]);
                assert_eq!(row["end_us"], frames.timestamps()[at][1]);
            }
        }
    }
}

/// A weight that is NaN reaches the scores: no activation on the way makes a number of it.
#[test]
fn outputs_that_are_no_numbers_are_refused() {
    let trained = Trained::new::<f32>(&format!("{CONVOLUTION}{MEAN}"));
    let mut trainer = Trainer::<f32>::resume(trained.path()).unwrap();
    let weights = trainer.network_mut().params_mut();
    weights.iter_mut().find(|p| p.name == "conv2d1.weight").unwrap().data.fill(f32::NAN);
    let path = trained.folder.path().join("nan.safetensors");
    trainer.save(&path).unwrap();
    let (path, recording) = (path.to_str().unwrap(), fixture(CLASSES[0].1));
    let says = ["nan.safetensors", "not finite", "class dots"];
    for others in [&[][..], &["--plain"], &["--each-frame", "--json"]] {
        refused(&trained.args(path, &recording, others), 1, &says);
    }
}

#[test]
fn outputs_equal_those_of_the_sequence() {
    equals_the_sequence::<f32>(&format!("{CONVOLUTION}{MEAN}"));
}

#[test]
fn outputs_at_every_step_are_averaged() {
    equals_the_sequence::<f64>(CONVOLUTION);
}

#[test]
fn recordings_are_recognised() {
    let trained = Trained::new::<f32>(&format!("{CONVOLUTION}{MEAN}"));
    let path = trained.path();
    let path = path.to_str().unwrap();
    for (class, (name, recording)) in CLASSES.into_iter().enumerate() {
        let rows = trained.rows(recording, &[]);
        let right = rows.iter().filter(|row| row["class"] == name).count();
        assert!(10 * right >= 9 * rows.len(), "{name}: {right} of {}", rows.len());
        let whole = rows.iter().filter(|row| row["frames"] == 4).count();
        assert!(whole >= rows.len() - 1, "only the last sample may be cut short");
        let probability = rows[0]["probability"].as_f64().unwrap();
        assert_eq!(rows[0]["probabilities"][class].as_f64(), Some(probability));
        // The same numbers as CSV and from a pipe; and for people.
        let recording = fixture(recording);
        let csv = out(&trained.args(path, &recording, &["--csv"]));
        let mut lines = csv.lines();
        let header = "start_us,end_us,frames,class,probability,complete,label,recording";
        assert_eq!(lines.next(), Some(header));
        let first = lines.next().unwrap();
        assert!(first.starts_with(&rows[0]["start_us"].to_string()), "{first}");
        assert!(first.ends_with(&format!(",{probability},true,,{recording}")), "{first}");
        assert_eq!(lines.count() + 1, rows.len());
        let mut command = Command::new(env!("CARGO_BIN_EXE_liaf"));
        let piped = fs::File::open(&recording).unwrap();
        let piped = command.args(trained.args(path, "-", &["--csv", "-q"])).stdin(piped);
        let piped = piped.output().unwrap();
        let piped = String::from_utf8(piped.stdout).unwrap();
        assert_eq!(
            piped
                .replace(",true,,-\n", &format!(",true,,{recording}\n"))
                .replace(",false,,-\n", &format!(",false,,{recording}\n")),
            csv
        );
        let output = liaf(&trained.args(path, &recording, &[]));
        let table = String::from_utf8(output.stdout).unwrap();
        let header = "      time          start_us            end_us  class";
        assert!(table.starts_with(header), "{table}");
        assert_eq!(table.lines().count(), rows.len() + 1);
        let says = String::from_utf8(output.stderr).unwrap();
        assert!(says.contains(&format!("{} samples: {name} ", rows.len())), "{says}");
        equals_arithmetic(&rows, &recording, &csv, &table);
    }
}

/// A folder with both recordings, each in the folder of its class, and a table in which both are dots.
fn sorted(labels: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut table = "file,class\n".to_owned();
    for (name, recording) in CLASSES {
        let class = folder.path().join(name);
        fs::create_dir(&class).unwrap();
        let file = Path::new(recording).file_name().unwrap().to_str().unwrap();
        fs::copy(fixture(recording), class.join(file)).unwrap();
        table += &format!("{file},dots\n");
    }
    fs::write(labels, table).unwrap();
    folder
}

#[test]
fn several_recordings_are_classified_and_compared_with_their_labels() {
    let trained = Trained::new::<f32>(&format!("{CONVOLUTION}{MEAN}"));
    let labels = trained.folder.path().join("labels.csv");
    let (path, folder) = (trained.path(), sorted(&labels));
    let (path, set) = (path.to_str().unwrap(), folder.path().to_str().unwrap());
    let run = |others: &[&str]| {
        let output = liaf(&trained.args(path, set, others));
        let says = String::from_utf8(output.stderr.clone()).unwrap();
        (crate::common::printed(output), says)
    };
    let (rows, says) = run(&["--json", "--class-from", "dir"]);
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let right = rows.iter().filter(|row| row["class"] == row["label"]).count();
    let cut = rows.iter().filter(|row| row["complete"] == false).count();
    assert_eq!(cut, 2, "the last sample of each");
    for (name, recording) in CLASSES {
        let file = Path::new(recording).file_name().unwrap().to_str().unwrap();
        let own = |row: &&Value| row["recording"].as_str().unwrap().ends_with(file);
        assert!(rows.iter().filter(own).count() > 1);
        assert!(rows.iter().filter(own).all(|row| row["label"] == name));
    }
    let share = format!(
        "accuracy {:.2} % ({right} of {})",
        100.0 * right as f64 / rows.len() as f64,
        rows.len()
    );
    let last = says.lines().last().unwrap();
    assert!(
        last.starts_with(&format!("all: {} samples: ", rows.len())) && last.ends_with(&share),
        "{says}"
    );
    // Without the samples that are cut short, with the labels of a table, in a table for people.
    let (text, says) = run(&["--labels", labels.to_str().unwrap(), "--partial", "drop"]);
    assert_eq!(text.matches(".aedat").count(), 2, "a title for each");
    assert_eq!(text.lines().count(), 3 + rows.len() - 2);
    assert!(text.contains("(is dots)") && !text.contains("cut short"), "{text}");
    assert!(says.contains("; 1 cut short and left out") && says.contains("left out"), "{says}");
    // Nothing is known of them, or nothing that the network knows.
    let (text, says) = run(&["--csv"]);
    assert!(text.lines().skip(1).all(|line| line.contains("e,,")) && !says.contains("accuracy"));
    let args = trained.args(path, set, &["--class-from", "stem"]);
    refused(&args, 2, &["knows none of the classes", "dvs128"]);
    refused(&trained.args(path, set, &["--partial", "drop", "--each-frame"]), 2, &["--partial"]);
    // One that cannot be read does not stop the others.
    fs::write(folder.path().join("dots/bad.aedat4"), b"#!AER-DAT4.0\r\nnothing").unwrap();
    let output = liaf(&trained.args(path, set, &["--csv"]));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
    assert!(String::from_utf8(output.stderr).unwrap().contains("bad.aedat4"));
}

/// Times and completeness follow from the times of the first and the last event, for windows of 5 ms and
/// samples of 4 frames, and every way to print says them.
fn equals_arithmetic(rows: &[Value], recording: &str, csv: &str, table: &str) {
    let read = liaf::data::ReadOptions::default();
    let events = liaf::data::Recording::open(recording, read).unwrap().read_all().unwrap();
    let (first, last) = (events.t()[0], *events.t().iter().max().unwrap());
    let frames = (last - first) / 5_000 + 1;
    assert_eq!(rows.len() as i64, (frames + 3) / 4);
    let lines = csv.lines().zip(table.lines()).skip(1);
    let mut cut = 0;
    for ((k, row), (line, text)) in (0..).zip(rows).zip(lines) {
        let n = (frames - 4 * k).min(4);
        let start = first + 20_000 * k;
        let end = start + 5_000 * n;
        let complete = n == 4 && end <= last + 1;
        assert_eq!((row["start_us"].as_i64(), row["end_us"].as_i64()), (Some(start), Some(end)));
        assert_eq!((row["frames"].as_i64(), row["complete"].as_bool()), (Some(n), Some(complete)));
        assert!(line.starts_with(&format!("{start},{end},{n},")), "{line}");
        assert!(line.ends_with(&format!(",{complete},,{recording}")), "{line}");
        let words: Vec<_> = text.split_whitespace().collect();
        assert_eq!(words[2..4], [start.to_string(), end.to_string()]);
        let says = text.ends_with("%  (cut short by the end of the recording)");
        assert_eq!(says, !complete, "{text}");
        cut += i32::from(!complete);
    }
    assert_eq!(cut, 1);
}

#[test]
fn every_format_is_watched() {
    let trained = Trained::new::<f32>(&format!("{CONVOLUTION}{MEAN}"));
    let cases = tables::rows(&fixtures(), "case");
    let mut files: BTreeMap<&str, &str> = BTreeMap::new();
    for case in &cases {
        let events = case["canonical"]["events"].as_integer().unwrap();
        if events > 0 && case.get("stream").is_none() {
            files.entry(case["format"].as_str().unwrap()).or_insert(case["file"].as_str().unwrap());
        }
    }
    assert!(files.len() >= 10, "{files:?}");
    for (format, file) in files {
        if format.contains("HDF5") && cfg!(not(feature = "hdf5")) {
            continue;
        }
        let rows = trained.rows(file, &["--max-frames", "100000"]);
        assert!(!rows.is_empty(), "{format}: {file}");
    }
}

#[test]
fn part_of_a_recording_and_other_sensors_are_said() {
    let mut trained = Trained::new::<f32>(&format!("{CONVOLUTION}{MEAN}"));
    let recording = CLASSES[0].1;
    let all = trained.rows(recording, &["--each-frame"]);
    let part = trained.rows(recording, &["--each-frame", "--from", "50ms", "--to", "100ms"]);
    let start = |rows: &[Value]| rows[0]["start_us"].as_i64().unwrap();
    assert_eq!((part.len(), start(&part) - start(&all)), (10, 50_000));
    trained.recipe.sensor = Some(liaf::data::SensorSize::new(128, 128));
    let path = trained.with_note("other.safetensors", Some(&trained.recipe.to_json().unwrap()));
    let recording = fixture(recording);
    let output = liaf(&trained.args(path.to_str().unwrap(), &recording, &["-q"]));
    let says = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && says.contains("warning: the size of its sensor is 346x260"),
        "{says}"
    );
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let mut trained = Trained::new::<f32>(&format!("{CONVOLUTION}{MEAN}"));
    let recording = fixture(CLASSES[0].1);
    let refuse = |path: &Path, says: &[&str]| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let says = [says, &[name.as_str()]].concat();
        refused(&trained.args(path.to_str().unwrap(), &recording, &[]), 1, &says);
    };
    refuse(&trained.with_note("a.safetensors", None), &["how the frames", "`samples`"]);
    refuse(
        &trained.with_note("b.safetensors", Some("{}")),
        &[
            "recipe of the samples cannot be read",
            "expected a JSON object",
            "missing field `frames`",
        ],
    );
    refuse(Path::new(&recording), &["safetensors"]);
    refuse(&trained.folder.path().join("frames.safetensors"), &["not a checkpoint"]);
    refuse(&trained.folder.path().join("none.safetensors"), &["cannot"]);
    let note = |recipe: &SampleRecipe| recipe.to_json().unwrap();
    let mut recipe = trained.recipe.clone();
    recipe.frames.size = Some(liaf::data::SensorSize::new(8, 4));
    let path = trained.with_note("c.safetensors", Some(&note(&recipe)));
    refuse(&path, &["[2, 16, 16]", "[2, 4, 8]"]);
    trained.recipe.classes.push("third".into());
    let path = trained.with_note("d.safetensors", Some(&note(&trained.recipe)));
    let path = path.to_str().unwrap();
    refused(&trained.args(path, &recording, &[]), 1, &["names 3 classes", "2 outputs"]);
    refused(&trained.args(path, &recording, &["--csv", "--json"]), 2, &["--json"]);
    let path = trained.path();
    let path = path.to_str().unwrap();
    refused(&trained.args(path, "no.aedat4", &[]), 1, &["no.aedat4"]);
    refused(&trained.args(path, path, &[]), 1, &["net.safetensors"]);
    assert!(out(&["predict", "--help"]).contains("Examples:"));
}

#[test]
fn networks_that_look_ahead_or_give_no_classes_are_refused() {
    let ahead = "[inputs.frames]\nshape = [2, 16, 16]\n\
        [[layers]]\ntype = 'conv3d'\nchannels = 1\nkernel = 3\npadding = 1\n\
        [[layers]]\ntype = 'flatten'\n[[layers]]\ntype = 'dense'\nunits = 2\n";
    let trained = Trained::new::<f32>(&format!("{ahead}{MEAN}"));
    let recording = fixture(CLASSES[0].1);
    let path = trained.path();
    refused(&trained.args(path.to_str().unwrap(), &recording, &[]), 1, &["conv3d1"]);
}

/// A checkpoint of a network whose classes and layers are named by a stranger.
fn checkpoint(folder: &Path, layers: &str, classes: &[&str]) -> PathBuf {
    let all = frames(folder, CLASSES[0].1);
    let made = Provenance::parse(all.provenance()).unwrap();
    let recipe = SampleRecipe {
        classes: classes.iter().map(|&name| name.to_owned()).collect(),
        ..SampleRecipe::new(made.frames)
    };
    let network = format!("[inputs.frames]\nshape = [2, 16, 16]\n{layers}");
    let network = NetworkConfig::from_toml(&network).unwrap().build::<f32>(3).unwrap();
    let config = TrainConfig::from_toml("optimizer = { type = 'sgd', learning_rate = 0.1 }");
    let mut trainer = Trainer::new(network, config.unwrap()).unwrap();
    trainer.notes_mut().insert(SampleRecipe::NOTE.into(), recipe.to_json().unwrap());
    let path = folder.join("strange.safetensors");
    trainer.save(&path).unwrap();
    path
}

#[test]
fn a_checkpoint_that_needs_too_much_memory_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let wide = "[[layers]]\ntype = 'conv2d'\nchannels = 1\nkernel = 1\npadding = 23000\n\
        [[layers]]\ntype = 'spatial_mean'\n[[layers]]\ntype = 'aggregate'\n";
    let path = checkpoint(folder.path(), wide, &[]);
    assert!(fs::metadata(&path).unwrap().len() < 4096);
    let (path, recording) = (path.to_str().unwrap(), &fixture(CLASSES[0].1));
    let begun = std::time::Instant::now();
    refused(&["predict", path, recording], 1, &[path, "memory", "4294967296", "--max-memory"]);
    // Allowed by the user, and refused by the system, in place of an abort.
    if cfg!(target_os = "linux") {
        let limited =
            "ulimit -v 4000000; exec \"$0\" predict \"$1\" \"$2\" --max-memory 100000 -j 1";
        let output = Command::new("sh")
            .args(["-c", limited, env!("CARGO_BIN_EXE_liaf"), path, recording])
            .output()
            .unwrap();
        crate::common::refused(&output, 1, &["the system does not have"]);
    }
    assert!(begun.elapsed().as_secs() < 120);
    let small = wide.replace("23000", "1000");
    let path = checkpoint(folder.path(), &small, &[]);
    let path = path.to_str().unwrap();
    refused(&["predict", path, recording, "--max-memory", "10"], 1, &["at most 10485760 bytes"]);
    let output = liaf(&["predict", path, recording, "--to", "10ms"]);
    crate::common::refused(
        &output,
        0,
        &["strange.safetensors: needs", " MB of memory, ", " MACs for each"],
    );
    assert!(
        !String::from_utf8_lossy(&liaf(&["predict", path, recording, "-q"]).stderr)
            .contains("MACs")
    );
}

#[test]
fn names_of_classes_do_not_control_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let two = "[[layers]]\ntype = 'flatten'\n[[layers]]\ntype = 'dense'\nunits = 2\n";
    let name = "\x1b]0;mine\x07\u{9b}2J";
    let path = checkpoint(folder.path(), two, &[name, name]);
    let recording = &fixture(CLASSES[0].1);
    let args = ["predict", path.to_str().unwrap(), recording];
    let output = liaf(&args);
    for text in [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)) {
        assert!(text.contains(r"\u{1b}]0;mine\u{7}\u{9b}2J"), "{text}");
        assert!(!text.contains(['\x1b', '\x07', '\u{9b}']), "{text}");
    }
    let json = out(&[&args[..], &["--json", "-q"]].concat());
    let row: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(row["class"], name);
    assert!(!json.contains(['\x1b', '\u{9b}']), "{json}");
}
