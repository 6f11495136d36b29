//! Trains a small LIAF or LIF network to tell the recordings of a folder apart.
//!
//!     liaf convert RECORDINGS -o frames --to safetensors --window 20ms --size 32x32
//!     cargo run --release -p liaf-bench --example train_frames -- frames
//!
//! The class of a file is its name up to the first `_` or `.`. The last 30 % of the frames of each file
//! are the test set, the last 15 % of the others are the validation set, and the rest is the training
//! set. No sample reaches across a border. Once options are chosen:
//!
//!     cargo run --release -p liaf-bench --example train_frames -- frames --validate 0 --test
//!
//! trains on everything except the test set, and runs the test. Checkpoints (`--save`) say how the
//! frames were made, so that `liaf predict` can use them.

mod data;
mod net;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Parser;
use liaf_core::graph::Inputs;
use liaf_core::rng::Key;
use liaf_core::train::{Evaluation, TrainConfig, Trainer};
use liaf_data::frames::SampleRecipe;

use data::{Data, Sample};
use net::Kind;

#[derive(Parser)]
struct Args {
    /// Folder of `.safetensors` files of frames.
    folder: PathBuf,
    /// Kinds of neurons to train.
    #[arg(long, value_enum, default_values = ["liaf", "lif"])]
    neuron: Vec<Kind>,
    /// Seeds; one network is trained for each.
    #[arg(long, value_delimiter = ',', default_values = ["1", "2", "3"])]
    seeds: Vec<u64>,
    /// Number of frames of a sample.
    #[arg(long, default_value_t = 10)]
    steps: usize,
    /// Frames from the start of one training sample to the start of the next.
    #[arg(long, default_value_t = 5)]
    stride: usize,
    /// Share of the frames before the test set that are the validation set.
    #[arg(long, default_value_t = 0.15)]
    validate: f64,
    /// Number of epochs.
    #[arg(long, default_value_t = 16)]
    epochs: u64,
    /// Number of samples of a batch.
    #[arg(long, default_value_t = 16)]
    batch: usize,
    /// Learning rate at the start.
    #[arg(long, default_value_t = 0.002)]
    rate: f64,
    /// Largest number of pixels by which training samples are moved at random.
    #[arg(long, default_value_t = 0)]
    shift: usize,
    /// Dropout before the dense layers.
    #[arg(long, default_value_t = 0.5)]
    dropout: f64,
    /// Label smoothing.
    #[arg(long, default_value_t = 0.0)]
    smoothing: f64,
    /// Run the test after the last epoch.
    #[arg(long)]
    test: bool,
    /// Folder into which to write a checkpoint of each network.
    #[arg(long)]
    save: Option<PathBuf>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(args.steps > 0 && args.stride > 0 && args.batch > 0, "steps, stride, batch: 1 or more");
    ensure!((0.0..1.0).contains(&args.validate), "--validate: 0 or more and less than 1");
    let data = Data::load(&args)?;
    println!(
        "{} classes ({}), samples of {:?}: {} to learn from, {} to choose by, {} for the test",
        data.recipe.classes.len(),
        data.recipe.classes.join(", "),
        data.shape,
        data.learn.len(),
        data.choose.len(),
        data.test.len()
    );
    println!("{} threads", rayon::current_num_threads());
    for &kind in &args.neuron {
        for &seed in &args.seeds {
            train(&args, &data, kind, seed)?;
        }
    }
    Ok(())
}

fn train(args: &Args, data: &Data, kind: Kind, seed: u64) -> Result<()> {
    let config = net::network(kind, data.shape, data.recipe.classes.len(), args.dropout);
    let training = TrainConfig::from_toml(&format!(
        "tick = 'epoch'\noptimizer = {{ type = 'adamw', learning_rate = {} }}\n\
         schedule = {{ curve = {{ type = 'cosine', ticks = {} }} }}\n\
         loss = {{ type = 'cross_entropy', label_smoothing = {:?} }}\n\
         clip = {{ type = 'norm', max = 5.0 }}\n",
        args.rate, args.epochs, args.smoothing
    ))?;
    let mut trainer = Trainer::new(config.build::<f32>(seed)?, training)?;
    trainer.notes_mut().insert(SampleRecipe::NOTE.into(), data.recipe.to_json()?);
    let mut times = Vec::new();
    for epoch in 0..args.epochs {
        let key = Key::new(seed).child(epoch);
        let order: Vec<Sample> =
            key.permutation(data.learn.len()).into_iter().map(|at| data.learn[at]).collect();
        let (mut loss, mut correct) = (0.0, 0);
        for (number, chosen) in (0..).zip(order.chunks(args.batch)) {
            let (cells, labels) = data.batch(chosen, Some((key.child(number), args.shift)))?;
            let start = Instant::now();
            let report = trainer.step(&Inputs::of("input", cells.view()), &labels)?;
            times.push(start.elapsed().as_secs_f64());
            loss += report.loss * chosen.len() as f64;
            correct += report.correct;
        }
        trainer.end_epoch();
        let (loss, share) = (loss / order.len() as f64, percent(correct, order.len()));
        print!("  epoch {:>2}: learning loss {loss:.4}, {share:.2} %", epoch + 1);
        if data.choose.is_empty() {
            println!();
        } else {
            let chosen = evaluate(&mut trainer, data, &data.choose, args.batch)?;
            println!("; choosing {}", chosen.say());
        }
    }
    times.sort_by(f64::total_cmp);
    println!(
        "{kind:?} seed {seed}: {} weights; {:.1} ms a step of {} (median); {} MiB at most",
        trainer.network().parameter_count(),
        1e3 * times[times.len() / 2],
        args.batch,
        peak_mib().map_or("?".into(), |mib| mib.to_string())
    );
    if args.test {
        let test = evaluate(&mut trainer, data, &data.test, args.batch)?;
        println!("{kind:?} seed {seed}: test {}", test.say());
        for (label, class, count) in test.mistakes() {
            let name = |class: usize| &data.recipe.classes[class];
            println!("  {count} of {} taken for {}", name(label), name(class));
        }
    }
    if let Some(folder) = &args.save {
        std::fs::create_dir_all(folder)?;
        trainer.save(folder.join(format!("{kind:?}_{seed}.safetensors").to_lowercase()))?;
    }
    Ok(())
}

/// The loss and accuracy of a network on samples.
struct Judged {
    evaluation: Evaluation,
    labels: Vec<usize>,
}

impl Judged {
    fn say(&self) -> String {
        let Evaluation { loss, correct, .. } = self.evaluation;
        let all = self.labels.len();
        format!("loss {loss:.4}, {:.2} % ({correct} of {all})", percent(correct, all))
    }

    /// Label, predicted class and count of each kind of mistake.
    fn mistakes(&self) -> Vec<(usize, usize, usize)> {
        let pairs = self.labels.iter().zip(&self.evaluation.classes);
        let mut wrong: Vec<_> = pairs.filter(|(label, class)| label != class).collect();
        wrong.sort_unstable();
        wrong.chunk_by(|a, b| a == b).map(|same| (*same[0].0, *same[0].1, same.len())).collect()
    }
}

fn evaluate(
    trainer: &mut Trainer<f32>,
    data: &Data,
    samples: &[Sample],
    batch: usize,
) -> Result<Judged> {
    let mut all = Judged { evaluation: Evaluation::default(), labels: Vec::new() };
    for chosen in samples.chunks(batch) {
        let (cells, labels) = data.batch(chosen, None)?;
        all.evaluation.add(&trainer.evaluate(&Inputs::of("input", cells.view()), &labels)?);
        all.labels.extend(labels);
    }
    Ok(all)
}

fn percent(part: usize, all: usize) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}

/// Largest resident set of this process so far in MiB, where the system reports it.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}
