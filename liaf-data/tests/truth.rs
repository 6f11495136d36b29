//! Real recordings against the numbers of decoders that we did not write.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

mod common;

use liaf_data::{Coords, Fingerprint, ReadOptions};
use serde_json::Value;

/// Formats of the table that are read.
const FOLDERS: &[&str] = &[
    "aedat1_nas/",
    "aedat2/",
    "aedat4/",
    "dat/",
    "dvs128_objects/",
    "es/trcl",
    "evt2/",
    "evt3/",
    "nmnist/",
    "text/",
];

fn assert_equals(name: &str, found: &Fingerprint, truth: &Value) {
    let found_summary = serde_json::to_value(&found.summary).unwrap();
    let Value::Object(found_fields) = found_summary else { unreachable!() };
    for (key, value) in &found_fields {
        if let Some(expected) = truth.get(key) {
            assert_eq!(value, expected, "{name}: {key}");
        }
    }
    if let Some(expected) = truth.get("xxh64") {
        assert_eq!(format!("{:016x}", found.xxh64()), expected.as_str().unwrap(), "{name}: xxh64");
    }
}

#[test]
fn raw_events_equal_what_independent_decoders_read() {
    let Some(data) = common::shared_data() else { return };
    let truth: Value =
        serde_json::from_str(&std::fs::read_to_string(data.join("truth.json")).unwrap()).unwrap();
    let mut seen = 0;
    for (file, entry) in truth["files"].as_object().unwrap() {
        if !FOLDERS.iter().any(|folder| file.starts_with(folder)) {
            continue;
        }
        for parallel in [false, true] {
            let options = ReadOptions { coords: Coords::Raw, parallel, ..ReadOptions::default() };
            match common::fingerprint(&data.join(file), options) {
                Ok(found) => assert_equals(file, &found, &entry["truth"]),
                Err(error) => assert_eq!(entry["truth"]["events"], 0, "{error}"),
            }
        }
        seen += 1;
    }
    assert!(seen >= 12, "only {seen} recordings");
}

#[test]
fn canonical_dvs128_equals_jaer_up_to_the_flip_of_y() {
    let Some(data) = common::shared_data() else { return };
    let truth: Value =
        serde_json::from_str(&std::fs::read_to_string(data.join("truth.json")).unwrap()).unwrap();
    let mut seen = 0;
    for (file, entry) in truth["files"].as_object().unwrap() {
        let Some((_, jaer)) = entry["disagree"]
            .as_object()
            .and_then(|all| all.iter().find(|(who, _)| who.starts_with("jAER convention")))
        else {
            continue;
        };
        let found = common::fingerprint(&data.join(file), ReadOptions::default()).unwrap().summary;
        let height = if file.contains("IMU") { 180 } else { 128 };
        assert_eq!(Value::from(found.events), jaer["events"], "{file}");
        assert_eq!(Value::from(found.on), jaer["on"], "{file}");
        assert_eq!(Value::from(found.sum_x), jaer["sum_x"], "{file}");
        let unflipped = found.events * (height - 1) - found.sum_y;
        assert_eq!(Value::from(unflipped), jaer["sum_y"], "{file}");
        seen += 1;
    }
    assert!(seen >= 12, "only {seen} recordings");
}
