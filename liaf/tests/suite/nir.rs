//! NIR files against the packages of others: ours run there, theirs run here, spike for spike.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use liaf::core::activation::Activation;
use liaf::core::graph::Inputs;
use liaf::core::layer::{
    Add, Aggregate, AggregateKind, AvgPool, BatchNorm, Conv2d, Dense, Dropout, Flatten, LayerConfig,
};
use liaf::core::neuron::{Constant, Neuron, Output, Sharing};
use liaf::core::rng::Key;
use liaf::core::{Mode, Workspace};
use liaf::{ErrorKind, Network, NetworkConfig, nir};
use ndarray::{ArrayD, Axis, IxDyn};
use serde_json::Value;

/// A Python with these packages: `LIAF_PYTHON`, or the one in the workspace's `.venv`.
fn python(modules: &str) -> Option<PathBuf> {
    let python = std::env::var_os("LIAF_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin/python"),
        PathBuf::from,
    );
    let has = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    if has.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    assert!(std::env::var("LIAF_REQUIRE_NIR_JUDGES").as_deref() != Ok("1"), "no judge: {modules}");
    eprintln!("skipped: {} lacks one of {modules}", python.display());
    None
}

fn judge(python: &Path, args: &[&str], stdin: &str) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/nir_spikes.py");
    let mut command = Command::new(python);
    command.arg(script).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}\n{err}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn flat(value: &Value, into: &mut Vec<f32>) {
    match value {
        Value::Array(all) => all.iter().for_each(|value| flat(value, into)),
        number => into.push(number.as_f64().unwrap() as f32),
    }
}

fn nested(x: &ArrayD<f32>) -> Value {
    if x.ndim() == 0 {
        return Value::from(f64::from(x[IxDyn(&[])]));
    }
    x.axis_iter(Axis(0)).map(|part| nested(&part.to_owned().into_dyn())).collect()
}

fn run(network: &Network<f32>, x: &ArrayD<f32>) -> ArrayD<f32> {
    let name = network.input_shapes().next().unwrap().0.to_owned();
    let batch = x.clone().insert_axis(Axis(0));
    let inputs = Inputs::of(&name, batch.view());
    let y = network.forward(&inputs, Mode::eval(), &mut Workspace::new()).unwrap().into_output();
    y.index_axis(Axis(0), 0).to_owned()
}

/// Frames of zeros and ones, `[T, item…]`.
fn frames(shape: &[usize]) -> ArrayD<f32> {
    let key = Key::new(3);
    let count: usize = shape.iter().product();
    let bits = (0..count).map(|i| f32::from(u8::from(key.uniform(i as u64) < 0.4)));
    ArrayD::from_shape_vec(IxDyn(shape), bits.collect()).unwrap()
}

fn lif(alpha: f64, threshold: f64) -> Neuron {
    Neuron { alpha: alpha.into(), threshold: threshold.into(), ..Neuron::lif() }
}

fn dense() -> NetworkConfig {
    NetworkConfig::sequential([6])
        .node("fc1", &[], Dense::new(10))
        .node("lif1", &[], lif(0.7, 0.4))
        .node("drop", &[], Dropout::new(0.5))
        .node("fc2", &[], Dense { bias: false, ..Dense::new(4) })
        .node("lif2", &[], lif(0.3, 0.2))
}

fn conv() -> NetworkConfig {
    NetworkConfig::sequential([2, 8, 8])
        .node("conv1", &[], Conv2d::new(4, 3).padding(1))
        .node("lif1", &[], lif(0.3, 0.5))
        .node("pool", &[], AvgPool::new(2))
        .node("flatten", &[], Flatten {})
        .node("fc", &[], Dense::new(5))
        .node("lif2", &[], lif(0.5, 0.3))
}

/// Seeds whose networks spike.
fn spiking(config: &NetworkConfig, x: &ArrayD<f32>) -> Network<f32> {
    let rate = |network: &Network<f32>| run(network, x).mean().unwrap();
    let networks = (0..50).map(|seed| config.build::<f32>(seed).unwrap());
    networks.into_iter().find(|network| (0.1..0.9).contains(&rate(network))).unwrap()
}

#[test]
fn ours_spike_alike_in_snntorch_and_norse() {
    let Some(python) = python("nir, torch, snntorch, norse") else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, config, shape) in
        [("dense", dense(), vec![20, 6]), ("conv", conv(), vec![20, 2, 8, 8])]
    {
        let x = frames(&shape);
        let network = spiking(&config, &x);
        let ours = run(&network, &x).into_raw_vec_and_offset().0;
        // The importer of Norse knows no AvgPool2d.
        let packages: &[&str] = if name == "conv" { &["snntorch"] } else { &["snntorch", "norse"] };
        for package in packages {
            let path = folder.path().join(format!("{name}.nir"));
            nir::write(&network, &path, nir::DT).unwrap();
            let file = path.to_str().unwrap();
            let args = ["run", package, file, "1e-4"];
            let mut theirs = Vec::new();
            flat(&judge(&python, &args, &nested(&x).to_string()), &mut theirs);
            assert_eq!(ours, theirs, "{name} in {package}");
        }
    }
}

#[test]
fn theirs_spike_alike_here() {
    let Some(python) = python("nir, torch, snntorch, norse") else { return };
    let folder = tempfile::tempdir().unwrap();
    for (package, dt) in [("snntorch", nir::DT), ("norse", 1e-3)] {
        let path = folder.path().join(format!("{package}.nir"));
        let made = judge(&python, &["write", package, path.to_str().unwrap()], "");
        let (mut x, mut theirs) = (Vec::new(), Vec::new());
        flat(&made["x"], &mut x);
        flat(&made["y"], &mut theirs);
        let network = nir::read::<f32>(&path, dt).unwrap();
        let x = ArrayD::from_shape_vec(IxDyn(&[20, 6]), x).unwrap();
        assert!(theirs.contains(&1.0) && theirs.contains(&0.0));
        assert_eq!(run(&network, &x).into_raw_vec_and_offset().0, theirs, "{package}");
    }
}

#[test]
fn a_network_comes_back_as_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nir");
    let mixed = NetworkConfig::sequential([6])
        .node("a", &[], Dense::new(5))
        .node("b", &["input"], Dense::new(5))
        .node("sum", &["a", "b"], Add {})
        .node(
            "lif",
            &[],
            Neuron {
                alpha: Constant::learned(0.6).per(Sharing::Neuron),
                beta: 0.05.into(),
                ..lif(0.0, 0.3)
            },
        )
        .node("fc", &[], Dense::new(3))
        .node("if", &[], lif(1.0, 0.8))
        .node("out", &[], Dense::new(2))
        .node(
            "li",
            &[],
            Neuron { output: Output::Membrane, alpha: 0.9.into(), ..Neuron::default() },
        )
        .node("mean", &[], Aggregate::new(AggregateKind::Mean));
    let mixed = NetworkConfig { output: Some("li".into()), ..mixed };
    for (config, shape) in
        [(dense(), vec![20, 6]), (conv(), vec![20, 2, 8, 8]), (mixed, vec![20, 6])]
    {
        let x = frames(&shape);
        let mut network = config.build::<f32>(2).unwrap();
        if let Some(alpha) = network.params_mut().iter_mut().find(|p| p.name == "lif.alpha_logit") {
            alpha.data.iter_mut().enumerate().for_each(|(i, w)| *w += 0.3 * i as f32);
        }
        nir::write(&network, &path, 1e-3).unwrap();
        let back = nir::read::<f32>(&path, 1e-3).unwrap();
        let (a, b) = (run(&network, &x), run(&back, &x));
        assert_eq!(a.shape(), b.shape());
        let off = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-5, "{off}");
    }
}

#[test]
fn what_has_no_form_in_nir_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nir");
    let refuse = |layer: LayerConfig| {
        let config = NetworkConfig::sequential([6]).node("fc", &[], Dense::new(4));
        let network = config.node("last", &[], layer).build::<f32>(0).unwrap();
        let error = nir::write(&network, &path, nir::DT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(!path.exists());
        error.to_string()
    };
    let analog = refuse(Neuron::liaf(Activation::Relu).into());
    assert!(analog.contains("layer last") && analog.contains("docs/nir.md"), "{analog}");
    assert!(refuse(Aggregate::new(AggregateKind::Mean).into()).contains("aggregation over time"));
    // A norm inside changes every potential; a file without it would be another network.
    let normed = refuse(Neuron { norm: Some(BatchNorm::default()), ..lif(0.5, 0.5) }.into());
    assert!(normed.contains("layer last") && normed.contains("norm inside"), "{normed}");
    let leaky = Neuron { output: Output::Membrane, ..lif(0.5, 0.5) };
    refuse(Neuron { norm: Some(BatchNorm::default()), ..leaky }.into());
    refuse(BatchNorm::default().into());
    assert!(refuse(Neuron { beta: 0.1.into(), ..lif(1.0, 0.5) }.into()).contains("alpha"));
}

#[test]
fn damaged_and_foreign_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nir");
    let network = dense().build::<f32>(0).unwrap();
    nir::write(&network, &path, nir::DT).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(nir::read::<f32>(folder.path().join("none.nir"), nir::DT).is_err());
    for cut in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let error = nir::read::<f32>(&path, nir::DT).unwrap_err();
        assert!(error.to_string().contains("a.nir"), "{error}");
    }
    assert!(nir::write(&network, &path, 0.0).is_err());
    // A step longer than the time constants has no neuron.
    nir::write(&network, &path, nir::DT).unwrap();
    assert!(nir::read::<f32>(&path, 1.0).unwrap_err().to_string().contains("tau"));
}
