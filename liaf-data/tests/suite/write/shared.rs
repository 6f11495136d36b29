//! What the tests of written event files share.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use liaf_data::convert::{EventConversion, EventConvertOptions, TimePolicy, convert_events};
use liaf_data::filter::Selection;
use liaf_data::options::StreamChoice;
use liaf_data::write::{Capabilities, Compression, Target, WriteOptions};
use liaf_data::{Event, EventBatch, Format, ReadOptions, Recording, Result, SensorSize};
use toml::Value;

use crate::common;

pub const QUICK: WriteOptions = WriteOptions {
    compression: None,
    wrap: false,
    overwrite: false,
    sync: false,
    parallel: true,
    limits: common::LIMITS,
};

/// File and options of every good recording.
pub fn recordings() -> Vec<(PathBuf, ReadOptions)> {
    let mut recordings = Vec::new();
    let fixtures = common::fixtures();
    for case in common::tables::rows(&fixtures, "case") {
        let file = fixtures.join(case["file"].as_str().unwrap());
        let stream = case.get("stream").and_then(Value::as_integer);
        let stream = stream.map(|id| StreamChoice::Id(id as i32));
        let read = ReadOptions { stream, ..ReadOptions::default() };
        if Recording::open(&file, read.clone()).unwrap().info().stream.is_some() {
            recordings.push((file, read));
        }
    }
    assert!(recordings.len() >= 20);
    recordings
}

/// The compressions of a target, and none at all where it has none.
pub fn compressions(target: &Target) -> Vec<Option<Compression>> {
    match target.compressions {
        [] => vec![None],
        compressions => compressions.iter().map(|&compression| Some(compression)).collect(),
    }
}

pub fn convert(
    from: &Path,
    read: &ReadOptions,
    to: &Path,
    target: &'static Target,
    compression: Option<Compression>,
    time_policy: TimePolicy,
) -> Result<EventConversion> {
    let mut recording = Recording::open(from, read.clone())?;
    let write = WriteOptions { compression, ..QUICK };
    let options =
        EventConvertOptions { target, selection: Selection::default(), time_policy, write };
    convert_events(&mut recording, Some(to), &options, &mut |_| ControlFlow::Continue(()))
}

/// Events that are far apart in time do not look like a recording without a header.
fn of_kind(options: ReadOptions, target: &Target) -> ReadOptions {
    match target.name {
        "atis-bin" => ReadOptions { format: Format::named("ATIS bin").ok(), ..options },
        _ => options,
    }
}

/// All events of a file that was written.
pub fn read_back(path: &Path, target: &Target, options: ReadOptions) -> EventBatch {
    match target.name {
        #[cfg(feature = "parquet")]
        "parquet" => super::parquet::read(path),
        _ => Recording::open(path, of_kind(options, target)).unwrap().read_all().unwrap(),
    }
}

pub fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

/// How a reader is told what the file itself may not say.
pub fn reading(sensor: SensorSize, target: &Target, path: &Path) -> ReadOptions {
    if !target.is_read() {
        return ReadOptions::default();
    }
    let mut recording = Recording::open(path, of_kind(ReadOptions::default(), target)).unwrap();
    let found = recording.find_sensor().unwrap();
    let at_least = found.width >= sensor.width && found.height >= sensor.height;
    // A file that says nothing of its sensor may show fewer pixels than there were.
    let says = recording.info().sensor_source != liaf_data::model::SensorSource::BoundingBox;
    assert!(at_least || !says, "{}: {sensor} became {found}", target.name);
    ReadOptions { sensor: (!says).then_some(sensor), ..ReadOptions::default() }
}

/// Events that every target holds which holds steps back, and in order for the others.
pub fn events(holds: &Capabilities, n: usize) -> EventBatch {
    let mut state = 1_u64;
    let mut t = 1000;
    (0..n)
        .map(|i| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040);
            let random = state >> 33;
            t += (random % 7) as i64 / 3;
            let late = if i % 50 == 49 { (random % 900).min(holds.step_back / 2) } else { 0 };
            let (x, y) = (random / 7 % 128, random / 1024 % 100);
            Event { t: t - late as i64, x: x as u16, y: y as u16, p: (random / 3 % 2) as u8 }
        })
        .collect()
}
