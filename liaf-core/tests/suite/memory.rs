//! The memory that networks need: known before it is allocated, and refused if it is too much.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use liaf_core::checkpoint::{CheckpointInfo, LoadOptions};
use liaf_core::graph::{GradientSum, Mode};
use liaf_core::{ErrorKind, Inputs, Limits, Network, NetworkConfig, Workspace, zoo};
use ndarray::{ArrayD, IxDyn};

/// A network whose input is `[2, 8, 8]` (or `[8]`), with these layers.
fn config(shape: &str, layers: &[&str]) -> NetworkConfig {
    let layers: String = layers.iter().map(|layer| format!("[[layers]]\n{layer}\n")).collect();
    NetworkConfig::from_toml(&format!("[inputs.x]\nshape = {shape}\n{layers}")).unwrap()
}

/// Layers of a few weights that each make more than 4 GiB of state or signals.
const BOMBS: &[(&str, &[&str])] = &[
    ("[2, 8, 8]", &["type = 'conv2d'\nchannels = 1\nkernel = 1\npadding = 23000"]),
    ("[2, 8, 8]", &["type = 'conv2d'\nchannels = 2\nkernel = [1, 1]\npadding = [20, 11000000]"]),
    ("[2, 8, 8]", &["type = 'conv2d'\nchannels = 30000000\nkernel = 1\ngroups = 2\nbias = false"]),
    ("[2, 30000, 30000]", &["type = 'avg_pool'\nkernel = 2"]),
    ("[1, 30000, 30000]", &["type = 'max_pool'\nkernel = 1"]),
    ("[1000000000]", &["type = 'neuron'"]),
    ("[1000000000]", &["type = 'activation'\nkind = 'relu'"]),
    (
        "[1, 8, 8]",
        &[
            "type = 'conv2d'\nchannels = 1\nkernel = 1\npadding = 10000",
            "type = 'conv2d'\nchannels = 1\nkernel = 1",
            "type = 'neuron'",
        ],
    ),
];

#[test]
fn a_network_that_needs_too_much_is_refused_before_anything_is_allocated() {
    for (shape, layers) in BOMBS {
        let config = config(shape, layers);
        let begun = Instant::now();
        let estimate = config.step_estimate::<f32>().unwrap();
        assert!(estimate.total() > 4 << 30, "{layers:?}: {estimate:?}");
        assert_eq!(estimate.check(Limits::default().memory).unwrap_err().kind(), ErrorKind::Limit);
        // Weights of a file are as large as the file: here they would be made.
        if estimate.weights < 1 << 20 {
            let network = config.build::<f32>(1).unwrap();
            assert_eq!(network.step_estimate(), estimate);
            if shape.len() < 12 {
                let frame = vec![0.0; network.input_shapes().next().unwrap().1.len()];
                let error = network.step(&[("x", &frame)], &mut network.state()).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
                let (text, bytes) = (error.to_string(), estimate.total().to_string());
                assert!(text.contains(&bytes) && text.contains("4294967296"), "{text}");
            }
            // A batch of them is refused as well, by its own limit.
            assert!(network.memory_estimate(64, 100, true).total() > 32 << 30);
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{layers:?}");
    }
}

#[test]
fn estimates_do_not_overflow() {
    let network = config("[2, 8, 8]", &["type = 'neuron'"]).build::<f64>(1).unwrap();
    for (samples, steps) in [(1, usize::MAX), (3, usize::MAX / 2), (2, 1 << 62)] {
        let estimate = network.memory_estimate(samples, steps, true);
        assert_eq!(estimate.total(), u64::MAX, "{samples} {steps}");
        assert_eq!(estimate.check(u64::MAX).unwrap_err().kind(), ErrorKind::System);
    }
}

#[test]
fn a_pass_above_the_limit_of_its_workspace_is_refused() {
    let network = config("[2, 8, 8]", &["type = 'neuron'"]).build::<f32>(1).unwrap();
    let x = ArrayD::<f32>::zeros(IxDyn(&[2, 5, 2, 8, 8]));
    let estimate = network.memory_estimate(2, 5, false).total();
    let run = |limit| {
        let mut space = Workspace::new().limited(limit);
        network.forward(&Inputs::of("x", x.view()), Mode::eval(), &mut space).map(|_| ())
    };
    run(estimate).unwrap();
    let error = run(estimate - 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains(&format!("{estimate} bytes")), "{error}");
    let carried = network.carry(1 << 40).unwrap_err();
    assert_eq!(carried.kind(), ErrorKind::Limit);
}

/// The estimate of a pass is at least what the pass allocates, and not far above it.
#[track_caller]
fn estimate_fits(name: &str, network: &Network<f32>, samples: usize, steps: usize) {
    let mut axes = vec![samples, steps];
    axes.extend(&network.input_shapes().next().unwrap().1.item);
    let input = network.input_shapes().next().unwrap().0.to_owned();
    let x = ArrayD::from_shape_fn(IxDyn(&axes), |at| ((at[0] + 3 * at[1] + at[2]) % 4) as f32);
    let mut space = Workspace::new();
    let given = Inputs::of(&input, x.view());
    network.forward(&given, Mode::eval(), &mut space).unwrap();
    let (eval, used) = (network.memory_estimate(samples, steps, false), space.bytes() as u64);
    assert!(eval.signals + eval.working >= used, "{name}: {eval:?} for {used}");
    assert!(eval.signals + eval.working < 3 * used + (8 << 20), "{name}: {eval:?} for {used}");

    let mut space = Workspace::new();
    let mut pass = network.forward(&given, Mode::train(0), &mut space).unwrap();
    let gradient = ArrayD::ones(pass.output().raw_dim());
    pass.backward(gradient.view(), &mut GradientSum::new(network)).unwrap();
    let (train, used) = (network.memory_estimate(samples, steps, true), space.bytes() as u64);
    assert!(train.signals + train.working >= used, "{name}: {train:?} for {used}");
}

#[test]
fn the_estimate_is_at_least_what_a_pass_allocates() {
    let layers = [
        "type = 'conv2d'\nchannels = 3\nkernel = 3\npadding = 1",
        "type = 'conv3d'\nchannels = 3\nkernel = 3\ndepth = 3\npadding = 1",
        "type = 'max_pool'\nkernel = 2",
        "type = 'avg_pool'\nkernel = 2",
        "type = 'neuron'",
        "type = 'neuron'\noutput = 'spike'",
        "type = 'batch_norm'",
        "type = 'layer_norm'",
        "type = 'conv_lstm'\nchannels = 3\nkernel = 3",
        "type = 'spatial_mean'",
        "type = 'aggregate'",
        "type = 'flatten'",
    ];
    for layer in layers {
        let network = config("[2, 16, 16]", &[layer]).build::<f32>(1).unwrap();
        estimate_fits(layer, &network, 3, 7);
    }
    for layer in [
        "type = 'dense'\nunits = 9",
        "type = 'lstm'\nunits = 9",
        "type = 'gru'\nunits = 9",
        "type = 'rnn'\nunits = 9",
    ] {
        let network = config("[24]", &[layer]).build::<f32>(1).unwrap();
        estimate_fits(layer, &network, 3, 7);
    }
    for name in ["gesture-a", "gesture-a-lif", "gesture-a-convlstm"] {
        let network =
            zoo::network(name, &zoo::Options::default()).unwrap().build::<f32>(1).unwrap();
        let estimate = network.memory_estimate(1, 2, false);
        assert!(estimate.total() > 0, "{name}");
    }
}

/// A file of `bytes` bytes that takes no space, with this beginning.
fn sparse(folder: &std::path::Path, name: &str, begin: &[u8], bytes: u64) -> std::path::PathBuf {
    let path = folder.join(name);
    let mut file = File::create(&path).unwrap();
    file.write_all(begin).unwrap();
    file.set_len(bytes).unwrap();
    path
}

#[test]
fn files_that_are_too_large_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let header = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let size = 8u64 << 30;
    let text = |end: u64| {
        format!("{{\"a\":{{\"dtype\":\"U8\",\"shape\":[{end}],\"data_offsets\":[0,{end}]}}}}")
    };
    let whole = header(&text(size));
    let fits = header(&text(size - whole.len() as u64));
    let cases: [(&str, &[u8], ErrorKind); 5] = [
        ("zeros", b"", ErrorKind::Checkpoint),
        ("short", &header("{}"), ErrorKind::Checkpoint),
        ("other", &whole, ErrorKind::Checkpoint),
        ("header", &(4u64 << 30).to_le_bytes(), ErrorKind::Checkpoint),
        ("whole", &fits, ErrorKind::Limit),
    ];
    let begun = Instant::now();
    for (name, begin, kind) in cases {
        let path = sparse(folder.path(), name, begin, size);
        let error = CheckpointInfo::read(&path).unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.to_string().contains(name), "{error}");
        if kind != ErrorKind::Limit {
            let mut network =
                config("[8]", &["type = 'dense'\nunits = 1"]).build::<f32>(1).unwrap();
            assert!(network.load_weights(&path, &LoadOptions::default()).is_err());
        }
    }
    for name in ["a.toml", "a.json"] {
        let path = sparse(folder.path(), name, b"{ ", size);
        let error = NetworkConfig::read(path, &Limits::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
    let small = Limits { config_bytes: 10, ..Limits::default() };
    let path = folder.path().join("b.toml");
    std::fs::write(&path, "layers = []").unwrap();
    assert_eq!(NetworkConfig::read(&path, &small).unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(
        NetworkConfig::read(&path, &Limits::default()).unwrap_err().kind(),
        ErrorKind::Config
    );
}
