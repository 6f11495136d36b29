//! A page about a run, to look at, and its plots as files.

mod classes;
#[cfg(feature = "png")]
mod samples;

use std::fmt::Write;

use liaf_core::cost::{Cost, grouped};

use super::activity::{LayerActivity, SAMPLES};
use super::evaluate::{Evaluation, Score};
use super::html::{escaped, facts, page, percent, table};
use super::plot::{Axis, Chart, Mark, Series, file, picture};
use super::prepare::Plan;
use super::record::{EpochRecord, Summary, best};
use crate::error::Result;
use crate::samples::Examples;

/// What a page shows.
pub(super) struct Report<'a> {
    pub plan: &'a Plan,
    pub summary: &'a Summary,
    pub epochs: &'a [EpochRecord],
    pub last: Option<&'a Evaluation>,
    pub best: Option<&'a Evaluation>,
    /// The layers of neurons after the last epoch.
    pub activity: &'a [LayerActivity],
    /// The samples that were evaluated.
    pub test: &'a dyn Examples,
}

impl Report<'_> {
    /// The plots, each with its name: complete files of SVG.
    pub fn plots(&self) -> Vec<(&'static str, String)> {
        let mut plots = vec![
            ("accuracy", picture(&[self.accuracy()], 1)),
            ("loss", picture(&[self.loss()], 1)),
        ];
        if !self.activity.is_empty() {
            plots.push(("potentials", self.potentials()));
        }
        plots.iter_mut().for_each(|(_, svg)| *svg = file(svg));
        plots
    }

    /// The page.
    ///
    /// # Errors
    /// If samples cannot be read.
    pub fn html(&self) -> Result<String> {
        let mut body = self.facts();
        body += "<h2>Training</h2>\n";
        body += &picture(&[self.accuracy(), self.loss()], 2);
        body += "<p>The ring is the best epoch. Training samples count as they were before the step \
                 of their batch, with dropout and random changes.</p>\n";
        if let Some(last) = self.last {
            let same = self.best == Some(last);
            let title = if same { "the last epoch, which is the best" } else { "the last epoch" };
            body += &classes::html(title, last);
            if let Some(best) = self.best.filter(|_| !same) {
                body += &classes::html("the best epoch", best);
            }
            #[cfg(feature = "png")]
            {
                body += &samples::html(last, self.test)?;
            }
        }
        body += &self.neurons();
        body += &costs(&self.plan.cost);
        let _ = write!(
            body,
            "<h2>Experiment</h2>\n<p>With every default and everything that was set.</p>\n<pre>{}</pre>\n",
            escaped(&self.plan.resolved)
        );
        let footer = format!("liaf {}, seed {}", self.summary.version, self.summary.seed);
        Ok(page(&self.summary.name, &body, &escaped(&footer)))
    }

    fn facts(&self) -> String {
        let s = self.summary;
        let share = |share: Option<f64>| share.map_or("–".into(), percent);
        let best = s.best_epoch.map_or(String::new(), |epoch| format!(" (epoch {epoch})"));
        let decided = match s.best_by.as_str() {
            "validation" => "chosen by the validation samples",
            _ => "chosen by the test samples, which flatters it",
        };
        facts(&[
            ("test accuracy, last epoch".into(), share(s.test_accuracy_last)),
            (format!("test accuracy, best epoch{best}, {decided}"), share(s.test_accuracy_best)),
            ("epochs".into(), grouped(s.epochs)),
            ("samples for training, test".into(), {
                format!("{}, {}", grouped(s.train_samples as u64), grouped(s.test_samples as u64))
            }),
            ("weights without biases".into(), grouped(s.weights)),
            ("multiply-accumulates a sample".into(), grouped(s.macs)),
            ("time".into(), format!("{:.1} s", s.seconds)),
        ])
    }

    fn accuracy(&self) -> Chart<'static> {
        let best = best(self.epochs).map(|e| (e.epoch as f64, 100.0 * e.test.accuracy()));
        let y = Axis { range: Some((0.0, 100.0)), ..Axis::default() };
        Chart { ring: best, y, ..self.curves("Accuracy, %", |score| 100.0 * score.accuracy()) }
    }

    fn loss(&self) -> Chart<'static> {
        let y = Axis { from_zero: true, ..Axis::default() };
        Chart { y, ..self.curves("Loss", |score| score.loss) }
    }

    /// A number of each set of samples after each epoch.
    fn curves(&self, title: &str, of: impl Fn(&Score) -> f64) -> Chart<'static> {
        let series = |name: &str, colour, mark, set: &dyn Fn(&EpochRecord) -> Option<Score>| {
            let point = |e: &EpochRecord| Some((e.epoch as f64, of(&set(e)?)).into());
            let points: Vec<_> = self.epochs.iter().filter_map(point).collect();
            Series { name: name.into(), colour, mark, points }
        };
        let mut series = vec![
            series("training", 0, Mark::Dashes, &|epoch| Some(epoch.train)),
            series("test", 1, Mark::Line, &|epoch| Some(epoch.test)),
            series("validation", 2, Mark::Line, &|epoch| epoch.validation),
        ];
        series.retain(|series| !series.points.is_empty());
        let x = Axis { whole: true, ..Axis::new("epoch") };
        Chart { title: title.into(), x, series, ..Chart::default() }
    }

    /// A histogram for each layer of neurons.
    fn potentials(&self) -> String {
        let chart = |layer: &LayerActivity| {
            let (width, shares) = layer.potentials.shares();
            let points = shares.into_iter().map(|(low, share)| (low, 100.0 * share).into());
            let points = points.collect();
            let series =
                vec![Series { name: String::new(), colour: 0, mark: Mark::Bars(width), points }];
            let title = format!("{}: potentials, %", layer.name);
            let y = Axis { from_zero: true, ..Axis::default() };
            Chart { title, x: Axis::new("U"), y, series, line: layer.threshold, ..Chart::default() }
        };
        picture(&self.activity.iter().map(chart).collect::<Vec<_>>(), 2)
    }

    /// Firing rates and potentials of the layers of neurons.
    fn neurons(&self) -> String {
        if self.activity.is_empty() {
            return String::new();
        }
        let row = |layer: &LayerActivity| vec![layer.name.clone(), format!("{:.4}", layer.rate)];
        let rows: Vec<_> = self.activity.iter().map(row).collect();
        let rates = table(&["layer", "spikes per neuron and step"], &rows);
        format!(
            "<h2>Neurons</h2>\n<p>After the last epoch, on {} test samples from all parts of the set. In a \
             LIAF neuron a spike resets the membrane, and is not its output. Potentials are those before \
             the reset, without the outermost 0.1 %; the dashed line is the threshold.</p>\n{rates}{}",
            SAMPLES.min(self.test.len()),
            self.potentials()
        )
    }
}

/// Weights, memory and operations of the layers.
fn costs(cost: &Cost) -> String {
    let head = [
        "layer",
        "type",
        "output",
        "weights",
        "parameters",
        "state",
        "bytes",
        "MACs",
        "multiplications",
        "additions",
    ];
    let row = |texts: [&str; 3], held: &[u64], done: &[u64]| {
        let numbers = held.iter().chain(done).map(|&number| grouped(number));
        texts.into_iter().map(str::to_owned).chain(numbers).collect::<Vec<_>>()
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for layer in &cost.layers {
        let item: Vec<_> = layer.shape.item.iter().map(usize::to_string).collect();
        let held = [layer.weights, layer.parameters, layer.state, layer.memory];
        let done = [layer.macs, layer.multiplications, layer.additions];
        rows.push(row([&layer.name, &layer.kind, &item.join("×")], &held, &done));
    }
    let t = cost.total();
    let held = [t.weights, t.parameters, t.state, t.memory];
    rows.push(row(["total", "", ""], &held, &[t.macs, t.multiplications, t.additions]));
    format!(
        "<h2>Cost of a sample of {} steps</h2>\n<p>Bytes are what a layer holds while the network runs step \
         by step: parameters, state and the output of one step, as 32-bit numbers.</p>\n{}",
        cost.steps,
        table(&head, &rows)
    )
}
