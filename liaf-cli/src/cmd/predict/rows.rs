//! What is printed: a line for people, or a row of CSV or JSON.

use std::io::{self, Write};

use liaf_data::frames::Window;
use serde_json::json;

use super::classify::Scores;

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
    names: Vec<String>,
    /// Longest name, in characters.
    width: usize,
    /// Start of the first frame.
    first: Option<i64>,
}

impl<W: Write> Rows<W> {
    /// Rows of classes of these names; prints what stands above them.
    pub fn new(mut out: W, style: Style, names: Vec<String>) -> io::Result<Self> {
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(5);
        match style {
            Style::Table => writeln!(out, "{:>10}  {:width$}  probability", "time", "class")?,
            Style::Csv => writeln!(out, "start_us,end_us,frames,class,probability")?,
            Style::Json => {}
        }
        Ok(Self { out, style, names, width, first: None })
    }

    /// What the network says after the frame of this window, of a sample that began at `start`.
    pub fn row(&mut self, start: i64, window: Window, scores: &Scores) -> io::Result<()> {
        let first = *self.first.get_or_insert(start);
        let (class, probabilities) = (scores.class(), scores.probabilities());
        let (name, probability) = (&self.names[class], probabilities[class]);
        let (end, frames) = (window.end, scores.frames);
        match self.style {
            Style::Table => {
                let seconds = (end as f64 - first as f64) / 1e6;
                let width = self.width;
                writeln!(
                    self.out,
                    "{seconds:>8.3} s  {name:width$}  {:>9.1} %",
                    100.0 * probability
                )
            }
            Style::Csv => {
                writeln!(self.out, "{start},{end},{frames},{},{probability}", quoted(name))
            }
            Style::Json => {
                let row = json!({
                    "start_us": start,
                    "end_us": end,
                    "frames": frames,
                    "class": name,
                    "probability": probability,
                    "probabilities": probabilities,
                    "scores": scores.scores,
                });
                writeln!(self.out, "{row}")
            }
        }
    }

    /// The name of a class.
    pub fn name(&self, class: usize) -> &str {
        &self.names[class]
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

    fn printed(style: Style) -> String {
        let mut out = Vec::new();
        let names = vec!["a".to_owned(), "mug, \"blue\"".to_owned()];
        let mut rows = Rows::new(&mut out, style, names).unwrap();
        let scores = Scores { frames: 2, scores: vec![0.0, 3f64.ln()] };
        rows.row(1_000_000, Window { start: 1_010_000, end: 1_020_000 }, &scores).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_are_for_people_and_programs() {
        let table =
            "      time  class        probability\n   0.020 s  mug, \"blue\"       75.0 %\n";
        assert_eq!(printed(Style::Table), table);
        let csv = printed(Style::Csv);
        assert!(csv.ends_with("\n1000000,1020000,2,\"mug, \"\"blue\"\"\",0.75\n"), "{csv}");
        let row: serde_json::Value = serde_json::from_str(&printed(Style::Json)).unwrap();
        assert_eq!(row["class"], "mug, \"blue\"");
        assert_eq!(row["scores"][1].as_f64(), Some(3f64.ln()));
    }
}
