//! A page about a run, to look at: one file that needs no other, and no network.

mod svg;

use std::fmt::Write;

use liaf_core::cost::{Cost, grouped};

use super::evaluate::{Evaluation, Score};
use super::prepare::Plan;
use super::record::{EpochRecord, Summary, best};
use svg::{Line, chart};

/// What a page shows.
pub(super) struct Report<'a> {
    pub plan: &'a Plan,
    pub summary: &'a Summary,
    pub epochs: &'a [EpochRecord],
    pub last: Option<&'a Evaluation>,
    pub best: Option<&'a Evaluation>,
}

/// A text in HTML.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(c),
            c if c.is_control() => html.extend(c.escape_default()),
            c => html.push(c),
        }
    }
    html
}

const STYLE: &str = "
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1f24; background: #fff; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.facts { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0; padding: 0; list-style: none; }
.facts li { border: 1px solid #d5dbe1; border-radius: 6px; padding: .4rem .8rem; }
.facts b { display: block; font-size: 1.3rem; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; flex: 1 1 26rem; } figcaption { font-weight: 600; }
svg { width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: #57606a; }
text.y { text-anchor: end; } text.x { text-anchor: middle; }
.grid { stroke: #e7ebef; } .axis { stroke: #8c959f; } .mark { fill: none; stroke: #1b1f24; stroke-width: 1.5; }
.legend { margin: 0; color: #57606a; } .legend span { margin-right: 1rem; } .legend i { display: inline-block; width: 1.6rem; vertical-align: middle; margin-right: .3rem; }
table { border-collapse: collapse; margin: .5rem 0; } th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #e7ebef; }
th:first-child, td:first-child { text-align: left; } thead th { border-bottom: 2px solid #8c959f; }
.scroll { overflow-x: auto; } .confusion td { min-width: 2.2rem; text-align: center; border: 1px solid #fff; }
.confusion th { font-weight: 500; } pre { background: #f6f8fa; padding: 1rem; overflow-x: auto; border-radius: 6px; }
footer { color: #57606a; margin-top: 2rem; }
";

impl Report<'_> {
    /// The page.
    pub fn html(&self) -> String {
        let name = escaped(&self.summary.name);
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <link rel=\"icon\" href=\"data:,\">\n\
             <title>{name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{name}</h1>\n"
        );
        page += &self.facts();
        page += &self.charts();
        if let Some(last) = self.last {
            let same = self.best == Some(last);
            let title = if same { "the last epoch, which is the best" } else { "the last epoch" };
            page += &classes(title, last);
            if let Some(best) = self.best.filter(|_| !same) {
                page += &classes("the best epoch", best);
            }
            page += &rates(last);
        }
        page += &costs(&self.plan.cost);
        let _ = write!(
            page,
            "<h2>Experiment</h2>\n<p>With every default and everything that was set.</p>\n\
             <pre>{}</pre>\n<footer>liaf {}, seed {}</footer>\n</body>\n</html>\n",
            escaped(&self.plan.resolved),
            escaped(&self.summary.version),
            self.summary.seed
        );
        page
    }

    fn facts(&self) -> String {
        let s = self.summary;
        let share = |share: Option<f64>| share.map_or("–".into(), percent);
        let best = s.best_epoch.map_or(String::new(), |epoch| format!(" (epoch {epoch})"));
        let decided = match s.best_by.as_str() {
            "validation" => "chosen by the validation samples",
            _ => "chosen by the test samples, which flatters it",
        };
        let rows = [
            ("test accuracy, last epoch".to_owned(), share(s.test_accuracy_last)),
            (format!("test accuracy, best epoch{best}, {decided}"), share(s.test_accuracy_best)),
            ("epochs".into(), grouped(s.epochs)),
            ("samples for training, test".into(), {
                format!("{}, {}", grouped(s.train_samples as u64), grouped(s.test_samples as u64))
            }),
            ("weights without biases".into(), grouped(s.weights)),
            ("multiply-accumulates a sample".into(), grouped(s.macs)),
            ("time".into(), format!("{:.1} s", s.seconds)),
        ];
        let mut html = "<ul class=\"facts\">\n".to_owned();
        for (name, value) in rows {
            let _ = writeln!(html, "<li><b>{value}</b>{name}</li>");
        }
        html + "</ul>\n"
    }

    fn charts(&self) -> String {
        let line = |name, colour, dashed, of: &dyn Fn(&EpochRecord) -> Option<f64>| {
            let point = |epoch: &EpochRecord| Some((epoch.epoch as f64, of(epoch)?));
            Line { name, colour, dashed, points: self.epochs.iter().filter_map(point).collect() }
        };
        let of = |value: fn(&Score) -> f64| {
            let mut lines = vec![
                line("training", 0, true, &move |epoch| Some(value(&epoch.train))),
                line("test", 1, false, &move |epoch| Some(value(&epoch.test))),
            ];
            if self.epochs.iter().any(|epoch| epoch.validation.is_some()) {
                let own = move |epoch: &EpochRecord| epoch.validation.as_ref().map(value);
                lines.push(line("validation", 2, false, &own));
            }
            lines
        };
        let marked = best(self.epochs).map(|e| (e.epoch as f64, 100.0 * e.test.accuracy()));
        let accuracy = of(|score| 100.0 * score.accuracy());
        let mut html = "<h2>Training</h2>\n<div class=\"charts\">\n".to_owned();
        html += &chart("Accuracy, %", "epoch", &accuracy, Some((0.0, 100.0)), marked);
        html += &chart("Loss", "epoch", &of(|score| score.loss), None, None);
        html + "</div>\n<p>The ring is the best epoch. Training samples count as they were before the step \
                of their batch, with dropout and random changes.</p>\n"
    }
}

/// Most classes of which the confusion is shown.
const MOST: usize = 40;

/// The confusion of the classes that occur, and how each is recognised.
fn classes(title: &str, evaluation: &Evaluation) -> String {
    let rows = evaluation.by_class();
    let shown: Vec<usize> = (0..rows.len())
        .filter(|&c| rows[c].samples > 0 || evaluation.confusion.iter().any(|row| row[c] > 0))
        .collect();
    let name = |class: usize| escaped(&evaluation.classes[class]);
    let top = evaluation.classes.len().min(3);
    let mut html = format!(
        "<h2>Test samples, {}</h2>\n<p>{} of {} samples are recognised ({}); of {}, the class is among the \
         {top} highest scores. Loss {:.4}; {:.2} ms for one sample.</p>\n",
        escaped(title),
        grouped(evaluation.score.correct as u64),
        grouped(evaluation.score.samples as u64),
        percent(evaluation.score.accuracy()),
        percent(evaluation.top(top)),
        evaluation.score.loss,
        1e3 * evaluation.latency
    );
    if shown.len() <= MOST {
        html += "<div class=\"scroll\"><table class=\"confusion\"><thead><tr><th>class \\ taken for</th>";
        for &class in &shown {
            let _ = write!(html, "<th>{}</th>", name(class));
        }
        html += "</tr></thead><tbody>\n";
        for &class in &shown {
            let _ = write!(html, "<tr><th>{}</th>", name(class));
            for &taken in &shown {
                let count = evaluation.confusion[class][taken];
                let share = count as f64 / rows[class].samples.max(1) as f64;
                let (r, g, b) = if class == taken { (0, 114, 178) } else { (213, 94, 0) };
                let ink = if share > 0.55 { "#fff" } else { "#1b1f24" };
                let _ = write!(
                    html,
                    "<td style=\"background:rgba({r},{g},{b},{share:.2});color:{ink}\">{count}</td>"
                );
            }
            html += "</tr>\n";
        }
        html += "</tbody></table></div>\n";
    }
    html += "<table><thead><tr><th>class</th><th>samples</th><th>recall</th><th>precision</th></tr></thead><tbody>\n";
    for class in shown {
        let row = rows[class];
        let (recall, precision) = (percent(row.recall), percent(row.precision));
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{recall}</td><td>{precision}</td></tr>",
            name(class),
            grouped(row.samples as u64)
        );
    }
    html + "</tbody></table>\n"
}

/// Firing rates of the layers of neurons.
fn rates(evaluation: &Evaluation) -> String {
    if evaluation.firing_rates.is_empty() {
        return String::new();
    }
    let mut html =
        "<h2>Firing rates</h2>\n<p>Spikes per neuron and step of the spiking layers, on the test \
        samples after the last epoch.</p>\n\
        <table><thead><tr><th>layer</th><th>rate</th><th></th></tr></thead><tbody>\n"
            .to_owned();
    for (layer, &rate) in &evaluation.firing_rates {
        let width = 200.0 * rate.clamp(0.0, 1.0);
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{rate:.4}</td><td style=\"text-align:left\"><svg style=\"width:200px;height:10px\" \
             viewBox=\"0 0 200 10\"><rect width=\"200\" height=\"10\" fill=\"#e7ebef\"/><rect width=\"{width:.1}\" \
             height=\"10\" fill=\"{}\"/></svg></td></tr>",
            escaped(layer),
            svg::COLOURS[0]
        );
    }
    html + "</tbody></table>\n"
}

/// Weights and operations of the layers.
fn costs(cost: &Cost) -> String {
    let mut html = format!(
        "<h2>Cost of a sample of {} steps</h2>\n<div class=\"scroll\"><table><thead><tr><th>layer</th>\
         <th>type</th><th>output</th><th>weights</th><th>parameters</th><th>state</th><th>MACs</th>\
         <th>multiplications</th><th>additions</th></tr></thead><tbody>\n",
        cost.steps
    );
    let mut row = |name: &str, kind: &str, shape: &str, numbers: [u64; 6]| {
        let _ = write!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}</td>",
            escaped(name),
            escaped(kind),
            escaped(shape)
        );
        for number in numbers {
            let _ = write!(html, "<td>{}</td>", grouped(number));
        }
        html += "</tr>\n";
    };
    for layer in &cost.layers {
        let item: Vec<_> = layer.shape.item.iter().map(usize::to_string).collect();
        row(
            &layer.name,
            &layer.kind,
            &item.join("×"),
            [
                layer.weights,
                layer.parameters,
                layer.state,
                layer.macs,
                layer.multiplications,
                layer.additions,
            ],
        );
    }
    let total = cost.total();
    row(
        "total",
        "",
        "",
        [
            total.weights,
            total.parameters,
            total.state,
            total.macs,
            total.multiplications,
            total.additions,
        ],
    );
    html + "</tbody></table></div>\n"
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        assert_eq!(
            escaped("<a href='x'>&\"\u{1b}"),
            "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\\u{1b}"
        );
    }
}
