//! Networks whose question gates a story, against PyTorch, and the pieces that they are made of.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::slice::from_ref;

use crate::common::reference::Reference;
use crate::common::{SAMPLES, check_gradients, random};
use liaf_core::cost::{CountRule, LayerCost};
use liaf_core::graph::{Inputs, Param};
use liaf_core::layer::{
    Aggregate, AggregateKind, Dense, Embedding, Gru, LayerConfig, Lstm, Multiply, RecurrentInit,
};
use liaf_core::neuron::{Constant, First, Neuron, Reset, Sharing};
use liaf_core::zoo::{self, Options};
use liaf_core::{ErrorKind, GradientSum, Mode, Network, NetworkConfig, Shape, Workspace};
use ndarray::{ArrayD, IxDyn, s};

const LENGTHS: [usize; SAMPLES] = [4, 1, 3, 4, 2, 4];

/// The network of the zoo without dropout.
fn without_dropout(name: &str, options: &Options) -> NetworkConfig {
    let mut config = zoo::network(name, options).unwrap();
    for node in &mut config.layers {
        if let LayerConfig::Dropout(dropout) = &mut node.layer {
            dropout.p = 0.0;
        }
    }
    config
}

#[test]
fn the_gated_networks_are_those_of_pytorch() {
    let reference = Reference::load("gated");
    let options = Options { width: 0.06, tokens: 7, ..Options::default() };
    for (name, case) in [("babi-gated", "liaf"), ("babi-gated-lif", "lif")] {
        let case = reference.case(case);
        let mut network: Network<f64> = without_dropout(name, &options).build(0).unwrap();
        case.set_params(&mut network);
        let whole = |name: &str| case.get(name).iter().map(|&n| n as usize).collect::<Vec<_>>();
        let lengths = ["story_lengths", "question_lengths"].map(whole);
        let inputs = Inputs::of("story", case.get("story").view())
            .with("question", case.get("question").view())
            .lengths("story", &lengths[0])
            .lengths("question", &lengths[1]);
        let (mut space, mut sum) = (Workspace::new(), GradientSum::new(&network));
        let mut pass = network.forward(&inputs, Mode::train(0), &mut space).unwrap();
        case.close("y", pass.output(), 1e-10);
        let d_output = case.get("weight") + pass.output();
        pass.backward(d_output.view(), &mut sum).unwrap();
        let gradients = sum.reduce();
        assert_eq!(network.params().len(), 14, "{name}");
        for (index, param) in network.params().iter().enumerate() {
            let ours = ArrayD::from_shape_vec(IxDyn(&param.shape), gradients.get(index).to_vec());
            case.close(&format!("grad.{}", param.name), &ours.unwrap(), 1e-10);
        }
    }
}

#[test]
fn products_agree_with_finite_differences() {
    for other in [Shape::timed([3]), Shape::once([3])] {
        let shape = if other.timed { vec![SAMPLES, 4, 3] } else { vec![SAMPLES, 3] };
        let config = NetworkConfig::default().input("a", Shape::timed([3])).input("b", other).node(
            "product",
            &["a", "b"],
            Multiply { factor: 1.5 },
        );
        let mut network = config.build::<f64>(1).unwrap();
        let batch = [("a", random(&[SAMPLES, 4, 3], 2)), ("b", random(&shape, 3))];
        check_gradients(&mut network, &batch, None, 1e-7);
    }
    // Two ways lead to the same signal, which is padded.
    let config = NetworkConfig::sequential([3])
        .node("fc", &[], Dense::new(2))
        .node("last", &[], Aggregate::new(AggregateKind::Last))
        .node("product", &["fc", "last"], Multiply::default());
    let mut network = config.build::<f64>(1).unwrap();
    check_gradients(&mut network, &[("input", random(&[SAMPLES, 4, 3], 4))], Some(&LENGTHS), 1e-7);
}

#[test]
fn the_last_step_and_the_mean_are_those_of_the_true_length() {
    let config = NetworkConfig::sequential([3]).then(Aggregate::new(AggregateKind::LastAndMean));
    let mut network = config.build::<f64>(1).unwrap();
    let x = random::<f64>(&[SAMPLES, 4, 3], 5);
    check_gradients(&mut network, &[("input", x.clone())], Some(&LENGTHS), 1e-7);
    let inputs = Inputs::of("input", x.view()).lengths("input", &LENGTHS);
    let mut space = Workspace::new();
    let whole = network.forward(&inputs, Mode::eval(), &mut space).unwrap().into_output();
    assert_eq!(whole.shape(), [SAMPLES, 6]);
    for (n, &length) in LENGTHS.iter().enumerate() {
        let own = x.slice(s![n, ..length, ..]);
        assert_eq!(whole.slice(s![n, ..3]), own.slice(s![length - 1, ..]));
        let mean = own.mean_axis(ndarray::Axis(0)).unwrap();
        let off = &whole.slice(s![n, 3..]) - &mean;
        assert!(off.iter().all(|off| off.abs() < 1e-15), "{off}");
        let mut state = network.state();
        let steps = own
            .outer_iter()
            .map(|frame| network.step(&[("input", &frame.to_vec())], &mut state).unwrap().to_vec());
        assert_eq!(steps.last().unwrap(), whole.slice(s![n, ..]).to_vec(), "step by step");
    }
    let image =
        NetworkConfig::sequential([2, 4, 5]).then(Aggregate::new(AggregateKind::LastAndMean));
    assert_eq!(image.resolve().unwrap()[1].shape, Shape::once([4, 4, 5]));
}

fn param<'a>(network: &'a Network<f64>, name: &str) -> &'a Param<f64> {
    network.params().iter().find(|param| param.name == name).unwrap()
}

/// Mean and standard deviation.
fn moments(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let square = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    (mean, square.sqrt())
}

#[test]
fn the_first_values_are_those_of_the_recipe() {
    let options = Options { tokens: 40, steps: Some(150), ..Options::default() };
    let network: Network<f64> = zoo::network("babi-gated", &options).unwrap().build(3).unwrap();
    for (branch, longest) in [("story", 150.0), ("question", 10.0)] {
        let table = &param(&network, &format!("{branch}_embedding.weight")).data;
        assert!(table[..50].iter().all(|&w| w == 0.0), "the row of the padding");
        let (mean, deviation) = moments(&table[50..]);
        assert!(mean.abs() < 0.05 && (deviation / (9.0f64 / 50.0).sqrt() - 1.0).abs() < 0.05);
        let logits = &param(&network, &format!("{branch}_neuron.alpha_logit")).data;
        let tau = |w: f64| -1.0 / (1.0 / (1.0 + (-w).exp())).ln();
        assert_eq!(logits.len(), 100);
        assert!((tau(logits[0]) - 2.0).abs() < 1e-9);
        assert!((tau(logits[99]) - longest).abs() < 1e-9);
        assert!((tau(logits[33]) / (2.0 * (longest / 2.0).powf(1.0 / 3.0)) - 1.0).abs() < 1e-9);
        let matrix = &param(&network, &format!("{branch}_neuron.weight")).data;
        let is_identity = |(at, &w): (usize, &f64)| w == f64::from(u8::from(at % 101 == 0));
        assert!(matrix.iter().enumerate().all(is_identity));
    }
    // A question may be longer than the stories of a task: time constants never go backwards.
    let short = Options { steps: Some(4), ..options };
    let network: Network<f64> = zoo::network("babi-gated", &short).unwrap().build(3).unwrap();
    assert!(param(&network, "story_neuron.alpha_logit").data.is_sorted());
}

#[test]
fn gates_of_recurrent_layers_start_as_those_of_keras() {
    let of = |layer: LayerConfig| {
        let config = NetworkConfig::sequential([40]).node("r", &[], layer);
        config.build::<f64>(2).unwrap()
    };
    let init = RecurrentInit::Orthogonal;
    let gru = of(Gru { init, ..Gru::new(20) }.into());
    let bound = (6.0f64 / 60.0).sqrt();
    let largest =
        param(&gru, "r.weight_ih_l0").data.iter().fold(0.0, |max: f64, w| max.max(w.abs()));
    assert!(largest <= bound && largest > 0.99 * bound, "{largest}");
    for gate in param(&gru, "r.weight_hh_l0").data.chunks(400) {
        let square: f64 = gate[..20].iter().map(|w| w * w).sum();
        let dot: f64 = gate[..20].iter().zip(&gate[20..40]).map(|(a, b)| a * b).sum();
        assert!((square - 1.0).abs() < 1e-12 && dot.abs() < 1e-12);
    }
    assert!(param(&gru, "r.bias_ih_l0").data.iter().all(|&b| b == 0.0));
    let lstm = of(Lstm { init, ..Lstm::new(3) }.into());
    let forget = [[0.0; 3], [1.0; 3], [0.0; 3], [0.0; 3]].concat();
    assert_eq!(param(&lstm, "r.bias_ih_l0").data, forget);
    assert_eq!(param(&lstm, "r.bias_hh_l0").data, [0.0; 12]);
}

/// Weights without biases of both recurrent layers, worked out by hand, and those of the gate.
#[test]
fn rivals_have_one_three_and_four_times_the_recurrent_weights() {
    for (name, recurrent) in [
        ("babi-gated", 30_000),
        ("babi-gated-lif", 30_000),
        ("babi-gated-rnn", 30_000),
        ("babi-gated-gru", 90_000),
        ("babi-gated-lstm", 120_000),
        ("babi-leak", 10_000),
    ] {
        let config = zoo::network(name, &Options::default()).unwrap();
        let cost = config.cost(64, CountRule::Textbook).unwrap();
        let is_recurrent = |layer: &LayerCost| {
            ["_fc", "_neuron", "_recurrent"].iter().any(|end| layer.name.ends_with(end))
        };
        assert_eq!(cost.sum(is_recurrent).weights, recurrent, "{name}");
        assert_eq!(cost.sum(|layer| layer.name == "gate").weights, 5_000, "{name}");
    }
}

#[test]
fn time_constants_are_read_and_written() {
    let text = "[inputs.x]\nshape = [3]\n[[layers]]\ntype = 'neuron'\n\
                alpha = { init = { tau = [2, 50] }, learn = true, per = 'neuron' }\n";
    let config = NetworkConfig::from_toml(text).unwrap();
    let alpha = Constant { init: First::Tau([2.0, 50.0]), learn: true, ..0.0.into() };
    let neuron = Neuron { alpha: alpha.per(Sharing::Neuron), ..Neuron::default() };
    assert_eq!(config.layers[0].layer, neuron.into());
    assert_eq!(NetworkConfig::from_toml(&config.to_toml().unwrap()).unwrap(), config);
    assert_eq!(NetworkConfig::from_json(&config.to_json().unwrap()).unwrap(), config);
    // Without learning the shares themselves are stored.
    let text = text.replace("learn = true", "learn = false");
    let network = NetworkConfig::from_toml(&text).unwrap().build::<f64>(0).unwrap();
    let shares = [2.0, 10.0, 50.0].map(|tau: f64| (-1.0 / tau).exp());
    let stored = network.buffers()[0].data.iter().zip(shares);
    assert!(stored.into_iter().all(|(a, b)| (a - b).abs() < 1e-15));
}

#[test]
fn what_cannot_be_gated_or_spread_is_refused() {
    let fault = |layer: LayerConfig, shapes: &[Shape]| {
        let names = ["a", "b"];
        let inputs = names.iter().zip(shapes);
        let config = inputs.fold(NetworkConfig::default(), |config, (name, shape)| {
            config.input(name, shape.clone())
        });
        let error = config.node("own", &names[..shapes.len()], layer).resolve().unwrap_err();
        assert!(error.to_string().contains("layer own"), "{error}");
        error.kind()
    };
    let [timed, once] = [Shape::timed([3]), Shape::once([3])];
    let product = || LayerConfig::from(Multiply::default());
    assert_eq!(fault(product(), from_ref(&timed)), ErrorKind::Config);
    assert_eq!(fault(product(), &[timed.clone(), Shape::timed([2])]), ErrorKind::Shape);
    assert_eq!(fault(product(), &[once, timed.clone()]), ErrorKind::Shape);
    let endless = Multiply { factor: f64::INFINITY };
    assert_eq!(fault(endless.into(), &[timed.clone(), timed.clone()]), ErrorKind::Config);
    let both = Aggregate::new(AggregateKind::LastAndMean);
    assert_eq!(fault(both.into(), &[Shape::timed([])]), ErrorKind::Shape);
    let table = Embedding { deviation: -1.0, ..Embedding::new(4, 2) };
    assert_eq!(fault(table.into(), &[Shape::timed([])]), ErrorKind::Config);
    let spread = |tau, per| Constant { init: First::Tau(tau), per, ..0.0.into() };
    let each = Sharing::Neuron;
    for neuron in [
        Neuron { alpha: spread([2.0, 9.0], Sharing::All), ..Neuron::default() },
        Neuron { alpha: spread([0.0, 9.0], each), ..Neuron::default() },
        Neuron { alpha: spread([2.0, f64::INFINITY], each), ..Neuron::default() },
        Neuron { threshold: spread([2.0, 9.0], each), ..Neuron::default() },
        Neuron { reset: Reset::To(spread([2.0, 9.0], each)), ..Neuron::default() },
    ] {
        assert_eq!(fault(neuron.into(), from_ref(&timed)), ErrorKind::Config);
    }
}
