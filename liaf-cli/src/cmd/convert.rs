//! `liaf convert`: recordings to tensor files or other event files.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result};
use liaf_data::convert::{ConvertOptions, EventConvertOptions, convert, convert_events};
use liaf_data::tensor::TensorOptions;
use liaf_data::write::WriteOptions;
use liaf_data::{Coords, ReadOptions, Recording};

use super::account::Done;
use super::convert_args::Args;
use crate::inputs;
use crate::kind::Kind;
use crate::outputs::{self, Job};
use crate::progress::Bar;

/// Converts every input; fails if one of them could not be.
pub fn run(args: &Args) -> Result<ExitCode> {
    // Options that cannot be are said before any file is looked for.
    let selection = args.selection()?;
    let files = inputs::expand(&args.inputs)?;
    let jobs = outputs::plan(&files, &args.output, args.kind()?)?;
    let make = match jobs.first().map(|job| job.kind) {
        Some(Kind::Events(target)) => Make::Events(EventConvertOptions {
            target,
            selection,
            adapt: args.adapt(),
            write: args.write()?,
        }),
        Some(Kind::Tensor(container)) => Make::Tensor(ConvertOptions {
            frames: args.frames()?,
            container,
            tensor: args.tensor()?,
        }),
        None => return Ok(ExitCode::SUCCESS),
    };
    let work = Work {
        make,
        read: args.read.options(Coords::Canonical)?,
        dry_run: args.dry_run,
        index: args.index,
        bar: Bar::new(&files, args.quiet),
        quiet: args.quiet,
    };
    let threads = args.read.threads();
    let failed = if jobs.len() >= threads && jobs.len() > 1 {
        many(&work, &jobs, threads)
    } else {
        args.read.on_threads(|| jobs.iter().filter(|job| !one(&work, job, threads > 1)).count())?
    };
    work.bar.finish();
    if failed > 0 && jobs.len() > 1 {
        eprintln!("liaf: {failed} of {} files failed", jobs.len());
    }
    Ok(if failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is the same for every file.
struct Work {
    make: Make,
    read: ReadOptions,
    dry_run: bool,
    index: bool,
    bar: Bar,
    quiet: bool,
}

/// What is made of every file.
enum Make {
    Tensor(ConvertOptions),
    Events(EventConvertOptions),
}

/// Enough files to give each thread its own: none of them then needs more than one thread.
fn many(work: &Work, jobs: &[Job], threads: usize) -> usize {
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !one(work, job, false) {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    failed.into_inner()
}

/// Converts one file and says how it went.
fn one(work: &Work, job: &Job, parallel: bool) -> bool {
    let result = try_one(work, job, parallel);
    work.bar.file_done();
    match result {
        Ok(done) => {
            if !work.quiet {
                work.bar.say(&done.account(job));
            }
            for warning in done.warnings() {
                work.bar.say(&format!("liaf: {}: warning: {warning}", job.input.display()));
            }
            true
        }
        Err(error) => {
            work.bar.say(&format!("liaf: {error:#}"));
            false
        }
    }
}

fn try_one(work: &Work, job: &Job, parallel: bool) -> Result<Done> {
    let mut recording = Recording::open(&job.input, ReadOptions { parallel, ..work.read.clone() })?;
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
    let done = match &work.make {
        Make::Tensor(options) => {
            let tensor = TensorOptions { parallel, ..options.tensor };
            let options = ConvertOptions { tensor, ..options.clone() };
            convert(&mut recording, output, &options, &mut progress).map(Done::Tensor)
        }
        Make::Events(options) => {
            let write = WriteOptions { parallel, ..options.write };
            let options = EventConvertOptions { write, ..*options };
            convert_events(&mut recording, output, &options, &mut progress).map(Done::Events)
        }
    };
    Ok(done.map_err(|error| error.in_file(&job.input))?)
}
