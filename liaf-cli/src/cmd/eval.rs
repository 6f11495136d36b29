//! `liaf eval`: how well trained networks classify.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use liaf::experiment::{Assessment, Evaluation, assess};
use rayon::ThreadPoolBuilder;
use serde_json::{Value, json};

use super::predict::of_its_half;
use crate::help::{INPUT, OTHER, OUTPUT};
use crate::outputs::Usage;
use crate::{text, threads};

/// How well a trained network classifies: accuracy, confusion, each class, firing rates and latency
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The folder of a run, of which the last and the best checkpoint are evaluated, or a checkpoint
    #[arg(value_name = "RUN|CHECKPOINT", help_heading = INPUT, display_order = 0)]
    run: PathBuf,

    /// A tensor file with the samples [default: the test samples of the experiment]
    #[arg(long, value_name = "FILE", help_heading = INPUT)]
    data: Option<PathBuf>,

    /// Also say how often the class is among the K highest scores
    #[arg(long, value_name = "K", default_value_t = 3, help_heading = OUTPUT)]
    top: usize,

    /// One JSON object for each checkpoint
    #[arg(long, help_heading = OUTPUT)]
    json: bool,

    /// Number of threads, at most 8 for each processor; 0 = one for each processor
    #[arg(long, short = 'j', value_name = "N", default_value_t = 0, help_heading = OTHER)]
    threads: usize,
}

const EXAMPLES: &str = "\
Examples:
  liaf eval runs/demo
  liaf eval runs/demo --json | jq .accuracy
  liaf eval runs/demo/checkpoints/step-00000120.safetensors --data other.test.h5";

/// Prints a table, or a line of JSON, for each checkpoint.
pub fn run(args: &Args) -> Result<ExitCode> {
    if args.top == 0 {
        return Err(Usage("--top 0: 1 or more scores".into()).into());
    }
    let pool = threads::pool(threads::used(args.threads), ThreadPoolBuilder::new())?;
    let all = pool.install(|| assess(&args.run, args.data.as_deref())).map_err(of_its_half)?;
    if let Some(first) = all.first() {
        for remark in &first.remarks {
            text::say(format_args!("liaf: warning: {remark}"));
        }
    }
    let mut out = std::io::stdout().lock();
    for (number, assessment) in all.iter().enumerate() {
        match args.json {
            true => writeln!(out, "{}", text::json(&as_json(assessment, args.top)))?,
            false => {
                // The tables of the last checkpoint are not printed again if it is the best one too.
                let same = number > 0 && assessment.checkpoint == all[0].checkpoint;
                write!(out, "{}", text::lines(&as_text(assessment, args.top, !same)))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(assessment: &Assessment, top: usize) -> Value {
    let Assessment { evaluation, .. } = assessment;
    let by_class = evaluation.by_class();
    let by_class = evaluation.classes.iter().zip(by_class).map(|(class, row)| {
        json!({
            "class": class,
            "samples": row.samples,
            "recall": row.recall,
            "precision": row.precision,
        })
    });
    json!({
        "which": assessment.which,
        "checkpoint": assessment.checkpoint,
        "epochs": assessment.epochs,
        "samples": evaluation.score.samples,
        "loss": evaluation.score.loss,
        "accuracy": evaluation.score.accuracy(),
        "top": { "k": top, "accuracy": evaluation.top(top) },
        "classes": by_class.collect::<Vec<_>>(),
        "confusion": evaluation.confusion,
        "firing_rates": evaluation.firing_rates,
        "latency_seconds": evaluation.latency,
    })
}

fn as_text(assessment: &Assessment, top: usize, tables: bool) -> String {
    let Assessment { which, evaluation, epochs, .. } = assessment;
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let score = &evaluation.score;
    let mut text = format!(
        "{which}: accuracy {} ({} of {} samples), top {top} {}, loss {:.4}, after {epochs} epochs; {:.2} ms a sample\n",
        percent(score.accuracy()),
        text::thousands(score.correct as u64),
        text::thousands(score.samples as u64),
        percent(evaluation.top(top)),
        score.loss,
        1e3 * evaluation.latency
    );
    if tables {
        text += &classes(evaluation);
        for (layer, rate) in &evaluation.firing_rates {
            let _ = writeln!(text, "  {layer}: {rate:.4} spikes per neuron and step");
        }
    }
    text
}

/// Most classes of which the confusion is printed.
const MOST: usize = 20;

/// Each class that has samples, and what they are taken for.
fn classes(evaluation: &Evaluation) -> String {
    let rows = evaluation.by_class();
    let shown: Vec<usize> = (0..rows.len())
        .filter(|&class| {
            rows[class].samples > 0 || evaluation.confusion.iter().any(|row| row[class] > 0)
        })
        .collect();
    let names = shown.iter().map(|&class| evaluation.classes[class].chars().count());
    let width = names.max().unwrap_or(0).clamp(5, 32) + 3;
    let mut text = format!("  {:width$}  samples   recall  precision", "class");
    let matrix = shown.len() <= MOST;
    if matrix {
        for &class in &shown {
            let _ = write!(text, "{:>6}", class);
        }
        text.push_str("  taken for");
    }
    text.push('\n');
    for &class in &shown {
        let row = rows[class];
        let name = match matrix {
            true => format!("{class} {}", evaluation.classes[class]),
            false => evaluation.classes[class].clone(),
        };
        let _ = write!(
            text,
            "  {name:width$}  {:>7}  {:>6.2} %  {:>7.2} %",
            row.samples,
            100.0 * row.recall,
            100.0 * row.precision
        );
        if matrix {
            for &taken in &shown {
                let _ = write!(text, "{:>6}", evaluation.confusion[class][taken]);
            }
        }
        text.push('\n');
    }
    text
}
