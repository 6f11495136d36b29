//! The networks of the zoo: they are what they say, run, and learn.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::random;
use liaf_core::cost::CountRule;
use liaf_core::graph::Inputs;
use liaf_core::layer::LayerConfig;
use liaf_core::loss::Loss;
use liaf_core::optim::{Adam, OptimizerConfig};
use liaf_core::train::{TrainConfig, Trainer};
use liaf_core::zoo::{self, Entry, Kind, Options};
use liaf_core::{GradientSum, Mode, NetworkConfig, Workspace};
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
    (Options { width: 0.125, size: Some(size), classes, tokens: 12, steps: None }, steps)
}

/// Numbers for every input.
type Batch = Vec<(String, ArrayD<f32>)>;

/// A batch for every input: frames, or words from 1.
fn batch(config: &NetworkConfig, samples: usize, steps: usize) -> Batch {
    let inputs = config.inputs.iter().enumerate();
    let made = inputs.map(|(seed, (name, input))| {
        let shape: Vec<_> = [samples, steps].into_iter().chain(input.shape.clone()).collect();
        let mut data = random::<f32>(&shape, 40 + seed as u64);
        if input.shape.is_empty() {
            data.mapv_inplace(|x| (x.abs() * 5.0).floor().min(10.0) + 1.0);
        } else {
            data.mapv_inplace(|x| f32::from(u8::from(x > 1.0)));
        }
        (name.clone(), data)
    });
    made.collect()
}

fn inputs(batch: &Batch) -> Inputs<'_, f32> {
    let mut all = Inputs::of(&batch[0].0, batch[0].1.view());
    for (name, data) in &batch[1..] {
        all = all.with(name, data.view());
    }
    all
}

/// Steps of Adam until the loss is below this share of the first one and, if asked for, all classes
/// are right; 40 at most. Gives the losses and whether it came so far.
fn learn(config: &NetworkConfig, data: &Batch, share: f64, by_heart: bool) -> (Vec<f64>, bool) {
    let (inputs, labels) = (inputs(data), labels(data));
    let train = TrainConfig {
        optimizer: OptimizerConfig::Adam(Adam { learning_rate: 0.01, ..Adam::default() }),
        ..TrainConfig::default()
    };
    let mut trainer = Trainer::new(config.build::<f32>(7).unwrap(), train).unwrap();
    let mut losses = Vec::new();
    for _ in 0..40 {
        let report = trainer.step(&inputs, &labels).unwrap();
        losses.push(report.loss);
        let right = !by_heart || report.correct == labels.len();
        if report.loss < share * losses[0] && right {
            return (losses, true);
        }
    }
    (losses, false)
}

/// How much the loss falls by a small step against the gradient, as a share of what the gradient says:
/// `(L(p) - L(p - h g)) / h |g|²`, where `h |g|²` is `fall`. 1 for a gradient that is the loss's.
fn first_order(config: &NetworkConfig, data: &Batch, fall: f64) -> f64 {
    let (inputs, labels, mode) = (inputs(data), labels(data), Mode::train(0));
    let mut network = config.build::<f32>(7).unwrap();
    let mut space = Workspace::new();
    let judge = |scores: &ArrayD<f32>| Loss::default().judge(scores.view(), &labels, None).unwrap();
    let mut sum = GradientSum::new(&network);
    let mut pass = network.forward(&inputs, mode, &mut space).unwrap();
    let before = judge(pass.output());
    pass.backward(before.gradient.view(), &mut sum).unwrap();
    let gradients = sum.reduce();
    let square: f64 = gradients.all().iter().flatten().map(|&g| f64::from(g).powi(2)).sum();
    for (param, gradient) in network.params_mut().iter_mut().zip(gradients.all()) {
        let step = |(p, &g): (&mut f32, &f32)| *p -= (fall / square * f64::from(g)) as f32;
        param.data.iter_mut().zip(gradient).for_each(step);
    }
    let after = judge(network.forward(&inputs, mode, &mut space).unwrap().output());
    (before.loss - after.loss) / fall
}

fn labels(batch: &Batch) -> Vec<usize> {
    (0..batch[0].1.shape()[0]).map(|n| n % 4).collect()
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
            let data = batch(&config, 2, steps);
            let mut space = Workspace::new();
            let mut pass = network.forward(&inputs(&data), Mode::train(0), &mut space).unwrap();
            let scores = pass.output().clone();
            assert_eq!(scores.shape(), [2, options.classes.unwrap_or(12)], "{name}");
            let mut sum = GradientSum::new(&network);
            pass.backward(scores.view(), &mut sum).unwrap();
            let gradients = sum.reduce();
            assert!(gradients.all().iter().flatten().all(|g| g.is_finite()), "{name}");
            assert!(gradients.all().iter().flatten().any(|&g| g != 0.0), "{name}");
        }
    }
}

#[test]
fn analog_networks_learn_eight_samples_by_heart() {
    for entry in zoo::list() {
        let (options, steps) = small(entry);
        let config = entry.network(Kind::Liaf, &options).unwrap();
        let (losses, done) = learn(&config, &batch(&config, 8, steps), 0.25, true);
        println!("{}: {:.3} to {:.3}", entry.name, losses[0], losses[losses.len() - 1]);
        assert!(done, "{}: {losses:?}", entry.name);
    }
}

/// The rivals in all their forms but spikes, whose surrogate is not the slope of the loss: a small step
/// lowers the loss by as much as the gradient says. And all learn, but for ConvLSTMs on large frames:
/// five and seven of them behind each other take longer than a test to leave the scores of chance.
#[test]
fn the_rivals_lower_their_loss() {
    let mut seen: Vec<NetworkConfig> = Vec::new();
    for entry in zoo::list() {
        for &kind in entry.kinds.iter().filter(|&&kind| kind != Kind::Liaf) {
            let name = format!("{}{}", entry.name, kind.suffix());
            let (options, steps) = small(entry);
            let mut config = entry.network(kind, &options).unwrap();
            for node in &mut config.layers {
                if let LayerConfig::Dropout(dropout) = &mut node.layer {
                    dropout.p = 0.0;
                }
            }
            if seen.contains(&config) {
                continue;
            }
            let data = batch(&config, 4, steps);
            if kind != Kind::Lif {
                // Gates bend more; where slopes are steep, a smaller step is lost in rounding.
                let fall = if kind == Kind::ConvLstm { 1e-4 } else { 1e-3 };
                let ratio = first_order(&config, &data, fall);
                println!("{name}: falls by {ratio:.3} of what the gradient says");
                assert!((ratio - 1.0).abs() < 0.05, "{name}: {ratio}");
            }
            if kind != Kind::ConvLstm || options.size <= Some(20) {
                let (losses, done) = learn(&config, &data, 0.9, false);
                println!("{name}: {:.3} to {:.3}", losses[0], losses[losses.len() - 1]);
                assert!(done, "{name}: {losses:?}");
            }
            seen.push(config);
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
