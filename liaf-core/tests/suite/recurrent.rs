//! RNN, LSTM and GRU against PyTorch, finite differences, and themselves step by step.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::reference::Reference;
use crate::common::{SAMPLES, check_gradients, random};
use liaf_core::graph::Inputs;
use liaf_core::layer::{Gru, LayerConfig, Lstm, Rnn, RnnActivation};
use liaf_core::{ErrorKind, Mode, NetworkConfig, Shape, Workspace};
use ndarray::s;

fn net(layer: LayerConfig) -> NetworkConfig {
    NetworkConfig::default().input("x", Shape::timed([5])).node("rnn", &[], layer)
}

fn layers() -> [(&'static str, LayerConfig); 5] {
    [
        ("rnn_tanh", Rnn::new(4).into()),
        ("rnn_relu", Rnn { activation: RnnActivation::Relu, ..Rnn::new(4) }.into()),
        ("lstm", Lstm::new(4).into()),
        ("lstm_no_bias", Lstm { bias: false, ..Lstm::new(4) }.into()),
        ("gru", Gru::new(4).into()),
    ]
}

#[test]
fn outputs_and_gradients_are_those_of_pytorch() {
    for (name, layer) in layers() {
        let reference = Reference::load(&format!("recurrent_{name}"));
        let mut network = net(layer).build(0).unwrap();
        reference.compare(&mut network, Mode::train(0), 1e-10);
        reference.compare(&mut network, Mode::train(0).plain(), 1e-10);
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    let lengths = [6, 1, 3, 6, 2, 4];
    for (seed, (_, layer)) in layers().into_iter().enumerate() {
        let mut network = net(layer).build::<f64>(seed as u64).unwrap();
        let batch = [("x", random(&[SAMPLES, 6, 5], 9))];
        check_gradients(&mut network, &batch, None, 1e-6);
        check_gradients(&mut network, &batch, Some(&lengths), 1e-6);
    }
}

#[test]
fn step_by_step_gives_the_numbers_of_the_sequence() {
    for (name, layer) in layers() {
        let network = net(layer).build::<f32>(3).unwrap();
        let frames = random::<f32>(&[1, 9, 5], 8);
        let mode = Mode::eval().plain();
        let inputs = Inputs::of("x", frames.view());
        let whole = network.forward(&inputs, mode, &mut Workspace::new()).unwrap().into_output();
        let mut state = network.state().plain();
        for t in 0..9 {
            let frame = frames.slice(s![0, t, ..]).to_vec();
            let step = network.step(&[("x", &frame)], &mut state).unwrap().to_vec();
            assert_eq!(step, whole.slice(s![0, t, ..]).to_vec(), "{name} after frame {t}");
        }
    }
}

#[test]
fn images_and_signals_without_time_are_refused() {
    let image = NetworkConfig::sequential([2, 8, 8]).node("gru", &[], Gru::new(3));
    let error = image.build::<f32>(0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Shape);
    assert!(error.to_string().contains("layer gru"), "{error}");
    let still = NetworkConfig::default().input("x", Shape::once([4])).node("a", &[], Lstm::new(3));
    assert_eq!(still.build::<f32>(0).unwrap_err().kind(), ErrorKind::Shape);
    let none = NetworkConfig::sequential([4]).then(Rnn::new(0));
    assert_eq!(none.build::<f32>(0).unwrap_err().kind(), ErrorKind::Config);
}
