//! What earlier versions wrote still opens, gives the numbers that they gave, and trains on as they did.
//!
//! `tests/old/` was made by version 0.1.0, before layers described themselves and passes had types:
//! `network.toml` by hand; `net.safetensors` and `recorded.json` by the ignored test below.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use crate::common::{random, relative_error};
use liaf_core::NetworkConfig;
use liaf_core::cost::CountRule;
use liaf_core::graph::Inputs;
use liaf_core::rng::Key;
use liaf_core::train::{TrainConfig, Trainer};
use ndarray::ArrayD;
use serde_json::{Value, json};

const SAMPLES: usize = 6;
const STEPS: usize = 5;
const LENGTHS: [usize; SAMPLES] = [5, 3, 4, 5, 1, 2];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old").join(name)
}

fn config() -> NetworkConfig {
    NetworkConfig::from_toml(&std::fs::read_to_string(file("network.toml")).unwrap()).unwrap()
}

fn training() -> TrainConfig {
    let text = r#"
        loss = { type = "cross_entropy", label_smoothing = 0.1 }
        optimizer = { type = "adamw", learning_rate = 0.01, weight_decay = 0.1, decay = "weights" }
        schedule = { warmup = { ticks = 4 }, curve = { type = "cosine", ticks = 30 } }
        clip = { type = "norm", max = 0.5 }
        micro_batch = 4
        ema = 0.9
    "#;
    TrainConfig::from_toml(text).unwrap()
}

/// Batch number `step`.
fn batch(step: u64) -> (ArrayD<f64>, ArrayD<f64>, Vec<usize>) {
    let frames = random::<f64>(&[SAMPLES, STEPS, 2, 6, 6], 500 + step);
    let still = random::<f64>(&[SAMPLES, 3], 900 + step);
    let labels = (0..SAMPLES).map(|n| Key::new(step).bits(n as u64) as usize % 3).collect();
    (frames, still, labels)
}

/// Loss and norm of the gradients of one step.
fn step(trainer: &mut Trainer<f64>) -> [f64; 2] {
    let (frames, still, labels) = batch(trainer.steps());
    let inputs = Inputs::of("frames", frames.view()).with("still", still.view());
    let report = trainer.step(&inputs.lengths("frames", &LENGTHS), &labels).unwrap();
    [report.loss, report.gradient_norm]
}

/// Loss and classes of an evaluation.
fn evaluate(trainer: &mut Trainer<f64>) -> (f64, Vec<usize>) {
    let (frames, still, labels) = batch(100);
    let inputs = Inputs::of("frames", frames.view()).with("still", still.view());
    let done = trainer.evaluate(&inputs.lengths("frames", &LENGTHS), &labels).unwrap();
    (done.loss, done.classes)
}

/// The weights and running statistics of a network, one after another.
fn weights(trainer: &Trainer<f64>) -> Vec<f64> {
    let network = trainer.network();
    let all = network.params().iter().chain(network.buffers());
    all.flat_map(|tensor| tensor.data.clone()).collect()
}

/// What the trainer of the checkpoint gives: an evaluation, four more steps, the weights then.
fn going_on(mut trainer: Trainer<f64>) -> Value {
    let (loss, classes) = evaluate(&mut trainer);
    let steps: Vec<_> = (0..4).map(|_| step(&mut trainer)).collect();
    let after = evaluate(&mut trainer).0;
    let names: Vec<_> = trainer.network().params().iter().map(|p| p.name.clone()).collect();
    let weights = weights(&trainer);
    json!({ "loss": loss, "classes": classes, "steps": steps, "after": after,
            "names": names, "weights": weights })
}

/// What the configuration counts: weights, parameters, state, multiplications and additions.
fn costs() -> Value {
    let layers = config().cost(STEPS, CountRule::Textbook).unwrap().layers;
    let of = |l: &liaf_core::cost::LayerCost| {
        json!([l.name, l.kind, l.weights, l.parameters, l.state, l.multiplications, l.additions])
    };
    layers.iter().map(of).collect()
}

#[test]
#[ignore = "makes the files, with the version whose they are"]
fn make() {
    let mut trainer = Trainer::new(config().build::<f64>(7).unwrap(), training()).unwrap();
    trainer.notes_mut().insert("frames".into(), r#"{"window":"20ms"}"#.into());
    (0..3).for_each(|_| _ = step(&mut trainer));
    trainer.end_epoch();
    trainer.save(file("net.safetensors")).unwrap();
    let mut recorded = going_on(Trainer::resume(file("net.safetensors")).unwrap());
    recorded["costs"] = costs();
    std::fs::write(file("recorded.json"), format!("{recorded}\n")).unwrap();
}

/// Numbers that may differ by the rounding of another processor only.
fn close(what: &str, ours: &Value, theirs: &Value) {
    let flat = |value: &Value| -> Vec<f64> {
        let mut all = Vec::new();
        let mut rest = vec![value.clone()];
        while let Some(value) = rest.pop() {
            match value {
                Value::Array(parts) => rest.extend(parts),
                number => all.push(number.as_f64().unwrap()),
            }
        }
        all
    };
    let (ours, theirs) = (flat(ours), flat(theirs));
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let error = relative_error(&ours, &theirs);
    println!(
        "{what}: {}",
        if ours == theirs { "bit for bit".into() } else { format!("{error:e}") }
    );
    assert!(error < 1e-9, "{what}: error {error:e}");
}

#[test]
fn a_checkpoint_of_version_0_1_0_opens_and_trains_on() {
    let text = std::fs::read_to_string(file("recorded.json")).unwrap();
    let recorded: Value = serde_json::from_str(&text).unwrap();
    let trainer = Trainer::<f64>::resume(file("net.safetensors")).unwrap();
    assert_eq!((trainer.steps(), trainer.epochs()), (3, 1));
    assert_eq!(trainer.config(), &training());
    assert_eq!(trainer.network().config(), &config());
    assert_eq!(trainer.notes()["frames"], r#"{"window":"20ms"}"#);
    let ours = going_on(trainer);
    for what in ["classes", "names"] {
        assert_eq!(ours[what], recorded[what], "{what}");
    }
    for what in ["loss", "steps", "after", "weights"] {
        close(what, &ours[what], &recorded[what]);
    }
}

#[test]
fn a_checkpoint_of_version_0_1_0_is_written_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("net.safetensors");
    let trainer = Trainer::<f64>::resume(file("net.safetensors")).unwrap();
    trainer.save(&copy).unwrap();
    let (ours, theirs) = (std::fs::read(&copy), std::fs::read(file("net.safetensors")));
    assert!(ours.unwrap() == theirs.unwrap(), "another file");
}

#[test]
fn a_configuration_of_version_0_1_0_is_read_written_and_counted() {
    let text = std::fs::read_to_string(file("recorded.json")).unwrap();
    let recorded: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(costs(), recorded["costs"]);
    let config = config();
    assert_eq!(NetworkConfig::from_toml(&config.to_toml().unwrap()).unwrap(), config);
    assert_eq!(NetworkConfig::from_json(&config.to_json().unwrap()).unwrap(), config);
}
