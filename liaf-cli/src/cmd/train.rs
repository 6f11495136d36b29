//! `liaf train`: trains a network as an experiment describes it.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use indicatif::ProgressBar;
use liaf::core::Limits;
use liaf::experiment::{EpochRecord, Event, Experiment, Outcome, Plan, StepRecord, best};
use rayon::ThreadPoolBuilder;

use super::predict::of_its_half;
use crate::help::{INPUT, OTHER, OUTPUT};
use crate::outputs::Usage;
use crate::progress::bar;
use crate::text::{bytes, say, thousands};
use crate::{signals, text, threads};

/// Train a network as an experiment describes it: data, network and recipe in one TOML file
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The experiment, in TOML
    #[arg(value_name = "EXPERIMENT", help_heading = INPUT, display_order = 0)]
    experiment: PathBuf,

    /// The folder in which the run is recorded: checkpoints, metrics.jsonl, summary.json, report.html
    /// [default: runs/NAME]
    #[arg(long, short, value_name = "DIR", help_heading = OUTPUT)]
    out: Option<PathBuf>,

    /// Set a key of the experiment to another value, as in recipe.epochs=20
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment, help_heading = INPUT)]
    set: Vec<(String, String)>,

    /// Continue the run in the folder; the recipe may have changed, for example to more epochs
    #[arg(long, help_heading = OUTPUT)]
    resume: bool,

    /// Load the data and check everything, and say what would be done, without training
    #[arg(long, conflicts_with_all = ["resume", "json"], help_heading = OTHER)]
    check: bool,

    /// Most memory of the run, in MiB
    #[arg(long, value_name = "MIB", default_value_t = Limits::DEFAULT.memory >> 20)]
    #[arg(help_heading = OTHER)]
    max_memory: u64,

    /// Seconds after which a checkpoint is written within an epoch
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, hide_short_help = true)]
    #[arg(help_heading = OUTPUT)]
    save_every: f64,

    /// Number of threads, at most 8 for each processor; 0 = one for each processor. The results do not
    /// depend on it
    #[arg(long, short = 'j', value_name = "N", default_value_t = 0, help_heading = OTHER)]
    threads: usize,

    /// Print the summary as JSON
    #[arg(long, help_heading = OUTPUT)]
    json: bool,

    /// Print nothing but errors
    #[arg(long, short, help_heading = OTHER)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  liaf train experiments/demo.toml
  liaf train gesture.toml --out runs/1 --set recipe.seed=2 --set network.name=gesture-a-lif
  liaf train gesture.toml --out runs/1 --resume --set recipe.epochs=200
  liaf train gesture.toml --check";

/// A key and its value.
fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("a key and a value, as in recipe.epochs=20".into()),
    }
}

/// Trains. A run that a signal stops is saved, and ends with 128 and the number of the signal.
pub fn run(args: &Args) -> Result<ExitCode> {
    if args.save_every.is_nan() || args.save_every < 0.0 {
        return Err(Usage(format!("--save-every {}: 0 or more seconds", args.save_every)).into());
    }
    let experiment = Experiment::read_with(&args.experiment, args.set.clone());
    let experiment = experiment.map_err(of_its_half)?;
    let out = match &args.out {
        Some(out) => out.clone(),
        None => PathBuf::from("runs").join(file_name(experiment.name())),
    };
    let experiment = experiment
        .out(&out)
        .resume(args.resume)
        .max_memory(args.max_memory.saturating_mul(1 << 20))
        .save_every(args.save_every);
    let pool = threads::pool(threads::used(args.threads), ThreadPoolBuilder::new())?;
    if args.check {
        let plan = pool.install(|| experiment.check()).map_err(of_its_half)?;
        say(describe(&plan));
        return Ok(ExitCode::SUCCESS);
    }
    signals::ask_first();
    let mut display = Display::new(args.quiet);
    let outcome = pool.install(|| experiment.run(&mut |event| display.show(event)));
    display.finish();
    let ended =
        signals::asked().map(|signal| ExitCode::from(u8::try_from(128 + signal).unwrap_or(1)));
    if let (Err(error), Some(code)) = (&outcome, ended)
        && error.kind() == liaf::ErrorKind::Cancelled
    {
        // The samples were still being made. What is finished of them is used by the next run.
        return Ok(code);
    }
    let outcome = outcome.map_err(of_its_half)?;
    if args.json {
        writeln!(std::io::stdout(), "{}", text::json(&serde_json::to_value(&outcome.summary)?))?;
    }
    if !args.quiet {
        conclude(&outcome, &out);
    }
    Ok(ended.filter(|_| outcome.stopped).unwrap_or(ExitCode::SUCCESS))
}

/// A name that is one part of a path.
fn file_name(name: &str) -> String {
    let part = |c: char| if c.is_alphanumeric() || "-_.+".contains(c) { c } else { '_' };
    let name: String = name.chars().map(part).collect();
    if name.starts_with('.') || name.is_empty() { format!("_{name}") } else { name }
}

fn describe(plan: &Plan) -> String {
    let [train, validation, test] = plan.samples;
    let validation = match validation {
        0 => String::new(),
        samples => format!("{} for validation, ", thousands(samples as u64)),
    };
    let total = plan.cost.total();
    format!(
        "{}: {} samples for training, {validation}{} for test, {} classes, up to {} steps\n  \
         {} parameters, {} MACs for each sample; {} epochs of {} batches; at most {} of memory",
        plan.name,
        thousands(train as u64),
        thousands(test as u64),
        thousands(plan.classes.len() as u64),
        thousands(plan.steps as u64),
        thousands(total.parameters),
        thousands(total.macs),
        thousands(plan.epochs),
        thousands(plan.batches as u64),
        bytes(plan.memory)
    )
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

fn conclude(outcome: &Outcome, out: &std::path::Path) {
    let summary = &outcome.summary;
    let name = text::path(out);
    if outcome.stopped {
        let (epochs, steps) = (summary.epochs, thousands(summary.steps));
        say(format_args!(
            "{name}: stopped after {epochs} epochs and {steps} steps; --resume continues"
        ));
        return;
    }
    if let (Some(last), Some(best), Some(epoch)) =
        (summary.test_accuracy_last, summary.test_accuracy_best, summary.best_epoch)
    {
        say(format_args!(
            "{name}: test accuracy {} after the last epoch, {} in epoch {epoch}, the best by {}; {:.1} s",
            percent(last),
            percent(best),
            summary.best_by,
            summary.seconds
        ));
    }
}

/// Shows how training goes on: a bar on a terminal, otherwise a line for each epoch.
struct Display {
    quiet: bool,
    bar: ProgressBar,
    begun: Instant,
    /// Numbers of epochs, batches of an epoch, and steps before this process.
    plan: (u64, usize, u64),
    /// Steps of this process, with their samples.
    steps: u64,
    samples: usize,
    /// Means over the last steps.
    loss: Option<f64>,
    accuracy: f64,
    epochs: Vec<EpochRecord>,
}

impl Display {
    fn new(quiet: bool) -> Self {
        let bar = bar(quiet, 0, "{prefix} {bar:24} {pos}/{len} {msg}");
        Self {
            quiet,
            bar,
            begun: Instant::now(),
            plan: (0, 0, 0),
            steps: 0,
            samples: 0,
            loss: None,
            accuracy: 0.0,
            epochs: Vec::new(),
        }
    }

    /// Shows an event, and says whether to go on.
    fn show(&mut self, event: Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Data { done, of } => {
                self.bar.set_prefix("recordings");
                self.bar.set_length(of as u64);
                self.bar.set_position(done as u64);
            }
            Event::Remark(remark) => self.line(&format!("  note: {remark}")),
            Event::Ready { plan, epochs, steps } => {
                self.line(&describe(plan));
                if steps > 0 {
                    let (epochs, steps) = (epochs.len(), thousands(steps));
                    self.line(&format!("  continues after {epochs} epochs and {steps} steps"));
                }
                self.epochs = epochs.to_vec();
                self.plan = (plan.epochs, plan.batches, steps);
                self.begun = Instant::now();
            }
            Event::Step { record, batch, batches } => self.step(record, batch, batches),
            Event::Evaluated { done, of } => {
                self.bar.set_prefix("test");
                self.bar.set_length(of as u64);
                self.bar.set_position(done as u64);
            }
            Event::Epoch(record) => self.epoch(record),
            _ => {}
        }
        match signals::asked() {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    }

    fn step(&mut self, record: &StepRecord, batch: usize, batches: usize) {
        self.steps += 1;
        self.samples += record.samples;
        let own = record.correct as f64 / record.samples.max(1) as f64;
        let before = self.loss.unwrap_or(record.loss);
        self.loss = Some(before + 0.1 * (record.loss - before));
        self.accuracy += if self.steps == 1 { own } else { 0.1 * (own - self.accuracy) };
        self.bar.set_prefix(format!("epoch {}/{}", record.epoch, self.plan.0));
        self.bar.set_length(batches as u64);
        self.bar.set_position(batch as u64);
        self.bar.set_message(format!(
            "loss {:.4} {} {} {} left",
            self.loss.unwrap_or(0.0),
            percent(self.accuracy),
            self.rate(),
            self.left()
        ));
    }

    fn rate(&self) -> String {
        let seconds = self.begun.elapsed().as_secs_f64().max(1e-3);
        format!("{:.1} samples/s", self.samples as f64 / seconds)
    }

    /// The time that is left, as long as the steps until now took.
    fn left(&self) -> String {
        let all = self.plan.0 * self.plan.1 as u64;
        let left = all.saturating_sub(self.plan.2 + self.steps);
        let each = self.begun.elapsed().as_secs_f64() / self.steps.max(1) as f64;
        match (left as f64 * each).round() as u64 {
            seconds @ 0..60 => format!("{seconds} s"),
            seconds @ 60..3_600 => format!("{}:{:02} min", seconds / 60, seconds % 60),
            seconds => format!("{}:{:02} h", seconds / 3_600, seconds / 60 % 60),
        }
    }

    fn epoch(&mut self, record: &EpochRecord) {
        self.epochs.push(*record);
        let chosen =
            record.validation.map(|score| format!("validation {}, ", percent(score.accuracy())));
        let is_best = best(&self.epochs).is_some_and(|best| best.epoch == record.epoch);
        self.line(&format!(
            "epoch {}/{}: loss {:.4}, training {}, {}test {}{}, {}, {} left",
            record.epoch,
            self.plan.0,
            record.train.loss,
            percent(record.train.accuracy()),
            chosen.unwrap_or_default(),
            percent(record.test.accuracy()),
            if is_best { " (best)" } else { "" },
            self.rate(),
            self.left()
        ));
    }

    fn line(&self, line: &str) {
        if !self.quiet {
            self.bar.suspend(|| say(line));
        }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_divided_at_the_first_equals_sign() {
        let parsed = assignment("recipe.optimizer={type=\"sgd\"}").unwrap();
        assert_eq!(parsed, ("recipe.optimizer".into(), "{type=\"sgd\"}".into()));
        assert!(assignment("recipe.epochs").is_err() && assignment("=3").is_err());
    }

    #[test]
    fn a_name_is_one_part_of_a_path() {
        assert_eq!(file_name("gesture-a"), "gesture-a");
        assert_eq!(file_name("../a b/c"), "_.._a_b_c");
        assert_eq!(file_name(""), "_");
    }
}
