//! Norms against PyTorch and finite differences, step by step, and on any number of threads.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use crate::common::reference::Reference;
use crate::common::{SAMPLES, check_gradients, check_gradients_in, random};
use liaf_core::activation::Activation;
use liaf_core::graph::{Inputs, Trace};
use liaf_core::layer::{BatchNorm, LayerConfig, LayerNorm};
use liaf_core::neuron::{Constant, Neuron, Output, Reset, Sharing};
use liaf_core::{ErrorKind, GradientSum, Mode, Network, NetworkConfig, Shape, Workspace};
use ndarray::{ArrayD, IxDyn, s};

fn cases(reference: &Reference) -> BTreeMap<String, LayerConfig> {
    serde_json::from_str(&reference.metadata["cases"]).unwrap()
}

#[test]
fn outputs_gradients_and_statistics_are_those_of_pytorch() {
    let reference = Reference::load("norms");
    for (name, layer) in cases(&reference) {
        println!("{name}");
        let case = reference.case(&name);
        let item = case.get("x").shape()[2..].to_vec();
        let config = NetworkConfig::default().input("x", Shape::timed(item)).node("n", &[], layer);
        let mut network = config.build(0).unwrap();
        case.set_buffers(&mut network);
        let train = Mode::train(0);
        let mode = if name.ends_with("_eval") { train.frozen() } else { train };
        case.compare(&mut network, mode, 1e-10);

        let mut space = Workspace::new();
        let inputs = Inputs::of("x", case.get("x").view());
        let statistics = network.forward(&inputs, mode, &mut space).unwrap().statistics();
        network.set_statistics(statistics);
        for buffer in network.buffers() {
            let ours = ArrayD::from_shape_vec(IxDyn(&buffer.shape), buffer.data.clone()).unwrap();
            case.close(&format!("after.{}", buffer.name), &ours, 1e-10);
        }
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    let layers: [LayerConfig; 3] = [
        BatchNorm::default().into(),
        LayerNorm::default().into(),
        LayerNorm { affine: false, ..LayerNorm::default() }.into(),
    ];
    for layer in layers {
        for lengths in [None, Some(&[3, 1, 2, 3, 2, 3][..])] {
            let config = NetworkConfig::sequential([2, 2, 2]).node("n", &[], layer.clone());
            let mut network = config.build::<f64>(0).unwrap();
            let batch = [("input", random(&[SAMPLES, 3, 2, 2, 2], 3))];
            check_gradients(&mut network, &batch, lengths, 1e-6);
        }
    }
}

/// A neuron with the norm inside and constants of its own.
fn inside(output: Output) -> Neuron {
    Neuron {
        output,
        alpha: Constant::learned(0.6).per(Sharing::Channel),
        threshold: Constant { init: 0.3.into(), per: Sharing::Channel, ..Constant::default() },
        norm: Some(BatchNorm::default()),
        ..Neuron::default()
    }
}

fn norms() -> [LayerConfig; 3] {
    let neuron = inside(Activation::Relu.into());
    [BatchNorm::default().into(), LayerNorm::default().into(), neuron.into()]
}

/// Samples end at different steps; no membrane is near its threshold, 0 or an edge of the surrogate.
#[test]
fn gradients_of_a_norm_inside_agree_with_finite_differences() {
    for output in [Output::Spike, Activation::Selu.into(), Output::Membrane] {
        for reset in [Reset::default(), Reset::Soft] {
            for training in [true, false] {
                let neuron = Neuron { reset: reset.clone(), ..inside(output) };
                let config = NetworkConfig::sequential([2, 2]).node("n", &[], neuron);
                let mut network = config.build::<f64>(0).unwrap();
                let lengths = [3, 1, 2, 3, 2, 3];
                let mode = Mode::train(3).smooth_spikes();
                let mode = if training { mode } else { mode.frozen() };
                let mut space = Workspace::new();
                let clear = |input: &ArrayD<f64>| {
                    let inputs = Inputs::of("input", input.view()).lengths("input", &lengths);
                    let pass = network.forward(&inputs, mode, &mut space).unwrap();
                    let u = pass.trace("n", Trace::Potential).unwrap();
                    let kinks = [0.0, 0.3, -0.2, 0.8];
                    // Padded steps are 0 in a trace; no membrane is 0 by itself.
                    let real = u.iter().filter(|&&u| u != 0.0);
                    real.count() == 14 * 4
                        && u.iter()
                            .filter(|&&u| u != 0.0)
                            .all(|u| kinks.iter().all(|kink| (u - kink).abs() > 1e-3))
                };
                let inputs = (0..100).map(|seed| random::<f64>(&[SAMPLES, 3, 2, 2], seed));
                let mut inputs = inputs.map(|input| input + 0.2);
                let input = inputs.find(clear).expect("an input without kinks");
                let batch = [("input", input)];
                check_gradients_in(mode, &mut network, &batch, Some(&lengths), 1e-6);
            }
        }
    }
}

#[test]
fn a_norm_inside_stands_alone() {
    let neuron = Neuron { recurrent: true, ..inside(Output::Spike) };
    let error = NetworkConfig::sequential([3]).then(neuron).build::<f32>(0).unwrap_err();
    assert!(error.to_string().contains("norm inside"), "{error}");
}

/// Some running statistics that are not the first ones.
fn trained(layer: LayerConfig) -> Network<f32> {
    let mut network = NetworkConfig::sequential([3, 5]).node("n", &[], layer).build(1).unwrap();
    let frames = random::<f32>(&[4, 6, 3, 5], 2) * 2.0 + 1.0;
    let mut space = Workspace::new();
    let inputs = Inputs::of("input", frames.view());
    let statistics = network.forward(&inputs, Mode::train(0), &mut space).unwrap().statistics();
    network.set_statistics(statistics);
    network
}

#[test]
fn step_by_step_gives_the_numbers_of_the_sequence() {
    for layer in norms() {
        let network = trained(layer);
        let frames = random::<f32>(&[1, 4, 3, 5], 3);
        let mode = Mode::eval().plain();
        let inputs = Inputs::of("input", frames.view());
        let whole = network.forward(&inputs, mode, &mut Workspace::new()).unwrap().into_output();
        let mut state = network.state().plain();
        for t in 0..4 {
            let frame: Vec<f32> = frames.slice(s![0, t, .., ..]).iter().copied().collect();
            let step = network.step(&[("input", &frame)], &mut state).unwrap().to_vec();
            let expected: Vec<f32> = whole.slice(s![0, t, .., ..]).iter().copied().collect();
            assert_eq!(step, expected, "{:?}", network.config());
        }
    }
}

#[test]
fn results_do_not_depend_on_threads() {
    for layer in norms() {
        let network = trained(layer);
        let frames = random::<f32>(&[7, 4, 3, 5], 4);
        let lengths = [4, 1, 2, 3, 4, 4, 2];
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut space = Workspace::new();
                let mode = Mode::train(0).input_gradients();
                let inputs = Inputs::of("input", frames.view()).lengths("input", &lengths);
                let mut pass = network.forward(&inputs, mode, &mut space).unwrap();
                let (y, mut sum) = (pass.output().clone(), GradientSum::new(&network));
                let dx = pass.backward(y.view(), &mut sum).unwrap().get("input").unwrap();
                (y, dx, sum.reduce().all().to_vec())
            })
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(3));
    }
}

#[test]
fn padding_is_no_part_of_a_batch() {
    let config = NetworkConfig::sequential([3]).node("n", &[], BatchNorm::default());
    let network = config.build::<f64>(0).unwrap();
    let mut padded = random::<f64>(&[2, 5, 3], 4);
    let short = padded.slice(s![.., ..3, ..]).to_owned().into_dyn();
    padded.slice_mut(s![.., 3.., ..]).fill(1e9);
    let mut space = Workspace::new();
    let inputs = Inputs::of("input", padded.view()).lengths("input", &[3, 3]);
    let long = network.forward(&inputs, Mode::train(0), &mut space).unwrap().into_output();
    let inputs = Inputs::of("input", short.view());
    let short = network.forward(&inputs, Mode::train(0), &mut space).unwrap().into_output();
    assert_eq!(long.slice(s![.., ..3, ..]).to_owned().into_dyn(), short);
}

#[test]
fn one_number_a_channel_gives_the_bias() {
    let config = NetworkConfig::sequential([3]).node("n", &[], BatchNorm::default());
    let mut network = config.build::<f64>(0).unwrap();
    let frame = random::<f64>(&[1, 1, 3], 4);
    let mut space = Workspace::new();
    let inputs = Inputs::of("input", frame.view());
    let pass = network.forward(&inputs, Mode::train(0), &mut space).unwrap();
    assert!(pass.output().iter().all(|&y| y == 0.0));
    let statistics = pass.statistics();
    network.set_statistics(statistics);
    assert!(network.buffers()[1].data.iter().all(|&v| v == 1.0));
    assert!(network.buffers()[0].data.iter().zip(&frame).all(|(m, x)| (m - 0.1 * x).abs() < 1e-15));
}

#[test]
fn an_eps_or_momentum_that_is_none_is_refused() {
    let layers: [LayerConfig; 3] = [
        BatchNorm { eps: 0.0, ..BatchNorm::default() }.into(),
        BatchNorm { momentum: f64::NAN, ..BatchNorm::default() }.into(),
        LayerNorm { eps: -1.0, ..LayerNorm::default() }.into(),
    ];
    for layer in layers {
        let error = NetworkConfig::sequential([3]).then(layer).build::<f32>(0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}
