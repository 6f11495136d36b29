//! `liaf cost`: what a network costs.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use liaf::SampleRecipe;
use liaf::core::checkpoint::CheckpointInfo;
use liaf::core::cost::{Comparison, Cost, CountRule, Rates};
use liaf::core::{Limits, NetworkConfig, zoo};
use liaf::experiment::{Experiment, checkpoint_of, is_experiment};
use serde_json::{Value, json};

use super::predict::of_its_half;
use crate::help::{INPUT, OUTPUT};
use crate::outputs::Usage;
use crate::text;

/// Cost of a network for one sample of T steps: weights, memory, multiplications and additions, layer by layer
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Networks: files in TOML or JSON (.json), experiments, checkpoints, folders of runs, or names of the
    /// zoo (gesture-a, gesture-a-lif, ..); several are compared with the first
    #[arg(required = true, value_name = "NETWORK", help_heading = INPUT)]
    networks: Vec<String>,

    /// Time steps of a sample [default: as the experiment, the checkpoint or the zoo says, otherwise 1]
    #[arg(long, value_name = "T", allow_negative_numbers = true, help_heading = COUNTING)]
    steps: Option<usize>,

    /// How to count operations: by the formula of each layer, or as the notebook of ES-ImageNet does
    #[arg(long, value_name = "RULE", default_value = "textbook",
          value_parser = rule(), help_heading = COUNTING)]
    rule: CountRule,

    /// Spikes per neuron and step, 0 to 1: counts layers that follow spiking neurons as if they
    /// computed only where there is a spike
    #[arg(long, value_name = "RATE", conflicts_with = "rule", allow_negative_numbers = true)]
    #[arg(help_heading = COUNTING)]
    rate: Option<f64>,

    /// Print one JSON object per network, one per line
    #[arg(long, help_heading = OUTPUT)]
    json: bool,
}

/// The heading of the options that say how operations are counted.
const COUNTING: &str = "Counting";

const EXAMPLES: &str = "\
Examples:
  liaf cost gesture-a
  liaf cost gesture-a gesture-a-lif gesture-a-convlstm gesture-a-conv3d --rate 0.1
  liaf cost network.toml --steps 60 --json
  liaf cost experiments/objects/objects.toml runs/objects-lif";

/// Accepts the names that configurations use for the rules, too.
fn rule() -> impl TypedValueParser<Value = CountRule> {
    PossibleValuesParser::new(["textbook", "es-notebook"])
        .try_map(|name| serde_json::from_value(name.into()))
}

/// Prints a table for one network, a comparison for several.
pub fn run(args: &Args) -> Result<ExitCode> {
    if let Some(rate) = args.rate.filter(|rate| !(0.0..=1.0).contains(rate)) {
        return Err(Usage(format!(
            "--rate {rate}: spikes per neuron and step must be from 0 to 1"
        ))
        .into());
    }
    if args.steps == Some(0) {
        return Err(Usage("--steps 0: a sample must have at least one step".into()).into());
    }
    let counted: Vec<(String, Cost)> = args
        .networks
        .iter()
        .map(|name| Ok((name.clone(), count(name, args)?)))
        .collect::<Result<_>>()?;
    let mut out = io::stdout().lock();
    if args.json {
        for (name, cost) in &counted {
            writeln!(out, "{}", text::json(&as_json(name, cost)?))?;
        }
    } else if let [(name, cost)] = counted.as_slice() {
        write!(out, "{}", text::lines(&format!("{name}: {cost}")))?;
    } else {
        let table = Comparison::new(counted.iter().map(|(name, cost)| (name.as_str(), cost)));
        write!(out, "{}", text::lines(&table.to_string()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn count(name: &str, args: &Args) -> Result<Cost> {
    let (config, own) = load(name)?;
    let steps = args.steps.unwrap_or(own);
    let cost = match args.rate {
        Some(rate) => config.cost_at(steps, &Rates::given(rate)),
        None => config.cost(steps, args.rule),
    };
    cost.with_context(|| name.to_owned())
}

/// A network and the time steps of its samples.
fn load(name: &str) -> Result<(NetworkConfig, usize)> {
    let path = Path::new(name);
    let end = path.extension().map(|end| end.to_ascii_lowercase());
    let ends_in = |other: &str| end.as_deref() == Some(other.as_ref());
    if path.is_dir() || ends_in("safetensors") {
        return of_checkpoint(path);
    }
    if ends_in("toml") && is_experiment(path) {
        return Experiment::read(path).and_then(|e| e.network()).map_err(of_its_half);
    }
    if ends_in("json") || ends_in("toml") || path.is_file() {
        return Ok((NetworkConfig::read(name, &Limits::default())?, 1));
    }
    let config = zoo::network(name, &zoo::Options::default())?;
    Ok((config, zoo::find(name).map_or(1, |(entry, _)| entry.steps)))
}

/// The network of a checkpoint, or of the last one of a run, and the steps of the samples that it learned.
fn of_checkpoint(path: &Path) -> Result<(NetworkConfig, usize)> {
    let info = CheckpointInfo::read(checkpoint_of(path).map_err(of_its_half)?)?;
    let recipe = info.notes.get(SampleRecipe::NOTE);
    let recipe = recipe.map(|note| SampleRecipe::from_json(note)).transpose()?;
    Ok((info.network, recipe.and_then(|recipe| recipe.steps).unwrap_or(1)))
}

fn as_json(name: &str, cost: &Cost) -> Result<Value> {
    let mut value = json!({
        "network": name,
        "total": cost.total(),
        // Numbers that are too large to be counted are 2^64 - 1.
        "saturated": cost.is_saturated(),
    });
    if let (Value::Object(all), Value::Object(cost)) = (&mut value, serde_json::to_value(cost)?) {
        all.extend(cost);
    }
    Ok(value)
}
