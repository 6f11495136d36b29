//! Layers of the user's own: numbers and gradients, time, threads, training.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod files;
mod layers;
mod refused;

use std::collections::BTreeMap;

use crate::common::{SAMPLES, assert_close, check_gradients, random};
use layers::{Leak, Linear, LogSum, NoisyGate, Sine};
use liaf_core::cost::{CountRule, Synapses, Work};
use liaf_core::graph::Inputs;
use liaf_core::layer::{Aggregate, Conv2d, Dense, Flatten, LayerConfig};
use liaf_core::train::{TrainConfig, Trainer};
use liaf_core::{ErrorKind, GradientSum, Mode, Network, NetworkConfig, Shape, Workspace};
use ndarray::{ArrayD, Axis, Slice, s};

/// A network with a custom layer first, in the middle, and after time has ended.
fn net() -> NetworkConfig {
    NetworkConfig::sequential([2, 3, 3])
        .then(Sine::new(1.3))
        .then(Conv2d::new(2, 2))
        .then(Sine::new(0.7))
        .then(Flatten {})
        .then(Leak {})
        .then(Linear { units: 4 })
        .then(Aggregate::default())
        .then(Sine::new(2.0))
        .then(Dense::new(3))
}

#[test]
fn a_layer_that_does_what_a_known_one_does_has_its_numbers() {
    let with = |layer: LayerConfig| {
        let config = NetworkConfig::sequential([5])
            .node("a", &[], Dense::new(6))
            .node("b", &[], layer)
            .node("c", &[], Dense::new(3))
            .node("d", &[], Aggregate::default());
        let network = config.build::<f64>(4).unwrap();
        let frames = random::<f64>(&[SAMPLES, 7, 5], 5);
        let (mut space, mut sum) = (Workspace::new(), GradientSum::new(&network));
        let inputs = Inputs::of("input", frames.view()).lengths("input", &[7, 1, 3, 7, 2, 4]);
        let mode = Mode::train(0).input_gradients();
        let mut pass = network.forward(&inputs, mode, &mut space).unwrap();
        let output = pass.output().clone();
        let back = pass.backward(output.view(), &mut sum).unwrap();
        let by_input = back.get("input").unwrap();
        let cost = config.cost(7, CountRule::Textbook).unwrap();
        let memory = network.memory_estimate(SAMPLES, 7, true);
        (network.params().to_vec(), output, by_input, sum.reduce().all().to_vec(), cost, memory)
    };
    let (own, known) = (with(Linear { units: 4 }.into()), with(Dense::new(4).into()));
    assert_eq!(own.0, known.0);
    let numbers = |array: &ArrayD<f64>| array.iter().copied().collect::<Vec<_>>();
    assert_close("output", &numbers(&own.1), &numbers(&known.1), 1e-13);
    assert_close("input", &numbers(&own.2), &numbers(&known.2), 1e-13);
    for (param, (own, known)) in own.0.iter().zip(own.3.iter().zip(&known.3)) {
        assert_close(&param.name, own, known, 1e-13);
    }
    // Weights are counted; operations only if the layer says them.
    assert_eq!(own.4.total().weights, known.4.total().weights);
    assert_eq!(own.4.total().macs, known.4.total().macs - 7 * 4 * 6);
    assert_eq!(own.5, known.5);
}

#[test]
fn gradients_agree_with_finite_differences() {
    let lengths = [5, 1, 3, 5, 2, 4];
    let mut network = net().build::<f64>(1).unwrap();
    let batch = [("input", random(&[SAMPLES, 5, 2, 3, 3], 2))];
    check_gradients(&mut network, &batch, None, 1e-7);
    check_gradients(&mut network, &batch, Some(&lengths), 1e-7);

    let config = NetworkConfig::sequential([3]).then(Linear { units: 2 }).then(LogSum {});
    let mut network = config.then(Dense::new(2)).build::<f64>(1).unwrap();
    let batch = [("input", random(&[SAMPLES, 5, 3], 2))];
    check_gradients(&mut network, &batch, Some(&lengths), 1e-7);

    // Random factors are the same in both passes.
    let config = NetworkConfig::default()
        .input("x", Shape::timed([3]))
        .input("gate", Shape::once([3]))
        .node("a", &["x"], Linear { units: 3 })
        .node("y", &["a", "gate"], NoisyGate {});
    let mut network = config.build::<f64>(1).unwrap();
    let batch = [("x", random(&[SAMPLES, 5, 3], 2)), ("gate", random(&[SAMPLES, 3], 3))];
    check_gradients(&mut network, &batch, None, 1e-7);
}

#[test]
fn step_by_step_and_in_stretches_the_numbers_are_those_of_the_sequence() {
    let network = net().build::<f32>(7).unwrap();
    let frames = random::<f32>(&[1, 9, 2, 3, 3], 8);
    let (mut space, mut state) = (Workspace::new(), network.state().plain());
    for t in 0..9 {
        let frame = frames.slice(s![0, t, .., .., ..]).to_owned();
        let step = network.step(&[("input", frame.as_slice().unwrap())], &mut state).unwrap();
        let so_far = frames.slice(s![.., ..=t, .., .., ..]).to_owned().into_dyn();
        let inputs = Inputs::of("input", so_far.view());
        let whole = network.forward(&inputs, Mode::eval().plain(), &mut space).unwrap();
        assert_eq!(step, whole.output().as_slice().unwrap(), "after frame {t}");
    }

    let network = NetworkConfig::sequential([3]).then(Leak {}).build::<f64>(7).unwrap();
    let (frames, mut space) = (random::<f64>(&[4, 8, 3], 8), Workspace::new());
    let inputs = Inputs::of("input", frames.view());
    let whole = network.forward(&inputs, Mode::train(0), &mut space).unwrap().into_output();
    let mut carry = network.carry(4).unwrap();
    for start in [0, 5] {
        let part = |all: &ArrayD<f64>| {
            all.slice_axis(Axis(1), Slice::from(start..(start + 5).min(8))).to_owned()
        };
        let (frames, mut sum) = (part(&frames), GradientSum::new(&network));
        let inputs = Inputs::of("input", frames.view());
        let mode = Mode::train(0);
        let mut pass = network.forward_on(&inputs, mode, &mut carry, &mut space).unwrap();
        assert_eq!(pass.output(), part(&whole));
        // The gradient of the first step of a stretch has the state that was carried.
        let mut first = ArrayD::zeros(pass.output().raw_dim());
        first.slice_axis_mut(Axis(1), Slice::from(..1)).fill(1.0);
        pass.backward(first.view(), &mut sum).unwrap();
        let moved = sum.reduce().get(0).iter().any(|&g| g != 0.0);
        assert_eq!(moved, start > 0, "at first the state is zero");
    }
}

#[test]
fn a_layer_of_whole_samples_runs_neither_step_by_step_nor_in_stretches() {
    let config = NetworkConfig::sequential([3]).node("all", &[], LogSum {});
    let network = config.build::<f32>(7).unwrap();
    let error = network.step(&[("input", &[0.0; 3])], &mut network.state()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("layer all"), "{error}");
    assert_eq!(network.carry(2).unwrap_err().kind(), ErrorKind::Unsupported);
}

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn training_lowers_the_loss_with_the_same_bits_on_any_number_of_threads() {
    let frames = random::<f32>(&[12, 6, 2, 3, 3], 6);
    let labels: Vec<_> = (0..12).map(|n| n % 3).collect();
    let train = |config: NetworkConfig, inputs: &Inputs<'_, f32>| {
        let training = "optimizer = { type = 'adam', learning_rate = 0.01 }";
        let training = TrainConfig::from_toml(training).unwrap();
        let mut trainer = Trainer::new(config.build::<f32>(5).unwrap(), training).unwrap();
        let mut losses = Vec::new();
        for _ in 0..15 {
            losses.push(trainer.step(inputs, &labels).unwrap().loss);
        }
        losses.push(trainer.evaluate(inputs, &labels).unwrap().loss);
        let params = trainer.network().params();
        let by_name: BTreeMap<_, _> =
            params.iter().map(|param| (param.name.clone(), param.data.clone())).collect();
        (losses, by_name)
    };
    let inputs = Inputs::of("input", frames.view());
    let one = with_threads(1, || train(net(), &inputs));
    assert_eq!(one, with_threads(2, || train(net(), &inputs)));
    assert!(one.0[15] < 0.7 * one.0[0], "{:?}", one.0);
    assert_ne!(one.1["custom1.frequency"], [1.3; 2]);

    let gates = random::<f32>(&[12, 3], 7);
    let flat = frames.slice(s![.., .., 0, .., 0]).to_owned().into_dyn();
    let config = NetworkConfig::default()
        .input("x", Shape::timed([3]))
        .input("gate", Shape::once([3]))
        .node("y", &["x", "gate"], NoisyGate {})
        .then(Linear { units: 3 })
        .then(Aggregate::default());
    let inputs = Inputs::of("x", flat.view()).with("gate", gates.view());
    let one = with_threads(1, || train(config.clone(), &inputs));
    assert_eq!(one, with_threads(2, || train(config, &inputs)));
}

#[test]
fn operations_are_counted_as_the_layer_says() {
    let network: Network<f32> = net().build(1).unwrap();
    assert_eq!(network.cost(4).unwrap().layers[0].macs, 0);
    let config =
        NetworkConfig::sequential([5]).then(refused::Any { work: 5, ..refused::Any::default() });
    let cost = config.cost(4, CountRule::Textbook).unwrap();
    assert_eq!(cost.total().macs, 4 * Work::synapses(Synapses::dense(5, 5)).macs());
}
