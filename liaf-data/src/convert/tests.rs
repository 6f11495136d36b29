//! Tests that a recording is opened once, whatever is done with it.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::codec::{ReadOptions, StreamChoice};
use crate::filter::Selection;
use crate::frames::FrameOptions;
use crate::io::OPENS;
use crate::model::{EventBatch, TimePoint};
use crate::tensor::{Container, TensorOptions};

/// A DAT file that does not state the size of its sensor, with an event every 10 µs for 7 s: large
/// enough for seek points to be found by sampling.
fn without_a_size(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("events.dat");
    let mut bytes = b"% Data file containing CD events\n% Version 2\n\x0c\x08".to_vec();
    for i in 0..700_000u32 {
        bytes.extend_from_slice(&(10 * i).to_le_bytes());
        let (x, y, p) = (i % 100, i / 100 % 80, i & 1);
        bytes.extend_from_slice(&(p << 28 | y << 14 | x).to_le_bytes());
    }
    std::fs::File::create(&path).unwrap().write_all(&bytes).unwrap();
    path
}

/// Runs `work`, and counts how often files are opened for reading meanwhile.
fn opens<R>(work: impl FnOnce() -> R) -> (u64, R) {
    let before = OPENS.get();
    let result = work();
    (OPENS.get() - before, result)
}

fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[cfg_attr(not(feature = "zip"), ignore = "writes .npz")]
#[test]
fn converting_a_part_of_a_file_without_a_size_opens_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = without_a_size(folder.path());
    let part = Selection::default().between(Duration::from_secs(1), Duration::from_secs(2));
    let options = FrameOptions::default().selection(part);
    let tensor = ConvertOptions {
        frames: options,
        container: Container::Npz,
        tensor: TensorOptions::default(),
    };
    let output = folder.path().join("frames.npz");
    let (opens, kept) = opens(|| {
        let mut recording = Recording::open(&path, ReadOptions::default()).unwrap();
        convert(&mut recording, Some(&output), &tensor, &mut go_on).unwrap().frames.kept
    });
    assert_eq!((opens, kept), (1, 100_000));
}

#[test]
fn a_thousand_windows_open_the_file_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = without_a_size(folder.path());
    let (opens, (windows, events)) = opens(|| {
        let mut recording = Recording::open(&path, ReadOptions::default()).unwrap();
        let windows = recording.windows(0..1_000_000, 1000).unwrap();
        windows.fold((0, 0), |(n, events), window| (n + 1, events + window.unwrap().1.len()))
    });
    assert_eq!((opens, windows, events), (1, 1000, 100_000));
}

#[cfg_attr(not(feature = "xml"), ignore = "reads AEDAT 4.0")]
#[test]
fn memory_works_like_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(without_a_size(folder.path())).unwrap();
    let mut recording = Recording::from_bytes(bytes, ReadOptions::default()).unwrap();
    assert_eq!(recording.first_time().unwrap(), Some(0));
    assert_eq!(recording.find_sensor().unwrap().pixels(), 8000);
    let mut some = EventBatch::new();
    recording.slice(1000..2000).unwrap().read_to_end(&mut some).unwrap();
    assert_eq!(some.len(), 100);
    assert_eq!(recording.survey().unwrap().events, 700_000);
    assert_eq!(recording.read_all().unwrap().len(), 700_000);
    // Relative times of measurements count from the first event, in memory as well.
    let Some(path) = crate::fixtures::fixture("good/aedat4/dv_all_lz4.aedat4") else { return };
    let bytes = std::fs::read(path).unwrap();
    let stream = Some(StreamChoice::Name("imu".into()));
    let mut recording =
        Recording::from_bytes(bytes, ReadOptions { stream, ..ReadOptions::default() }).unwrap();
    let selection = Selection { from: Some(TimePoint::Relative(0)), ..Selection::default() };
    let options = MeasurementConvertOptions {
        file: crate::measurements::MeasurementFile::Csv,
        selection,
        write: crate::measurements::MeasurementOptions::default(),
    };
    let done = convert_measurements(&mut recording, None, &options, &mut go_on).unwrap();
    assert!(done.kept > 0);
}
