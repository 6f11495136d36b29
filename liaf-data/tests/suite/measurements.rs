//! Frames, inertial readings and triggers: read as decoders of others read them, whatever the cut, and
//! whatever the damage.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use crate::common;
use crate::judge;

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::damage::{Random, mutate};
use liaf_data::convert::{MeasurementConvertOptions, convert_measurements};
use liaf_data::filter::Selection;
use liaf_data::measurements::{MeasurementFile, MeasurementOptions};
use liaf_data::model::{Measurement, StreamKind};
use liaf_data::{ErrorKind, Hint, ReadOptions, Recording, Report, Result};

const AEDAT4: &str = "good/aedat4/dv_all_lz4.aedat4";
const AEDAT3: &str = "good/aedat3/davis240c_mixed.aedat";
const AEDAT2: &str = "good/aedat2/davis240c_mixed.aedat";
const DVS128: &str = "good/aedat2/dvs128_sync.aedat";
const EVT2: &str = "good/evt2/words.raw";
const EVT21: &str = "good/evt21/words.raw";
const EVT3: &str = "good/evt3/words.raw";
const DAT: &str = "bad/dat/triggers.dat";
const BAG: &str = "good/rosbag/davis_lz4.bag";
const BAG_COLOURS: &str = "good/rosbag/packets_mono.bag";
const MCAP: &str = "good/mcap/davis_lz4.mcap";
const MCAP_COLOURS: &str = "good/mcap/packets_mono.mcap";

#[cfg(feature = "hdf5")]
const HDF5: &str = "good/hdf5/prophesee_triggers.hdf5";

/// Bundled recordings, a stream of each, and how many measurements it has.
const STREAMS: &[(&str, &str, usize)] = &[
    (AEDAT4, "imu", 40),
    (AEDAT4, "triggers", 16),
    (AEDAT4, "frames", 8),
    (AEDAT3, "imu", 110),
    (AEDAT3, "triggers", 55),
    (AEDAT3, "frames", 55),
    (AEDAT2, "imu", 10),
    (AEDAT2, "triggers", 12),
    (AEDAT2, "frames", 3),
    (DVS128, "triggers", 15),
    (EVT2, "triggers", 102),
    (EVT21, "triggers", 102),
    (EVT3, "triggers", 102),
    (DAT, "triggers", 153),
    #[cfg(feature = "hdf5")]
    (HDF5, "triggers", 70),
    (BAG, "imu", 5),
    (BAG, "frames", 3),
    (BAG_COLOURS, "frames", 2),
    (MCAP, "imu", 5),
    (MCAP, "frames", 3),
    (MCAP_COLOURS, "frames", 2),
];

/// A recording, its stream, the kind of file it is written to, and the function in
/// `judges/read_measurements.py` that reads it.
const JUDGED: &[(&str, &str, MeasurementFile, &str)] = &[
    (AEDAT4, "imu", MeasurementFile::Csv, "dv_imu"),
    (AEDAT4, "imu", MeasurementFile::Csv, "aedat_imu"),
    (AEDAT4, "triggers", MeasurementFile::Csv, "dv_triggers"),
    (AEDAT4, "triggers", MeasurementFile::Csv, "aedat_triggers"),
    (AEDAT4, "frames", MeasurementFile::Png, "dv_frames"),
    (AEDAT4, "frames", MeasurementFile::Png, "aedat_frames"),
    (AEDAT3, "imu", MeasurementFile::Csv, "aedat3_imu"),
    (AEDAT3, "triggers", MeasurementFile::Csv, "aedat3_triggers"),
    (AEDAT3, "frames", MeasurementFile::Png, "aedat3_frames"),
    (AEDAT3, "frames", MeasurementFile::H5, "aedat3_frames"),
    (AEDAT2, "imu", MeasurementFile::Csv, "davis_imu"),
    (AEDAT2, "triggers", MeasurementFile::Csv, "davis_triggers"),
    (AEDAT2, "frames", MeasurementFile::Png, "davis_frames"),
    (AEDAT2, "frames", MeasurementFile::H5, "davis_frames"),
    (EVT2, "triggers", MeasurementFile::Csv, "evt2_triggers"),
    (EVT3, "triggers", MeasurementFile::Csv, "evt3_triggers"),
    (DAT, "triggers", MeasurementFile::Csv, "dat_triggers"),
    #[cfg(feature = "hdf5")]
    (HDF5, "triggers", MeasurementFile::Csv, "hdf5_triggers"),
    (BAG, "imu", MeasurementFile::Csv, "rosbags_imu"),
    (BAG, "frames", MeasurementFile::Png, "rosbags_frames"),
    (BAG_COLOURS, "frames", MeasurementFile::Png, "rosbags_frames"),
    (MCAP, "imu", MeasurementFile::Csv, "mcap_imu"),
    (MCAP, "frames", MeasurementFile::H5, "mcap_frames"),
    (MCAP_COLOURS, "frames", MeasurementFile::Png, "mcap_frames"),
];

/// The same of real recordings.
const REAL: &[(&str, &str, MeasurementFile, &str)] = &[
    ("aedat4/davis346.aedat4", "imu", MeasurementFile::Csv, "dv_imu"),
    ("aedat4/davis346.aedat4", "triggers", MeasurementFile::Csv, "dv_triggers"),
    ("aedat4/davis346.aedat4", "frames", MeasurementFile::Png, "aedat_frames"),
    ("aedat4/davis346.aedat4", "frames", MeasurementFile::H5, "aedat_frames"),
    ("aedat4/dvx_test.aedat4", "imu", MeasurementFile::Csv, "aedat_imu"),
    ("aedat4/dvx_test.aedat4", "triggers", MeasurementFile::Csv, "aedat_triggers"),
    ("aedat2/IMU_translBoxes.aedat", "imu", MeasurementFile::Csv, "davis_imu"),
];

fn options(stream: &str) -> ReadOptions {
    ReadOptions { stream: Some(stream.parse().unwrap()), ..ReadOptions::default() }
}

fn convert(recording: &Path, stream: &str, file: MeasurementFile, to: &Path) -> Result<u64> {
    let mut recording = Recording::open(recording, options(stream))?;
    let write = MeasurementOptions { sync: false, ..MeasurementOptions::default() };
    let options = MeasurementConvertOptions { file, selection: Selection::default(), write };
    let done = convert_measurements(&mut recording, Some(to), &options, &mut |_| {
        ControlFlow::Continue(())
    })?;
    let bytes = done.report.bytes.total();
    assert_eq!(Some(bytes), done.info.bytes, "every byte is accounted for");
    Ok(done.written.unwrap().measurements)
}

fn measurements(mut recording: Recording) -> Result<(Vec<Measurement>, Report)> {
    let mut reader = recording.measurements()?;
    let measurements = reader.by_ref().collect::<Result<Vec<_>>>()?;
    Ok((measurements, reader.report()))
}

#[test]
fn foreign_decoders_find_the_same_samples() {
    let Some(python) = judge::python("numpy, h5py, PIL") else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/judges/read_measurements.py");
    let mut command = Command::new(&python);
    command.arg(script);
    let bundled = JUDGED.iter().map(|case| (common::fixtures(), case));
    let real = common::shared_data()
        .into_iter()
        .flat_map(|data| REAL.iter().map(move |case| (data.clone(), case)));
    let mut cases = Vec::new();
    for (i, (root, &(name, stream, file, reader))) in bundled.chain(real).enumerate() {
        if file == MeasurementFile::H5 && cfg!(not(feature = "hdf5")) {
            continue;
        }
        let (path, to) = (root.join(name), folder.path().join(format!("{i}.{}", file.name())));
        let count = convert(&path, stream, file, &to).unwrap();
        command.arg(reader).arg(&path).arg(&to);
        cases.push((format!("{stream} of {name} by {reader}"), count));
    }
    let judged = command.output().unwrap();
    let found = String::from_utf8_lossy(&judged.stdout);
    let errors = String::from_utf8_lossy(&judged.stderr);
    assert_eq!(found.lines().count(), cases.len(), "{found}\n{errors}");
    for (found, (what, count)) in found.lines().zip(cases) {
        if found.starts_with("skipped: ") {
            eprintln!("{what} {found}");
        } else {
            assert_eq!(found, format!("equal: {count}"), "{what}");
        }
    }
}

#[test]
fn samples_are_the_same_however_the_bytes_are_cut() {
    for &(name, stream, count) in STREAMS {
        let path = common::fixtures().join(name);
        let whole = measurements(Recording::open(&path, options(stream)).unwrap()).unwrap();
        assert_eq!(whole.0.len(), count, "{stream} of {name}");
        let told = &whole.1.measurements[stream];
        let (first, last) = (whole.0.first().unwrap().t(), whole.0.last().unwrap().t());
        assert_eq!((told.count, told.t_first, told.t_last), (count as u64, first, last));
        for (step, parallel) in [(1, false), (7, true), (1000, false), (1 << 20, true)] {
            let step = NonZeroUsize::new(step);
            let options = ReadOptions { step, parallel, ..options(stream) };
            let cut = measurements(Recording::open(&path, options).unwrap()).unwrap();
            // As text, because a temperature that is not known is not equal to itself.
            assert!(
                format!("{cut:?}") == format!("{whole:?}"),
                "{stream} of {name} in steps of {step:?}"
            );
        }
        // Events are counted as they are where they are read.
        let others = whole.1.count(liaf_data::model::Finding::OtherStreamEvents);
        let mut events = Recording::open(&path, ReadOptions::default()).unwrap();
        let read = events.reader().map_or(0, |mut reader| {
            let mut batch = liaf_data::EventBatch::new();
            reader.read_to_end(&mut batch).unwrap();
            batch.len() as u64
        });
        assert_eq!(others, read, "{stream} of {name}");
    }
}

#[test]
fn damaged_samples_are_given_as_far_as_they_are_whole() {
    let files: Vec<_> = STREAMS
        .iter()
        .map(|(name, ..)| std::fs::read(common::fixtures().join(name)).unwrap())
        .collect();
    for (i, &(name, stream, _)) in STREAMS.iter().enumerate() {
        for seed in 0..150 {
            let mut random = Random(1 + seed + 10_007 * i as u64);
            let mut bytes = files[i].clone();
            for _ in 0..1 + random.below(3) {
                mutate(&mut bytes, &files[random.below(files.len())], &mut random);
            }
            let options = ReadOptions { strict: seed % 5 == 0, ..options(stream) };
            let read = Recording::from_bytes(bytes.clone(), options).and_then(measurements);
            if let Ok((measurements, report)) = read {
                let total = report.bytes.total();
                assert_eq!(total, bytes.len() as u64, "{stream} of {name}, mutation {seed}");
                let told = report.measurements.get(stream).map_or(0, |told| told.count);
                assert_eq!(told, measurements.len() as u64, "{stream} of {name}, mutation {seed}");
            }
        }
    }
}

#[test]
fn a_stream_is_read_as_what_it_is() {
    let path = common::fixtures().join(AEDAT4);
    let error = |result: Result<()>| result.unwrap_err();
    let mut imu = Recording::open(&path, options("imu")).unwrap();
    assert_eq!(imu.info().chosen().unwrap().kind, StreamKind::Imu);
    assert_eq!(error(imu.reader().map(drop)).kind(), ErrorKind::Caller);
    let mut events = Recording::open(&path, options("events")).unwrap();
    assert_eq!(error(events.measurements().map(drop)).kind(), ErrorKind::Caller);
    let nothing = error(Recording::open(&path, options("sound")).map(drop)).to_string();
    assert!(nothing.contains("2 (imu)"), "{nothing}");
    let folder = tempfile::tempdir().unwrap();
    for (stream, file) in [("imu", MeasurementFile::Png), ("frames", MeasurementFile::Csv)] {
        let to = folder.path().join("x");
        let error = convert(&path, stream, file, &to).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Caller, "{error}");
        assert!(!to.exists());
    }
}

#[test]
fn a_folder_of_frames_is_whole_or_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("frames");
    let path = common::fixtures().join(AEDAT4);
    assert_eq!(convert(&path, "frames", MeasurementFile::Png, &to).unwrap(), 8);
    let names = || -> Vec<PathBuf> {
        let mut names: Vec<_> =
            std::fs::read_dir(&to).unwrap().map(|e| e.unwrap().path()).collect();
        names.sort();
        names
    };
    assert_eq!(names().len(), 9);
    let error = convert(&path, "frames", MeasurementFile::Png, &to).unwrap_err();
    assert_eq!(error.hints(), [Hint::Overwrite], "{error}");
    // Fewer frames replace more: none of the old ones is left.
    std::fs::write(to.join("mine.png"), b"mine").unwrap();
    let mut recording =
        Recording::open(common::fixtures().join(AEDAT2), options("frames")).unwrap();
    let write =
        MeasurementOptions { overwrite: true, sync: false, ..MeasurementOptions::default() };
    let mut convert_options = MeasurementConvertOptions {
        file: MeasurementFile::Png,
        selection: Selection::default(),
        write,
    };
    let mut go_on = |_: &_| ControlFlow::Continue(());
    convert_measurements(&mut recording, Some(&to), &convert_options, &mut go_on).unwrap();
    assert_eq!(names().len(), 3 + 2, "{:?}", names());
    // Too large: nothing of it stays.
    convert_options.write.limits.output_bytes = 300;
    let other = folder.path().join("other");
    let error = convert_measurements(&mut recording, Some(&other), &convert_options, &mut go_on);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Limit);
    assert!(!other.exists());
}
