//! Training runs that are described in a file.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use liaf::core::checkpoint::{CheckpointInfo, Series};
use liaf::core::rng::Key;
use liaf::data::tensor::{Container, TensorFileWriter, TensorOptions};
use liaf::experiment::{Event, Outcome, Summary};
use liaf::samples::{Examples, FrameArray};
use liaf::{ErrorKind, Experiment, Network};
use ndarray::Array5;

/// Events that move to the right, or to the left: no single frame tells which.
pub fn moving(samples: usize, seed: u64) -> FrameArray {
    let labels: Vec<usize> = (0..samples).map(|n| n % 2).collect();
    let frames = Array5::from_shape_fn((samples, 6, 2, 6, 6), |(n, t, c, y, x)| {
        let key = Key::new(seed).child(n as u64);
        let start = key.bits(0) as usize % 6;
        let at = if labels[n] == 0 { start + t } else { start + 6 - t } % 6;
        let noise = key.uniform((((t * 2 + c) * 6 + y) * 6 + x) as u64 + 1) < 0.02;
        f32::from(u8::from(x == at && y % 2 == c) | u8::from(noise))
    });
    FrameArray::new(frames, labels, vec!["left".into(), "right".into()]).unwrap()
}

const TEXT: &str = r#"
version = 1
name = "moving"

[network]
inputs.frames.shape = [2, 6, 6]
layers = [
    { type = "conv2d", channels = 4, kernel = 3, padding = 1 },
    { type = "batch_norm" },
    { type = "neuron", alpha = 0.7 },
    { type = "flatten" },
    { type = "dropout", p = 0.1 },
    { type = "rnn", units = 8 },
    { type = "dense", units = 2 },
    { type = "aggregate" },
]

[recipe]
epochs = 4
batch = 5
scale = "rms"
augment = { shift = 1 }
optimizer = { type = "adamw", learning_rate = 0.01 }
schedule = { curve = { type = "cosine", ticks = 8 } }
ema = 0.5
"#;

fn experiment() -> Experiment {
    let (train, test) = (Arc::new(moving(23, 1)), Arc::new(moving(10, 2)));
    Experiment::from_toml(TEXT).unwrap().data(train, test)
}

fn on(_: Event<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

pub fn bits(network: &Network<f32>) -> Vec<u32> {
    let tensors = network.params().iter().chain(network.buffers());
    tensors.flat_map(|tensor| tensor.data.iter().map(|x| x.to_bits())).collect()
}

fn lines(folder: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let mut lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Times are not the same twice.
    lines.iter_mut().filter_map(|line| line.as_object_mut()).for_each(|line| {
        line.remove("seconds");
    });
    lines
}

#[test]
fn a_run_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut epochs = Vec::new();
    let mut watch = |event: Event<'_>| {
        if let Event::Epoch(epoch) = event {
            epochs.push(*epoch);
        }
        ControlFlow::Continue(())
    };
    let outcome = experiment().out(&out).run(&mut watch).unwrap();
    assert_eq!((outcome.stopped, outcome.summary.finished), (false, true));
    assert_eq!((epochs.len(), &epochs), (4, &outcome.epochs));
    assert!(epochs[3].train.loss < epochs[0].train.loss, "{epochs:?}");
    let text = fs::read_to_string(out.join("summary.json")).unwrap();
    let summary: Summary = serde_json::from_str(&text).unwrap();
    assert_eq!(summary, outcome.summary);
    let best = epochs.iter().map(|epoch| epoch.test.correct).max().unwrap();
    assert_eq!(summary.test_accuracy_best, Some(best as f64 / 10.0));
    assert_eq!(summary.test_accuracy_last, Some(epochs[3].test.accuracy()));
    assert_eq!(outcome.last.as_ref().unwrap().score.correct, epochs[3].test.correct);
    assert_eq!(outcome.best.as_ref().unwrap().score.correct, best);
    assert!(outcome.last.unwrap().firing_rates.values().all(|rate| (0.0..=1.0).contains(rate)));
    assert_eq!(lines(&out).len(), 4 * 5 + 4);
    // What was resolved is an experiment with the same results.
    let again = Experiment::read(out.join("experiment.toml")).unwrap();
    assert_eq!(again.name(), "moving");
    let again = again.data(Arc::new(moving(23, 1)), Arc::new(moving(10, 2)));
    assert_eq!(bits(&again.run(&mut on).unwrap().network), bits(&outcome.network));
    // A second run does not replace the first one.
    let error = experiment().out(&out).run(&mut on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Caller, "{error}");
}

/// Runs with a stop after each number of steps, and then to the end.
fn interrupted(out: &Path, stops: &[u64], threads: &[usize]) -> Outcome {
    for (number, &stop) in stops.iter().enumerate() {
        let mut watch = |event: Event<'_>| match event {
            Event::Step { record, .. } if record.step == stop => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        let threads = threads[number % threads.len()];
        let run = experiment().out(out).resume(true).loaders(threads);
        let outcome = with_threads(threads, || run.run(&mut watch)).unwrap();
        assert!(outcome.stopped && !outcome.summary.finished);
    }
    experiment().out(out).resume(true).run(&mut on).unwrap()
}

#[test]
fn a_run_that_was_stopped_ends_with_the_same_weights() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let reference = experiment().out(&whole).run(&mut on).unwrap();
    // In the middle of epochs, at their ends, and right after one another.
    for (name, stops) in [("a", vec![2, 4, 5]), ("b", vec![0, 11, 12, 18]), ("c", vec![9, 14])] {
        let out = folder.path().join(name);
        let outcome = interrupted(&out, &stops, &[1, 3, 2]);
        assert_eq!(bits(&outcome.network), bits(&reference.network), "{stops:?}");
        assert_eq!(lines(&out), lines(&whole), "{stops:?}");
        let scores = |outcome: &Outcome| {
            outcome.epochs.iter().map(|e| (e.train, e.test)).collect::<Vec<_>>()
        };
        assert_eq!(scores(&outcome), scores(&reference));
    }
}

#[test]
fn a_run_that_is_stopped_after_an_epoch_keeps_the_score_of_its_checkpoint() {
    let out = tempfile::tempdir().unwrap();
    let mut accuracy = None;
    let mut watch = |event: Event<'_>| match event {
        Event::Epoch(record) => {
            accuracy = Some(record.test.accuracy());
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    };
    let outcome = experiment().out(out.path()).run(&mut watch).unwrap();
    assert!(outcome.stopped && outcome.epochs.len() == 1);
    let best = Series::new(out.path().join("checkpoints"), "step").best().unwrap();
    assert_eq!(best.map(|(score, _)| score), accuracy);
}

#[test]
fn a_killed_run_continues_from_its_last_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let whole = experiment().run(&mut on).unwrap();
    // Every step is saved. What a killed process leaves is a copy of the folder at that moment.
    let out = folder.path().join("run");
    for kill in [3_u64, 6, 10, 13] {
        let killed = folder.path().join(format!("killed{kill}"));
        let mut watch = |event: Event<'_>| {
            if matches!(event, Event::Step { record, .. } if record.step == kill) {
                copy(&out, &killed);
            }
            ControlFlow::Continue(())
        };
        let _ = fs::remove_dir_all(&out);
        experiment().out(&out).save_every(0.0).run(&mut watch).unwrap();
        let outcome = experiment().out(&killed).resume(true).run(&mut on).unwrap();
        assert_eq!(bits(&outcome.network), bits(&whole.network), "killed at step {kill}");
        assert_eq!(lines(&killed), lines(&out));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name());
        match path.is_dir() {
            true => copy(&path, &to.join(name)),
            false => drop(fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}

#[test]
fn a_finished_run_continues_with_a_longer_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let (short, long) = (folder.path().join("short"), folder.path().join("long"));
    experiment().out(&short).run(&mut on).unwrap();
    let longer = |out: &Path| {
        let text = TEXT.replace("epochs = 4", "epochs = 6");
        let (train, test) = (Arc::new(moving(23, 1)), Arc::new(moving(10, 2)));
        Experiment::from_toml(&text).unwrap().data(train, test).out(out).resume(true)
    };
    let resumed = longer(&short).run(&mut on).unwrap();
    let whole = longer(&long).run(&mut on).unwrap();
    assert_eq!(bits(&resumed.network), bits(&whole.network));
    assert_eq!((resumed.summary.epochs, resumed.summary.finished), (6, true));
    // Nothing is left to do.
    assert_eq!(longer(&long).run(&mut on).unwrap().summary.steps, whole.summary.steps);
}

#[test]
fn a_checkpoint_of_another_experiment_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    experiment().out(&out).run(&mut on).unwrap();
    let run = |text: &str, seed: u64| {
        let (train, test) = (Arc::new(moving(23, seed)), Arc::new(moving(10, 2)));
        let other = Experiment::from_toml(text).unwrap().data(train, test);
        other.out(&out).resume(true).run(&mut on).unwrap_err()
    };
    for (text, seed, what) in [
        (TEXT.replace("units = 8", "units = 9"), 1, "another network"),
        (TEXT.replace("batch = 5", "batch = 4"), 1, "another batch"),
        (TEXT.into(), 3, "another data"),
    ] {
        let error = run(&text, seed);
        assert_eq!(error.kind(), ErrorKind::File, "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn training_ends_early_and_validation_chooses_the_best_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write(&path("a.safetensors"), &moving(40, 1));
    let text = TEXT.replace(
        "[network]",
        "[data]\ntype = 'files'\ntrain = 'a.safetensors'\n\
        split = 'random:1:0.7'\nvalidation = 0.25\n[network]",
    );
    fs::write(path("e.toml"), text).unwrap();
    let set = |keys: &[(&str, &str)]| {
        let keys = keys.iter().map(|&(key, value)| (key.into(), value.into())).collect();
        Experiment::read_with(path("e.toml"), keys).unwrap()
    };
    let plan = set(&[]).check().unwrap();
    assert_eq!(plan.samples, [22, 6, 12]);
    // Nothing is learned, so that no epoch is better than the first.
    let still = [
        ("recipe.optimizer.learning_rate", "0.0"),
        ("recipe.patience", "2"),
        ("recipe.epochs", "9"),
        ("recipe.ema", "0.0"),
    ];
    let outcome = set(&still).run(&mut on).unwrap();
    assert_eq!((outcome.summary.epochs, outcome.summary.best_by.as_str()), (3, "validation"));
    assert!(outcome.summary.finished && outcome.epochs[0].validation.is_some());
}

/// Writes samples as a tensor file of a data set.
pub fn write(path: &Path, set: &FrameArray) {
    let options = TensorOptions { overwrite: true, ..TensorOptions::default() };
    let mut file = TensorFileWriter::create(path, Container::Safetensors, &options).unwrap();
    file.set_provenance(r#"{"dataset": {"class_names": ["left", "right"]}}"#).unwrap();
    let all = set.collate(&(0..set.len()).collect::<Vec<_>>()).unwrap();
    let array = all.array("frames").unwrap();
    let cells: Vec<u8> = array.iter().map(|&cell| cell as u8).collect();
    file.write("frames", array.shape(), &cells).unwrap();
    let labels: Vec<i64> = set.labels().iter().map(|&label| label as i64).collect();
    file.write("labels", &[labels.len()], &labels).unwrap();
    file.finish().unwrap();
}

#[test]
fn a_net_learns_the_order_in_time_and_not_from_shuffled_steps() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().replace('\\', "/");
    write(Path::new(&at("train.safetensors")), &moving(80, 1));
    write(Path::new(&at("test.safetensors")), &moving(40, 2));
    let run = |shuffle: bool| {
        let files =
            format!("train = {:?}\ntest = {:?}", at("train.safetensors"), at("test.safetensors"));
        let data =
            format!("[data]\ntype = \"files\"\n{files}\nshuffle_steps = {shuffle}\n\n[network]");
        let text = TEXT.replace("[network]", &data).replace("epochs = 4", "epochs = 16");
        let out = folder.path().join(format!("run-{shuffle}"));
        let experiment = Experiment::from_toml(&text).unwrap().out(&out);
        let outcome = experiment.run(&mut on).unwrap();
        let resolved = fs::read_to_string(out.join("experiment.toml")).unwrap();
        assert_eq!(resolved.contains("shuffle_steps = true"), shuffle, "{resolved}");
        outcome.summary.test_accuracy_last.unwrap()
    };
    let (in_order, shuffled) = (run(false), run(true));
    assert!(in_order >= 0.9 && shuffled <= 0.75, "{in_order} and {shuffled}");
}

#[test]
fn what_cannot_be_learned_is_refused_with_its_line() {
    let samples = |labels: &[usize], names: &[&str]| {
        let frames = Array5::<f32>::ones((labels.len(), 6, 2, 6, 6));
        let names = names.iter().map(|&name| name.to_owned()).collect();
        Arc::new(FrameArray::new(frames, labels.to_vec(), names).unwrap())
    };
    let fails = |text: &str, train: Arc<FrameArray>, test: Arc<FrameArray>| {
        let experiment = Experiment::from_toml(text).map(|e| e.data(train, test));
        experiment.and_then(|e| e.check().map(drop)).unwrap_err().to_string()
    };
    let two = ["a", "b"];
    let good = || samples(&[0, 1, 0, 1], &two);
    let line = |part: &str| 1 + TEXT.lines().position(|line| line.contains(part)).unwrap();
    for (train, test, what) in [
        (samples(&[0, 0], &["a"]), samples(&[0], &["a"]), "all samples have the same class"),
        (samples(&[0, 0], &two), samples(&[0], &two), "all samples have the same class"),
        (samples(&[0, 0, 1], &two), samples(&[0], &two), "the class b has a single sample"),
        (samples(&[0, 0, 1, 1], &two), samples(&[0], &two), "the class b has no samples for test"),
        (samples(&[0, 0], &two), samples(&[0, 1, 1], &two), "the class b has no samples for train"),
        (samples(&[], &two), good(), "there are no samples for train"),
        (good(), samples(&[0, 1], &["a", "c"]), "the classes for test are not those for train"),
    ] {
        let error = fails(TEXT, train, test);
        assert!(error.contains(what), "{error}");
    }
    for (from, to, place, what) in [
        ("version = 1", "version = 2", "version = 1", "newer version"),
        ("name = \"moving\"", "name = \"../moving\"", "name = ", "without separators of paths"),
        ("name = \"moving\"", "name = \"..\"", "name = ", "without separators of paths"),
        ("epochs = 4", "epochs = 0", "epochs = 4", "invalid epochs"),
        ("epochs = 4", "seed = 9223372036854775808", "epochs = 4", "invalid seed"),
        ("ticks = 8", "ticks = 0", "ticks = 8", "at least one tick"),
        ("epochs = 4", "epoch = 4", "epochs = 4", "unknown field `epoch`"),
        ("batch = 5", "batch = 0", "batch = 5", "invalid batch"),
        ("shift = 1", "flip = 2.0", "shift = 1", "invalid augment.flip"),
        ("ema = 0.5", "ema = 1.0", "ema = 0.5", "decay of the average"),
        ("ema = 0.5", "freeze = ['x']", "ema = 0.5", "layer with parameters"),
        ("learning_rate = 0.01", "learning_rate = -1.0", "adamw", "learning rate"),
        ("learning_rate = 0.01", "rate = 1.0", "adamw", "unknown field `rate`"),
        ("units = 2", "units = 3", "aggregate", "one score for each class"),
        ("[2, 6, 6]", "[2, 6, 7]", "inputs.frames", "do not fit the inputs"),
        ("kernel = 3, padding = 1", "kernel = 9", "conv2d", "conv2d1"),
        ("{ type = \"flatten\" },", "", "rnn", "rnn"),
        ("type = \"dropout\"", "type = \"dropouts\"", "dropout", "dropouts"),
    ] {
        assert!(TEXT.contains(from), "{from}");
        let error = fails(&TEXT.replace(from, to), good(), good());
        assert!(error.contains(what), "{error}");
        let own = line(place);
        let removed = usize::from(to.is_empty());
        let lines = own - removed..=own;
        assert!(
            lines.clone().any(|line| error.starts_with(&format!("experiment:{line}:"))),
            "{from} should fail in line {lines:?}: {error}"
        );
    }
}

#[test]
fn a_loss_that_is_not_finite_and_memory_beyond_the_limit_stop_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let text = TEXT
        .replace("type = \"adamw\", learning_rate = 0.01", "type = \"sgd\", learning_rate = 1e30");
    let (train, test) = (Arc::new(moving(23, 1)), Arc::new(moving(10, 2)));
    let wild = Experiment::from_toml(&text).unwrap().data(train, test).out(folder.path());
    let error = wild.run(&mut on).unwrap_err().to_string();
    assert!(error.contains("epoch 1, step") && error.contains("finite"), "{error}");
    let error = experiment().max_memory(100_000).check().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert!(experiment().max_memory(1 << 30).check().unwrap().memory > 100_000);
}

#[test]
fn the_page_of_a_run_needs_nothing_else_and_escapes_names() {
    let folder = tempfile::tempdir().unwrap();
    let text = TEXT.replace("name = \"moving\"", "name = \"<script>alert('x')\"");
    let (train, test) = (Arc::new(moving(23, 1)), Arc::new(moving(10, 2)));
    let run = Experiment::from_toml(&text).unwrap().data(train, test).out(folder.path());
    run.run(&mut on).unwrap();
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    // Pictures are in the page itself.
    let mut parts = page.split("src=\"data:image/png;base64,");
    let first = parts.next().unwrap_or_default().to_owned();
    let page = parts.fold(first, |page, part| page + part.split_once('"').unwrap().1);
    for absent in ["http", "<script", "src=", "url(", "@import", "NaN"] {
        assert!(!page.contains(absent), "{absent}");
    }
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)"));
    assert!(page.contains("<td>left</td>") && page.contains("units = 8"));
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    for tag in ["table", "figure", "tr", "td", "th", "div", "p", "ul", "li", "pre", "span"] {
        let open =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(open, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn simulated_recordings_are_learned_from() {
    let text = "[data]\ntype = 'simulation'\nset = 'shapes'\ntrain = 4\ntest = 2\nwindow = '20ms'\n\
        size = '16x16'\n[network]\ninputs.frames.shape = [2, 16, 16]\nlayers = [\n{ type = 'flatten' },\n\
        { type = 'dense', units = 5 },\n{ type = 'aggregate' },\n]\n[recipe]\nepochs = 1\nbatch = 8\n";
    let experiment = Experiment::from_toml(text).unwrap();
    let plan = experiment.check().unwrap();
    assert_eq!((plan.samples, plan.steps), ([20, 0, 10], 5));
    assert_eq!(plan.classes, ["disc", "square", "triangle", "ring", "cross"]);
    let one = with_threads(1, || experiment.run(&mut on).unwrap());
    let three = with_threads(3, || experiment.run(&mut on).unwrap());
    assert_eq!(bits(&one.network), bits(&three.network));
    let bad = text.replace("window = '20ms'", "window = '30ms'");
    let error = Experiment::from_toml(&bad).unwrap().check().unwrap_err().to_string();
    assert!(error.starts_with("experiment:1: ") && error.contains("multiple"), "{error}");
}

/// A table of digits: `per_class` pictures of 2x2, of which that of digit d has a first pixel of d.
fn write_digits(path: &Path, per_class: usize) {
    let rows = (0..per_class * 10).map(|n| format!("{},0,{},9,{}\n", n % 10, n / 10, n % 10));
    fs::write(path, rows.collect::<String>()).unwrap();
}

const DIGITS: &str = "version = 1\nname = 'digits'\n[network]\ninputs.frames.shape = [CHANNELS]\nlayers = [\n\
    { type = 'flatten' },\n{ type = 'dense', units = 10 },\n{ type = 'aggregate' },\n]\n\
    [recipe]\nepochs = 1\nbatch = 8\n[data]\n";

#[test]
fn pictures_are_shown_for_some_steps() {
    let folder = tempfile::tempdir().unwrap();
    write_digits(&folder.path().join("digits.csv"), 3);
    let path = folder.path().join("e.toml");
    let data = "type = 'images'\ndir = 'digits.csv'\ntrain = 2\ntest = 1\nsteps = 4\n";
    let text = DIGITS.replace("CHANNELS", "1, 2, 2") + data;
    fs::write(&path, &text).unwrap();
    let plan = Experiment::read(&path).unwrap().check().unwrap();
    assert_eq!((plan.samples, plan.steps, plan.classes.len()), ([20, 0, 10], 4, 10));
    let outcome = Experiment::read(&path).unwrap().run(&mut on).unwrap();
    assert_eq!(outcome.summary.test_samples, 10);
    // A batch has no more samples than there are, and needs no more memory.
    let [all, huge] = ["batch = 20", "batch = 1000000000"].map(|batch| {
        let text = text.replace("batch = 8", batch);
        Experiment::from_toml(
            &text.replace("digits.csv", &format!("{}/digits.csv", folder.path().display())),
        )
        .unwrap()
        .check()
        .unwrap()
        .memory
    });
    assert_eq!(all, huge);
    for (from, to, what) in [
        ("steps = 4", "steps = 0", "without steps"),
        ("train = 2", "train = 3", "at most 3 of each class"),
        ("digits.csv", "absent.csv", "absent.csv"),
        ("digits.csv", ".", "no images of MNIST"),
        ("steps = 4", "step = 4", "unknown field `step`"),
    ] {
        fs::write(&path, text.replace(from, to)).unwrap();
        let error = Experiment::read(&path).and_then(|e| e.check().map(drop)).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("e.toml:") && error.contains(what), "{error}");
    }
}

#[test]
fn moving_digits_are_simulated_and_scaled_down() {
    let folder = tempfile::tempdir().unwrap();
    write_digits(&folder.path().join("digits.csv"), 2);
    let path = folder.path().join("e.toml");
    let data = "type = 'simulation'\nset = 'mnist-dvs'\ndir = 'digits.csv'\ndigit_scale = 4\n\
        train = 1\ntest = 1\nwindow = '1s'\nsize = '32x32'\nresize = '8x8'\n";
    let text = DIGITS.replace("CHANNELS", "2, 8, 8") + data;
    fs::write(&path, &text).unwrap();
    let plan = Experiment::read(&path).unwrap().check().unwrap();
    assert_eq!((plan.samples, plan.steps), ([10, 0, 10], 2));
    for (from, to, what) in [
        ("digit_scale = 4", "digit_scale = 5", "4, 8 or 16"),
        ("dir = 'digits.csv'\n", "", "needs pictures of digits"),
        ("'mnist-dvs'", "'shapes'", "only the set mnist-dvs"),
        ("test = 1", "test = 2", "at most 2 of each class"),
    ] {
        fs::write(&path, text.replace(from, to)).unwrap();
        let error = Experiment::read(&path).and_then(|e| e.check().map(drop)).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("e.toml:") && error.contains(what), "{error}");
    }
}

#[test]
fn a_data_set_without_a_test_split_is_refused_before_its_samples_are_made() {
    let folder = tempfile::tempdir().unwrap();
    for class in ["left", "right"] {
        let path = folder.path().join("set").join(class);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("1.csv"), "t,x,y,p\n0,1,1,1\n9000,2,2,0\n").unwrap();
    }
    let text = "[data]\ntype = 'dataset'\nname = 'folder'\ndir = 'set'\ncache = 'cache.safetensors'\n\
        bins = 2\n[network]\ninputs.frames.shape = [2, 3, 3]\nlayers = [\n{ type = 'flatten' },\n\
        { type = 'dense', units = 2 },\n{ type = 'aggregate' },\n]\n[recipe]\nepochs = 1\n";
    let path = folder.path().join("set.toml");
    fs::write(&path, text).unwrap();
    let error = Experiment::read(&path).unwrap().run(&mut on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Caller);
    let error = error.to_string();
    assert!(error.contains("set.toml:1: ") && error.contains("which samples test"), "{error}");
    let is_made = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with("cache");
    assert!(!fs::read_dir(folder.path()).unwrap().any(|entry| is_made(entry.unwrap())));
}

#[test]
fn checkpoints_say_what_is_needed_to_continue() {
    let folder = tempfile::tempdir().unwrap();
    experiment().out(folder.path()).run(&mut on).unwrap();
    let checkpoints: Vec<_> = fs::read_dir(folder.path().join("checkpoints")).unwrap().collect();
    assert!((2..=3).contains(&checkpoints.len()));
    for checkpoint in checkpoints {
        let info = CheckpointInfo::read(checkpoint.unwrap().path()).unwrap();
        assert!(info.progress.score.is_some());
        assert!(info.notes["experiment"].contains("name = \"moving\""));
    }
}
