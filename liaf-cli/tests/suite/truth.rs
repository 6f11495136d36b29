//! The program on real recordings: fingerprints as independent decoders have them, and frames whose
//! sum, as h5py reads them, is the number of events.
//!
//! A newcomer's clone does not have the recordings; then these tests say so and pass.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::judge;

const KEYS: [&str; 12] = [
    "events", "on", "off", "t_first", "t_last", "x_min", "x_max", "y_min", "y_max", "sum_x",
    "sum_y", "xxh64",
];

fn shared_data() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let shared = std::env::var_os("LIAF_SHARED").map_or(root.join("../shared"), PathBuf::from);
    let data = shared.join("data");
    let found = data.join("truth.json").exists();
    if !found {
        eprintln!("skipped: no recordings with ground truth at {}", data.display());
    }
    found.then_some(data)
}

fn liaf(args: &[&str], path: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_liaf")).args(args).arg(path).output().unwrap()
}

#[test]
fn fingerprints_equal_what_independent_decoders_read() {
    let Some(data) = shared_data() else { return };
    let text = std::fs::read_to_string(data.join("truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&text).unwrap();
    let mut seen = 0;
    for (file, entry) in truth["files"].as_object().unwrap() {
        let folder = file.split('/').next().unwrap();
        let known = [
            "aedat1_nas",
            "aedat2",
            "aedat4",
            "dat",
            "dvs128_objects",
            "es",
            "evt2",
            "evt3",
            "nmnist",
            "text",
        ];
        if !known.contains(&folder) {
            continue;
        }
        let args = ["info", "--json", "--fingerprint", "--coords", "raw"];
        let output = liaf(&args, &data.join(file));
        assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let truth = entry["truth"].as_object().unwrap();
        if truth["events"] == 0 {
            // Frames alone.
            assert_eq!(found["stream"], Value::Null, "{file}");
            continue;
        }
        if truth.contains_key("es_type") {
            let samples = &found["report"]["samples"]["generic"];
            assert_eq!(found["stream"], Value::Null, "{file}");
            assert_eq!(samples["count"], truth["events"], "{file}");
            assert_eq!(samples["t_first"], truth["t_first"], "{file}");
            assert_eq!(samples["t_last"], truth["t_last"], "{file}");
            continue;
        }
        let mut compared = 0;
        for (key, expected) in truth {
            let key = key.strip_suffix("_us").unwrap_or(key);
            if KEYS.contains(&key) {
                assert_eq!(&found[key], expected, "{file}: {key}");
                compared += 1;
            }
        }
        assert!(compared >= 3, "{file}: nothing to compare");
        seen += 1;
    }
    assert!(seen >= 21, "only {seen} recordings");
}

#[test]
fn frames_sum_to_the_events_as_h5py_reads_them() {
    let (Some(data), Some(python)) = (shared_data(), judge::python("h5py")) else { return };
    let folder = tempfile::tempdir().unwrap();
    for (file, events) in [
        ("aedat4/davis346.aedat4", 78_830),
        ("aedat2/IMU_translBoxes.aedat", 162_771),
        ("aedat2/pendulo2.aedat", 160_245),
        ("evt3/evt3_sample.raw", 219_596),
    ] {
        let output = folder.path().join("frames.h5");
        let args = ["convert", "--window", "10ms", "--force", "-o", output.to_str().unwrap()];
        let done = liaf(&args, &data.join(file));
        assert!(done.status.success(), "{file}: {}", String::from_utf8_lossy(&done.stderr));
        let sum = "import h5py, sys; f = h5py.File(sys.argv[1]); \
                   print(int(f['frames'][:].sum()), f['frames'].ndim, f['timestamps'].shape[1])";
        let judged = Command::new(&python).args(["-c", sum]).arg(&output).output().unwrap();
        let judged = String::from_utf8_lossy(&judged.stdout).trim().to_owned();
        assert_eq!(judged, format!("{events} 4 2"), "{file}");
    }
}
