//! `liaf convert`: writes recordings as tensor files or other event files, and their other streams as
//! files.

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
use liaf::data::io::AtomicFile;
use liaf::data::measurements::{self, MeasurementFile, MeasurementOptions};
use liaf::data::model::StreamKind;
use liaf::data::options::Coords;
use liaf::data::recording::files_of;
use liaf::data::tensor::{Container, TensorOptions};
use liaf::data::write::WriteOptions;
use liaf::data::{Error, ErrorKind, ReadOptions, Recording};

use serde_json::Value;

use super::account::Done;
use super::account_json;
use super::convert_args::Args;
use super::summary::Summary;
use crate::applies;
use crate::folders;
use crate::hints;
use crate::inputs::{self, Inputs};
use crate::kind::Kind;
use crate::outputs::{self, Job, Place, Usage};
use crate::progress::Bar;
use crate::{text, threads};

/// Converts every input. The exit code is a failure if one of them could not be converted.
pub fn run(args: &Args) -> Result<ExitCode> {
    // Contradictions are reported before any file is looked for.
    args.check_format()?;
    let selection = args.selection()?;
    // Pieces are one recording.
    let are_several = !args.join && inputs::may_be_several(&args.inputs);
    let stated = args.kind()?;
    let place = outputs::check(are_several, &args.output, stated)?;
    let known = match (stated, place) {
        (None, Place::File) => Some(Kind::of_path(&args.output)?),
        (None, _) if !hints::is_given("stream") => Some(Kind::Tensor(Container::H5)),
        (kind, _) => kind,
    };
    let making = |kind| -> Result<Make> {
        args.check_output(kind)?;
        Ok(match kind {
            Kind::Events(target) => Make::Events(EventConvertOptions {
                target,
                selection: selection.clone(),
                time_policy: args.time_policy(),
                write: args.write(target)?,
            }),
            Kind::Tensor(container) => Make::Tensor(ConvertOptions {
                frames: args.frames()?,
                container,
                tensor: args.tensor()?,
            }),
            Kind::Png => Make::Frames,
        })
    };
    let made = known.map(making).transpose()?;
    let read = args.read.options(Coords::Canonical)?;
    args.read.say_fewer_threads();
    let found = inputs::expand(&args.inputs, &read.columns);
    applies::check_inputs(&found.files, &read)?;
    // A recording without one of its pieces is another recording.
    let mut found = found;
    if args.join && !found.failed.is_empty() {
        return Err(found.failed.swap_remove(0).1);
    }
    let kind = match known {
        Some(kind) => kind,
        None => usual_kind(&found.files, &read)?,
    };
    let make = match made {
        Some(make) => make,
        None => making(kind)?,
    };
    let files = &found.files;
    let jobs = match args.join {
        true => outputs::plan(&files[..files.len().min(1)], false, &args.output, kind)?,
        false => outputs::plan(files, are_several, &args.output, kind)?,
    };
    let of_filters = selection.filters.iter().flat_map(|filter| filter.files());
    let read_files: Vec<_> = files.iter().flat_map(files_of).chain(of_filters).collect();
    outputs::check_apart(&jobs, &read_files)?;
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
        force: args.force,
        bar: Bar::new(files, args.quiet),
        quiet: args.quiet,
        json: args.json,
        summary: Mutex::new(Summary::new(jobs.len(), args.verbose)),
        unprinted: Mutex::new(None),
        misused: AtomicUsize::new(0),
    };
    work.say_found(&found, kind, args.verbose);
    let threads = args.read.threads();
    let unusable = found.failed.len();
    let all = jobs.len() + unusable;
    let failed = unusable
        + if jobs.len() >= threads && jobs.len() > 1 {
            many(&work, &jobs, threads)?
        } else {
            args.read
                .on_threads(|| jobs.iter().filter(|job| !one(&work, job, threads > 1)).count())?
        };
    work.bar.finish();
    folders::remove_empty();
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
    if failed > 0 && all > 1 {
        text::say(format_args!("liaf: {failed} of {all} files failed"));
    }
    // If no input could be right for the options, it is the command line that is wrong.
    let is_misused = work.misused.into_inner() == all;
    Ok(match failed {
        0 => ExitCode::SUCCESS,
        _ if is_misused => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    })
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
    force: bool,
    index: bool,
    bar: Bar,
    quiet: bool,
    json: bool,
    summary: Mutex<Summary>,
    /// The error that stopped the JSON lines on standard output.
    unprinted: Mutex<Option<io::Error>>,
    /// Number of inputs that failed because an option does not apply to them.
    misused: AtomicUsize,
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
fn usual_kind(files: &[PathBuf], read: &ReadOptions) -> Result<Kind> {
    let usual = Kind::Tensor(Container::H5);
    let Some(file) = files.first().filter(|file| file.is_file()) else { return Ok(usual) };
    let recording = Recording::open(file, ReadOptions { parallel: false, ..read.clone() })?;
    Ok(match recording.info().chosen().map(|stream| stream.kind) {
        Some(StreamKind::Frames) => Kind::Png,
        Some(StreamKind::Imu | StreamKind::Triggers) => Kind::named("csv").unwrap_or(usual),
        _ => usual,
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
        Err(error) if is_reader_gone(job, error) => {
            // It is no failure, as in `liaf convert … -o - | head`.
            lock(&work.unprinted).get_or_insert(io::ErrorKind::BrokenPipe.into());
        }
        Err(error) => {
            if error.is::<Usage>() {
                work.misused.fetch_add(1, Ordering::Relaxed);
            }
            if work.json {
                work.print(&account_json::of_error(job, error));
            }
            work.bar.say(&format!("liaf: {}", hints::message(error)));
        }
    }
    result.is_ok()
}

/// Whether the reader of standard output went away while a recording was written there.
fn is_reader_gone(job: &Job, error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<Error>().and_then(Error::cause);
    Place::of(&job.output) == Place::Standard
        && cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

impl Work {
    /// Reports inputs that stand for no file, and files that were passed over.
    fn say_found(&self, found: &Inputs, kind: Kind, verbose: bool) {
        for (input, error) in &found.failed {
            if self.json {
                self.print(&account_json::of_failed(input, kind, error));
            }
            self.bar.say(&format!("liaf: {}", hints::message(error)));
        }
        for (path, why) in &found.passed_over {
            if self.json {
                self.print(&account_json::of_passed_over(path, why));
            }
        }
        if !self.quiet {
            found.about_passed_over(verbose).iter().for_each(|line| self.bar.say(line));
        }
    }

    /// Fails where a run would because of the output, without leaving anything.
    fn check_output(
        &self,
        job: &Job,
        recording: &Recording,
        measurements: Option<&MeasurementConvertOptions>,
    ) -> liaf::data::Result<()> {
        let stream = recording.info().chosen().map_or(StreamKind::Events, |stream| stream.kind);
        match measurements {
            _ if Place::of(&job.output) == Place::Standard => Ok(()),
            Some(options) => measurements::check(&job.output, options.file, stream, self.force),
            None => AtomicFile::check(&job.output, self.force),
        }
    }

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
    applies::check_formats(&[recording.info().format])
        .or_else(|error| if job.input.as_os_str() == "-" { Err(error) } else { Ok(()) })?;
    let measurements = sample_options(work, job, &recording)?;
    if matches!(work.make, Make::Frames) && measurements.is_none() {
        return Err(without_images());
    }
    if work.dry_run {
        work.check_output(job, &recording, measurements.as_ref())?;
    }
    if work.index && !work.dry_run {
        recording.keep_index()?;
    }
    let output = (!work.dry_run).then_some(job.output.as_path());
    if let Some(folder) = output.and_then(Path::parent)
        && !folder.as_os_str().is_empty()
    {
        folders::make(folder).with_context(|| text::path(folder))?;
    }
    let mut bar = work.bar.file();
    let mut progress = |progress: &_| bar.tell(progress);
    if let Some(options) = measurements {
        let done = convert_measurements(&mut recording, output, &options, &mut progress);
        return Ok(done.map(Done::Measurements).map_err(|error| error.in_file(&job.input))?);
    }
    let done = match &work.make {
        Make::Frames => return Err(without_images()),
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

fn without_images() -> anyhow::Error {
    let what = "--to png writes the images of a camera: choose them with --stream frames";
    Usage(what.into()).into()
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
    let can_store = |file: &MeasurementFile| file.check(stream.kind).is_ok();
    let Some(file) = job.kind.of_samples().filter(can_store) else {
        return Err(Usage(format!(
            "{}: the stream {} can only be written as {}",
            text::path(&job.output),
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
