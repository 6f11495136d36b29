//! Neurons against golden numbers.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use liaf_core::activation::Activation;
use liaf_core::graph::Inputs;
use liaf_core::neuron::Neuron;
use liaf_core::op::Trace;
use liaf_core::{Gradients, Mode, Network, NetworkConfig, Workspace};
use ndarray::{ArrayD, IxDyn};

fn golden(neuron: Neuron) -> (Vec<f64>, Vec<f64>, Network<f64>, Workspace<f64>) {
    let network = NetworkConfig::sequential([1]).node("n", &[], neuron).build::<f64>(0).unwrap();
    let current = vec![0.2, 0.4, 0.3, -0.1, 0.9, 0.1];
    let current = ArrayD::from_shape_vec(IxDyn(&[1, 6, 1]), current).unwrap();
    let mut space = Workspace::new();
    let mode = Mode { input_gradients: true, ..Mode::train(0) };
    let output = network.forward(&Inputs::of("input", current.view()), mode, &mut space).unwrap();
    let ones = ArrayD::ones(output.raw_dim());
    let mut gradients = Gradients::new(&network);
    network.backward(ones.view(), mode, &mut space, &mut gradients).unwrap();
    let by_input = network.input_gradient("input", &space).unwrap();
    let flat = |all: ArrayD<f64>| all.into_raw_vec_and_offset().0;
    (flat(output), flat(by_input), network, space)
}

/// To the printed digits: 6 of them.
fn assert_printed(ours: &[f64], printed: &[f64]) {
    assert_eq!(ours.len(), printed.len());
    for (ours, printed) in ours.iter().zip(printed) {
        assert!((ours - printed).abs() <= 1e-5 * printed.abs(), "{ours} is not {printed}");
    }
}

fn liaf(activation: Activation, threshold_related: bool) -> Neuron {
    Neuron { threshold_related, ..Neuron::liaf(activation) }
}

/// A scalar neuron, I = [0.2, 0.4, 0.3, -0.1, 0.9, 0.1], loss the sum of outputs; worked out by hand.
#[test]
fn one_neuron_gives_the_golden_numbers() {
    let potentials = [0.2, 0.46, 0.438, 0.0314, 0.90942, 0.1];
    let through = [1.28682, 1.19508, 1.20423, 1.2113, 0.727174, 1.0];
    let spikes = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0];

    let (y, dx, network, space) = golden(liaf(Activation::Relu, false));
    assert_printed(&y, &potentials);
    assert_printed(&dx, &through);
    let trace = |what| network.trace("n", what, &space).unwrap().into_raw_vec_and_offset().0;
    assert_printed(&trace(Trace::Potential), &potentials);
    assert_eq!(trace(Trace::Spikes), spikes);

    let detached = Neuron { detach_reset: true, ..liaf(Activation::Relu, false) };
    assert_printed(&golden(detached).1, &[1.4251, 1.417, 1.39, 1.3, 1.0, 1.0]);

    let (y, dx, ..) = golden(liaf(Activation::Relu, true));
    assert_printed(&y, &[0.0, 0.0, 0.0, 0.0, 0.40942, 0.0]);
    assert_printed(&dx, &[0.0019048, 0.00793667, 0.0489918, 0.29058, 1.0, 0.0]);

    let (y, dx, ..) = golden(liaf(Activation::Selu, false));
    assert_printed(&y, &[0.21014, 0.483322, 0.460207, 0.032992, 0.955528, 0.10507]);
    assert_printed(&dx, &[1.35206, 1.25568, 1.26528, 1.27272, 0.764042, 1.0507]);

    let (y, dx, ..) = golden(Neuron::lif());
    assert_eq!(y, spikes);
    assert_printed(&dx, &through);
}
