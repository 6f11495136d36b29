//! The samples of shards, compared with those of the single file.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use liaf::FrameOptions;
use liaf::data::Limits;
use liaf::data::dataset::{
    Build, DataSet, Join, ListOptions, PartOf, SampleRule, Shards, merge, tensor_files,
};
use liaf::data::tensor::TensorOptions;
use liaf::samples::{Augment, Collated, Loader, StoredSamples};

/// Recordings of three classes, of different lengths.
fn recordings(folder: &Path) {
    for number in 0..17_u64 {
        let class = folder.join(["down", "left", "up"][number as usize % 3]);
        fs::create_dir_all(&class).unwrap();
        let mut text = "t,x,y,p\n".to_owned();
        for i in 0..40 + 30 * number {
            let [x, y, p] = [(i * 7 + number) % 8, i * i % 6, i / 3 % 2];
            writeln!(text, "{},{x},{y},{p}", 500 + i * 131).unwrap();
        }
        fs::write(class.join(format!("{number}.csv")), text).unwrap();
    }
}

/// Makes samples of the recordings, and returns the paths of the files.
fn built(folder: &Path, name: &str, change: impl FnOnce(&mut Build)) -> Vec<PathBuf> {
    let options = ListOptions::default();
    let listing = DataSet::named("folder").unwrap().list(folder.join("set"), &options).unwrap();
    let mut build = Build {
        frames: FrameOptions::window_ms(10),
        samples: SampleRule::Whole { steps: None },
        ..Build::new("folder", folder.join(name)).unwrap()
    };
    change(&mut build);
    let files = build.run(&listing, &|_| {}, &|| true).unwrap().files;
    files.into_iter().map(|(path, ..)| path).collect()
}

/// The batches of an epoch, changed at random.
fn epoch(set: &StoredSamples, threads: usize) -> Vec<Collated> {
    let augment = Augment { shift: 1, flip: 0.5, ..Augment::default() };
    let loader = Loader { threads, augment, bucket: 2, ..Loader::new(4) };
    let batches = loader.shuffled(set, 3, 1);
    let mut seen = Vec::new();
    loader
        .run(set, &batches, 3, 1, |batch| {
            seen.push(batch);
            Ok(())
        })
        .unwrap();
    seen
}

#[test]
fn batches_of_shards_are_those_of_the_single_file_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recordings(&folder.join("set"));
    let read = |path: &Path| StoredSamples::read(path, &Limits::default()).unwrap();
    let single = built(folder, "single.npz", |_| {}).remove(0);
    let reference = epoch(&read(&single), 0);
    assert_eq!(reference.len(), 5);

    let shards = built(folder, "shards.npz", |build| build.shards = Some(Shards::Count(4)));
    let list = folder.join("shards.json");
    assert_eq!((shards.len(), tensor_files(&list).unwrap()), (4, shards.clone()));
    // Parts of the work have a T of their own, that of their longest sample.
    let parts: Vec<PathBuf> = (1..=3)
        .flat_map(|part| built(folder, "parts.npz", |build| build.part = PartOf::new(part, 3).ok()))
        .collect();
    merge(&parts, folder.join("parts.npz"), Join::Index, &TensorOptions::default()).unwrap();

    let limits = Limits::default();
    for set in [
        read(&list),
        read(&folder.join("parts.json")),
        StoredSamples::read_all(&shards, &limits).unwrap(),
    ] {
        for threads in [0, 1, 2, 3, 8] {
            assert!(epoch(&set, threads) == reference, "{threads} threads");
        }
    }
    let mut moved = shards.clone();
    moved.swap(0, 3);
    assert!(epoch(&StoredSamples::read_all(&moved, &limits).unwrap(), 0) != reference);
}

#[test]
fn files_of_different_sets_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recordings(&folder.join("set"));
    let a = built(folder, "a.npz", |_| {}).remove(0);
    let small = built(folder, "b.npz", |build| {
        build.frames = FrameOptions::window_ms(10).size(4, 3);
    });
    let error = StoredSamples::read_all(&[&a, &small[0]], &Limits::default()).unwrap_err();
    assert!(error.to_string().contains("samples of different sets"), "{error}");
    assert!(StoredSamples::read_all::<&Path>(&[], &Limits::default()).is_err());
    assert!(StoredSamples::read(folder.join("none.json"), &Limits::default()).is_err());
}
