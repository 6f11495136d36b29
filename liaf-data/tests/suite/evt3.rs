//! EVT 3.0 recordings from their first byte to their last.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

use liaf_data::model::{Finding, SensorSource};
use liaf_data::{ErrorKind, EventBatch, EventReader, ReadOptions, Recording, SensorSize};

const HEADER: &[u8] = b"% evt 3.0\n% format EVT3;height=4;width=8\n% geometry 8x4\n% end\n";

fn file(header: &[u8], words: &[u16]) -> Vec<u8> {
    let words = words.iter().flat_map(|word| word.to_le_bytes());
    header.iter().copied().chain(words).collect()
}

fn open(file: &[u8], options: ReadOptions) -> liaf_data::Result<Recording> {
    Recording::from_bytes(file, options)
}

fn read(file: &[u8], options: ReadOptions) -> (EventBatch, EventReader) {
    let mut reader = open(file, options).unwrap().reader().unwrap();
    let mut events = EventBatch::new();
    reader.read_to_end(&mut events).unwrap();
    (events, reader)
}

#[test]
fn the_header_tells_format_sensor_and_details() {
    let header = b"% Date 2020-09-25 07:48:29\r\n% evt 3.0 \r\n% integrator_name Proph\xe9see\r\n\
        % plugin_name hal_plugin_gen41_evk3\r\n% serial_number 00000307\r\n% system_ID 48\r\n";
    let recording = open(&file(header, &[0x8001, 0x2001]), ReadOptions::default()).unwrap();
    let info = recording.info();
    assert_eq!(info.format, "EVT 3.0");
    assert_eq!(info.sensor, Some(SensorSize::new(1280, 720)));
    assert_eq!(info.sensor_source, SensorSource::Device);
    assert_eq!(info.details["plugin_name"], "hal_plugin_gen41_evk3");
    assert_eq!(info.details["Date"], "2020-09-25 07:48:29");
    let recording = open(HEADER, ReadOptions::default()).unwrap();
    assert_eq!(recording.info().sensor_source, SensorSource::Header);
}

#[test]
fn a_file_of_only_a_header_has_no_events() {
    for header in [HEADER, b"% evt 3.0\n"] {
        let (events, reader) = read(header, ReadOptions::default());
        assert!(events.is_empty());
        assert_eq!(reader.report().bytes.header, header.len() as u64);
        assert!(reader.report().is_sound());
    }
}

#[test]
fn other_encodings_are_not_taken_for_this_one() {
    for (header, format) in [
        ("% evt 2.0\n", "EVT 2.0"),
        ("% evt 2.1\n", "EVT 2.1"),
        ("% format EVT21;height=720;width=1280\n% evt 3.0\n", "EVT 2.1"),
    ] {
        let recording = open(&file(header.as_bytes(), &[0x8001]), ReadOptions::default()).unwrap();
        assert_eq!(recording.info().format, format, "{header}");
    }
    let histograms = file(b"% format HISTO3D;height=720;width=1280\n% evt 3.0\n", &[0x8001]);
    let error = open(&histograms, ReadOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn two_sizes_of_the_sensor_are_an_error_unless_one_is_stated() {
    let header = b"% evt 3.0\n% format EVT3;height=720;width=1280\n% geometry 640x480\n";
    let error = open(header, ReadOptions::default()).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Malformed, Some(46)));
    let stated = ReadOptions { sensor: Some(SensorSize::new(640, 480)), ..ReadOptions::default() };
    assert_eq!(open(header, stated).unwrap().info().sensor, Some(SensorSize::new(640, 480)));
}

#[test]
fn a_header_larger_than_the_limit_is_refused() {
    let mut header = b"% evt 3.0\n".to_vec();
    (0..40_000).for_each(|i| header.extend(format!("% key{i} {:60}\n", "").bytes()));
    let error = open(&header, ReadOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    let line = [b"% evt 3.0\n% a ", &[b'a'; 100_000][..], b"\n"].concat();
    assert_eq!(open(&line, ReadOptions::default()).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn a_stated_data_offset_wins_over_the_header() {
    let file = file(b"% evt 3.0\n% geometry 8x4\n% end\n% more\n", &[0x8000, 0x0003, 0x2001]);
    let options = ReadOptions { data_offset: Some(38), ..ReadOptions::default() };
    let (events, reader) = read(&file, options);
    assert_eq!((events.len(), reader.report().bytes.header), (1, 38));
    assert_eq!(reader.info().sensor, Some(SensorSize::new(8, 4)));
}

#[test]
fn events_outside_the_sensor_are_dropped_or_refused_at_their_word() {
    let words = [0x8000, 0x0003, 0x2007, 0x2008, 0x3006, 0x4007, 0x0004, 0x2000];
    let (events, reader) = read(&file(HEADER, &words), ReadOptions::default());
    assert_eq!(events.x(), [7, 6, 7]);
    assert_eq!(reader.report().count(Finding::OutOfSensor), 3);
    let strict = ReadOptions { strict: true, ..ReadOptions::default() };
    let mut reader = open(&file(HEADER, &words), strict).unwrap().reader().unwrap();
    let error = reader.read_to_end(&mut EventBatch::new()).unwrap_err();
    assert_eq!(error.offset(), Some(HEADER.len() as u64 + 6));
}

#[test]
fn every_prefix_gives_the_events_in_front_of_its_end() {
    let words = [0x8000, 0x0001, 0x6005, 0x2001, 0x3002, 0x4003, 0x6006, 0x2803];
    let whole = file(HEADER, &words);
    let (all, _) = read(&whole, ReadOptions::default());
    for len in HEADER.len()..whole.len() {
        let (events, reader) = read(&whole[..len], ReadOptions::default());
        assert_eq!(events.x(), &all.x()[..events.len()]);
        let report = reader.report();
        assert_eq!(report.bytes.total(), len as u64);
        let half = (len - HEADER.len()) % 2;
        assert_eq!(report.count(Finding::TruncatedTails), half as u64);
    }
    for len in 0..HEADER.len() {
        if let Ok(mut recording) = open(&whole[..len], ReadOptions::default()) {
            assert!(recording.read_all().unwrap().is_empty(), "{len}");
        }
    }
}

#[test]
fn every_byte_of_any_file_is_accounted_for() {
    let mut state = 1u64;
    let mut random = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    for len in [0, 1, 2, 3, 1000, 100_001, 1_500_000] {
        let file: Vec<_> = HEADER.iter().copied().chain((0..len).map(|_| random())).collect();
        let one = ReadOptions::default();
        let many = ReadOptions { parallel: true, ..ReadOptions::default() };
        let (events, reader) = read(&file, one);
        let report = reader.report();
        assert_eq!(report.bytes.total(), file.len() as u64);
        assert_eq!(report.events, events.len() as u64);
        let (same, reader) = read(&file, many);
        assert!(events == same, "{len}");
        assert_eq!(reader.report().bytes, report.bytes);
    }
}
