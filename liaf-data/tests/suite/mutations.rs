//! Damage of every kind gives an error or a report, never a panic, and every byte is accounted for.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use crate::common;

use std::path::PathBuf;

use crate::common::damage::{Random, mutate};
use liaf_data::{Error, EventBatch, Format, ReadOptions, Recording, Report, Result, SensorSize};

/// Small enough to try every prefix and every bit.
const SMALL: u64 = 4200;

/// How much of the damage is tried.
#[derive(Clone, Copy)]
enum Extent {
    /// A part of it, in every run of the tests: all where the first headers are, and beyond that one case in
    /// thirteen, so that each bit of a byte has its turn.
    Part,
    /// All of it, which takes minutes.
    Whole,
}

impl Extent {
    /// The cases that are tried of `count`, of which the first `header` are all tried.
    fn of(self, count: usize, header: usize) -> impl Iterator<Item = usize> {
        let step = match self {
            Self::Part => 13,
            Self::Whole => 1,
        };
        let header = header.min(count);
        (0..header).chain((header..count).step_by(step))
    }
}

/// All good recordings of at most `bytes` bytes.
fn recordings(bytes: u64) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for format in std::fs::read_dir(common::fixtures().join("good")).unwrap() {
        let format = format.unwrap().path();
        for file in std::fs::read_dir(format).unwrap() {
            let file = file.unwrap();
            if file.metadata().unwrap().len() <= bytes {
                paths.push(file.path());
            }
        }
    }
    paths.sort();
    paths
}

type Stated = Option<&'static Format>;

fn read(
    bytes: &[u8],
    format: Stated,
    strict: bool,
    parallel: bool,
) -> Result<(EventBatch, Report)> {
    let options = ReadOptions {
        format,
        strict,
        parallel,
        // So that no file is read twice to find it out.
        sensor: Some(SensorSize::new(346, 260)),
        ..ReadOptions::default()
    };
    let mut recording = Recording::from_bytes(bytes, options)?;
    // Of several cameras the first is read.
    if recording.info().event_streams().nth(1).is_some() && recording.info().stream.is_none() {
        let first = recording.info().event_streams().next().map(|stream| stream.id.into());
        let options = recording.options().clone();
        recording = recording.with_options(ReadOptions { stream: first, ..options })?;
    }
    if recording.info().event_streams().next().is_none() {
        return Ok((EventBatch::new(), recording.account()?));
    }
    let mut reader = recording.reader()?;
    let mut events = EventBatch::new();
    reader.read_to_end(&mut events)?;
    Ok((events, reader.report()))
}

/// Reads damaged bytes both ways; what must hold of every file, good or bad, is checked here.
fn survive(
    what: &str,
    bytes: &[u8],
    format: Stated,
    parallel: bool,
) -> Result<(EventBatch, Report)> {
    // Offsets and sizes are those of what is unpacked, in a packed file and in what damage made of one.
    const PACKED: [&[u8]; 5] =
        [b"\x1f\x8b", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"BZh", b"PK\x03\x04"];
    let is_packed = PACKED.iter().any(|magic| bytes.starts_with(magic));
    let has_place =
        |error: &Error| error.offset().is_some_and(|at| is_packed || at <= bytes.len() as u64 + 1);
    // A dataset that lacks something, or is none, is named and has no offset.
    let is_hdf5 = what.contains("/hdf5/");
    let lenient = read(bytes, format, false, parallel);
    match &lenient {
        Ok((events, report)) => {
            let is_whole = report.bytes.total() == bytes.len() as u64;
            assert!(is_packed || is_whole, "{what}: {:?}", report.bytes);
            assert_eq!(report.events, events.len() as u64, "{what}");
        }
        Err(error) => {
            let text = error.to_string();
            // Which format it is, and which stream, is a question about the whole file.
            let no_stream =
                text.contains("event stream") || text.contains("format cannot be determined");
            assert!(has_place(error) || no_stream || is_hdf5, "{what}: no offset in: {error}");
        }
    }
    if let Err(error) = read(bytes, format, true, false) {
        let text = error.to_string();
        let no_stream =
            text.contains("event stream") || text.contains("format cannot be determined");
        let table = text.contains("table") || is_hdf5;
        assert!(has_place(&error) || no_stream || table, "{what}: no offset in: {error}");
    }
    lenient
}

fn prefixes(extent: Extent) {
    for path in recordings(SMALL) {
        let bytes = std::fs::read(&path).unwrap();
        let format = common::format_without_name(&path);
        let (whole, _) = read(&bytes, format, false, false).unwrap();
        for n in extent.of(bytes.len(), 64) {
            let what = format!("{} cut to {n} bytes", path.display());
            if let Ok((events, _)) = survive(&what, &bytes[..n], format, false) {
                assert!(events.len() <= whole.len(), "{what}");
                assert!(events.iter().eq(whole.iter().take(events.len())), "{what}");
            }
        }
    }
}

#[test]
fn prefixes_give_the_events_before_their_end() {
    prefixes(Extent::Part);
}

#[test]
#[ignore = "takes minutes; run by hand"]
fn every_prefix_gives_the_events_before_its_end() {
    prefixes(Extent::Whole);
}

fn flipped_bits(extent: Extent) {
    for path in recordings(SMALL) {
        let mut bytes = std::fs::read(&path).unwrap();
        let format = common::format_without_name(&path);
        for bit in extent.of(8 * bytes.len().min(2048), 8 * 32) {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let what = format!("{} with bit {bit} flipped", path.display());
            let _ = survive(&what, &bytes, format, false);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn flipped_bits_are_survived() {
    flipped_bits(Extent::Part);
}

#[test]
#[ignore = "takes minutes; run by hand"]
fn every_flipped_bit_is_survived() {
    flipped_bits(Extent::Whole);
}

fn mutations(extent: Extent) {
    let paths = recordings(u64::MAX);
    let files: Vec<_> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    for (i, path) in paths.iter().enumerate() {
        let format = common::format_without_name(path);
        let count = if files[i].len() as u64 <= SMALL { 1000 } else { 100 };
        for seed in extent.of(count, 0) {
            let mut random = Random(1 + seed as u64 + 10_007 * i as u64);
            let other = &files[random.below(files.len())];
            let mut bytes = files[i].clone();
            for _ in 0..1 + random.below(3) {
                mutate(&mut bytes, other, &mut random);
            }
            let what = format!("{} mutation {seed}", path.display());
            let _ = survive(&what, &bytes, format, seed % 4 == 0);
        }
    }
}

#[test]
fn mutations_of_each_recording_are_survived() {
    mutations(Extent::Part);
}

#[test]
#[ignore = "takes minutes; run by hand"]
fn a_thousand_mutations_of_each_recording_are_survived() {
    mutations(Extent::Whole);
}
