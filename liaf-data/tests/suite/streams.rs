//! Several streams in one pass are what a pass over each of them gives.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use crate::common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use liaf_data::model::Fingerprint;
use liaf_data::options::{Coords, StreamChoice};
use liaf_data::{EventBatch, EventSink, ReadOptions, Recording, Result};

#[derive(Default)]
struct Apart {
    found: BTreeMap<i32, Fingerprint>,
    current: Option<i32>,
}

impl EventSink for Apart {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        let stream = self.current.expect("the stream is told before its events");
        self.found.entry(stream).or_default().add(events);
        Ok(())
    }

    fn stream(&mut self, stream: i32) {
        self.current = Some(stream);
    }
}

/// Files of the kinds that can hold several streams of events, sound and damaged.
/// Where the recordings with several streams of events are.
const FOLDERS: [&str; 9] = [
    "good/aedat2",
    "good/aedat3",
    "good/aedat4",
    "good/mcap",
    "good/rosbag",
    "bad/aedat3",
    "bad/aedat4",
    "bad/mcap",
    "bad/rosbag",
];

fn files() -> Vec<std::path::PathBuf> {
    let fixtures = common::fixtures();
    let mut files = Vec::new();
    for folder in FOLDERS {
        let entries = std::fs::read_dir(fixtures.join(folder)).unwrap();
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    files.sort();
    files
}

#[test]
fn one_pass_over_several_streams_is_a_pass_over_each() {
    let mut several = 0;
    for path in files() {
        for coords in [Coords::Canonical, Coords::Raw] {
            for parallel in [false, true] {
                let options = ReadOptions { coords, parallel, ..ReadOptions::default() };
                let Ok(mut recording) = Recording::open(&path, options.clone()) else { continue };
                let Some(mut reader) = recording.all_events().unwrap() else { continue };
                several += 1;
                let mut apart = Apart::default();
                while reader.pump(&mut apart).unwrap() {}
                let streams: Vec<_> = recording.info().event_streams().map(|s| s.id).collect();
                assert!(streams.len() > 1);
                for id in streams {
                    let stream = Some(StreamChoice::Id(id));
                    let alone = ReadOptions { stream, ..options.clone() };
                    let mut alone = Recording::open(&path, alone).unwrap();
                    let mut one = alone.reader().unwrap();
                    let mut fingerprint = Fingerprint::default();
                    while one.pump(&mut fingerprint).unwrap() {}
                    let found = apart.found.remove(&id).unwrap_or_default();
                    let name = path.display();
                    assert_eq!(found.stats, fingerprint.stats, "{name}, stream {id}");
                    assert_eq!(found.xxh64(), fingerprint.xxh64(), "{name}, stream {id}");
                    assert_eq!(reader.stream_report(id), Some(one.report()), "{name}, stream {id}");
                }
                assert!(apart.found.is_empty());
            }
        }
    }
    assert!(several > 4, "only {several} recordings with several streams");
}

#[test]
fn batches_of_several_streams_are_of_one_stream_each() {
    let path = common::fixtures().join("good/aedat4/dv_stereo_zstd.aedat4");
    let mut recording = Recording::open(&path, ReadOptions::default()).unwrap();
    let mut reader = recording.all_events().unwrap().unwrap();
    let (mut batch, mut events) = (EventBatch::new(), 0);
    while reader.read_into(&mut batch, 100).unwrap() > 0 {
        assert!(batch.len() <= 100);
        events += batch.len();
    }
    let mut apart = Apart::default();
    let mut reader = recording.all_events().unwrap().unwrap();
    while reader.pump(&mut apart).unwrap() {}
    assert_eq!(events as u64, apart.found.values().map(|one| one.stats.events).sum::<u64>());
}

/// An AEDAT 3.1 file of so many sources, each with a packet of `events` events.
fn many_sources(sources: i16, events: i32) -> Vec<u8> {
    let mut file = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n".to_vec();
    for source in 0..sources {
        file.extend_from_slice(&1i16.to_le_bytes());
        file.extend_from_slice(&source.to_le_bytes());
        for field in [8, 4, 0, events, events, events] {
            file.extend_from_slice(&i32::to_le_bytes(field));
        }
        for t in 0..events {
            // x 5, y 3, ON, valid.
            file.extend_from_slice(&(5u32 << 17 | 3 << 2 | 2 | 1).to_le_bytes());
            file.extend_from_slice(&t.to_le_bytes());
        }
    }
    file
}

#[test]
fn three_thousand_streams_take_one_pass() {
    let file = many_sources(3000, 1);
    let mut recording = Recording::from_bytes(file, ReadOptions::default()).unwrap();
    assert_eq!(recording.info().event_streams().count(), 3000);
    let begun = Instant::now();
    let mut reader = recording.all_events().unwrap().unwrap();
    let mut apart = Apart::default();
    while reader.pump(&mut apart).unwrap() {}
    assert_eq!(apart.found.len(), 3000);
    for id in 0..3000 {
        assert_eq!(apart.found[&id].stats.events, 1);
        assert_eq!(reader.stream_report(id).unwrap().bytes.events, 28 + 8);
    }
    // On one idle core of a slow machine it takes a fifth of this, in a build for tests.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
