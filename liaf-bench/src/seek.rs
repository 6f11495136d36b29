//! `liaf-bench seek`: times random intervals of long recordings.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use liaf_data::write::{self, EventSpec, Target, WriteOptions};
use liaf_data::{ErrorKind, Event, EventBatch, ReadOptions, Recording, SensorSize};
use serde_json::json;

/// What to time.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Kinds of event files, as `liaf convert --to` names them
    #[arg(default_values = ["evt3", "evt2", "es", "aedat4", "aedat3", "aedat2", "dat", "csv"])]
    kinds: Vec<String>,

    /// Approximate size of each recording in bytes
    #[arg(long, default_value_t = 1_000_000_000)]
    bytes: u64,

    /// Number of random intervals of 10 ms
    #[arg(long, default_value_t = 50)]
    slices: u32,

    /// Folder in which the recordings are made, one after the other, and deleted again [default: the
    /// folder for temporary files]
    #[arg(long)]
    folder: Option<PathBuf>,

    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

const SENSOR: SensorSize = SensorSize::new(640, 480);
/// Events per millisecond.
const RATE: i64 = 5000;
/// Length of an interval, in µs.
const WINDOW: i64 = 10_000;
const BATCH: u64 = 1 << 20;

/// Times every kind.
pub fn run(args: &Args) -> Result<()> {
    let mut out = io::stdout();
    if !args.json {
        writeln!(
            out,
            "{:10} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "kind", "GB", "Mevents", "index s", "first ms", "fresh ms", "median ms", "max ms"
        )?;
    }
    for kind in &args.kinds {
        let target = write::target(kind).with_context(|| format!("{kind} is not written"))?;
        let folder = match &args.folder {
            Some(folder) => tempfile::tempdir_in(folder)?,
            None => tempfile::tempdir()?,
        };
        let path = folder.path().join("recording").with_extension(target.extension);
        let events = make(&path, target, args.bytes)?;
        let row = time(&path, events, args.slices).with_context(|| kind.clone())?;
        row.print(&mut out, kind, args.json)?;
    }
    Ok(())
}

/// Events at a steady rate, anywhere on the sensor.
fn event(i: u64) -> Event {
    let hash = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let (x, y) = ((hash >> 1) % 640, (hash >> 20) % 480);
    Event { t: i as i64 * 1000 / RATE, x: x as u16, y: y as u16, p: (hash & 1) as u8 }
}

/// Writes a recording of about `bytes` bytes and returns its number of events.
fn make(path: &Path, target: &'static Target, bytes: u64) -> Result<u64> {
    let write = |n: u64| -> Result<u64> {
        let options = WriteOptions {
            sync: false,
            overwrite: true,
            parallel: true,
            ..WriteOptions::default()
        };
        let writer = write::create(path, target, &EventSpec::new(SENSOR), &options);
        let mut writer = match writer {
            Err(error) if error.kind() == ErrorKind::Unsupported => bail!("{error}"),
            writer => writer?,
        };
        for first in (0..n).step_by(BATCH as usize) {
            let batch: EventBatch = (first..n.min(first + BATCH)).map(event).collect();
            writer.write(&batch)?;
        }
        Ok(writer.finish()?.bytes)
    };
    let sample = write(BATCH)?;
    let n = (bytes as f64 / sample as f64 * BATCH as f64) as u64;
    write(n)?;
    Ok(n)
}

struct Row {
    bytes: u64,
    events: u64,
    /// Seconds to make the index and write it beside the recording.
    index: f64,
    /// Seconds for the first interval of a recording that was never read, its opening included.
    first: f64,
    /// Seconds for an interval of a recording with an index beside it, opening and reading both
    /// included.
    fresh: f64,
    /// Seconds for intervals of an open recording with an index, sorted.
    slices: Vec<f64>,
}

fn time(path: &Path, events: u64, slices: u32) -> Result<Row> {
    let span = events as i64 * 1000 / RATE;
    let open = || Recording::open(path, ReadOptions::default());
    let start = Instant::now();
    check(&mut open()?, span / 3)?;
    let first = start.elapsed().as_secs_f64();
    let start = Instant::now();
    open()?.keep_index()?;
    let index = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut recording = open()?;
    recording.keep_index()?;
    check(&mut recording, span / 5 * 3)?;
    let fresh = start.elapsed().as_secs_f64();
    let mut times = Vec::new();
    for i in 0..u64::from(slices.max(1)) {
        let hash = (i + 1).wrapping_mul(0xd1b5_4a32_d192_ed03) >> 16;
        let at = (hash % (span - WINDOW) as u64) as i64;
        let start = Instant::now();
        check(&mut recording, at)?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let bytes = fs::metadata(path)?.len();
    Ok(Row { bytes, events, index, first, fresh, slices: times })
}

/// Reads the interval that begins at `at`, and compares it with what was written.
fn check(recording: &mut Recording, at: i64) -> Result<()> {
    let time = at..at + WINDOW;
    let mut found = EventBatch::new();
    recording.slice(time.clone())?.read_to_end(&mut found)?;
    let from = (at as u64 * RATE as u64).div_ceil(1000);
    let until = (time.end as u64 * RATE as u64).div_ceil(1000);
    ensure!(
        found.len() as u64 == until - from
            && found.get(0) == Some(event(from))
            && found.get(found.len() - 1) == Some(event(until - 1)),
        "{time:?}: the events differ from those that were written"
    );
    Ok(())
}

impl Row {
    fn print(&self, out: &mut impl Write, kind: &str, as_json: bool) -> io::Result<()> {
        let (gb, events) = (self.bytes as f64 / 1e9, self.events as f64 / 1e6);
        let (first, fresh) = (1e3 * self.first, 1e3 * self.fresh);
        let median = 1e3 * self.slices[self.slices.len() / 2];
        let max = 1e3 * self.slices[self.slices.len() - 1];
        if as_json {
            let row = json!({
                "kind": kind, "gb": gb, "mevents": events, "index_s": self.index,
                "first_ms": first, "fresh_ms": fresh, "median_ms": median, "max_ms": max,
            });
            writeln!(out, "{row}")
        } else {
            writeln!(
                out,
                "{kind:10} {gb:>6.2} {events:>9.1} {:>9.2} {first:>9.1} {fresh:>9.1} {median:>9.2} \
                 {max:>9.2}",
                self.index
            )
        }
    }
}
