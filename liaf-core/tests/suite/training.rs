//! Training is the same on any number of threads, in parts, and after a checkpoint.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::trained::{BATCH, batch, config, step, trainer, training};
use crate::common::{random, relative_error};
use liaf_core::graph::{GradientSum, Inputs};
use liaf_core::layer::{BatchNorm, Dense, Flatten};
use liaf_core::loss::Loss;
use liaf_core::neuron::Neuron;
use liaf_core::optim::Schedule;
use liaf_core::train::{StepReport, TrainConfig, Trainer};
use liaf_core::{Mode, Network, NetworkConfig, Real, Workspace};
use ndarray::{ArrayD, IxDyn};

const STEPS: u64 = 20;

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// The losses of all steps and the last weights.
fn run<R: Real>(threads: usize) -> (Vec<StepReport>, Vec<Vec<R>>) {
    with_threads(threads, || {
        let mut trainer = trainer::<R>();
        let reports = (0..STEPS).map(|_| step(&mut trainer)).collect();
        (reports, trainer.network().params().iter().map(|param| param.data.clone()).collect())
    })
}

#[test]
fn losses_do_not_depend_on_threads() {
    let one = run::<f32>(1);
    assert!(one.0.windows(2).all(|pair| pair[0].loss != pair[1].loss));
    for threads in [2, 3, 8] {
        assert_eq!(one, run::<f32>(threads), "{threads} threads");
    }
    assert_eq!(one, run::<f32>(1), "a second time");
}

/// A network whose layers are large enough to be divided among threads.
fn large() -> NetworkConfig {
    NetworkConfig::from_toml(
        r#"
        [inputs.input]
        shape = [2, 32, 32]
        [[layers]]
        type = "conv2d"
        channels = 32
        kernel = 3
        padding = 1
        [[layers]]
        type = "neuron"
        output = "selu"
        [[layers]]
        type = "avg_pool"
        kernel = 2
        [[layers]]
        type = "conv2d"
        channels = 80
        kernel = 3
        [[layers]]
        type = "neuron"
        [[layers]]
        type = "flatten"
        [[layers]]
        type = "dense"
        units = 5
        [[layers]]
        type = "aggregate"
        "#,
    )
    .unwrap()
}

/// The blocks into which the layers of a single sample are cut are those of its shape.
#[test]
fn one_sample_gives_the_same_numbers_on_any_number_of_threads() {
    let network = large().build::<f32>(3).unwrap();
    let x = ArrayD::from_shape_fn(IxDyn(&[1, 21, 2, 32, 32]), |at| {
        ((at[1] * 7 + at[2] * 3 + at[3] * 5 + at[4] * 11) % 13) as f32 / 6.0 - 1.0
    });
    let run = |threads| {
        with_threads(threads, || {
            let inputs = Inputs::of("input", x.view());
            let (mut space, mut sum) = (Workspace::new(), GradientSum::new(&network));
            let alone = network.forward(&inputs, Mode::eval(), &mut space).unwrap().into_output();
            let mode = Mode::train(0).input_gradients();
            let mut pass = network.forward(&inputs, mode, &mut space).unwrap();
            assert_eq!(pass.output(), &alone);
            let ones = ArrayD::ones(alone.raw_dim());
            let by_input = pass.backward(ones.view(), &mut sum).unwrap().get("input");
            let mut state = network.state();
            let frames = x.as_slice().unwrap().chunks(2 * 32 * 32);
            let steps: Vec<_> = frames
                .map(|frame| network.step(&[("input", frame)], &mut state).unwrap().to_vec())
                .collect();
            let last = steps.last().unwrap().iter();
            assert!(last.zip(&alone).all(|(a, b)| (a - b).abs() <= 1e-5 * (1.0 + b.abs())));
            (alone, by_input, sum.reduce().all().to_vec(), steps)
        })
    };
    let one = run(1);
    assert!(one.2.iter().flatten().any(|&g| g != 0.0));
    for threads in [2, 3] {
        assert!(one == run(threads), "{threads} threads");
    }
}

#[test]
fn parts_of_a_batch_give_the_gradients_of_the_whole() {
    let gradients = |micro_batch: Option<usize>| {
        let how = TrainConfig { micro_batch, ..training() };
        let mut trainer = Trainer::new(config().build::<f64>(5).unwrap(), how).unwrap();
        let report = step(&mut trainer);
        (report, trainer.gradients().to_vec())
    };
    let (whole, all) = gradients(None);
    for size in [1, 3, 8, 100] {
        let (report, parts) = gradients(Some(size));
        assert!((report.loss - whole.loss).abs() < 1e-12);
        assert_eq!(report.correct, whole.correct);
        for (part, all) in parts.iter().zip(&all) {
            assert!(relative_error(part, all) < 1e-12, "micro-batches of {size}");
        }
    }
}

#[test]
fn a_network_learns_and_is_evaluated_with_its_averages() {
    let schedule = Schedule::default();
    let how = TrainConfig { ema: None, micro_batch: None, schedule, ..training() };
    let mut trainer = Trainer::new(config().build::<f32>(5).unwrap(), how).unwrap();
    let (frames, labels) = batch::<f32>(0);
    let inputs = Inputs::of("input", frames.view());
    let before = trainer.evaluate(&inputs, &labels).unwrap();
    for _ in 0..100 {
        trainer.step(&inputs, &labels).unwrap();
    }
    let after = trainer.evaluate(&inputs, &labels).unwrap();
    assert!(after.loss < before.loss, "{} {}", before.loss, after.loss);
    assert_eq!((after.correct, after.accuracy()), (BATCH, 1.0));

    let mut averaged = self::trainer::<f32>();
    for _ in 0..5 {
        step(&mut averaged);
    }
    let weights = averaged.network().params().to_vec();
    let with = averaged.evaluate(&inputs, &labels).unwrap();
    assert_eq!(averaged.network().params(), weights, "evaluation changes nothing");
    let network = averaged.into_network();
    assert_ne!(network.params(), weights);
    let output =
        network.forward(&inputs, Mode::eval(), &mut Workspace::new()).unwrap().into_output();
    let loss = training().loss.judge(output.view(), &labels, None).unwrap().loss;
    assert!((loss - with.loss).abs() < 1e-6);
}

#[test]
fn what_cannot_be_learned_from_changes_nothing() {
    let mut trainer = trainer::<f32>();
    let weights = trainer.network().params().to_vec();
    let (mut frames, labels) = batch::<f32>(0);
    let mut refuse = |frames: &ArrayD<f32>, labels: &[usize]| {
        let error = trainer.step(&Inputs::of("input", frames.view()), labels).unwrap_err();
        assert_eq!(trainer.network().params(), weights);
        assert_eq!(trainer.steps(), 0);
        error.to_string()
    };
    assert!(refuse(&frames, &labels[1..]).contains("there must be one label for each sample"));
    let text = refuse(&frames, &[3; BATCH]);
    assert!(text.contains("layer aggregate5") && text.contains("not a class of [N, 3]"), "{text}");
    assert!(refuse(&random(&[0, 6, 2, 4], 0), &[]).contains("the batch is empty"));
    frames[[9, 0, 0, 0]] = f32::INFINITY;
    assert!(refuse(&frames, &labels).contains("not finite"));
    frames.fill(1e38);
    assert!(refuse(&frames, &labels).contains("not finite"));
}

/// A batch norm's running statistics follow in every part of a batch, but not in a step that fails.
#[test]
fn a_step_that_fails_leaves_running_statistics_as_they_were() {
    let normed = Neuron { norm: Some(BatchNorm::default()), ..Neuron::default() };
    let net = NetworkConfig::sequential([2, 4]).then(BatchNorm::default()).then(Flatten {});
    let net = net.then(Dense::new(5)).then(normed).then(Dense::new(3));
    for truncate in [None, Some(2)] {
        let how = TrainConfig { truncate, micro_batch: Some(4), ..TrainConfig::default() };
        let mut trainer = Trainer::new(net.build::<f32>(5).unwrap(), how).unwrap();
        let (frames, labels) = batch::<f32>(0);
        let buffers = trainer.network().buffers().to_vec();
        trainer.step(&Inputs::of("input", frames.view()), &labels).unwrap();
        assert_ne!(trainer.network().buffers(), buffers);
        let (params, buffers) =
            (trainer.network().params().to_vec(), trainer.network().buffers().to_vec());
        // The last part of the batch cannot be worked on, or its loss is not finite.
        for wrong in [f32::NAN, 3e38] {
            let mut frames = frames.clone();
            frames.slice_mut(ndarray::s![9, .., .., ..]).fill(wrong);
            let error = trainer.step(&Inputs::of("input", frames.view()), &labels).unwrap_err();
            assert!(error.to_string().contains("not finite"), "{error}");
            assert_eq!(trainer.network().params(), params);
            assert_eq!(trainer.network().buffers(), buffers, "{truncate:?} {wrong}");
            assert_eq!(trainer.steps(), 1);
        }
        // And what follows is what would have followed.
        let mut again =
            Trainer::new(net.build::<f32>(5).unwrap(), trainer.config().clone()).unwrap();
        for trainer in [&mut trainer, &mut again] {
            while trainer.steps() < 3 {
                trainer.step(&Inputs::of("input", frames.view()), &labels).unwrap();
            }
        }
        assert_eq!(trainer.network().params(), again.network().params());
        assert_eq!(trainer.network().buffers(), again.network().buffers());
    }
}

/// Averages belong to the weights that they are of: those that come from elsewhere begin anew.
#[test]
fn an_average_of_weights_that_were_replaced_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let (frames, labels) = batch::<f32>(0);
    let inputs = Inputs::of("input", frames.view());
    let other = config().build::<f32>(77).unwrap();
    for steps in [0, 3] {
        let mut trainer = trainer::<f32>();
        (0..steps).for_each(|_| _ = step(&mut trainer));
        for (own, new) in trainer.network_mut().params_mut().iter_mut().zip(other.params()) {
            own.data.clone_from(&new.data);
        }
        let mut space = Workspace::new();
        let output = other.forward(&inputs, Mode::eval(), &mut space).unwrap().into_output();
        let loss = training().loss.judge(output.view(), &labels, None).unwrap().loss;
        let evaluated = trainer.evaluate(&inputs, &labels).unwrap().loss;
        assert!((evaluated - loss).abs() < 1e-6, "{evaluated} {loss}");
        trainer.save(&path).unwrap();
        let (saved, _) = Network::<f32>::from_checkpoint(&path).unwrap();
        assert_eq!(saved.params(), other.params());
        // The first step is the whole average, the next one a tenth of it.
        step(&mut trainer);
        let first = trainer.network().params().to_vec();
        let mut resumed = Trainer::<f32>::resume(&path).unwrap();
        step(&mut resumed);
        assert_eq!(resumed.into_network().params(), first);
        assert_eq!(trainer.into_network().params(), first);
    }
}

#[test]
fn labels_and_losses_that_do_not_fit_are_refused_before_work() {
    let (frames, labels) = batch::<f32>(0);
    let inputs = Inputs::of("input", frames.view());
    let refuse = |config: NetworkConfig, loss: Loss, labels: &[usize]| {
        let training = TrainConfig { loss, ..TrainConfig::default() };
        let mut trainer = Trainer::new(config.build::<f32>(5).unwrap(), training).unwrap();
        let error = trainer.step(&inputs, labels).unwrap_err().to_string();
        assert_eq!(trainer.evaluate(&inputs, labels).unwrap_err().to_string(), error);
        let space = format!("{trainer:?}");
        assert!(space.contains("samples: []"), "nothing has passed through the network");
        error
    };
    let tet = Loss::Tet { label_smoothing: 0.0 };
    let text = refuse(config(), tet, &labels);
    assert!(text.contains("layer aggregate5") && text.contains("[N, 3]"), "{text}");
    let image = NetworkConfig::sequential([2, 4]).then(Neuron::default());
    let text = refuse(image, Loss::default(), &labels);
    assert!(text.contains("layer neuron1") && text.contains("[N, T, 2, 4]"), "{text}");
    refuse(config(), Loss::default(), &[usize::MAX; BATCH]);
    let none = NetworkConfig::sequential([2, 4]).then(Flatten {}).then(Dense::new(0));
    let text = none.build::<f32>(5).unwrap_err().to_string();
    assert!(text.contains("layer dense2") && text.contains("1 or more"), "{text}");
}

#[test]
fn training_goes_on_from_any_step_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let (reports, weights) = run::<f32>(2);
    let mut trainer = trainer::<f32>();
    for at in 0..STEPS {
        let path = folder.path().join(format!("{at}.safetensors"));
        trainer.save(&path).unwrap();
        let threads = 1 + at as usize % 3;
        let (rest, last) = with_threads(threads, || {
            let mut resumed = Trainer::<f32>::resume(&path).unwrap();
            let rest: Vec<_> = (at..STEPS).map(|_| step(&mut resumed)).collect();
            (rest, resumed)
        });
        assert_eq!(rest, reports[at as usize..], "resumed at step {at}, {threads} threads");
        assert!(last.network().params().iter().zip(&weights).all(|(a, b)| a.data == *b));
        step(&mut trainer);
    }
}

#[test]
fn frozen_layers_stay_as_they_are() {
    let network = NetworkConfig::sequential([2, 4])
        .then(Flatten {})
        .node("first", &[], Dense::new(12))
        .node("norm", &[], BatchNorm::default())
        .then(Neuron::default())
        .node("last", &[], Dense::new(3))
        .then(liaf_core::layer::Aggregate::default());
    let freeze = vec!["first".to_owned(), "norm".to_owned()];
    let how = TrainConfig { freeze: freeze.clone(), ..training() };
    let mut trainer = Trainer::new(network.build::<f64>(5).unwrap(), how).unwrap();
    let before = network.build::<f64>(5).unwrap();
    let report = step(&mut trainer);
    for _ in 0..5 {
        step(&mut trainer);
    }
    for (old, new) in before.params().iter().zip(trainer.network().params()) {
        let frozen = freeze.iter().any(|layer| old.name.starts_with(layer));
        assert_eq!(old.data == new.data, frozen, "{}", old.name);
    }
    assert_eq!(before.buffers(), trainer.network().buffers());
    // The gradients of frozen layers do not count for clipping.
    let mut all = Trainer::new(network.build::<f64>(5).unwrap(), training()).unwrap();
    assert!(report.gradient_norm < step(&mut all).gradient_norm);
    for (freeze, word) in
        [(vec!["none"], "to freeze"), (vec!["first", "norm", "last"], "every layer")]
    {
        let freeze = freeze.into_iter().map(str::to_owned).collect();
        let how = TrainConfig { freeze, ..training() };
        let error = Trainer::new(network.build::<f64>(5).unwrap(), how).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}
