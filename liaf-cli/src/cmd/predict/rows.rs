//! What is printed: a line for people, or a row of CSV or JSON.

use std::io::{self, Write};

use liaf::Prediction;
use serde_json::json;

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Table,
    Csv,
    Json,
}

/// The rows of one recording.
pub struct Rows<W> {
    out: W,
    style: Style,
    /// Whether there is a row after every frame, of its sample so far.
    each_frame: bool,
    /// Longest name, in characters.
    width: usize,
    /// Start of the first frame.
    first: Option<i64>,
}

impl<W: Write> Rows<W> {
    /// Rows of classes of these names; prints what stands above them.
    pub fn new(mut out: W, style: Style, each_frame: bool, names: &[String]) -> io::Result<Self> {
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(5);
        match style {
            Style::Table => writeln!(
                out,
                "{:>10}  {:>16}  {:>16}  {:width$}  probability",
                "time", "start_us", "end_us", "class"
            )?,
            Style::Csv => writeln!(out, "start_us,end_us,frames,class,probability,complete")?,
            Style::Json => {}
        }
        Ok(Self { out, style, each_frame, width, first: None })
    }

    /// Prints a prediction.
    pub fn row(&mut self, prediction: &Prediction) -> io::Result<()> {
        let Prediction { start, end, frames, complete, name, scores, .. } = prediction;
        let first = *self.first.get_or_insert(*start);
        let probabilities = prediction.probabilities();
        let probability = probabilities[prediction.class];
        match self.style {
            Style::Table => {
                let seconds = (*end as f64 - first as f64) / 1e6;
                let width = self.width;
                let percent = 100.0 * probability;
                let remark = match (complete, self.each_frame) {
                    (true, _) => "",
                    (false, true) => "  (not complete)",
                    (false, false) => "  (cut short by the end of the recording)",
                };
                writeln!(
                    self.out,
                    "{seconds:>8.3} s  {start:>16}  {end:>16}  {name:width$}  {percent:>9.1} %{remark}"
                )
            }
            Style::Csv => writeln!(
                self.out,
                "{start},{end},{frames},{},{probability},{complete}",
                quoted(name)
            ),
            Style::Json => {
                let row = json!({
                    "start_us": start,
                    "end_us": end,
                    "frames": frames,
                    "complete": complete,
                    "class": name,
                    "probability": probability,
                    "probabilities": probabilities,
                    "scores": scores,
                });
                writeln!(self.out, "{row}")
            }
        }
    }
}

/// A field of CSV (RFC 4180).
fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(style: Style, each_frame: bool, complete: bool) -> String {
        let mut out = Vec::new();
        let names = ["a".to_owned(), "mug, \"blue\"".to_owned()];
        let mut rows = Rows::new(&mut out, style, each_frame, &names).unwrap();
        let time = 1_000_000..1_020_000;
        let mut prediction = Prediction::new(0, time, 2, vec![0.0, 3f64.ln()], &names);
        prediction.complete = complete;
        rows.row(&prediction).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_are_for_people_and_programs() {
        let table = "      time          start_us            end_us  class        probability\n   \
                     0.020 s           1000000           1020000  mug, \"blue\"       75.0 %";
        assert_eq!(printed(Style::Table, false, true), format!("{table}\n"));
        let short = format!("{table}  (cut short by the end of the recording)\n");
        assert_eq!(printed(Style::Table, false, false), short);
        assert_eq!(printed(Style::Table, true, false), format!("{table}  (not complete)\n"));
        for complete in [true, false] {
            let csv = printed(Style::Csv, false, complete);
            let row = format!("1000000,1020000,2,\"mug, \"\"blue\"\"\",0.75,{complete}");
            assert_eq!(csv.lines().nth(1), Some(row.as_str()));
            let json = printed(Style::Json, true, complete);
            let row: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(row["class"], "mug, \"blue\"");
            assert_eq!(row["scores"][1].as_f64(), Some(3f64.ln()));
            assert_eq!(row["complete"], complete);
        }
    }
}
