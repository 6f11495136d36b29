//! `liaf cost` as a user meets it.

use std::process::Output;

use serde_json::Value;

fn liaf(args: &[&str]) -> Output {
    crate::common::liaf(&[&["cost"], args].concat())
}

#[track_caller]
fn out(args: &[&str]) -> String {
    crate::common::printed(liaf(args))
}

#[track_caller]
fn refused(args: &[&str], code: i32, says: &str) {
    let output = liaf(args);
    crate::common::refused(&output, code, &[says]);
    assert!(output.stdout.is_empty());
}

#[test]
fn a_network_of_the_zoo_is_counted_layer_by_layer() {
    let table = out(&["gesture-a"]);
    assert!(table.contains("60 steps"), "{table}");
    let line = table.lines().find(|line| line.starts_with("total")).unwrap();
    for number in ["2,322,304", "2,322,891", "116,525,824", "6,991,549,440"] {
        assert!(line.contains(number), "{number} is not in {line}");
    }
    assert!(table.lines().any(|line| line.starts_with("conv2 ") && line.contains("128×32×32")));
    assert!(out(&["--help"]).contains("Examples:"));
}

#[test]
fn several_networks_are_compared() {
    let table = out(&["babi", "babi-rnn", "babi-gru", "babi-lstm", "--steps", "10"]);
    let weights: Vec<_> =
        table.lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(weights.len(), 5);
    assert_eq!(weights[0], "weights");
}

#[test]
fn the_notebook_s_totals_are_the_notebook_s() {
    let line = out(&["liaf-resnet-18-lif", "--rule", "es-notebook", "--json"]);
    let value: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["network"], "liaf-resnet-18-lif");
    assert_eq!(value["total"]["additions"], 12_668_145_664_u64);
    assert_eq!(value["total"]["multiplications"], 268_636_160);
    assert_eq!(value["rule"], "es-notebook");
}

#[test]
fn files_are_read_and_rates_make_additions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.toml");
    let text = "[inputs.x]\nshape = [4]\n[[layers]]\ntype = 'dense'\nunits = 8\n\
                [[layers]]\ntype = 'neuron'\noutput = 'spike'\n[[layers]]\ntype = 'dense'\nunits = 2\n";
    std::fs::write(&path, text).unwrap();
    let name = path.to_str().unwrap();
    let line = out(&[name, "--steps", "5", "--rate", "0.25", "--json"]);
    let value: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["total"]["macs"], 5 * (32 + 16));
    assert_eq!(value["layers"][2]["event"]["additions"], 5 * 16 / 4);
    assert_eq!(value["layers"][2]["event"]["multiplications"], 0);
    std::fs::write(&path, text.replace("units = 2", "unit = 2")).unwrap();
    refused(&[name], 1, "net.toml");
}

#[test]
fn experiments_and_runs_are_counted_without_their_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let text = "data = { type = 'dataset', name = 'folder', size = '32x32', steps = 20 }\n\
                [network]\nname = 'gesture-a'\n";
    std::fs::write(path("e.toml"), text).unwrap();
    let of = |args: &[&str]| serde_json::from_str::<Value>(&out(args)).unwrap();
    let experiment = of(&[&path("e.toml"), "--json"]);
    assert_eq!(experiment["total"], of(&["gesture-a", "--steps", "20", "--json"])["total"]);
    assert_eq!(experiment["steps"], 20);
    // 4 bytes each of parameters, state and the output of a step, layer by layer.
    for layer in experiment["layers"].as_array().unwrap() {
        let number = |key: &str| layer[key].as_u64().unwrap();
        let item = layer["shape"]["item"].as_array().unwrap().iter();
        let output: u64 = item.map(|length| length.as_u64().unwrap()).product();
        assert_eq!(number("memory"), 4 * (number("parameters") + number("state") + output));
    }
    let simulation = "data = { type = 'simulation', set = 'shapes', size = '16x16', window = '20ms', \
        train = 4, test = 2 }\n[network]\ninputs.frames.shape = [2, 16, 16]\nlayers = [\
        { type = 'flatten' }, { type = 'dense', units = 5 }, { type = 'aggregate' }]\n\
        [recipe]\nepochs = 1\nbatch = 4\n";
    std::fs::write(path("s.toml"), simulation).unwrap();
    let classes = crate::common::liaf(&["train", &path("s.toml"), "-o", &path("run"), "-q"]);
    let run = match classes.status.success() {
        true => of(&[&path("run"), "--json"]),
        false => panic!("{}", String::from_utf8_lossy(&classes.stderr)),
    };
    assert_eq!(run["total"]["weights"], 5 * 2 * 16 * 16);
    refused(&[folder.path().to_str().unwrap()], 1, "no checkpoints");
    std::fs::write(path("bad.toml"), text.replace("gesture-a", "gesture-z")).unwrap();
    refused(&[&path("bad.toml")], 1, "bad.toml:3");
}

#[test]
fn what_cannot_be_counted_is_refused() {
    refused(&["gesture-z"], 1, "gesture-a");
    refused(&["missing.toml"], 1, "missing.toml");
    refused(&["babi", "--steps", "0"], 2, "step");
    refused(&["babi", "--rate", "1.5"], 2, "rate");
    refused(&["babi", "--rate", "0.5", "--rule", "es-notebook"], 2, "--rule");
    refused(&[], 2, "NETWORK");
}
