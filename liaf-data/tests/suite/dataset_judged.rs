//! The samples of data sets, recomputed with numpy from recordings as text.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use liaf_data::dataset::{Build, Contents, DataSet, ListOptions, SampleRule};
use liaf_data::frames::{Dtype, FrameOptions};
use liaf_data::{ReadOptions, SensorSize};
use serde_json::{Value, json};

use crate::judge;

const SIZE: [u16; 2] = [7, 5];

/// The kinds of files that are judged.
#[cfg(feature = "hdf5")]
const EXTENSIONS: [&str; 2] = ["npz", "h5"];
#[cfg(not(feature = "hdf5"))]
const EXTENSIONS: [&str; 1] = ["npz"];

/// Recordings of two classes, with gaps, simultaneous events and different lengths.
fn recordings(folder: &Path) {
    let mut state = 1_u64;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % n
    };
    for number in 0..6_u64 {
        let class = folder.join(["clap", "wave"][number as usize % 2]);
        fs::create_dir_all(&class).unwrap();
        let mut text = "t,x,y,p\n".to_owned();
        let mut t = 1_000_000 * number + 17;
        for _ in 0..200 + 90 * number {
            t += match below(60) {
                0 => 40_000,
                step => (step % 5) * 311,
            };
            let [x, y, p] = [below(SIZE[0].into()), below(SIZE[1].into()), below(2)];
            writeln!(text, "{t},{x},{y},{p}").unwrap();
        }
        fs::write(class.join(format!("{number}.csv")), text).unwrap();
    }
}

#[test]
fn samples_are_those_that_numpy_makes() {
    let Some(python) = judge::python("numpy, h5py") else { return };
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("set");
    recordings(&set);
    let listing = DataSet::named("folder").unwrap().list(&set, &ListOptions::default()).unwrap();
    let rules = [
        (SampleRule::Whole { steps: None }, json!({"kind": "whole", "steps": null})),
        (SampleRule::Whole { steps: Some(9) }, json!({"kind": "whole", "steps": 9})),
        (SampleRule::Whole { steps: Some(90) }, json!({"kind": "whole", "steps": 90})),
        (SampleRule::Bins { steps: 6 }, json!({"kind": "bins", "steps": 6})),
        (
            SampleRule::Cut { steps: 3, keep_partial: false },
            json!({"kind": "cut", "steps": 3, "pad": false}),
        ),
        (
            SampleRule::Cut { steps: 4, keep_partial: true },
            json!({"kind": "cut", "steps": 4, "pad": true}),
        ),
    ];
    let mut cases: Vec<Value> = Vec::new();
    for (rule, described) in &rules {
        for contents in [Contents::Frames, Contents::Sparse, Contents::Events] {
            if contents == Contents::Events && described["kind"] == "bins" {
                continue;
            }
            let times = [None, Some(0.7), Some(0.35)];
            for (time, extension) in times.iter().flat_map(|time| EXTENSIONS.map(|e| (*time, e))) {
                let name = format!("{}-{}-{}", cases.len(), contents.name(), described["kind"]);
                let name = name.replace('"', "");
                let build = Build {
                    frames: FrameOptions::window_ms(10).dtype(Dtype::U8),
                    read: ReadOptions {
                        sensor: Some(SensorSize::new(SIZE[0], SIZE[1])),
                        ..ReadOptions::default()
                    },
                    samples: *rule,
                    contents,
                    split: time
                        .map_or("none".into(), |part| format!("time:{part}"))
                        .parse()
                        .unwrap(),
                    ..Build::new("folder", folder.path().join(format!("{name}.{extension}")))
                        .unwrap()
                };
                let built = build.run(&listing, &|_| {}, &|| true).unwrap();
                assert!(built.failures.is_empty(), "{name}: {:?}", built.failures);
                let paths = built.files.iter().map(|(path, ..)| path.display().to_string());
                let splits = if time.is_some() { &["train", "test"][..] } else { &["none"] };
                let files: Value =
                    splits.iter().map(|s| (*s).to_owned()).zip(paths.map(Value::from)).collect();
                cases.push(json!({
                    "name": name, "folder": set, "files": files, "window": 10_000, "rule": described,
                    "time": time, "contents": contents.name(), "size": SIZE,
                }));
            }
        }
    }
    let list = folder.path().join("cases.json");
    fs::write(&list, serde_json::to_string(&cases).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/dataset_samples.py");
    let output = Command::new(python).arg(script).arg(list).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.lines().count(), cases.len());
}
