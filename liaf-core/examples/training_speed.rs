//! Times of networks for event cameras: one sample, a batch of 16, and a training step of 16
//! (forward, back, Adam). Frames are counts of which 5 % are not 0.
//!
//!     cargo run --release -p liaf-core --example training_speed -- [NET] [THREADS] [REPEATS]
//!
//! NET is `gesture` (60 steps of 2x32x32; 1801 M multiply-accumulates per sample), `mnist` (20 steps of
//! 2x28x28; 27 M) or `cifar` (10 steps of 2x42x42; 3867 M). Prints medians of the wall time and of the
//! processor time of all threads, which is more reliable if other programs run.

use std::time::Instant;

use liaf_core::graph::Inputs;
use liaf_core::layer::{Aggregate, AggregateKind, AvgPool, Conv2d, Dense, Flatten};
use liaf_core::neuron::Neuron;
use liaf_core::optim::{Adam, OptimizerConfig};
use liaf_core::rng::Key;
use liaf_core::train::{TrainConfig, Trainer};
use liaf_core::{Error, Mode, NetworkConfig, Result, Workspace};
use ndarray::{ArrayD, IxDyn};

enum Part {
    Conv(usize),
    Pool,
    Dense(usize),
    Out(usize),
}

/// Steps, item and network.
fn net(name: &str) -> Option<(usize, [usize; 3], NetworkConfig)> {
    use Part::{Conv, Dense as Fc, Out, Pool};
    let (steps, item, parts) = match name {
        "gesture" => (
            60,
            [2, 32, 32],
            vec![Conv(64), Pool, Conv(128), Pool, Conv(128), Pool, Fc(256), Out(11)],
        ),
        "mnist" => (20, [2, 28, 28], vec![Conv(16), Pool, Conv(32), Pool, Fc(128), Out(10)]),
        "cifar" => (
            10,
            [2, 42, 42],
            vec![Conv(64), Conv(128), Pool, Conv(256), Pool, Conv(512), Pool, Fc(512), Out(10)],
        ),
        _ => return None,
    };
    let mut config = NetworkConfig::sequential(item);
    let mut image = true;
    for part in parts {
        if image && matches!(part, Fc(_) | Out(_)) {
            (config, image) = (config.then(Flatten {}), false);
        }
        config = match part {
            Conv(channels) => {
                config.then(Conv2d::new(channels, 3).padding(1)).then(Neuron::default())
            }
            Pool => config.then(AvgPool::new(2)),
            Fc(units) => config.then(Dense::new(units)).then(Neuron::default()),
            Out(units) => config.then(Dense::new(units)),
        };
    }
    Some((steps, item, config.then(Aggregate::new(AggregateKind::Mean))))
}

/// Frames in which 5 % of the cells are 1.
fn frames(samples: usize, steps: usize, item: [usize; 3]) -> ArrayD<f32> {
    let shape = [samples, steps, item[0], item[1], item[2]];
    let count = |i: u64| if Key::new(1).uniform(i) < 0.05 { 1.0 } else { 0.0 };
    let numbers = (0..shape.iter().product::<usize>() as u64).map(count).collect();
    ArrayD::from_shape_vec(IxDyn(&shape), numbers).unwrap_or_default()
}

/// Processor time of all threads so far in seconds, and the largest memory in MiB; 0 where the system
/// does not report it.
fn used() -> (f64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
    ((ticks(12) + ticks(13)) / 100.0, kib.unwrap_or(0) / 1024)
}

/// Runs once, then `repeats` times.
fn time(name: &str, repeats: usize, mut run: impl FnMut() -> Result<()>) -> Result<()> {
    run()?;
    let (before, _) = used();
    let mut times = Vec::new();
    for _ in 0..repeats {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let (after, peak) = used();
    let median = times.get(times.len() / 2).copied().unwrap_or(0.0);
    println!(
        "{name:<12} {:9.1} ms (best {:.1}), processor {:9.1} ms, peak memory {peak} MiB",
        median * 1e3,
        times.first().copied().unwrap_or(0.0) * 1e3,
        (after - before) / repeats.max(1) as f64 * 1e3,
    );
    Ok(())
}

fn main() -> Result<()> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let name = args.first().map_or("gesture", String::as_str);
    let (steps, item, config) =
        net(name).ok_or_else(|| Error::config("unknown network").found(name))?;
    let number = |i: usize, default: usize| {
        args.get(i).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (threads, repeats) = (number(1, 2), number(2, 5));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| Error::config(format!("no threads: {e}")))?;
    println!("{name}, {threads} threads, {repeats} repeats");
    pool.install(|| {
        let network = config.build::<f32>(0)?;
        let mut space = Workspace::new();
        for (name, samples) in [("1 sample", 1), ("16 samples", 16)] {
            let x = frames(samples, steps, item);
            time(name, repeats, || {
                let inputs = Inputs::of("input", x.view());
                network.forward(&inputs, Mode::eval(), &mut space).map(|_| ())
            })?;
        }
        drop(space);
        let x = frames(16, steps, item);
        let classes = network.output_shape().len();
        let labels: Vec<_> = (0..16).map(|n| n % classes).collect();
        let optimizer = OptimizerConfig::Adam(Adam { learning_rate: 1e-4, ..Adam::default() });
        let mut trainer =
            Trainer::new(network, TrainConfig { optimizer, ..TrainConfig::default() })?;
        time("training", repeats, || {
            trainer.step(&Inputs::of("input", x.view()), &labels).map(|_| ())
        })
    })
}
