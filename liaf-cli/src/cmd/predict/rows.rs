//! What is printed: a line for people, or a row of CSV or JSON.

use std::io::{self, Write};
use std::path::Path;

use liaf::Prediction;
use liaf::data::printable;
use serde_json::json;

use crate::text;

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Table,
    Csv,
    Json,
}

/// The rows of recordings.
pub struct Rows<W> {
    out: W,
    style: Style,
    /// The recording, as it is named.
    recording: String,
    /// Whether there is a row after every frame, of its sample so far.
    each_frame: bool,
    /// Whether the rows go to a terminal, where control characters in names are escaped in CSV as well.
    terminal: bool,
    /// Longest name, in characters.
    width: usize,
    /// Start of the first frame.
    first: Option<i64>,
}

impl<W: Write> Rows<W> {
    /// Rows of classes of these names; prints what stands above them.
    pub fn new(
        mut out: W,
        style: Style,
        each_frame: bool,
        names: &[String],
        terminal: bool,
    ) -> io::Result<Self> {
        let width = |name: &String| printable(name).to_string().chars().count();
        let width = names.iter().map(width).max().unwrap_or(0).max(5);
        match style {
            Style::Table => writeln!(
                out,
                "{:>10}  {:>16}  {:>16}  {:width$}  probability",
                "time", "start_us", "end_us", "class"
            )?,
            Style::Csv => {
                writeln!(out, "start_us,end_us,frames,class,probability,complete,label,recording")?;
            }
            Style::Json => {}
        }
        let recording = String::new();
        Ok(Self { out, style, recording, each_frame, terminal, width, first: None })
    }

    /// Begins a recording; with a `title`, a table has a line with its name.
    pub fn begin(&mut self, recording: &Path, title: bool) -> io::Result<()> {
        self.first = None;
        self.recording = recording.display().to_string();
        if title && self.style == Style::Table {
            writeln!(self.out, "{}", text::path(recording))?;
        }
        Ok(())
    }

    /// Prints a prediction, with the class of the sample if that is known.
    pub fn row(&mut self, prediction: &Prediction, label: Option<&str>) -> io::Result<()> {
        let Prediction { start, end, frames, complete, name, scores, .. } = prediction;
        let first = *self.first.get_or_insert(*start);
        let probabilities = prediction.probabilities();
        let probability = probabilities[prediction.class];
        match self.style {
            Style::Table => {
                let seconds = (*end as f64 - first as f64) / 1e6;
                let width = self.width;
                let percent = 100.0 * probability;
                let mistaken = match label {
                    Some(label) if label != name => format!("  (is {})", printable(label)),
                    _ => String::new(),
                };
                let name = printable(name).to_string();
                let remark = match (complete, self.each_frame) {
                    (true, _) => "",
                    (false, true) => "  (not complete)",
                    (false, false) => "  (cut short by the end of the recording)",
                };
                writeln!(
                    self.out,
                    "{seconds:>8.3} s  {start:>16}  {end:>16}  {name:width$}  {percent:>9.1} %{mistaken}{remark}"
                )
            }
            Style::Csv => {
                let field = |name: &str| match self.terminal {
                    true => text::csv_field(&printable(name).to_string()),
                    false => text::csv_field(name),
                };
                let label = label.map_or(String::new(), field);
                let (name, recording) = (field(name), field(&self.recording));
                writeln!(
                    self.out,
                    "{start},{end},{frames},{name},{probability},{complete},{label},{recording}"
                )
            }
            Style::Json => {
                let row = json!({
                    "start_us": start,
                    "end_us": end,
                    "frames": frames,
                    "complete": complete,
                    "recording": self.recording,
                    "class": name,
                    "label": label,
                    "probability": probability,
                    "probabilities": probabilities,
                    "scores": scores,
                });
                writeln!(self.out, "{}", text::json(&row))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(style: Style, each_frame: bool, complete: bool) -> String {
        printed_as("mug, \"blue\"", style, each_frame, complete, false)
    }

    fn printed_as(
        name: &str,
        style: Style,
        each_frame: bool,
        complete: bool,
        terminal: bool,
    ) -> String {
        let mut out = Vec::new();
        let names = ["a".to_owned(), name.to_owned()];
        let mut rows = Rows::new(&mut out, style, each_frame, &names, terminal).unwrap();
        let time = 1_000_000..1_020_000;
        let mut prediction = Prediction::new(0, time, 2, vec![0.0, 3f64.ln()], &names);
        prediction.complete = complete;
        rows.begin(Path::new("a,b.raw"), false).unwrap();
        rows.row(&prediction, Some("a")).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_are_for_people_and_programs() {
        let table = "      time          start_us            end_us  class        probability\n   \
                     0.020 s           1000000           1020000  mug, \"blue\"       75.0 %  (is a)";
        assert_eq!(printed(Style::Table, false, true), format!("{table}\n"));
        let short = format!("{table}  (cut short by the end of the recording)\n");
        assert_eq!(printed(Style::Table, false, false), short);
        assert_eq!(printed(Style::Table, true, false), format!("{table}  (not complete)\n"));
        for complete in [true, false] {
            let csv = printed(Style::Csv, false, complete);
            let row =
                format!("1000000,1020000,2,\"mug, \"\"blue\"\"\",0.75,{complete},a,\"a,b.raw\"");
            assert_eq!(csv.lines().nth(1), Some(row.as_str()));
            let json = printed(Style::Json, true, complete);
            let row: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(row["class"], "mug, \"blue\"");
            assert_eq!(row["scores"][1].as_f64(), Some(3f64.ln()));
            assert_eq!(row["complete"], complete);
            assert_eq!((&row["label"], &row["recording"]), (&"a".into(), &"a,b.raw".into()));
        }
    }

    #[test]
    fn names_cannot_control_a_terminal_and_stay_exact_in_files() {
        let name = "\x1b[2Jmug\u{9b}";
        let shown = r"\u{1b}[2Jmug\u{9b}";
        for terminal in [true, false] {
            let table = printed_as(name, Style::Table, false, true, terminal);
            assert!(table.contains(shown) && !table.contains('\x1b'), "{table}");
            let json = printed_as(name, Style::Json, false, true, terminal);
            assert!(!json.contains(['\x1b', '\u{9b}']), "{json}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["class"], name);
        }
        assert!(printed_as(name, Style::Csv, false, true, true).contains(shown));
        assert!(printed_as(name, Style::Csv, false, true, false).contains(name));
    }
}
