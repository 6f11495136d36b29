//! How each class is recognised.

use std::fmt::Write;

use liaf_core::cost::grouped;

use crate::experiment::evaluate::Evaluation;
use crate::experiment::html::{escaped, percent, table};

/// Most classes of which the confusion is shown.
const MOST: usize = 40;

/// The confusion of the classes that occur, and how each is recognised.
pub(super) fn html(title: &str, evaluation: &Evaluation) -> String {
    let rows = evaluation.by_class();
    let shown: Vec<usize> = (0..rows.len())
        .filter(|&c| rows[c].samples > 0 || evaluation.confusion.iter().any(|row| row[c] > 0))
        .collect();
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
        html += &confusion(evaluation, &shown);
    }
    let row = |&class: &usize| {
        let row = rows[class];
        let (recall, precision) = (percent(row.recall), percent(row.precision));
        vec![evaluation.classes[class].clone(), grouped(row.samples as u64), recall, precision]
    };
    let rows: Vec<_> = shown.iter().map(row).collect();
    html + &table(&["class", "samples", "recall", "precision"], &rows)
}

/// The numbers of samples of each class that were taken for each.
fn confusion(evaluation: &Evaluation, shown: &[usize]) -> String {
    let name = |class: usize| escaped(&evaluation.classes[class]);
    let mut html = "<div class=\"scroll\"><table class=\"confusion\"><thead><tr>\
                    <th>class \\ taken for</th>"
        .to_owned();
    for &class in shown {
        let _ = write!(html, "<th>{}</th>", name(class));
    }
    html += "</tr></thead><tbody>\n";
    for &class in shown {
        let _ = write!(html, "<tr><th>{}</th>", name(class));
        let samples: usize = evaluation.confusion[class].iter().sum();
        for &taken in shown {
            let count = evaluation.confusion[class][taken];
            let share = count as f64 / samples.max(1) as f64;
            let (r, g, b) = if class == taken { (0, 114, 178) } else { (213, 94, 0) };
            let ink = if share > 0.55 { "#fff" } else { "#1b1f24" };
            let _ = write!(
                html,
                "<td style=\"background:rgba({r},{g},{b},{share:.2});color:{ink}\">{count}</td>"
            );
        }
        html += "</tr>\n";
    }
    html + "</tbody></table></div>\n"
}
