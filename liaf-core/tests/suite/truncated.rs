//! Back-propagation through time that is cut: against PyTorch with states detached, against passes
//! over the whole, and what cannot be cut.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use crate::common::reference::Reference;
use crate::common::{random, relative_error};
use liaf_core::graph::Inputs;
use liaf_core::layer::{
    Aggregate, BatchNorm, Conv3d, Dense, Dropout, Flatten, Gru, LayerConfig, Lstm, Rnn,
};
use liaf_core::loss::Loss;
use liaf_core::neuron::{Constant, Neuron, Plif};
use liaf_core::train::{StepReport, TrainConfig, Trainer};
use liaf_core::{ErrorKind, GradientSum, Mode, Network, NetworkConfig, Shape, Workspace};
use ndarray::{ArrayD, Axis, IxDyn, Slice};

/// Steps of a stretch in `fixtures/reference/truncated.py`.
const CUT: usize = 3;

fn part(whole: &ArrayD<f64>, start: usize) -> ArrayD<f64> {
    let end = (start + CUT).min(whole.shape()[1]);
    whole.slice_axis(Axis(1), Slice::from(start..end)).to_owned()
}

/// Passes a case in stretches and compares everything with the reference.
fn compare(case: &Reference, network: &mut Network<f64>, plain: bool) {
    let x = case.get("x");
    let mut space = Workspace::new();
    let mut sum = GradientSum::new(network);
    let mut carry = network.carry(x.shape()[0]).unwrap();
    let (mut y, mut dx) = (Vec::new(), Vec::new());
    for start in (0..x.shape()[1]).step_by(CUT) {
        let input = part(x, start);
        let inputs = Inputs::of("x", input.view());
        let mode = Mode::train(0).input_gradients();
        let mode = if plain { mode.plain() } else { mode };
        let mut pass = network.forward_on(&inputs, mode, &mut carry, &mut space).unwrap();
        let d_output = part(case.get("weight"), start) + pass.output();
        y.push(pass.output().clone());
        dx.push(pass.backward(d_output.view(), &mut sum).unwrap().get("x").unwrap());
        let statistics = pass.statistics();
        network.set_statistics(statistics);
    }
    let join = |parts: &[ArrayD<f64>]| {
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        ndarray::concatenate(Axis(1), &views).unwrap()
    };
    case.close("y", &join(&y), 1e-12);
    case.close("grad.x", &join(&dx), 1e-10);
    let gradients = sum.reduce();
    for (index, param) in network.params().iter().enumerate() {
        let ours = ArrayD::from_shape_vec(IxDyn(&param.shape), gradients.get(index).to_vec());
        case.close(&format!("grad.{}", param.name), &ours.unwrap(), 1e-10);
    }
    for buffer in network.buffers() {
        let ours = ArrayD::from_shape_vec(IxDyn(&buffer.shape), buffer.data.clone()).unwrap();
        case.close(&format!("after.{}", buffer.name), &ours, 1e-12);
    }
}

#[test]
fn gradients_are_those_of_pytorch_with_states_detached() {
    let reference = Reference::load("truncated");
    let cases: BTreeMap<String, LayerConfig> =
        serde_json::from_str(&reference.metadata["cases"]).unwrap();
    assert_eq!(cases.len(), 10);
    for (name, layer) in cases {
        println!("{name}");
        let case = reference.case(&name);
        let item = case.get("x").shape()[2..].to_vec();
        let config = NetworkConfig::default().input("x", Shape::timed(item)).node("n", &[], layer);
        for plain in [false, true] {
            let mut network = config.build(0).unwrap();
            case.set_params(&mut network);
            compare(&case, &mut network, plain);
        }
    }
}

const BATCH: usize = 10;
const LENGTHS: [usize; BATCH] = [6, 1, 2, 3, 4, 5, 6, 6, 2, 5];

/// Gradients and report of one step on a network with these stretches and lengths.
fn cut(
    config: &NetworkConfig,
    truncate: Option<usize>,
    lengths: Option<&[usize]>,
) -> (StepReport, Vec<Vec<f64>>) {
    let loss = Loss::Tet { label_smoothing: 0.0 };
    let training = TrainConfig { truncate, loss, ..TrainConfig::default() };
    let mut trainer = Trainer::new(config.build::<f64>(5).unwrap(), training).unwrap();
    let frames = random::<f64>(&[BATCH, 6, 2, 4], 100);
    let labels: Vec<_> = (0..BATCH).map(|n| n % 3).collect();
    let inputs = Inputs::of("input", frames.view());
    let inputs = lengths.iter().fold(inputs, |inputs, lengths| inputs.lengths("input", lengths));
    let report = trainer.step(&inputs, &labels).unwrap();
    (report, trainer.gradients().to_vec())
}

/// A dense layer, this layer, and scores at every step.
fn around(layer: impl Into<LayerConfig>) -> NetworkConfig {
    let net = NetworkConfig::sequential([2, 4]).then(Flatten {}).then(Dense::new(12));
    net.then(layer).then(Dense::new(3))
}

#[test]
fn stretches_of_time_give_the_loss_of_the_whole() {
    let synaptic = Neuron { synapse: Some(Constant::learned(0.6)), ..Neuron::default() };
    let recurrent = Neuron { recurrent: true, ..Neuron::lif() };
    let normed = Neuron { norm: Some(BatchNorm::default()), ..Neuron::default() };
    let layers: [LayerConfig; 8] = [
        Neuron::default().into(),
        synaptic.into(),
        recurrent.into(),
        normed.into(),
        Plif::default().into(),
        Lstm::new(12).into(),
        Gru::new(12).into(),
        Rnn::new(12).into(),
    ];
    for layer in layers {
        let config = around(layer);
        for lengths in [None, Some(&LENGTHS[..])] {
            let (whole, gradients) = cut(&config, None, lengths);
            // Cut behind the end: the gradients are those of the whole.
            for steps in [6, 100] {
                let (report, cut) = cut(&config, Some(steps), lengths);
                assert!((report.loss - whole.loss).abs() < 1e-14);
                assert_eq!(report.correct, whole.correct);
                for (cut, whole) in cut.iter().zip(&gradients) {
                    assert!(relative_error(cut, whole) < 1e-14);
                }
            }
            // Cut within: states go on, so the loss is the same; gradients do not.
            for steps in [1, 2, 4] {
                let (report, cut) = cut(&config, Some(steps), lengths);
                assert!((report.loss - whole.loss).abs() < 1e-12, "{report:?}, {whole:?}");
                assert!(relative_error(&cut[0], &gradients[0]) > 1e-3, "stretches of {steps}");
                // The layer behind has no way back in time.
                let (last, of_whole) = (cut.last().unwrap(), gradients.last().unwrap());
                assert!(relative_error(last, of_whole) < 1e-12);
            }
        }
    }
}

#[test]
fn a_mask_that_is_fixed_over_time_is_so_across_stretches() {
    for lengths in [None, Some(&LENGTHS[..])] {
        let loss = |fixed, truncate| {
            let config = around(Dropout { p: 0.5, fixed });
            cut(&config, truncate, lengths).0.loss
        };
        assert!((loss(true, None) - loss(true, Some(2))).abs() < 1e-12);
        assert!((loss(false, None) - loss(false, Some(2))).abs() > 1e-6);
    }
}

#[test]
fn what_looks_across_the_end_of_a_stretch_is_not_cut() {
    let training = TrainConfig { truncate: Some(2), ..TrainConfig::default() };
    let frames = random::<f32>(&[2, 5, 1, 2, 2], 1);
    let run = |depth| {
        let net =
            NetworkConfig::sequential([1, 2, 2]).then(Conv3d::new(2, depth, 1)).then(Flatten {});
        let net = net.then(Aggregate::default()).build::<f32>(1).unwrap();
        let mut trainer = Trainer::new(net, training.clone()).unwrap();
        trainer.step(&Inputs::of("input", frames.view()), &[0, 1])
    };
    run(1).unwrap();
    let error = run(3).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("conv3d1"), "{error}");
}
