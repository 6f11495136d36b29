//! Recordings in pieces read as one.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]
#![cfg(all(feature = "xml", feature = "zip", feature = "zstd"))]

use std::fs;
use std::path::{Path, PathBuf};

use liaf_data::options::TimeUnit;
use liaf_data::write::{self, EventSpec, WriteOptions};
use liaf_data::{ErrorKind, EventBatch, ReadOptions, Recording, Report, SensorSize};

use crate::common::fixtures;

fn original() -> EventBatch {
    let path = fixtures().join("good/csv/tiny.csv");
    Recording::open(path, ReadOptions::new()).unwrap().read_all().unwrap()
}

/// Writes `events` in pieces of `size`, by this name of a target.
fn pieces(folder: &Path, target: &str, events: &EventBatch, size: usize) -> Vec<PathBuf> {
    let target = write::target(target).unwrap();
    let mut paths = Vec::new();
    for (number, start) in (0..events.len()).step_by(size).enumerate() {
        let path = folder.join(format!("part_{number}.{}", target.extension));
        let mut batch = EventBatch::new();
        batch.extend_from(&events[start..events.len().min(start + size)]);
        let spec = EventSpec::new(SensorSize::new(640, 480));
        let options = WriteOptions { sync: false, ..WriteOptions::default() };
        let mut writer = write::create(&path, target, &spec, &options).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        paths.push(path);
    }
    paths
}

fn read(recording: &mut Recording) -> (EventBatch, Report) {
    let mut reader = recording.reader().unwrap();
    let mut events = EventBatch::new();
    reader.read_to_end(&mut events).unwrap();
    (events, reader.report())
}

fn bytes(paths: &[PathBuf]) -> u64 {
    paths.iter().map(|path| fs::metadata(path).unwrap().len()).sum()
}

#[test]
fn pieces_of_every_kind_read_as_one() {
    let events = original();
    for target in ["csv", "npy-events", "aedat4", "aedat2", "evt2", "evt3", "dat", "es"] {
        let folder = tempfile::tempdir().unwrap();
        let mut paths = pieces(folder.path(), target, &events, events.len() / 12);
        assert!(paths.len() > 10);
        // They are put in order, whatever the order in which they are named.
        paths.reverse();
        let mut joined = Recording::join(&paths, ReadOptions::new()).unwrap();
        let (read, report) = read(&mut joined);
        assert!(read == events, "{target}");
        assert_eq!(report.events, events.len() as u64, "{target}");
        assert_eq!(report.bytes.total(), bytes(&paths), "{target}");
        assert_eq!(joined.info().bytes, Some(bytes(&paths)), "{target}");
        assert_eq!(joined.info().details["pieces"], paths.len().to_string());
        // Again, and in parts.
        assert!(joined.read_all().unwrap() == events, "{target}");
        let (from, to) = (events.t()[events.len() / 3], events.t()[events.len() / 2]);
        let mut slice = EventBatch::new();
        let mut reader = joined.slice(from..to).unwrap();
        reader.read_to_end(&mut slice).unwrap();
        let wanted = events.iter().filter(|event| (from..to).contains(&event.t));
        assert!(slice.iter().eq(wanted), "{target}");
        assert_eq!(reader.report().bytes.total(), bytes(&paths), "{target}");
        assert_eq!(joined.index().unwrap().events, events.len() as u64, "{target}");
        assert!(joined.keep_index().is_err());
    }
}

#[test]
fn the_sensor_is_that_of_all_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("0.csv"), "t,x,y,p\n1,5,6,0\n2,5,7,1\n").unwrap();
    fs::write(path("1.csv"), "t,x,y,p\n3,50,60,1\n").unwrap();
    let mut joined = Recording::join([path("0.csv"), path("1.csv")], ReadOptions::new()).unwrap();
    assert_eq!(joined.find_sensor().unwrap(), SensorSize::new(51, 61));
    assert_eq!(joined.read_all().unwrap().t(), [1, 2, 3]);
}

/// The clock of EVT 3.0 has 24 bits. In the files of a long recording, each decoder starts at 0.
#[test]
fn a_clock_that_starts_again_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let period = 1 << 24;
    let mut events = original();
    let (first, last) = (events.t()[0], *events.t().last().unwrap());
    let step = (4 * period) / (last - first).max(1);
    events.t_mut().iter_mut().for_each(|t| *t = (*t - first) * step);
    let target = write::target("evt3").unwrap();
    let mut paths = Vec::new();
    let size = events.len() / 10;
    for (number, start) in (0..events.len()).step_by(size).enumerate() {
        let mut piece = EventBatch::new();
        piece.extend_from(&events[start..events.len().min(start + size)]);
        let epoch = piece.t()[0] / period * period;
        piece.t_mut().iter_mut().for_each(|t| *t -= epoch);
        let path = folder.path().join(format!("long_{number:04}.raw"));
        let options = WriteOptions { sync: false, ..WriteOptions::default() };
        let spec = EventSpec::new(SensorSize::new(640, 480));
        let mut writer = write::create(&path, target, &spec, &options).unwrap();
        writer.write(&piece).unwrap();
        writer.finish().unwrap();
        paths.push(path);
    }
    let mut joined = Recording::join(&paths, ReadOptions::new()).unwrap();
    let (read, report) = read(&mut joined);
    assert!(read == events);
    let notes: Vec<_> = report.notes.iter().map(ToString::to_string).collect();
    assert!(notes.iter().any(|note| note.contains("clock starts again")), "{notes:?}");
}

#[test]
fn what_is_not_of_one_recording_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let refused = |names: &[&str]| {
        let paths: Vec<_> = names.iter().map(|name| path(name)).collect();
        let error = Recording::join(paths, ReadOptions::new()).and_then(|mut r| r.read_all());
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Caller, "{error}");
        error.to_string()
    };
    fs::write(path("a.csv"), "t,x,y,p\n1,5,6,0\n20,5,7,1\n").unwrap();
    fs::write(path("b.csv"), "t,x,y,p\n10,5,6,1\n30,5,6,1\n").unwrap();
    fs::write(path("c.csv"), "t,x,y,p\n20,5,6,1\n30,5,6,1\n").unwrap();
    let overlap = refused(&["a.csv", "b.csv"]);
    assert!(overlap.contains("b.csv: the pieces overlap in time"), "{overlap}");
    assert!(overlap.contains("from 20 µs on") && overlap.contains("at 10 µs"), "{overlap}");
    let equal = Recording::join([path("a.csv"), path("c.csv")], ReadOptions::new());
    assert_eq!(equal.unwrap().read_all().unwrap().t(), [1, 20, 20, 30]);
    assert!(refused(&[]).contains("no pieces"));
    let events = original();
    let aedat4 = pieces(folder.path(), "aedat4", &events, events.len());
    let name = aedat4[0].file_name().unwrap().to_str().unwrap();
    assert!(refused(&["a.csv", name]).contains("different formats"));
    let spec = EventSpec::new(SensorSize::new(320, 240));
    let target = write::target("aedat4").unwrap();
    let writer = write::create(path("z.aedat4"), target, &spec, &WriteOptions::default()).unwrap();
    writer.finish().unwrap();
    let sensors = refused(&[name, "z.aedat4"]);
    assert!(
        sensors.contains("different sensors") && sensors.contains("found 320x240"),
        "{sensors}"
    );
}

/// A step back in time that is no longer than those within the pieces is none between them.
#[test]
fn disorder_of_the_recording_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.csv"), "t,x,y,p\n1,5,6,0\n20,5,7,1\n10,5,7,1\n25,1,1,1\n").unwrap();
    fs::write(path("b.csv"), "t,x,y,p\n18,5,6,1\n30,5,6,1\n").unwrap();
    let joined = Recording::join([path("a.csv"), path("b.csv")], ReadOptions::new());
    assert_eq!(joined.unwrap().read_all().unwrap().t(), [1, 20, 10, 25, 18, 30]);
}

/// One archive for each image, as simulators write them.
#[test]
fn one_archive_an_image_is_one_recording() {
    let shared = std::env::var_os("LIAF_SHARED")
        .map_or_else(|| crate::common::root().join("../shared"), Into::into);
    let folder: PathBuf = shared.join("field/cases/esim-npz-ns");
    if !folder.exists() {
        eprintln!("skipped: no folder {}", folder.display());
        return;
    }
    let paths = ["0000000001.npz", "0000000000.npz"].map(|name| folder.join(name));
    let options = ReadOptions::new().time_unit("ns".parse().unwrap());
    let mut apart: Vec<_> = paths
        .iter()
        .rev()
        .map(|path| Recording::open(path, options.clone()).unwrap().read_all().unwrap())
        .collect();
    let mut joined = Recording::join(&paths, options).unwrap();
    let mut all = std::mem::take(&mut apart[0]);
    all.append(&mut apart[1]);
    assert!(joined.read_all().unwrap() == all && !all.is_empty());
}

#[test]
fn numbers_that_mean_different_things_in_two_pieces_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, rows: &str| {
        let path = folder.path().join(name);
        fs::write(&path, format!("t,x,y,p\n{rows}")).unwrap();
        path
    };
    let join = |paths: &[&PathBuf], options: ReadOptions| {
        Recording::join(paths, options).and_then(|mut recording| recording.read_all())
    };
    let both = write("1.csv", "1,5,6,1\n2,5,7,2\n");
    // Alone, a column of ones is taken for ON.
    let ones = write("2.csv", "3,5,6,1\n4,5,6,1\n");
    for paths in [[&both, &ones], [&ones, &both]] {
        let error = join(&paths, ReadOptions::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Caller);
        let text = error.to_string();
        assert!(text.contains("different values of polarity: expected 1 = OFF"), "{text}");
        assert!(text.contains("2.csv") && text.contains("1 = ON"), "{text}");
    }
    let mut options = ReadOptions::new();
    options.columns.polarity = Some("1,2".parse().unwrap());
    assert_eq!(join(&[&both, &ones], options).unwrap().p(), [0, 1, 0, 0]);
    // What is missing in a piece contradicts nothing.
    let usual = write("3.csv", "5,5,6,0\n6,5,6,1\n");
    assert_eq!(join(&[&ones, &usual], ReadOptions::new()).unwrap().p(), [1, 1, 0, 1]);

    let seconds = write("4.csv", "0.5,5,6,1\n0.75,5,7,0\n");
    let whole = write("5.csv", "1,5,6,1\n2,5,6,0\n");
    let text = join(&[&seconds, &whole], ReadOptions::new()).unwrap_err().to_string();
    assert!(text.contains("different units of time: expected s as in"), "{text}");
    let mut options = ReadOptions::new();
    options.columns.time_unit = Some(TimeUnit::Seconds);
    let events = join(&[&seconds, &whole], options).unwrap();
    assert_eq!(events.t(), [500_000, 750_000, 1_000_000, 2_000_000]);
}
