//! Several cameras in one address space, and chips that are not known.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::collections::BTreeMap;

use crate::common;
use liaf_data::model::{Finding, Fingerprint, SensorSource, StreamKind};
use liaf_data::options::{Coords, StreamChoice};
use liaf_data::{ErrorKind, EventBatch, EventSink, Hint, ReadOptions, Recording, Result};

/// A file of these addresses; the time of each record is its number.
fn file(chip: &str, addresses: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let mut file = b"#!AER-DAT2.0\r\n".to_vec();
    if !chip.is_empty() {
        file.extend(format!("# AEChip: {chip}\r\n").bytes());
    }
    file.extend_from_slice(b"# End of ASCII Header\r\n");
    for (t, address) in (0u32..).zip(addresses) {
        file.extend_from_slice(&address.to_be_bytes());
        file.extend_from_slice(&t.to_be_bytes());
    }
    file
}

fn davis(x: u32, y: u32, camera: u32) -> u32 {
    y << 22 | x << 12 | 1 << 11 | camera
}

fn open(file: &[u8], stream: Option<&str>) -> Recording {
    let stream = stream.map(|stream| stream.parse().unwrap());
    Recording::from_bytes(file, ReadOptions { stream, ..ReadOptions::default() }).unwrap()
}

fn names(recording: &Recording) -> Vec<(i32, String)> {
    recording.info().event_streams().map(|stream| (stream.id, stream.name.clone())).collect()
}

#[test]
fn cameras_are_streams_and_one_must_be_chosen() {
    let addresses = (0..100).map(|i| davis(i, 7, i % 4)).chain([1 << 31 | 3 << 10, 1 << 10 | 3]);
    let file = file("a.b.Davis346blue", addresses);
    let mut recording = open(&file, None);
    let expected = [0, 1, 2, 3].map(|id| (id, format!("camera {id}")));
    assert_eq!(names(&recording), expected);
    assert_eq!(recording.info().stream, None);
    assert!(recording.info().notes.is_empty());
    let error = recording.reader().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Caller);
    assert!(matches!(error.hints(), [Hint::ChooseStream { names }] if names.len() == 4), "{error}");
    for camera in 0..4 {
        let mut recording = open(&file, Some(&camera.to_string()));
        let mut reader = recording.reader().unwrap();
        let mut events = EventBatch::new();
        reader.read_to_end(&mut events).unwrap();
        let x: Vec<_> = (0..25).map(|i| 345 - (4 * i + camera as u16)).collect();
        assert_eq!(events.x(), x);
        let report = reader.report();
        assert_eq!(report.count(Finding::OtherStreamEvents), 75);
        assert_eq!(
            (report.count(Finding::ImuSamples), report.count(Finding::ExternalWords)),
            (1, 1)
        );
        assert_eq!((report.bytes.events, report.bytes.other), (25 * 8, 77 * 8));
    }
    // The other streams are there under other numbers, because 1 to 3 are cameras.
    let recording = open(&file, Some("triggers"));
    assert_eq!(recording.info().chosen().unwrap().kind, StreamKind::Triggers);
    let report = open(&file, Some("triggers")).account().unwrap();
    assert_eq!(report.measurements["triggers"].count, 1);
    assert_eq!(report.count(Finding::OtherStreamEvents), 100);
}

#[test]
fn a_single_camera_is_one_stream_whatever_its_number() {
    for camera in [0, 2] {
        let file = file("DAVIS240C", (0..50).map(|i| davis(i, 1, camera)));
        let mut recording = open(&file, None);
        assert_eq!(names(&recording), [(0, "events".to_owned())]);
        assert_eq!(recording.info().stream, Some(0));
        let number = recording.info().details.get("camera").cloned();
        assert_eq!(number, (camera > 0).then(|| camera.to_string()));
        assert_eq!(recording.read_all().unwrap().len(), 50);
        let ids: Vec<_> = recording.info().streams.iter().map(|stream| stream.id).collect();
        assert_eq!(ids, [0, 1, 2, 3]);
    }
}

#[test]
fn a_camera_that_begins_late_is_found() {
    let n = 400_000;
    let late =
        file("Davis640", (0..n).map(|i| davis(i % 640, 3, if i > 300_000 { i % 3 } else { 0 })));
    let recording = open(&late, None);
    assert_eq!(names(&recording).len(), 3);
    // One stray word is not a camera; it is counted, and not taken for an event.
    let stray = file("Davis640", (0..n).map(|i| davis(i % 640, 3, u32::from(i == 1000))));
    let mut recording = open(&stray, None);
    assert_eq!(names(&recording).len(), 1);
    let mut reader = recording.reader().unwrap();
    let mut events = EventBatch::new();
    reader.read_to_end(&mut events).unwrap();
    assert_eq!(
        (events.len() as u32, reader.report().count(Finding::OtherStreamEvents)),
        (n - 1, 1)
    );
}

#[test]
fn pairs_and_sets_of_dvs128_are_told_apart() {
    let pixel = |i: u32| (i % 128) << 8 | (i % 127) << 1;
    let eyes = file("a.stereopsis.DVS128StereoPair", (0..90).map(|i| pixel(i) | (i % 3 / 2) << 15));
    assert_eq!(
        names(&open(&eyes, None)),
        [(0, "left eye".to_owned()), (1, "right eye".to_owned())]
    );
    let count = |file: &[u8], stream| open(file, Some(stream)).read_all().unwrap().len();
    assert_eq!((count(&eyes, "0"), count(&eyes, "right eye")), (60, 30));
    let set =
        file("a.multicamera.MultiDVS128CameraChip", (0..90).map(|i| pixel(i) | (i % 2) << 24));
    assert_eq!((count(&set, "0"), count(&set, "camera 1")), (45, 45));
    // Of a single DVS128, bit 15 still marks what is no pixel.
    let single = file("a.retina.DVS128", (0..90).map(|i| pixel(i) | (i % 3 / 2) << 15));
    let mut recording = open(&single, None);
    let mut reader = recording.reader().unwrap();
    let mut events = EventBatch::new();
    reader.read_to_end(&mut events).unwrap();
    assert_eq!((events.len(), reader.report().count(Finding::ExternalWords)), (60, 30));
}

#[derive(Default)]
struct Apart(BTreeMap<i32, Fingerprint>, i32);

impl EventSink for Apart {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.0.entry(self.1).or_default().add(events);
        Ok(())
    }

    fn stream(&mut self, stream: i32) {
        self.1 = stream;
    }
}

#[test]
fn all_cameras_in_one_pass_account_for_every_byte() {
    let file = file("Davis346B", (0..30_000).map(|i| davis(i % 346, i % 250, i % 5)));
    let mut recording = open(&file, None);
    let mut reader = recording.all_events().unwrap().unwrap();
    let mut apart = Apart::default();
    while reader.pump(&mut apart).unwrap() {}
    for (id, found) in &apart.0 {
        let events = open(&file, Some(&id.to_string())).read_all().unwrap();
        assert_eq!(found.xxh64(), common::fingerprint_of(&events).xxh64(), "camera {id}");
        assert_eq!(reader.stream_report(*id).unwrap().bytes.total(), file.len() as u64);
    }
    assert_eq!(apart.0.len(), 5);
    let report = reader.report();
    assert_eq!(report.events, 30_000);
    // What belongs to none of the cameras is only the header.
    assert_eq!((report.bytes.other, report.count(Finding::OtherStreamEvents)), (0, 0));
}

#[test]
fn cameras_whose_size_is_not_known_are_read_one_by_one() {
    let file = file("", (0..100).map(|i| davis(7 * i % 300, i % 200, i % 2)));
    let mut recording = open(&file, None);
    assert!(recording.all_events().unwrap().is_none());
    assert_eq!(open(&file, Some("1")).find_sensor().unwrap().width, 346);
    let raw = ReadOptions { coords: Coords::Raw, ..ReadOptions::default() };
    let mut recording = Recording::from_bytes(&file[..], raw).unwrap();
    assert!(recording.all_events().unwrap().is_some());
}

#[test]
fn a_guess_is_said_and_not_called_the_devices() {
    let pixels = || (0..20).map(|i| i << 8 | i << 1);
    for (chip, named) in [("", "names no chip"), ("a.b.Retina99", "not known, Retina99")] {
        let recording = open(&file(chip, pixels()), None);
        let info = recording.info();
        assert_eq!(info.sensor_source, SensorSource::Assumed);
        assert_eq!(info.sensor.unwrap().to_string(), "128x128");
        let [note] = &info.notes[..] else { panic!("{:?}", info.notes) };
        assert!(note.text.contains(named) && note.text.contains("a DVS128"), "{note}");
    }
    let known = open(&file("a.b.DVS128", pixels()), None);
    assert_eq!(known.info().sensor_source, SensorSource::Device);
    assert!(known.info().notes.is_empty());
    // A size that the caller states is the caller's, but the layout is still a guess.
    let sensor = Some("100x100".parse().unwrap());
    let options = ReadOptions { sensor, ..ReadOptions::default() };
    let stated = Recording::from_bytes(file("", pixels()), options).unwrap();
    assert_eq!(stated.info().sensor_source, SensorSource::Stated);
    assert_eq!(stated.info().notes.len(), 1);
}

#[test]
fn a_sensor_without_pixels_is_refused_by_name() {
    for version in ["1.0", "2.0"] {
        let name = "ch.unizh.ini.jaer.chip.cochlea.CochleaAMS1c";
        let file = format!("#!AER-DAT{version}\r\n# AEChip: {name}\r\n").into_bytes();
        let file = [file, vec![0; 48]].concat();
        let error = Recording::from_bytes(file, ReadOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("CochleaAMS1c"), "{error}");
    }
}

#[test]
fn stream_numbers_of_cameras_are_those_of_their_words() {
    let file = file("Davis346B", (0..60).map(|i| davis(i, 1, if i % 2 == 0 { 3 } else { 9 })));
    let recording = open(&file, None);
    assert_eq!(names(&recording).iter().map(|(id, _)| *id).collect::<Vec<_>>(), [3, 9]);
    let options = ReadOptions { stream: Some(StreamChoice::Id(0)), ..ReadOptions::default() };
    assert!(Recording::from_bytes(file, options).is_err());
}
