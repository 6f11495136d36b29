//! `liaf compare`: finished runs side by side.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use liaf::core::cost::aligned;
use liaf::data::io::AtomicFile;
use liaf::experiment::{Comparison, RunGroup, RunRecord};
use serde_json::{Value, json};

use super::predict::of_its_half;
use crate::help::{INPUT, OUTPUT};
use crate::outputs::{Usage, check_none_read};
use crate::text::{self, say, thousands};

/// Finished runs side by side: accuracy, weights, operations and time; runs that differ in their seed alone are
/// one row, with mean and standard deviation
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Folders of finished runs of `liaf train`
    #[arg(required = true, value_name = "RUN", help_heading = INPUT)]
    runs: Vec<PathBuf>,

    /// A page that shows the runs: accuracy against weights, operations and time, and the curves of training
    #[arg(long, short, value_name = "FILE.html", help_heading = OUTPUT)]
    output: Option<PathBuf>,

    /// Replace the page if it exists
    #[arg(long, short, requires = "output", help_heading = OUTPUT)]
    force: bool,

    /// Rows of CSV
    #[arg(long, conflicts_with = "json", help_heading = OUTPUT)]
    csv: bool,

    /// One JSON object for each row, with the result of each of its runs
    #[arg(long, help_heading = OUTPUT)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  liaf compare runs/gesture-a runs/gesture-a-lif runs/gesture-a-gru
  liaf compare runs/* -o compare.html
  liaf compare runs/* --csv > compare.csv";

/// Prints a row for each group of runs, and writes the page.
pub fn run(args: &Args) -> Result<ExitCode> {
    // A page that cannot be written is an error before anything is printed.
    let page = args.output.as_ref().map(|page| begin_page(page, args)).transpose()?;
    let comparison = Comparison::read(&args.runs).map_err(of_its_half)?;
    for remark in &comparison.remarks {
        say(format_args!("liaf: warning: {remark}"));
    }
    let groups = &comparison.groups;
    let mut out = io::stdout().lock();
    match (args.json, args.csv) {
        (true, _) => {
            for group in groups {
                writeln!(out, "{}", text::json(&as_json(group)?))?;
            }
        }
        (_, true) => {
            writeln!(out, "{}", HEAD.join(","))?;
            for group in groups {
                writeln!(out, "{}", as_csv(group))?;
            }
        }
        _ => write!(out, "{}", as_table(groups))?,
    }
    if let Some(mut file) = page {
        file.append(comparison.html().as_bytes())?;
        file.finish()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Begins the page. Refuses a name that is not that of a page, and one of a file of the runs.
fn begin_page(page: &Path, args: &Args) -> Result<AtomicFile> {
    if page.as_os_str() == "-" {
        let what =
            "-o - : standard output has the table; name a file for the page, as in -o compare.html";
        return Err(Usage(what.into()).into());
    }
    let is_html = |extension: &std::ffi::OsStr| {
        ["html", "htm"].iter().any(|name| extension.eq_ignore_ascii_case(name))
    };
    if !page.extension().is_some_and(is_html) {
        let name = text::path(page);
        let what = format!(
            "{name}: the output is a page, whose name ends in .html (--csv and --json print)"
        );
        return Err(Usage(what).into());
    }
    let files: Vec<PathBuf> = args.runs.iter().flat_map(RunRecord::files).collect();
    check_none_read([page], &files)?;
    Ok(AtomicFile::create(page, args.force, true)?)
}

fn as_table(groups: &[RunGroup]) -> String {
    let head = ["name", "net", "runs", "accuracy", "best epoch", "weights", "MACs", "seconds"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(groups.iter().map(|group| {
        vec![
            group.name.clone(),
            group.net().to_owned(),
            group.runs.len().to_string(),
            group.accuracy_last().percent(),
            group.accuracy_best().percent(),
            thousands(group.weights()),
            thousands(group.macs()),
            group.seconds().text(1.0, 1),
        ]
    }));
    aligned(&rows)
}

/// The columns of CSV.
const HEAD: [&str; 11] = [
    "name",
    "net",
    "seeds",
    "accuracy_last",
    "accuracy_last_sd",
    "accuracy_best",
    "accuracy_best_sd",
    "weights",
    "macs",
    "seconds",
    "seconds_sd",
];

fn as_csv(group: &RunGroup) -> String {
    let seeds: Vec<String> = group.seeds().iter().map(u64::to_string).collect();
    let mut cells =
        vec![text::csv_field(&group.name), text::csv_field(group.net()), seeds.join(" ")];
    let spread = |spread: liaf::experiment::Spread| {
        [spread.mean.to_string(), spread.deviation.map_or(String::new(), |sd| sd.to_string())]
    };
    cells.extend(spread(group.accuracy_last()));
    cells.extend(spread(group.accuracy_best()));
    cells.extend([group.weights().to_string(), group.macs().to_string()]);
    cells.extend(spread(group.seconds()));
    cells.join(",")
}

fn as_json(group: &RunGroup) -> Result<Value> {
    let runs: Vec<Value> = group
        .runs
        .iter()
        .map(|run| {
            Ok(json!({ "folder": run.folder, "summary": serde_json::to_value(&run.summary)? }))
        })
        .collect::<Result<_>>()?;
    Ok(json!({
        "name": group.name,
        "net": group.net(),
        "seeds": group.seeds(),
        "accuracy_last": group.accuracy_last(),
        "accuracy_best": group.accuracy_best(),
        "weights": group.weights(),
        "macs": group.macs(),
        "seconds": group.seconds(),
        "runs": runs,
    }))
}
