//! `liaf convert`: writes recordings as tensor files or other event files, and their other streams as
//! files.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use anyhow::{Context, Result};
use liaf::data::convert::{
    ConvertOptions, EventConvertOptions, MeasurementConvertOptions, convert, convert_events,
    convert_measurements,
};
use liaf::data::filter::Selection;
use liaf::data::measurements::MeasurementOptions;
use liaf::data::model::StreamKind;
use liaf::data::options::Coords;
use liaf::data::tensor::{Container, TensorOptions};
use liaf::data::write::WriteOptions;
use liaf::data::{ErrorKind, ReadOptions, Recording};

use serde_json::Value;

use super::account::Done;
use super::account_json;
use super::convert_args::Args;
use super::summary::Summary;
use crate::hints;
use crate::inputs;
use crate::kind::Kind;
use crate::outputs::{self, Job, Usage};
use crate::progress::Bar;
use crate::{text, threads};

/// Converts every input. The exit code is a failure if one of them could not be converted.
pub fn run(args: &Args) -> Result<ExitCode> {
    // Contradictory options are reported before any file is looked for.
    args.check_format()?;
    let selection = args.selection()?;
    let files = inputs::expand(&args.inputs)?;
    let read = args.read.options(Coords::Canonical)?;
    args.read.say_fewer_threads();
    let kind = match args.kind()? {
        None if outputs::is_folder(&args.output) || args.output.extension().is_none() => {
            usual_kind(&files, &read)?
        }
        kind => kind,
    };
    let jobs = match args.join {
        true => outputs::plan(&files[..files.len().min(1)], &args.output, kind)?,
        false => outputs::plan(&files, &args.output, kind)?,
    };
    if args.join {
        outputs::check_apart(&jobs, &files)?;
    }
    let make = match jobs.first().map(|job| job.kind) {
        Some(Kind::Events(target)) => Make::Events(EventConvertOptions {
            target,
            selection: selection.clone(),
            time_policy: args.time_policy(),
            write: args.write(target)?,
        }),
        Some(Kind::Tensor(container)) => Make::Tensor(ConvertOptions {
            frames: args.frames()?,
            container,
            tensor: args.tensor()?,
        }),
        Some(Kind::Png) => Make::Frames,
        None => return Ok(ExitCode::SUCCESS),
    };
    let work = Work {
        make,
        read,
        pieces: if args.join { files.clone() } else { Vec::new() },
        meant: args.read.format().filter(|name| Kind::named(name).is_some()).map(str::to_owned),
        measurements: args.measurements(),
        selection,
        only_for_events: args.only_for_events(),
        dry_run: args.dry_run,
        index: args.index,
        bar: Bar::new(&files, args.quiet),
        quiet: args.quiet,
        json: args.json,
        summary: Mutex::new(Summary::new(jobs.len(), args.verbose)),
        unprinted: Mutex::new(None),
    };
    let threads = args.read.threads();
    let failed = if jobs.len() >= threads && jobs.len() > 1 {
        many(&work, &jobs, threads)?
    } else {
        args.read.on_threads(|| jobs.iter().filter(|job| !one(&work, job, threads > 1)).count())?
    };
    work.bar.finish();
    if let Some(error) = lock(&work.unprinted).take() {
        return Err(error.into());
    }
    let summary = lock(&work.summary);
    if let Some(totals) = summary.totals().filter(|_| !work.quiet && !work.json) {
        text::say(totals);
    }
    for warning in summary.repeated() {
        text::say(warning);
    }
    if failed > 0 && jobs.len() > 1 {
        text::say(format_args!("liaf: {failed} of {} files failed", jobs.len()));
    }
    Ok(if failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is the same for every input.
struct Work {
    make: Make,
    read: ReadOptions,
    /// The pieces of the only recording, if the inputs are joined.
    pieces: Vec<PathBuf>,
    /// The format that `--format` states, if a kind of output has this name as well.
    meant: Option<String>,
    /// How a stream other than events is written, and the first given option that does not apply to it.
    measurements: MeasurementOptions,
    selection: Selection,
    only_for_events: Option<&'static str>,
    dry_run: bool,
    index: bool,
    bar: Bar,
    quiet: bool,
    json: bool,
    summary: Mutex<Summary>,
    /// The error that stopped the JSON lines on standard output.
    unprinted: Mutex<Option<io::Error>>,
}

/// What is made of every file.
enum Make {
    Tensor(ConvertOptions),
    Events(EventConvertOptions),
    /// Frames of a camera.
    Frames,
}

impl Make {
    /// Advice for a large output that an option would make smaller.
    fn advice_on_size(&self, done: &Done) -> Option<String> {
        const LARGE: u64 = 256 << 20;
        let Self::Tensor(options) = self else { return None };
        let bytes = done.counts().bytes;
        let is_plain = options.container == Container::Npz && !options.tensor.npz_deflate;
        (is_plain && bytes > LARGE).then(|| {
            let is = if done.is_written() { "is" } else { "would be" };
            format!(
                "the .npz {is} {}, usually mostly zeros: --npz-deflate makes it smaller",
                text::bytes(bytes)
            )
        })
    }
}

/// The kind of the files in an output folder if `--to` is not given: what suits the chosen stream.
fn usual_kind(files: &[PathBuf], read: &ReadOptions) -> Result<Option<Kind>> {
    let Some(file) = files.first().filter(|file| read.stream.is_some() && file.is_file()) else {
        return Ok(None);
    };
    let recording = Recording::open(file, ReadOptions { parallel: false, ..read.clone() })?;
    Ok(match recording.info().chosen().map(|stream| stream.kind) {
        Some(StreamKind::Frames) => Some(Kind::Png),
        Some(StreamKind::Imu | StreamKind::Triggers) => Kind::named("csv"),
        _ => None,
    })
}

/// Converts one file per thread, if there are enough files: then none of them needs more than one
/// thread.
fn many(work: &Work, jobs: &[Job], threads: usize) -> Result<usize> {
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let convert = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            if !one(work, job, false) {
                failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let stop = || next.store(jobs.len(), Ordering::Relaxed);
    threads::each(threads, || Builder::new().name("liaf-file".into()), convert, stop)?;
    Ok(failed.into_inner())
}

/// Converts one file and reports how it went.
fn one(work: &Work, job: &Job, parallel: bool) -> bool {
    let result = try_one(work, job, parallel);
    work.bar.file_done();
    match &result {
        Ok(done) => {
            let mut summary = lock(&work.summary);
            let mut warnings = done.warnings();
            warnings.extend(work.make.advice_on_size(done));
            summary.add(done);
            if work.json {
                work.print(&account_json::of_done(job, done, &warnings));
            } else if !work.quiet && summary.says_each() {
                work.bar.say(&done.account(job));
            }
            for warning in warnings {
                if let Some(line) = summary.warning(&job.input, warning) {
                    work.bar.say(&line);
                }
            }
        }
        Err(error) => {
            if work.json {
                work.print(&account_json::of_error(job, error));
            }
            work.bar.say(&format!("liaf: {}", hints::message(error)));
        }
    }
    result.is_ok()
}

impl Work {
    /// Prints a line on standard output.
    fn print(&self, line: &Value) {
        if let Err(error) = writeln!(io::stdout().lock(), "{}", text::json(line)) {
            lock(&self.unprinted).get_or_insert(error);
        }
    }
}

/// Takes the lock even if another thread panicked while it held it: lines and counts are never half
/// written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn try_one(work: &Work, job: &Job, parallel: bool) -> Result<Done> {
    let options = ReadOptions { parallel, ..work.read.clone() };
    let opened = match work.pieces.as_slice() {
        [] => Recording::open(&job.input, options),
        pieces => Recording::join(pieces, options),
    };
    let mut recording = opened.map_err(|error| match &work.meant {
        Some(name) if error.kind() == ErrorKind::Malformed => error.advice(format!(
            "--format states the format of the input; the kind of file to make is chosen with --to {name}"
        )),
        _ => error,
    })?;
    let measurements = sample_options(work, job, &recording)?;
    if work.index {
        recording.keep_index()?;
    }
    let output = (!work.dry_run).then_some(job.output.as_path());
    if let Some(folder) = output.and_then(Path::parent)
        && !folder.as_os_str().is_empty()
    {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let mut bar = work.bar.file();
    let mut progress = |progress: &_| bar.tell(progress);
    if let Some(options) = measurements {
        let done = convert_measurements(&mut recording, output, &options, &mut progress);
        return Ok(done.map(Done::Measurements).map_err(|error| error.in_file(&job.input))?);
    }
    let done = match &work.make {
        Make::Frames => {
            return Err(Usage(
                "--to png writes the images of a camera: choose them with --stream frames".into(),
            )
            .into());
        }
        Make::Tensor(options) => {
            let tensor = TensorOptions { parallel, ..options.tensor };
            let options = ConvertOptions { tensor, ..options.clone() };
            convert(&mut recording, output, &options, &mut progress).map(Done::Tensor)
        }
        Make::Events(options) => {
            let write = WriteOptions { parallel, ..options.write };
            let options = EventConvertOptions { write, ..options.clone() };
            convert_events(&mut recording, output, &options, &mut progress).map(Done::Events)
        }
    };
    Ok(done.map_err(|error| error.in_file(&job.input))?)
}

/// How to write the chosen stream, if it is not a stream of events.
fn sample_options(
    work: &Work,
    job: &Job,
    recording: &Recording,
) -> Result<Option<MeasurementConvertOptions>> {
    let stream = recording.info().chosen().filter(|stream| stream.kind != StreamKind::Events);
    let Some(stream) = stream else { return Ok(None) };
    if let Some(option) = work.only_for_events {
        let name = &stream.name;
        return Err(
            Usage(format!("--{option} applies to events, and the stream {name} has none")).into()
        );
    }
    let Some(file) = job.kind.of_samples() else {
        return Err(Usage(format!(
            "{}: the stream {} can only be written as {}",
            job.output.display(),
            stream.name,
            if stream.kind == StreamKind::Frames { "a folder or .h5" } else { ".csv" },
        ))
        .into());
    };
    Ok(Some(MeasurementConvertOptions {
        file,
        selection: work.selection.clone(),
        write: work.measurements,
    }))
}
