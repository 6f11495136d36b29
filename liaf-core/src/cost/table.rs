//! Costs as text.

use std::fmt;

use super::{Cost, CountRule, Total};

/// A number with separators of thousands. The largest number stands for all that are larger.
///
/// ```
/// use liaf_core::cost::grouped;
/// assert_eq!(grouped(1_234_567), "1,234,567");
/// assert_eq!(grouped(u64::MAX), "> 1.8e19");
/// ```
pub fn grouped(number: u64) -> String {
    if number == u64::MAX {
        return "> 1.8e19".into();
    }
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Rows as the lines of a table, whose columns are as wide as their longest text; the first one is left-aligned.
/// Control characters are escaped: names of layers come from files.
///
/// ```
/// use liaf_core::cost::aligned;
/// let rows = [["net", "weights"], ["gru", "9,000"]].map(|row| row.map(str::to_owned).to_vec());
/// assert_eq!(aligned(&rows), "net  weights\ngru    9,000\n");
/// ```
pub fn aligned(rows: &[Vec<String>]) -> String {
    let shown = |text: &String| -> String {
        let escaped = |c: char| c.is_control().then(|| c.escape_default());
        text.chars().map(|c| escaped(c).map_or(c.to_string(), |c| c.to_string())).collect()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(shown).collect()).collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |c: usize| {
        rows.iter().filter_map(|row| row.get(c)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..count).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (c, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let cell = if c == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") };
            line.push_str(&cell);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn cells(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

impl fmt::Display for Cost {
    /// A line for each layer that has weights or operations, followed by the sums.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = self.has_events();
        let mut head =
            cells(&["layer", "type", "output", "weights", "parameters", "state", "bytes"]);
        head.extend(cells(&["MACs/step", "MACs", "multiplications", "additions"]));
        if events {
            head.extend(cells(&["input rate", "event mult.", "event add."]));
        }
        let mut rows = vec![head];
        for layer in &self.layers {
            if (layer.parameters, layer.multiplications, layer.additions) == (0, 0, 0) {
                continue;
            }
            let item: Vec<_> = layer.shape.item.iter().map(usize::to_string).collect();
            let mut row = vec![layer.name.clone(), layer.kind.clone(), item.join("×")];
            let per_step = if self.rule == CountRule::Textbook { layer.work.macs() } else { 0 };
            row.extend(
                [
                    layer.weights,
                    layer.parameters,
                    layer.state,
                    layer.memory,
                    per_step,
                    layer.macs,
                    layer.multiplications,
                    layer.additions,
                ]
                .map(grouped),
            );
            match &layer.event {
                Some(event) => {
                    row.push(format!("{:.4}", event.rate));
                    row.extend([event.multiplications, event.additions].map(grouped));
                }
                None if events => {
                    row.push("-".to_owned());
                    row.extend([layer.multiplications, layer.additions].map(grouped));
                }
                None => {}
            }
            rows.push(row);
        }
        let total = self.total();
        let mut sum = cells(&["total", "", ""]);
        sum.extend(
            [
                total.weights,
                total.parameters,
                total.state,
                total.memory,
                total.macs_per_step,
                total.macs,
                total.multiplications,
                total.additions,
            ]
            .map(grouped),
        );
        if events {
            sum.push(String::new());
            sum.extend([total.event_multiplications, total.event_additions].map(grouped));
        }
        rows.push(sum);
        let steps = self.steps;
        writeln!(f, "one sample of {steps} step{}", if steps == 1 { "" } else { "s" })?;
        f.write_str(&aligned(&rows))
    }
}

/// Several networks side by side, as in the paper: weights and operations, and their ratios to those of
/// the first network.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    rows: Vec<(String, Total)>,
}

impl Comparison {
    /// The costs of these networks. The others are compared with the first one.
    pub fn new<'a>(costs: impl IntoIterator<Item = (&'a str, &'a Cost)>) -> Self {
        let rows = costs.into_iter().map(|(name, cost)| (name.to_owned(), cost.total()));
        Self { rows: rows.collect() }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![cells(&[
            "network",
            "weights",
            "×",
            "parameters",
            "bytes",
            "MACs",
            "×",
            "multiplications",
            "additions",
            "event mult.",
            "event add.",
        ])];
        let first = self.rows.first().map(|row| row.1).unwrap_or_default();
        let times = |number: u64, of: u64| match number == u64::MAX || of == u64::MAX {
            true => "?".into(),
            false => format!("{:.2}", number as f64 / of.max(1) as f64),
        };
        for (name, total) in &self.rows {
            rows.push(vec![
                name.clone(),
                grouped(total.weights),
                times(total.weights, first.weights),
                grouped(total.parameters),
                grouped(total.memory),
                grouped(total.macs),
                times(total.macs, first.macs),
                grouped(total.multiplications),
                grouped(total.additions),
                grouped(total.event_multiplications),
                grouped(total.event_additions),
            ]);
        }
        f.write_str(&aligned(&rows))
    }
}
