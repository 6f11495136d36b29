//! What is decided about columns where a file is opened: polarities, fractions, the size of the sensor,
//! and the unit of times. Files are written here byte by byte, or come from the fixtures.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

#[cfg(feature = "hdf5")]
use liaf_data::SensorSize;
use liaf_data::convert::{ConvertOptions, convert};
use liaf_data::frames::FrameOptions;
use liaf_data::model::Finding;
#[cfg(feature = "hdf5")]
use liaf_data::model::SensorSource;
use liaf_data::model::TimePoint::Absolute;
use liaf_data::options::{ColumnMap, TimeUnit};
use liaf_data::tensor::{Container, TensorOptions};
use liaf_data::{EventBatch, Hint, ReadOptions, Recording, Report};

use crate::common;

/// The bytes of an `.npy` file of an array of this type and shape.
pub(crate) fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
    while (text.len() + 11) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(data);
    bytes
}

/// Records of t, x, y and p, where x is a number that may have a fraction.
fn records(rows: impl Iterator<Item = (i64, f32, u16, i16)>) -> Vec<u8> {
    let mut data = Vec::new();
    let mut count = 0;
    for (t, x, y, p) in rows {
        data.extend(t.to_le_bytes());
        data.extend(x.to_le_bytes());
        data.extend(y.to_le_bytes());
        data.extend(p.to_le_bytes());
        count += 1;
    }
    let descr = "[('t', '<i8'), ('x', '<f4'), ('y', '<u2'), ('p', '<i2')]";
    npy(descr, &format!("({count},)"), &data)
}

fn polarities(values: impl Iterator<Item = i16>) -> Vec<u8> {
    records(values.enumerate().map(|(i, p)| (10 * i as i64, (i % 50) as f32, (i % 40) as u16, p)))
}

fn read(bytes: Vec<u8>, options: ReadOptions) -> (EventBatch, Report) {
    let mut recording = Recording::from_bytes(bytes, options).unwrap();
    let mut reader = recording.reader().unwrap();
    let mut events = EventBatch::new();
    reader.read_to_end(&mut events).unwrap();
    (events, reader.report())
}

fn on_of(events: &EventBatch) -> usize {
    events.p().iter().filter(|&&p| p == 1).count()
}

fn convert_error(path: &Path, options: ReadOptions) -> liaf_data::Error {
    let options = Recording::open(path, options).map(|mut recording| {
        let make = ConvertOptions {
            frames: FrameOptions::default(),
            container: Container::Npz,
            tensor: TensorOptions::default(),
        };
        convert(&mut recording, None, &make, &mut |_| ControlFlow::Continue(()))
    });
    options.unwrap().unwrap_err()
}

#[test]
fn the_set_of_polarities_says_what_they_mean() {
    for (off, on) in [(0, 1), (-1, 1), (1, 2), (0, 255), (255, 1)] {
        let values = (0..300).map(|i| if i % 3 == 0 { on } else { off });
        let (events, report) = read(polarities(values), ReadOptions::default());
        assert_eq!((events.len(), on_of(&events)), (300, 100), "{off} {on}");
        let is_noted = report.notes.iter().any(|note| note.hint == Some(Hint::StatePolarity));
        assert_eq!(is_noted, on != 1, "{off} {on}: {:?}", report.notes);
    }
    for values in [[0, 1, 2], [3, 4, 3], [255, 255, 255]] {
        let bytes = polarities((0..300).map(|i| values[i % 3]));
        let error = Recording::from_bytes(bytes.clone(), ReadOptions::default()).unwrap_err();
        assert!(error.hints().contains(&Hint::StatePolarity), "{values:?}: {error}");
        // The way out: the values are stated, and what is neither is counted.
        let options = ReadOptions::new().polarity_values(values[0].into(), 4);
        let (events, report) = read(bytes, options);
        assert_eq!(events.len() as u64 + report.count(Finding::BadValues), 300);
        assert!(!events.is_empty());
    }
}

#[test]
fn a_later_polarity_outside_the_set_is_an_error_with_its_row_for_every_reader() {
    // So many that an interval is found by halving, without an index of all rows.
    const ROWS: i64 = 270_000;
    const FIRST: i64 = 90_003;
    let value = |i: i64| if i == FIRST { 2 } else { (i % 2) as i16 };
    let rows = || (0..ROWS).map(|i| (1000 * i, 1.0, 2, value(i)));
    for parallel in [false, true] {
        let options = ReadOptions::new().parallel(parallel);
        let mut recording = Recording::from_bytes(records(rows()), options.clone()).unwrap();
        let mut reader = recording.reader().unwrap();
        let (mut batch, mut count) = (EventBatch::new(), 0);
        let error = loop {
            match reader.read_into(&mut batch, 1000) {
                Ok(0) => panic!("the error is missing"),
                Ok(n) => count += n as i64,
                Err(error) => break error,
            }
        };
        assert_eq!(count, FIRST);
        assert!(error.to_string().contains("row 90003 is 2"), "{error}");
        // A slice that begins after the first rows reads by the decision that was made by those.
        let slice = recording.between(Absolute(90_001_000), Absolute(90_010_000)).batches();
        let slice = slice.and_then(|slice| slice.collect::<liaf_data::Result<Vec<_>>>());
        assert!(slice.unwrap_err().to_string().contains("row 90003 is 2"));
        let (events, report) = read(records(rows()), options.polarity_values(0, 1));
        assert_eq!((events.len() as i64, report.count(Finding::BadValues)), (ROWS - 1, 1));
    }
}

#[test]
fn fractions_are_refused_with_their_cause_or_rounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rectified.npy");
    let x = |i: i64| match i {
        0 => -0.8,
        1 => 49.6,
        i => (i % 40) as f32 + 0.25,
    };
    let rows = (0..40).map(|i| (i, x(i), 3, (i % 2) as i16));
    std::fs::write(&path, records(rows)).unwrap();
    let error = convert_error(&path, ReadOptions::default());
    assert!(error.to_string().contains("40 that are lost"), "{error}");
    assert!(error.to_string().contains("x of row 0 is not valid"), "{error}");
    assert_eq!(error.hints(), [Hint::RoundPixels]);
    let rounded = |options: ReadOptions| read(std::fs::read(&path).unwrap(), options);
    let (events, report) = rounded(ReadOptions::new().round(true).sensor(50, 10));
    // One is rounded to the left of every sensor, and one to the right of this.
    assert_eq!((events.len(), report.count(Finding::OutOfSensor)), (38, 2));
    assert_eq!(&events.x()[..2], [2, 3]);
    let (events, _) = rounded(ReadOptions::new().scale(2.0));
    assert_eq!((events.x()[0], events.x()[1], events.y()[1]), (99, 5, 6));
}

#[test]
fn events_that_all_lie_outside_the_sensor_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outside.npy");
    std::fs::write(&path, records((0..40).map(|i| (i, 20.0, 3, 1)))).unwrap();
    let error = convert_error(&path, ReadOptions::new().sensor(1, 1));
    assert!(error.to_string().contains("event 0 lies outside the sensor"), "{error}");
    assert_eq!(error.hints(), [Hint::StateSensor]);
    // A part of them is a note with its share.
    let rows = (0..40).map(|i| (i, if i < 10 { 20.0 } else { 0.0 }, 0, 1));
    let (_, report) = read(records(rows), ReadOptions::new().sensor(1, 1));
    let note = report.notes.iter().find(|note| note.text.contains("10 of 40 events are lost"));
    assert_eq!(note.unwrap().hint, Some(Hint::StateSensor));
}

fn fixture(name: &str) -> PathBuf {
    common::fixtures().join("good").join(name)
}

fn all(path: &Path) -> EventBatch {
    Recording::open(path, ReadOptions::default()).unwrap().read_all().unwrap()
}

#[test]
fn a_recording_of_one_file_a_column_is_read_as_one() {
    let expected = all(&fixture("numpy/pixel_pairs.npz"));
    assert_eq!(expected.len(), 300);
    // As EVIMO2 has them: seconds, pixels in two columns, and polarities of one byte.
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().to_path_buf();
    let times = expected.t().iter().flat_map(|&t| (t as f64 / 1e6).to_le_bytes());
    let pixels = expected.x().iter().zip(expected.y());
    let pixels = pixels.flat_map(|(x, y)| [x.to_le_bytes(), y.to_le_bytes()].concat());
    let write = |name: &str, bytes| std::fs::write(folder.join(name), bytes).unwrap();
    write("events_t.npy", npy("'<f8'", "(300,)", &times.collect::<Vec<_>>()));
    write("events_xy.npy", npy("'<u2'", "(300, 2)", &pixels.collect::<Vec<_>>()));
    write("events_p.npy", npy("'|u1'", "(300,)", expected.p()));
    write("poses.npy", npy("'|u1'", "(3,)", &[1, 2, 3]));
    for path in [folder.clone(), folder.join("events_t.npy")] {
        let mut recording = Recording::open(&path, ReadOptions::default()).unwrap();
        assert_eq!(recording.read_all().unwrap(), expected, "{path:?}");
        let mut reader = recording.reader().unwrap();
        let mut slice = EventBatch::new();
        reader.read_to_end(&mut slice).unwrap();
        assert_eq!(Some(reader.report().bytes.total()), recording.info().bytes);
        let (from, to) = (expected.t()[100], expected.t()[200]);
        let batches = recording.between(Absolute(from), Absolute(to)).batches().unwrap();
        let count: usize = batches.map(|batch| batch.unwrap().len()).sum();
        let wanted = expected.t().iter().filter(|&&t| (from..to).contains(&t)).count();
        assert_eq!(count, wanted);
    }
    let error = Recording::open(folder.join("events_p.npy"), ReadOptions::default()).unwrap_err();
    assert!(error.to_string().contains("events_t.npy"), "{error}");
}

#[test]
fn a_simulated_file_in_ns_is_noted_by_its_name() {
    let path = fixture("numpy/0000000000.npz");
    let recording = Recording::open(&path, ReadOptions::default()).unwrap();
    let noted = |recording: &Recording| {
        recording.info().notes.iter().any(|note| note.hint == Some(Hint::StateTimeUnit))
    };
    assert!(noted(&recording));
    let options = ReadOptions::new().time_unit(TimeUnit::Nanoseconds);
    assert!(!noted(&Recording::open(&path, options).unwrap()));
    assert!(!noted(
        &Recording::open(fixture("numpy/four_stored.npz"), ReadOptions::new()).unwrap()
    ));
}

#[cfg(feature = "hdf5")]
#[test]
fn a_size_with_the_width_first_is_taken_turned_and_noted() {
    let path = fixture("hdf5/width_first.h5");
    let mut recording = Recording::open(&path, ReadOptions::default()).unwrap();
    let info = recording.info().clone();
    let events = recording.read_all().unwrap();
    let right =
        SensorSize::new(events.x().iter().max().unwrap() + 1, events.y().iter().max().unwrap() + 1);
    assert_eq!((info.sensor, info.sensor_source), (Some(right), SensorSource::Header));
    assert!(info.notes.iter().any(|note| note.hint == Some(Hint::StateSensor)));
    // A stated size is never turned.
    let stated = ReadOptions::new().sensor(right.height, right.width);
    assert_eq!(Recording::open(&path, stated).unwrap().info().sensor.unwrap().width, right.height);
}

#[cfg(feature = "hdf5")]
#[test]
fn keys_name_the_members_of_records() {
    let path = fixture("hdf5/dv_records.h5");
    let expected = all(&path);
    for keys in ["t=timestamp,p=polarity", "t=timestamp,x=x,y=y,p=polarity"] {
        let options = ReadOptions::new().column_map(keys.parse::<ColumnMap>().unwrap());
        let found = Recording::open(&path, options).unwrap().read_all().unwrap();
        assert_eq!(found, expected, "{keys}");
    }
    let wrong = ReadOptions::new().column_map("t=nothing".parse::<ColumnMap>().unwrap());
    assert!(Recording::open(&path, wrong).is_err());
}

#[test]
fn structures_and_matrices_of_matlab_are_chosen_by_name() {
    let path = fixture("mat/td_struct.mat");
    let recording = Recording::open(&path, ReadOptions::default()).unwrap();
    assert_eq!(recording.info().streams[0].name, "TD");
    let expected = all(&path);
    for keys in ["t=ts,x=x,y=y,p=p", "t=TD.ts,x=TD.x,y=TD.y,p=TD.p"] {
        let options = ReadOptions::new().column_map(keys.parse::<ColumnMap>().unwrap());
        assert_eq!(
            Recording::open(&path, options).unwrap().read_all().unwrap(),
            expected,
            "{keys}"
        );
    }
    let options = ReadOptions::new().stream("TD");
    assert_eq!(Recording::open(&path, options).unwrap().read_all().unwrap(), expected);
    let order = ReadOptions::new().column_map("x,y,t,p".parse::<ColumnMap>().unwrap());
    let matrix = fixture("mat/matrix.mat");
    assert_eq!(Recording::open(&matrix, order).unwrap().read_all().unwrap(), all(&matrix));
}
