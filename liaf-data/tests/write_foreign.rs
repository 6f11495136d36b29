//! Event files that are written here, read by decoders that are not ours.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

#[path = "../src/tensor/judge.rs"]
mod judge;

use std::process::Command;

use liaf_data::write::{self, EventSpec, WriteOptions};
use liaf_data::{Event, EventBatch, SensorSize};

fn events(sensor: SensorSize) -> EventBatch {
    let mut state = 9_u64;
    let mut t = 0;
    (0..20_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_041);
            let random = state >> 33;
            t += (random % 1000) as i64;
            let (x, y) = (random % u64::from(sensor.width), random / 7 % u64::from(sensor.height));
            Event { t, x: x as u16, y: y as u16, p: (random >> 20 & 1) as u8 }
        })
        .collect()
}

/// A number that depends on every event and on their order.
fn sum(events: &EventBatch) -> u64 {
    events.iter().zip(1_u64..).fold(0, |sum, (event, number)| {
        let one = event.t as u64 + 7 * u64::from(event.x) + 13 * u64::from(event.y);
        sum.wrapping_add(number.wrapping_mul(one + u64::from(event.p)))
    })
}

#[test]
fn foreign_decoders_find_the_events_that_were_written() {
    let Some(python) = judge::python("numpy") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (davis, atis) = (SensorSize::new(346, 260), SensorSize::new(240, 180));
    for (name, reader, sensor) in [
        ("aedat2", "davis_words", davis),
        ("aedat3", "evutils", davis),
        ("aedat4", "dv_processing", davis),
        ("aedat4", "aedat", davis),
        ("aedat4", "faery", davis),
        ("csv", "csv_lines", davis),
        ("csv", "faery", davis),
        ("dat", "expelliarmus_dat", davis),
        ("dat", "faery", davis),
        ("evt2", "expelliarmus_evt2", davis),
        ("evt2", "faery", davis),
        ("evt21", "evlib", davis),
        ("evt21-legacy", "evutils", davis),
        ("evt3", "evt3", davis),
        ("evt3", "faery", davis),
        ("es", "event_stream", davis),
        ("es", "faery", davis),
        ("atis-bin", "tonic", atis),
    ] {
        let events = events(sensor);
        let target = write::target(name).unwrap();
        let path = folder.path().join("a").with_extension(target.extension);
        let options = WriteOptions { overwrite: true, ..WriteOptions::default() };
        let mut writer = write::create(&path, target, &EventSpec::new(sensor), &options).unwrap();
        writer.write(&events).unwrap();
        writer.finish().unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/oracles/read_events.py");
        let mut command = Command::new(&python);
        command.arg(script).arg(reader).arg(&path).arg(sensor.height.to_string());
        let judged = command.output().unwrap();
        let found = String::from_utf8_lossy(&judged.stdout).trim().to_owned();
        let errors = String::from_utf8_lossy(&judged.stderr);
        if found.starts_with("skipped: ") {
            eprintln!("{found}");
            continue;
        }
        let expected = format!("{} {}", events.len(), sum(&events));
        assert_eq!(found, expected, "{name} by {reader}: {errors}");
    }
}
