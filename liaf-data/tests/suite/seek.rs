//! Slices of recordings that are long enough for places to be looked for: the events of every stretch of
//! time are those of a filter over all, and few others are decoded for them.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use crate::common;

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use liaf_data::model::{Finding, Note};
use liaf_data::options::AtisOverflow;
use liaf_data::write::{self, EventSpec, Target, WriteOptions, targets};
use liaf_data::{
    ErrorKind, Event, EventBatch, Format, Hint, ReadOptions, Recording, Report, SensorSize,
};

const SENSOR: SensorSize = SensorSize::new(128, 128);
/// µs from one event to the next.
const STEP: i64 = 100;

/// Events in order of time, but for some that are up to `late` µs late.
fn events(n: i64, start: i64, late: i64) -> EventBatch {
    let event = |i: i64| {
        let hash = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let back = if hash.is_multiple_of(5) { (hash >> 9) as i64 % (late + 1) } else { 0 };
        let (x, y) = ((hash >> 3) as u16 % 128, (hash >> 13) as u16 % 128);
        Event { t: start + late + i * STEP - back, x, y, p: (hash & 1) as u8 }
    };
    (0..n).map(event).collect()
}

/// A recording of 5 MiB or more, over the wrap of 32-bit times where there is one.
fn write_long(folder: &Path, target: &'static Target, options: WriteOptions) -> Option<PathBuf> {
    let n = match target.name {
        "csv" | "e2vid" => 300_000,
        "atis-bin" | "es" => 1_100_000,
        "evt2" => 1_350_000,
        "evt3" => 1_500_000,
        _ => 800_000,
    };
    // Deltas begin at 0, and so does the table of milliseconds.
    let from_zero = ["es", "h5-events"].contains(&target.name);
    let start = if from_zero { 0 } else { (1 << 32) - n / 3 * STEP };
    let late = if target.capabilities.lateness.min(target.capabilities.step_back) > 1000 {
        700
    } else {
        0
    };
    let path =
        folder.join(format!("{}-{:?}.{}", target.name, options.compression, target.extension));
    let spec = EventSpec::new(SENSOR);
    let mut writer = match write::create(&path, target, &spec, &options) {
        Err(error) if error.kind() == ErrorKind::Unsupported => return None,
        writer => writer.unwrap(),
    };
    writer.write(&events(n, start, late)).unwrap();
    assert_eq!(writer.finish().unwrap().events, n as u64);
    Some(path)
}

fn slice(recording: &mut Recording, time: Range<i64>) -> (EventBatch, Report) {
    let mut events = EventBatch::new();
    let mut reader = recording.slice(time).unwrap();
    while reader.pump(&mut events).unwrap() {}
    (events, reader.report())
}

fn filtered(all: &EventBatch, time: &Range<i64>) -> EventBatch {
    let mut expected = all.clone();
    expected.retain(|event| time.contains(&event.t));
    expected
}

/// Windows all over the recording, and outside of it.
fn windows(all: &EventBatch) -> Vec<Range<i64>> {
    let (min, max) = (*all.t().iter().min().unwrap(), *all.t().iter().max().unwrap());
    let span = max - min;
    let mut windows = vec![min - 10..min + 10_000, max - 9_000..max + 1, max + 1..max + 9];
    windows.extend((1..5).map(|i| min + span * i / 5..min + span * i / 5 + 10_000));
    windows.push(min + span / 3..max - span / 3);
    windows
}

fn open(path: &Path, parallel: bool) -> Recording {
    let format = (path.extension().unwrap() == "bin").then(|| Format::named("atisbin").unwrap());
    let options = ReadOptions { parallel, format, sensor: Some(SENSOR), ..ReadOptions::default() };
    Recording::open(path, options).unwrap()
}

/// Slices against the filter; `share` of the events at most may be decoded for a window of 10 ms.
fn compare(path: &Path, share: f64) {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let all = open(path, true).read_all().unwrap();
    let bytes = fs::metadata(path).unwrap().len();
    let mut recordings = [open(path, false), open(path, true)];
    for (i, time) in windows(&all).into_iter().enumerate() {
        let (found, report) = slice(&mut recordings[i % 2], time.clone());
        let expected = filtered(&all, &time);
        let (n, m) = (found.len(), expected.len());
        assert!(found == expected, "{name} {time:?}: {n} events, not {m}");
        assert_eq!(report.bytes.total(), bytes, "{name} {time:?}: {:?}", report.bytes);
        let says_order = |note: &Note| note.hint == Some(Hint::BuildIndex);
        assert!(!report.notes.iter().any(says_order), "{name} {:?}", report.notes);
        if time.end - time.start <= 10_010 {
            let decoded = report.count(Finding::OutOfSlice) as f64 / all.len() as f64;
            assert!(decoded <= share, "{name} {time:?}: {decoded} of all was decoded");
            let passed = report.bytes.passed_over;
            assert!(share > 0.5 || passed > bytes / 2, "{name} {:?}", report.bytes);
        }
    }
    assert_eq!(recordings[0].first_time().unwrap(), all.t().first().copied(), "{name}");
}

const QUICK: WriteOptions = WriteOptions {
    compression: None,
    wrap: true,
    overwrite: false,
    sync: false,
    parallel: true,
    limits: common::LIMITS,
};

#[test]
fn places_are_found_in_every_kind_of_file_that_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for target in targets().filter(|target| target.is_read()) {
        let compressions = match target.compressions {
            [] => vec![None],
            compressions => compressions.iter().copied().map(Some).collect(),
        };
        for compression in compressions {
            let options = WriteOptions { compression, ..QUICK };
            let Some(path) = write_long(folder.path(), target, options) else { continue };
            // What packs well may be short, and be indexed.
            let is_long = fs::metadata(&path).unwrap().len() > 5 << 20;
            compare(&path, if is_long { 0.1 } else { 1.0 });
            fs::remove_file(path).unwrap();
        }
    }
}

/// The long recording of a target, and where its data begins.
fn long(folder: &Path, name: &str, options: WriteOptions) -> (PathBuf, usize) {
    let path = write_long(folder, write::target(name).unwrap(), options).unwrap();
    let header = open(&path, false).reader().unwrap().report().bytes.header as usize;
    (path, header)
}

/// Slices of a file that was edited: those of the whole decode, without a word about order.
fn compare_edited(folder: &Path, path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
    let edited = folder.join("edited").with_extension(path.extension().unwrap());
    let mut bytes = fs::read(path).unwrap();
    edit(&mut bytes);
    fs::write(&edited, bytes).unwrap();
    compare(&edited, 1.0);
}

#[test]
fn a_table_of_packets_is_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let plain = WriteOptions { compression: Some(write::Compression::None), ..QUICK };
    let (path, _) = long(folder.path(), "aedat4", plain);
    let bytes = fs::read(&path).unwrap();
    let place = i64::from_le_bytes(*bytes[46..].first_chunk().unwrap()) as usize;
    assert_eq!(&bytes[place + 8..place + 12], b"FTAB");
    // The file ends before it.
    compare_edited(folder.path(), &path, |bytes| bytes.truncate(place));
    // All that it says is a little wrong: times, places, numbers.
    compare_edited(folder.path(), &path, |bytes| {
        bytes[place + 48..].chunks_mut(97).for_each(|part| part[0] ^= 0x55);
    });
    // Every entry names the time of the last packet, or none.
    let time = open(&path, false).first_time().unwrap().unwrap().to_le_bytes();
    for lie in [time, [0; 8]] {
        compare_edited(folder.path(), &path, |bytes| {
            let at = bytes.len() - 32;
            let entries = (at - place) / 48;
            for i in 0..entries {
                let end = bytes.len() - 48 * i;
                bytes[end - 24..end - 16].copy_from_slice(&lie);
            }
        });
    }
    // The header says that it is somewhere else.
    compare_edited(folder.path(), &path, |bytes| bytes[46..50].copy_from_slice(&[1, 2, 3, 0]));
}

#[test]
fn damage_that_is_seen_costs_a_pass_and_no_event() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["aedat2", "aedat4", "evt3"] {
        let (path, header) = long(folder.path(), name, QUICK);
        let all = open(&path, true).read_all().unwrap();
        let damaged = folder.path().join("damaged").with_extension(path.extension().unwrap());
        let whole = fs::read(&path).unwrap();
        let middle = header + (whole.len() - header) / 2;
        let cut = [&whole[..middle], &whole[middle + 3..]].concat();
        let zeros = [&whole[..middle], &[0; 9000], &whole[middle + 9000..]].concat();
        let twice = [&whole[..], &whole[header..]].concat();
        for (what, bytes) in [("cut", cut), ("zeros", zeros), ("twice", twice)] {
            fs::write(&damaged, bytes).unwrap();
            let decoded = open(&damaged, true).read_all().unwrap();
            for indexed in [true, false] {
                let mut recording = open(&damaged, true);
                if indexed {
                    recording.index().unwrap();
                }
                // Where no index was made, zeros may go unseen.
                if !indexed && what == "zeros" {
                    continue;
                }
                for time in windows(&all).into_iter().step_by(3) {
                    let expected = filtered(&decoded, &time);
                    let (found, _) = slice(&mut recording, time.clone());
                    let (n, m) = (found.len(), expected.len());
                    assert!(found == expected, "{name} {what} {time:?}: {n} events, not {m}");
                }
            }
        }
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn rows_of_arrays_are_found_by_halving() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let header = "{'descr': [('t', '<i8'), ('x', '<u2'), ('y', '<u2'), ('p', '|b1')], \
                  'fortran_order': False, 'shape': (500000,), }";
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend((header.len() as u16 + 1).to_le_bytes());
    bytes.extend(format!("{header}\n").bytes());
    for event in events(500_000, -7_000_000, 900).iter() {
        bytes.extend(event.t.to_le_bytes());
        bytes.extend(event.x.to_le_bytes());
        bytes.extend(event.y.to_le_bytes());
        bytes.push(event.p);
    }
    fs::write(&path, &bytes).unwrap();
    compare(&path, 0.1);
    // Times that begin anew: an index is made.
    let at = bytes.len() - 200_000 * 13;
    bytes[at..].rotate_left(100_000 * 13);
    fs::write(&path, &bytes).unwrap();
    compare(&path, 1.0);
}

#[test]
fn what_an_overflow_adds_is_known_at_every_place() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = long(folder.path(), "atis-bin", QUICK);
    let format = Some(Format::named("atisbin").unwrap());
    let options = ReadOptions { format, ..ReadOptions::new().atis_overflow(AtisOverflow::Ignore) };
    let mut recording = Recording::open(&path, options).unwrap();
    let all = recording.read_all().unwrap();
    for time in windows(&all) {
        assert!(slice(&mut recording, time.clone()).0 == filtered(&all, &time), "{time:?}");
    }
}

/// HDF5 files may have anything behind them: with that they are long enough to be looked into.
#[cfg(feature = "hdf5")]
#[test]
fn rows_of_datasets_are_found_by_table_or_by_halving() {
    let folder = tempfile::tempdir().unwrap();
    let mut narrowed = 0;
    for file in fs::read_dir(common::fixtures().join("good/hdf5")).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let path = folder.path().join(&name);
        let bytes = [fs::read(&file).unwrap(), vec![0; 5 << 20]].concat();
        fs::write(&path, &bytes).unwrap();
        let first = Recording::open(&path, ReadOptions::default()).unwrap();
        for stream in first.info().event_streams() {
            let stream = Some(liaf_data::options::StreamChoice::Id(stream.id));
            let options = ReadOptions { stream, ..ReadOptions::default() };
            let mut recording = Recording::open(&path, options).unwrap();
            let all = recording.read_all().unwrap();
            if all.is_empty() {
                continue;
            }
            for time in windows(&all) {
                let (found, report) = slice(&mut recording, time.clone());
                assert!(found == filtered(&all, &time), "{name} {time:?}");
                assert_eq!(report.bytes.total(), bytes.len() as u64, "{name} {time:?}");
                narrowed += u32::from(report.bytes.passed_over > 0);
            }
        }
    }
    assert!(narrowed > 10, "{narrowed}");
}

/// A reset of the camera's clock stands in a packet that is passed over by its length everywhere else.
#[test]
fn a_clock_that_begins_anew_between_packets_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let target = write::target("aedat3").unwrap();
    let path = write_long(folder.path(), target, QUICK).unwrap();
    let bytes = fs::read(&path).unwrap();
    let end = b"#!END-HEADER\r\n";
    let start = bytes.windows(end.len()).position(|at| at == end).unwrap() + end.len();
    // Special events: the type, the source of the others, eight bytes, the time at 4; one event, a reset.
    let mut reset = vec![0, 0];
    reset.extend(&bytes[start + 2..start + 4]);
    for number in [8, 4, 0, 1, 1, 1, 3, i32::MAX] {
        reset.extend(number.to_le_bytes());
    }
    fs::write(&path, [&bytes[..], &reset, &bytes[start..]].concat()).unwrap();
    let all = open(&path, true).read_all().unwrap();
    assert_eq!((all.len(), all.t()[0]), (1_600_000, all.t()[800_000]));
    compare(&path, 1.0);
}
