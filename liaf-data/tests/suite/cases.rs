//! The bundled recordings against the table that came with them. A new case needs no code.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use crate::common;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use liaf_data::io::MapChoice;
use liaf_data::model::{Finding, StreamKind};
use liaf_data::options::{Coords, StreamChoice};
use liaf_data::{EventBatch, ReadOptions, Recording, Report, Result, SensorSize};
use toml::{Table, Value};

fn cases(kind: &str) -> Vec<Table> {
    let mut cases = common::tables::rows(&common::fixtures(), kind);
    // Without the feature these are known by their name alone.
    if cfg!(not(feature = "hdf5")) {
        cases.retain(|case| !case["file"].as_str().unwrap().contains("/hdf5/"));
    }
    cases
}

fn path(case: &Table) -> PathBuf {
    common::fixtures().join(case["file"].as_str().unwrap())
}

fn options(case: &Table, coords: Coords) -> ReadOptions {
    let stream = case.get("stream").map(|id| StreamChoice::Id(id.as_integer().unwrap() as i32));
    ReadOptions { stream, coords, ..ReadOptions::default() }
}

fn read(path: &PathBuf, options: ReadOptions) -> Result<(EventBatch, Report)> {
    let mut recording = Recording::open(path, options)?;
    if recording.info().streams.iter().all(|stream| stream.kind == StreamKind::Other) {
        return Ok((EventBatch::new(), recording.account()?));
    }
    let mut reader = recording.reader()?;
    let mut events = EventBatch::new();
    reader.read_to_end(&mut events)?;
    Ok((events, reader.report()))
}

fn assert_equals(name: &str, events: &EventBatch, expected: &Table) {
    let found = common::fingerprint_of(events);
    let Ok(Value::Table(summary)) = Value::try_from(found.stats) else { unreachable!() };
    for (key, value) in &summary {
        if let Some(expected) = expected.get(key) {
            assert_eq!(value, expected, "{name}: {key}");
        }
    }
    let hash = format!("{:016x}", found.xxh64());
    assert_eq!(hash, expected["xxh64"].as_str().unwrap(), "{name}: xxh64");
    for (key, at) in [("first", 0), ("last", events.len().wrapping_sub(1))] {
        if let (Some(row), Some(event)) = (expected.get(key), events.get(at)) {
            let row: Vec<i64> =
                row.as_array().unwrap().iter().map(|v| v.as_integer().unwrap()).collect();
            let event = [event.t, event.x.into(), event.y.into(), event.p.into()];
            assert_eq!(row, event, "{name}: {key}");
        }
    }
}

fn assert_sums(name: &str, path: &PathBuf, report: &Report) {
    let bytes = std::fs::metadata(path).unwrap().len();
    assert_eq!(report.bytes.total(), bytes, "{name}: bytes accounted for {:?}", report.bytes);
}

#[test]
fn good_recordings_give_the_events_of_the_table() {
    let cases = cases("case");
    assert!(cases.len() >= 20);
    for case in cases {
        let name = case["file"].as_str().unwrap();
        let path = path(&case);
        for (coords, key) in [(Coords::Raw, "raw"), (Coords::Canonical, "canonical")] {
            if case.get("samples").is_some() {
                let report = Recording::open(&path, options(&case, coords)).unwrap().account();
                let report = report.unwrap();
                let measurements = Value::try_from(&report.measurements).unwrap();
                assert_eq!(Some(&measurements), case.get("samples"), "{name}");
                assert_sums(name, &path, &report);
                continue;
            }
            let (events, report) = read(&path, options(&case, coords)).unwrap();
            assert_equals(&format!("{name} {key}"), &events, case[key].as_table().unwrap());
            assert_sums(name, &path, &report);
        }
        let mut recording = Recording::open(&path, options(&case, Coords::Canonical)).unwrap();
        assert_eq!(recording.info().format, case["format"].as_str().unwrap(), "{name}");
        let sensor = case.get("sensor").and_then(Value::as_array);
        if let Some(sensor) = sensor.filter(|sensor| sensor[0].as_integer() != Some(0)) {
            let side = |i: usize| sensor[i].as_integer().unwrap() as u16;
            let expected = SensorSize::new(side(0), side(1));
            let found = recording.find_sensor().unwrap();
            assert_eq!(found, expected, "{name}: sensor");
        }
    }
}

#[test]
fn what_else_a_recording_holds_is_counted() {
    let names = [
        ("imu", Finding::ImuSamples),
        ("frames", Finding::Frames),
        ("triggers", Finding::Triggers),
        ("aps", Finding::ApsWords),
        ("external", Finding::ExternalWords),
        ("wraps", Finding::TimeWraps),
        ("backward", Finding::BackwardTimes),
        ("bad_values", Finding::BadValues),
        ("before_time", Finding::EventsBeforeTime),
        ("reserved", Finding::ReservedWords),
        ("padding", Finding::PaddingWords),
        ("others", Finding::VendorWords),
        ("out_of_sensor", Finding::OutOfSensor),
        ("other_stream_events", Finding::OtherStreamEvents),
        ("other_packets", Finding::OtherPackets),
        ("crossings", Finding::ThresholdCrossings),
        ("invalid", Finding::InvalidEvents),
        ("resets", Finding::TimestampResets),
    ];
    let mut seen = 0;
    for case in cases("case") {
        let name = case["file"].as_str().unwrap();
        let Some(tallies) = case.get("tallies").and_then(Value::as_table) else { continue };
        let (_, report) = read(&path(&case), options(&case, Coords::Canonical)).unwrap();
        let mut tallies = tallies.clone();
        // The report has one number for all vendor words.
        if let Some(Value::Integer(more)) = tallies.remove("continued")
            && let Some(Value::Integer(others)) = tallies.get_mut("others")
        {
            *others += more;
        }
        for (key, count) in &tallies {
            let (_, finding) = names.iter().find(|(name, _)| name == key).expect(key);
            assert_eq!(report.count(*finding) as i64, count.as_integer().unwrap(), "{name}: {key}");
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn the_way_of_reading_does_not_matter() {
    let two = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    for kind in ["case", "bad"] {
        for case in cases(kind) {
            let name = case["file"].as_str().unwrap();
            let path = path(&case);
            let whole = described(read(&path, options(&case, Coords::Canonical)));
            let never = ReadOptions { map: MapChoice::NEVER, ..options(&case, Coords::Canonical) };
            assert_eq!(described(read(&path, never)), whole, "{name}: positioned reads");
            let parallel = ReadOptions { parallel: true, ..options(&case, Coords::Canonical) };
            let parallel = two.install(|| described(read(&path, parallel)));
            assert_eq!(parallel, whole, "{name}: two threads");
            let bytes = std::fs::read(&path).unwrap();
            // What has no header and no name has to be said.
            let format = common::format_without_name(&path);
            let unnamed = ReadOptions { format, ..options(&case, Coords::Canonical) };
            let memory = Recording::from_bytes(bytes.clone(), unnamed.clone());
            assert_eq!(described(memory.and_then(drain)), whole, "{name}: memory");
            for step in [1, 7, 4096] {
                let step = NonZeroUsize::new(step);
                let pieces = ReadOptions { step, ..options(&case, Coords::Canonical) };
                let pieces = described(read(&path, pieces));
                assert_eq!(pieces, whole, "{name}: {step:?} bytes at a time");
            }
            // A pipe cannot be read twice, so a size that only the events tell is stated.
            let sensor = Recording::open(&path, options(&case, Coords::Canonical))
                .ok()
                .and_then(|mut recording| recording.find_sensor().ok());
            let stated = ReadOptions { sensor, ..unnamed };
            let whole = described(read(&path, stated.clone()));
            let pipe = Pieces { bytes, at: 0, piece: 7 };
            let piped = Recording::from_reader(pipe, stated);
            assert_eq!(described(piped.and_then(drain)), whole, "{name}: a pipe");
        }
    }
}

#[test]
fn an_event_outside_the_sensor_stops_a_strict_reader_at_its_own_bytes() {
    let two = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let mut refused = 0;
    for case in cases("case") {
        let (name, path) = (case["file"].as_str().unwrap(), path(&case));
        // The rows of these have no byte offset.
        if name.contains("/hdf5/") {
            continue;
        }
        for size in [(127, 30), (120, 100), (300, 200)] {
            let sensor = Some(SensorSize::new(size.0, size.1));
            let strict = ReadOptions { strict: true, sensor, ..options(&case, Coords::Canonical) };
            // One byte at a time no record comes together with others.
            let alone = ReadOptions { step: NonZeroUsize::new(1), ..strict.clone() };
            let expected = before_error(&path, alone);
            assert_eq!(before_error(&path, strict.clone()), expected, "{name} {size:?}");
            let parallel = ReadOptions { parallel: true, ..strict };
            let parallel = two.install(|| before_error(&path, parallel));
            assert_eq!(parallel, expected, "{name} {size:?}: two threads");
            refused += usize::from(expected.1.contains("outside the sensor"));
        }
    }
    assert!(refused > 25, "only {refused}");
}

/// How many events come before an error, and the error.
fn before_error(path: &PathBuf, options: ReadOptions) -> (usize, String) {
    let mut events = EventBatch::new();
    let reader = Recording::open(path, options).and_then(|mut recording| recording.reader());
    let result = reader.and_then(|mut reader| reader.read_to_end(&mut events));
    (events.len(), result.err().map_or(String::new(), |error| error.to_string()))
}

/// Events, report and error as one value to compare; the path in the error does not count.
fn described(result: Result<(EventBatch, Report)>) -> (EventBatch, Report, Option<String>) {
    match result {
        Ok((events, report)) => (events, report, None),
        Err(error) => {
            let text = format!("{:?} {:?}", error.kind(), error.offset());
            (EventBatch::new(), Report::default(), Some(text))
        }
    }
}

fn drain(mut recording: Recording) -> Result<(EventBatch, Report)> {
    if recording.info().streams.iter().all(|stream| stream.kind == StreamKind::Other) {
        return Ok((EventBatch::new(), recording.account()?));
    }
    let mut reader = recording.reader()?;
    let mut events = EventBatch::new();
    let mut batch = EventBatch::new();
    while reader.read_into(&mut batch, 1000)? > 0 {
        assert!(batch.len() <= 1000);
        events.extend_from(&batch[..]);
    }
    Ok((events, reader.report()))
}

/// A pipe that gives a few bytes at a time.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    piece: usize,
}

impl std::io::Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.piece.min(buffer.len()).min(self.bytes.len() - self.at);
        buffer[..n].copy_from_slice(&self.bytes[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

#[test]
fn damaged_recordings_give_what_is_whole_and_say_the_rest() {
    let cases = cases("bad");
    assert!(cases.len() >= 60);
    let mut wrong = Vec::new();
    for case in &cases {
        if let Err(what) = std::panic::catch_unwind(|| bad_case(case)) {
            let what = what.downcast_ref::<String>().cloned().unwrap_or_default();
            wrong.push(format!("{}: {what}", case["file"]));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn bad_case(case: &Table) {
    let path = path(case);
    let kind = case["kind"].as_str().unwrap();
    let lenient = read(&path, options(case, Coords::Canonical));
    match (case["outcome"].as_str().unwrap(), lenient) {
        ("salvage", Ok((events, report))) => {
            assert_eq!(events.len() as i64, case["events"].as_integer().unwrap(), "events");
            assert_sums("lenient", &path, &report);
            let raw = case.get("xxh64").and_then(Value::as_str);
            let (raw_events, _) = read(&path, options(case, Coords::Raw)).unwrap();
            // Where pixels outside the sensor were added, only the canonical reading drops them.
            let prefix = case.get("prefix").and_then(Value::as_bool) == Some(true);
            if let Some(raw) = raw.filter(|_| raw_events.len() == events.len()) {
                let hash = common::fingerprint_of(&raw_events).xxh64();
                assert_eq!(format!("{hash:016x}"), raw, "xxh64 (prefix: {prefix})");
            }
            assert!(!report.is_sound() || !report.notes.is_empty(), "nothing was said: {report:?}");
        }
        ("error", Err(error)) => assert_eq!(error.kind().name(), kind, "lenient: {error}"),
        ("error", Ok((events, report))) => {
            assert!(events.is_empty() && !report.is_sound(), "{} events", events.len());
        }
        (outcome, result) => panic!("{outcome} expected, found {:?}", result.map(|_| ())),
    }
    let strict = ReadOptions { strict: true, ..options(case, Coords::Canonical) };
    match read(&path, strict) {
        Err(error) => {
            assert_eq!(error.kind().name(), kind, "strict: {error}");
            let no_stream = error.to_string().contains("event stream");
            // What is wrong with a whole dataset is at no byte, and names it.
            let is_named =
                path.to_string_lossy().contains("/hdf5/") && error.to_string().contains(" /");
            assert!(error.offset().is_some() || no_stream || is_named, "no offset: {error}");
            assert_eq!(error.path(), Some(&*path), "{error}");
            if let Some(offset) = case.get("strict_offset").and_then(Value::as_integer) {
                assert_eq!(error.offset(), Some(offset as u64), "offset of: {error}");
            }
        }
        Ok(_) => panic!("strict reading found nothing wrong"),
    }
}
