//! What bad data sets get: an error or a counted remark that names the file and line, before the long work
//! wherever it can be known before.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::fs;

use liaf_data::dataset::{
    Build, Contents, DataSet, ListOptions, Listing, PartOf, SampleRule, Shards, verify,
};
use liaf_data::frames::{Dtype, FrameOptions};
use liaf_data::tensor::{TensorFile, TensorOptions};
use liaf_data::{Error, ErrorKind, Limits, Result};
use tempfile::TempDir;

use crate::dataset::{DVS128, folder, list};

fn build(folder: &TempDir, name: &str) -> Build {
    Build {
        frames: FrameOptions::window_ms(50).size(8, 8).dtype(Dtype::U8),
        samples: SampleRule::Whole { steps: Some(3) },
        ..Build::new("folder", folder.path().join(name)).unwrap()
    }
}

fn with_table(folder: &TempDir, table: &str) -> Result<Listing> {
    let path = folder.path().join("labels.csv");
    fs::write(&path, table).unwrap();
    let options = ListOptions { labels: Some(path), ..ListOptions::default() };
    DataSet::named("folder").unwrap().list(folder.path(), &options)
}

#[track_caller]
fn says(remarks: &[String], text: &str) {
    assert!(remarks.iter().any(|remark| remark.contains(text)), "{text}: {remarks:?}");
}

#[test]
fn a_class_without_samples_is_named() {
    let folder = folder(&[("a.aedat", DVS128), ("b.aedat", DVS128)]);
    let listing =
        with_table(&folder, "file,class,start,end\na.aedat,run,0s,300ms\nb.aedat,rest,0s,20ms\n");
    let samples = SampleRule::Cut { steps: 2, keep_partial: false };
    let cut = Build { samples, ..build(&folder, "out.npz") };
    let built = cut.run(&listing.unwrap(), &|_| {}, &|| true).unwrap();
    says(&built.remarks, "the class rest has no samples");
    assert_eq!((built.remarks.len(), built.cut_short), (1, 1));
    let listing = list(
        "mnist-dvs",
        &crate::dataset::folder(&[("grabbed_data3/scale4/mnist_3_scale04_0001.aedat", DVS128)]),
    );
    says(&listing.unwrap().remarks, "the class 0 has 0 recordings, of 3000 that are published");
}

#[test]
fn labels_outside_the_table_and_wrong_times_name_the_line() {
    let folder = folder(&[("a.aedat", DVS128), ("sub/b.aedat", DVS128), ("more/b.aedat", DVS128)]);
    for (table, text) in [
        ("file,class\nc.aedat,run\n", "line 2: there is no such recording"),
        ("file,class,start,end\na.aedat,run,2s,1s\n", "line 2: the stretch ends before it begins"),
        ("file,class\na.aedat,run\nb.aedat,run\n", "line 3: several recordings have this name"),
    ] {
        let error = with_table(&folder, table).unwrap_err().to_string();
        assert!(error.contains(text) && error.contains("labels.csv"), "{error}");
    }
    let overlapping = "file,class,start,end\na.aedat,run,0s,100ms\na.aedat,rest,60ms,200ms\n";
    let listing = with_table(&folder, overlapping).unwrap();
    says(&listing.remarks, "the stretches of lines 2 and 3 overlap by 40000 µs");
    // A stretch that is nowhere in its recording costs the recording, by its name.
    let outside = "file,class,start,end\na.aedat,run,100s,101s\nsub/b.aedat,rest,0s,100ms\n";
    let listing = with_table(&folder, outside).unwrap();
    let built = build(&folder, "o.npz").run(&listing, &|_| {}, &|| true).unwrap();
    assert_eq!((built.failures.len(), &*built.failures[0].name), (1, "a.aedat"));
    says(&built.remarks, "the class run has no samples");
}

#[test]
fn a_stretch_outside_its_recording_costs_its_own_sample() {
    let folder = folder(&[("a.aedat", DVS128), ("b.aedat", DVS128)]);
    let table = "file,class,start,end\na.aedat,run,0s,100ms\na.aedat,rest,100s,101s\n\
                 a.aedat,rest,100ms,200ms\nb.aedat,run,-9s,-8s\nb.aedat,rest,0s,100ms\n";
    let table = table.replace("-9s,-8s", "0,1");
    let listing = with_table(&folder, &table).unwrap();
    let all = [Contents::Frames, Contents::Sparse, Contents::Events];
    for contents in all {
        for samples in [
            SampleRule::Whole { steps: Some(3) },
            SampleRule::Bins { steps: 2 },
            SampleRule::Cut { steps: 1, keep_partial: false },
        ] {
            let mut build = Build { samples, contents, ..build(&folder, "o.npz") };
            if contents == Contents::Events {
                if matches!(samples, SampleRule::Bins { .. }) {
                    continue;
                }
                build.frames.size = None;
            }
            build.tensor.overwrite = true;
            let built = build.run(&listing, &|_| {}, &|| true).unwrap();
            assert!(built.failures.is_empty(), "{:?}", built.failures);
            let n = if matches!(samples, SampleRule::Cut { .. }) { 2 } else { 1 };
            assert_eq!(built.files[0].1, 3 * n, "{contents:?} {samples:?}");
            says(&built.remarks, "2 recordings or parts of them have no events");
            says(&built.remarks, "a.aedat (100000000 to 101000000 µs after the first event)");
            says(&built.remarks, "b.aedat (0 to 1 µs)");
        }
    }
}

#[test]
fn a_flipped_byte_is_found_wherever_it_is() {
    let folder = folder(&[("box/a.aedat", DVS128), ("mug/b.aedat", DVS128)]);
    let listing = list("folder", &folder).unwrap();
    for contents in [Contents::Frames, Contents::Sparse, Contents::Events] {
        let mut build = Build { contents, ..build(&folder, "out.safetensors") };
        build.samples = SampleRule::Whole { steps: Some(1) };
        build.frames = FrameOptions::window_ms(1).dtype(Dtype::U8);
        if contents != Contents::Events {
            build.frames = build.frames.size(2, 2);
        }
        build.tensor.overwrite = true;
        let path = build.run(&listing, &|_| {}, &|| true).unwrap().files[0].0.clone();
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 4;
            fs::write(&path, &bad).unwrap();
            assert!(verify(&path).is_err(), "{contents:?}: byte {at} of {}", good.len());
        }
        fs::write(&path, &good).unwrap();
        verify(&path).unwrap();
    }
}

#[test]
fn names_that_are_there_twice_and_mixed_sensors_are_said_before_the_work() {
    let folder = folder(&[
        ("a/1.aedat", DVS128),
        ("a/1.bin", "atis_bin/nmnist.bin"),
        ("b/1.aedat", "aedat2/davis346.aedat"),
    ]);
    let listing = list("folder", &folder).unwrap();
    let build = build(&folder, "out.npz");
    let prepared = build.prepare(&listing).unwrap();
    says(&prepared.remarks, "1 recordings have the name of another, such as a/1.aedat and a/1.bin");
    says(&prepared.remarks, "of different sensors: ");
    says(&prepared.remarks, "the frames are of 346x260");
    assert!(!folder.path().join("out.npz.parts").exists());
}

#[test]
fn a_sample_that_is_longer_than_every_recording_is_refused() {
    let folder = folder(&[("a/1.aedat", DVS128), ("b/2.aedat", DVS128)]);
    let listing = list("folder", &folder).unwrap();
    for contents in [Contents::Frames, Contents::Sparse, Contents::Events] {
        let samples = SampleRule::Cut { steps: 100, keep_partial: false };
        let frames = FrameOptions::window_ms(50).dtype(Dtype::U8);
        let long = Build { samples, contents, frames, ..build(&folder, "out.npz") };
        let error = long.run(&listing, &|_| {}, &|| true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Caller);
        let error = error.to_string();
        assert!(
            error.contains("no recording is long enough") && error.contains("2 samples"),
            "{error}"
        );
    }
}

#[test]
fn the_size_is_estimated_and_refused_before_the_work() {
    let folder = folder(&[("a/1.aedat", DVS128), ("b/2.aedat", DVS128)]);
    let listing = list("folder", &folder).unwrap();
    let whole = SampleRule::Whole { steps: None };
    let cut = SampleRule::Cut { steps: 2, keep_partial: true };
    for (samples, contents, split) in [
        (SampleRule::Whole { steps: Some(3) }, Contents::Frames, "none"),
        (SampleRule::Bins { steps: 3 }, Contents::Frames, "time:0.5"),
        (whole, Contents::Frames, "none"),
        (whole, Contents::Sparse, "none"),
        (whole, Contents::Events, "time:0.5"),
        (cut, Contents::Frames, "none"),
        (cut, Contents::Events, "none"),
    ] {
        let mut frames = FrameOptions::window_ms(50).dtype(Dtype::U8);
        if contents != Contents::Events {
            frames = frames.size(64, 64);
        }
        let split = split.parse().unwrap();
        let out = format!("{}.npz", fs::read_dir(folder.path()).unwrap().count());
        let build = Build { samples, contents, frames, split, ..build(&folder, &out) };
        let prepared = build.prepare(&listing).unwrap();
        let estimate = prepared.estimate;
        let built = prepared.run(&|_| {}, &|| true).unwrap();
        let samples: u64 = built.files.iter().map(|(_, samples, _)| samples).sum();
        let bytes: u64 = built.files.iter().map(|(.., bytes)| bytes).sum();
        let case = format!("{estimate:?}: {samples} samples, {bytes} bytes with headers");
        assert_eq!(
            estimate.is_exact,
            samples == estimate.samples && build.samples.steps() == Some(3),
            "{case}"
        );
        assert!(estimate.samples.abs_diff(samples) <= 2, "{case}");
        let ratio = estimate.bytes as f64 / bytes as f64;
        assert!((0.5..2.5).contains(&ratio), "{case}");
        let limits = Limits { output_bytes: estimate.bytes - 1, ..Limits::default() };
        let tensor = TensorOptions { limits, ..TensorOptions::default() };
        let output = folder.path().join("limited.npz");
        let limited = Build { tensor, output, ..build };
        let error = limited.prepare(&listing).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
        assert!(!folder.path().join("limited.npz.parts").exists());
    }
}

#[test]
fn what_is_no_file_of_a_data_set_is_not_verified() {
    let folder = folder(&[("a/1.aedat", DVS128), ("b/2.aedat", DVS128)]);
    let listing = list("folder", &folder).unwrap();
    let error = |path: &str| verify(folder.path().join(path)).unwrap_err().to_string();
    assert!(error("a/1.aedat").contains("1.aedat") && error("none.npz").contains("none.npz"));
    fs::write(folder.path().join("x.json"), "{}").unwrap();
    assert!(error("x.json").contains("no list of shards"));
    let both = Build {
        part: Some(PartOf::new(1, 2).unwrap()),
        shards: Some(Shards::Count(2)),
        ..build(&folder, "o.npz")
    };
    let refused: Error = both.prepare(&listing).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Caller);
    let events = Build { contents: Contents::Events, ..build(&folder, "o.npz") };
    assert!(events.prepare(&listing).unwrap_err().to_string().contains("downsample"));
    let bins = SampleRule::Bins { steps: 2 };
    let events = Build { samples: bins, frames: FrameOptions::default(), ..events };
    assert!(events.prepare(&listing).unwrap_err().to_string().contains("when they are used"));
}

#[test]
fn events_that_filters_hold_back_are_in_the_samples() {
    let folder = folder(&[("a.aedat", DVS128), ("b.aedat", DVS128)]);
    let listing = list("folder", &folder).unwrap();
    let path = folder.path().join("o.npz");
    let made = |filters: &[&str]| {
        let mut frames = FrameOptions::window_ms(50);
        frames.selection.filters = filters.iter().map(|text| text.parse().unwrap()).collect();
        let tensor = TensorOptions { overwrite: true, ..TensorOptions::default() };
        let samples = SampleRule::Whole { steps: None };
        let contents = Contents::Events;
        let build = Build { frames, samples, contents, tensor, ..build(&folder, "o.npz") };
        let built = build.run(&listing, &|_| {}, &|| true)?;
        let file = TensorFile::open(&path, &Limits::default())?;
        let (t, p) = (file.get("t")?.to_vec::<i64>()?, file.get("p")?.to_vec::<u8>()?);
        let per_sample = t.len() / built.files[0].1 as usize;
        Ok::<_, Error>((t[..per_sample].to_vec(), p[..per_sample].to_vec()))
    };
    let (t, p) = made(&[]).unwrap();
    assert!(!t.is_empty());
    let (reversed, signs) = made(&["time-reversal"]).unwrap();
    let ends = t.iter().min().unwrap() + t.iter().max().unwrap();
    assert_eq!(reversed, t.iter().rev().map(|t| ends - t).collect::<Vec<_>>());
    assert_eq!(signs, p.iter().rev().map(|p| 1 - p).collect::<Vec<_>>());
    let twice = made(&["time-reversal", "time-reversal"]).unwrap();
    assert_eq!(twice, (t, p));
}
