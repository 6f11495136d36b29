//! Data sets without classes: folders of arrays, and drives seen by two cameras.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::fs;
use std::path::Path;

use liaf_data::Result;
use liaf_data::dataset::{Build, DataSet, ListOptions, Listing, SampleRule, Split};
#[cfg(feature = "hdf5")]
use liaf_data::{EventBatch, ReadOptions, Recording};
use tempfile::TempDir;

use crate::columns::npy;
#[cfg(feature = "hdf5")]
use crate::dataset::folder;
use crate::dataset::{read, small};

fn list(set: &str, folder: &TempDir, subset: Option<&str>) -> Result<Listing> {
    let subset = subset.map(str::to_owned);
    DataSet::named(set)?.list(folder.path(), &ListOptions { subset, ..ListOptions::default() })
}

fn says(listing: &Listing, remarks: &[&str]) {
    for said in remarks {
        assert!(listing.remarks.iter().any(|r| r.contains(said)), "{said}: {:?}", listing.remarks);
    }
    assert_eq!(listing.remarks.len(), remarks.len(), "{:?}", listing.remarks);
}

/// Times in µs of the events of the scene of this number: one in every ms.
fn times(scene: u32) -> Vec<i64> {
    (0..100 + 10 * i64::from(scene)).map(|i| 1_000 * i).collect()
}

/// A recording as EVIMO2 has it: seconds in f32, pixels in two columns, polarities of one byte.
fn write_scene(folder: &Path, scene: u32) {
    fs::create_dir_all(folder).unwrap();
    let t = times(scene);
    let n = t.len();
    let seconds: Vec<u8> = t.iter().flat_map(|&t| (t as f32 / 1e6).to_le_bytes()).collect();
    let pixels: Vec<u8> = (0..n as u16)
        .flat_map(|i| [(639 - i).to_le_bytes(), (i % 480).to_le_bytes()].concat())
        .collect();
    let polarities: Vec<u8> = (0..n).map(|i| u8::from(i % 3 == 0)).collect();
    let write = |name: &str, bytes| fs::write(folder.join(name), bytes).unwrap();
    write("dataset_events_t.npy", npy("'<f4'", &format!("({n},)"), &seconds));
    write("dataset_events_xy.npy", npy("'<u2'", &format!("({n}, 2)"), &pixels));
    write("dataset_events_p.npy", npy("'|u1'", &format!("({n},)"), &polarities));
    // What else stands there: masks, depth and poses.
    write("dataset_info.npz", b"PK".to_vec());
}

#[test]
fn folders_of_arrays_are_recordings() {
    let folder = tempfile::tempdir().unwrap();
    let scenes = [
        "samsung_mono/imo/train/scene1",
        "samsung_mono/imo/eval/scene2",
        "left_camera/sfm/train/scene3",
    ];
    for (number, scene) in (1..).zip(scenes) {
        write_scene(&folder.path().join("npz").join(scene), number);
    }
    let broken = folder.path().join("npz/left_camera/sfm/eval/scene4");
    write_scene(&broken, 4);
    fs::remove_file(broken.join("dataset_events_xy.npy")).unwrap();
    let frames = folder.path().join("npz/flea3_7/imo/train/scene1");
    fs::create_dir_all(&frames).unwrap();
    fs::write(frames.join("dataset_classical.npz"), "PK").unwrap();

    let listing = list("evimo2", &folder, None).unwrap();
    let found: Vec<_> = listing.recordings.iter().map(|e| (&*e.name, e.split.unwrap())).collect();
    let (train, test) = (Split::Train, Split::Test);
    assert_eq!(
        found,
        [
            ("npz/left_camera/sfm/train/scene3", train),
            ("npz/samsung_mono/imo/eval/scene2", test),
            ("npz/samsung_mono/imo/train/scene1", train),
        ]
    );
    says(
        &listing,
        &[
            "1 folders of arrays have no events",
            "1 recordings are incomplete and are passed over: npz/left_camera/sfm/eval/scene4 has no events_xy",
        ],
    );
    let one = list("evimo2", &folder, Some("imo")).unwrap();
    assert_eq!(one.recordings.len(), 2);
    let error = list("evimo2", &folder, Some("flea3_7")).unwrap_err().to_string();
    assert!(error.contains("no recording is in a folder of this name"), "{error}");

    let out = folder.path().join("out.npz");
    let samples = SampleRule::Cut { steps: 1, keep_partial: false };
    let build = Build { frames: small(), samples, ..Build::new("evimo2", &out).unwrap() };
    let built = build.run(&listing, &|_| {}, &|| true).unwrap();
    assert!(built.failures.is_empty(), "{:?}", built.failures);
    let [train, test] = [0, 1].map(|file| read(&built.files[file].0));
    // Windows of 50 ms: two of scene 1 and of scene 2, two of scene 3.
    assert_eq!((train.shape, test.shape), (vec![4, 1, 2, 8, 8], vec![2, 1, 2, 8, 8]));
    assert_eq!((train.sums, test.sums), (vec![50; 4], vec![50; 2]));
    assert_eq!((train.source, test.source), (vec![0, 0, 2, 2], vec![1, 1]));
    assert!(train.labels.is_empty());
}

#[test]
fn a_plain_folder_takes_a_folder_of_arrays_as_one_recording() {
    let folder = tempfile::tempdir().unwrap();
    for (number, scene) in [(1, "walk/1"), (2, "walk/2"), (3, "run/1")] {
        write_scene(&folder.path().join(scene), number);
    }
    let listing = list("folder", &folder, None).unwrap();
    let found: Vec<_> = listing.recordings.iter().map(|e| &*e.name).collect();
    assert_eq!(found, ["run/1", "walk/1", "walk/2"]);
    assert_eq!(listing.classes, ["run", "walk"]);
}

#[cfg(feature = "hdf5")]
#[test]
fn drives_are_listed_by_sequence_and_side() {
    const FILE: &str = "hdf5/dsec_blosc_zstd.h5";
    let folder = folder(&[
        ("train/interlaken_00_c/events/left/events.h5", FILE),
        ("train/interlaken_00_c/events/left/rectify_map.h5", "text:x"),
        ("train/interlaken_00_c/events/right/events.h5", FILE),
        ("train/interlaken_00_c/events/right/rectify_map.h5", "text:x"),
        ("train/zurich_city_00_a_events_left/events.h5", FILE),
        ("train/zurich_city_00_a_events_left/rectify_map.h5", "text:x"),
        ("test/zurich_city_13_a/events/right/events.h5", "hdf5/rvt.h5"),
        ("test/zurich_city_13_a/images/events.h5", FILE),
    ]);
    let listing = list("dsec", &folder, None).unwrap();
    let found: Vec<_> = listing.recordings.iter().map(|e| (&*e.name, e.split.unwrap())).collect();
    let (train, test) = (Split::Train, Split::Test);
    assert_eq!(
        found,
        [
            ("test/zurich_city_13_a/events/right/events.h5", test),
            ("train/interlaken_00_c/events/left/events.h5", train),
            ("train/interlaken_00_c/events/right/events.h5", train),
            ("train/zurich_city_00_a_events_left/events.h5", train),
        ]
    );
    says(
        &listing,
        &[
            "1 files events.h5 are not where those of the set are",
            "1 recordings have no rectify_map.h5 beside them: test/zurich_city_13_a/events/right/events.h5",
            "1 recordings lack the table ms_to_idx or the number t_offset: test/zurich_city_13_a",
            "1 sequences have no left camera: zurich_city_13_a",
            "1 sequences have no right camera: zurich_city_00_a",
            "2 sequences to train were found, of 41 that are published",
            "1 sequences to test were found, of 12 that are published",
        ],
    );
    let left = list("dsec", &folder, Some("left")).unwrap();
    assert_eq!(left.recordings.len(), 2);
    assert!(
        list("dsec", &folder, Some("middle")).unwrap_err().to_string().contains("left or right")
    );

    let out = folder.path().join("out.npz");
    let build = Build { frames: small(), ..Build::new("dsec", &out).unwrap() };
    let built = build.run(&left, &|_| {}, &|| true).unwrap();
    assert_eq!(built.files.len(), 1);
    let file = read(&built.files[0].0);
    let path = folder.path().join("train/zurich_city_00_a_events_left/events.h5");
    let events: EventBatch =
        Recording::open(path, ReadOptions::default()).unwrap().read_all().unwrap();
    // As h5py counts them.
    assert_eq!(events.len(), 1_015);
    assert_eq!((file.sums, file.source), (vec![1_015; 2], vec![0, 1]));
    assert_eq!(file.start, [1_318_955; 2]);
}
