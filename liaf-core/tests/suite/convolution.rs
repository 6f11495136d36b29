//! Convolutions against PyTorch, finite differences and themselves step by step.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::reference::Reference;
use crate::common::{check_gradients, random};
use liaf_core::graph::Inputs;
use liaf_core::layer::{Conv2d, Conv3d, ConvLstm, LayerConfig};
use liaf_core::{ErrorKind, Mode, NetworkConfig, Workspace};
use ndarray::s;

/// Like the files of `fixtures/reference/convolution.py`: kind, item of the input, layer.
fn layers() -> Vec<(&'static str, [usize; 3], LayerConfig)> {
    let groups = Conv2d { groups: 2, ..Conv2d::new(6, 3).padding(2) };
    let depthwise = Conv2d { groups: 3, bias: false, ..Conv2d::new(3, 3).padding(1) };
    let dilated = Conv2d { dilation: [3, 2].into(), ..Conv2d::new(2, [2, 3]).padding(1) };
    vec![
        ("conv2d_same", [2, 5, 4], Conv2d::new(3, 3).padding(1).into()),
        ("conv2d_stride", [3, 8, 7], Conv2d::new(4, [5, 3]).stride([2, 3]).padding([2, 0]).into()),
        ("conv2d_groups", [4, 5, 5], groups.into()),
        ("conv2d_depthwise", [3, 5, 5], depthwise.into()),
        ("conv2d_dilated", [2, 7, 9], dilated.into()),
        ("conv2d_point", [3, 4, 3], Conv2d::new(2, 1).into()),
        ("conv2d_point_stride", [3, 5, 4], Conv2d::new(2, 1).stride(2).into()),
    ]
}

/// Layers that see several steps.
fn over_time() -> Vec<(&'static str, [usize; 3], LayerConfig)> {
    let valid = Conv3d { time_padding: Some(0), bias: false, ..Conv3d::new(2, 2, 3) };
    let stride = Conv3d { stride: 2.into(), groups: 2, ..Conv3d::new(4, 5, [3, 1]) };
    vec![
        ("conv3d_same", [2, 4, 5], Conv3d::new(3, 3, 3).padding(1).into()),
        ("conv3d_valid", [2, 6, 5], valid.into()),
        ("conv3d_stride", [4, 6, 5], stride.padding([1, 0]).into()),
        ("conv_lstm", [2, 4, 5], ConvLstm::new(3, 3).into()),
        ("conv_lstm_wide", [1, 5, 4], ConvLstm { bias: false, ..ConvLstm::new(2, [3, 5]) }.into()),
    ]
}

fn net(item: [usize; 3], layer: LayerConfig) -> NetworkConfig {
    let shape = liaf_core::Shape::timed(item);
    NetworkConfig::default().input("x", shape).node("layer", &[], layer)
}

#[test]
fn outputs_and_gradients_are_those_of_pytorch() {
    for (name, item, layer) in layers().into_iter().chain(over_time()) {
        let reference = Reference::load(name);
        let mut network = net(item, layer).build(0).unwrap();
        reference.compare(&mut network, Mode::train(0), 1e-10);
        reference.compare(&mut network, Mode::train(0).plain(), 1e-10);
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    let lengths = [3, 2];
    for (_, item, layer) in layers().into_iter().chain(over_time()) {
        let mut network = net(item, layer).build::<f64>(1).unwrap();
        let batch = [("x", random(&[2, 3, item[0], item[1], item[2]], 2))];
        check_gradients(&mut network, &batch, Some(&lengths), 1e-6);
    }
}

#[test]
fn step_by_step_gives_the_numbers_of_the_sequence() {
    let lstms = over_time().into_iter().filter(|(name, ..)| name.contains("lstm"));
    for (name, item, layer) in layers().into_iter().chain(lstms) {
        let network = net(item, layer).build::<f32>(3).unwrap();
        let frames = random::<f32>(&[1, 4, item[0], item[1], item[2]], 8);
        let mode = Mode::eval().plain();
        let inputs = Inputs::of("x", frames.view());
        let whole = network.forward(&inputs, mode, &mut Workspace::new()).unwrap().into_output();
        let mut state = network.state().plain();
        for t in 0..4 {
            let frame: Vec<_> = frames.slice(s![0, t, .., .., ..]).iter().copied().collect();
            let step = network.step(&[("x", &frame)], &mut state).unwrap().to_vec();
            let expected: Vec<_> = whole.slice(s![0, t, .., .., ..]).iter().copied().collect();
            assert_eq!(step, expected, "{name} after frame {t}");
        }
    }
}

#[test]
fn numbers_and_pairs_are_read_and_written() {
    let text = "[inputs.x]\nshape = [2, 9, 9]\n[[layers]]\ntype = 'conv2d'\nchannels = 4\n\
                kernel = 3\nstride = [1, 2]\n";
    let config = NetworkConfig::from_toml(text).unwrap();
    assert_eq!(config.layers[0].layer, Conv2d::new(4, 3).stride([1, 2]).into());
    assert_eq!(config.resolve().unwrap()[1].shape.item, [4, 7, 4]);
    assert_eq!(NetworkConfig::from_json(&config.to_json().unwrap()).unwrap(), config);
}

#[test]
fn what_cannot_be_a_convolution_is_refused() {
    let refuse = |layer: Conv2d| {
        let config = NetworkConfig::sequential([4, 5, 6]).node("c", &[], layer);
        let error = config.build::<f32>(0).unwrap_err();
        (error.kind(), error.to_string())
    };
    let (kind, text) = refuse(Conv2d::new(3, [3, 9]).padding(1));
    assert_eq!(kind, ErrorKind::Shape);
    assert!(text.contains("layer c") && text.contains("[N, T, 4, 5, 6]"), "{text}");
    assert!(text.contains("[3, 9]"), "{text}");
    for wrong in [
        Conv2d::new(0, 3),
        Conv2d::new(3, 0),
        Conv2d::new(3, 3).stride(0),
        Conv2d { dilation: [0, 1].into(), ..Conv2d::new(3, 3) },
        Conv2d { groups: 0, ..Conv2d::new(3, 3) },
        Conv2d { groups: 3, ..Conv2d::new(3, 3) },
        Conv2d { groups: 2, ..Conv2d::new(3, 3) },
        Conv2d::new(usize::MAX, 3),
        Conv2d::new(3, 3).padding(usize::MAX / 2),
        Conv2d::new(3, 3).padding(usize::MAX / 128),
        Conv2d::new(3, 3).stride(usize::MAX),
    ] {
        let text = format!("{wrong:?}");
        assert_eq!(refuse(wrong).0, ErrorKind::Config, "{text}");
    }
    let vector = NetworkConfig::sequential([4]).then(Conv2d::new(3, 3));
    assert_eq!(vector.build::<f32>(0).unwrap_err().kind(), ErrorKind::Shape);
}

#[test]
fn a_window_of_steps_looks_ahead_and_needs_its_steps() {
    let layer = Conv3d { time_padding: Some(1), ..Conv3d::new(2, 6, 1) };
    let network = net([1, 2, 2], layer.into()).build::<f32>(0).unwrap();
    let run = |steps| {
        let frames = random::<f32>(&[1, steps, 1, 2, 2], 1);
        let inputs = Inputs::of("x", frames.view());
        let mut space = Workspace::new();
        network.forward(&inputs, Mode::eval(), &mut space).map(|pass| pass.into_output())
    };
    assert_eq!(run(5).unwrap().shape(), [1, 2, 2, 2, 2]);
    let error = run(3).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("layer layer: "), "{error}");
    let error = network.step(&[("x", &[0.0; 4])], &mut network.state()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn what_cannot_see_several_steps_is_refused() {
    let refuse = |shape: liaf_core::Shape, layer: LayerConfig| {
        let config = NetworkConfig::default().input("x", shape).node("layer", &[], layer);
        config.build::<f32>(0).unwrap_err().kind()
    };
    let images = || liaf_core::Shape::timed([2, 4, 4]);
    let still = || liaf_core::Shape::once([2, 4, 4]);
    assert_eq!(refuse(still(), Conv3d::new(2, 3, 3).into()), ErrorKind::Shape);
    assert_eq!(refuse(still(), ConvLstm::new(2, 3).into()), ErrorKind::Shape);
    assert_eq!(refuse(images(), Conv3d::new(2, 3, 5).into()), ErrorKind::Shape);
    let padded = Conv3d { time_padding: Some(3), ..Conv3d::new(2, 3, 3) };
    for wrong in [Conv3d::new(2, 4, 3), Conv3d::new(2, 0, 3), Conv3d::new(0, 3, 3), padded] {
        assert_eq!(refuse(images(), wrong.into()), ErrorKind::Config);
    }
    for wrong in [ConvLstm::new(0, 3), ConvLstm::new(2, 4), ConvLstm::new(usize::MAX, 3)] {
        assert_eq!(refuse(images(), wrong.into()), ErrorKind::Config);
    }
}
