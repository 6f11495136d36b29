//! Times of one network in this process.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Result;
use liaf_core::graph::Inputs;
use liaf_core::optim::{Adam, OptimizerConfig};
use liaf_core::train::{TrainConfig, Trainer};
use liaf_core::{Mode, Workspace};
use serde_json::{Map, Value};

use super::models::Model;
use crate::{cpu, memory};

/// Samples of a batch.
pub const BATCH: usize = 16;

/// Once a job has taken this long and was run three times, it is not run again.
const BUDGET: Duration = Duration::from_secs(20);

/// Times a network on the threads of the current pool. The keys are those of the peers' programs:
/// seconds, MiB, GFLOP/s.
pub fn measure(name: &str, threads: usize, runs: usize) -> Result<Value> {
    let model = Model::named(name)?;
    let mut row = Row::default();
    let malloc = std::env::var("MALLOC_MMAP_THRESHOLD_").unwrap_or_else(|_| "default".into());
    row.set("fw", "liaf");
    row.set("model", name);
    row.set("threads", threads);
    row.set("malloc", malloc);
    memory::reset_peak();
    row.set("rss_base", memory::peak_mib().round());
    let network = model.build()?;
    let (input, classes) = (model.input()?, network.output_shape().len());
    for (samples, runs) in [(1, runs.max(9)), (BATCH, runs)] {
        let x = model.frames(samples)?;
        let mut space = Workspace::new();
        row.time(&format!("inf{samples}"), runs, || {
            network.forward(&Inputs::of(&input, x.view()), Mode::eval(), &mut space)?;
            Ok(())
        })?;
    }
    step(&model, &network, &mut row)?;
    let x = model.frames(BATCH)?;
    let labels: Vec<_> = (0..BATCH).map(|n| n % classes).collect();
    let optimizer = OptimizerConfig::Adam(Adam { learning_rate: 1e-4, ..Adam::default() });
    let mut trainer = Trainer::new(network, TrainConfig { optimizer, ..TrainConfig::default() })?;
    row.time("train16", runs, || {
        trainer.step(&Inputs::of(&input, x.view()), &labels)?;
        Ok(())
    })?;
    let gflop = model.gflop()?;
    row.set("gflop", gflop);
    for (job, factor) in [("inf1", 1), ("inf16", BATCH), ("train16", 3 * BATCH)] {
        let gflops = gflop * factor as f64 / row.number(job);
        row.set(&format!("gflops_{job}"), gflops);
    }
    Ok(Value::Object(row.0))
}

/// Median and 99th percentile of the time of one frame, frame by frame through whole samples.
fn step(model: &Model, network: &liaf_core::Network<f32>, row: &mut Row) -> Result<()> {
    let input = model.input()?;
    let x = model.frames(1)?;
    let frame: usize = model.item.iter().product();
    let frames: Vec<&[f32]> = x.as_slice().map_or(Vec::new(), |x| x.chunks_exact(frame).collect());
    let mut times = Vec::new();
    let busy = Busy::start();
    while times.len() < 300 || busy.wall() < 0.5 {
        let mut state = network.state();
        for (number, frame) in frames.iter().enumerate() {
            let start = Instant::now();
            network.step(&[(&input, frame)], &mut state)?;
            let seconds = start.elapsed().as_secs_f64();
            // The first frame of a recording allocates the memory.
            if number > 0 {
                times.push(seconds);
            }
        }
        if busy.wall() > BUDGET.as_secs_f64() {
            break;
        }
    }
    row.set("step_others", busy.others());
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    row.set("step_p50", at(0.5));
    row.set("step_p99", at(0.99));
    Ok(())
}

/// The shortest time of `job`, which is repeated for this long.
pub fn best(duration: Duration, mut job: impl FnMut() -> Result<()>) -> Result<f64> {
    job()?;
    let (start, mut best) = (Instant::now(), f64::INFINITY);
    while start.elapsed() < duration {
        let one = Instant::now();
        job()?;
        best = best.min(one.elapsed().as_secs_f64());
    }
    Ok(best)
}

#[derive(Debug, Default)]
struct Row(Map<String, Value>);

impl Row {
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.into(), value.into());
    }

    fn number(&self, key: &str) -> f64 {
        self.0.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN)
    }

    /// Two runs that do not count, then `runs` runs: their median and minimum, the share of the
    /// processors that other processes had meanwhile, and the largest memory.
    fn time(&mut self, job: &str, runs: usize, mut run: impl FnMut() -> Result<()>) -> Result<()> {
        memory::reset_peak();
        run()?;
        run()?;
        let busy = Busy::start();
        let mut times = Vec::new();
        while times.len() < runs && !(times.len() >= 3 && busy.wall() > BUDGET.as_secs_f64()) {
            let start = Instant::now();
            run()?;
            times.push(start.elapsed().as_secs_f64());
        }
        let others = busy.others();
        times.sort_by(f64::total_cmp);
        self.set(job, times[times.len() / 2]);
        self.set(&format!("{job}_min"), times[0]);
        self.set(&format!("{job}_others"), others);
        self.set(&format!("rss_{job}"), memory::peak_mib().round());
        Ok(())
    }
}

impl Model {
    /// The name of the input.
    pub fn input(&self) -> Result<String> {
        let names = self.config.inputs.keys().next();
        names.cloned().ok_or_else(|| anyhow::anyhow!("the network has no input"))
    }
}

/// The processor time of all processes and of this one, from a start on.
struct Busy {
    start: Instant,
    all: f64,
    own: f64,
}

impl Busy {
    fn start() -> Self {
        Self { start: Instant::now(), all: all_seconds(), own: cpu::of_process() }
    }

    fn wall(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// The share of all processors that other processes had, 0 to 1; 0 where it is not reported.
    fn others(&self) -> f64 {
        let processors = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let others = (all_seconds() - self.all) - (cpu::of_process() - self.own);
        let share = (others / (self.wall() * processors)).max(0.0);
        (share * 1000.0).round() / 1000.0
    }
}

/// Seconds for which the processors were not idle.
fn all_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    // The fourth and fifth fields are idle time and waiting for disks; the last two are in the first.
    let busy = fields.take(8).enumerate().filter(|(i, _)| ![3, 4].contains(i));
    busy.filter_map(|(_, field)| field.parse::<f64>().ok()).sum::<f64>() / cpu::TICKS
}
