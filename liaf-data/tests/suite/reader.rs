//! What readers promise beside the events: errors after the events in front of them, offsets that
//! lie, and reading out of order.
#![allow(
    clippy::unwrap_used,
    clippy::single_element_loop,
    reason = "a test says what it expects by unwrapping it, and its table may have one row"
)]

use crate::common;

use std::fs::{self, File};
use std::num::NonZeroUsize;

use liaf_data::io::{ByteSource, MapChoice};
use liaf_data::{ErrorKind, Event, EventBatch, ReadOptions, Recording};

const HEADER: &[u8] = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n";

/// Words of a DVS128 and half a word behind them.
fn cut_recording(n: u32) -> Vec<u8> {
    let record = |i: u32| [[0, 0, 1, 2], i.to_be_bytes()].concat();
    let records: Vec<u8> = (0..n).flat_map(record).collect();
    [HEADER, &records, &[0; 4]].concat()
}

#[test]
fn events_in_front_of_an_error_are_given_before_it() {
    for step in [1, 7, 1 << 20] {
        let step = NonZeroUsize::new(step);
        let options = ReadOptions { strict: true, step, ..ReadOptions::default() };
        let mut recording = Recording::from_bytes(cut_recording(1000), options).unwrap();
        let mut reader = recording.reader().unwrap();
        let (mut all, mut batch) = (EventBatch::new(), EventBatch::new());
        let error = loop {
            match reader.read_into(&mut batch, 300) {
                Ok(0) => panic!("no error"),
                Ok(_) => all.extend(batch.iter()),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Truncated);
        assert_eq!((all.len(), reader.report().events), (1000, 1000), "in steps of {step:?}");
        assert_eq!(all.get(999).map(|event: Event| event.t), Some(999));
        assert_eq!(reader.read_into(&mut batch, 300).unwrap(), 0, "an error comes once");
    }
}

#[test]
fn a_data_offset_behind_the_end_is_refused() {
    let bytes = cut_recording(10);
    for (offset, fits) in [(HEADER.len(), true), (bytes.len(), true), (bytes.len() + 1, false)] {
        let options = ReadOptions { data_offset: Some(offset as u64), ..ReadOptions::default() };
        match Recording::from_bytes(bytes.clone(), options) {
            Ok(mut recording) => {
                assert!(fits);
                let mut reader = recording.reader().unwrap();
                reader.read_to_end(&mut EventBatch::new()).unwrap();
                assert_eq!(reader.report().bytes.total(), bytes.len() as u64);
            }
            Err(error) => assert_eq!((error.kind(), fits), (ErrorKind::Caller, false), "{error}"),
        }
    }
}

#[test]
fn bytes_behind_the_end_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("five");
    fs::write(&path, b"12345").unwrap();
    let mut sources = vec![ByteSource::from_bytes(&b"12345"[..])];
    for map in [MapChoice::LEASED, MapChoice::NEVER] {
        sources.push(ByteSource::open(&path, map).unwrap());
    }
    for mut source in sources {
        for (at, expected) in [(0, "12345"), (3, "45"), (5, ""), (6, ""), (u64::MAX, "")] {
            assert_eq!(source.read_at(at, 9).unwrap(), expected.as_bytes(), "{source:?} at {at}");
        }
        source.seek(u64::MAX).unwrap();
        assert!(source.visit(9, |_, _| Ok(())).unwrap().is_none(), "{source:?}");
    }
}

#[test]
fn room_is_only_a_guess() {
    // More events than any memory holds, if the hole behind these packets were packets.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hole.aedat4");
    fs::copy(common::fixtures().join("good/aedat4/no_table.aedat4"), &path).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(1 << 42).unwrap();
    let options = ReadOptions { strict: true, ..ReadOptions::default() };
    let mut reader = Recording::open(&path, options).unwrap().reader().unwrap();
    assert!(reader.expected_events() > 1 << 39);
    let mut events = EventBatch::new();
    let error = reader.read_to_end(&mut events).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
    assert!(!events.is_empty());
}

#[test]
fn one_pixel_far_outside_does_not_hide_the_others() {
    let path = common::fixtures().join("good/aedat4/tiny_none.aedat4");
    let events = Recording::open(path, ReadOptions::default()).unwrap().read_all().unwrap();
    let mut summary = liaf_data::model::EventStats::default();
    summary.add(&events);
    let mut far: EventBatch = events.iter().collect();
    far.push(Event { t: 0, x: u16::MAX, y: u16::MAX, p: 1 });
    summary.add(&far);
    let bounds = summary.bounds().unwrap();
    assert_eq!((bounds.width, bounds.height), (u16::MAX, u16::MAX));
}
