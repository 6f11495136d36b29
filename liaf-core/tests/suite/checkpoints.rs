//! Checkpoints say what they are of; those that are damaged, foreign or newer are refused; a series
//! keeps the newest ones and the best.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use crate::common::trained::{batch, config, step, trainer, training};
use liaf_core::checkpoint::{CheckpointInfo, Series};
use liaf_core::graph::Inputs;
use liaf_core::rng::Key;
use liaf_core::train::{TrainConfig, Trainer};
use liaf_core::{ErrorKind, Network};

#[test]
fn a_checkpoint_says_what_it_is_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let mut trainer = trainer::<f64>();
    trainer.notes_mut().insert("frames".into(), r#"{"window":"20ms","size":[4,2]}"#.into());
    step(&mut trainer);
    trainer.end_epoch();
    trainer.save(&path).unwrap();
    let info = CheckpointInfo::read(&path).unwrap();
    assert_eq!((&info.network, &info.training), (&config(), &training()));
    assert_eq!((info.progress.steps, info.progress.epochs, info.progress.seed), (1, 1, 5));
    assert_eq!((info.number.as_str(), &info.notes), ("F64", trainer.notes()));
    let first = std::fs::read(&path).unwrap();
    trainer.save(&path).unwrap();
    assert_eq!(first, std::fs::read(&path).unwrap(), "the same bytes for the same state");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing left beside it");

    let (network, _) = Network::<f64>::from_checkpoint(&path).unwrap();
    let error = Trainer::<f32>::resume(&path).unwrap_err();
    assert!(error.to_string().contains("another number type"), "{error}");
    assert_eq!(network.params(), trainer.into_network().params(), "the averages");
}

/// A checkpoint after one step, and its path.
fn saved(folder: &Path) -> (PathBuf, Vec<u8>) {
    let path = folder.join("net.safetensors");
    let mut trainer = trainer::<f32>();
    step(&mut trainer);
    trainer.save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    (path, bytes)
}

fn refused(path: &Path, bytes: &[u8]) -> String {
    std::fs::write(path, bytes).unwrap();
    let error = Trainer::<f32>::resume(path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Checkpoint, "{error}");
    assert!(error.to_string().contains("net.safetensors"), "{error}");
    error.to_string()
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, good) = saved(folder.path());
    let header = 8 + u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    let mut bytes = good.clone();
    for at in 0..header {
        let bit = 1 << (at % 8);
        bytes[at] ^= bit;
        refused(&path, &bytes);
        if at % 8 == 0 {
            bytes[at] = !good[at];
            refused(&path, &bytes);
        }
        bytes[at] = good[at];
    }
    let key = Key::new(1);
    for i in 0..1000 {
        let at = header + key.bits(2 * i) as usize % (good.len() - header);
        bytes[at] ^= 1 << (key.bits(2 * i + 1) % 8);
        let text = refused(&path, &bytes);
        assert!(text.contains("tensor") && text.contains("damaged"), "{text}");
        bytes[at] = good[at];
    }
    for length in (0..good.len()).step_by(97) {
        refused(&path, &good[..length]);
    }
    refused(&path, &[&good[..], b"\0"].concat());
    for length in [0, 1, u64::MAX, 1 << 63, 1 << 32, good.len() as u64] {
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        refused(&path, &bytes);
    }
    std::fs::write(&path, &good).unwrap();
    assert_eq!(Trainer::<f32>::resume(&path).unwrap().steps(), 1);
}

#[test]
fn a_foreign_or_newer_file_is_refused_by_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (path, good) = saved(folder.path());
    let key = br#""liaf.format":""#;
    let at = good.windows(key.len()).position(|window| window == key).unwrap() + key.len();
    let mut newer = good.clone();
    newer[at] = b'2';
    assert!(refused(&path, &newer).contains("newer version"));
    assert!(refused(&path, b"\x89PNG\r\n\x1a\n rest of it").contains("safetensors"));
    assert!(refused(&path, b"").contains("safetensors"));
    trainer::<f32>().network().save_weights(&path).unwrap();
    let weights = std::fs::read(&path).unwrap();
    assert!(refused(&path, &weights).contains("not a checkpoint of LIAF"));
    let missing = Trainer::<f32>::resume(folder.path().join("none")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::System);
    let error = Trainer::<f32>::resume(folder.path()).unwrap_err();
    assert!(error.to_string().contains("not an ordinary file"), "{error}");
}

/// Steps on the same batches, and the weights then.
fn steps(trainer: &mut Trainer<f32>, n: usize) -> Vec<f64> {
    (0..n).map(|_| step(trainer).loss).collect()
}

#[test]
fn training_goes_on_by_another_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let mut trainer = trainer::<f32>();
    trainer.notes_mut().insert("frames".into(), "20ms".into());
    steps(&mut trainer, 5);
    trainer.end_epoch();
    trainer.save(&path).unwrap();
    let averages = Network::<f32>::from_checkpoint(&path).unwrap().0;
    let open = |how: &TrainConfig| Trainer::<f32>::resume_with(&path, how.clone()).unwrap();

    // The same recipe is no other one.
    let mut same = open(&training());
    assert_eq!(steps(&mut same, 3), steps(&mut Trainer::resume(&path).unwrap(), 3));

    // What is not of the recipe stays; its schedule counts from the beginning of training.
    let text = "optimizer = { type = 'adam', learning_rate = 0.5 }\n\
                schedule = { curve = { type = 'step', every = 5 } }\nmicro_batch = 3\nema = 0.5";
    let other = TrainConfig::from_toml(text).unwrap();
    let mut changed = open(&other);
    assert_eq!((changed.steps(), changed.epochs(), changed.config()), (5, 1, &other));
    assert_eq!(changed.network().params(), trainer.network().params());
    assert_eq!(changed.notes(), trainer.notes());
    assert!((changed.learning_rate() - 0.05).abs() < 1e-15);
    // AdamW's moments are Adam's, and the average goes on.
    changed.save(&path).unwrap();
    let goes_on = Network::<f32>::from_checkpoint(&path).unwrap().0;
    assert_eq!(goes_on.params(), averages.params());
    let losses = steps(&mut changed, 3);
    assert_eq!(losses, steps(&mut Trainer::resume(&path).unwrap(), 3), "bit for bit from here on");

    // An optimiser of another kind, and an average that was not there before, begin anew.
    let sgd = "optimizer = { type = 'sgd', learning_rate = 0.1, momentum = 0.9 }";
    let sgd = TrainConfig::from_toml(sgd).unwrap();
    let mut plain = open(&sgd);
    let losses = steps(&mut plain, 1);
    plain.save(&path).unwrap();
    let mut resumed = Trainer::<f32>::resume(&path).unwrap();
    assert_eq!(steps(&mut resumed, 3), steps(&mut plain, 3), "after {losses:?}");
    plain.save(&path).unwrap();
    let mut averaged = open(&TrainConfig { ema: Some(0.9), ..sgd.clone() });
    let now = averaged.network().params().to_vec();
    averaged.save(&path).unwrap();
    assert_eq!(Network::<f32>::from_checkpoint(&path).unwrap().0.params(), now);
    assert_eq!(steps(&mut averaged, 2), steps(&mut plain, 2), "the average learns nothing");

    // Momentum that is left out is not kept.
    let bare = TrainConfig::from_toml("optimizer = { type = 'sgd' }").unwrap();
    let mut bare = open(&bare);
    steps(&mut bare, 1);
    bare.save(&path).unwrap();
    let mut back = open(&sgd);
    assert!(steps(&mut back, 2).iter().all(|loss| loss.is_finite()));

    let wrong = TrainConfig { micro_batch: Some(0), ..training() };
    assert_eq!(Trainer::<f32>::resume_with(&path, wrong).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn a_series_goes_on_by_another_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let series = Series::new(folder.path(), "net");
    let how = TrainConfig { ema: None, ..training() };
    assert!(series.resume_with::<f32>(&how).unwrap().is_none());
    let mut trainer = trainer::<f32>();
    steps(&mut trainer, 2);
    series.save(&trainer, None).unwrap();
    let resumed = series.resume_with::<f32>(&how).unwrap().unwrap();
    assert_eq!((resumed.steps(), resumed.config()), (2, &how));
}

/// Names of the files of a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_series_keeps_the_newest_and_the_best() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("made/when/needed");
    let series = Series::new(&folder, "net");
    assert_eq!((series.best().unwrap(), series.resume::<f32>().unwrap().is_none()), (None, true));
    let mut trainer = trainer::<f32>();
    let name = |step: u64| format!("net-{step:08}.safetensors");
    let mut kept = Vec::new();
    for score in [Some(0.1), Some(0.9), Some(0.5), None, Some(0.9), Some(-3.0)] {
        step(&mut trainer);
        assert_eq!(series.save(&trainer, score).unwrap(), folder.join(name(trainer.steps())));
        kept.push(names(&folder));
    }
    assert_eq!(kept[1], [name(1), name(2)]);
    assert_eq!(kept[2], [name(2), name(3)]);
    assert_eq!(kept[4], [name(2), name(4), name(5)], "of equals the earliest is the best");
    assert_eq!(kept[5], [name(2), name(5), name(6)]);
    assert_eq!(series.best().unwrap(), Some((0.9, folder.join(name(2)))));
    assert_eq!(series.resume::<f32>().unwrap().unwrap().steps(), 6);

    let error = series.save(&trainer, Some(f64::NAN)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    // Files of others are left alone; a damaged one is passed over.
    std::fs::write(folder.join("net-new.safetensors"), b"other").unwrap();
    std::fs::write(folder.join("net2-00000001.safetensors"), b"other").unwrap();
    std::fs::write(folder.join(name(6)), b"damaged").unwrap();
    assert_eq!(series.resume::<f32>().unwrap().unwrap().steps(), 5);
    step(&mut trainer);
    series.clone().keeping(1).save(&trainer, Some(0.0)).unwrap();
    let left = [name(2), name(7), "net-new.safetensors".into(), "net2-00000001.safetensors".into()];
    assert_eq!(names(&folder), left);
    for step in [2, 7] {
        std::fs::write(folder.join(name(step)), b"damaged").unwrap();
    }
    let error = series.resume::<f32>().unwrap_err();
    assert!(error.kind() == ErrorKind::Checkpoint && error.to_string().contains(&name(7)));
    assert_eq!(series.best().unwrap(), None);
}

#[test]
fn the_best_of_a_series_gives_its_network() {
    let folder = tempfile::tempdir().unwrap();
    let series = Series::new(folder.path(), "net");
    let mut trainer = trainer::<f32>();
    let (frames, labels) = batch::<f32>(0);
    let inputs = Inputs::of("input", frames.view());
    let mut losses = Vec::new();
    for _ in 0..6 {
        step(&mut trainer);
        let loss = trainer.evaluate(&inputs, &labels).unwrap().loss;
        series.save(&trainer, Some(-loss)).unwrap();
        losses.push(loss);
    }
    let (score, path) = series.best().unwrap().unwrap();
    assert_eq!(-score, losses.iter().copied().fold(f64::INFINITY, f64::min));
    let loss = Trainer::<f32>::resume(path).unwrap().evaluate(&inputs, &labels).unwrap().loss;
    assert_eq!(loss, -score);
}
