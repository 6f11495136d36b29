//! Event files that are written here, read by decoders that are not ours.

use std::process::Command;

use liaf_data::write::{self, Compression, EventSpec, WriteOptions};
use liaf_data::{Event, EventBatch, SensorSize};

use crate::judge;

const DAVIS: SensorSize = SensorSize::new(346, 260);
const DVS128: SensorSize = SensorSize::new(128, 128);
const ATIS: SensorSize = SensorSize::new(240, 180);

/// What is written, and the function in `fixtures/oracles/decoders.py` that reads it.
type Case = (&'static str, Compression, &'static str, SensorSize);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("aedat2", Compression::None, "davis_words", DAVIS),
    ("aedat2", Compression::None, "evutils_davis", DAVIS),
    ("aedat2", Compression::None, "dvs128_words", DVS128),
    ("aedat2", Compression::None, "evutils_dvs128", DVS128),
    ("aedat3", Compression::None, "evutils", DAVIS),
    ("aedat4", Compression::None, "dv_processing", DAVIS),
    ("aedat4", Compression::None, "aedat", DAVIS),
    ("aedat4", Compression::None, "faery", DAVIS),
    ("aedat4", Compression::None, "evutils", DAVIS),
    ("aedat4", Compression::None, "evlib", DAVIS),
    ("aedat4", Compression::None, "tonic_aedat4", DAVIS),
    ("aedat4", Compression::Lz4, "dv_processing", DAVIS),
    ("aedat4", Compression::Lz4, "aedat", DAVIS),
    ("aedat4", Compression::Lz4, "faery", DAVIS),
    ("aedat4", Compression::Lz4, "evlib", DAVIS),
    ("aedat4", Compression::Lz4, "tonic_aedat4", DAVIS),
    ("aedat4", Compression::Zstd, "dv_processing", DAVIS),
    ("aedat4", Compression::Zstd, "aedat", DAVIS),
    ("aedat4", Compression::Zstd, "faery", DAVIS),
    ("aedat4", Compression::Zstd, "tonic_aedat4", DAVIS),
    ("csv", Compression::None, "csv_lines", DAVIS),
    ("csv", Compression::None, "faery", DAVIS),
    ("e2vid", Compression::None, "e2vid", DAVIS),
    ("dat", Compression::None, "expelliarmus_dat", DAVIS),
    ("dat", Compression::None, "faery", DAVIS),
    ("dat", Compression::None, "evutils", DAVIS),
    ("evt2", Compression::None, "expelliarmus_evt2", DAVIS),
    ("evt2", Compression::None, "faery", DAVIS),
    ("evt2", Compression::None, "evlib", DAVIS),
    ("evt2", Compression::None, "evutils", DAVIS),
    ("evt21", Compression::None, "evlib", DAVIS),
    ("evt21-legacy", Compression::None, "evutils", DAVIS),
    ("evt3", Compression::None, "evt3", DAVIS),
    ("evt3", Compression::None, "faery", DAVIS),
    ("evt3", Compression::None, "evlib", DAVIS),
    ("evt3", Compression::None, "evutils", DAVIS),
    ("es", Compression::None, "event_stream", DAVIS),
    ("es", Compression::None, "faery", DAVIS),
    ("atis-bin", Compression::None, "tonic", ATIS),
    ("h5-events", Compression::None, "h5py", DAVIS),
    ("h5-events", Compression::Deflate(4), "h5py", DAVIS),
    ("h5-events", Compression::Deflate(4), "dsec", DAVIS),
    ("h5-events", Compression::Deflate(4), "evlib", DAVIS),
    ("h5-events", Compression::Deflate(4), "evutils", DAVIS),
    ("parquet", Compression::Zstd, "polars", DAVIS),
    ("parquet", Compression::Zstd, "pyarrow", DAVIS),
    ("parquet", Compression::None, "polars", DAVIS),
    ("parquet", Compression::None, "pyarrow", DAVIS),
    ("npy-events", Compression::None, "numpy_array", DAVIS),
    ("npz-events", Compression::None, "numpy_array", DAVIS),
    ("npz-events", Compression::None, "evutils", DAVIS),
    ("npz-events", Compression::Deflate(9), "numpy_array", DAVIS),
    ("npz-events", Compression::Deflate(9), "evutils", DAVIS),
];

/// Many events share a time, a row and a polarity, so that there are vectors of them.
fn events(sensor: SensorSize, reader: &str) -> EventBatch {
    let (width, height) = (u64::from(sensor.width), u64::from(sensor.height));
    let mut state = 9_u64;
    let (mut t, mut x, mut y) = (0, 0, 0);
    let mut events: EventBatch = (0..20_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_041);
            let random = state >> 33;
            if !random.is_multiple_of(5) && x + 1 < width {
                x += 1 + random / 5 % 3;
                x = x.min(width - 1);
            } else {
                t += (random % 1000) as i64;
                (x, y) = (random / 3 % width, random / 7 % height);
            }
            Event { t, x: x as u16, y: y as u16, p: (t & 1) as u8 }
        })
        .collect();
    if reader == "evutils_dvs128" {
        // It takes a bit of the row for the mark of an external event, whatever the camera.
        events.retain(|event| (127 - event.y) & 4 == 0);
    }
    events
}

/// A number that depends on every event and on their order.
fn sum(events: &EventBatch) -> u64 {
    events.iter().zip(1_u64..).fold(0, |sum, (event, number)| {
        let place = 7 * u64::from(event.x) + 13 * u64::from(event.y) + u64::from(event.p);
        sum.wrapping_add(number.wrapping_mul(place.wrapping_add_signed(event.t)))
    })
}

#[test]
fn foreign_decoders_find_the_events_that_were_written() {
    let mut cases: Vec<_> = CASES.iter().map(|&case| (case, events(case.3, case.2))).collect();
    // Differences of times that go around all 64 bits, and columns of each width.
    let far = [0, i64::MAX, i64::MIN, -1, i64::MIN, i64::MAX, 5];
    let far = far.map(|t| Event { t, x: u16::MAX - 1, y: 0, p: (t & 1) as u8 });
    for reader in ["polars", "pyarrow"] {
        let sensor = SensorSize::new(u16::MAX, 1);
        cases.push((("parquet", Compression::Zstd, reader, sensor), far.into_iter().collect()));
    }
    judge_all(&cases);
}

fn judge_all(cases: &[(Case, EventBatch)]) {
    let Some(python) = judge::python("numpy") else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/oracles/read_events.py");
    let mut command = Command::new(&python);
    command.arg(script);
    let mut expected = Vec::new();
    for (number, ((name, compression, reader, sensor), events)) in cases.iter().enumerate() {
        // HDF5 and Parquet are features.
        let Some(target) = write::target(name) else { continue };
        let path = folder.path().join(number.to_string()).with_extension(target.extension);
        let options = WriteOptions { compression: Some(*compression), ..WriteOptions::default() };
        let mut writer = write::create(&path, target, &EventSpec::new(*sensor), &options).unwrap();
        writer.write(events).unwrap();
        writer.finish().unwrap();
        command.arg(reader).arg(&path).arg(sensor.to_string());
        let what = format!("{name} {compression} by {reader}");
        expected.push((what, format!("{} {}", events.len(), sum(events))));
    }
    let judged = command.output().unwrap();
    let found = String::from_utf8_lossy(&judged.stdout);
    let errors = String::from_utf8_lossy(&judged.stderr);
    assert_eq!(found.lines().count(), expected.len(), "{found}\n{errors}");
    for (found, (what, expected)) in found.lines().zip(expected) {
        if found.starts_with("skipped: ") {
            eprintln!("{what} {found}");
        } else {
            assert_eq!(found, expected, "{what}: {errors}");
        }
    }
}
