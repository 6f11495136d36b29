//! What the tests of networks share: random batches, and finite differences as a judge of gradients.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses a part; a test may panic")]

#[path = "../../../../liaf-data/src/fixtures.rs"]
mod found;
pub mod reference;
pub mod trained;

use std::path::PathBuf;

use liaf_core::graph::{Inputs, Pass, SLOTS, Train};
use liaf_core::rng::Key;
use liaf_core::{Activation, GradientSum, Mode, Network, Real, Workspace};
use ndarray::{ArrayD, IxDyn};

/// An activation of each kind.
pub const ACTIVATIONS: [Activation; 7] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.2 },
    Activation::Selu,
    Activation::Elu { alpha: 1.5 },
    Activation::Sigmoid,
    Activation::Tanh,
];

/// A file of `fixtures/reference`.
pub fn reference_file(name: &str) -> PathBuf {
    let folder = found::folder().expect("the folder fixtures, which is in the repository");
    folder.join("reference").join(name)
}

/// Normal numbers.
pub fn random<R: Real>(shape: &[usize], seed: u64) -> ArrayD<R> {
    let mut numbers = vec![R::ZERO; shape.iter().product()];
    Key::new(seed).fill_normal(&mut numbers, 0.0, 1.0);
    ArrayD::from_shape_vec(IxDyn(shape), numbers).unwrap()
}

/// A smooth loss that weighs every number of the output differently: `sum c_i y_i + d_i y_i² / 2`.
fn weighed(output: &ArrayD<f64>) -> (f64, ArrayD<f64>) {
    let c = random::<f64>(output.shape(), 77);
    let d = random::<f64>(output.shape(), 78);
    let loss = output.iter().zip(&c).zip(&d).map(|((y, c), d)| c * y + d * y * y / 2.0).sum();
    let gradient = ndarray::Zip::from(output).and(&c).and(&d).map_collect(|y, c, d| c + d * y);
    (loss, gradient)
}

/// Compares every gradient of a network, by parameters and by inputs, with central finite
/// differences in f64. Fails beyond `tolerance`, relative to the largest gradient of its tensor.
///
/// Spikes are replaced by the integrals of their surrogates, so that all of it is smooth but for
/// kinks; the caller sees to it that none is near.
pub fn check_gradients(
    network: &mut Network<f64>,
    inputs: &[(&str, ArrayD<f64>)],
    lengths: Option<&[usize]>,
    tolerance: f64,
) {
    check_gradients_in(Mode::train(3), network, inputs, lengths, tolerance);
}

/// [`check_gradients`] in this mode: with the layers as in evaluation, say.
pub fn check_gradients_in(
    mode: Mode<Train>,
    network: &mut Network<f64>,
    inputs: &[(&str, ArrayD<f64>)],
    lengths: Option<&[usize]>,
    tolerance: f64,
) {
    let mode = mode.input_gradients().smooth_spikes();
    let mut space = Workspace::new();
    let loss_of =
        |network: &Network<f64>, all: &[(&str, ArrayD<f64>)], space: &mut Workspace<f64>| {
            weighed(forward(network, mode, all, lengths, space).output()).0
        };
    let mut sum = GradientSum::new(network);
    let mut pass = forward(network, mode, inputs, lengths, &mut space);
    let d_output = weighed(pass.output()).1;
    let back = pass.backward(d_output.view(), &mut sum).unwrap();
    let by_input: Vec<_> = inputs.iter().map(|(name, _)| back.get(name).unwrap()).collect();
    let gradients = sum.reduce();
    let h = 1e-5;
    for index in 0..network.params().len() {
        let name = network.params()[index].name.clone();
        let ours = gradients.get(index).to_vec();
        let judge = |network: &mut Network<f64>, i: usize, by: f64, space: &mut Workspace<f64>| {
            network.params_mut()[index].data[i] += by;
            let loss = loss_of(network, inputs, space);
            network.params_mut()[index].data[i] -= by;
            loss
        };
        let theirs: Vec<f64> = (0..ours.len())
            .map(|i| {
                let up = judge(network, i, h, &mut space);
                (up - judge(network, i, -h, &mut space)) / (2.0 * h)
            })
            .collect();
        assert_close(&name, &ours, &theirs, tolerance);
    }
    for (at, (name, data)) in inputs.iter().enumerate() {
        let ours: Vec<f64> = by_input[at].iter().copied().collect();
        let theirs: Vec<f64> = (0..data.len())
            .map(|i| {
                let mut loss = |by: f64| {
                    let mut all = inputs.to_vec();
                    all[at].1.as_slice_mut().unwrap()[i] += by;
                    loss_of(network, &all, &mut space)
                };
                (loss(h) - loss(-h)) / (2.0 * h)
            })
            .collect();
        assert_close(name, &ours, &theirs[..ours.len()], tolerance);
    }
}

/// A pass over arrays of these names.
fn forward<'n, 'w>(
    network: &'n Network<f64>,
    mode: Mode<Train>,
    all: &[(&str, ArrayD<f64>)],
    lengths: Option<&[usize]>,
    space: &'w mut Workspace<f64>,
) -> Pass<'n, 'w, f64, Train> {
    let mut batch = Inputs::of(all[0].0, all[0].1.view());
    for (name, data) in &all[1..] {
        batch = batch.with(name, data.view());
    }
    if let Some(lengths) = lengths {
        batch = all.iter().fold(batch, |batch, (name, _)| batch.lengths(name, lengths));
    }
    network.forward(&batch, mode, space).unwrap()
}

/// Fails if two tensors differ by more than `tolerance` of the largest number.
pub fn assert_close(name: &str, ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len(), "{name}");
    let scale = theirs.iter().fold(1e-12f64, |max, x| max.max(x.abs()));
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let error = (a - b).abs() / scale;
        assert!(error <= tolerance, "{name}[{i}]: {a} is not {b} (error {error:e})");
    }
}

/// Relative error `||a - b|| / ||b||`.
pub fn relative_error(a: &[f64], b: &[f64]) -> f64 {
    let norm = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied()).max(1e-300)
}

/// More samples than slots, so that some share one.
pub const SAMPLES: usize = SLOTS + 2;
