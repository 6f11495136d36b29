//! Data sets: miniatures of their folders, made of bundled recordings, become tensor files.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use liaf_data::dataset::{
    Build, Built, DATASETS, DataSet, Labels, ListOptions, Listing, OnError, SampleRule, Split,
    SplitRule,
};
use liaf_data::frames::{Dtype, FrameOptions};
use liaf_data::tensor::{TensorFile, TensorOptions};
use liaf_data::{ErrorKind, Limits, ReadOptions, Recording, Result, SensorSize};
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/good").join(name)
}

/// A folder in which these names are copies of these bundled recordings, or these texts.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, of) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match of.strip_prefix("text:") {
            Some(text) => fs::write(path, text).unwrap(),
            None => drop(fs::copy(fixture(of), path).unwrap()),
        }
    }
    folder
}

pub(crate) fn list(set: &str, folder: &TempDir) -> Result<Listing> {
    DataSet::named(set)?.list(folder.path(), &ListOptions::default())
}

pub(crate) fn run(build: &Build, listing: &Listing) -> Result<Built> {
    build.run(listing, &|_| {}, &|| true)
}

pub(crate) struct Read {
    pub shape: Vec<usize>,
    pub labels: Vec<i64>,
    pub lengths: Vec<i64>,
    pub source: Vec<i64>,
    pub start: Vec<i64>,
    pub sums: Vec<u64>,
    pub about: serde_json::Value,
}

pub(crate) fn read(path: &Path) -> Read {
    let file = TensorFile::open(path, &Limits::default()).unwrap();
    let numbers = |name: &str| file.get(name).unwrap().to_vec::<i64>().unwrap();
    let frames = file.get("frames").unwrap();
    let samples = frames.shape()[0];
    let cells = frames.to_vec::<u8>().unwrap();
    let each = cells.len() / samples.max(1);
    let sums = cells.chunks(each.max(1)).map(|cells| cells.iter().map(|&c| u64::from(c)).sum());
    Read {
        shape: frames.shape().to_vec(),
        labels: if file.contains("labels") { numbers("labels") } else { Vec::new() },
        lengths: numbers("lengths"),
        source: numbers("source"),
        start: numbers("t_start"),
        sums: sums.collect(),
        about: serde_json::from_str(file.provenance().unwrap()).unwrap(),
    }
}

pub(crate) fn small() -> FrameOptions {
    FrameOptions::window_ms(50).size(8, 8).dtype(Dtype::U8)
}

/// Number of events of a bundled recording.
fn events(name: &str) -> u64 {
    let mut recording = Recording::open(fixture(name), ReadOptions::default()).unwrap();
    recording.read_all().unwrap().len() as u64
}

pub(crate) const DVS128: &str = "aedat2/dvs128.aedat";

/// A set, its files, its number of classes, the class and split of each recording, and a remark.
type Miniature<'a> =
    (&'a str, &'a [(&'a str, &'a str)], usize, &'a [(usize, Option<Split>)], &'a str);

#[test]
fn published_sets_have_their_classes_and_splits() {
    let mat = if cfg!(feature = "zip") { "mat/asl_dvs.mat" } else { "mat/asl_dvs_narrow.mat" };
    let cases: &[Miniature] = &[
        (
            "mnist-dvs",
            &[
                ("grabbed_data3/scale16/mnist_3_scale16_0001.aedat", DVS128),
                ("grabbed_data0/scale4/mnist_0_scale04_0002.aedat", DVS128),
                ("readme.txt", "text:x"),
            ],
            10,
            &[(0, None), (3, None)],
            "the class 3 has 1 recordings, of 3000 that are published",
        ),
        (
            "cifar10-dvs",
            &[
                ("truck/cifar10_truck_0.aedat", DVS128),
                ("bird/cifar10_bird_10.aedat", DVS128),
                ("bird/cifar10_bird_2.aedat", DVS128),
                ("horses/x.aedat", DVS128),
            ],
            10,
            &[(2, None), (2, None), (9, None)],
            "1 files are not where the recordings of the set are",
        ),
        (
            "n-mnist",
            &[
                ("Train/7/00001.bin", "atis_bin/nmnist.bin"),
                ("Test/0/00003.bin", "atis_bin/nmnist.bin"),
            ],
            10,
            &[(0, Some(Split::Test)), (7, Some(Split::Train))],
            "1 recordings to train were found, of 60000 that are published",
        ),
        (
            "n-caltech101",
            &[
                ("Caltech101/wrench/image_0001.bin", "atis_bin/ncaltech101.bin"),
                ("Caltech101/BACKGROUND_Google/image_0001.bin", "atis_bin/ncaltech101.bin"),
                ("Caltech101_annotations/wrench/annotation_0001.bin", "text:boxes"),
            ],
            2,
            &[(0, None), (1, None)],
            "2 classes were found, of 101 that are published",
        ),
        (
            "n-cars",
            &[
                ("n-cars_test/cars/obj_000001_td.dat", "dat/tiny.dat"),
                ("n-cars_train/background/obj_000002_td.dat", "dat/tiny.dat"),
            ],
            2,
            &[(1, Some(Split::Test)), (0, Some(Split::Train))],
            "1 recordings of cars to test were found, of 4396 that are published",
        ),
        (
            "asl-dvs",
            &[("a/a_0001.mat", mat), ("y/y_0001.mat", mat)],
            24,
            &[(0, None), (23, None)],
            "the class b has 0 recordings, of 4200 that are published",
        ),
    ];
    for (set, files, classes, expected, remark) in cases {
        let folder = folder(files);
        let listing = list(set, &folder).unwrap();
        assert_eq!(listing.classes.len(), *classes, "{set}");
        let found: Vec<_> = listing
            .recordings
            .iter()
            .map(|entry| match entry.labels {
                Labels::Class(class) => (class, entry.split),
                _ => panic!("{set}: {entry:?}"),
            })
            .collect();
        assert_eq!(found, *expected, "{set}");
        let said = listing.remarks.iter().any(|said| said.contains(remark));
        assert!(said, "{set}: {:?}", listing.remarks);
        let out = folder.path().join(format!("{set}.safetensors"));
        let samples = SampleRule::Whole { steps: Some(3) };
        let build = Build { frames: small(), samples, ..Build::new(set, &out).unwrap() };
        let built = run(&build, &listing).unwrap();
        assert!(built.failures.is_empty(), "{set}: {:?}", built.failures);
        let mut labels = Vec::new();
        for (path, samples, _) in &built.files {
            let file = read(path);
            assert_eq!(file.shape, [*samples as usize, 3, 2, 8, 8], "{set}");
            assert!(file.sums.iter().all(|&sum| sum > 0), "{set}: {:?}", file.sums);
            assert_eq!(file.about["dataset"]["class_names"].as_array().unwrap().len(), *classes);
            labels.extend(file.labels);
        }
        let mut expected: Vec<_> = expected.iter().map(|(class, _)| *class as i64).collect();
        labels.sort_unstable();
        expected.sort_unstable();
        assert_eq!(labels, expected, "{set}");
    }
    // The others have tests of their own.
    let others = ["folder", "dvs-gesture", "babi", "evimo2", "dsec", "gen1", "1mpx"];
    let covered: Vec<_> = cases.iter().map(|case| case.0).chain(others).collect();
    assert!(DATASETS.iter().all(|set| covered.contains(&set.name)), "a set has no miniature");
}

#[test]
fn the_gestures_are_cut_by_their_tables() {
    let table = "text:class,startTime_usec,endTime_usec\n2,10000,110000\n1,150000,290000\n";
    let overlapping = "text:class,startTime_usec,endTime_usec\n11,0,200000\n9,199999,250000\n";
    let folder = folder(&[
        ("user01_fluorescent.aedat", "aedat3/dvs128.aedat"),
        ("user01_fluorescent_labels.csv", table),
        ("user24_led.aedat", "aedat3/dvs128.aedat"),
        ("user24_led_labels.csv", overlapping),
        ("user02_lab.aedat", "aedat3/dvs128.aedat"),
        ("user03_lab.aedat", "aedat3/dvs128.aedat"),
        (
            "trials_to_train.txt",
            "text:user01_fluorescent.aedat\n\nuser03_lab.aedat\nuser09_led.aedat\n",
        ),
        ("trials_to_test.txt", "text:user24_led.aedat\n"),
    ]);
    let listing = list("dvs-gesture", &folder).unwrap();
    for said in [
        "lines 2 and 3 overlap by 1 µs",
        "1 recordings are in neither list, and are passed over: user02_lab.aedat",
        "1 recordings have no table of labels, and are passed over: user03_lab.aedat",
        "1 recordings are in the list to train, but missing: user09_led.aedat",
        "2 samples to test, of 288",
    ] {
        assert!(listing.remarks.iter().any(|r| r.contains(said)), "{said}: {:?}", listing.remarks);
    }
    let out = folder.path().join("gesture.npz");
    let build = Build {
        frames: small(),
        samples: SampleRule::Whole { steps: Some(2) },
        ..Build::new("dvs-gesture", &out).unwrap()
    };
    let built = run(&build, &listing).unwrap();
    let names: Vec<_> = built.files.iter().map(|(path, ..)| path.file_name().unwrap()).collect();
    assert_eq!(names, ["gesture.train.npz", "gesture.test.npz"]);
    let train = read(&built.files[0].0);
    assert_eq!((train.labels, train.start), (vec![1, 0], vec![10_000, 150_000]));
    // The same events, counted one by one.
    let mut recording =
        Recording::open(fixture("aedat3/dvs128.aedat"), ReadOptions::default()).unwrap();
    let all = recording.read_all().unwrap();
    let between = |from, to| all.iter().filter(|e| (from..to).contains(&e.t)).count() as u64;
    assert_eq!(train.sums, [between(10_000, 110_000), between(150_000, 250_000)]);
    assert_eq!(read(&built.files[1].0).labels, [10, 8]);
    let split = SplitRule::First { fraction: 0.5 };
    let error = run(&Build { split, output: folder.path().join("x.npz"), ..build }, &listing);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("says itself what trains") && error.contains("is to train"), "{error}");

    fs::write(folder.path().join("user24_led_labels.csv"), table[5..].replace("2,", "12,"))
        .unwrap();
    let error = list("dvs-gesture", &folder).unwrap_err().to_string();
    assert!(error.contains("line 2") && error.contains("expected 1 to 11, found 12"), "{error}");
    let reversed = "class,startTime_usec,endTime_usec\n2,110000,10000\n";
    fs::write(folder.path().join("user24_led_labels.csv"), reversed).unwrap();
    let error = list("dvs-gesture", &folder).unwrap_err().to_string();
    assert!(error.contains("line 2: the stretch ends before it begins"), "{error}");
}

#[test]
fn samples_are_cut_padded_and_divided() {
    let folder = folder(&[("a/1.aedat", DVS128), ("b/2.aedat", DVS128)]);
    let listing = list("folder", &folder).unwrap();
    let total = events(DVS128);
    let mut recording = Recording::open(fixture(DVS128), ReadOptions::default()).unwrap();
    let all = recording.read_all().unwrap();
    let (first, last) = (all.t()[0], *all.t().last().unwrap());
    let make = |name: &str, samples, split: &str| {
        let build = Build {
            frames: small(),
            samples,
            split: split.parse().unwrap(),
            ..Build::new("folder", folder.path().join(name)).unwrap()
        };
        run(&build, &listing).unwrap()
    };
    // 300 ms in windows of 50 ms.
    let built = make("whole.npz", SampleRule::Whole { steps: None }, "none");
    let file = read(&built.files[0].0);
    let frames = ((last - first) / 50_000 + 1) as usize;
    assert_eq!(file.shape, [2, frames, 2, 8, 8]);
    assert_eq!((file.sums, file.lengths), (vec![total; 2], vec![frames as i64; 2]));
    let built = make("long.npz", SampleRule::Whole { steps: Some(9) }, "none");
    let file = read(&built.files[0].0);
    assert_eq!((file.shape[1], &*file.sums, file.lengths[0]), (9, &[total; 2][..], frames as i64));
    let built = make("bins.npz", SampleRule::Bins { steps: 4 }, "none");
    assert_eq!(read(&built.files[0].0).sums, [total; 2]);

    let cut = |keep_partial| SampleRule::Cut { steps: 2, keep_partial };
    let whole = (last - first) / 100_000;
    let built = make("cut.npz", cut(false), "none");
    let file = read(&built.files[0].0);
    assert_eq!((built.cut_short, file.shape[0] as i64), (2, 2 * whole));
    let in_first = all.iter().filter(|e| e.t < first + 100_000).count() as u64;
    assert_eq!((file.sums[0], file.start[0], file.start[1]), (in_first, first, first + 100_000));
    let built = make("pad.npz", cut(true), "none");
    let file = read(&built.files[0].0);
    assert_eq!((built.cut_short, file.sums.iter().sum::<u64>()), (0, 2 * total));

    let built = make("time.npz", cut(true), "time:0.7");
    let (train, test) = (read(&built.files[0].0), read(&built.files[1].0));
    let border = first + ((last - first + 1) as f64 * 0.7) as i64;
    let before = all.iter().filter(|e| e.t < border).count() as u64;
    assert_eq!(train.sums.iter().sum::<u64>(), 2 * before);
    assert_eq!(test.sums.iter().sum::<u64>(), 2 * (total - before));
    assert!(test.start.iter().all(|&start| start >= border));
    assert_eq!((train.source[0], *train.source.last().unwrap()), (0, 1));
    assert_eq!(
        built.classes[1].samples[1],
        train.labels.iter().filter(|&&l| l == 1).count() as u64
    );
}

#[test]
fn what_cannot_be_used_is_reported_and_what_does_not_fit_is_refused() {
    let folder = folder(&[("a/1.aedat", DVS128), ("b/2.aedat", DVS128), ("b/bad.aedat", "text:x")]);
    let listing = list("folder", &folder).unwrap();
    let out = folder.path().join("out.npz");
    let samples = SampleRule::Whole { steps: Some(4) };
    let build = Build { frames: small(), samples, ..Build::new("folder", &out).unwrap() };
    let stop = Build { on_error: OnError::Stop, ..build.clone() };
    let error = run(&stop, &listing).unwrap_err();
    assert!(error.to_string().contains("bad.aedat") && !out.exists(), "{error}");
    let built = run(&build, &listing).unwrap();
    assert_eq!((built.failures.len(), &*built.failures[0].name), (1, "b/bad.aedat"));
    assert!(!folder.path().join("out.npz.parts").exists());
    let file = read(&out);
    assert_eq!((file.labels, file.source), (vec![0, 1], vec![0, 1]));
    assert_eq!(file.about["dataset"]["failed"], 1);

    let again = run(&build, &listing).unwrap();
    assert!(again.was_complete && again.files[0].1 == 2 && again.failed_before == 1);
    let other = Build { samples: SampleRule::Whole { steps: Some(5) }, ..build.clone() };
    let error = run(&other, &listing).unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    let tensor = TensorOptions { overwrite: true, ..TensorOptions::default() };
    assert_eq!(run(&Build { tensor, ..other.clone() }, &listing).unwrap().steps, 5);
    let mut bytes = fs::read(&out).unwrap();
    let frames = TensorFile::open(&out, &Limits::default()).unwrap();
    let frames = frames.get("frames").unwrap().bytes().to_vec();
    let start = bytes.windows(frames.len()).position(|window| window == frames).unwrap();
    bytes[start + frames.len() / 2] ^= 1;
    fs::write(&out, bytes).unwrap();
    assert!(run(&other, &listing).is_err(), "a damaged file is not complete");

    let new = |name: &str| Build::new("folder", folder.path().join(name));
    assert!(new("x.npy").is_err() && new("x.txt").is_err());
    let limits = Limits { output_bytes: 1_000, ..Limits::default() };
    let tensor = TensorOptions { limits, ..TensorOptions::default() };
    let error =
        run(&Build { tensor, output: folder.path().join("l.npz"), ..build.clone() }, &listing);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Limit);
    let bins =
        Build { frames: FrameOptions::bins(3), output: folder.path().join("b.npz"), ..build };
    assert_eq!(run(&bins, &listing).unwrap_err().kind(), ErrorKind::Caller);
    assert!(!folder.path().join("b.npz.parts").exists());
}

#[test]
fn the_largest_sensor_is_that_of_the_set() {
    let folder = folder(&[("a/1.aedat", DVS128), ("b/2.aedat", "aedat2/davis346.aedat")]);
    let listing = list("folder", &folder).unwrap();
    let out = folder.path().join("out.npz");
    let frames = FrameOptions::window_ms(50).dtype(Dtype::U8);
    let samples = SampleRule::Whole { steps: Some(2) };
    let build = Build { frames, samples, ..Build::new("folder", &out).unwrap() };
    run(&build, &listing).unwrap();
    assert_eq!(read(&out).shape, [2, 2, 2, 260, 346]);
    let read_options = ReadOptions::new().sensor(64, 64);
    let output = folder.path().join("small.npz");
    let build = Build { read: read_options, output: output.clone(), ..build };
    let built = run(&build, &listing).unwrap();
    assert_eq!(read(&output).shape, [2, 2, 2, 64, 64]);
    assert!(built.events.kept > 0 && SensorSize::new(64, 64).pixels() == 4096);
}

#[test]
fn an_interrupted_build_goes_on_and_ends_with_the_same_bytes() {
    let names: Vec<String> = (0..12).map(|i| format!("{}/{i}.aedat", i % 3)).collect();
    let files: Vec<_> = names.iter().map(|name| (&**name, DVS128)).collect();
    let folder = folder(&files);
    let listing = list("folder", &folder).unwrap();
    let build = |name: &str| Build {
        frames: small(),
        samples: SampleRule::Cut { steps: 2, keep_partial: true },
        split: SplitRule::Random { seed: 1, fraction: 0.5 },
        ..Build::new("folder", folder.path().join(name)).unwrap()
    };
    let whole = run(&build("whole.h5"), &listing);
    let extension = if whole.is_ok() { "h5" } else { "npz" };
    let whole = run(&build(&format!("again.{extension}")), &listing).unwrap();
    let name = format!("out.{extension}");
    let parts = folder.path().join(format!("{name}.parts"));
    for stop_after in [1, 2, 3] {
        let done = AtomicUsize::new(0);
        let tell = |_: &_| {
            done.fetch_add(1, Ordering::Relaxed);
        };
        let go_on = || done.load(Ordering::Relaxed) < stop_after;
        let error = build(&name).run(&listing, &tell, &go_on).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(parts.join("journal.jsonl").exists() && !folder.path().join(&name).exists());
    }
    // A part that was damaged meanwhile is made again, and so is one whose line is not complete.
    let mut part = fs::read_dir(&parts).unwrap().map(|e| e.unwrap().path());
    let part = part.find(|path| path.extension().is_some_and(|e| e == "part")).unwrap();
    let mut bytes = fs::read(&part).unwrap();
    bytes[3] ^= 1;
    fs::write(&part, bytes).unwrap();
    let journal = parts.join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, &text[..text.len() - 4]).unwrap();

    let other = Build { samples: SampleRule::Bins { steps: 2 }, ..build(&name) };
    let error = run(&other, &listing).unwrap_err();
    assert!(error.to_string().contains("another command"), "{error}");
    // What cannot be made leaves nothing in the way.
    let long = SampleRule::Cut { steps: 1_000, keep_partial: false };
    let long = Build { samples: long, ..build(&format!("long.{extension}")) };
    let error = run(&long, &listing).unwrap_err().to_string();
    assert!(error.contains("no recording is long enough"), "{error}");
    assert!(!folder.path().join(format!("long.{extension}.parts")).exists());
    let lock = fs::File::open(parts.join("lock")).unwrap();
    lock.try_lock().unwrap();
    let error = run(&build(&name), &listing).unwrap_err();
    assert!(error.to_string().contains("another process"), "{error}");
    drop(lock);

    let built = run(&build(&name), &listing).unwrap();
    assert!(built.resumed >= 4 && built.resumed < 12, "{}", built.resumed);
    assert!(!parts.exists());
    for ((path, ..), (other, ..)) in built.files.iter().zip(&whole.files) {
        assert_eq!(fs::read(path).unwrap(), fs::read(other).unwrap(), "{}", path.display());
    }
    assert_eq!(built.files.len(), 2);
    assert!(run(&build(&name), &listing).unwrap().was_complete);
}
