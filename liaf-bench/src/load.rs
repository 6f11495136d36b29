//! `liaf-bench load`: batches of the samples of a tensor file, timed beside reading its bytes.

use std::fs;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use liaf::data::Limits;
use liaf::data::tensor::TensorFile;
use liaf::samples::{Collated, Examples, Loader, Order, SampleSet, StoredSamples};
use serde_json::json;

use crate::cpu;

/// What to time.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A tensor file of `liaf dataset`, with labels
    file: PathBuf,

    /// Samples of a batch
    #[arg(long, default_value_t = 32)]
    batch: usize,

    /// Background threads of the loader
    #[arg(long, short = 'j', default_value_t = 2)]
    threads: usize,

    /// How often each job is run; the median counts
    #[arg(long, default_value_t = 7)]
    runs: usize,
}

/// Prints one line of JSON: medians in seconds of the clock, and, with `_cpu`, means in seconds of processors.
///
/// | key | what is timed |
/// |---|---|
/// | `read` | reading the bytes of the file, in pieces of 1 MiB |
/// | `first` | opening the file, and the first batch of a shuffled epoch |
/// | `held` | the same with all samples in memory |
/// | `epoch` | a shuffled epoch of samples in memory, on background threads |
pub fn run(args: &Args) -> Result<()> {
    let path = &args.file;
    let median = |job: &mut dyn FnMut() -> Result<()>| median(args.runs, job);
    let set = StoredSamples::read(path, &Limits::default())?;
    let loader = Loader { threads: args.threads, ..Loader::new(args.batch) };
    let (mut seed, mut cells) = (0, 0.0);
    let read = median(&mut || read(path))?;
    let first = median(&mut || first_batch(path, args.batch))?;
    let held = median(&mut || {
        let set = StoredSamples::read(path, &Limits::default())?;
        epoch(&Loader { threads: 0, ..loader }, &set, 1, 0, &mut |_| {})
    })?;
    let whole = median(&mut || {
        (seed, cells) = (seed + 1, 0.0);
        let add = &mut |batch: &Collated| cells += sum(batch);
        epoch(&loader, &set, usize::MAX, seed, add)
    })?;
    let samples = set.len();
    let row = json!({
        "file": path.file_name().unwrap_or_default().to_string_lossy(),
        "bytes": fs::metadata(path)?.len(), "samples": samples, "batch": args.batch,
        "threads": args.threads, "cells": cells,
        "read": read.0, "read_cpu": read.1, "first": first.0, "first_cpu": first.1,
        "held": held.0, "held_cpu": held.1, "epoch": whole.0, "epoch_cpu": whole.1,
    });
    writeln!(io::stdout(), "{row}")?;
    Ok(())
}

/// The median of the seconds of `runs` runs after one that is not counted, and the mean of the seconds of
/// processors, which the system counts in ticks that may be longer than a run.
fn median(runs: usize, job: &mut dyn FnMut() -> Result<()>) -> Result<(f64, f64)> {
    job()?;
    let (mut times, before) = (Vec::new(), cpu::of_process());
    for _ in 0..runs.max(1) {
        let start = Instant::now();
        job()?;
        times.push(start.elapsed().as_secs_f64());
    }
    let used = (cpu::of_process() - before) / times.len() as f64;
    times.sort_by(f64::total_cmp);
    Ok((times[times.len() / 2], used))
}

fn read(path: &Path) -> Result<()> {
    let (mut file, mut piece) = (fs::File::open(path)?, vec![0; 1 << 20]);
    while file.read(&mut piece)? > 0 {
        black_box(&piece);
    }
    Ok(())
}

fn first_batch(path: &Path, batch: usize) -> Result<()> {
    let file = TensorFile::open(path, &Limits::default())?;
    let set = SampleSet::of(&file)?;
    let mut batches = set.batches::<f32>(batch, Order::Shuffled { seed: 1, epoch: 0 });
    black_box(batches.next().context("there are no samples")??);
    Ok(())
}

/// Passes the first batches of a shuffled epoch to `take`.
fn epoch(
    loader: &Loader,
    set: &StoredSamples,
    batches: usize,
    seed: u64,
    take: &mut dyn FnMut(&Collated),
) -> Result<()> {
    let mut order = loader.shuffled(set, seed, 0);
    order.truncate(batches);
    loader.run(set, &order, seed, 0, |batch| {
        take(black_box(&batch));
        Ok(())
    })?;
    Ok(())
}

/// The sum of the first cell of each sample, so that every batch is looked at.
fn sum(batch: &Collated) -> f64 {
    let frames = batch.array("frames").and_then(|frames| frames.as_slice()).unwrap_or_default();
    frames.iter().step_by((frames.len() / batch.len().max(1)).max(1)).map(|&c| f64::from(c)).sum()
}
