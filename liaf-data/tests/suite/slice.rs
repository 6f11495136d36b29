//! A slice of time holds the events of that time, wherever the reader began.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use crate::common;

use std::fs;
use std::ops::Range;

use liaf_data::model::Finding;
use liaf_data::options::StreamChoice;
use liaf_data::write::{self, EventSpec, WriteOptions};
use liaf_data::{Event, EventBatch, ReadOptions, Recording, SensorSize};

fn slice(recording: &mut Recording, time: Range<i64>) -> (EventBatch, u64) {
    let mut events = EventBatch::new();
    let mut reader = recording.slice(time).unwrap();
    while reader.pump(&mut events).unwrap() {}
    (events, reader.report().count(Finding::OutOfSlice))
}

/// Slices at the beginning, the end, outside, of nothing, and at many places between.
fn ranges(all: &EventBatch) -> Vec<Range<i64>> {
    let (min, max) = (*all.t().iter().min().unwrap_or(&0), *all.t().iter().max().unwrap_or(&0));
    let span = max - min;
    let mut ranges = vec![min..max + 1, min - 10..min, max + 1..max + 10, min..min, max..min];
    for i in 0..8 {
        let start = min + span * i / 8;
        ranges.extend([start..start + 1, start..start + span / 20, start..max, min..start]);
    }
    ranges
}

fn compare(what: &str, mut recording: Recording) {
    let all = recording.read_all().unwrap();
    for time in ranges(&all) {
        let mut expected = all.clone();
        expected.retain(|event| time.contains(&event.t));
        let (found, _) = slice(&mut recording, time.clone());
        assert_eq!(found, expected, "{what} {time:?}");
    }
    let index = recording.index().unwrap();
    assert_eq!(index.events, all.len() as u64, "{what}");
    assert_eq!(index.earliest, all.t().iter().min().copied(), "{what}");
}

#[test]
fn every_good_recording_can_be_sliced() {
    slice_all("good");
}

/// Whatever of a damaged recording is read at all.
#[test]
fn every_damaged_recording_can_be_sliced() {
    slice_all("bad");
}

fn slice_all(folder: &str) {
    let mut seen = 0;
    for format in fs::read_dir(common::fixtures().join(folder)).unwrap() {
        for file in fs::read_dir(format.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            for parallel in [false, true].into_iter().take(if folder == "good" { 2 } else { 1 }) {
                let options = ReadOptions { parallel, ..ReadOptions::default() };
                let Ok(mut recording) = Recording::open(&path, options.clone()) else { continue };
                if recording.info().stream.is_none() {
                    let Some(id) = recording.info().event_streams().map(|s| s.id).next() else {
                        assert!(recording.slice(0..1).is_err());
                        continue;
                    };
                    let stream = Some(StreamChoice::Id(id));
                    recording = Recording::open(&path, ReadOptions { stream, ..options }).unwrap();
                }
                if recording.read_all().is_err() {
                    assert!(folder == "bad" && recording.index().is_err(), "{}", path.display());
                    continue;
                }
                compare(&path.display().to_string(), recording);
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "{seen} of {folder}");
}

/// A recording without its tail, and behind it its data again until there is a MiB: with a step back
/// in time at every seam.
fn repeated(name: &str) -> Vec<u8> {
    let whole = fs::read(common::fixtures().join(name)).unwrap();
    let recording = Recording::from_bytes(whole.clone(), ReadOptions::default());
    let header = recording.unwrap().reader().unwrap().report().bytes.header as usize;
    let data = &whole[header..];
    [&whole[..header], &data.repeat((1 << 20) / data.len() + 1)].concat()
}

#[test]
fn a_slice_of_a_long_recording_reads_little_of_it() {
    let sensor = Some(SensorSize::new(346, 260));
    for name in [
        "aedat1/dvs128.aedat",
        "aedat2/davis346.aedat",
        "aedat4/no_table.aedat4",
        "event_stream/dvs.es",
        "event_stream/atis.es",
        "evt2/faery.raw",
        "evt21/legacy.raw",
        "evt21/little.raw",
        "evt3/faery_wrap.raw",
    ] {
        let bytes = repeated(&format!("good/{name}"));
        let options = ReadOptions { sensor, ..ReadOptions::default() };
        let mut recording = Recording::from_bytes(bytes, options).unwrap();
        assert!(recording.index().unwrap().seek_points() >= 2, "{name}");
        compare(name, recording);
    }
    // Time that goes on: EVT 3.0 wraps every 16.8 s, so that each repetition begins a new round.
    let mut words = fs::read(common::fixtures().join("good/evt3/header_only.raw")).unwrap();
    for i in 0..400_000u32 {
        let word = |kind: u32, value: u32| ((kind << 12 | value & 0xfff) as u16).to_le_bytes();
        words.extend(
            [word(8, i / 100), word(6, i * 40), word(0, i % 200), word(2, i % 300)].concat(),
        );
    }
    let mut recording =
        Recording::from_bytes(words, ReadOptions { sensor, ..ReadOptions::default() }).unwrap();
    assert!(recording.index().unwrap().seek_points() >= 5);
    let latest = recording.index().unwrap().latest.unwrap();
    let (found, dropped) = slice(&mut recording, latest / 2..latest / 2 + 10_000);
    assert!(!found.is_empty());
    assert!(dropped < 150_000, "{dropped} events were decoded for nothing");
}

#[test]
fn a_slice_of_events_that_pack_into_few_bytes_reads_little_of_them() {
    // Without HDF5 there is no such kind of file.
    let Some(target) = write::target("h5-events") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("packed.h5");
    let event = |i: i64| Event { t: i, x: 7, y: 9, p: 1 };
    let spec = EventSpec::new(SensorSize::new(346, 260));
    let mut writer = write::create(&path, target, &spec, &WriteOptions::default()).unwrap();
    writer.write(&(0..500_000).map(event).collect()).unwrap();
    assert!(writer.finish().unwrap().bytes < 2 << 20, "in a fraction of what events take");
    let mut recording = Recording::open(&path, ReadOptions::default()).unwrap();
    assert!(recording.index().unwrap().seek_points() >= 6);
    let (found, dropped) = slice(&mut recording, 300_000..310_000);
    assert_eq!(found, (300_000..310_000).map(event).collect());
    assert!(dropped < 150_000, "{dropped} events were decoded for nothing");
}

#[test]
fn windows_hold_each_event_once() {
    let path = common::fixtures().join("good/evt3/faery_wrap.raw");
    let mut recording = Recording::open(path, ReadOptions::default()).unwrap();
    let all = recording.read_all().unwrap();
    let (first, last) = (all.t()[0], *all.t().iter().max().unwrap());
    let mut joined = EventBatch::new();
    let mut next = first;
    for window in recording.windows(first..last + 1, (last - first) / 7).unwrap() {
        let (time, events) = window.unwrap();
        assert_eq!(time.start, next);
        next = time.end;
        joined.extend_from(&events[..]);
    }
    assert_eq!(next, last + 1);
    assert_eq!(joined, all);
    assert!(recording.windows(0..10, 0).is_err());
}

#[test]
fn a_kept_index_is_used_while_it_is_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.raw");
    fs::copy(common::fixtures().join("good/evt3/faery_vectors.raw"), &path).unwrap();
    let open = || Recording::open(&path, ReadOptions::default()).unwrap();
    let beside = open().keep_index().unwrap();
    assert_eq!(beside, folder.path().join("a.raw.index.json"));
    let kept = fs::read(&beside).unwrap();
    let mut again = open();
    again.keep_index().unwrap();
    assert_eq!(fs::read(&beside).unwrap(), kept);
    compare("with a kept index", again);

    // Another recording under the same name: the old index is replaced.
    fs::copy(common::fixtures().join("good/evt3/faery_wrap.raw"), &path).unwrap();
    let mut other = open();
    other.keep_index().unwrap();
    assert_ne!(fs::read(&beside).unwrap(), kept);
    compare("with a new index", other);

    // The same length, the same time of change, other bytes.
    let kept = fs::read(&beside).unwrap();
    let changed = fs::metadata(&path).unwrap().modified().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0);
    fs::write(&path, bytes).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(changed).unwrap();
    let mut other = open();
    other.keep_index().unwrap();
    assert_ne!(fs::read(&beside).unwrap(), kept);
    compare("of a file that was changed in place", other);
}

#[test]
fn a_damaged_index_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.raw");
    fs::write(&path, repeated("good/evt3/faery_wrap.raw")).unwrap();
    let open = || Recording::open(&path, ReadOptions::default()).unwrap();
    let beside = open().keep_index().unwrap();
    let kept = fs::read(&beside).unwrap();
    assert!(open().index().unwrap().seek_points() >= 2);
    let damage = |at: usize| {
        let mut damaged = kept.clone();
        match at % 3 {
            0 => damaged[at] ^= 1,
            1 => damaged.truncate(at),
            _ => damaged[at] = b'9',
        }
        damaged
    };
    let whole = [Vec::new(), b"{not json\n[]\n".to_vec(), kept[1..].to_vec()];
    for damaged in (0..kept.len()).step_by(11).map(damage).chain(whole) {
        fs::write(&beside, &damaged).unwrap();
        open().keep_index().unwrap();
        assert!(fs::read(&beside).unwrap() == kept, "{}", String::from_utf8_lossy(&damaged));
    }
    // One that lies and has the right checksum is an error, or its checkpoints are refused.
    let text = String::from_utf8(kept).unwrap();
    let (head, index) = text.split_once('\n').unwrap();
    let sum = |index: &str| {
        use std::hash::Hasher;
        let mut hash = twox_hash::XxHash64::with_seed(0);
        hash.write(index.trim_end().as_bytes());
        format!("{:016x}", hash.finish())
    };
    for (from, to) in
        [("\"state\":[", "\"state\":[9223372036854775807,"), ("\"state\":[", "\"state\":[7")]
    {
        let lies = index.replace(from, to);
        let head = head.replace(&sum(index), &sum(&lies));
        assert!(head.contains(&sum(&lies)));
        fs::write(&beside, format!("{head}\n{lies}")).unwrap();
        let mut lied_to = open();
        lied_to.keep_index().unwrap();
        let latest = lied_to.index().unwrap().latest.unwrap();
        let found = lied_to
            .slice(latest - 10..latest)
            .and_then(|mut reader| reader.read_to_end(&mut EventBatch::new()));
        if to.contains("922") {
            assert!(found.is_err());
        }
    }
}
