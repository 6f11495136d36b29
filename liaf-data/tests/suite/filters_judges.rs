//! Filters against numpy, tonic and dv-processing.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

use std::path::Path;
use std::process::Command;

use liaf_data::filter::{Chain, FILTERS, FilterSpec, Selection};
use liaf_data::{Event, EventBatch, SensorSize};
use serde_json::json;

use super::frames_judges::{SENSOR, bytes, python};

/// Events in order of time, many of them beside one another, from 1 s on.
fn recording(n: usize) -> EventBatch {
    let mut seed = 5_u64;
    let mut below = |n: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    let mut t = 1_000_000;
    let event = |_| {
        t += [0, 1, 7, 40, 300][below(5) as usize];
        let (x, y) = (below(23) as u16, below(17) as u16);
        Event { t, x, y, p: below(2) as u8 }
    };
    (0..n).map(event).collect()
}

/// Runs a filter over a recording in batches of this length. Also returns the sensor after it.
fn run(spec: &FilterSpec, events: &EventBatch, cut: usize) -> (EventBatch, SensorSize) {
    let selection = Selection::default().filter(spec.clone());
    let mut chain = Chain::new(&selection, SENSOR).unwrap();
    let all: Vec<Event> = events.iter().collect();
    let mut kept = EventBatch::new();
    for part in all.chunks(cut) {
        let mut batch: EventBatch = part.iter().copied().collect();
        chain.apply(&mut batch);
        kept.append(&mut batch);
    }
    let mut held = EventBatch::new();
    chain.finish(&mut held).unwrap();
    kept.append(&mut held);
    assert_eq!(chain.removed().total() as usize + kept.len(), events.len());
    (kept, chain.sensor())
}

#[test]
fn filters_equal_those_of_numpy_tonic_and_dv() {
    let folder = tempfile::tempdir().unwrap();
    let hot = folder.path().join("hot.csv");
    std::fs::write(&hot, "x,y\n3,4\n0,16\n22,0\n").unwrap();
    let map = folder.path().join("map.npy");
    let mask = format!("mask:file={}", hot.display());
    let undistort = format!("undistort:map={}", map.display());
    let specs = [
        "refractory:period=500us",
        "background-activity:period=400us",
        "background-activity:period=400us,neighbours=4",
        "mask:x=2,y=3,w=10,h=4",
        &mask,
        "decimate:n=3",
        "downsample:factor=2",
        "downsample:factor=5",
        "scale-time:factor=0.5",
        "scale-time:factor=2,offset=1ms",
        "time-reversal",
        "time-reversal:polarity=keep",
        "flip-x",
        "flip-y",
        "flip-polarity",
        "transpose",
        &undistort,
        "drop:fraction=0.3,seed=7",
        "drop-area:fraction=0.25,seed=1",
        "drop-time:fraction=0.2,period=20ms,seed=2",
        "jitter:space=1.5,seed=3",
        "jitter:space=0,time=200us",
    ];
    for known in FILTERS {
        let has_case = specs.iter().any(|spec| spec.split(':').next() == Some(known.name));
        assert!(has_case, "{} has no case", known.name);
    }
    let Some(python) = python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/filters.py");
    let made = Command::new(&python).arg(&script).arg("--map").arg(&map).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let events = recording(8_000);
    std::fs::write(folder.path().join("events.bin"), bytes(&events)).unwrap();
    let mut cases = Vec::new();
    for (number, text) in specs.iter().enumerate() {
        let spec: FilterSpec = text.parse().unwrap();
        let (kept, sensor) = run(&spec, &events, 8_000);
        for cut in [1, 97] {
            assert!(run(&spec, &events, cut).0.iter().eq(kept.iter()), "{text} in pieces of {cut}");
        }
        let name = format!("kept_{number}.bin");
        std::fs::write(folder.path().join(&name), bytes(&kept)).unwrap();
        cases.push(json!({
            "filter": spec.name(), "parameters": spec.parameters(), "sensor": SENSOR,
            "after": sensor, "kept": name,
        }));
    }
    let path = folder.path().join("cases.json");
    std::fs::write(&path, serde_json::to_vec(&cases).unwrap()).unwrap();
    let output = Command::new(python).arg(script).arg(path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    eprintln!("{said}");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("equal: "));
}

#[test]
fn seeds_decide_what_random_filters_do() {
    let events = recording(2_000);
    for name in ["drop", "drop-area", "drop-time", "jitter"] {
        let kept = |text: &str| run(&text.parse().unwrap(), &events, 100).0;
        let period = if name == "drop-time" { ",period=5ms" } else { "" };
        let [one, same, other] =
            ["seed=1", "seed=1", "seed=2"].map(|seed| kept(&format!("{name}:{seed}{period}")));
        assert!(one.iter().eq(same.iter()), "{name}");
        assert!(!one.iter().eq(other.iter()), "{name}");
    }
}

#[test]
fn parameters_of_filters_are_checked() {
    for bad in [
        "drop:fraction=1.5",
        "drop:seed=-1",
        "drop-time:period=0s",
        "decimate:n=0",
        "downsample:factor=0",
        "scale-time:factor=0",
        "scale-time:factor=nan",
        "jitter:space=-1",
        "time-reversal:polarity=on",
        "time-reversal:events=-1",
        "undistort",
        "undistort:map=/nowhere.npy",
        "flip-x:axis=1",
    ] {
        assert!(bad.parse::<FilterSpec>().is_err(), "{bad}");
    }
}

#[test]
fn maps_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.npy");
    let spec = || format!("undistort:map={}", path.display()).parse::<FilterSpec>();
    let header = |text: &str, data: usize| {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.bytes());
        bytes.extend(vec![0; data]);
        bytes
    };
    let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 2), }\n";
    std::fs::write(&path, header(good, 96)).unwrap();
    let error = spec().unwrap().make(SENSOR).unwrap_err().to_string();
    assert!(error.contains("another size of sensor: expected 23x17, found 4x3"), "{error}");
    assert!(spec().unwrap().make(SensorSize::new(4, 3)).is_ok());
    let bad = [
        (header(good, 95), "95 bytes"),
        (header(&good.replace("2)", "3)"), 200), "shape"),
        (header(&good.replace("(3,", "(70000,"), 200), "shape"),
        (header(&good.replace("<f4", "<u4"), 96), "another type"),
        (header(&good.replace("False", "True"), 96), "another type or order"),
        (b"x,y\n".to_vec(), "other bytes"),
        (header(good, 0)[..30].to_vec(), "cut off"),
    ];
    for (bytes, said) in bad {
        std::fs::write(&path, bytes).unwrap();
        let error = spec().unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("map.npy"), "{error}");
    }
}
