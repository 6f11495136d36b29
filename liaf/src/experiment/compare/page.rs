//! The page of a comparison.

use liaf_core::cost::grouped;

use super::{Comparison, RunGroup, Spread};
use crate::experiment::html::{escaped, page, table};
use crate::experiment::plot::{Axis, Chart, Mark, Point, Series, picture};
use crate::experiment::record::EpochRecord;

/// The page.
pub(super) fn html(comparison: &Comparison) -> String {
    let groups = &comparison.groups;
    let mut body = String::new();
    for remark in &comparison.remarks {
        body += &format!("<p class=\"note\">{}</p>\n", escaped(remark));
    }
    body += "<h2>Accuracy against cost</h2>\n";
    let against = [
        against("weights without biases", groups, |group| group.weights() as f64),
        against("multiply-accumulates a sample", groups, |group| group.macs() as f64),
        against("seconds of training", groups, |group| group.seconds().mean),
    ];
    body += &picture(&against, 3);
    body += "<p>Test accuracy after the last epoch: the mean over seeds, with their standard deviation. \
             Farther to the left is cheaper. Times compare only runs on the same machine without other \
             work.</p>\n";
    body += &rows(groups);
    body += "<h2>Training</h2>\n";
    let accuracy = Axis { range: Some((0.0, 100.0)), ..Axis::default() };
    let loss = Axis { from_zero: true, ..Axis::default() };
    let test = curves("Test accuracy, %", groups, &|epoch| 100.0 * epoch.test.accuracy());
    let of_loss = curves("Training loss", groups, &|epoch| epoch.train.loss);
    body += &picture(&[Chart { y: accuracy, ..test }, Chart { y: loss, ..of_loss }], 2);
    body += "<p>A line for each run.</p>\n";
    let runs: usize = groups.iter().map(|group| group.runs.len()).sum();
    let footer = format!("{runs} runs, liaf {}", env!("CARGO_PKG_VERSION"));
    page("Runs side by side", &body, &footer)
}

/// Accuracy of each group against one of its costs.
fn against<'a>(title: &'a str, groups: &[RunGroup], cost: impl Fn(&RunGroup) -> f64) -> Chart<'a> {
    let series = groups.iter().enumerate().map(|(colour, group)| {
        let Spread { mean, deviation } = group.accuracy_last();
        let spread = 100.0 * deviation.unwrap_or(0.0);
        let point = Point { x: cost(group), y: 100.0 * mean, spread };
        Series { name: group.name.clone(), colour, mark: Mark::Dots, points: vec![point] }
    });
    let x = Axis { logarithmic: true, ..Axis::new(title) };
    let title = "Test accuracy, %".into();
    Chart { title, x, series: series.collect(), ..Chart::default() }
}

/// A number of each run after each epoch. The legend names each group once.
fn curves<'a>(title: &str, groups: &[RunGroup], of: &dyn Fn(&EpochRecord) -> f64) -> Chart<'a> {
    let mut series = Vec::new();
    for (colour, group) in groups.iter().enumerate() {
        for (number, run) in group.runs.iter().enumerate() {
            let points = run.epochs.iter().map(|epoch| (epoch.epoch as f64, of(epoch)).into());
            let name = if number == 0 { group.name.clone() } else { String::new() };
            series.push(Series { name, colour, mark: Mark::Line, points: points.collect() });
        }
    }
    let x = Axis { whole: true, ..Axis::new("epoch") };
    Chart { title: title.into(), x, series, ..Chart::default() }
}

fn rows(groups: &[RunGroup]) -> String {
    let head = [
        "name",
        "net",
        "seeds",
        "accuracy, last epoch",
        "best epoch",
        "weights",
        "MACs",
        "seconds",
    ];
    let row = |group: &RunGroup| {
        let seeds: Vec<String> = group.seeds().iter().map(u64::to_string).collect();
        vec![
            group.name.clone(),
            group.net().to_owned(),
            seeds.join(", "),
            group.accuracy_last().percent(),
            group.accuracy_best().percent(),
            grouped(group.weights()),
            grouped(group.macs()),
            group.seconds().text(1.0, 1),
        ]
    };
    table(&head, &groups.iter().map(row).collect::<Vec<_>>())
}
