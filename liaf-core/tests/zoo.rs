//! The networks of the zoo: they are what they say, run, and learn.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::random;
use liaf_core::cost::CountRule;
use liaf_core::graph::Inputs;
use liaf_core::loss::Loss;
use liaf_core::optim::{Adam, OptimizerConfig};
use liaf_core::train::{TrainConfig, Trainer};
use liaf_core::zoo::{self, Entry, Kind, Options};
use liaf_core::{Mode, NetworkConfig, Real, Workspace};
use ndarray::ArrayD;

fn full(name: &str) -> NetworkConfig {
    zoo::network(name, &Options::default()).unwrap()
}

/// Small enough for a test: an eighth of the width, small frames.
fn small(entry: &Entry) -> (Options, usize) {
    let size = match entry.name {
        "gesture-a" | "gesture-a-bn" | "gesture-a2" => 8,
        "gesture-b" => 12,
        "gesture-c" => 128,
        "mnist-dvs-b" => 8,
        "mnist-dvs-g" => 20,
        "cifar10-dvs-g" => 42,
        "cifar10-dvs-r" | "liaf-resnet-18" | "liaf-resnet-34" => 32,
        _ => 64,
    };
    let classes = if entry.classes == 0 { None } else { Some(4) };
    let steps = if entry.name == "gesture-c" { 2 } else { 3 };
    (Options { width: 0.125, size: Some(size), classes, tokens: 12 }, steps)
}

/// A batch for every input: frames, or words from 1.
fn batch<R: Real>(
    config: &NetworkConfig,
    samples: usize,
    steps: usize,
) -> Vec<(String, ArrayD<R>)> {
    let inputs = config.inputs.iter().enumerate();
    let made = inputs.map(|(seed, (name, input))| {
        let shape: Vec<_> = [samples, steps].into_iter().chain(input.shape.clone()).collect();
        let mut data = random::<R>(&shape, 40 + seed as u64);
        if input.shape.is_empty() {
            data.mapv_inplace(|x| R::of((x.f64().abs() * 5.0).floor().min(10.0) + 1.0));
        } else {
            data.mapv_inplace(|x| R::of(f64::from(u8::from(x.f64() > 1.0))));
        }
        (name.clone(), data)
    });
    made.collect()
}

fn inputs<'a, R: Real>(batch: &'a [(String, ArrayD<R>)]) -> Inputs<'a, R> {
    let mut all = Inputs::of(&batch[0].0, batch[0].1.view());
    for (name, data) in &batch[1..] {
        all = all.with(name, data.view());
    }
    all
}

/// Losses before every step, and the accuracy at the end.
fn learn(entry: &Entry, kind: Kind, samples: usize, steps: usize) -> (Vec<f64>, f64) {
    let (options, time) = small(entry);
    let config = entry.network(kind, &options).unwrap();
    let network = config.build::<f32>(7).unwrap();
    let data = batch::<f32>(&config, samples, time);
    let labels: Vec<usize> = (0..samples).map(|n| n % 4).collect();
    let train = TrainConfig {
        loss: Loss::default(),
        optimizer: OptimizerConfig::Adam(Adam { learning_rate: 0.01, ..Adam::default() }),
        ..TrainConfig::default()
    };
    let mut trainer = Trainer::new(network, train).unwrap();
    let losses = (0..steps).map(|_| trainer.step(&inputs(&data), &labels).unwrap().loss).collect();
    let network = trainer.into_network();
    let mode = Mode { training: true, ..Mode::EVAL };
    let scores = network.forward(&inputs(&data), mode, &mut Workspace::new()).unwrap();
    let right = labels.iter().enumerate().filter(|&(n, &label)| {
        let row = scores.index_axis(ndarray::Axis(0), n);
        row.iter().all(|&score| score <= row[label])
    });
    (losses, right.count() as f64 / samples as f64)
}

#[test]
fn weights_and_products_are_those_of_the_literature() {
    // Weights without biases and MACs per sample, worked out by hand from the structures.
    for (name, weights, macs) in [
        ("gesture-a", 2_322_304, 6_991_549_440),
        ("gesture-b", 2_011_008, 1_010_860_000),
        ("mnist-dvs-b", 1_797_952, 315_050_000),
        ("cifar10-dvs-b", 2_622_016, 821_560_000),
        ("cifar10-dvs-t", 2_094_144, 3_119_540_000),
    ] {
        let (entry, _) = zoo::find(name).unwrap();
        let total = full(name).cost(entry.steps, CountRule::Textbook).unwrap().total();
        assert_eq!(total.weights, weights, "{name}");
        let off = total.macs.abs_diff(macs);
        assert!(off <= 5_000, "{name}: {} MACs", total.macs);
    }
    let total = full("gesture-a").cost(60, CountRule::Textbook).unwrap().total();
    assert_eq!(total.parameters, 2_322_891);
    assert_eq!(total.macs_per_step, 116_525_824);
    assert_eq!(full("gesture-a").build::<f32>(0).unwrap().parameter_count(), 2_322_891);
}

#[test]
fn parameters_of_the_residual_networks_are_those_of_their_authors() {
    for (name, parameters) in [("liaf-resnet-18", 11_693_233), ("liaf-resnet-34", 21_808_825)] {
        for suffix in ["", "-lif"] {
            let cost = full(&format!("{name}{suffix}")).cost(8, CountRule::Textbook).unwrap();
            assert_eq!(cost.total().parameters, parameters, "{name}{suffix}");
        }
    }
}

#[test]
fn operations_of_the_residual_networks_are_those_their_authors_print() {
    for (name, additions, multiplications) in [
        ("liaf-resnet-18-lif", 12_668_145_664, 268_636_160),
        ("liaf-resnet-34-lif", 25_783_130_112, 288_479_232),
        ("liaf-resnet-18", 12_668_145_664, 14_159_104_000),
        ("liaf-resnet-34", 25_783_130_112, 28_901_059_584),
    ] {
        let total = full(name).cost(8, CountRule::EsNotebook).unwrap().total();
        assert_eq!(
            (total.additions, total.multiplications),
            (additions, multiplications),
            "{name}"
        );
    }
}

#[test]
fn rivals_of_convolutions_weigh_three_and_ten_times_as_much() {
    let convs = |name: &str| {
        let cost = full(name).cost(60, CountRule::Textbook).unwrap();
        let total = cost.sum(|layer| layer.name.starts_with("conv"));
        (total.weights, total.macs)
    };
    assert_eq!(convs("gesture-a").0, 222_336);
    assert_eq!(convs("gesture-a-conv3d").0, 667_008);
    assert_eq!(convs("gesture-a-conv3d").1, 3 * convs("gesture-a").1);
    assert_eq!(convs("gesture-a-convlstm").0, 2_216_448);
    let words = |suffix: &str| {
        let cost = full(&format!("babi{suffix}")).cost(64, CountRule::Textbook).unwrap();
        let fc = |layer: &liaf_core::cost::LayerCost| {
            layer.name == "story_fc" || layer.name == "story_recurrent"
        };
        cost.sum(fc).weights
    };
    assert_eq!(
        ["", "-lif", "-rnn", "-gru", "-lstm"].map(words),
        [5_000, 5_000, 15_000, 45_000, 60_000]
    );
}

#[test]
fn every_network_in_every_form_runs_forward_and_back_and_as_toml() {
    for entry in zoo::list() {
        for &kind in entry.kinds {
            let name = format!("{}{}", entry.name, kind.suffix());
            assert_eq!(zoo::find(&name).map(|(e, k)| (e.name, k)), Some((entry.name, kind)));
            let (options, steps) = small(entry);
            let config = zoo::network(&name, &options).unwrap();
            assert_eq!(NetworkConfig::from_toml(&config.to_toml().unwrap()).unwrap(), config);
            let network = config.build::<f32>(1).unwrap();
            let data = batch::<f32>(&config, 2, steps);
            let mut space = Workspace::new();
            let mode = Mode::train(0);
            let scores = network.forward(&inputs(&data), mode, &mut space).unwrap();
            assert_eq!(scores.shape(), [2, options.classes.unwrap_or(12)], "{name}");
            let mut gradients = liaf_core::Gradients::new(&network);
            network.backward(scores.view(), mode, &mut space, &mut gradients).unwrap();
            gradients.reduce();
            assert!(gradients.all().iter().flatten().all(|g| g.is_finite()), "{name}");
            assert!(gradients.all().iter().flatten().any(|&g| g != 0.0), "{name}");
        }
    }
}

#[test]
fn analog_networks_learn_eight_samples_by_heart() {
    for entry in zoo::list() {
        let (losses, accuracy) = learn(entry, Kind::Liaf, 8, 30);
        let (first, last) = (losses[0], losses[losses.len() - 1]);
        println!("{}: {first:.3} to {last:.3}, accuracy {accuracy}", entry.name);
        assert!(last < first / 4.0 && accuracy == 1.0, "{}: {losses:?}, {accuracy}", entry.name);
    }
}

#[test]
fn the_rivals_learn() {
    for entry in zoo::list() {
        for &kind in entry.kinds.iter().filter(|&&kind| kind != Kind::Liaf) {
            let (losses, _) = learn(entry, kind, 4, 10);
            let (first, last) = (losses[0], losses.iter().copied().fold(f64::INFINITY, f64::min));
            // Seven ConvLSTMs behind each other hardly leave the scores of chance in ten steps.
            let share = if kind == Kind::ConvLstm { 1.0 } else { 0.95 };
            assert!(last < share * first, "{}{}: {losses:?}", entry.name, kind.suffix());
        }
    }
}

#[test]
fn unknown_names_and_forms_are_refused() {
    let error = zoo::network("gesture-z", &Options::default()).unwrap_err().to_string();
    assert!(error.contains("gesture-a") && error.contains("gesture-z"), "{error}");
    assert!(zoo::network("gesture-c-lstm", &Options::default()).is_err());
    let (entry, _) = zoo::find("gesture-c").unwrap();
    let error = entry.network(Kind::Lstm, &Options::default()).unwrap_err().to_string();
    assert!(error.contains("gesture-c-conv3d"), "{error}");
    for width in [0.0, -1.0, f64::NAN, 1e9] {
        let options = Options { width, ..Options::default() };
        assert!(zoo::network("babi", &options).is_err(), "{width}");
    }
    let tiny = Options { size: Some(2), ..Options::default() };
    assert!(zoo::network("gesture-a", &tiny).is_err());
}
