//! Trains a small LIAF or LIF network to tell the recordings of a folder apart.
//!
//!     liaf convert RECORDINGS -o frames --to safetensors --window 20ms --size 32x32
//!     cargo run --release -p liaf-bench --example train_frames -- frames
//!
//! Checkpoints (`--save`) carry how the frames are made, so that `liaf predict` can use them.
//!
//! The class of a file is its name up to the first `_` or `.`. The first 70 % of the frames of each
//! file are learned from, the last 30 % are for the test; no sample reaches across.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, ValueEnum};
use liaf_core::graph::{Inputs, NetworkConfig};
use liaf_core::rng::Key;
use liaf_core::train::{Evaluation, TrainConfig, Trainer};
use liaf_data::Limits;
use liaf_data::frames::{Provenance, SampleRecipe};
use liaf_data::tensor::LoadedFrames;
use ndarray::{ArrayD, ArrayView, IxDyn};

#[derive(Parser)]
struct Args {
    /// Folder of `.safetensors` files of frames.
    folder: PathBuf,
    /// Neurons to train.
    #[arg(long, value_enum, default_values = ["liaf", "lif"])]
    neuron: Vec<Kind>,
    /// Seeds; one network each.
    #[arg(long, value_delimiter = ',', default_values = ["1", "2", "3"])]
    seeds: Vec<u64>,
    /// Frames of a sample.
    #[arg(long, default_value_t = 10)]
    steps: usize,
    /// Frames from one sample to learn from to the next.
    #[arg(long, default_value_t = 5)]
    stride: usize,
    /// Passes over the samples.
    #[arg(long, default_value_t = 12)]
    epochs: u64,
    /// Samples of a batch.
    #[arg(long, default_value_t = 16)]
    batch: usize,
    /// Learning rate at the start.
    #[arg(long, default_value_t = 0.002)]
    rate: f64,
    /// Write a checkpoint of each network into this folder.
    #[arg(long)]
    save: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Kind {
    /// Analog output, `relu(U - V_th)`.
    Liaf,
    /// Spikes.
    Lif,
}

/// Samples of `[T, C, H, W]`, one after another, and their classes.
#[derive(Default)]
struct Samples {
    cells: Vec<f32>,
    labels: Vec<usize>,
}

struct Data {
    learn: Samples,
    test: Samples,
    /// How the samples are made, for the checkpoints, and the names of the classes.
    recipe: SampleRecipe,
    /// T, C, H, W.
    shape: [usize; 4],
}

fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(args.steps > 0 && args.stride > 0 && args.batch > 0, "steps, stride, batch: 1 or more");
    let data = load(&args)?;
    println!(
        "{} classes ({}), samples of {:?}: {} to learn from, {} for the test",
        data.recipe.classes.len(),
        data.recipe.classes.join(", "),
        data.shape,
        data.learn.labels.len(),
        data.test.labels.len()
    );
    println!("{} threads", rayon::current_num_threads());
    for &kind in &args.neuron {
        for &seed in &args.seeds {
            train(&args, &data, kind, seed)?;
        }
    }
    Ok(())
}

fn load(args: &Args) -> Result<Data> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&args.folder)
        .with_context(|| args.folder.display().to_string())?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "safetensors"));
    paths.sort();
    let classes: BTreeSet<String> = paths.iter().map(|path| class(path)).collect();
    let classes: Vec<String> = classes.into_iter().collect();
    let (mut learn, mut test) = (Samples::default(), Samples::default());
    let (mut shape, mut recipe) = (None, None);
    for path in &paths {
        let frames = LoadedFrames::read(path, &Limits::default())?;
        let made =
            Provenance::parse(frames.provenance()).with_context(|| path.display().to_string())?;
        join(&mut recipe, made).with_context(|| path.display().to_string())?;
        let own = frames.shape();
        let own = [args.steps, own.channels, own.height, own.width];
        if *shape.get_or_insert(own) != own {
            bail!("{}: frames of another shape than those before", path.display());
        }
        let label = classes.binary_search(&class(path)).unwrap_or_default();
        let border = frames.len() * 7 / 10;
        let parts =
            [(0..border, args.stride, &mut learn), (border..frames.len(), args.steps, &mut test)];
        for (range, stride, samples) in parts {
            for start in range.clone().step_by(stride) {
                if start + args.steps <= range.end {
                    samples.cells.extend(frames.cells(start..start + args.steps));
                    samples.labels.push(label);
                }
            }
        }
    }
    let (Some(shape), Some(recipe)) = (shape, recipe) else {
        bail!("{}: no .safetensors files", args.folder.display())
    };
    ensure!(!learn.labels.is_empty() && !test.labels.is_empty(), "too few frames for a sample");
    // One factor for all, from what is learned from: cells of deviation 1.
    let square: f64 = learn.cells.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    let factor = (learn.cells.len() as f64 / square.max(1e-12)).sqrt() as f32;
    learn.cells.iter_mut().chain(&mut test.cells).for_each(|x| *x *= factor);
    let recipe = SampleRecipe { scale: factor, steps: Some(args.steps), classes, ..recipe };
    Ok(Data { learn, test, recipe, shape })
}

/// Adds how the frames of another file are made, which must be as those of the files before.
fn join(all: &mut Option<SampleRecipe>, made: Provenance) -> Result<()> {
    let Provenance { sensor, aedat2, frames } = made;
    let all = all.get_or_insert_with(|| SampleRecipe {
        sensor,
        aedat2,
        ..SampleRecipe::new(frames.clone())
    });
    ensure!(all.frames == frames, "frames that are made otherwise than those before");
    all.sensor = all.sensor.filter(|_| all.sensor == sensor);
    all.aedat2 = all.aedat2.filter(|_| all.aedat2 == aedat2);
    Ok(())
}

fn class(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.split(['_', '.']).next().unwrap_or_default().to_owned()
}

/// Convolution 16, pool, convolution 32, pool, dense 128, dense classes, mean over time.
fn network(kind: Kind, shape: [usize; 4], classes: usize) -> Result<NetworkConfig> {
    let [_, c, h, w] = shape;
    let output = match kind {
        Kind::Liaf => "relu",
        Kind::Lif => "spike",
    };
    let neuron = format!("[[layers]]\ntype = 'neuron'\noutput = '{output}'\n");
    let block = |channels: usize| {
        format!(
            "[[layers]]\ntype = 'conv2d'\nchannels = {channels}\nkernel = 3\npadding = 1\n{neuron}\
             [[layers]]\ntype = 'avg_pool'\nkernel = 2\n"
        )
    };
    let text = format!(
        "[inputs.frames]\nshape = [{c}, {h}, {w}]\n{}{}[[layers]]\ntype = 'flatten'\n\
         [[layers]]\ntype = 'dense'\nunits = 128\n{neuron}\
         [[layers]]\ntype = 'dense'\nunits = {classes}\n\
         [[layers]]\ntype = 'aggregate'\nkind = 'mean'\n",
        block(16),
        block(32)
    );
    Ok(NetworkConfig::from_toml(&text)?)
}

fn train(args: &Args, data: &Data, kind: Kind, seed: u64) -> Result<()> {
    let network = network(kind, data.shape, data.recipe.classes.len())?.build::<f32>(seed)?;
    let config = TrainConfig::from_toml(&format!(
        "tick = 'epoch'\noptimizer = {{ type = 'adamw', learning_rate = {} }}\n\
         schedule = {{ curve = {{ type = 'cosine', ticks = {} }} }}\nclip = {{ type = 'norm', max = 5.0 }}\n",
        args.rate, args.epochs
    ))?;
    let weights = network.parameter_count();
    let mut trainer = Trainer::new(network, config)?;
    trainer.notes_mut().insert(SampleRecipe::NOTE.into(), data.recipe.to_json()?);
    let (mut times, mut accuracies, mut loss) = (Vec::new(), Vec::new(), 0.0);
    for epoch in 0..args.epochs {
        let order = Key::new(seed).child(epoch).permutation(data.learn.labels.len());
        (loss, _) = order.chunks(args.batch).try_fold((0.0, 0), |(sum, n), chosen| {
            let (cells, labels) = gather(&data.learn, data.shape, chosen)?;
            let start = Instant::now();
            let report = trainer.step(&Inputs::of("frames", cells.view()), &labels)?;
            times.push(start.elapsed().as_secs_f64());
            anyhow::Ok((sum + report.loss * labels.len() as f64, n + labels.len()))
        })?;
        trainer.end_epoch();
        accuracies.push(evaluate(&mut trainer, data, args.batch)?.accuracy());
    }
    times.sort_by(f64::total_cmp);
    let best = accuracies.iter().copied().fold(0.0, f64::max);
    println!(
        "{kind:?} seed {seed}: test accuracy {:.2} % last, {:.2} % best of {} epochs; training loss \
         {:.4}; {weights} weights; {:.1} ms a step of {}; {} MiB at most",
        100.0 * accuracies.last().copied().unwrap_or_default(),
        100.0 * best,
        args.epochs,
        loss / data.learn.labels.len() as f64,
        1e3 * times[times.len() / 2],
        args.batch,
        peak_mib().map_or("?".into(), |mib| mib.to_string())
    );
    if let Some(folder) = &args.save {
        std::fs::create_dir_all(folder)?;
        trainer.save(folder.join(format!("{kind:?}_{seed}.safetensors").to_lowercase()))?;
    }
    Ok(())
}

fn evaluate(trainer: &mut Trainer<f32>, data: &Data, batch: usize) -> Result<Evaluation> {
    let mut all = Evaluation::default();
    let order: Vec<usize> = (0..data.test.labels.len()).collect();
    for chosen in order.chunks(batch) {
        let (cells, labels) = gather(&data.test, data.shape, chosen)?;
        all.add(&trainer.evaluate(&Inputs::of("frames", cells.view()), &labels)?);
    }
    Ok(all)
}

/// A batch `[N, T, C, H, W]` of chosen samples.
fn gather(
    samples: &Samples,
    shape: [usize; 4],
    chosen: &[usize],
) -> Result<(ArrayD<f32>, Vec<usize>)> {
    let len = shape.iter().product::<usize>();
    let all = ArrayView::from_shape((samples.labels.len(), len), &samples.cells)?;
    let batch = all.select(ndarray::Axis(0), chosen);
    let axes: Vec<usize> = std::iter::once(chosen.len()).chain(shape).collect();
    let labels = chosen.iter().map(|&i| samples.labels[i]).collect();
    Ok((batch.into_shape_with_order(IxDyn(&axes))?, labels))
}

/// Largest resident set of this process so far, where the system says so.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}
