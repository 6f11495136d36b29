//! Weights go to and come from other programs.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::reference::Reference;
use crate::common::trained::{step, trainer};
use crate::common::{reference_file, relative_error};
use liaf_core::checkpoint::LoadOptions;
use liaf_core::graph::Inputs;
use liaf_core::layer::{Aggregate, BatchNorm, Conv2d, Dense, Flatten, MaxPool};
use liaf_core::neuron::{Neuron, Plif, Reset};
use liaf_core::{Mode, Network, NetworkConfig, Workspace};

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
    let path = reference_file("learning_torch.safetensors");
    let names = [("dense1.", "0."), ("dense3.", "2.")].map(|(a, b)| (a.into(), b.into()));
    let mapped = LoadOptions { names: names.into(), ..LoadOptions::default() };
    let ordered = LoadOptions { by_order: true, ..LoadOptions::default() };
    for options in [mapped, ordered] {
        let mut network = of_reference();
        let loaded = network.load_weights(&path, &options).unwrap();
        assert_eq!(loaded.loaded.len(), 4);
        let inputs = Inputs::of("input", reference.get("batch.x").view());
        let scores =
            network.forward(&inputs, Mode::eval(), &mut Workspace::new()).unwrap().into_output();
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
    assert!(error.contains("wrong shape"), "{error}");
    assert_eq!(network.params(), before);
}

/// The state dict of `fixtures/reference/jelly.py` gives SpikingJelly's spikes, hidden ones too.
#[test]
fn weights_of_spikingjelly_give_its_spikes() {
    let reference = Reference::load("jelly");
    let soft = Plif { tau: 3.0, reset: Reset::Soft, ..Plif::default() };
    let config = NetworkConfig::sequential([2, 6, 6])
        .node("conv", &[], Conv2d { bias: false, ..Conv2d::new(4, 3).padding(1) })
        .node("norm", &[], BatchNorm::default())
        .node("first", &[], Plif::default())
        .then(MaxPool::new(2))
        .then(Flatten {})
        .node("fc", &[], Dense { bias: false, ..Dense::new(3) })
        .node("last", &[], soft);
    let mut network = config.build::<f64>(0).unwrap();
    let inputs = Inputs::of("input", reference.get("x").view());
    let mut space = Workspace::new();
    let before = network.forward(&inputs, Mode::eval(), &mut space).unwrap().into_output();
    assert_ne!(&before, reference.get("y"));
    let names =
        [("conv.", "0."), ("norm.", "1."), ("first.", "2."), ("fc.", "6."), ("last.", "7.")];
    let names = names.map(|(ours, theirs)| (ours.into(), theirs.into())).into();
    let options = LoadOptions { names, ..LoadOptions::default() };
    let loaded = network.load_weights(reference_file("jelly_net.safetensors"), &options).unwrap();
    assert_eq!(loaded.loaded.len(), 8);
    let pass = network.forward(&inputs, Mode::eval().activations(), &mut space).unwrap();
    assert_eq!(&pass.activation("first").unwrap(), reference.get("hidden"));
    let y = pass.into_output();
    assert_eq!(&y, reference.get("y"));
    assert!(y.iter().any(|&spike| spike == 1.0) && y.iter().any(|&spike| spike == 0.0));
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
