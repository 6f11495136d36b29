//! The performance of a network on samples: accuracy, classes, confusion, and what it costs.

use std::collections::BTreeMap;
use std::time::Instant;

use liaf_core::cost::Rates;
use liaf_core::loss::Criterion;
use liaf_core::{Mode, Network, Workspace};
use ndarray::ArrayViewD;
use serde::{Deserialize, Serialize};

use super::network::only_input;
use crate::classifier::softmax;
use crate::error::Result;
use crate::samples::{Collated, Examples, Loader};

/// Loss and accuracy on samples.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Score {
    /// Mean loss.
    pub loss: f64,
    /// Number of samples whose class has the highest score.
    pub correct: usize,
    /// Number of samples.
    pub samples: usize,
}

impl Score {
    /// Share of samples that are classified correctly, 0 to 1.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.samples.max(1) as f64
    }
}

/// What is known of a network after it has classified samples.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Evaluation {
    /// Loss and accuracy.
    pub score: Score,
    /// Number of samples whose class is among the k highest scores, for each k from 1.
    pub within: Vec<usize>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Number of samples by true class (row) and predicted class (column).
    pub confusion: Vec<Vec<usize>>,
    /// What each sample is taken for, in the order of the set.
    pub guesses: Vec<Guess>,
    /// Spikes per neuron and step of each layer of neurons, over all samples.
    pub firing_rates: BTreeMap<String, f64>,
    /// Seconds for a batch of one sample: the median of several.
    pub latency: f64,
}

/// What a network takes a sample for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Guess {
    /// Its class.
    pub label: usize,
    /// The class with the highest score.
    pub class: usize,
    /// The probability of that class: the softmax of the mean scores.
    pub probability: f64,
}

/// How a class is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassScore {
    /// Number of samples of the class.
    pub samples: usize,
    /// Share of its samples that are recognised: recall.
    pub recall: f64,
    /// Share of the samples taken for this class that are of it: precision.
    pub precision: f64,
}

impl Evaluation {
    /// Share of samples whose class is among the `k` highest scores.
    pub fn top(&self, k: usize) -> f64 {
        let within = self.within.get(k.saturating_sub(1)).or(self.within.last());
        within.copied().unwrap_or(0) as f64 / self.score.samples.max(1) as f64
    }

    /// How each class is recognised. A share of nothing is 0.
    pub fn by_class(&self) -> Vec<ClassScore> {
        let share = |part: usize, all: usize| part as f64 / all.max(1) as f64;
        let row = |class: usize| {
            let samples = self.confusion[class].iter().sum();
            let taken: usize = self.confusion.iter().map(|row| row[class]).sum();
            let right = self.confusion[class][class];
            ClassScore { samples, recall: share(right, samples), precision: share(right, taken) }
        };
        (0..self.confusion.len()).map(row).collect()
    }
}

/// Number of single samples whose time is taken.
const TIMED: usize = 21;

/// Evaluates a network on all samples of a set.
///
/// # Errors
/// If the samples do not fit the network or cannot be read.
pub(super) fn evaluate(
    network: &Network<f32>,
    set: &dyn Examples,
    loader: &Loader,
    loss: &Criterion,
) -> Result<Evaluation> {
    let classes = set.classes().len();
    let mut all = Evaluation {
        within: vec![0; classes],
        classes: set.classes().to_vec(),
        confusion: vec![vec![0; classes]; classes],
        ..Evaluation::default()
    };
    let (mut space, mut losses) = (Workspace::new(), 0.0);
    let only = only_input(network);
    let only = only.as_deref();
    loader.run_stored(set, |batch| {
        let Some(inputs) = batch.inputs(only) else { return Ok(()) };
        // Spikes are known only to a pass that keeps them; one that is frozen gives the scores of
        // evaluation.
        let pass = network.forward(&inputs, Mode::train(0).frozen(), &mut space)?;
        let lengths = pass.lengths();
        let judged = loss.judge(pass.output().view(), batch.labels(), Some(&lengths))?;
        losses += judged.loss * batch.len() as f64;
        all.score.correct += judged.correct;
        all.score.samples += batch.len();
        for (n, (&label, &class)) in batch.labels().iter().zip(&judged.classes).enumerate() {
            all.confusion[label][class] += 1;
            let scores = scores(pass.output().view(), n, lengths[n], classes);
            all.within[rank(&scores, label)..].iter_mut().for_each(|count| *count += 1);
            let probability = softmax(&scores).get(class).copied().unwrap_or(0.0);
            all.guesses.push(Guess { label, class, probability });
        }
        for (layer, rate) in Rates::measured(&pass)?.layers {
            *all.firing_rates.entry(layer).or_default() += rate * batch.len() as f64;
        }
        Ok(())
    })?;
    let samples = all.score.samples.max(1) as f64;
    all.score.loss = losses / samples;
    all.firing_rates.values_mut().for_each(|rate| *rate /= samples);
    all.latency = latency(network, &set.collate(&[0])?, only)?;
    Ok(all)
}

/// The mean scores of a sample over its steps.
fn scores(output: ArrayViewD<'_, f32>, n: usize, steps: usize, classes: usize) -> Vec<f64> {
    let sample = output.index_axis(ndarray::Axis(0), n);
    let (steps, mut means) = (steps.max(1), vec![0.0; classes]);
    for (at, score) in sample.iter().take(steps * classes).enumerate() {
        means[at % classes] += f64::from(*score) / steps as f64;
    }
    means
}

/// Number of classes that come before this one: those with a higher score, and earlier ones with the same.
fn rank(scores: &[f64], label: usize) -> usize {
    let own = scores[label];
    let before = |(class, &score): (usize, &f64)| score > own || (score == own && class < label);
    scores.iter().enumerate().filter(|&at| before(at)).count()
}

fn latency(network: &Network<f32>, sample: &Collated, only: Option<&str>) -> Result<f64> {
    let mut space = Workspace::new();
    let mut times = Vec::new();
    for _ in 0..TIMED {
        let Some(inputs) = sample.inputs(only) else { break };
        let begun = Instant::now();
        network.forward(&inputs, Mode::eval(), &mut space)?;
        times.push(begun.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times.get(times.len() / 2).copied().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_classes_are_counted() {
        assert_eq!(rank(&[0.1, 0.9, 0.9, 0.2], 1), 0);
        assert_eq!(rank(&[0.1, 0.9, 0.9, 0.2], 2), 1);
        assert_eq!(rank(&[0.1, 0.9, 0.9, 0.2], 0), 3);
        let all = Evaluation {
            score: Score { samples: 10, correct: 6, loss: 0.0 },
            within: vec![6, 9, 10],
            confusion: vec![vec![3, 1, 0], vec![2, 3, 0], vec![1, 0, 0]],
            ..Evaluation::default()
        };
        assert_eq!([all.top(1), all.top(2), all.top(5)], [0.6, 0.9, 1.0]);
        let rows = all.by_class();
        assert_eq!((rows[0].recall, rows[0].precision), (0.75, 0.5));
        assert_eq!((rows[2].samples, rows[2].recall, rows[2].precision), (1, 0.0, 0.0));
    }
}
