//! `liaf-bench data`: recordings, timed.

use std::hint::black_box;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use liaf_data::convert::{
    ConvertOptions, EventConvertOptions, TimePolicy, convert, convert_events,
};
use liaf_data::filter::{Parameters, Selection};
use liaf_data::frames::{Binner, Frame, FrameOptions, Representation};
use liaf_data::tensor::{Compression, Container, TensorOptions};
use liaf_data::write::{self, WriteOptions};
use liaf_data::{EventBatch, ReadOptions, Recording, SensorSize};
use serde_json::json;

use crate::limit::Limit;
use crate::{cpu, memory};

/// What to time.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Recordings of any format that is read
    #[arg(required = true)]
    files: Vec<PathBuf>,

    /// Threads of the readers and the compressor; 0 = one for each processor
    #[arg(long, short = 'j', default_value_t = 0)]
    threads: usize,

    /// Print one JSON object per line
    #[arg(long)]
    json: bool,

    /// How often each job is run; the median counts
    #[arg(long, default_value_t = 5)]
    runs: usize,

    /// Jobs to time; also bin (frames of events that are in memory), plain (convert without
    /// compression), aedat4 (to an AEDAT 4 file with LZ4) and limit (what one thread takes to inflate the
    /// packets, or to read the pages, and to write 13 bytes per event)
    #[arg(long, value_delimiter = ',',
          value_parser = ["decode", "frames", "bin", "convert", "plain", "aedat4", "limit"],
          default_values = ["decode", "frames", "convert"])]
    jobs: Vec<String>,

    /// What a cell holds in the jobs frames and bin, as in voxel_grid:bins=5
    #[arg(long, value_name = "NAME", default_value = "count", value_parser = frames_of_10_ms)]
    repr: FrameOptions,
}

/// Times every job on every file.
pub fn run(args: &Args) -> Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build()?;
    let threads = pool.current_num_threads();
    let mut out = io::stdout();
    if !args.json {
        writeln!(
            out,
            "{:24} {:8} {:>7} {:>11} {:>9} {:>9} {:>9} {:>8} {:>8}",
            "file", "job", "threads", "events", "s", "s_min", "s_max", "mev_s", "rss_mib"
        )?;
    }
    for file in &args.files {
        for job in &args.jobs {
            let row = pool
                .install(|| time(file, job, threads, args))
                .with_context(|| file.display().to_string())?;
            row.print(&mut out, args.json)?;
        }
    }
    Ok(())
}

struct Row {
    file: String,
    job: String,
    threads: usize,
    events: u64,
    /// Seconds, sorted.
    times: Vec<f64>,
    /// Seconds of processor time, sorted.
    cpu: Vec<f64>,
    rss_mib: f64,
}

impl Row {
    fn print(&self, out: &mut impl Write, as_json: bool) -> io::Result<()> {
        let (min, max) = (self.times[0], self.times[self.times.len() - 1]);
        let median = self.times[self.times.len() / 2];
        let rate = self.events as f64 / median / 1e6;
        if as_json {
            let row = json!({
                "file": self.file, "job": self.job, "threads": self.threads,
                "events": self.events, "s": median, "s_min": min, "s_max": max,
                "cpu_s": self.cpu[self.cpu.len() / 2], "mev_s": rate, "rss_mib": self.rss_mib,
            });
            writeln!(out, "{row}")
        } else {
            writeln!(
                out,
                "{:24} {:8} {:>7} {:>11} {median:>9.4} {min:>9.4} {max:>9.4} {rate:>8.1} {:>8.1}",
                self.file, self.job, self.threads, self.events, self.rss_mib
            )
        }
    }
}

/// One run that is not counted, then `runs` runs that are.
fn time(file: &Path, job: &str, threads: usize, args: &Args) -> Result<Row> {
    let folder = tempfile::tempdir_in(file.parent().unwrap_or(Path::new(".")))
        .or_else(|_| tempfile::tempdir())?;
    let options = ReadOptions { parallel: threads > 1, ..ReadOptions::default() };
    let limit = if job == "limit" { Some(Limit::of(file)?) } else { None };
    let count = if limit.is_some() { decode(file, &options)?.events as usize } else { 0 };
    let held = if job == "bin" { Some(Held::read(file, &options)?) } else { None };
    let once = || -> Result<Done> {
        match (job, &held) {
            (_, Some(held)) => held.bin(&args.repr),
            ("decode", _) => decode(file, &options),
            ("frames", _) => frames(file, &options, &args.repr),
            ("limit", _) => {
                let columns = limit.as_ref().map(|limit| limit.reach(count)).transpose()?;
                Ok(Done { events: count as u64, _columns: columns.unwrap_or_default() })
            }
            ("aedat4", _) => to_aedat4(file, &options, &folder.path().join("events.aedat4")),
            _ => to_hdf5(file, &options, &folder.path().join("frames.h5"), job == "convert"),
        }
    };
    memory::reset_peak();
    let events = once()?.events;
    let (mut times, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..args.runs.max(1) {
        let (start, used) = (Instant::now(), cpu::seconds());
        let done = once()?;
        times.push(start.elapsed().as_secs_f64());
        cpu.push(cpu::seconds() - used);
        drop(black_box(done));
    }
    times.sort_by(f64::total_cmp);
    cpu.sort_by(f64::total_cmp);
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let rss_mib = memory::peak_mib();
    Ok(Row { file: name, job: job.to_owned(), threads, events, times, cpu, rss_mib })
}

/// What a job made. It is dropped after the clock has stopped.
struct Done {
    events: u64,
    _columns: EventBatch,
}

impl Done {
    fn without_columns(events: u64) -> Self {
        Self { events, _columns: EventBatch::new() }
    }
}

/// Decodes all events into newly allocated columns.
fn decode(file: &Path, options: &ReadOptions) -> Result<Done> {
    let mut columns = EventBatch::new();
    Recording::open(file, options.clone())?.reader()?.read_to_end(&mut columns)?;
    Ok(Done { events: columns.len() as u64, _columns: columns })
}

/// Frames of 10 ms whose cells hold `NAME` or `NAME:PARAMETER=VALUE,…`.
fn frames_of_10_ms(text: &str) -> liaf_data::Result<FrameOptions> {
    let (name, parameters) = Parameters::after_name(text)?;
    let options = FrameOptions::window_ms(10).representation(Representation::named(name)?);
    Ok(FrameOptions { parameters, ..options })
}

/// A sink of frames that are thrown away.
fn discard(frame: &Frame) -> liaf_data::Result<()> {
    black_box(frame);
    Ok(())
}

/// Bins all events into frames, which are thrown away.
fn frames(file: &Path, options: &ReadOptions, frames: &FrameOptions) -> Result<Done> {
    let mut recording = Recording::open(file, options.clone())?;
    let mut binner = Binner::new(frames, recording.find_sensor()?, None)?;
    let mut sink = discard;
    let mut reader = recording.reader()?;
    while reader.pump(&mut binner.to(&mut sink))? {}
    Ok(Done::without_columns(binner.finish(&mut sink)?.kept))
}

/// The events of a recording in memory.
struct Held {
    columns: EventBatch,
    sensor: SensorSize,
}

impl Held {
    fn read(file: &Path, options: &ReadOptions) -> Result<Self> {
        let mut recording = Recording::open(file, options.clone())?;
        let sensor = recording.find_sensor()?;
        let mut columns = EventBatch::new();
        recording.reader()?.read_to_end(&mut columns)?;
        Ok(Self { columns, sensor })
    }

    /// Bins the events into frames, whose memory is used again for each.
    fn bin(&self, frames: &FrameOptions) -> Result<Done> {
        let mut binner = Binner::new(frames, self.sensor, None)?;
        binner.push(&self.columns, &mut discard)?;
        Ok(Done::without_columns(binner.finish(&mut discard)?.kept))
    }
}

/// Converts to an HDF5 file, which the system may write to disk whenever it likes.
fn to_hdf5(file: &Path, options: &ReadOptions, output: &Path, deflate: bool) -> Result<Done> {
    let mut recording = Recording::open(file, options.clone())?;
    let tensor = TensorOptions {
        overwrite: true,
        sync: false,
        parallel: options.parallel,
        compression: if deflate { Compression::Runs } else { Compression::None },
        ..TensorOptions::default()
    };
    let options =
        ConvertOptions { frames: FrameOptions::default(), container: Container::H5, tensor };
    let go_on = &mut |_: &_| ControlFlow::Continue(());
    let done = convert(&mut recording, Some(output), &options, go_on)?;
    Ok(Done::without_columns(done.frames.kept))
}

/// Converts to an AEDAT 4 file, which the system may write to disk whenever it likes.
fn to_aedat4(file: &Path, options: &ReadOptions, output: &Path) -> Result<Done> {
    let mut recording = Recording::open(file, options.clone())?;
    let options = EventConvertOptions {
        target: write::target("aedat4").context("AEDAT 4 is not written")?,
        selection: Selection::default(),
        time_policy: TimePolicy::default(),
        write: WriteOptions {
            overwrite: true,
            sync: false,
            parallel: options.parallel,
            ..WriteOptions::default()
        },
    };
    let go_on = &mut |_: &_| ControlFlow::Continue(());
    let done = convert_events(&mut recording, Some(output), &options, go_on)?;
    Ok(Done::without_columns(done.events.kept))
}
