//! Recordings inside packed files, which programs of others packed: the same events as those of the
//! recording that was packed.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]
#![cfg(all(feature = "bzip2", feature = "xz", feature = "zip", feature = "zstd"))]

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use liaf_data::model::{Finding, Fingerprint};
use liaf_data::{ErrorKind, EventBatch, Limits, ReadOptions, Recording, Result};
use toml::{Table, Value};

use crate::common::{fingerprint, fixtures};

fn folder() -> PathBuf {
    fixtures().join("packed")
}

/// The rows of one kind: the file, the recording in it, and what is said.
fn rows(kind: &str) -> Vec<(PathBuf, PathBuf, String)> {
    let table: Table = fs::read_to_string(folder().join("packed.toml")).unwrap().parse().unwrap();
    let rows = table[kind].as_array().unwrap().clone();
    let text = |row: &Value, key: &str| {
        row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    rows.iter()
        .map(|row| {
            let file = folder().join(text(row, "file"));
            (file, fixtures().join(text(row, "of")), text(row, "says"))
        })
        .collect()
}

fn open(path: &Path) -> Recording {
    Recording::open(path, ReadOptions::new()).unwrap()
}

fn all(path: &Path) -> EventBatch {
    open(path).read_all().unwrap()
}

/// All events and the report of a pass over them.
fn read(mut recording: Recording) -> Result<(EventBatch, liaf_data::Report)> {
    let mut reader = recording.reader()?;
    let mut events = EventBatch::new();
    reader.read_to_end(&mut events)?;
    Ok((events, reader.report()))
}

#[test]
fn what_is_packed_reads_as_what_was_packed() {
    let rows = rows("good");
    assert!(rows.len() >= 15);
    for (file, of, _) in rows {
        let what = file.display();
        let original = all(&of);
        let (events, report) = read(open(&file)).unwrap();
        assert!(events == original, "{what}");
        assert_eq!(report.bytes.total(), fs::metadata(&of).unwrap().len(), "{what}");
        assert!(report.is_sound(), "{what}: {report:?}");
        let strict = Recording::open(&file, ReadOptions::new().strict(true)).unwrap();
        assert!(read(strict).unwrap().0 == original, "{what}");
        assert!(open(&file).info().details.contains_key("packed"), "{what}");
        // Each format needs its own number of bytes at a time.
        for step in [1, 1000] {
            let options =
                ReadOptions { step: std::num::NonZeroUsize::new(step), ..ReadOptions::new() };
            assert_eq!(
                fingerprint(&file, options).unwrap().xxh64(),
                fingerprint(&of, ReadOptions::new()).unwrap().xxh64()
            );
        }
    }
}

#[test]
fn a_packed_recording_is_read_again_and_in_parts() {
    for (file, of, _) in rows("good") {
        let what = file.display();
        let original = all(&of);
        let mut recording = open(&file);
        assert!(recording.is_seekable(), "{what}");
        assert_eq!(recording.survey().unwrap(), open(&of).survey().unwrap(), "{what}");
        let (first, last) = (original.t()[0], *original.t().iter().max().unwrap());
        let middle = first + (last - first) / 2;
        let mut slice = EventBatch::new();
        recording.slice(middle..last).unwrap().read_to_end(&mut slice).unwrap();
        let wanted: EventBatch =
            original.iter().filter(|event| (middle..last).contains(&event.t)).collect();
        assert!(slice == wanted && !slice.is_empty(), "{what}");
        assert_eq!(recording.index().unwrap().events, original.len() as u64, "{what}");
        assert!(recording.read_all().unwrap() == original, "{what}");
    }
}

#[test]
fn packed_recordings_come_through_pipes() {
    for (file, of, _) in rows("good") {
        // Only its name tells the format of this one.
        if of.extension().is_some_and(|extension| extension == "bin") {
            continue;
        }
        let format =
            (of.extension().unwrap() == "csv").then(|| liaf_data::Format::named("CSV").unwrap());
        let options =
            ReadOptions { format, sensor: open(&of).find_sensor().ok(), ..ReadOptions::new() };
        let bytes = Cursor::new(fs::read(&file).unwrap());
        let mut recording = Recording::from_reader(bytes, options.clone()).unwrap();
        let mut fingerprint = Fingerprint::default();
        let mut reader = recording.reader().unwrap();
        while reader.pump(&mut fingerprint).unwrap() {}
        assert_eq!(
            fingerprint.xxh64(),
            self::fingerprint(&of, options).unwrap().xxh64(),
            "{}",
            file.display()
        );
    }
}

#[test]
fn whole_events_of_a_damaged_file_are_kept_and_the_damage_is_counted() {
    for (file, of, says) in rows("bad") {
        let what = file.display();
        let original = all(&of);
        let (events, report) = read(open(&file)).unwrap();
        assert!(!events.is_empty() || says.contains("bzip2"), "{what}");
        assert!(events[..] == original[..events.len()], "{what}");
        let is_cut = says.contains("truncated") || says.contains("cut off");
        assert!(is_cut || events.len() == original.len(), "{what}");
        assert_eq!(report.count(Finding::BadParts), 1, "{what}");
        assert!(!report.is_sound());
        let note = report.notes.iter().map(ToString::to_string).find(|note| note.contains(&says));
        assert!(note.is_some(), "{what}: {:?}", report.notes);
        let strict = Recording::open(&file, ReadOptions::new().strict(true)).and_then(read);
        let error = strict.unwrap_err();
        assert!(error.to_string().contains(&says), "{what}: {error}");
        let kind = if is_cut { ErrorKind::Truncated } else { ErrorKind::Malformed };
        assert_eq!(error.kind(), kind, "{what}");
        assert!(error.offset().unwrap() <= fs::metadata(&file).unwrap().len(), "{what}: {error}");
    }
}

/// A file of every kind cut anywhere: events from the beginning, or an error.
#[test]
fn a_file_cut_anywhere_gives_its_first_events() {
    for name in ["tiny.csv.gz", "tiny.csv.xz", "frames.csv.zst", "streams.csv.bz2", "events.zip"] {
        let original = all(&fixtures().join("good/csv/tiny.csv"));
        let bytes = fs::read(folder().join(name)).unwrap();
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join(name);
        let mut most = 0;
        for cut in (1..bytes.len()).step_by(bytes.len() / 60) {
            fs::write(&path, &bytes[..cut]).unwrap();
            match Recording::open(&path, ReadOptions::new()).and_then(read) {
                Ok((events, report)) => {
                    assert!(events[..] == original[..events.len()], "{name} {cut}");
                    assert!(report.count(Finding::BadParts) == 1, "{name} {cut}: {report:?}");
                    most = most.max(events.len());
                }
                Err(error) => assert!(error.kind() != ErrorKind::System, "{name} {cut}: {error}"),
            }
        }
        assert!(most > original.len() / 3, "{name}: {most}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    for (file, _, says) in rows("refused") {
        let error = Recording::open(&file, ReadOptions::new()).unwrap_err();
        assert!(error.to_string().contains(&says), "{}: {error}", file.display());
        assert_eq!(error.path(), Some(&*file));
    }
}

#[test]
fn what_is_unpacked_is_limited() {
    let limit = |file: &str, limits: Limits| {
        let options = ReadOptions::new().limits(limits);
        let read = Recording::open(folder().join(file), options).and_then(read);
        read.map(|_| ()).map_err(|error| (error.kind(), error.to_string()))
    };
    let few = Limits { unpacked_bytes: 500, ..Limits::DEFAULT };
    for (file, ..) in rows("good") {
        let name = file.file_name().unwrap().to_str().unwrap();
        let (kind, text) = limit(name, few).unwrap_err();
        assert!(kind == ErrorKind::Limit && text.contains("at most 500 bytes"), "{text}");
    }
    let narrow = Limits { window_bytes: 1 << 12, ..Limits::DEFAULT };
    let (kind, text) = limit("tiny.csv.xz", narrow).unwrap_err();
    assert!(kind == ErrorKind::Limit && text.contains("window of at most 4096 bytes"), "{text}");
    assert!(limit("tiny.csv.gz", narrow).is_ok());
}
