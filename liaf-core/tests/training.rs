//! Training is the same on any number of threads, in parts, and after a checkpoint; checkpoints that
//! are damaged are refused; weights go to and come from other programs.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::reference::Reference;
use common::{random, relative_error};
use liaf_core::checkpoint::{CheckpointInfo, LoadOptions};
use liaf_core::graph::Inputs;
use liaf_core::layer::{Aggregate, Dense, Flatten};
use liaf_core::loss::Loss;
use liaf_core::neuron::Neuron;
use liaf_core::optim::Schedule;
use liaf_core::rng::Key;
use liaf_core::train::{StepReport, TrainConfig, Trainer};
use liaf_core::{ErrorKind, Mode, Network, NetworkConfig, Real, Workspace};
use ndarray::ArrayD;

const STEPS: u64 = 20;
/// Samples of a batch.
const BATCH: usize = 10;

fn config() -> NetworkConfig {
    NetworkConfig::sequential([2, 4])
        .then(Flatten {})
        .then(Dense::new(12))
        .then(Neuron::default())
        .then(Dense::new(3))
        .then(Aggregate::default())
}

fn training() -> TrainConfig {
    let text = r#"
        loss = { type = "cross_entropy", label_smoothing = 0.1 }
        optimizer = { type = "adamw", learning_rate = 0.0123456789012345678, weight_decay = 0.1 }
        schedule = { warmup = { ticks = 4 }, curve = { type = "cosine", ticks = 30 } }
        clip = { type = "norm", max = 0.5 }
        micro_batch = 8
        ema = 0.9
    "#;
    TrainConfig::from_toml(text).unwrap()
}

fn trainer<R: Real>() -> Trainer<R> {
    Trainer::new(config().build::<R>(5).unwrap(), training()).unwrap()
}

/// Batch number `step`: frames and labels that follow from them.
fn batch<R: Real>(step: u64) -> (ArrayD<R>, Vec<usize>) {
    let frames = random::<R>(&[BATCH, 6, 2, 4], 100 + step);
    let labels = (0..BATCH).map(|n| Key::new(step).bits(n as u64) as usize % 3).collect();
    (frames, labels)
}

fn step<R: Real>(trainer: &mut Trainer<R>) -> StepReport {
    let (frames, labels) = batch(trainer.steps());
    trainer.step(&Inputs::of("input", frames.view()), &labels).unwrap()
}

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// The losses of all steps and the last weights.
fn run<R: Real>(threads: usize) -> (Vec<StepReport>, Vec<Vec<R>>) {
    with_threads(threads, || {
        let mut trainer = trainer::<R>();
        let reports = (0..STEPS).map(|_| step(&mut trainer)).collect();
        (reports, trainer.network().params().iter().map(|param| param.data.clone()).collect())
    })
}

#[test]
fn losses_do_not_depend_on_threads() {
    let one = run::<f32>(1);
    assert!(one.0.windows(2).all(|pair| pair[0].loss != pair[1].loss));
    for threads in [2, 3, 8] {
        assert_eq!(one, run::<f32>(threads), "{threads} threads");
    }
    assert_eq!(one, run::<f32>(1), "a second time");
}

#[test]
fn parts_of_a_batch_give_the_gradients_of_the_whole() {
    let gradients = |micro_batch: Option<usize>| {
        let config = TrainConfig { micro_batch, ..training() };
        let mut trainer = Trainer::new(self::config().build::<f64>(5).unwrap(), config).unwrap();
        let report = step(&mut trainer);
        (report, trainer.gradients().to_vec())
    };
    let (whole, all) = gradients(None);
    for size in [1, 3, 8, 100] {
        let (report, parts) = gradients(Some(size));
        assert!((report.loss - whole.loss).abs() < 1e-12);
        assert_eq!(report.correct, whole.correct);
        for (part, all) in parts.iter().zip(&all) {
            assert!(relative_error(part, all) < 1e-12, "micro-batches of {size}");
        }
    }
}

#[test]
fn a_network_learns_and_is_evaluated_with_its_averages() {
    let schedule = Schedule::default();
    let config = TrainConfig { ema: None, micro_batch: None, schedule, ..training() };
    let mut trainer = Trainer::new(self::config().build::<f32>(5).unwrap(), config).unwrap();
    let (frames, labels) = batch::<f32>(0);
    let inputs = Inputs::of("input", frames.view());
    let before = trainer.evaluate(&inputs, &labels).unwrap();
    for _ in 0..100 {
        trainer.step(&inputs, &labels).unwrap();
    }
    let after = trainer.evaluate(&inputs, &labels).unwrap();
    assert!(after.loss < before.loss, "{} {}", before.loss, after.loss);
    assert_eq!((after.correct, after.accuracy()), (BATCH, 1.0));

    let mut averaged = self::trainer::<f32>();
    for _ in 0..5 {
        step(&mut averaged);
    }
    let weights = averaged.network().params().to_vec();
    let with = averaged.evaluate(&inputs, &labels).unwrap();
    assert_eq!(averaged.network().params(), weights, "evaluation changes nothing");
    let network = averaged.into_network();
    assert_ne!(network.params(), weights);
    let output = network.forward(&inputs, Mode::EVAL, &mut Workspace::new()).unwrap();
    let loss = training().loss.judge(output.view(), &labels, None).unwrap().loss;
    assert!((loss - with.loss).abs() < 1e-6);
}

#[test]
fn what_cannot_be_learned_from_changes_nothing() {
    let mut trainer = trainer::<f32>();
    let weights = trainer.network().params().to_vec();
    let (mut frames, labels) = batch::<f32>(0);
    let mut refuse = |frames: &ArrayD<f32>, labels: &[usize]| {
        let error = trainer.step(&Inputs::of("input", frames.view()), labels).unwrap_err();
        assert_eq!(trainer.network().params(), weights);
        assert_eq!(trainer.steps(), 0);
        error.to_string()
    };
    assert!(refuse(&frames, &labels[1..]).contains("not one label a sample"));
    let text = refuse(&frames, &[3; BATCH]);
    assert!(text.contains("layer aggregate5") && text.contains("no class of [N, 3]"), "{text}");
    assert!(refuse(&random(&[0, 6, 2, 4], 0), &[]).contains("an empty batch"));
    frames[[9, 0, 0, 0]] = f32::INFINITY;
    assert!(refuse(&frames, &labels).contains("not finite"));
    frames.fill(1e38);
    assert!(refuse(&frames, &labels).contains("not finite"));
}

#[test]
fn labels_and_losses_that_do_not_fit_are_refused_before_work() {
    let (frames, labels) = batch::<f32>(0);
    let inputs = Inputs::of("input", frames.view());
    let refuse = |config: NetworkConfig, loss: Loss, labels: &[usize]| {
        let training = TrainConfig { loss, ..TrainConfig::default() };
        let mut trainer = Trainer::new(config.build::<f32>(5).unwrap(), training).unwrap();
        let error = trainer.step(&inputs, labels).unwrap_err().to_string();
        assert_eq!(trainer.evaluate(&inputs, labels).unwrap_err().to_string(), error);
        let space = format!("{trainer:?}");
        assert!(space.contains("samples: []"), "nothing has passed through the network");
        error
    };
    let tet = Loss::Tet { label_smoothing: 0.0 };
    let text = refuse(config(), tet, &labels);
    assert!(text.contains("layer aggregate5") && text.contains("[N, 3]"), "{text}");
    let image = NetworkConfig::sequential([2, 4]).then(Neuron::default());
    let text = refuse(image, Loss::default(), &labels);
    assert!(text.contains("layer neuron1") && text.contains("[N, T, 2, 4]"), "{text}");
    refuse(config(), Loss::default(), &[usize::MAX; BATCH]);
    let none = NetworkConfig::sequential([2, 4]).then(Flatten {}).then(Dense::new(0));
    let text = none.build::<f32>(5).unwrap_err().to_string();
    assert!(text.contains("layer dense2") && text.contains("1 or more"), "{text}");
}

#[test]
fn training_goes_on_from_any_step_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let (reports, weights) = run::<f32>(2);
    let mut trainer = trainer::<f32>();
    for at in 0..STEPS {
        let path = folder.path().join(format!("{at}.safetensors"));
        trainer.save(&path).unwrap();
        let threads = 1 + at as usize % 3;
        let (rest, last) = with_threads(threads, || {
            let mut resumed = Trainer::<f32>::resume(&path).unwrap();
            let rest: Vec<_> = (at..STEPS).map(|_| step(&mut resumed)).collect();
            (rest, resumed)
        });
        assert_eq!(rest, reports[at as usize..], "resumed at step {at}, {threads} threads");
        assert!(last.network().params().iter().zip(&weights).all(|(a, b)| a.data == *b));
        step(&mut trainer);
    }
}

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
        bytes[at] = !good[at];
        refused(&path, &bytes);
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

#[test]
fn a_checkpoint_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (path, good) = saved(folder.path());
    assert!(trainer::<f32>().save(folder.path()).is_err(), "a folder");
    assert!(trainer::<f32>().save(path.join("below")).is_err(), "below a file");
    assert_eq!(std::fs::read(&path).unwrap(), good);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// The network of `fixtures/reference/learning.py`.
fn of_reference() -> Network<f64> {
    let config = NetworkConfig::sequential([6])
        .then(Dense::new(8))
        .then(Neuron::default())
        .then(Dense::new(3))
        .then(Aggregate::default());
    config.build(1).unwrap()
}

#[test]
fn weights_of_pytorch_give_its_numbers() {
    let reference = Reference::load("learning");
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/reference/learning_torch.safetensors");
    let names = [("dense1.", "0."), ("dense3.", "2.")].map(|(a, b)| (a.into(), b.into()));
    let mapped = LoadOptions { names: names.into(), ..LoadOptions::default() };
    let ordered = LoadOptions { by_order: true, ..LoadOptions::default() };
    for options in [mapped, ordered] {
        let mut network = of_reference();
        let loaded = network.load_weights(&path, &options).unwrap();
        assert_eq!(loaded.loaded.len(), 4);
        let inputs = Inputs::of("input", reference.get("batch.x").view());
        let scores = network.forward(&inputs, Mode::EVAL, &mut Workspace::new()).unwrap();
        reference.close("batch.scores", &scores, 1e-14);
    }
    let mut network = of_reference();
    let before = network.params().to_vec();
    let error = network.load_weights(&path, &LoadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("dense1.weight") && error.contains("0.weight"), "{error}");
    assert_eq!(network.params(), before);
    let loose = LoadOptions { strict: false, ..LoadOptions::default() };
    let loaded = network.load_weights(&path, &loose).unwrap();
    assert_eq!((loaded.missing.len(), loaded.unused.len()), (4, 4));
    let wrong = [("dense1.", "2."), ("dense3.", "0.")].map(|(a, b)| (a.into(), b.into()));
    let wrong = LoadOptions { names: wrong.into(), ..LoadOptions::default() };
    let error = network.load_weights(&path, &wrong).unwrap_err().to_string();
    assert!(error.contains("another shape"), "{error}");
    assert_eq!(network.params(), before);
}

/// A Python with the safetensors package, if there is one.
fn python() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin/python");
    let python = std::env::var_os("LIAF_PYTHON").map_or(own, PathBuf::from);
    let found = Command::new(&python).args(["-c", "import safetensors.numpy"]).output();
    let found = found.is_ok_and(|output| output.status.success());
    let required = std::env::var_os("LIAF_REQUIRE_JUDGES").is_some_and(|value| value == "1");
    assert!(found || !required, "no safetensors in {}", python.display());
    if !found {
        println!("skipped: no safetensors in {}", python.display());
    }
    found.then_some(python)
}

#[test]
fn files_open_in_python_with_equal_tensors() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let mut trainer = trainer::<f32>();
    step(&mut trainer);
    for whole in [true, false] {
        if whole {
            trainer.save(&path).unwrap();
        } else {
            trainer.network().save_weights(&path).unwrap();
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges.py");
        let output = Command::new(&python).arg(script).arg(&path).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        for param in trainer.network().params() {
            let shape = Vec::from_iter(param.shape.iter().map(usize::to_string)).join("x");
            let head = format!("{} float32 {shape} ", param.name);
            let line = said.lines().find(|line| line.starts_with(&head)).unwrap();
            let sums: Vec<f64> =
                line[head.len()..].split(' ').map(|number| number.parse().unwrap()).collect();
            let numbers = param.data.iter().map(|&x| f64::from(x));
            let sum: f64 = numbers.clone().sum();
            let place: f64 = numbers.enumerate().map(|(i, x)| x * (i + 1) as f64).sum();
            assert!(relative_error(&[sum, place], &sums) < 1e-12, "{line}");
        }
        let expected = trainer.network().params().len() * if whole { 4 } else { 1 };
        assert_eq!(said.lines().count(), expected);
    }
}
