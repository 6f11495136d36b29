//! `liaf-bench e2e`: from a file of events to classes, the whole way, timed by stage.
//!
//! Events are read from the mapped file, binned to frames of 10 ms, and passed through a network frame
//! by frame, as from a camera, or in batches of samples. The networks have their first weights: the
//! classes mean nothing, but they are the same in every run.

mod run;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::memory;
use crate::nets::Model;
use run::{Stages, Way, Work};

/// Bundled recordings, of a format each.
const FIXTURES: [&str; 4] = [
    "aedat4/dv_all_lz4.aedat4",
    "aedat2/davis346.aedat",
    "evt3/faery_vectors.raw",
    "dat/faery_cd.dat",
];

/// What to time.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Recordings of any format that is read [default: recordings from the folder `fixtures`]
    files: Vec<PathBuf>,

    /// Networks, as for `nets`
    #[arg(long, value_delimiter = ',', default_values = ["M2", "gesture-a"])]
    models: Vec<String>,

    /// Frame by frame, or in batches of samples
    #[arg(long, value_delimiter = ',', default_values = ["stream", "batch"])]
    ways: Vec<Way>,

    /// Threads; 0 = one for each processor
    #[arg(long, short = 'j', default_value_t = 0)]
    threads: usize,

    /// How often each file is processed; the median counts
    #[arg(long, default_value_t = 5)]
    runs: usize,

    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// Times every file with every network.
pub fn run(args: &Args) -> Result<()> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/good");
    let bundled: Vec<_> = FIXTURES.iter().map(|name| fixtures.join(name)).collect();
    let files = if args.files.is_empty() { &bundled } else { &args.files };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build()?;
    let threads = pool.current_num_threads();
    let mut out = io::stdout();
    if !args.json {
        writeln!(
            out,
            "{:24} {:12} {:6} {:>2} {:>9} {:>7} {:>9} {:>10} {:>9} {:>6} {:>7} {:>8} {:>6}",
            "file",
            "model",
            "way",
            "j",
            "events",
            "frames",
            "s",
            "events/s",
            "frames/s",
            "read %",
            "frames %",
            "network %",
            "MiB"
        )?;
    }
    for name in &args.models {
        let work = Work::new(Model::named(name)?)?;
        for file in files {
            for &way in &args.ways {
                let row = pool
                    .install(|| time(&work, file, way, args.runs.max(1)))
                    .with_context(|| file.display().to_string())?;
                print(&mut out, args.json, (file, name, way, threads), &row)?;
            }
        }
    }
    Ok(())
}

/// The times of one file.
struct Row {
    /// Of the run with the median time.
    stages: Stages,
    least: f64,
    rss_mib: f64,
}

/// One run that is not counted, then `runs` runs that are.
fn time(work: &Work, file: &Path, way: Way, runs: usize) -> Result<Row> {
    memory::reset_peak();
    let first = work.classify(file, way)?;
    let mut all = (0..runs).map(|_| work.classify(file, way)).collect::<Result<Vec<_>>>()?;
    ensure!(all.iter().all(|run| run.classes == first.classes), "runs gave different classes");
    all.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let least = all[0].seconds;
    Ok(Row { least, rss_mib: memory::peak_mib(), stages: all.swap_remove(runs / 2) })
}

fn print(
    out: &mut impl Write,
    as_json: bool,
    (file, model, way, threads): (&Path, &str, Way, usize),
    row: &Row,
) -> Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let Stages { events, frames, seconds, read, binned, network, .. } = row.stages;
    let way = way.name();
    let rates = [events, frames].map(|count| count as f64 / seconds);
    let shares = [read, binned, network].map(|part| part / seconds);
    if as_json {
        let row: Value = json!({
            "fw": "liaf", "file": name, "model": model, "way": way, "threads": threads,
            "events": events, "frames": frames, "s": seconds, "s_min": row.least,
            "events_s": rates[0], "frames_s": rates[1], "share_read": shares[0],
            "share_frames": shares[1], "share_network": shares[2], "rss_mib": row.rss_mib,
            "classes": row.stages.classes,
        });
        writeln!(out, "{row}")?;
    } else {
        let [read, binned, network] = shares.map(|share| 100.0 * share);
        writeln!(
            out,
            "{name:24} {model:12} {way:6} {threads:>2} {events:>9} {frames:>7} {seconds:>9.4} \
             {:>10.0} {:>9.0} {read:>6.1} {binned:>8.1} {network:>9.1} {:>6.0}",
            rates[0], rates[1], row.rss_mib
        )?;
    }
    Ok(())
}
