//! The detection sets: boxes beside the frames, compared with a reader in Python.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::fs;
use std::path::Path;
use std::process::Command;

use liaf_data::dataset::{
    Build, Contents, DataSet, Join, ListOptions, Listing, PartOf, SampleRule, Split, SplitRule,
    merge, verify,
};
use liaf_data::frames::{Dtype, FrameOptions};
use liaf_data::tensor::{TensorFile, TensorOptions};
use liaf_data::{ErrorKind, Limits, Result};
use tempfile::TempDir;

use crate::columns::npy;
use crate::dataset::run;
use crate::judge;

/// A recording as Prophesee's DAT has it: one event each ms for `ms` ms, which walks over the sensor.
fn dat(ms: u32, number: u32) -> Vec<u8> {
    let mut bytes =
        b"% Data file containing CD events.\n% Version 2\n% Height 240\n% Width 304\n".to_vec();
    bytes.extend([0, 8]);
    for i in 0..ms {
        let (x, y, p) = (7 * i % 304, (3 * i + number) % 240, (i + number) % 2);
        bytes.extend((1_000 * i).to_le_bytes());
        bytes.extend((p << 28 | y << 14 | x).to_le_bytes());
    }
    bytes
}

/// t, x, y, w, h, class and track.
type Row = (u64, [f32; 4], u32, u32);

/// The boxes of a recording with the names of 2020, or with those of later years.
fn boxes(rows: &[Row], is_old: bool) -> Vec<u8> {
    let edges = "('x', '<f4'), ('y', '<f4'), ('w', '<f4'), ('h', '<f4')";
    let (first, last) = match is_old {
        true => ("ts", "('class_id', '|u1'), ('confidence', '<f4'), ('track_id', '<u4')"),
        false => ("t", "('class_id', '<u4'), ('track_id', '<u4'), ('class_confidence', '<f4')"),
    };
    let mut bytes = Vec::new();
    for &(t, place, class, track) in rows {
        bytes.extend(t.to_le_bytes());
        place.iter().for_each(|edge| bytes.extend(edge.to_le_bytes()));
        let confidence = 0.5_f32.to_le_bytes();
        match is_old {
            true => {
                bytes.push(class as u8);
                bytes.extend(confidence);
                bytes.extend(track.to_le_bytes());
            }
            false => {
                bytes.extend(class.to_le_bytes());
                bytes.extend(track.to_le_bytes());
                bytes.extend(confidence);
            }
        }
    }
    let descr = format!("[('{first}', '<u8'), {edges}, {last}]");
    npy(&descr, &format!("({},)", rows.len()), &bytes)
}

const GOOD: [f32; 4] = [10.0, 20.0, 30.5, 40.25];

fn miniature() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let (train, val) = ("train/17-03-30_12-53-58_1037500000_1098500000", "val/17-04-04_0_61500000");
    write(&format!("{train}_td.dat"), dat(600, 1));
    let rows: &[Row] = &[
        (100_000, GOOD, 0, 7),
        (100_000, [280.0, 200.0, 60.0, 30.0], 1, 8),
        (350_000, [-5.0, 0.0, 10.0, 10.0], 1, 8),
        (300_001, GOOD, 0, 7),
        (400_000, [5.0, 5.0, 0.0, 10.0], 0, 9),
        (400_000, [f32::NAN, 5.0, 5.0, 10.0], 0, 9),
        (400_000, [304.0, 5.0, 5.0, 10.0], 0, 9),
        (500_000, GOOD, 2, 9),
    ];
    write(&format!("{train}_bbox.npy"), boxes(rows, true));
    write(&format!("{val}_td.dat"), dat(300, 2));
    let rows: &[Row] = &[(30_000, GOOD, 1, 1), (200_000, GOOD, 0, 2), (300_000, GOOD, 0, 3)];
    write(&format!("{val}_bbox.npy"), boxes(rows, false));
    write("test/alone_td.dat", dat(10, 0));
    write("test/lost_bbox.npy", boxes(&[], false));
    folder
}

#[test]
fn a_box_at_the_start_costs_its_own_sample() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("a_td.dat"), dat(600, 1)).unwrap();
    let rows: &[Row] = &[(0, GOOD, 0, 7), (100_000, GOOD, 0, 7), (400_000, GOOD, 1, 8)];
    fs::write(path.join("a_bbox.npy"), boxes(rows, true)).unwrap();
    let listing = list(folder.path()).unwrap();
    let build = Build {
        frames: FrameOptions::window_ms(20).size(152, 120).dtype(Dtype::U8),
        samples: SampleRule::Whole { steps: Some(5) },
        ..Build::new("gen1", folder.path().join("out.npz")).unwrap()
    };
    let built = run(&build, &listing).unwrap();
    assert!(built.failures.is_empty(), "{:?}", built.failures);
    assert_eq!(built.files[0].1, 2);
    let said = "1 recordings or parts of them have no events, and are no samples: train/a_td.dat (-100000 to 0 µs)";
    assert!(built.remarks.iter().any(|remark| remark == said), "{:?}", built.remarks);
}

fn list(folder: &Path) -> Result<Listing> {
    DataSet::named("gen1")?.list(folder, &ListOptions::default())
}

/// What the reader in Python says about a file: its numbers of samples and of boxes.
fn judged(folder: &Path, file: &Path, split: &str, how: &str) -> Option<String> {
    let python = judge::python("numpy, h5py")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/detection.py");
    let mut command = Command::new(python);
    command.arg(script).arg(folder).arg(file).args([split, "20000", "5", how, "2"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{how}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[test]
fn boxes_stand_beside_the_frames() {
    let folder = miniature();
    let listing = list(folder.path()).unwrap();
    let splits: Vec<_> = listing.recordings.iter().map(|entry| entry.split.unwrap()).collect();
    assert_eq!(splits, [Split::Train, Split::Val]);
    assert_eq!(
        (&*listing.classes, listing.counts()),
        (&["car".to_owned(), "pedestrian".into()][..], vec![4, 3])
    );
    for said in [
        "1 recordings have no _bbox.npy, and are passed over: test/alone_td.dat",
        "1 files _bbox.npy have no recording: test/lost_bbox.npy",
        "2 of 11 boxes have no area, and are left out",
        "1 of 11 boxes are outside the sensor, and are left out",
        "1 of 11 boxes have a class that the set does not have, and are left out",
        "2 of 11 boxes reach beyond the sensor, and are kept as they are",
        "1 of 11 boxes are earlier than the box before them",
        "1 recordings to val were found, of 429 that are published",
    ] {
        assert!(listing.remarks.iter().any(|r| r.contains(said)), "{said}: {:?}", listing.remarks);
    }
    let frames = FrameOptions::window_ms(20).size(152, 120).dtype(Dtype::U8);
    for (how, samples, expected) in [
        ("around", SampleRule::Whole { steps: Some(5) }, ["3 5", "3 3"]),
        ("along", SampleRule::Cut { steps: 5, keep_partial: false }, ["5 4", "2 2"]),
    ] {
        let out = folder.path().join(format!("{how}.npz"));
        let build = Build { frames: frames.clone(), samples, ..Build::new("gen1", &out).unwrap() };
        let built = run(&build, &listing).unwrap();
        let names: Vec<_> =
            built.files.iter().map(|(path, ..)| path.file_name().unwrap()).collect();
        assert_eq!(names, [format!("{how}.train.npz").as_str(), &format!("{how}.val.npz")]);
        for ((path, ..), (split, expected)) in
            built.files.iter().zip([("train", expected[0]), ("val", expected[1])])
        {
            if let Some(said) = judged(folder.path(), path, split, how) {
                assert_eq!(said, expected, "{how} {split}");
            }
        }
    }
    let file = TensorFile::open(folder.path().join("around.val.npz"), &Limits::default()).unwrap();
    assert!(!file.contains("labels"));
    assert_eq!(file.get("box_frames").unwrap().to_vec::<i64>().unwrap(), [4, 4, 4]);
}

#[test]
fn what_is_no_array_of_boxes_is_said_before_any_work() {
    let folder = miniature();
    let path = folder.path().join("val/17-04-04_0_61500000_bbox.npy");
    let good = fs::read(&path).unwrap();
    for (bytes, said) in [
        (good[..good.len() - 1].to_vec(), "the array is shorter than it says"),
        (npy("'<f4'", "(2, 5)", &[0; 40]), "the boxes are no records"),
        (npy("[('t', '<u8'), ('x', '<f4')]", "(1,)", &[0; 12]), "the boxes have no y"),
    ] {
        fs::write(&path, bytes).unwrap();
        let listing = list(folder.path()).unwrap();
        let remark = "1 recordings have boxes that cannot be read: val/";
        let found = listing.remarks.iter().find(|r| r.contains(remark)).unwrap();
        assert!(found.contains(said), "{found}");
    }
}

#[test]
fn a_recording_whose_boxes_are_cut_short_is_left_out_and_reported() {
    let folder = miniature();
    let path = folder.path().join("val/17-04-04_0_61500000_bbox.npy");
    let good = fs::read(&path).unwrap();
    fs::write(&path, &good[..good.len() - 1]).unwrap();
    let frames = FrameOptions::window_ms(20).size(8, 8).dtype(Dtype::U8);
    let out = folder.path().join("out.npz");
    let build = Build { frames, ..Build::new("gen1", &out).unwrap() };
    let listing = list(folder.path()).unwrap();
    let built = run(&build, &listing).unwrap();
    let names: Vec<_> = built.failures.iter().map(|failure| &*failure.name).collect();
    assert_eq!(names, ["val/17-04-04_0_61500000_td.dat"]);
    assert_eq!(built.failures[0].error.path(), Some(&*path));
    assert!(
        built
            .files
            .iter()
            .any(|(path, samples, _)| path.ends_with("out.train.npz") && *samples == 1)
    );
}

#[test]
fn parts_with_boxes_are_merged_to_the_bytes_of_a_single_run() {
    let folder = miniature();
    let listing = list(folder.path()).unwrap();
    let made = |name: &str, part: Option<PartOf>, contents: Contents| {
        let frames = FrameOptions::window_ms(20).size(152, 120).dtype(Dtype::U8);
        let samples = SampleRule::Cut { steps: 5, keep_partial: false };
        let output = folder.path().join(name);
        let split = SplitRule::None;
        let build =
            Build { frames, samples, part, contents, split, ..Build::new("gen1", output).unwrap() };
        run(&build, &listing).unwrap().files.remove(0).0
    };
    let mut kinds = vec![(Contents::Frames, "safetensors"), (Contents::Sparse, "npz")];
    if cfg!(feature = "hdf5") {
        kinds.extend([(Contents::Frames, "h5"), (Contents::Sparse, "h5")]);
    }
    for (contents, extension) in kinds {
        let single =
            made(&format!("single-{}-{extension}.{extension}", contents.name()), None, contents);
        let parts = [1, 2].map(|i| {
            made(
                &format!("whole-{}-{extension}.{extension}", contents.name()),
                Some(PartOf::new(i, 2).unwrap()),
                contents,
            )
        });
        let out = folder.path().join(format!("whole-{}-{extension}.{extension}", contents.name()));
        let options = TensorOptions::default();
        let merged = merge(&parts, &out, Join::Copy, &options).unwrap();
        assert_eq!(merged[0].files[0].0, out);
        assert!(fs::read(&out).unwrap() == fs::read(&single).unwrap(), "{contents:?}");
        verify(&out).unwrap();
        if (contents, extension) == (Contents::Frames, "h5")
            && let Some(said) = judged(folder.path(), &out, "all", "along")
        {
            assert_eq!(said, "7 6");
        }
        let listed = merge(&parts, &out, Join::Index, &options).unwrap();
        assert_eq!((listed[0].samples, listed[0].files.len()), (merged[0].samples, 2));
    }
}

#[test]
fn a_box_that_is_not_the_one_that_was_written_is_found() {
    let folder = miniature();
    let frames = FrameOptions::window_ms(20).size(8, 8).dtype(Dtype::U8);
    let output = folder.path().join("out.safetensors");
    let samples = SampleRule::Cut { steps: 5, keep_partial: false };
    let build = Build { frames, samples, ..Build::new("gen1", output).unwrap() };
    let (path, ..) = run(&build, &list(folder.path()).unwrap()).unwrap().files.remove(0);
    verify(&path).unwrap();
    let good = fs::read(&path).unwrap();
    let file = TensorFile::open(&path, &Limits::default()).unwrap();
    for name in ["boxes", "box_confidences", "box_labels", "box_frames", "box_t", "box_tracks"] {
        let tensor = file.get(name).unwrap();
        let stored = tensor.bytes();
        let at = good.windows(stored.len()).rposition(|window| window == stored).unwrap();
        let mut bad = good.clone();
        bad[at + stored.len() - 1] ^= 1;
        fs::write(&path, bad).unwrap();
        let error = verify(&path).unwrap_err().to_string();
        assert!(error.contains("not those that were written"), "{name}: {error}");
    }
}

#[test]
fn filters_that_move_events_are_refused() {
    let folder = miniature();
    let listing = list(folder.path()).unwrap();
    for filter in ["flip-x", "transpose", "scale-time:factor=2", "time-reversal"] {
        let mut frames = FrameOptions::window_ms(20).size(152, 120);
        frames.selection.filters.push(filter.parse().unwrap());
        let samples = SampleRule::Whole { steps: Some(5) };
        let out = folder.path().join("moved.npz");
        let build = Build { frames, samples, ..Build::new("gen1", out).unwrap() };
        let error = build.prepare(&listing).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Caller);
        assert!(error.to_string().contains(filter.split(':').next().unwrap()), "{error}");
    }
}
