//! Real recordings against the numbers of decoders that we did not write.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use crate::common;

use liaf_data::model::Fingerprint;
use liaf_data::options::Coords;
use liaf_data::{ReadOptions, Recording};
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
    let found_summary = serde_json::to_value(found.stats).unwrap();
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
        let mut recording = Recording::open(data.join(file), ReadOptions::default()).unwrap();
        let height = recording.info().sensor.unwrap().height;
        let mut events = recording.read_all().unwrap();
        // jAER counts rows from the bottom.
        events.y_mut().iter_mut().for_each(|y| *y = height - 1 - *y);
        assert_equals(file, &common::fingerprint_of(&events), jaer);
        seen += 1;
    }
    assert!(seen >= 12, "only {seen} recordings");
}
