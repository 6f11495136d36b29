//! Every good recording through every kind of event file that is written: the same events come
//! back, or it is refused before anything is written. A new format needs no code here.

use std::fs;

use liaf_data::convert::{Order, TimePolicy};
use liaf_data::write::{self, EventSpec, EventStats, WriteOptions};
use liaf_data::{ErrorKind, Event, EventBatch, ReadOptions, Recording, SensorSize};

use super::shared::{
    QUICK, compressions, convert, events, is_empty, read_back, reading, recordings,
};
use crate::common;

#[test]
fn events_come_back_or_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for target in write::targets() {
        let (mut kept, mut refused) = (0, 0);
        // Each recording in one of the compressions, and so each compression for many recordings.
        for ((from, read), compression) in
            recordings().into_iter().zip(compressions(target).iter().cycle())
        {
            let name = format!("{} to {} {compression:?}", from.display(), target.name);
            let events = Recording::open(&from, read.clone()).unwrap().read_all().unwrap();
            let to = folder.path().join("a").with_extension(target.extension);
            match convert(&from, &read, &to, target, *compression, TimePolicy::default()) {
                Ok(done) => {
                    assert_eq!(done.events.kept, events.len() as u64, "{name}");
                    let written = done.written.unwrap();
                    assert_eq!(written.events, events.len() as u64, "{name}");
                    assert_eq!(written.bytes, to.metadata().unwrap().len(), "{name}");
                    let options = reading(done.sensor, target, &to);
                    let strict = ReadOptions { strict: true, ..options };
                    let again = read_back(&to, target, strict);
                    let (again, before) =
                        (common::fingerprint_of(&again), common::fingerprint_of(&events));
                    assert_eq!(again.stats, before.stats, "{name}");
                    assert_eq!(again.xxh64(), before.xxh64(), "{name}");
                    kept += 1;
                    fs::remove_file(&to).unwrap();
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Caller, "{name}: {error}");
                    let text = error.to_string();
                    let why = ["cannot store", "a sensor of this size", "no camera"];
                    assert!(why.iter().any(|why| text.contains(why)), "{name}: {text}");
                    assert!(!error.hints().is_empty(), "{name}: nothing helps: {text}");
                    refused += 1;
                }
            }
            assert!(is_empty(folder.path()), "{name}: something was left");
        }
        println!("{}: {kept} kept, {refused} refused", target.name);
        assert!(kept > 0, "{} holds no recording at all", target.name);
    }
}

#[test]
fn with_time_from_zero_and_in_order_every_recording_fits_that_lies_on_the_sensor() {
    let folder = tempfile::tempdir().unwrap();
    let time_policy = TimePolicy { zero_time: true, order: Order::Sort, wrap: false };
    for target in write::targets() {
        for (from, read) in recordings() {
            let name = format!("{} to {}", from.display(), target.name);
            let mut events: Vec<Event> =
                Recording::open(&from, read.clone()).unwrap().read_all().unwrap().iter().collect();
            events.sort_by_key(|event| event.t);
            let start = events.first().map_or(0, |event| event.t);
            events.iter_mut().for_each(|event| event.t -= start);
            let to = folder.path().join("a").with_extension(target.extension);
            match convert(&from, &read, &to, target, None, time_policy) {
                Ok(done) => {
                    let options = reading(done.sensor, target, &to);
                    let again = read_back(&to, target, options);
                    assert!(again.iter().eq(events.iter().copied()), "{name}");
                    fs::remove_file(&to).unwrap();
                }
                Err(error) => {
                    let (x, y) = (target.capabilities.x_max, target.capabilities.y_max);
                    let last = events.last().map_or(0, |event| event.t);
                    let fits = last <= target.capabilities.t_max
                        && (target.capabilities.no_events || !events.is_empty())
                        && events.iter().all(|event| event.x <= x && event.y <= y);
                    let sensor = error.to_string().contains("a sensor of this size");
                    assert!(!fits || sensor, "{name}: {error}");
                }
            }
            assert!(is_empty(folder.path()), "{name}: something was left");
        }
    }
}

/// HDF5 has a place for what was taken from all times.
#[cfg(feature = "hdf5")]
#[test]
fn times_that_began_elsewhere_come_back_by_their_offset() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) =
        (common::fixtures().join("good/aedat4/dv_all_lz4.aedat4"), folder.path().join("a.h5"));
    let read = ReadOptions::default();
    let target = write::target("h5-events").unwrap();
    let time_policy = TimePolicy { zero_time: true, ..TimePolicy::default() };
    convert(&from, &read, &to, target, None, time_policy).unwrap();
    let before = Recording::open(&from, read.clone()).unwrap().read_all().unwrap();
    let after = |t_offset| {
        let read = read.clone().t_offset(t_offset);
        Recording::open(&to, read).unwrap().read_all().unwrap()
    };
    assert_eq!(after(true), before);
    assert_eq!(after(false).t()[0], 0);
}

#[test]
fn bytes_do_not_depend_on_batches_or_threads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    for target in write::targets() {
        for compression in compressions(target) {
            let events = events(&target.capabilities, 100_000);
            let write = |cut: usize, threads: usize| {
                let parallel = threads > 1;
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let options = WriteOptions { compression, parallel, overwrite: true, ..QUICK };
                    let spec = EventSpec::new(SensorSize::new(128, 128));
                    let mut writer = write::create(&path, target, &spec, &options).unwrap();
                    let mut at = 0;
                    while at < events.len() {
                        // Pieces of many sizes, none among them.
                        let n = if at % 3 == 0 { 0 } else { cut + at % 7 };
                        let mut batch = EventBatch::new();
                        batch.extend_from(&events[at..events.len().min(at + n)]);
                        writer.write(&batch).unwrap();
                        at += n.max(1);
                        if n == 0 {
                            let mut one = EventBatch::new();
                            one.extend_from(&events[at - 1..at]);
                            writer.write(&one).unwrap();
                        }
                    }
                    assert_eq!(writer.finish().unwrap().events, events.len() as u64);
                });
                fs::read(&path).unwrap()
            };
            let whole = write(events.len(), 1);
            for (cut, threads) in [(events.len(), 3), (9000, 1), (9000, 2), (10, 1), (700, 3)] {
                let same = write(cut, threads) == whole;
                assert!(
                    same,
                    "{} {compression:?}: {cut} at a time, {threads} threads",
                    target.name
                );
            }
        }
    }
}

#[test]
fn no_events_make_a_file_that_reads_as_none_or_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for target in write::targets() {
        for compression in compressions(target) {
            let path = folder.path().join("a").with_extension(target.extension);
            let options = WriteOptions { compression, overwrite: true, ..QUICK };
            let spec = EventSpec::new(SensorSize::new(128, 128));
            let mut writer = write::create(&path, target, &spec, &options).unwrap();
            writer.write(&EventBatch::new()).unwrap();
            let finished = writer.finish();
            if !target.capabilities.no_events {
                assert_eq!(finished.unwrap_err().kind(), ErrorKind::Caller, "{}", target.name);
                assert!(is_empty(folder.path()), "{}: something was left", target.name);
                let none = EventSpec { stats: Some(EventStats::default()), ..spec };
                let error = write::create(&path, target, &none, &options).err().unwrap();
                assert_eq!(error.kind(), ErrorKind::Caller, "{}", target.name);
                continue;
            }
            assert_eq!(finished.unwrap().events, 0);
            let again = read_back(&path, target, ReadOptions::default());
            assert!(again.is_empty(), "{}", target.name);
            fs::remove_file(&path).unwrap();
        }
    }
}

#[test]
fn an_event_that_does_not_fit_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for target in write::targets() {
        let sensor = SensorSize::new(128, 100);
        let event = Event { t: target.capabilities.t_max.min(5000), x: 5, y: 5, p: 1 };
        let mut bad = vec![Event { x: 128, ..event }, Event { y: 100, ..event }];
        if target.capabilities.t_max < i64::MAX {
            bad.push(Event { t: target.capabilities.t_max + 1, ..event });
        }
        if target.capabilities.t_min > i64::MIN {
            bad.push(Event { t: target.capabilities.t_min - 1, ..event });
        }
        if target.capabilities.step_back == 0 {
            bad.push(Event { t: event.t - 1, ..event });
        }
        for bad in bad {
            let path = folder.path().join("a").with_extension(target.extension);
            let spec = EventSpec::new(sensor);
            let mut writer = write::create(&path, target, &spec, &QUICK).unwrap();
            writer.write(&[event].into_iter().collect()).unwrap();
            let error = writer.write(&[bad].into_iter().collect()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Caller, "{}: {bad:?}", target.name);
            assert_eq!(error.path(), Some(&*path));
            assert!(writer.write(&EventBatch::new()).is_err(), "{}: goes on", target.name);
            assert!(writer.finish().is_err(), "{}: {bad:?}", target.name);
            assert!(is_empty(folder.path()), "{}: something was left", target.name);
        }
    }
}
