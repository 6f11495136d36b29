//! Neurons against golden numbers, PyTorch, snnTorch, SpikingJelly and finite differences.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use crate::common::reference::Reference;
use crate::common::{ACTIVATIONS, SAMPLES, check_gradients, random};
use liaf_core::activation::Activation;
use liaf_core::graph::{Inputs, Trace, Train};
use liaf_core::init::{Scheme, WeightInit};
use liaf_core::layer::LayerConfig;
use liaf_core::neuron::{Constant, Neuron, Output, Plif, Reset, Sharing, Surrogate, SurrogateKind};
use liaf_core::{ErrorKind, GradientSum, Mode, Network, NetworkConfig, Shape, Workspace};
use ndarray::{ArrayD, IxDyn, s};

/// Outputs, gradients by the input, potentials and spikes.
fn golden(neuron: Neuron) -> [Vec<f64>; 4] {
    let network = NetworkConfig::sequential([1]).node("n", &[], neuron).build::<f64>(0).unwrap();
    let current = vec![0.2, 0.4, 0.3, -0.1, 0.9, 0.1];
    let current = ArrayD::from_shape_vec(IxDyn(&[1, 6, 1]), current).unwrap();
    let mut space = Workspace::new();
    let mode = Mode::train(0).input_gradients();
    let inputs = Inputs::of("input", current.view());
    let mut pass = network.forward(&inputs, mode, &mut space).unwrap();
    let ones = ArrayD::ones(pass.output().raw_dim());
    let mut sum = GradientSum::new(&network);
    let by_input = pass.backward(ones.view(), &mut sum).unwrap().get("input").unwrap();
    let trace = |what| pass.trace("n", what).unwrap();
    let (potentials, spikes) = (trace(Trace::Potential), trace(Trace::Spikes));
    let all = [pass.into_output(), by_input, potentials, spikes];
    all.map(|all| all.into_raw_vec_and_offset().0)
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

    let [y, dx, own_potentials, own_spikes] = golden(liaf(Activation::Relu, false));
    assert_printed(&y, &potentials);
    assert_printed(&dx, &through);
    assert_printed(&own_potentials, &potentials);
    assert_eq!(own_spikes, spikes);

    let detached = Neuron { detach_reset: true, ..liaf(Activation::Relu, false) };
    assert_printed(&golden(detached)[1], &[1.4251, 1.417, 1.39, 1.3, 1.0, 1.0]);

    let [y, dx, ..] = golden(liaf(Activation::Relu, true));
    assert_printed(&y, &[0.0, 0.0, 0.0, 0.0, 0.40942, 0.0]);
    assert_printed(&dx, &[0.0019048, 0.00793667, 0.0489918, 0.29058, 1.0, 0.0]);

    let [y, dx, ..] = golden(liaf(Activation::Selu, false));
    assert_printed(&y, &[0.21014, 0.483322, 0.460207, 0.032992, 0.955528, 0.10507]);
    assert_printed(&dx, &[1.35206, 1.25568, 1.26528, 1.27272, 0.764042, 1.0507]);

    let [y, dx, ..] = golden(Neuron::lif());
    assert_eq!(y, spikes);
    assert_printed(&dx, &through);
}

/// Every surrogate, output, reset and learned constant, recurrence, synapses, PLIF; the configurations
/// stand in the file.
#[test]
fn outputs_and_gradients_are_those_of_pytorch_snntorch_and_spikingjelly() {
    let reference = Reference::load("neurons");
    let cases: BTreeMap<String, LayerConfig> =
        serde_json::from_str(&reference.metadata["cases"]).unwrap();
    assert!(cases.len() > 60);
    for (name, layer) in cases {
        println!("{name}");
        let case = reference.case(&name);
        let item = case.get("x").shape()[2..].to_vec();
        let config = NetworkConfig::default().input("x", Shape::timed(item)).node("n", &[], layer);
        let mut network = config.build(0).unwrap();
        case.set_buffers(&mut network);
        case.compare(&mut network, Mode::train(0), 1e-10);
        case.compare(&mut network, Mode::train(0).plain(), 1e-10);
    }
}

const STEPS: usize = 3;
const LENGTHS: [usize; SAMPLES] = [3, 1, 2, 3, 2, 3];

/// Whether no membrane comes near a kink: 0, its threshold, or the edges of the surrogate (`a` beside
/// the threshold).
fn is_clear(
    network: &Network<f64>,
    input: &ArrayD<f64>,
    (threshold, a): (f64, f64),
    space: &mut Workspace<f64>,
) -> bool {
    let mode = Mode::train(0).smooth_spikes();
    let pass = network.forward(&Inputs::of("input", input.view()), mode, space).unwrap();
    let u = pass.trace("n", Trace::Potential).unwrap();
    let own = network.params().iter().find(|param| param.name == "n.threshold");
    let thresholds = own.map_or(vec![threshold], |param| param.data.clone());
    let run = 4 / thresholds.len();
    u.iter().enumerate().all(|(i, u)| {
        let over = u - thresholds[i % 4 / run];
        [*u, over, over - a, over + a].iter().all(|distance| distance.abs() > 1e-3)
    })
}

/// Finite differences of every parameter and input, with constants that differ from neuron to neuron.
fn judge(neuron: impl Into<LayerConfig>, item: &[usize], threshold: f64, a: f64) {
    let neuron = neuron.into();
    println!("{neuron:?}");
    let config = NetworkConfig::sequential(item).node("n", &[], neuron);
    let mut network = config.build::<f64>(1).unwrap();
    for (p, param) in network.params_mut().iter_mut().enumerate() {
        let moved = param.data.iter_mut().enumerate();
        moved.for_each(|(i, w)| *w += 0.03 * ((3 * i + p) % 5) as f64);
    }
    let shape: Vec<usize> = [SAMPLES, STEPS].into_iter().chain(item.iter().copied()).collect();
    let mut space = Workspace::new();
    let input = (0..100)
        .map(|seed| random::<f64>(&shape, seed))
        .find(|input| is_clear(&network, input, (threshold, a), &mut space))
        .expect("an input that keeps membranes away from kinks");
    check_gradients(&mut network, &[("input", input)], Some(&LENGTHS), 1e-6);
}

/// Every constant learned, each with its own sharing.
fn learned(output: Output, reset: Reset, surrogate: Surrogate) -> Neuron {
    let reset = match reset {
        Reset::To(_) => Reset::To(Constant::learned(-0.1).per(Sharing::Neuron)),
        soft => soft,
    };
    Neuron {
        output,
        reset,
        surrogate,
        threshold: Constant::learned(0.4).per(Sharing::Channel),
        alpha: Constant::learned(0.6).per(Sharing::Channel),
        beta: Constant::learned(0.05).per(Sharing::Neuron),
        gain: Constant::learned(1.2),
        synapse: Some(Constant::learned(0.5)),
        init: WeightInit { weight: Scheme::Torch, bias: None },
        ..Neuron::default()
    }
}

fn resets() -> [Reset; 3] {
    [Reset::default(), Reset::Soft, Reset::SoftAfterLeak]
}

#[test]
fn gradients_agree_with_finite_differences_for_every_surrogate_output_and_reset() {
    let kinds = [
        SurrogateKind::Rectangle,
        SurrogateKind::Gaussian,
        SurrogateKind::Arctangent,
        SurrogateKind::Sigmoid,
        SurrogateKind::Triangle,
        SurrogateKind::FastSigmoid,
    ];
    let outputs = [Output::Spike, Activation::Relu.into(), Activation::Selu.into()];
    for kind in kinds {
        let a = Surrogate::new(kind).a * 1.1;
        let edge = if matches!(kind, SurrogateKind::Rectangle | SurrogateKind::Triangle) {
            a
        } else {
            0.0
        };
        for reset in resets() {
            for (output, recurrent) in outputs.into_iter().zip([true, false, true]) {
                let neuron = learned(output, reset.clone(), Surrogate { kind, a });
                let item: &[usize] = if recurrent { &[4] } else { &[2, 2] };
                let threshold_related = output != Output::Analog(Activation::Selu);
                judge(Neuron { recurrent, threshold_related, ..neuron }, item, 0.4, edge);
            }
        }
    }
}

#[test]
fn gradients_agree_with_finite_differences_for_every_activation() {
    for activation in ACTIVATIONS {
        for threshold_related in [true, false] {
            let neuron = learned(activation.into(), Reset::default(), Surrogate::default());
            let neuron = Neuron { threshold_related, synapse: None, ..neuron };
            judge(neuron, &[2, 2], 0.4, 0.5);
        }
    }
    let readout = learned(Output::Membrane, Reset::default(), Surrogate::default());
    judge(Neuron { threshold: 0.4.into(), ..readout.clone() }, &[2, 2], 0.4, 0.5);
    judge(Neuron { recurrent: true, synapse: None, ..readout }, &[4], 0.4, 0.5);
}

#[test]
fn gradients_of_plif_agree_with_finite_differences() {
    for decay_input in [true, false] {
        for reset in [Reset::from(0.0), Reset::from(-0.2), Reset::Soft] {
            judge(
                Plif { decay_input, reset, threshold: 0.4, ..Plif::default() },
                &[2, 2],
                0.4,
                0.0,
            );
        }
    }
}

fn outputs_and_gradients(network: &Network<f64>, mode: Mode<Train>) -> (ArrayD<f64>, ArrayD<f64>) {
    let frames = random::<f64>(&[SAMPLES, 6, 2, 2], 5);
    let mut space = Workspace::new();
    let inputs = Inputs::of("input", frames.view());
    let mut pass = network.forward(&inputs, mode.input_gradients(), &mut space).unwrap();
    let (y, mut sum) = (pass.output().clone(), GradientSum::new(network));
    let dx = pass.backward(y.view(), &mut sum).unwrap().get("input").unwrap();
    (y, dx)
}

#[test]
fn the_common_loop_is_the_general_one() {
    let outputs =
        [(Output::Spike, true), (Activation::Relu.into(), true), (Activation::Relu.into(), false)];
    for (output, threshold_related) in outputs {
        for detach_reset in [false, true] {
            let common = Neuron {
                output,
                threshold_related,
                detach_reset,
                beta: 0.1.into(),
                reset: Reset::from(-0.2),
                ..Neuron::default()
            };
            // The same number in a tensor takes the general way.
            let general = Neuron { beta: Constant::learned(0.1), ..common.clone() };
            let run = |neuron: Neuron, mode: Mode<Train>| {
                let config = NetworkConfig::sequential([2, 2]).node("n", &[], neuron);
                outputs_and_gradients(&config.build::<f64>(0).unwrap(), mode)
            };
            let plain = Mode::train(0).plain();
            let (y, dx) = run(common.clone(), plain);
            assert_eq!(run(common, Mode::train(0)), (y.clone(), dx.clone()));
            let (general_y, general_dx) = run(general, plain);
            assert_eq!(general_y, y);
            crate::common::assert_close(
                "input",
                general_dx.as_slice().unwrap(),
                dx.as_slice().unwrap(),
                1e-14,
            );
        }
    }
}

#[test]
fn step_by_step_gives_the_numbers_of_the_sequence() {
    let spikes = learned(Output::Spike, Reset::Soft, Surrogate::default());
    let recurrent = Neuron { recurrent: true, ..spikes.clone() };
    let plif = Plif { reset: Reset::from(-0.3), ..Plif::default() };
    let layers: [LayerConfig; 5] = [
        Neuron::default().into(),
        spikes.into(),
        recurrent.into(),
        plif.into(),
        Neuron::integrator().into(),
    ];
    for layer in layers {
        let network = NetworkConfig::sequential([6]).node("n", &[], layer).build::<f32>(2).unwrap();
        let frames = random::<f32>(&[1, 8, 6], 3);
        let mode = Mode::eval().plain();
        let inputs = Inputs::of("input", frames.view());
        let whole = network.forward(&inputs, mode, &mut Workspace::new()).unwrap().into_output();
        let mut state = network.state().plain();
        for t in 0..8 {
            let frame = frames.slice(s![0, t, ..]).to_vec();
            let step = network.step(&[("input", &frame)], &mut state).unwrap().to_vec();
            assert_eq!(
                step,
                whole.slice(s![0, t, ..]).to_vec(),
                "step {t} of {:?}",
                network.config()
            );
        }
    }
}

#[test]
fn a_learned_constant_may_be_that_of_another_layer() {
    let own = Neuron { alpha: Constant::learned(0.6225), ..Neuron::default() };
    let same = Neuron { alpha: own.alpha.clone().shared_with("a"), ..Neuron::default() };
    let config = NetworkConfig::sequential([2, 2]).node("a", &[], own).node("b", &[], same.clone());
    let mut network = config.build::<f64>(0).unwrap();
    assert_eq!(network.parameter_count(), 1);
    assert_eq!(network.params()[0].name, "a.alpha_logit");
    let w = network.params()[0].data[0];
    assert!((1.0 / (1.0 + (-w).exp()) - 0.6225).abs() < 1e-12);
    let frames = random(&[SAMPLES, STEPS, 2, 2], 12) * 2.0;
    check_gradients(&mut network, &[("input", frames)], None, 1e-5);
    let alone = NetworkConfig::sequential([2, 2]).node("b", &[], same).build::<f64>(0);
    assert!(alone.unwrap_err().to_string().contains("a.alpha_logit"));
}

#[test]
fn configurations_are_read_written_and_refused() {
    let layer = |text: &str| {
        let text = format!("[inputs.x]\nshape = [2, 3, 3]\n[[layers]]\n{text}");
        NetworkConfig::from_toml(&text)
    };
    let config = layer(
        "type = 'neuron'\noutput = { leaky_relu = { slope = 0.2 } }\nthreshold_related = false
         alpha = { learn = true, init = 0.6225, per = 'channel' }\nreset = 'soft'\nbeta = 1
         threshold = { init = 0.5, per = 'neuron' }\nsurrogate = 'arctangent'",
    );
    let config = config.unwrap();
    let network = config.build::<f32>(0).unwrap();
    let shapes = |params: &[liaf_core::graph::Param<f32>]| {
        params.iter().map(|param| (param.name.clone(), param.shape.clone())).collect::<Vec<_>>()
    };
    assert_eq!(shapes(network.params()), [("neuron1.alpha_logit".to_owned(), vec![2])]);
    assert_eq!(shapes(network.buffers()), [("neuron1.threshold".to_owned(), vec![2, 3, 3])]);
    let again = NetworkConfig::from_json(&config.to_json().unwrap()).unwrap();
    assert_eq!(again, config);

    let refused = |text: &str, says: &str| {
        let error = layer(text).and_then(|config| config.build::<f32>(0)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    };
    refused("type = 'neuron'\noutput = 'spikes'", "spike, membrane");
    refused("type = 'neuron'\nreset = 'hard'", "soft_after_leak");
    refused("type = 'neuron'\nalpha = { learn = true }", "init");
    refused("type = 'neuron'\nalpha = { learn = true, init = 1.0 }", "between 0 and 1");
    refused("type = 'neuron'\nalpha = { inti = 0.3 }", "inti");
    refused("type = 'neuron'\nreset = { inti = 0.3 }", "inti");
    refused("type = 'neuron'\nalpha = 'x'", "a number, or { init");
    refused("type = 'neuron'\nbeta = nan", "beta");
    refused("type = 'neuron'\ngain = { init = 1, shared_with = 'x' }", "gain");
    refused("type = 'neuron'\nsurrogate = { kind = 'sigmoid', a = 0 }", "surrogate");
    refused("type = 'neuron'\nthreshhold = 1", "threshhold");
    refused("type = 'plif'\ntau = 1", "tau above 1");
    let image = layer("type = 'neuron'\nrecurrent = true").unwrap().build::<f32>(0).unwrap_err();
    assert_eq!(image.kind(), ErrorKind::Shape);
}
