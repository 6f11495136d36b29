//! Every file of the folder `experiments` is an experiment that can be run.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use liaf::Experiment;
use liaf::core::cost::CountRule;
use liaf::core::rng::Key;
use liaf::core::{NetworkConfig, Shape, zoo};
use liaf::experiment::Event;
use liaf::samples::{Collated, Examples, Input};
use ndarray::{ArrayD, IxDyn};
use toml::Table;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("experiments")
}

fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, all);
        } else if path.extension().is_some_and(|end| end == "toml") {
            all.push(path);
        }
    }
}

fn all() -> Vec<(PathBuf, Table)> {
    let mut paths = Vec::new();
    files(&folder(), &mut paths);
    paths.sort();
    assert!(paths.len() > 60, "{} files", paths.len());
    let parse = |path: &PathBuf| fs::read_to_string(path).unwrap().parse().unwrap();
    paths.into_iter().map(|path| (path.clone(), parse(&path))).collect()
}

/// The network of a file, for its own frames and classes, and the number of its steps.
fn network(file: &Table) -> (NetworkConfig, usize) {
    let (data, network) = (file["data"].as_table().unwrap(), file["network"].as_table().unwrap());
    let number = |key: &str| data.get(key).and_then(toml::Value::as_integer).map(|n| n as usize);
    let Some(name) = network.get("name").map(|name| name.as_str().unwrap()) else {
        let config = NetworkConfig::from_toml(&toml::to_string(network).unwrap()).unwrap();
        return (config, number("steps").or(number("bins")).unwrap_or(10));
    };
    let (entry, _) = zoo::find(name).unwrap();
    // Frames of simulated recordings may be smaller than their sensor.
    let size = data.get("resize").or(data.get("size")).map(|size| {
        let (width, height) = size.as_str().unwrap().split_once('x').unwrap();
        assert_eq!(width, height);
        width.parse().unwrap()
    });
    // Frames of the published sets have 128x128 pixels if they are not scaled down.
    let size = size.or((entry.size > 0).then_some(128));
    let classes = (entry.size > 0).then_some(if name.starts_with("gesture") { 11 } else { 10 });
    let options = zoo::Options { size, classes, ..zoo::Options::default() };
    let steps = number("steps").or(number("bins")).unwrap_or(entry.steps);
    (zoo::network(name, &options).unwrap(), steps)
}

/// Random samples for the inputs of a network.
struct Noise {
    inputs: Vec<Input>,
    labels: Vec<usize>,
    classes: Vec<String>,
}

impl Noise {
    fn of(config: &NetworkConfig, classes: usize, steps: usize) -> Self {
        let inputs = config.inputs.iter().map(|(name, input)| Input {
            name: name.clone(),
            shape: Shape::timed(input.shape.clone()),
            steps,
        });
        let classes: Vec<String> = (0..classes).map(|class| class.to_string()).collect();
        Self { inputs: inputs.collect(), labels: vec![1, 2, 1, 2], classes }
    }
}

impl Examples for Noise {
    fn labels(&self) -> &[usize] {
        &self.labels
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn inputs(&self) -> Vec<Input> {
        self.inputs.clone()
    }

    fn steps(&self, _number: usize) -> usize {
        self.inputs[0].steps
    }

    fn collate(&self, numbers: &[usize]) -> liaf::Result<Collated> {
        let labels = numbers.iter().map(|&number| self.labels[number]).collect();
        let batch = self.inputs.iter().fold(Collated::new(labels), |batch, input| {
            let axes = [&[numbers.len(), input.steps][..], &input.shape.item].concat();
            let len: usize = axes.iter().product();
            // Small whole numbers are counts as well as tokens.
            let cells = (0..len as u64).map(|i| (Key::new(3).bits(i) % 4) as f32).collect();
            batch.with(&input.name, ArrayD::from_shape_vec(IxDyn(&axes), cells).unwrap(), None)
        });
        Ok(batch)
    }
}

#[test]
fn every_file_loads_builds_costs_and_takes_a_step() {
    for (path, file) in all() {
        let (config, steps) = network(&file);
        let name = path.display();
        let cost = config.cost(steps, CountRule::Textbook).unwrap();
        assert!(cost.total().weights > 1_000 && cost.total().macs > 10_000, "{name}");
        let outputs = config.resolve().unwrap().last().unwrap().shape.len();
        // One step of two samples, of a network of the zoo at an eighth of its width.
        let mut set = vec![("recipe.batch", "2"), ("recipe.epochs", "1"), ("recipe.seed", "5")];
        if file["network"].get("name").is_some() {
            set.push(("network.width", "0.125"));
        }
        let set = set.iter().map(|&(key, value)| (key.into(), value.into())).collect();
        let experiment = Experiment::read_with(&path, set).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(experiment.name(), file["name"].as_str().unwrap(), "{name}");
        let noise = Arc::new(Noise::of(&config, outputs, steps.min(2)));
        let mut losses = Vec::new();
        let mut first = |event: Event<'_>| match event {
            Event::Step { record, .. } => {
                losses.push(record.loss);
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        };
        let outcome = experiment.data(noise.clone(), noise).run(&mut first);
        let outcome = outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            outcome.stopped && losses.len() == 1 && losses[0].is_finite(),
            "{name}: {losses:?}"
        );
    }
}

#[test]
fn rivals_of_measured_tables_have_about_as_many_weights() {
    let all = all();
    let weights = |path: &Path| {
        let (config, steps) = Experiment::read(path).unwrap().network().unwrap();
        config.cost(steps, CountRule::Textbook).unwrap().total().weights as f64
    };
    let mut rivals = 0;
    for name in ["digits", "motions", "objects"] {
        let named = |file: &Table| file["name"].as_str() == Some(name);
        let own = weights(&all.iter().find(|(_, file)| named(file)).unwrap().0);
        for (path, _) in &all {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let rival = stem.strip_prefix(name).unwrap_or_default();
            if ["-gru", "-lstm", "-convlstm", "-conv3d"].contains(&rival) {
                let ratio = weights(path) / own;
                assert!((0.97..1.03).contains(&ratio), "{stem}: {ratio}");
                rivals += 1;
            }
        }
    }
    assert_eq!(rivals, 11);
}

#[test]
fn steps_and_sizes_are_known_without_the_data() {
    for (file, steps, side) in [
        ("demo", 10, 32),
        ("digits/digits", 10, 40),
        ("motions/motions", 20, 32),
        ("objects/objects", 10, 32),
        ("static-mnist/static-mnist", 10, 28),
    ] {
        let path = folder().join(file).with_extension("toml");
        let (config, found) = Experiment::read(&path).unwrap().network().unwrap();
        assert_eq!((found, config.inputs["frames"].shape[1]), (steps, side), "{file}");
    }
}

#[test]
fn twins_have_the_data_and_the_recipe_of_their_network() {
    let all = all();
    let of = |path: &Path| all.iter().find(|(own, _)| own == path).map(|(_, file)| file);
    let mut twins = 0;
    for (path, file) in &all {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let suffix = zoo::Kind::ALL.into_iter().map(zoo::Kind::suffix);
        let base = suffix.filter(|s| !s.is_empty()).find_map(|suffix| stem.strip_suffix(suffix));
        let Some(base) = base else { continue };
        let base = of(&path.with_file_name(format!("{base}.toml"))).expect("the network of a twin");
        for table in ["data", "recipe"] {
            assert_eq!(file[table], base[table], "{}: another {table}", path.display());
        }
        assert_ne!(file["network"], base["network"]);
        twins += 1;
    }
    assert!(twins > 50, "{twins}");
}
