//! Layers without weights, and embeddings: judged by PyTorch and finite differences.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::reference::Reference;
use crate::common::{ACTIVATIONS, SAMPLES, check_gradients, random, relative_error};
use liaf_core::graph::{Inputs, Train};
use liaf_core::layer::{
    Activate, Add, AvgPool, BatchNorm, Concat, Conv2d, Dense, Dropout, Embedding, Flatten,
    LayerConfig, MaxPool, Rnn, RnnActivation, SpatialMean,
};
use liaf_core::neuron::{Constant, Neuron, Plif};
use liaf_core::{Activation, ErrorKind, GradientSum, Mode, NetworkConfig, Shape, Workspace};
use ndarray::s;

#[test]
fn activations_agree_with_finite_differences() {
    for kind in ACTIVATIONS {
        let config = NetworkConfig::sequential([7]).then(Activate::new(kind));
        let mut network = config.build::<f64>(1).unwrap();
        let batch = [("input", random(&[SAMPLES, 3, 7], 2))];
        check_gradients(&mut network, &batch, None, 1e-7);
    }
}

#[test]
fn an_activation_is_read_from_a_configuration() {
    let text = "[inputs.x]\nshape = [4]\n[[layers]]\ntype = 'activation'\n\
                kind = { leaky_relu = { slope = 0.2 } }\n[[layers]]\ntype = 'activation'\n";
    let config = NetworkConfig::from_toml(text).unwrap();
    assert_eq!(config.layers[0].layer, Activate::new(Activation::LeakyRelu { slope: 0.2 }).into());
    assert_eq!(config.layers[1].layer, Activate::new(Activation::Relu).into());
    let nan = Activate::new(Activation::Elu { alpha: f64::INFINITY });
    let error = NetworkConfig::sequential([4]).node("act", &[], nan).build::<f32>(0).unwrap_err();
    assert!(error.to_string().contains("layer act"), "{error}");
}

/// A number that is none stays so, as in PyTorch, whatever layer it goes through; spikes alone are
/// always 0 or 1.
#[test]
fn nan_goes_through_every_activation_and_pooling() {
    let neuron = |output: Activation| Neuron { threshold_related: false, ..Neuron::liaf(output) };
    let learned = Constant::learned(0.4);
    let layers: [LayerConfig; 10] = [
        Activate::new(Activation::Relu).into(),
        Neuron::liaf(Activation::Relu).into(),
        neuron(Activation::Relu).into(),
        Neuron { alpha: learned, ..Neuron::liaf(Activation::Relu) }.into(),
        neuron(Activation::LeakyRelu { slope: 0.1 }).into(),
        Plif { output: Activation::Relu.into(), ..Plif::default() }.into(),
        MaxPool::new(2).into(),
        AvgPool::new(2).into(),
        SpatialMean {}.into(),
        Neuron { norm: Some(BatchNorm::default()), ..neuron(Activation::Relu) }.into(),
    ];
    let run = |config: NetworkConfig, train: Mode<Train>| {
        let mut network = config.build::<f32>(1).unwrap();
        network.params_mut()[0].data.fill(f32::NAN);
        let frames = random::<f32>(&[2, 3, 1, 2, 2], 3);
        let (mut space, mut sum) = (Workspace::new(), GradientSum::new(&network));
        let inputs = Inputs::of("x", frames.view());
        let mut pass = network.forward(&inputs, train, &mut space).unwrap();
        assert!(pass.output().iter().all(|y| y.is_nan()), "{:?}", network.config());
        let ones = ndarray::ArrayD::ones(pass.output().raw_dim());
        pass.backward(ones.view(), &mut sum).unwrap();
        // The gradient by the bias of the convolution has come through the layer.
        assert!(sum.reduce().get(1).iter().any(|&g| g != 0.0), "{:?}", network.config());
    };
    for layer in layers {
        let config = NetworkConfig::default().input("x", Shape::timed([1, 2, 2]));
        let config = config.then(Conv2d::new(2, 1)).then(layer);
        for mode in [Mode::train(0), Mode::train(0).plain()] {
            run(config.clone(), mode);
        }
    }
    let rnn = Rnn { activation: RnnActivation::Relu, ..Rnn::new(3) };
    let config = NetworkConfig::default().input("x", Shape::timed([1, 2, 2]));
    run(config.then(Flatten {}).then(Dense::new(2)).then(rnn), Mode::train(0));
}

/// Like the files of `fixtures/reference/convolution.py`.
fn pools() -> Vec<(&'static str, [usize; 3], LayerConfig)> {
    let (stride, padding) = (Some([2, 1].into()), 1.into());
    let avg = AvgPool { stride, padding, ..AvgPool::new([3, 2]) };
    let max = MaxPool { stride, padding, ..MaxPool::new([3, 2]) };
    let ties = MaxPool { stride: Some(1.into()), padding, ..MaxPool::new(3) };
    vec![
        ("avg_pool", [2, 6, 5], AvgPool::new(2).into()),
        ("avg_pool_padded", [2, 6, 5], avg.into()),
        ("max_pool", [2, 6, 5], MaxPool::new(2).into()),
        ("max_pool_padded", [2, 6, 5], max.into()),
        ("max_pool_ties", [2, 6, 6], ties.into()),
        ("spatial_mean", [3, 3, 4], SpatialMean {}.into()),
    ]
}

fn net(item: &[usize], layer: LayerConfig) -> NetworkConfig {
    NetworkConfig::default().input("x", Shape::timed(item)).node("layer", &[], layer)
}

#[test]
fn poolings_are_those_of_pytorch() {
    for (name, item, layer) in pools() {
        let mut network = net(&item, layer).build(0).unwrap();
        Reference::load(name).compare(&mut network, Mode::train(0), 1e-10);
    }
}

#[test]
fn poolings_agree_with_finite_differences() {
    for (name, [c, h, w], layer) in pools().into_iter().filter(|(name, ..)| !name.contains("tie")) {
        let mut network = net(&[c, h, w], layer).build::<f64>(0).unwrap();
        eprintln!("{name}");
        let batch = [("x", random(&[2, 2, c, h, w], 3))];
        check_gradients(&mut network, &batch, Some(&[2, 1]), 1e-6);
    }
}

#[test]
fn embeddings_are_those_of_pytorch() {
    for (name, padding) in [("embedding", None), ("embedding_padded", Some(2))] {
        let reference = Reference::load(name);
        let layer = Embedding { padding, ..Embedding::new(7, 3) };
        let mut network = net(&[], layer.into()).build::<f64>(0).unwrap();
        if let Some(row) = padding {
            assert!(network.params()[0].data[3 * row..3 * row + 3].iter().all(|&w| w == 0.0));
        }
        assert!(network.params()[0].data.iter().any(|&w| w != 0.0));
        reference.set_params(&mut network);
        let mut space = Workspace::new();
        let inputs = Inputs::of("x", reference.get("x").view());
        let mut sum = GradientSum::new(&network);
        let mut pass = network.forward(&inputs, Mode::train(0), &mut space).unwrap();
        reference.close("y", pass.output(), 0.0);
        let d_output = reference.get("weight") + pass.output();
        pass.backward(d_output.view(), &mut sum).unwrap();
        let gradients = sum.reduce();
        let theirs = reference.get("grad.layer.weight").as_slice().unwrap();
        assert!(relative_error(gradients.get(0), theirs) < 1e-10, "{name}");
    }
}

#[test]
fn what_is_no_token_is_refused() {
    let network = net(&[], Embedding::new(7, 3).into()).build::<f32>(0).unwrap();
    for wrong in [7.0, -1.0, 0.5] {
        let tokens = ndarray::arr2(&[[1.0, 6.0], [0.0, wrong]]).into_dyn();
        let inputs = Inputs::of("x", tokens.view());
        let error = network.forward(&inputs, Mode::eval(), &mut Workspace::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        let text = error.to_string();
        assert!(text.contains("layer") && text.contains("step 1"), "{text}");
        assert!(network.step(&[("x", &[wrong])], &mut network.state()).is_err());
    }
    let state = &mut network.state();
    assert_eq!(network.step(&[("x", &[6.0])], state).unwrap(), &network.params()[0].data[18..]);
}

#[test]
fn sums_and_concatenations_agree_with_finite_differences() {
    let config = NetworkConfig::default()
        .input("a", Shape::timed([3]))
        .input("b", Shape::timed([3]))
        .node("sum", &["a", "b"], Add {})
        .node("all", &["sum", "a", "b"], Concat {})
        .node("out", &["all"], Dense::new(2));
    let mut network = config.build::<f64>(1).unwrap();
    let batch = [("a", random(&[SAMPLES, 4, 3], 2)), ("b", random(&[SAMPLES, 4, 3], 3))];
    check_gradients(&mut network, &batch, Some(&[4, 1, 3, 4, 2, 4]), 1e-7);
}

#[test]
fn images_are_joined_by_channels() {
    let config = NetworkConfig::default()
        .input("a", Shape::timed([2, 3, 4]))
        .input("b", Shape::timed([1, 3, 4]))
        .node("all", &["b", "a"], Concat {});
    let network = config.build::<f32>(1).unwrap();
    let (a, b) = (random::<f32>(&[2, 3, 2, 3, 4], 1), random::<f32>(&[2, 3, 1, 3, 4], 2));
    let inputs = Inputs::of("a", a.view()).with("b", b.view());
    let y = network.forward(&inputs, Mode::eval(), &mut Workspace::new()).unwrap().into_output();
    let expected = ndarray::concatenate(ndarray::Axis(2), &[b.view(), a.view()]).unwrap();
    assert_eq!(y, expected);
}

#[test]
fn what_cannot_be_joined_or_pooled_is_refused() {
    let two = |other: Shape, layer: LayerConfig| {
        NetworkConfig::default()
            .input("a", Shape::timed([2, 4, 4]))
            .input("b", other)
            .node("join", &["a", "b"], layer)
            .build::<f32>(0)
            .unwrap_err()
    };
    for layer in [LayerConfig::from(Add {}), Concat {}.into()] {
        let error = two(Shape::timed([2, 4, 5]), layer.clone());
        assert_eq!(error.kind(), ErrorKind::Shape);
        let text = error.to_string();
        assert!(text.contains("[N, T, 2, 4, 4]") && text.contains("[N, T, 2, 4, 5]"), "{text}");
        assert_eq!(two(Shape::once([2, 4, 4]), layer.clone()).kind(), ErrorKind::Shape);
        let one = NetworkConfig::sequential([4]).then(layer).build::<f32>(0).unwrap_err();
        assert_eq!(one.kind(), ErrorKind::Config);
    }
    let alone = |layer: LayerConfig| net(&[2, 4, 4], layer).build::<f32>(0).unwrap_err();
    let padded = MaxPool { padding: 2.into(), ..MaxPool::new(3) };
    assert_eq!(alone(padded.into()).kind(), ErrorKind::Config);
    let large = alone(AvgPool::new([4, 5]).into()).to_string();
    assert!(large.contains("[N, T, 2, 4, 4]") && large.contains("[4, 5]"), "{large}");
    assert_eq!(alone(Embedding::new(3, 3).into()).kind(), ErrorKind::Shape);
    for p in [1.0, -0.1, f64::NAN] {
        assert_eq!(alone(Dropout::new(p).into()).kind(), ErrorKind::Config);
    }
}

#[test]
fn dropout_drops_its_share_and_keeps_the_mean() {
    let network = net(&[50], Dropout::new(0.3).into()).build::<f64>(5).unwrap();
    let ones = ndarray::ArrayD::from_elem(ndarray::IxDyn(&[4, 100, 50]), 1.0);
    let run = |step| {
        let inputs = Inputs::of("x", ones.view());
        network.forward(&inputs, Mode::train(step), &mut Workspace::new()).unwrap().into_output()
    };
    let y = run(1);
    let dropped = y.iter().filter(|&&y| y == 0.0).count() as f64 / y.len() as f64;
    // Six standard deviations of 20000 draws.
    assert!((dropped - 0.3).abs() < 0.02, "{dropped}");
    assert!(y.iter().all(|&y| y == 0.0 || y == 1.0 / 0.7));
    assert_eq!(y, run(1));
    assert_ne!(y, run(2));
    let halves = y.slice(s![0, .., ..]) != y.slice(s![1, .., ..]);
    assert!(halves, "every sample has its own");
    assert_ne!(y.slice(s![0, 0, ..]), y.slice(s![0, 1, ..]));
    let inputs = Inputs::of("x", ones.view());
    let mut space = Workspace::new();
    assert_eq!(network.forward(&inputs, Mode::eval(), &mut space).unwrap().output(), &ones);
}

#[test]
fn fixed_dropout_drops_the_same_at_all_steps() {
    let layer = Dropout { fixed: true, ..Dropout::new(0.5) };
    let network = net(&[40], layer.into()).build::<f64>(5).unwrap();
    let ones = ndarray::ArrayD::from_elem(ndarray::IxDyn(&[2, 5, 40]), 1.0);
    let inputs = Inputs::of("x", ones.view());
    let y = network.forward(&inputs, Mode::train(1), &mut Workspace::new()).unwrap().into_output();
    for t in 1..5 {
        assert_eq!(y.slice(s![0, t, ..]), y.slice(s![0, 0, ..]));
    }
    assert_ne!(y.slice(s![0, 0, ..]), y.slice(s![1, 0, ..]));
}

#[test]
fn dropout_agrees_with_finite_differences() {
    for fixed in [false, true] {
        let layer = Dropout { fixed, ..Dropout::new(0.4) };
        let mut network = net(&[6], layer.into()).build::<f64>(5).unwrap();
        check_gradients(&mut network, &[("x", random(&[SAMPLES, 4, 6], 2))], None, 1e-7);
    }
}
