//! Losses, optimisers and schedules beside PyTorch (`fixtures/reference/learning.py`) and finite
//! differences.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use crate::common::reference::Reference;
use crate::common::{assert_close, random, relative_error};
use liaf_core::graph::Inputs;
use liaf_core::layer::{Aggregate, Dense};
use liaf_core::loss::{Loss, SampleLoss};
use liaf_core::neuron::Neuron;
use liaf_core::optim::{Curve, OptimizerConfig, Schedule};
use liaf_core::train::{TrainConfig, Trainer};
use liaf_core::{ErrorKind, Network, NetworkConfig};
use ndarray::ArrayD;

fn whole(numbers: &ArrayD<f64>) -> Vec<usize> {
    numbers.iter().map(|&x| x as usize).collect()
}

#[test]
fn losses_and_their_gradients_are_those_of_pytorch() {
    let reference = Reference::load("learning");
    let mut cases = 0;
    for (name, config) in reference.metadata.iter().filter(|(name, _)| name.starts_with("loss.")) {
        let loss: Loss = serde_json::from_str(config).unwrap();
        let of = |key: &str| reference.get(&format!("{name}.{key}"));
        let (labels, lengths) = (whole(of("labels")), whole(of("lengths")));
        let judged = loss.judge(of("output").view(), &labels, Some(&lengths)).unwrap();
        let error = (judged.loss - of("loss")[[0]]).abs() / of("loss")[[0]].abs();
        assert!(error < 1e-12, "{name}: {} is not {}", judged.loss, of("loss"));
        reference.close(&format!("{name}.gradient"), &judged.gradient, 1e-12);
        cases += 1;
    }
    assert_eq!(cases, 8);
}

#[test]
fn losses_agree_with_finite_differences() {
    let (labels, lengths) = ([2, 0, 1], [4, 1, 3]);
    for loss in [
        Loss::CrossEntropy { label_smoothing: 0.1 },
        Loss::Mse,
        Loss::SpikeCount { correct: 0.9, incorrect: 0.1 },
        Loss::Tet { label_smoothing: 0.0 },
    ] {
        let mut scores = random::<f64>(&[3, 4, 3], 1);
        let of = |scores: &ArrayD<f64>| loss.judge(scores.view(), &labels, Some(&lengths)).unwrap();
        let ours: Vec<f64> = of(&scores).gradient.iter().copied().collect();
        let h = 1e-5;
        let theirs: Vec<f64> = (0..ours.len())
            .map(|i| {
                let mut at = |by: f64| {
                    scores.as_slice_mut().unwrap()[i] += by;
                    let loss = of(&scores).loss;
                    scores.as_slice_mut().unwrap()[i] -= by;
                    loss
                };
                (at(h) - at(-h)) / (2.0 * h)
            })
            .collect();
        assert_close(&format!("{loss:?}"), &ours, &theirs, 1e-8);
    }
}

/// Mean squared error of the mean scores, as a caller would write it.
#[derive(Debug)]
struct OwnMse;

impl SampleLoss for OwnMse {
    fn judge(&self, scores: &[f64], classes: usize, label: usize, gradient: &mut [f64]) -> f64 {
        let steps = (scores.len() / classes) as f64;
        let of_class = |class: usize| {
            let mean = scores.iter().skip(class).step_by(classes).sum::<f64>() / steps;
            mean - f64::from(u8::from(class == label))
        };
        for (at, slope) in gradient.iter_mut().enumerate() {
            *slope += 2.0 * of_class(at % classes) / (classes as f64 * steps);
        }
        (0..classes).map(|class| of_class(class).powi(2)).sum::<f64>() / classes as f64
    }
}

/// A loss that is not a number.
#[derive(Debug)]
struct NoNumber;

impl SampleLoss for NoNumber {
    fn judge(&self, _: &[f64], _: usize, _: usize, _: &mut [f64]) -> f64 {
        f64::NAN
    }
}

fn trainer_of_mse(more: &str) -> Trainer<f64> {
    let network = NetworkConfig::sequential([3]).then(Dense::new(4)).then(Neuron::default());
    let network = network.then(Dense::new(2)).build::<f64>(5).unwrap();
    let text = "loss = { type = 'mse' }\noptimizer = { type = 'sgd', learning_rate = 0.1 }\n";
    Trainer::new(network, TrainConfig::from_toml(&format!("{text}{more}")).unwrap()).unwrap()
}

#[test]
fn a_loss_of_the_caller_s_own_trains_as_one_of_the_crate() {
    let (frames, labels) = (random::<f64>(&[5, 4, 3], 2), [0, 1, 0, 1, 1]);
    let inputs = Inputs::of("input", frames.view());
    for more in ["", "micro_batch = 2\n", "truncate = 2\n"] {
        let train = |mut trainer: Trainer<f64>| {
            let losses = (0..4).map(|_| trainer.step(&inputs, &labels).unwrap().loss);
            let mut numbers: Vec<f64> = losses.collect();
            numbers.push(trainer.evaluate(&inputs, &labels).unwrap().loss);
            let weights = trainer.network().params().iter().flat_map(|param| param.data.clone());
            numbers.extend(weights);
            numbers
        };
        let own = train(trainer_of_mse(more).with_loss(Arc::new(OwnMse)));
        assert_close(more, &own, &train(trainer_of_mse(more)), 1e-12);
    }
    let mut trainer = trainer_of_mse("").with_loss(Arc::new(NoNumber));
    let error = trainer.step(&inputs, &labels).unwrap_err().to_string();
    assert!(error.contains("the loss of sample 0 is not finite"), "{error}");
}

#[test]
fn losses_refuse_what_has_no_meaning() {
    let refuse = |loss: Loss, shape: &[usize], labels: &[usize], lengths: Option<&[usize]>| {
        let scores = random::<f32>(shape, 1);
        loss.judge(scores.view(), labels, lengths).unwrap_err().to_string()
    };
    let ce = Loss::default();
    assert!(
        refuse(ce, &[2, 3], &[0, 3], None).contains("sample 1 is not a class: expected 0 to 2")
    );
    assert!(refuse(ce, &[2, 3], &[0], None).contains("there must be one label for each sample"));
    assert!(refuse(ce, &[0, 3], &[], None).contains("the output must not be empty"));
    assert!(refuse(ce, &[2, 0], &[0, 0], None).contains("the output must not be empty"));
    assert!(refuse(ce, &[2, 0, 3], &[0, 0], None).contains("the output must not be empty"));
    assert!(refuse(ce, &[2], &[0, 0], None).contains("[N, classes] or [N, T, classes]"));
    assert!(refuse(ce, &[2, 4, 3], &[0, 0], Some(&[4, 5])).contains("sample 1"));
    assert!(
        refuse(ce, &[2, 4, 3], &[0, 0], Some(&[4]))
            .contains("there must be one length for each sample")
    );
    let tet = Loss::Tet { label_smoothing: 0.0 };
    assert!(refuse(tet, &[2, 3], &[0, 0], None).contains("at every step"));
    let smooth = Loss::CrossEntropy { label_smoothing: 1.0 };
    assert!(refuse(smooth, &[2, 3], &[0, 0], None).contains("label smoothing"));
    let mut scores = random::<f32>(&[2, 3], 1);
    scores[[1, 2]] = f32::NAN;
    let error = ce.judge(scores.view(), &[0, 0], None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("sample 1"), "{error}");
}

/// The network of the reference with its first weights.
fn start(reference: &Reference) -> Network<f64> {
    let config = NetworkConfig::sequential([6])
        .then(Dense::new(8))
        .then(Neuron::default())
        .then(Dense::new(3))
        .then(Aggregate::default());
    let mut network = config.build(0).unwrap();
    for param in network.params_mut() {
        let given = reference.get(&format!("start.{}", param.name));
        param.data.copy_from_slice(given.as_slice().unwrap());
    }
    network
}

#[test]
fn twenty_steps_of_every_optimiser_and_schedule_are_those_of_pytorch() {
    let reference = Reference::load("learning");
    let (x, labels) = (reference.get("batch.x"), whole(reference.get("batch.y")));
    let inputs = Inputs::of("input", x.view());
    let mut cases = 0;
    for (name, config) in &reference.metadata {
        if name.starts_with("loss.") || ["batch", "start"].contains(&name.as_str()) {
            continue;
        }
        let config = TrainConfig::from_json(config).unwrap();
        let mut trainer = Trainer::new(start(&reference), config).unwrap();
        let reports: Vec<_> = (0..20).map(|_| trainer.step(&inputs, &labels).unwrap()).collect();
        let close = |what: &str, ours: Vec<f64>| {
            let theirs = reference.get(&format!("{name}.{what}")).as_slice().unwrap();
            let error = relative_error(&ours, theirs);
            assert!(error < 1e-10, "{name}.{what}: error {error:e}");
        };
        close("losses", reports.iter().map(|report| report.loss).collect());
        close("rates", reports.iter().map(|report| report.learning_rate).collect());
        close("norms", reports.iter().map(|report| report.gradient_norm).collect());
        for param in trainer.network().params() {
            close(&param.name, param.data.clone());
        }
        if trainer.config().ema.is_some() {
            for param in trainer.into_network().params() {
                close(&format!("ema.{}", param.name), param.data.clone());
            }
        }
        cases += 1;
    }
    assert_eq!(cases, 16);
}

#[test]
fn weight_decay_can_spare_biases() {
    let reference = Reference::load("learning");
    let inputs = Inputs::of("input", reference.get("batch.x").view());
    let labels = whole(reference.get("batch.y"));
    let run = |keys: &str| {
        let text = format!("optimizer = {{ type = 'sgd', learning_rate = 0.1, {keys} }}");
        let config = TrainConfig::from_toml(&text).unwrap();
        let mut trainer = Trainer::new(start(&reference), config).unwrap();
        trainer.step(&inputs, &labels).unwrap();
        trainer.into_network()
    };
    let plain = run("weight_decay = 0.0");
    let spared = run("weight_decay = 0.5, decay = 'weights'");
    for (a, b) in plain.params().iter().zip(spared.params()) {
        assert_eq!(a.data == b.data, a.name.ends_with("bias"), "{}", a.name);
    }
}

#[test]
fn impossible_numbers_are_refused() {
    let refuse = |text: &str| {
        let config = TrainConfig::from_toml(text);
        config.and_then(|config| config.check()).unwrap_err().to_string()
    };
    assert!(
        refuse("optimizer = { type = 'adam', learning_rate = -1.0 }").contains("learning rate")
    );
    assert!(refuse("optimizer = { type = 'adam', betas = [0.9, 1.0] }").contains("beta"));
    assert!(refuse("optimizer = { type = 'sgd', nesterov = true }").contains("Nesterov"));
    assert!(refuse("optimizer = { type = 'sgd', momentun = 0.9 }").contains("momentun"));
    assert!(refuse("clip = { type = 'norm', max = 0.0 }").contains("limit of gradients"));
    assert!(
        refuse("schedule = { curve = { type = 'step', every = 0 } }").contains("at least one tick")
    );
    assert!(refuse("micro_batch = 0").contains("micro-batch"));
    let network = NetworkConfig::sequential([2]).then(Dense::new(2)).build::<f32>(0).unwrap();
    let config = TrainConfig { ema: Some(1.0), ..TrainConfig::default() };
    assert!(Trainer::new(network, config).is_err());
}

#[test]
fn schedules_end_where_they_say() {
    let cosine = Schedule::new(Curve::Cosine { ticks: 10, last: 0.25 });
    assert_eq!((cosine.factor(0), cosine.factor(10), cosine.factor(1000)), (1.0, 0.25, 0.25));
    assert_eq!(OptimizerConfig::default().learning_rate(), 1e-3);
}
