//! From any kind of event file to any other: the events stay what they were.

use std::fs;
use std::path::PathBuf;

use liaf_data::convert::{Order, TimePolicy};
use liaf_data::write::{self, EventStats, Target};
use liaf_data::{ErrorKind, ReadOptions, Recording};

use super::shared::{convert, read_back, reading};
use crate::common;

/// One recording that every kind can hold once its time begins at 0, and one whose time steps back.
const RECORDINGS: &[&str] = &["good/aedat2/dvs128.aedat", "good/evt21/backward.raw"];

#[test]
fn events_go_from_every_kind_of_file_to_every_other() {
    let folder = tempfile::tempdir().unwrap();
    for recording in RECORDINGS {
        let original = common::fixtures().join(recording);
        let base = folder.path().join("base.aedat4");
        let from_zero = TimePolicy { zero_time: true, order: Order::Keep, wrap: false };
        let aedat4 = write::target("aedat4").unwrap();
        convert(&original, &ReadOptions::default(), &base, aedat4, None, from_zero).unwrap();
        let read = ReadOptions::default();
        let fingerprint = common::fingerprint(&base, read.clone()).unwrap();
        // One file of each kind that holds the events.
        let mut files: Vec<(&str, PathBuf, ReadOptions)> = Vec::new();
        for target in write::targets() {
            let to = folder.path().join(target.name).with_extension(target.extension);
            match convert(&base, &read, &to, target, None, TimePolicy::default()) {
                Ok(done) => {
                    let read = reading(done.sensor, target, &to);
                    files.push((target.name, to, read));
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Caller, "{}: {error}", target.name)
                }
            }
        }
        let kinds: Vec<_> = files.iter().map(|(name, ..)| *name).collect();
        println!("{recording}: {} kinds, {}", kinds.len(), kinds.join(", "));
        assert!(kinds.len() >= 9, "{kinds:?}");
        let from = |name: &str| write::target(name).is_some_and(Target::is_read);
        for (from, path, read) in files.iter().filter(|(name, ..)| from(name)) {
            for target in write::targets().filter(|target| kinds.contains(&target.name)) {
                let to = folder.path().join("again").with_extension(target.extension);
                let done = convert(path, read, &to, target, None, TimePolicy::default());
                let done =
                    done.unwrap_or_else(|error| panic!("{from} to {}: {error}", target.name));
                let strict = ReadOptions { strict: true, ..reading(done.sensor, target, &to) };
                let again = common::fingerprint_of(&read_back(&to, target, strict));
                assert_eq!(again.stats, fingerprint.stats, "{from} to {}", target.name);
                assert_eq!(again.xxh64(), fingerprint.xxh64(), "{from} to {}", target.name);
                fs::remove_file(&to).unwrap();
            }
        }
        for (_, path, _) in files {
            fs::remove_file(path).unwrap();
        }
        fs::remove_file(base).unwrap();
    }
}

#[test]
fn all_kinds_hold_the_first_recording() {
    let file = common::fixtures().join(RECORDINGS[0]);
    let events = Recording::open(file, ReadOptions::default()).unwrap().read_all().unwrap();
    let mut stats = EventStats::default();
    stats.add(&events);
    let stats = stats.earlier(stats.t_min);
    for target in write::targets() {
        assert!(target.check(&stats, false).is_ok(), "{}", target.name);
    }
}
