//! `liaf-bench nets`: inference, training and streaming of networks, timed, also beside networks in
//! Python.
//!
//! Every figure comes from a process of its own, so that no memory of one network is counted for
//! another, and so that ours and those of the peers alternate.

mod limits;
mod measure;
mod models;
mod peers;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

pub use measure::BATCH;
pub use models::Model;
use peers::Peers;

/// What to time.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Networks: M1, M2, M3, M1-bn, or names of the zoo [default: all of docs/benchmarks.md]
    #[arg(long, value_delimiter = ',')]
    models: Vec<String>,

    /// Threads [default: 1 and 2]
    #[arg(long, short = 'j', value_delimiter = ',')]
    threads: Vec<usize>,

    /// Print one JSON object per line: seconds, MiB, GFLOP/s
    #[arg(long)]
    json: bool,

    /// How often each job is run in a process; the median counts
    #[arg(long, default_value_t = 5)]
    runs: usize,

    /// A folder with bench.py, which times the same networks in Python: it is run as `bench.py FW
    /// MODEL THREADS RUNS`, alternating with ours, and prints a line of JSON
    #[arg(long, value_name = "DIR")]
    peers: Option<PathBuf>,

    /// The Python that has the packages of the peers [default: bin/python, venv/bin/python or
    /// .venv/bin/python in DIR, else python3]
    #[arg(long, requires = "peers")]
    python: Option<PathBuf>,

    /// The peers to run: the FW of bench.py
    #[arg(long, value_delimiter = ',', requires = "peers",
          default_values = ["plain-bptt-cl", "spikingjelly-liaf", "spikingjelly-lif", "snntorch"])]
    frameworks: Vec<String>,

    /// How often ours and each peer alternate
    #[arg(long, default_value_t = 7, requires = "peers")]
    pairs: usize,

    /// Hold the peers to AVX2 on a processor that has AVX-512; ours uses what there is
    #[arg(long, requires = "peers")]
    avx2: bool,
}

/// What one process times.
#[derive(Debug, clap::Args)]
pub struct OneArgs {
    /// A network, or `limits`
    model: String,
    threads: usize,
    runs: usize,
}

/// Times one network in this process, and prints its row.
pub fn run_one(args: &OneArgs) -> Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build()?;
    let row = pool.install(|| match args.model.as_str() {
        "limits" => limits::measure(args.threads),
        model => measure::measure(model, args.threads, args.runs),
    })?;
    writeln!(io::stdout(), "{row}")?;
    Ok(())
}

/// Times every network in a process of its own.
pub fn run(args: &Args) -> Result<()> {
    let threads = if args.threads.is_empty() { &[1, 2][..] } else { &args.threads };
    let mut report = Report { out: io::stdout(), json: args.json, limits: BTreeMap::new() };
    if !args.json {
        writeln!(report.out, "{}", processor())?;
    }
    for &threads in threads {
        let row = ours("limits", threads, args.runs)?;
        report.limits(threads, &row)?;
    }
    let known = models::NAMES.map(str::to_owned);
    let models = if args.models.is_empty() { &known[..] } else { &args.models };
    let peers = args.peers.as_deref().map(|folder| Peers::new(folder, args)).transpose()?;
    report.head()?;
    for model in models {
        for &threads in threads {
            match &peers {
                Some(peers) => peers.alternate(model, threads, args, &mut report)?,
                None => report.row(&ours(model, threads, args.runs)?)?,
            }
        }
    }
    Ok(())
}

/// The row of a network that this program times in another process.
fn ours(model: &str, threads: usize, runs: usize) -> Result<Value> {
    let program = std::env::current_exe().context("the path of this program")?;
    let mut command = Command::new(program);
    command.args(["net", model]).args([threads, runs].map(|n| n.to_string()));
    row_of(command).with_context(|| format!("{model} on {threads} threads"))
}

/// The last line that a program prints, as JSON.
fn row_of(mut command: Command) -> Result<Value> {
    let done = command.stderr(std::process::Stdio::inherit()).output()?;
    if !done.status.success() {
        bail!("{} ended with {}", command.get_program().display(), done.status);
    }
    let text = String::from_utf8_lossy(&done.stdout);
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("no line of JSON: {line:?}"))
}

/// The name of the processor, as Linux reports it.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |key: &str| {
        let line = info.lines().find(|line| line.split(':').next().map(str::trim) == Some(key));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
    };
    let name = value("model name").unwrap_or_else(|| "unknown processor".into());
    let flags = value("flags").unwrap_or_default();
    let wide = ["avx512f", "avx2"].into_iter().find(|&flag| flags.split(' ').any(|f| f == flag));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{name}, {cores} processors, {}", wide.unwrap_or("neither AVX2 nor AVX-512"))
}

/// What is printed, row by row.
#[derive(Debug)]
struct Report {
    out: io::Stdout,
    json: bool,
    /// The best convolution in GFLOP/s by number of threads.
    limits: BTreeMap<usize, f64>,
}

impl Report {
    fn limits(&mut self, threads: usize, row: &Value) -> Result<()> {
        let (conv, peak) = (number(row, "gflops_conv"), number(row, "gflops_peak"));
        self.limits.insert(threads, conv);
        if self.json {
            writeln!(self.out, "{row}")?;
        } else {
            let which = row.get("conv").and_then(Value::as_str).unwrap_or_default();
            writeln!(
                self.out,
                "{threads} threads: best convolution {conv:.0} GFLOP/s ({which}), peak {peak:.0}"
            )?;
        }
        Ok(())
    }

    fn head(&mut self) -> Result<()> {
        if !self.json {
            writeln!(
                self.out,
                "\n{:18} {:14} {:>2} {:>9} {:>9} {:>9} {:>8} {:>8} {:>7} {:>7} {:>6} {:>6} {:>6} \
                 {:>6} {:>6}",
                "fw",
                "model",
                "j",
                "b1 ms",
                "b16 ms",
                "train ms",
                "step ms",
                "p99 ms",
                "b16/s",
                "train/s",
                "GFLOPS",
                "share",
                "MiB",
                "MiB",
                "others",
            )?;
        }
        Ok(())
    }

    /// One row: medians in ms; samples per second and GFLOP/s of training; its share of the best
    /// convolution; the largest memory of inference and training; the largest share of other processes.
    fn row(&mut self, row: &Value) -> Result<()> {
        let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default();
        let threads = row.get("threads").and_then(Value::as_u64).unwrap_or(0) as usize;
        let best = self.limits.get(&threads).copied().unwrap_or(f64::NAN);
        let shares =
            ["inf1", "inf16", "train16"].map(|job| number(row, &format!("gflops_{job}")) / best);
        if self.json {
            let mut row = row.clone();
            if let Some(row) = row.as_object_mut() {
                for (job, share) in ["inf1", "inf16", "train16"].into_iter().zip(shares) {
                    row.insert(format!("of_best_conv_{job}"), share.into());
                }
            }
            writeln!(self.out, "{row}")?;
            return Ok(());
        }
        let others = ["inf1_others", "inf16_others", "train16_others"].map(|key| number(row, key));
        let samples = BATCH as f64;
        writeln!(
            self.out,
            "{:18} {:14} {threads:>2} {:>9.2} {:>9.1} {:>9.1} {:>8.3} {:>8.3} {:>7.1} {:>7.1} \
             {:>6.1} {:>6.2} {:>6.0} {:>6.0} {:>6.2}",
            text("fw"),
            text("model"),
            number(row, "inf1") * 1e3,
            number(row, "inf16") * 1e3,
            number(row, "train16") * 1e3,
            number(row, "step_p50") * 1e3,
            number(row, "step_p99") * 1e3,
            samples / number(row, "inf16"),
            samples / number(row, "train16"),
            number(row, "gflops_train16"),
            shares[2],
            number(row, "rss_inf16"),
            number(row, "rss_train16"),
            others.into_iter().fold(0.0, f64::max),
        )?;
        Ok(())
    }

    /// A line about a comparison.
    fn line(&mut self, line: &str) -> Result<()> {
        if !self.json {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }
}

/// A number of a row; NaN if it has none.
fn number(row: &Value, key: &str) -> f64 {
    row.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN)
}
